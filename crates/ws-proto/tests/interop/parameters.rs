//! The parameters of permessage-deflate, with a server that can be told all of them: Python's `websockets`.

use std::net::Ipv4Addr;

use ws_peers::Peer;
use ws_proto::{DeflateOffer, Flushed, Incoming, Kind, WindowBits};

use crate::common::{Client, Opening};

/// Sends a message that comes back whole and in fragments.
fn exchange(client: &mut Client, message: &[u8]) {
    client.connection.send(Kind::Binary, message).unwrap();
    let mut seen = 0;
    while seen < 2 {
        if client.connection.wants_write() {
            let _: Flushed = client.connection.flush().unwrap();
        }
        client.turn(|incoming, arena| match incoming {
            Incoming::Binary(payload) => {
                assert!(payload.bytes(arena) == message, "{} bytes for {}", payload.len(), message.len());
                seen += 1;
            }
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn parameters_of_compression() {
    let (with, without) = (DeflateOffer::with_takeover(), DeflateOffer::without_takeover());
    let small = DeflateOffer {
        server_max_window_bits: WindowBits::new(9),
        client_max_window_bits: WindowBits::new(10),
        level: 6,
        ..with
    };
    // What the server is told, what we offer, what comes of it: who stands alone, and the windows.
    let table = [
        ("null", with, None),
        ("{}", with, Some((false, false, 15, 15))),
        ("{}", without, Some((true, true, 15, 15))),
        ("{}", small, Some((false, false, 9, 10))),
        (r#"{"server_no_context_takeover": true}"#, with, Some((true, false, 15, 15))),
        (
            r#"{"client_no_context_takeover": true, "client_max_window_bits": 9}"#,
            with,
            Some((false, true, 15, 9)),
        ),
        (r#"{"server_max_window_bits": 10, "client_max_window_bits": 8}"#, with, Some((false, false, 10, 8))),
    ];
    for (parameters, offer, expected) in table {
        let start = Peer::Websockets.start_on(Ipv4Addr::LOCALHOST.into(), &[parameters]);
        let Some(server) = start else { return };
        let mut opening = Opening::at(server.plain, "/twice/", None);
        opening.request.deflate(Some(offer));
        let mut client = opening.run().unwrap().0;
        let agreed = client.connection.deflate().map(|agreed| {
            (
                agreed.server_no_context_takeover,
                agreed.client_no_context_takeover,
                agreed.server_max_window_bits.get(),
                agreed.client_max_window_bits.get(),
            )
        });
        assert_eq!(agreed, expected, "{offer} for {parameters}");
        let text: Vec<u8> = (0..300_000_u32)
            .map(|i| b"the same words in many orders "[((i % 30_011) * (i % 30_011) / 7 % 30) as usize])
            .collect();
        for len in [0, 1, 20, 0, 0, 20, 1000, 40_000, 300_000, 5] {
            exchange(&mut client, &text[..len]);
            exchange(&mut client, &text[text.len() - len..]);
        }
        client.connection.close(Some((1000, ""))).unwrap();
        client.flush();
        assert_eq!(client.receive(1)[0], "close 1000 ");
    }
}
