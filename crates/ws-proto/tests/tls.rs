//! `wss://` against a rustls server with certificates made for the test.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use crate::authority;
pub(crate) use crate::authority::{ServerStream, trusting};
use crate::common::{Client, Opening, accept, read_frame, read_head, serve};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use ws_proto::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use ws_proto::rustls::{self, ServerConfig, ServerConnection, StreamOwned};
use ws_proto::{Error, Kind, PeerError, Phase, TlsConfig, TlsOptions};

/// What a server for `name` needs, and the certificate to trust it by.
pub(crate) fn identity(name: &str) -> (ServerConfig, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let certificate = cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (config, certificate)
}

/// A server for `name` and the certificate to trust it by.
pub(crate) fn serve_tls<T: Send + 'static>(
    name: &str,
    peer: impl FnOnce(ServerStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>, CertificateDer<'static>) {
    let (config, certificate) = identity(name);
    let (addr, thread) = serve(move |stream| {
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        peer(StreamOwned::new(connection, stream))
    });
    (addr, thread, certificate)
}

pub(crate) fn opening(addr: SocketAddr, host: &str, options: &TlsOptions) -> Opening {
    authority::opening(addr, host, &TlsConfig::new(options).unwrap())
}

pub(crate) fn upgrade(stream: &mut ServerStream) {
    let head = read_head(stream);
    stream.write_all(accept(&head).as_bytes()).unwrap();
}

#[test]
fn messages_both_ways_with_sni_and_alpn() {
    let (addr, server, root) = serve_tls("localhost", |mut stream| {
        upgrade(&mut stream);
        let sni = stream.conn.server_name().map(str::to_owned);
        let alpn = stream.conn.alpn_protocol().map(<[u8]>::to_vec);
        let (_, small) = read_frame(&mut stream);
        let (_, large) = read_frame(&mut stream);
        stream.write_all(b"\x81\x05hello\x89\x01p").unwrap();
        let mut frame = vec![0x82, 127];
        frame.extend((large.len() as u64).to_be_bytes());
        frame.extend(&large);
        stream.write_all(&frame).unwrap();
        let pong = read_frame(&mut stream);
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        (sni, alpn, small, large.len(), pong)
    });
    let (mut client, _) = opening(addr, "localhost", &trusting(root)).run().unwrap();
    let large: Vec<u8> = (0..1_000_000).map(|i| (i % 251) as u8).collect();
    client.connection.send(Kind::Text, b"hi").unwrap();
    client.connection.send(Kind::Binary, &large).unwrap();
    client.flush();
    let seen = client.receive(4);
    assert_eq!(seen[..2], ["text hello", "ping p"]);
    assert!(seen[2] == format!("binary {}", large.escape_ascii()), "the large message differs");
    assert_eq!(seen[3], "ended eof");
    let (sni, alpn, small, len, pong) = server.join().unwrap();
    assert_eq!(sni.as_deref(), Some("localhost"));
    assert_eq!(alpn.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!((small, len), (b"hi".to_vec(), large.len()));
    assert_eq!(pong, (0x8A, b"p".to_vec()));
    // Records, handshake and certificate count, so more than the payload has gone each way.
    assert!(client.connection.bytes_read() > 1_000_500, "{}", client.connection.bytes_read());
    assert!(client.connection.bytes_written() > 1_000_500, "{}", client.connection.bytes_written());
}

#[test]
fn many_small_messages_in_one_record() {
    let (addr, server, root) = serve_tls("localhost", |mut stream| {
        upgrade(&mut stream);
        stream.write_all(&b"\x81\x01x".repeat(20_000)).unwrap();
    });
    let (mut client, _) = opening(addr, "localhost", &trusting(root)).run().unwrap();
    // The server drops the connection without a closing alert.
    let seen = client.receive(20_001);
    assert!(seen[..20_000].iter().all(|text| text == "text x"));
    assert_eq!(seen[20_000], "ended eof");
    server.join().unwrap();
}

#[test]
fn any_certificate_will_do_if_verification_is_skipped() {
    let (addr, server, _) = serve_tls("other.test", |mut stream| {
        upgrade(&mut stream);
        stream.write_all(b"\x81\x02ok").unwrap();
    });
    let options = TlsOptions { skip_verify: true, ..TlsOptions::default() };
    // An address has no SNI; with a name check this would fail twice over.
    let (mut client, _) = opening(addr, "127.0.0.1", &options).run().unwrap();
    assert_eq!(client.receive(2), ["text ok", "ended eof"]);
    server.join().unwrap();
}

#[test]
fn a_server_without_tls() {
    let (addr, server) = serve(|mut stream| {
        let _ = stream.read(&mut [0; 1000]);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let failure = opening(addr, "localhost", &TlsOptions::default()).run().map(|_| ()).unwrap_err();
    assert!(
        matches!(failure.error, Error::Tls { source: rustls::Error::InvalidMessage(_), .. }),
        "{:?}",
        failure.error
    );
    server.join().unwrap();
}

#[test]
fn a_server_that_closes_during_the_handshake() {
    let (addr, server) = serve(|mut stream| {
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).unwrap();
        let rest = u16::from_be_bytes([hello[3], hello[4]]);
        stream.read_exact(&mut vec![0; rest.into()]).unwrap();
    });
    let failure = opening(addr, "localhost", &TlsOptions::default()).run().map(|_| ()).unwrap_err();
    assert!(
        matches!(failure.error, Error::Peer(PeerError::ClosedEarly { phase: Phase::Tls, received: 0 })),
        "{:?}",
        failure.error
    );
    server.join().unwrap();
}

#[test]
fn the_closing_alert_is_sent() {
    let (addr, server, root) = serve_tls("localhost", |mut stream| {
        upgrade(&mut stream);
        let mut rest = Vec::new();
        // Without the alert this is an "unexpected EOF".
        stream.read_to_end(&mut rest).unwrap();
        rest.len()
    });
    let mut client: Client = opening(addr, "localhost", &trusting(root)).run().unwrap().0;
    client.connection.close(Some((1000, ""))).unwrap();
    client.connection.shutdown();
    assert_eq!(server.join().unwrap(), 8);
}
