//! Frames as bytes, right and wrong ones: a test server must be able to send what no library would.

use std::io::{self, Read, Write};

/// Opcode of a continuation frame.
pub const CONTINUATION: u8 = 0;
/// Opcode of a text frame.
pub const TEXT: u8 = 1;
/// Opcode of a binary frame.
pub const BINARY: u8 = 2;
/// Opcode of a close frame.
pub const CLOSE: u8 = 8;
/// Opcode of a ping frame.
pub const PING: u8 = 9;
/// Opcode of a pong frame.
pub const PONG: u8 = 10;

/// The reserved bit that says "compressed", as it stands in the first byte.
pub const RSV1: u8 = 0x40;

/// One frame, as received or to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether this is the last frame of its message.
    pub fin: bool,
    /// The three reserved bits as they stand in the first byte: 0x40, 0x20, 0x10.
    pub rsv: u8,
    /// The four bits of the opcode.
    pub opcode: u8,
    /// Whether to set the mask bit; a server must not, and the mask key written is zero.
    pub masked: bool,
    /// The payload, unmasked.
    pub payload: Vec<u8>,
}

impl Frame {
    /// A whole message (or control frame) in one unmasked frame.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Frame {
        Frame { fin: true, rsv: 0, opcode, masked: false, payload: payload.into() }
    }

    /// A close frame with a code and a reason.
    pub fn close(code: u16, reason: &str) -> Frame {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Frame::new(CLOSE, payload)
    }

    /// The frame's bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = header(self.fin, self.rsv, self.opcode, self.masked, self.payload.len() as u64);
        if self.masked {
            bytes.extend_from_slice(&[0; 4]);
        }
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Writes the frame.
    ///
    /// # Errors
    ///
    /// Those of the stream.
    pub fn write(&self, stream: &mut (impl Write + ?Sized)) -> io::Result<()> {
        stream.write_all(&self.encode())
    }

    /// Reads one frame and unmasks it.
    ///
    /// # Errors
    ///
    /// Those of the stream, [`io::ErrorKind::UnexpectedEof`] at its end, and
    /// [`io::ErrorKind::InvalidData`] for a frame of more than 16 MiB or without a mask.
    pub fn read(stream: &mut (impl Read + ?Sized)) -> io::Result<Frame> {
        let mut two = [0; 2];
        stream.read_exact(&mut two)?;
        let len = match two[1] & 0x7f {
            126 => {
                let mut bytes = [0; 2];
                stream.read_exact(&mut bytes)?;
                u64::from(u16::from_be_bytes(bytes))
            }
            127 => {
                let mut bytes = [0; 8];
                stream.read_exact(&mut bytes)?;
                u64::from_be_bytes(bytes)
            }
            short => u64::from(short),
        };
        if len > 16 << 20 || two[1] & 0x80 == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "client frame too long or not masked"));
        }
        let mut key = [0; 4];
        stream.read_exact(&mut key)?;
        let mut payload = vec![0; len as usize];
        stream.read_exact(&mut payload)?;
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[i % 4];
        }
        let fin = two[0] & 0x80 != 0;
        Ok(Frame { fin, rsv: two[0] & 0x70, opcode: two[0] & 0x0f, masked: true, payload })
    }

    /// The frame in words, for [`/seen`](super): `text "hello"`, `close 1001 ""`, `binary 01ff`.
    pub fn describe(&self) -> String {
        let name = match self.opcode {
            CONTINUATION => "continuation",
            TEXT => "text",
            BINARY => "binary",
            CLOSE => "close",
            PING => "ping",
            PONG => "pong",
            _ => "unknown",
        };
        let text = String::from_utf8_lossy(&self.payload);
        match (self.opcode, self.payload.as_slice()) {
            (CLOSE, []) => "close empty".to_owned(),
            (CLOSE, [high, low, reason @ ..]) => {
                let code = u16::from_be_bytes([*high, *low]);
                format!("close {code} {:?}", String::from_utf8_lossy(reason))
            }
            (BINARY, bytes) => {
                format!("{name} {}", bytes.iter().map(|b| format!("{b:02x}")).collect::<String>())
            }
            _ => format!("{name} {text:?}"),
        }
    }
}

/// A frame header without a mask key; `len` need not be that of any payload.
pub fn header(fin: bool, rsv: u8, opcode: u8, masked: bool, len: u64) -> Vec<u8> {
    let mut bytes = vec![(u8::from(fin) << 7) | rsv | opcode];
    let mask = u8::from(masked) << 7;
    match len {
        0..=125 => bytes.push(mask | len as u8),
        126..=0xffff => {
            bytes.push(mask | 126);
            bytes.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend_from_slice(&len.to_be_bytes());
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Masks the way a client does, so that `read` has something to undo.
    fn masked(frame: &Frame, key: [u8; 4]) -> Vec<u8> {
        let mut bytes = header(frame.fin, frame.rsv, frame.opcode, true, frame.payload.len() as u64);
        bytes.extend_from_slice(&key);
        bytes.extend(frame.payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]));
        bytes
    }

    #[test]
    fn reads_what_a_client_writes() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let sent = Frame { masked: true, ..Frame::new(TEXT, vec![b'x'; len]) };
            let bytes = masked(&sent, [1, 2, 3, 4]);
            assert_eq!(Frame::read(&mut bytes.as_slice()).unwrap(), sent, "length {len}");
        }
    }

    #[test]
    fn refuses_an_unmasked_client_frame() {
        let bytes = Frame::new(TEXT, "hello").encode();
        assert_eq!(Frame::read(&mut bytes.as_slice()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn describes_frames_in_words() {
        assert_eq!(Frame::new(TEXT, "a\nb").describe(), r#"text "a\nb""#);
        assert_eq!(Frame::new(BINARY, [1, 255]).describe(), "binary 01ff");
        assert_eq!(Frame::close(1001, "").describe(), r#"close 1001 """#);
        assert_eq!(Frame::new(CLOSE, []).describe(), "close empty");
    }
}
