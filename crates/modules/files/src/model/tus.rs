//! The headers of tus 1.0.0.

use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proto::{Code, Error, OrgId, Result, limits};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::name;

pub(crate) const VERSION: &str = "1.0.0";
pub(crate) const EXTENSIONS: &str = "creation,creation-with-upload,termination,expiration,checksum";
pub(crate) const CHECKSUMS: &str = "sha1,sha256";
/// The type of bodies that carry bytes of a file.
pub(crate) const BYTES: &str = "application/offset+octet-stream";

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Every request but OPTIONS names the version it speaks.
pub(crate) fn version(headers: &HeaderMap) -> Result<()> {
    if text(headers, "tus-resumable") == Some(VERSION) { Ok(()) } else { Err(Error::api(Code::TusVersion)) }
}

/// A whole number that is not negative.
pub(crate) fn number(headers: &HeaderMap, name: &str) -> Result<i64> {
    let found = text(headers, name).ok_or_else(|| Error::field(Code::FieldRequired, name))?;
    let plain = !found.is_empty() && found.len() <= 18 && found.bytes().all(|b| b.is_ascii_digit());
    found.parse().ok().filter(|_| plain).ok_or_else(|| Error::field(Code::InvalidField, name))
}

/// Whether the body carries bytes of a file.
pub(crate) fn carries_bytes(headers: &HeaderMap) -> bool {
    text(headers, "content-type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case(BYTES))
}

/// What an upload says of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) org: Option<OrgId>,
    /// For which a guest sends it. Of nobody else it is asked.
    pub(crate) conversation: Option<String>,
}

/// `Upload-Metadata`: pairs of a key and a value in base64. What is not known
/// is passed over; the type it names is never believed.
pub(crate) fn metadata(headers: &HeaderMap) -> Result<Metadata> {
    let given = text(headers, "upload-metadata").unwrap_or_default();
    if given.len() > limits::UPLOAD_METADATA_BYTES {
        return Err(Error::too_long("upload-metadata", limits::UPLOAD_METADATA_BYTES));
    }
    let (mut filename, mut org, mut conversation) = (None, None, None);
    for pair in given.split(',') {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        if !matches!(key, "filename" | "org" | "conversation") {
            continue;
        }
        let bytes = STANDARD.decode(value.trim()).map_err(|_| Error::field(Code::InvalidField, "upload-metadata"))?;
        let value = String::from_utf8(bytes).map_err(|_| Error::field(Code::FileNameInvalid, "filename"))?;
        match key {
            "filename" => filename = Some(value),
            "org" => org = Some(value.parse().map_err(|_| Error::api(Code::NotFound))?),
            _ => conversation = Some(value),
        }
    }
    Ok(Metadata { name: name::clean(&filename.unwrap_or_default())?, org, conversation })
}

/// What a body must hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Sha1(Vec<u8>),
    Sha256(Vec<u8>),
}

impl Checksum {
    pub(crate) fn fits(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Sha1(sum) => Sha1::digest(bytes).as_slice() == sum,
            Self::Sha256(sum) => Sha256::digest(bytes).as_slice() == sum,
        }
    }
}

/// `Upload-Checksum`, if there is one.
pub(crate) fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>> {
    let Some(value) = headers.get("upload-checksum") else { return Ok(None) };
    let invalid = || Error::field(Code::InvalidField, "upload-checksum");
    let (kind, sum) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(invalid)?;
    let sum = STANDARD.decode(sum.trim()).map_err(|_| invalid())?;
    match (kind, sum.len()) {
        ("sha1", 20) => Ok(Some(Checksum::Sha1(sum))),
        ("sha256", 32) => Ok(Some(Checksum::Sha256(sum))),
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn metadata_is_read_whatever_else_stands_in_it() {
        let name = STANDARD.encode("../图 1.png");
        let given = headers(&[("upload-metadata", &format!("filetype aW1hZ2UvcG5n, filename {name},is_confidential"))]);
        assert_eq!(metadata(&given).unwrap(), Metadata { name: "图 1.png".into(), org: None, conversation: None });
        let given = headers(&[("upload-metadata", &format!("filename {name},conversation eA=="))]);
        assert_eq!(metadata(&given).unwrap().conversation.as_deref(), Some("x"));
        for bad in ["", "filename", "filename !!", "filename /w==", "org eA==,filename eA=="] {
            assert!(metadata(&headers(&[("upload-metadata", bad)])).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_plain_digits() {
        assert_eq!(number(&headers(&[("upload-length", "42")]), "upload-length").unwrap(), 42);
        for bad in ["", "-1", "+1", " 1", "1.0", "0x1", "9999999999999999999"] {
            assert!(number(&headers(&[("upload-length", bad)]), "upload-length").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_checksum_is_of_a_known_kind_and_holds_the_bytes_to_it() {
        let sum = STANDARD.encode(Sha256::digest(b"abc"));
        let read = checksum(&headers(&[("upload-checksum", &format!("sha256 {sum}"))])).unwrap().unwrap();
        assert!(read.fits(b"abc") && !read.fits(b"abd"));
        for bad in ["md5 AAAA", "sha256 AAAA", "sha256", "sha1 !"] {
            assert!(checksum(&headers(&[("upload-checksum", bad)])).is_err(), "{bad}");
        }
    }
}
