//! The form of a backup: its manifest, and rows as bytes.
//!
//! A part is gzip over one line of JSON (`{"table": …, "columns": [[name,
//! kind], …]}`) and rows. A row is its length (four bytes, the greatest
//! first) and its cells: a byte that says what follows, then `0` nothing, `1`
//! eight bytes of a number, `2` false, `3` true, `4` eight bytes of an IEEE
//! double, `5` text and `6` bytes after four bytes of length, `7` the sixteen
//! bytes of an id. Rows come in the order of the key, so a digest over them is
//! the same whichever engine they come from.

use std::io::{BufRead, BufReader, Read, Write};

use anyhow::{Context, Result, anyhow, bail};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use store::{
    Value,
    snapshot::{Applied, Column, Kind, Table},
};
use uuid::Uuid;

use super::Place;

/// The form this build writes, and the latest it reads.
pub const FORMAT: u32 = 1;
pub const MANIFEST: &str = "manifest.json";
/// No row comes near it; a length beyond is damage.
const LARGEST_ROW: usize = 1 << 30;

/// One object full of rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub object: String,
    pub sha256: String,
    pub bytes: u64,
    /// Bytes before they were compressed.
    pub raw: u64,
    pub rows: u64,
}

/// The rows of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the name in the manifest, as parts have it")]
pub struct Rows {
    pub name: String,
    /// Name and kind.
    pub columns: Vec<(String, String)>,
    pub key: Vec<String>,
    pub rows: u64,
    /// Over the rows as bytes, without the line before them.
    pub sha256: String,
    pub parts: Vec<Part>,
}

impl Rows {
    pub fn of(table: &Table) -> Self {
        Self {
            name: table.name.clone(),
            columns: table.columns.iter().map(|c| (c.name.clone(), c.kind.as_str().to_owned())).collect(),
            key: table.key.clone(),
            rows: 0,
            sha256: String::new(),
            parts: Vec::new(),
        }
    }

    pub fn table(&self) -> Result<Table> {
        let columns = self.columns.iter().map(|(name, kind)| {
            let kind =
                Kind::parse(kind).ok_or_else(|| anyhow!("column {name} of {} is of a kind {kind}", self.name))?;
            Ok(Column { name: name.clone(), kind })
        });
        Ok(Table { name: self.name.clone(), columns: columns.collect::<Result<_>>()?, key: self.key.clone() })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    pub version: i64,
    pub name: String,
    pub checksum: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// Version of the program that wrote it.
    pub program: String,
    pub name: String,
    /// Milliseconds UTC.
    pub made_at: i64,
    /// Of the server it was made of; of no consequence for where it goes.
    pub engine: String,
    pub server_id: Uuid,
    pub epoch: Uuid,
    pub migrations: Vec<Step>,
    pub tables: Vec<Rows>,
    /// Which objects it needs: name, SHA-256, size, in the order of the hash.
    pub objects: Rows,
    pub object_bytes: u64,
    /// Objects that were damaged or gone when it was made.
    pub damaged: Vec<String>,
    /// Tables that are not in it, each with the reason.
    pub left_out: Vec<(String, String)>,
}

impl Manifest {
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// All that a restore reads.
    pub fn bytes(&self) -> u64 {
        let parts = self.tables.iter().chain([&self.objects]).flat_map(|rows| &rows.parts);
        parts.map(|part| part.bytes).sum::<u64>() + self.object_bytes
    }

    pub fn applied(&self) -> Vec<Applied> {
        let steps = self.migrations.iter();
        steps.map(|s| Applied { version: s.version, name: s.name.clone(), checksum: s.checksum.clone() }).collect()
    }

    /// With a digest over itself.
    pub fn seal(&self) -> Result<Vec<u8>> {
        let manifest = serde_json::value::to_raw_value(self)?;
        let sealed = Sealed { sha256: hex(&Sha256::digest(manifest.get())), manifest };
        Ok(serde_json::to_vec(&sealed)?)
    }

    /// Reads what [`Manifest::seal`] wrote.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        let sealed: Sealed = serde_json::from_slice(bytes).context("the manifest is damaged")?;
        if sealed.sha256 != hex(&Sha256::digest(sealed.manifest.get())) {
            bail!("the manifest is damaged: its digest is another one");
        }
        let head: Head = serde_json::from_str(sealed.manifest.get()).context("the manifest is damaged")?;
        if head.format > FORMAT {
            bail!(
                "the backup has the form {}, of Magpie {}; this is {}, which reads up to {FORMAT}: restore it with that release",
                head.format,
                head.program,
                env!("CARGO_PKG_VERSION")
            );
        }
        serde_json::from_str(sealed.manifest.get()).context("the manifest is damaged")
    }

    pub async fn read(place: &Place, name: &str) -> Result<Self> {
        Self::open(&place.blobs.read_all(&format!("{name}/{MANIFEST}")).await?)
            .with_context(|| format!("{name} in {}", place.words))
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    sha256: String,
    manifest: Box<RawValue>,
}

#[derive(Deserialize)]
struct Head {
    format: u32,
    program: String,
}

/// Whether this is the name of a backup, `magpie-20261123T190000Z`: nothing
/// else in a place is ever looked into or taken away.
pub fn is_name(name: &str) -> bool {
    let Some(time) = name.strip_prefix("magpie-").map(str::as_bytes) else { return false };
    time.len() == 16
        && time.iter().enumerate().all(|(at, c)| match at {
            8 => *c == b'T',
            15 => *c == b'Z',
            _ => c.is_ascii_digit(),
        })
}

/// The table the list of objects is written as.
pub fn objects_table() -> Table {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    Table {
        name: "objects".to_owned(),
        columns: vec![column("name", Kind::Text), column("sha256", Kind::Bytes), column("size", Kind::Int)],
        key: vec!["sha256".to_owned(), "name".to_owned()],
    }
}

/// An object that a backup needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    pub name: String,
    pub sha256: [u8; 32],
    pub size: u64,
}

impl Needed {
    pub fn of(values: &[Value<'_>]) -> Result<Self> {
        match values {
            [Value::Text(name), Value::Bytes(sha256), Value::Int(size)] => {
                Ok(Self { name: (*name).to_owned(), sha256: (*sha256).try_into()?, size: u64::try_from(*size)? })
            }
            _ => bail!("the list of objects is damaged"),
        }
    }

    /// Where its content lies in a place of backups.
    pub fn object(&self) -> String {
        let hex = hex(&self.sha256);
        format!("objects/{}/{hex}", &hex[..2])
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        use std::fmt::Write as _;
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A digest over rows, and their number.
#[derive(Default)]
pub struct Sum {
    hash: Sha256,
    row: Vec<u8>,
    pub rows: u64,
}

impl Sum {
    /// The row as bytes.
    pub fn push(&mut self, values: &[Value<'_>]) -> store::Result<&[u8]> {
        encode(values, &mut self.row)?;
        self.hash.update(&self.row);
        self.rows += 1;
        Ok(&self.row)
    }

    pub fn digest(self) -> String {
        hex(&self.hash.finalize())
    }
}

fn encode(values: &[Value<'_>], out: &mut Vec<u8>) -> store::Result<()> {
    out.clear();
    out.extend_from_slice(&[0; 4]);
    for value in values {
        match value {
            Value::Null => out.push(0),
            Value::Int(n) => {
                out.push(1);
                out.extend_from_slice(&n.to_be_bytes());
            }
            Value::Bool(b) => out.push(2 + u8::from(*b)),
            Value::Real(n) => {
                out.push(4);
                out.extend_from_slice(&n.to_bits().to_be_bytes());
            }
            Value::Text(text) => sized(out, 5, text.as_bytes())?,
            Value::Bytes(bytes) => sized(out, 6, bytes)?,
            Value::Uuid(id) => {
                out.push(7);
                out.extend_from_slice(id.as_bytes());
            }
            Value::Invalid(what) => return Err(store::Error::OutOfRange(what)),
        }
    }
    let length = u32::try_from(out.len() - 4).map_err(|_| store::Error::TooLarge("row"))?;
    out[..4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

fn sized(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) -> store::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| store::Error::TooLarge("value"))?;
    out.push(tag);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

/// The cells of a row, without its length. `None` where it is damaged.
fn decode(mut row: &[u8]) -> Option<Vec<Value<'_>>> {
    fn take<'a>(row: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = row.split_at_checked(n)?;
        *row = rest;
        Some(taken)
    }
    fn eight(row: &mut &[u8]) -> Option<[u8; 8]> {
        take(row, 8)?.try_into().ok()
    }
    fn sized<'a>(row: &mut &'a [u8]) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(take(row, 4)?.try_into().ok()?);
        take(row, length as usize)
    }
    let mut out = Vec::new();
    while let Some(tag) = take(&mut row, 1) {
        out.push(match tag[0] {
            0 => Value::Null,
            1 => Value::Int(i64::from_be_bytes(eight(&mut row)?)),
            2 => Value::Bool(false),
            3 => Value::Bool(true),
            4 => Value::Real(f64::from_bits(u64::from_be_bytes(eight(&mut row)?))),
            5 => Value::Text(std::str::from_utf8(sized(&mut row)?).ok()?),
            6 => Value::Bytes(sized(&mut row)?),
            7 => Value::Uuid(Uuid::from_slice(take(&mut row, 16)?).ok()?),
            _ => return None,
        });
    }
    Some(out)
}

/// Puts rows into parts of bounded size, one in memory at a time.
pub struct Writer<'a> {
    rows: Rows,
    sum: Sum,
    /// Bytes before compression after which a part is closed.
    limit: u64,
    part: Option<(GzEncoder<Vec<u8>>, u64, u64)>,
    put: &'a mut dyn FnMut(&str, Vec<u8>) -> store::Result<()>,
}

impl<'a> Writer<'a> {
    pub fn new(table: &Table, limit: u64, put: &'a mut dyn FnMut(&str, Vec<u8>) -> store::Result<()>) -> Self {
        Self { rows: Rows::of(table), sum: Sum::default(), limit, part: None, put }
    }

    pub fn push(&mut self, values: &[Value<'_>]) -> store::Result<()> {
        if self.part.is_none() {
            let head = serde_json::json!({ "table": self.rows.name, "columns": self.rows.columns });
            let head = format!("{head}\n");
            let mut gzip = GzEncoder::new(Vec::new(), Compression::new(3));
            gzip.write_all(head.as_bytes()).map_err(|e| store::Error::Io(e.into()))?;
            self.part = Some((gzip, head.len() as u64, 0));
        }
        let row = self.sum.push(values)?;
        let mut full = false;
        if let Some((gzip, raw, rows)) = &mut self.part {
            gzip.write_all(row).map_err(|e| store::Error::Io(e.into()))?;
            *raw += row.len() as u64;
            *rows += 1;
            full = *raw >= self.limit;
        }
        if full { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> store::Result<()> {
        let Some((gzip, raw, rows)) = self.part.take() else { return Ok(()) };
        let bytes = gzip.finish().map_err(|e| store::Error::Io(e.into()))?;
        let object = format!("{}.{:04}.gz", self.rows.name, self.rows.parts.len() + 1);
        let sha256 = hex(&Sha256::digest(&bytes));
        self.rows.parts.push(Part { object: object.clone(), sha256, bytes: bytes.len() as u64, raw, rows });
        (self.put)(&object, bytes)
    }

    pub fn finish(mut self) -> store::Result<Rows> {
        self.close()?;
        self.rows.rows = self.sum.rows;
        self.rows.sha256 = self.sum.digest();
        Ok(self.rows)
    }
}

/// Shows the rows of a part that was read whole. Errors name the part.
pub fn read_part(part: &Part, bytes: &[u8], f: &mut dyn FnMut(&[Value<'_>]) -> Result<()>) -> Result<()> {
    let damaged = || anyhow!("the part {} is damaged", part.object);
    if bytes.len() as u64 != part.bytes || hex(&Sha256::digest(bytes)) != part.sha256 {
        return Err(damaged());
    }
    // No more than it says, whatever the compressed bytes say.
    let mut raw = BufReader::new(GzDecoder::new(bytes).take(part.raw));
    let mut head = Vec::new();
    raw.read_until(b'\n', &mut head).map_err(|_| damaged())?;
    let mut row = Vec::new();
    for _ in 0..part.rows {
        let mut length = [0; 4];
        raw.read_exact(&mut length).map_err(|_| damaged())?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LARGEST_ROW {
            return Err(damaged());
        }
        row.clear();
        row.resize(length, 0);
        raw.read_exact(&mut row).map_err(|_| damaged())?;
        f(&decode(&row).ok_or_else(damaged)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Value<'static>>> {
        let id = Uuid::from_u128(9);
        vec![
            vec![Value::Text("a\n中"), Value::Bytes(&[0, 255]), Value::Int(i64::MIN)],
            vec![Value::Null, Value::Bytes(&[]), Value::Uuid(id)],
            vec![Value::Bool(true), Value::Bool(false), Value::Real(-0.5)],
        ]
    }

    fn written(limit: u64) -> (Rows, Vec<(String, Vec<u8>)>) {
        let mut parts = Vec::new();
        let mut put = |name: &str, bytes: Vec<u8>| {
            parts.push((name.to_owned(), bytes));
            Ok(())
        };
        let mut writer = Writer::new(&objects_table(), limit, &mut put);
        for row in rows() {
            writer.push(&row).unwrap();
        }
        let rows = writer.finish().unwrap();
        (rows, parts)
    }

    #[test]
    fn rows_come_back_from_any_number_of_parts_with_one_digest() {
        let (one, _) = written(1_000_000);
        for (limit, count) in [(1_000_000, 1), (1, 3)] {
            let (kept, parts) = written(limit);
            assert_eq!((kept.parts.len(), kept.rows, &kept.sha256), (count, 3, &one.sha256));
            let mut at = 0;
            for (part, (name, bytes)) in kept.parts.iter().zip(&parts) {
                assert_eq!(&part.object, name);
                read_part(part, bytes, &mut |row| {
                    assert_eq!(row, rows()[at]);
                    at += 1;
                    Ok(())
                })
                .unwrap();
            }
            assert_eq!(at, 3);
        }
    }

    #[test]
    fn only_what_has_its_very_name_is_a_backup() {
        assert!(is_name("magpie-20261123T190000Z"));
        for other in
            ["magpie-backups", "magpie-20261123T190000", "magpie-2026-123T190000Z", "20261123T190000Z", "magpie-"]
        {
            assert!(!is_name(other), "{other}");
        }
    }

    #[test]
    fn damage_is_told_by_the_name_of_the_part() {
        let (kept, parts) = written(1_000_000);
        let (part, bytes) = (&kept.parts[0], &parts[0].1);
        let tell = |part: &Part, bytes: &[u8]| read_part(part, bytes, &mut |_| Ok(())).unwrap_err().to_string();
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert_eq!(tell(part, &bad), "the part objects.0001.gz is damaged");
        }
        // A manifest that lies about the number of rows or of bytes.
        for lie in [Part { rows: 4, ..part.clone() }, Part { raw: part.raw - 1, ..part.clone() }] {
            assert_eq!(tell(&lie, bytes), "the part objects.0001.gz is damaged");
        }
        for cut in [&[5, 0, 0][..], &[5, 0, 0, 0, 9, 1], &[8], &[1, 2], &[5, 0, 0, 0, 1, 255]] {
            assert!(decode(cut).is_none());
        }
    }
}
