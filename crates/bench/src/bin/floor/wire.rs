//! HTTP/1.1 and WebSocket framing, as much of them as the load generator uses.

use std::io;

use anyhow::{Context, Result, ensure};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Largest request.
const MOST: usize = 1 << 20;

pub struct Request {
    pub path: String,
    pub query: String,
    /// The number in the bearer token.
    pub who: Option<usize>,
    /// Of a WebSocket's handshake.
    pub key: String,
    pub body: Vec<u8>,
}

/// Appends what can be read without waiting; false at the end.
pub fn read(stream: &TcpStream, into: &mut Vec<u8>) -> io::Result<bool> {
    let mut piece = [0; 8 << 10];
    match stream.try_read(&mut piece) {
        Ok(0) => Ok(false),
        Ok(read) => {
            into.extend_from_slice(&piece[..read]);
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    }
}

/// The next request of a connection; `None` at its end.
pub async fn request(stream: &TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Request>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end])?;
            let length = header(head, "content-length").map_or(Ok(0), str::parse::<usize>)?;
            let all = end + 4 + length;
            if buffer.len() >= all {
                let mut request = parse(head)?;
                request.body = buffer[end + 4..all].to_vec();
                buffer.drain(..all);
                return Ok(Some(request));
            }
        }
        ensure!(buffer.len() < MOST, "the request is too large");
        stream.readable().await?;
        if !read(stream, buffer)? {
            return Ok(None);
        }
    }
}

fn parse(head: &str) -> Result<Request> {
    let target = head.split(' ').nth(1).context("no request line")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let token = header(head, "authorization").and_then(|value| value.strip_prefix("Bearer u"));
    Ok(Request {
        path: path.to_owned(),
        query: query.to_owned(),
        who: token.map(str::parse).transpose()?,
        key: header(head, "sec-websocket-key").unwrap_or_default().to_owned(),
        body: Vec::new(),
    })
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let lines = head.split("\r\n").skip(1);
    lines
        .filter_map(|line| line.split_once(':'))
        .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.trim()))
}

pub fn response(body: &str) -> Vec<u8> {
    let length = body.len();
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

pub fn upgrade(key: &str) -> String {
    let accept = derive_accept_key(key.as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accept}\r\n\r\n"
    )
}

pub async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Appends a text frame of the server (RFC 6455 §5.2).
pub fn frame(into: &mut Vec<u8>, text: &str) {
    into.push(0x81);
    match text.len() {
        length @ 0..126 => into.push(u8::try_from(length).unwrap_or(0)),
        length => {
            into.push(126);
            into.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    into.extend_from_slice(text.as_bytes());
}

/// Undoes the masking of the client's frame at `at`: its opcode and where its
/// payload stands, `None` until it is whole.
pub fn unmask(bytes: &mut [u8], at: usize) -> Result<Option<(u8, usize, usize)>> {
    let Some([first, second]) = bytes.get(at..at + 2) else { return Ok(None) };
    let (opcode, masked, short) = (first & 0x0f, second & 0x80 != 0, usize::from(second & 0x7f));
    ensure!(masked && first & 0x80 != 0 && short != 127, "a frame the load does not send");
    let (length, mask) = if short == 126 {
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return Ok(None) };
        (usize::from(u16::from_be_bytes([high, low])), at + 4)
    } else {
        (short, at + 2)
    };
    let (from, to) = (mask + 4, mask + 4 + length);
    if bytes.len() < to {
        return Ok(None);
    }
    let key = [bytes[mask], bytes[mask + 1], bytes[mask + 2], bytes[mask + 3]];
    for (byte, key) in bytes[from..to].iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    Ok(Some((opcode, from, to)))
}
