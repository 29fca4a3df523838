//! What counts as sent: what the system has taken, whole frames only, whenever it stops taking more.

use std::io::Read;

use crate::common::{Client, read_frame, serve_open};
use crate::tls::{opening, serve_tls, trusting, upgrade};
use ws_proto::{Flushed, Kind, Sent};

/// Messages of all lengths that headers are written for, so many that no socket takes all of them at once.
const LENGTHS: [usize; 5] = [1, 125, 5_000, 70_000, 300_000];
const ROUNDS: u32 = 60;

/// Queues more than a peer that does not read takes, some of it while the socket is full already, and goes away.
fn overfill(mut client: Client) -> (Sent, Sent) {
    let mut sent = Sent::default();
    for round in 0..ROUNDS {
        for len in LENGTHS {
            client.connection.send(Kind::Text, &vec![b'x'; len]).unwrap();
        }
        client.connection.ping(b"p").unwrap();
        if round % 7 == 0 {
            let _ = client.connection.flush().unwrap();
            sent += client.connection.take_sent();
        }
    }
    assert_eq!(client.connection.flush().unwrap(), Flushed::Blocked);
    sent += client.connection.take_sent();
    assert!(!client.connection.has_sent());
    (sent, client.connection.unsent())
}

/// The frames that come in whole until the end.
fn count(mut stream: impl Read) -> (u32, u32) {
    let (mut messages, mut pings) = (0, 0);
    while let Ok(frame) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read_frame(&mut stream))) {
        match frame.0 {
            0x81 => messages += 1,
            0x89 => pings += 1,
            other => panic!("frame {other:x}"),
        }
    }
    (messages, pings)
}

fn check((sent, unsent): (Sent, Sent), (messages, pings): (u32, u32)) {
    assert_eq!((sent.messages, sent.pings), (messages, pings), "as the peer counts them");
    assert_eq!(sent.messages + unsent.messages, ROUNDS * LENGTHS.len() as u32);
    assert_eq!(sent.pings + unsent.pings, ROUNDS);
    assert!(unsent.messages > 0);
}

#[test]
fn is_what_a_peer_gets_that_reads_late() {
    let (gone, away) = std::sync::mpsc::channel::<()>();
    let (addr, server) = serve_open(move |stream| {
        let _ = away.recv();
        count(stream)
    });
    let counts = overfill(Client::open(addr));
    drop(gone);
    check(counts, server.join().unwrap());
}

#[test]
fn is_what_a_peer_gets_over_tls() {
    let (gone, away) = std::sync::mpsc::channel::<()>();
    let (addr, server, root) = serve_tls("localhost", move |mut stream| {
        upgrade(&mut stream);
        let _ = away.recv();
        count(stream)
    });
    let (client, _) = opening(addr, "localhost", &trusting(root)).run().unwrap();
    let counts = overfill(client);
    drop(gone);
    check(counts, server.join().unwrap());
}

#[test]
fn is_all_when_all_is_flushed() {
    let (addr, server) = serve_open(|mut stream| [(); 3].map(|()| read_frame(&mut stream)));
    let mut client = Client::open(addr);
    client.connection.send(Kind::Text, b"a").unwrap();
    client.connection.ping(b"p").unwrap();
    client.connection.close(Some((1000, ""))).unwrap();
    assert!(!client.connection.has_sent(), "it is only queued");
    client.flush();
    assert_eq!(client.connection.take_sent(), Sent { messages: 1, pings: 1, closes: 1 });
    assert_eq!(
        (client.connection.take_sent(), client.connection.unsent()),
        (Sent::default(), Sent::default())
    );
    server.join().unwrap();
}

#[test]
fn is_nothing_that_a_failed_write_has_lost() {
    let (addr, server) = serve_open(drop);
    let mut client = Client::open(addr);
    server.join().unwrap();
    assert_eq!(client.receive(1), ["ended eof"]);
    // The first write makes the peer's system answer that nobody is there.
    client.connection.send(Kind::Text, b"a").unwrap();
    let _ = client.connection.flush();
    assert_eq!(client.connection.take_sent().messages, 1, "the system has taken it");
    let end = std::time::Instant::now() + crate::common::PATIENCE;
    let mut lost = 0;
    while lost == 0 {
        assert!(std::time::Instant::now() < end, "a write never fails");
        client.connection.send(Kind::Text, b"b").unwrap();
        if client.connection.flush().is_err() {
            lost = client.connection.unsent().messages;
        }
    }
    let _ = client.connection.take_sent();
    client.connection.shutdown();
    assert_eq!((client.connection.take_sent(), client.connection.unsent().messages), (Sent::default(), lost));
}
