//! TLS over buffers of our own: an idle connection has none.
//!
//! rustls' buffered connection keeps 4 KiB for what it reads, be it idle or not, and copies each message once more in
//! either direction. Its other interface works on the caller's buffers.

use std::fmt;

use rustls::client::UnbufferedClientConnection;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};

use crate::arena::Arena;

/// What is encrypted at once. A large message must not lie in memory twice.
const CHUNK: usize = 64 * 1024;
/// What a record has besides its payload, at the most (RFC 5246 section 6.2.3), and payload bytes of the longest.
const OVERHEAD: usize = HEADER + 24 + 16;
/// Type, version and length of a record.
const HEADER: usize = 5;
const MAX_PAYLOAD: usize = 16 * 1024;
/// An emptied buffer for what is sent keeps at most this much.
const KEEP: usize = 4 * 1024;

/// The TLS of one connection.
pub(crate) struct TlsStream {
    connection: UnbufferedClientConnection,
    /// The beginning of a record, or of a message of the handshake, whose end has not arrived.
    partial: Vec<u8>,
    /// Records to be sent, from `sent` on.
    records: Vec<u8>,
    sent: usize,
    /// How much of what the caller sends is in them; it begins where they begin.
    payload: usize,
    /// The peer has said that nothing follows.
    ended: bool,
    /// After it, nothing but an alert is sent.
    failure: Option<Box<rustls::Error>>,
}

impl TlsStream {
    /// Begins a handshake: there is something to send already.
    pub(super) fn new(connection: UnbufferedClientConnection) -> Result<Self, rustls::Error> {
        let (partial, records) = (Vec::new(), Vec::new());
        let mut stream =
            Self { connection, partial, records, sent: 0, payload: 0, ended: false, failure: None };
        stream.process(&mut [], &mut Arena::new()).1?;
        Ok(stream)
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether the peer has said that nothing follows.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What has gone wrong for good.
    pub(crate) fn failure(&self) -> Option<&rustls::Error> {
        self.failure.as_deref()
    }

    /// Takes what the socket gave; what it decrypts to is appended to the arena, also if there is an error after it.
    /// `received` is overwritten.
    pub(crate) fn receive(&mut self, received: &mut [u8], arena: &mut Arena) -> Result<(), rustls::Error> {
        if self.partial.is_empty() {
            let (taken, result) = self.process(received, arena);
            result?;
            self.partial.extend_from_slice(&received[taken..]);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.partial);
        bytes.extend_from_slice(received);
        let (taken, result) = self.process(&mut bytes, arena);
        result?;
        if taken < bytes.len() {
            bytes.drain(..taken);
            self.partial = bytes;
        }
        Ok(())
    }

    /// Works through the records in `bytes`: how many bytes it took, and how that ended.
    fn process(&mut self, bytes: &mut [u8], arena: &mut Arena) -> (usize, Result<(), rustls::Error>) {
        let mut taken = 0;
        loop {
            // After a failure no record may be looked at any more, only what is left to be sent, such as an alert.
            if let Some(failure) = self.failure()
                && !self.connection.wants_write()
            {
                return (taken, Err(failure.clone()));
            }
            let UnbufferedStatus { mut discard, state } =
                self.connection.process_tls_records(&mut bytes[taken..]);
            let mut done = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(Ok(record)) = traffic.next_record() {
                        discard += record.discard;
                        arena.extend(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.records, OVERHEAD, |room| {
                        data.encode(room).map_err(|error| match error {
                            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
                                Some(required_size)
                            }
                            EncodeError::AlreadyEncoded => None,
                        })
                    });
                }
                // They are sent in order, and before anything else.
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.ended = true,
                Ok(_) => done = true,
                Err(error) => self.failure = Some(Box::new(error)),
            }
            taken += discard;
            if done {
                return (taken, Ok(()));
            }
        }
    }

    /// Encrypts from the start of `plain` if all that was encrypted before has been sent; says how much it took.
    pub(crate) fn encrypt(&mut self, plain: &[u8]) -> Result<usize, rustls::Error> {
        if self.wants_write() {
            return Ok(0);
        }
        if let Some(failure) = self.failure() {
            return Err(failure.clone());
        }
        let chunk = &plain[..plain.len().min(CHUNK)];
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut self.partial);
        let ConnectionState::WriteTraffic(mut traffic) = state? else {
            return Err(rustls::Error::General("nothing can be sent any more".to_owned()));
        };
        let records = chunk.len().div_ceil(MAX_PAYLOAD);
        let appended = append(&mut self.records, chunk.len() + records * OVERHEAD, |room| {
            traffic.encrypt(chunk, room).map_err(required)
        });
        if !appended {
            return Err(rustls::Error::EncryptError);
        }
        self.payload = chunk.len();
        Ok(chunk.len())
    }

    /// Queues the alert that nothing follows. During the handshake there is nothing to end.
    pub(crate) fn close_notify(&mut self) {
        if self.failure.is_some() {
            return;
        }
        let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut self.partial);
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = state {
            append(&mut self.records, 2 + OVERHEAD, |room| {
                traffic.queue_close_notify(room).map_err(required)
            });
        }
    }

    pub(crate) fn wants_write(&self) -> bool {
        self.sent < self.records.len()
    }

    /// What is to be sent.
    pub(crate) fn records(&self) -> &[u8] {
        &self.records[self.sent..]
    }

    /// So much of it has been sent.
    pub(crate) fn sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.records.len() {
            self.records.clear();
            // The handshake's messages are long, and the last of them.
            self.records.shrink_to(if self.is_handshaking() { 0 } else { KEEP });
            (self.sent, self.payload) = (0, 0);
        }
    }

    /// How many bytes of what was encrypted last are in records that have not been sent to their end.
    pub(crate) fn unsent_payload(&self) -> usize {
        let (mut at, mut sent) = (0, 0);
        while sent < self.payload
            && let Some(&[_, _, _, high, low]) = self.records[at..].first_chunk::<HEADER>()
        {
            at += HEADER + usize::from(u16::from_be_bytes([high, low]));
            if at > self.sent {
                break;
            }
            sent += MAX_PAYLOAD;
        }
        self.payload - sent.min(self.payload)
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partial, records, sent, ended, .. } = self;
        f.debug_struct("TlsStream")
            .field("partial", &partial.len())
            .field("queued", &(records.len() - sent))
            .field("ended", ended)
            .finish_non_exhaustive()
    }
}

fn required(error: EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => Some(required_size),
        EncryptError::EncryptExhausted => None,
    }
}

/// Has `write` append to `buffer`, in more room if it asks for it; says whether it could.
fn append(
    buffer: &mut Vec<u8>,
    guess: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> bool {
    let start = buffer.len();
    buffer.resize(start + guess, 0);
    let mut written = write(&mut buffer[start..]);
    if let Err(Some(size)) = written {
        buffer.resize(start + size, 0);
        written = write(&mut buffer[start..]);
    }
    buffer.truncate(start + written.unwrap_or(0));
    written.is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::version::{TLS12, TLS13};
    use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};
    use rustls_pki_types::PrivateKeyDer;

    use super::*;
    use crate::tls::{TlsConfig, TlsOptions};

    /// A client and a server with the wires in our hands.
    struct Pair {
        client: TlsStream,
        server: ServerConnection,
        arena: Arena,
        /// The client is given so many bytes at once.
        step: usize,
        /// What the server has received.
        received: Vec<u8>,
    }

    impl Pair {
        fn new(version: &'static SupportedProtocolVersion, step: usize) -> Self {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
            let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
                .unwrap();
            let options = TlsOptions { skip_verify: true, ..TlsOptions::default() };
            let client = *TlsConfig::new(&options).unwrap().client("localhost").unwrap();
            let server = ServerConnection::new(Arc::new(config)).unwrap();
            Self { client, server, arena: Arena::new(), step, received: Vec::new() }
        }

        fn open(version: &'static SupportedProtocolVersion, step: usize) -> Self {
            let mut pair = Self::new(version, step);
            while pair.client.is_handshaking() || pair.server.is_handshaking() {
                pair.exchange().unwrap();
            }
            // Session tickets.
            pair.exchange().unwrap();
            pair
        }

        /// All that either side has to say goes to the other.
        fn exchange(&mut self) -> Result<(), rustls::Error> {
            while self.client.wants_write() {
                let mut records = self.client.records();
                let taken = self.server.read_tls(&mut records).unwrap();
                self.client.sent(taken);
                // What the server finds wrong, it says in an alert.
                let _ = self.server.process_new_packets();
                // Blocks at the end of what there is.
                let _ = self.server.reader().read_to_end(&mut self.received);
            }
            while self.server.wants_write() {
                let mut bytes = Vec::new();
                self.server.write_tls(&mut bytes).unwrap();
                for piece in bytes.chunks_mut(self.step) {
                    self.client.receive(piece, &mut self.arena)?;
                }
            }
            Ok(())
        }

        fn buffers(&self) -> (usize, usize) {
            (self.client.partial.capacity(), self.client.records.capacity())
        }
    }

    #[test]
    fn any_pieces_both_ways() {
        for version in [&TLS12, &TLS13] {
            for step in [1, 7, 1000, 100_000] {
                let mut pair = Pair::open(version, step);
                // The client's last words in the handshake are short.
                let (partial, records) = pair.buffers();
                assert!(partial == 0 && records < 200, "an idle connection has no buffers: {records}");
                let long: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
                pair.server.writer().write_all(&long[..50_000]).unwrap();
                pair.exchange().unwrap();
                assert!(pair.arena.since(0) == &long[..50_000]);
                assert_eq!(pair.buffers().0, 0);

                let mut at = 0;
                while at < long.len() {
                    let taken = pair.client.encrypt(&long[at..]).unwrap();
                    assert!((1..=CHUNK).contains(&taken));
                    assert_eq!(pair.client.encrypt(b"not before the rest is sent"), Ok(0));
                    at += taken;
                    pair.exchange().unwrap();
                }
                assert!(pair.received == long);
                assert!(pair.buffers().1 <= KEEP);
            }
        }
    }

    #[test]
    fn ends_on_either_side() {
        let mut pair = Pair::open(&TLS13, 5);
        pair.server.writer().write_all(b"last").unwrap();
        pair.server.send_close_notify();
        pair.exchange().unwrap();
        assert!(pair.client.has_ended());
        assert_eq!(pair.arena.since(0), b"last");
        // The other direction is still open.
        assert_eq!(pair.client.encrypt(b"mine"), Ok(4));
        pair.exchange().unwrap();
        pair.client.close_notify();
        assert!(pair.client.wants_write());
        pair.exchange().unwrap();
        assert_eq!(pair.received, b"mine");
        assert_eq!(pair.server.reader().read(&mut [0]).unwrap(), 0, "the end");
        assert!(pair.client.encrypt(b"more").is_err());
        assert!(!pair.client.wants_write());
    }

    #[test]
    fn what_is_no_tls_is_answered_with_an_alert() {
        for version in [&TLS12, &TLS13] {
            let mut pair = Pair::open(version, 1);
            let error = pair.client.receive(&mut b"HTTP/1.1 400 Bad Request".to_vec(), &mut pair.arena);
            assert!(matches!(error, Err(rustls::Error::InvalidMessage(_))), "{error:?}");
            assert!(pair.client.wants_write(), "the alert");
            assert!(pair.client.encrypt(b"more").is_ok_and(|taken| taken == 0), "nothing before the alert");
            let mut records = pair.client.records();
            pair.server.read_tls(&mut records).unwrap();
            let told = pair.server.process_new_packets().unwrap_err();
            assert!(matches!(told, rustls::Error::AlertReceived(_)), "{told:?}");
            let sent = pair.client.records().len();
            pair.client.sent(sent);
            assert!(pair.client.encrypt(b"more").is_err());
        }
    }
}
