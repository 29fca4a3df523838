//! Every server, with and without TLS, with and without compression, over IPv4 and IPv6: what a client needs most.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use ws_peers::{Peer, Server};
use ws_proto::rustls_pki_types::CertificateDer;
use ws_proto::rustls_pki_types::pem::PemObject as _;
use ws_proto::{
    CookieJar, DeflateOffer, Incoming, Kind, Limits, TlsConfig, TlsOptions, UpgradeRequest, UpgradeResponse,
};

use crate::common::{Client, Opening};

/// As many connections as are held at the same time.
const MANY: usize = 100;

/// One way to reach a server.
struct Cell<'a> {
    peer: Peer,
    server: &'a mut Server,
    tls: Option<TlsConfig>,
    offer: Option<DeflateOffer>,
}

impl Cell<'_> {
    fn addr(&self) -> SocketAddr {
        if self.tls.is_some() { self.server.secure } else { self.server.plain }
    }

    /// Opens a connection; a check of the whole cell is that compression is what was offered.
    fn open(&self, path: &str, prepare: impl FnOnce(&mut UpgradeRequest)) -> (Client, UpgradeResponse) {
        let mut opening = Opening::at(self.addr(), path, self.tls.clone());
        opening.limits = Limits { strict_utf8: true, strict_close: true, ..Limits::default() };
        opening.request.deflate(self.offer);
        prepare(&mut opening.request);
        let (client, response) = opening.run().unwrap();
        assert_eq!(client.connection.deflate().is_some(), self.offer.is_some(), "{:?}", response.headers);
        (client, response)
    }

    /// Closes the connection, and sees that the server understood.
    fn close(&mut self, client: Client, path: &str) {
        self.close_with(client, path, 1000, "done");
    }

    fn close_with(&mut self, mut client: Client, path: &str, code: u16, reason: &str) {
        client.connection.close(Some((code, reason))).unwrap();
        client.flush();
        // Not every server answers with the code that it was given.
        let end = client.receive(2);
        assert!(end[0].starts_with("close 1") || end[0].starts_with(&format!("close {code}")), "{end:?}");
        assert_eq!(end[1], "ended eof");
        drop(client);
        assert_eq!(self.server.closed(path), format!("{code} {reason}").trim_end());
    }

    fn messages(&mut self) {
        let (path, copies) = if self.peer.fragments() { ("/twice/1", 2) } else { ("/echo/1", 1) };
        let (mut client, _) = self.open(path, |_| {});
        let unicode = "grün, 漢字, 𝄞, \u{FFFD}, e\u{301}\0".repeat(300);
        let megabyte =
            (0..1_u32 << 18).flat_map(|i| (i.wrapping_mul(i) / 7).to_le_bytes()).collect::<Vec<_>>();
        let letters = "0123456789abcdef".repeat(1 << 16);
        let all: [(Kind, &[u8]); 8] = [
            (Kind::Text, b"hello"),
            (Kind::Text, b""),
            (Kind::Binary, b""),
            (Kind::Binary, &[0, 255, 128, 10, 0]),
            (Kind::Text, unicode.as_bytes()),
            (Kind::Binary, &megabyte),
            (Kind::Text, letters.as_bytes()),
            (Kind::Text, b"after it"),
        ];
        for (kind, message) in all {
            client.connection.send(kind, message).unwrap();
            expect(&mut client, kind, message, copies);
        }
        self.close(client, path);
    }

    fn pings(&mut self) {
        let (mut client, _) = self.open("/ping/1", |_| {});
        client.connection.ping(b"from here").unwrap();
        client.flush();
        assert_eq!(client.receive(1), ["pong from here"]);
        client.connection.send(Kind::Text, b"from there").unwrap();
        client.flush();
        assert_eq!(client.receive(2), ["ping from there", "text pong from there"]);
        self.close(client, "/ping/1");
    }

    fn closes(&mut self) {
        for (number, code, reason) in [(1, 1000, ""), (2, 1001, "leaving"), (3, 3000, "grün"), (4, 4999, "")]
        {
            let path = format!("/echo/close/{number}");
            let (client, _) = self.open(&path, |_| {});
            self.close_with(client, &path, code, reason);

            let path = format!("/close/{number}");
            let (mut client, _) = self.open(&path, |_| {});
            client.connection.send(Kind::Text, format!("{code} {reason}").as_bytes()).unwrap();
            client.flush();
            let closed = format!("close {code} {}", reason);
            assert_eq!(client.receive(2), [closed.as_str(), "ended eof"]);
            drop(client);
            assert!(self.server.closed(&path).starts_with(&code.to_string()));
        }
    }

    fn upgrades(&mut self) {
        let (client, response) = self.open("/echo/2", |request| {
            request.header("Sec-WebSocket-Protocol", "chat.v1, unknown").unwrap();
        });
        assert_eq!(response.headers.get("Sec-WebSocket-Protocol"), Some("chat.v1"));
        self.close(client, "/echo/2");

        let jar = CookieJar::new();
        for (path, expected) in [("/cookie/1", "text -"), ("/cookie/2", "text visit=7")] {
            let opening = Opening::at(self.addr(), path, self.tls.clone());
            let (mut client, response) = self.open(path, |request| {
                if let Some(cookies) = jar.header_for(&opening.url) {
                    request.cookie(cookies);
                }
            });
            jar.store(&opening.url, response.headers.get("Set-Cookie"));
            assert_eq!(client.receive(1), [expected]);
            self.close(client, path);
        }
    }

    fn many(&mut self) {
        let mut clients =
            (0..MANY).map(|i| self.open(&format!("/echo/many/{i}"), |_| {}).0).collect::<Vec<_>>();
        for round in 0..3 {
            let message = |i: usize| format!("round {round} of {i}");
            for (i, client) in clients.iter_mut().enumerate() {
                client.connection.send(Kind::Text, message(i).as_bytes()).unwrap();
                client.flush();
            }
            for (i, client) in clients.iter_mut().enumerate() {
                expect(client, Kind::Text, message(i).as_bytes(), 1);
            }
        }
        for (i, client) in clients.into_iter().enumerate() {
            self.close(client, &format!("/echo/many/{i}"));
        }
    }
}

/// Waits for the message, so many times.
fn expect(client: &mut Client, kind: Kind, message: &[u8], copies: usize) {
    let mut seen = 0;
    while seen < copies {
        if client.connection.wants_write() {
            client.flush();
        }
        client.turn(|incoming, arena| {
            let (of, payload) = match &incoming {
                Incoming::Text(payload) => (Kind::Text, payload.bytes(arena)),
                Incoming::Binary(payload) => (Kind::Binary, payload.bytes(arena)),
                other => panic!("{other:?}"),
            };
            assert!(
                of == kind && payload == message,
                "{of:?} of {}, not {kind:?} of {}",
                payload.len(),
                message.len()
            );
            seen += 1;
        });
    }
}

fn all(peer: Peer, host: IpAddr) {
    let Some(mut server) = peer.start_on(host, &[]) else { return };
    let root = CertificateDer::from_pem_slice(server.certificate.as_bytes()).unwrap();
    let tls = TlsConfig::new(&TlsOptions { extra_roots: vec![root], ..TlsOptions::default() }).unwrap();
    for tls in [None, Some(tls)] {
        for offer in [None, Some(DeflateOffer::with_takeover()), Some(DeflateOffer::without_takeover())] {
            let mut cell = Cell { peer, server: &mut server, tls: tls.clone(), offer };
            cell.messages();
            cell.pings();
            cell.closes();
            cell.upgrades();
            cell.many();
        }
    }
}

#[test]
fn python_websockets() {
    all(Peer::Websockets, Ipv4Addr::LOCALHOST.into());
}

#[test]
fn python_aiohttp() {
    all(Peer::Aiohttp, Ipv4Addr::LOCALHOST.into());
}

#[test]
fn node_ws() {
    all(Peer::Ws, Ipv4Addr::LOCALHOST.into());
}

#[test]
fn nginx() {
    all(Peer::Nginx, Ipv4Addr::LOCALHOST.into());
}

#[test]
fn node_ws_over_ipv6() {
    let host = Ipv6Addr::LOCALHOST.into();
    if TcpListener::bind((host, 0)).is_ok() {
        all(Peer::Ws, host);
    } else {
        ws_peers::skip("node_ws_over_ipv6", "this machine has no ::1");
    }
}
