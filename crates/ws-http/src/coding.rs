//! Content codings (RFC 9110 section 8.4.1): how bodies are compressed on the way.

use std::io::{self, Read, Write as _};

use bytes::Bytes;
use flate2::Compression;

use crate::error::Error;

/// A way to compress a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, the zlib format.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The one with this name in `Content-Encoding`.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" => Coding::Gzip,
            "deflate" => Coding::Deflate,
            "br" => Coding::Brotli,
            "zstd" => Coding::Zstd,
            _ => return None,
        })
    }

    /// Its name in `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        }
    }

    pub(crate) fn encode(self, body: &[u8]) -> Vec<u8> {
        const IN_MEMORY: &str = "memory takes all that is written to it";
        match self {
            Coding::Gzip => {
                let mut to = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
                to.write_all(body).expect(IN_MEMORY);
                to.finish().expect(IN_MEMORY)
            }
            Coding::Deflate => {
                let mut to = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
                to.write_all(body).expect(IN_MEMORY);
                to.finish().expect(IN_MEMORY)
            }
            Coding::Brotli => {
                let mut to = Vec::new();
                let params = brotli::enc::BrotliEncoderParams { quality: 6, ..Default::default() };
                brotli::BrotliCompress(&mut &body[..], &mut to, &params).expect(IN_MEMORY);
                to
            }
            Coding::Zstd => {
                ruzstd::encoding::compress_to_vec(body, ruzstd::encoding::CompressionLevel::Fastest)
            }
        }
    }

    fn decode(self, body: &[u8], limit: u64) -> Result<Vec<u8>, Error> {
        let bad = |reason: String| Error::Decode { reason };
        let text = |error: io::Error| bad(fault(&error));
        match self {
            Coding::Gzip => read(flate2::read::MultiGzDecoder::new(body), limit, text),
            Coding::Deflate => read(flate2::read::ZlibDecoder::new(body), limit, text),
            Coding::Brotli => read(brotli::Decompressor::new(body, 16 << 10), limit, text),
            Coding::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(body);
                read(decoder.map_err(|error| bad(error.to_string()))?, limit, text)
            }
        }
    }
}

/// Undoes the codings of a `Content-Encoding`, the last one first. One that is unknown leaves the body as it is.
pub(crate) fn decode(body: Bytes, content_encoding: &str, limit: u64) -> Result<Bytes, Error> {
    let names = content_encoding.split(',').map(str::trim).filter(|name| !name.is_empty());
    let codings: Option<Vec<Coding>> = names.map(|name| Coding::named(&name.to_ascii_lowercase())).collect();
    let Some(codings) = codings.filter(|_| !body.is_empty()) else { return Ok(body) };
    codings.into_iter().rev().try_fold(body, |body, coding| coding.decode(&body, limit).map(Bytes::from))
}

/// Reads to the end, but not more than `limit`: a few bytes can stand for gigabytes.
fn read(from: impl Read, limit: u64, fault: impl Fn(io::Error) -> Error) -> Result<Vec<u8>, Error> {
    let mut to = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut to).map_err(fault)?;
    if to.len() as u64 > limit { Err(Error::TooLarge { limit }) } else { Ok(to) }
}

fn fault(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    #[test]
    fn what_is_encoded_can_be_decoded() {
        let body = b"some text, some text, some text".repeat(100);
        for coding in ALL {
            let coded = coding.encode(&body);
            assert!(coded.len() < body.len() / 5, "{coding:?}: {}", coded.len());
            assert_eq!(decode(coded.into(), coding.name(), 1 << 20).unwrap(), body, "{coding:?}");
        }
    }

    #[test]
    fn codings_are_undone_from_the_last_to_the_first() {
        let coded = Coding::Zstd.encode(&Coding::Gzip.encode(b"text"));
        assert_eq!(&decode(coded.clone().into(), "gzip, ZSTD", 99).unwrap()[..], b"text");
        assert_eq!(decode(coded.clone().into(), "gzip, foo", 99).unwrap(), coded, "as it is");
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        for coding in ALL {
            let bomb = coding.encode(&vec![0; 10_000_000]);
            let error = decode(bomb.into(), coding.name(), 1_000_000).unwrap_err();
            assert!(matches!(error, Error::TooLarge { limit: 1_000_000 }), "{coding:?}: {error}");
        }
    }

    #[test]
    fn rubbish_is_an_error() {
        for coding in ALL {
            let error = decode(Bytes::from_static(b"abc"), coding.name(), 99).unwrap_err();
            assert!(matches!(error, Error::Decode { .. }), "{coding:?}: {error}");
        }
        assert!(decode(Bytes::new(), "gzip", 99).unwrap().is_empty(), "of HEAD, for instance");
    }
}
