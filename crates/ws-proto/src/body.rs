//! The first bytes of a refusal's body (RFC 9112 section 6), kept for the script to look at.

use crate::error::PeerError;
use crate::response::UpgradeResponse;

/// The longest line with a chunk's size that is read; real ones have a few digits.
const MAX_CHUNK_LINE: usize = 256;

/// Collects a body until it ends or enough of it is there.
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    body: Vec<u8>,
    /// How much of it is kept.
    max: usize,
}

#[derive(Debug)]
enum Framing {
    /// So many bytes are still to come; `u64::MAX` for a body that ends with the connection.
    Length(u64),
    ChunkLine(Vec<u8>),
    Chunk(u64),
    /// The line end after a chunk's data.
    ChunkEnd(u8),
}

impl BodyReader {
    /// Finds out how the body of `response` is delimited; `max` bytes of it are kept.
    pub(crate) fn new(response: &UpgradeResponse, max: usize) -> Result<Self, PeerError> {
        let framing = if matches!(response.status, 100..=199 | 204 | 304) {
            Framing::Length(0)
        } else if response.headers.has_token("Transfer-Encoding", "chunked") {
            Framing::ChunkLine(Vec::new())
        } else if let Some(value) = response.headers.get("Content-Length") {
            let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
            match value.parse() {
                Ok(length) if digits => Framing::Length(length),
                _ => return Err(PeerError::BadContentLength { value: value.to_owned() }),
            }
        } else {
            Framing::Length(u64::MAX)
        };
        Ok(Self { framing, body: Vec::new(), max })
    }

    /// Takes the next bytes of the stream; says whether the body is complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            if self.body.len() == self.max {
                return true;
            }
            match &mut self.framing {
                Framing::Length(0) => return true,
                Framing::Length(left) | Framing::Chunk(left) => {
                    let room = (self.max - self.body.len()).min(bytes.len());
                    let take = usize::try_from(*left).map_or(room, |left| left.min(room));
                    self.body.extend_from_slice(&bytes[..take]);
                    bytes = &bytes[take..];
                    *left -= take as u64;
                    if *left > 0 && bytes.is_empty() {
                        return self.body.len() == self.max;
                    }
                    if *left == 0 && matches!(self.framing, Framing::Chunk(_)) {
                        self.framing = Framing::ChunkEnd(0);
                    }
                }
                Framing::ChunkEnd(_) | Framing::ChunkLine(_) => {
                    let [byte, rest @ ..] = bytes else { return false };
                    bytes = rest;
                    if !self.between_chunks(*byte) {
                        self.framing = Framing::Length(0);
                    }
                }
            }
        }
    }

    /// What has been collected.
    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// One byte outside of chunk data; false if no chunk can follow.
    fn between_chunks(&mut self, byte: u8) -> bool {
        match &mut self.framing {
            Framing::ChunkEnd(seen) => {
                match (*seen, byte) {
                    (0, b'\r') => *seen = 1,
                    (_, b'\n') => self.framing = Framing::ChunkLine(Vec::new()),
                    _ => return false,
                }
                true
            }
            Framing::ChunkLine(line) if byte != b'\n' => {
                line.push(byte);
                line.len() <= MAX_CHUNK_LINE
            }
            Framing::ChunkLine(line) => {
                let size = std::str::from_utf8(line).ok().and_then(|line| {
                    u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16).ok()
                });
                self.framing = Framing::Chunk(size.unwrap_or(0));
                size.is_some_and(|size| size > 0)
            }
            Framing::Length(_) | Framing::Chunk(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_BODY: usize = 1024;
    use crate::Headers;

    fn read(status: u16, header: (&str, &str), stream: &[u8], step: usize) -> (bool, Vec<u8>) {
        let mut headers = Headers::default();
        headers.push(header.0, header.1);
        let mut reader = BodyReader::new(
            &UpgradeResponse { status, reason: String::new(), headers, body: Vec::new() },
            MAX_BODY,
        )
        .unwrap();
        let mut done = reader.feed(b"");
        for piece in stream.chunks(step) {
            if done {
                break;
            }
            done = reader.feed(piece);
        }
        (done, reader.into_body())
    }

    #[test]
    fn framings() {
        let long = vec![b'x'; 2000];
        let mut chunked = b"7D0\r\n".to_vec();
        chunked.extend(&long);
        type Row<'a> = (u16, (&'a str, &'a str), &'a [u8], bool, &'a [u8]);
        let table: [Row<'_>; 11] = [
            (200, ("Content-Length", "5"), b"helloworld", true, b"hello"),
            (200, ("Content-Length", "0"), b"", true, b""),
            (200, ("Content-Length", "30"), b"abc", false, b"abc"),
            (200, ("Content-Length", "2000"), &long, true, &long[..MAX_BODY]),
            (200, ("A", "b"), b"abc", false, b"abc"),
            (204, ("Content-Length", "3"), b"abc", true, b""),
            (101, ("A", "b"), b"abc", true, b""),
            (
                404,
                ("Transfer-Encoding", "chunked"),
                b"5;x=y\r\nhello\r\n3\nabc\n0\r\n\r\n",
                true,
                b"helloabc",
            ),
            (404, ("Transfer-Encoding", "gzip, Chunked"), &chunked, true, &long[..MAX_BODY]),
            (404, ("Transfer-Encoding", "chunked"), b"2\r\nabcd", true, b"ab"),
            (404, ("Transfer-Encoding", "chunked"), b"-1\r\nabcd", true, b""),
        ];
        for (status, header, stream, done, body) in table {
            for step in [1, 2, 7, 5000] {
                assert_eq!(read(status, header, stream, step), (done, body.to_vec()), "{header:?} by {step}");
            }
        }
    }

    #[test]
    fn a_length_that_is_none() {
        for value in ["x", "+5", "-1", "", "99999999999999999999999"] {
            let mut headers = Headers::default();
            headers.push("Content-Length", value);
            let error = BodyReader::new(
                &UpgradeResponse { status: 200, reason: String::new(), headers, body: Vec::new() },
                MAX_BODY,
            )
            .unwrap_err();
            assert_eq!(error, PeerError::BadContentLength { value: value.into() });
        }
    }
}
