//! Client frames in, server frames out, in the memory they were read into.

/// Space to leave in front of what is read: the longest frame header there is (RFC 6455 section 5.2).
pub(super) const HEADROOM: usize = 14;

/// Close code 1002, protocol error (RFC 6455 section 7.4.1), as a whole frame.
const PROTOCOL_ERROR: [u8; 4] = [0x88, 2, 0x03, 0xea];

const FIN: u8 = 0x80;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// Where one connection is in its stream of frames. Holds no payload: whatever arrives leaves at once.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The first bytes of a header whose rest has not arrived.
    carry: [u8; HEADROOM],
    carried: u8,
    /// Bytes of the current frame's payload that have not arrived.
    left: u64,
    /// The current frame's masking key, turned so that it begins with the next byte's.
    mask: [u8; 4],
    /// Messages may be compressed.
    deflate: bool,
    /// The current frame is not echoed.
    discard: bool,
    /// The current frame is the peer's last.
    last: bool,
}

/// What a piece of stream has become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Echoed {
    /// Bytes to send, at the start of the buffer.
    pub(super) len: usize,
    /// Nothing follows: the peer has closed, or sent what is no WebSocket frame.
    pub(super) last: bool,
}

struct Header {
    first: u8,
    size: usize,
    len: u64,
    mask: [u8; 4],
}

impl Frames {
    /// At the beginning of a stream; `deflate` if messages may be compressed.
    pub(super) fn new(deflate: bool) -> Self {
        Frames { deflate, ..Frames::default() }
    }

    /// Turns `buf[HEADROOM..HEADROOM + len]`, the next bytes of the stream, into the answer, in place.
    ///
    /// A server's header is four bytes shorter than the client's it answers, so what is written never catches up
    /// with what is still to be read; the headroom takes the bytes carried over from before.
    pub(super) fn echo(&mut self, buf: &mut [u8], len: usize) -> Echoed {
        let carried = usize::from(std::mem::take(&mut self.carried));
        let mut input = HEADROOM - carried;
        buf[input..HEADROOM].copy_from_slice(&self.carry[..carried]);
        let end = HEADROOM + len;
        let mut out = 0;
        while input < end {
            if self.left == 0 {
                let bytes = &buf[input..end];
                let Some(header) = Header::parse(bytes) else {
                    self.carry[..bytes.len()].copy_from_slice(bytes);
                    self.carried = bytes.len() as u8;
                    break;
                };
                if !header.is_legal(buf[input + 1], self.deflate) {
                    buf[out..out + PROTOCOL_ERROR.len()].copy_from_slice(&PROTOCOL_ERROR);
                    return Echoed { len: out + PROTOCOL_ERROR.len(), last: true };
                }
                let opcode = header.first & 0xf;
                self.left = header.len;
                self.mask = header.mask;
                self.discard = opcode == PONG;
                self.last = opcode == CLOSE;
                if !self.discard {
                    let size = header.size - 4;
                    buf.copy_within(input..input + size, out);
                    buf[out] = if opcode == PING { FIN | PONG } else { header.first };
                    buf[out + 1] &= 0x7f;
                    out += size;
                }
                input += header.size;
            }
            let n = usize::try_from(self.left).unwrap_or(usize::MAX).min(end - input);
            if !self.discard {
                buf.copy_within(input..input + n, out);
                unmask(&mut buf[out..out + n], self.mask);
                out += n;
            }
            self.mask.rotate_left(n % 4);
            self.left -= n as u64;
            input += n;
            if self.left == 0 && self.last {
                return Echoed { len: out, last: true };
            }
        }
        Echoed { len: out, last: false }
    }
}

impl Header {
    /// Reads a client's header; `None` if it is not complete. An unmasked one is read as if it were masked:
    /// [`is_legal`](Self::is_legal) refuses it.
    fn parse(bytes: &[u8]) -> Option<Header> {
        let short = bytes.get(1)? & 0x7f;
        let (len, at) = match short {
            126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let mask = *bytes.get(at..)?.first_chunk()?;
        Some(Header { first: bytes[0], size: at + 4, len, mask })
    }

    /// RFC 6455 sections 5.1 (clients mask), 5.2 (reserved bits and opcodes) and 5.5 (control frames); RFC 7692
    /// section 6 (which frames say that they are compressed).
    fn is_legal(&self, second: u8, deflate: bool) -> bool {
        let control = self.first & 0x8 != 0;
        let known = matches!(self.first & 0xf, 0..=2 | CLOSE | PING | PONG);
        let masked = second & 0x80 != 0;
        let small = !control || (self.first & FIN != 0 && self.len <= 125);
        let begins = matches!(self.first & 0xf, 1 | 2);
        let reserved = if deflate && begins { 0x30 } else { 0x70 };
        masked && known && small && self.first & reserved == 0 && self.len >> 63 == 0
    }
}

/// RFC 6455 section 5.3, eight bytes at a time; `mask` begins with the key byte of the first byte.
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client_frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let mut frame = server_frame(first, payload);
        let body = frame.split_off(frame.len() - payload.len());
        frame[1] |= 0x80;
        frame.extend(mask);
        frame.extend(body.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        frame
    }

    fn server_frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            len @ ..126 => frame.push(len as u8),
            len @ ..65_536 => {
                frame.push(126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(payload);
        frame
    }

    /// Feeds a stream in pieces of the given sizes, again and again. Returns the answer and whether it is the last.
    fn echo(stream: &[u8], pieces: &[usize]) -> (Vec<u8>, bool) {
        let mut frames = Frames::default();
        let mut answer = Vec::new();
        let mut rest = stream;
        for &piece in pieces.iter().cycle() {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            let mut buf = vec![0xee; HEADROOM];
            buf.extend(now);
            let echoed = frames.echo(&mut buf, now.len());
            answer.extend(&buf[..echoed.len]);
            if echoed.last || later.is_empty() {
                return (answer, echoed.last);
            }
            rest = later;
        }
        unreachable!("pieces are not empty")
    }

    proptest! {
        #[test]
        fn any_frames_in_any_pieces(
            messages in proptest::collection::vec(
                (
                    prop_oneof![Just(0x81u8), Just(0x82), Just(0x01), Just(0x80), Just(0x89), Just(0x8a)],
                    prop_oneof![0usize..20, 100usize..140, 65_500usize..65_600],
                    any::<[u8; 4]>(),
                ),
                1..6,
            ),
            pieces in proptest::collection::vec(1usize..3_000, 1..5),
        ) {
            let (mut stream, mut expected) = (Vec::new(), Vec::new());
            for (number, (first, len, mask)) in messages.into_iter().enumerate() {
                let len = if first & 8 != 0 { len.min(125) } else { len };
                let payload: Vec<u8> = (0..len).map(|n| (n * 7 + number) as u8).collect();
                stream.extend(client_frame(first, &payload, mask));
                match first {
                    0x8a => {}
                    0x89 => expected.extend(server_frame(0x8a, &payload)),
                    first => expected.extend(server_frame(first, &payload)),
                }
            }
            prop_assert_eq!(echo(&stream, &pieces), (expected, false));
        }
    }

    #[test]
    fn a_close_frame_is_the_last() {
        let mut stream = client_frame(0x81, b"a", [1, 2, 3, 4]);
        stream.extend(client_frame(0x88, &[0x03, 0xe8, b'b'], [5, 6, 7, 8]));
        stream.extend(client_frame(0x81, b"too late", [1, 2, 3, 4]));
        for pieces in [[1000], [1], [3]] {
            assert_eq!(echo(&stream, &pieces), (b"\x81\x01a\x88\x03\x03\xe8b".to_vec(), true));
        }
        let empty = client_frame(0x88, b"", [9; 4]);
        assert_eq!(echo(&empty, &[1]), (vec![0x88, 0], true));
    }

    #[test]
    fn what_is_no_client_frame_ends_the_connection() {
        let mut frames = Frames::new(true);
        for (first, last) in
            [(0x41, false), (0x00, false), (0x89, false), (0x80, false), (0xc2, false), (0xc0, true)]
        {
            let mut buf = vec![0; HEADROOM];
            buf.extend(client_frame(first, b"x", [1, 2, 3, 4]));
            let len = buf.len() - HEADROOM;
            assert_eq!(frames.echo(&mut buf, len).last, last, "{first:x}");
        }
        let long_ping = client_frame(0x89, &[0; 126], [0; 4]);
        for bad in [
            b"\x81\x01abcdef".to_vec(),
            client_frame(0xc1, b"", [0; 4]),
            client_frame(0x83, b"", [0; 4]),
            client_frame(0x09, b"", [0; 4]),
            long_ping,
        ] {
            assert_eq!(echo(&bad, &[1000]), (PROTOCOL_ERROR.to_vec(), true), "{bad:x?}");
        }
    }
}
