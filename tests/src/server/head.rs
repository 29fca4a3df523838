//! Request heads: what a client sends before it may speak WebSocket.

use std::io::{self, Read};

/// Longest head read, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// The head of an HTTP request, kept in the order in which it was sent.
#[derive(Clone, Debug)]
pub struct Head {
    /// `GET`, as a rule.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Header lines in wire order, names in the client's spelling.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Reads up to the empty line, byte by byte, so that nothing behind it is taken from the stream.
    ///
    /// # Errors
    ///
    /// Those of the stream, and [`io::ErrorKind::InvalidData`] for what is no HTTP request.
    pub fn read(stream: &mut (impl Read + ?Sized)) -> io::Result<Head> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if bytes.len() > MAX_HEAD {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "request head too long"));
            }
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            bytes.push(byte[0]);
        }
        Head::parse(&String::from_utf8_lossy(&bytes))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP request"))
    }

    fn parse(text: &str) -> Option<Head> {
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers = lines
            .filter_map(|line| line.split_once(": ").or_else(|| line.split_once(':')))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Head { method, target, headers })
    }

    /// The first header of this name, spelled in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of a query parameter, not percent-decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name)).map(|(_, v)| v)
    }

    /// A query parameter as a number, or `default` if it is absent or no number.
    pub fn number(&self, name: &str, default: usize) -> usize {
        self.query(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }
}

/// Text with each `%` and two hexadecimal digits as the byte they stand for.
pub(super) fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_percents() {
        assert_eq!(percent_decoded("a%3D%22b%0a%zz%"), "a=\"b\n%zz%");
    }

    #[test]
    fn keeps_order_and_finds_by_name() {
        let text = "GET /ping?n=3&x=a HTTP/1.1\r\nHost: h\r\nX-B: 2\r\nx-a: 1\r\n\r\n";
        let head = Head::read(&mut text.as_bytes()).unwrap();
        assert_eq!((head.method.as_str(), head.path()), ("GET", "/ping"));
        assert_eq!(head.headers.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>(), ["Host", "X-B", "x-a"]);
        assert_eq!(head.header("X-A"), Some("1"));
        assert_eq!((head.number("n", 0), head.query("x"), head.query("y")), (3, Some("a"), None));
    }
}
