//! Times of arrival, read long after.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use crate::common::{Client, Opening, PATIENCE, accept, describe, read_frame, read_head, serve, serve_open};
use crate::tls::{opening, serve_tls, trusting, upgrade};
use ws_proto::{Ended, Incoming, Kind};

/// How long what has arrived is left alone.
const LATE: Duration = Duration::from_millis(400);

/// Writes, and says when: before the system call and after it.
fn write(stream: &mut impl Write, bytes: &[u8]) -> (SystemTime, SystemTime) {
    let before = SystemTime::now();
    stream.write_all(bytes).unwrap();
    stream.flush().unwrap();
    (before, SystemTime::now())
}

/// Opens a connection that stamps.
fn open_stamped(opening: &Opening) -> Client {
    opening.run_with(|opening| opening.stamp_arrivals = true).unwrap().0
}

/// Waits until the system stamps what arrives.
fn stamping() {
    ws_proto::start_stamping();
    let end = Instant::now() + PATIENCE;
    loop {
        let (addr, server) = serve_open(|mut stream| write(&mut stream, b"\x81\x00"));
        let stamped = read_one(&mut open_stamped(&Opening::to(addr))).1.is_some();
        server.join().unwrap();
        if stamped || !cfg!(target_os = "linux") {
            return;
        }
        assert!(Instant::now() < end, "no stamps");
    }
}

/// Reads until there is a message, and gives it with its time.
fn read_one(client: &mut Client) -> (String, Option<SystemTime>) {
    let mut seen = Vec::new();
    while seen.is_empty() {
        client.arena.reset();
        let mut batch = Vec::new();
        let _ = client.connection.read(&mut client.arena, false, &mut |incoming| batch.push(incoming));
        seen.extend(batch.iter().map(|incoming| describe(incoming, &client.arena)));
    }
    assert!(seen[1..].iter().all(|more| more == "ended eof"), "{seen:?}");
    (seen.remove(0), client.connection.arrival())
}

/// The time is that of the write and not of the read, which is [`LATE`].
fn assert_is_of((before, after): (SystemTime, SystemTime), arrival: Option<SystemTime>) {
    if !cfg!(target_os = "linux") {
        assert_eq!(arrival, None, "where no kernel tells");
        return;
    }
    let arrival = arrival.expect("a stamp");
    assert!(arrival >= before, "arrived {:?} before it was sent", before.duration_since(arrival));
    let (since_write, until_read) =
        (arrival.duration_since(after).unwrap_or_default(), SystemTime::now().duration_since(arrival));
    assert!(since_write < until_read.unwrap(), "{since_write:?} after the write");
}

#[test]
fn a_late_read_tells_when_the_message_arrived() {
    stamping();
    let (addr, server) = serve_open(|mut stream| write(&mut stream, b"\x81\x05hello"));
    let mut client = open_stamped(&Opening::to(addr));
    let written = server.join().unwrap();
    std::thread::sleep(LATE);
    let (seen, arrival) = read_one(&mut client);
    assert_eq!(seen, "text hello");
    assert_is_of(written, arrival);
    assert!(client.connection.stamps_arrivals());
}

#[test]
fn over_tls_it_is_the_time_of_the_record() {
    stamping();
    let (addr, server, root) = serve_tls("localhost", |mut stream| {
        upgrade(&mut stream);
        // The client has read everything up to here.
        read_frame(&mut stream);
        write(&mut stream, b"\x81\x05hello")
    });
    let mut client = open_stamped(&opening(addr, "localhost", &trusting(root)));
    client.connection.send(Kind::Text, b"go").unwrap();
    client.flush();
    let written = server.join().unwrap();
    std::thread::sleep(LATE);
    let (seen, arrival) = read_one(&mut client);
    assert_eq!(seen, "text hello");
    assert_is_of(written, arrival);
}

#[test]
fn a_message_in_the_same_segment_as_the_response_has_a_time() {
    stamping();
    let (addr, server) = serve(|mut stream| {
        let response = accept(&read_head(&mut stream));
        write(&mut stream, &[response.as_bytes(), b"\x81\x05early"].concat())
    });
    let mut client = open_stamped(&Opening::to(addr));
    let written = server.join().unwrap();
    std::thread::sleep(LATE);
    let (seen, arrival) = read_one(&mut client);
    assert_eq!(seen, "text early");
    assert_is_of(written, arrival);
}

#[test]
fn each_read_has_a_time_of_its_own() {
    stamping();
    let (addr, server) = serve_open(|mut stream| {
        let first = write(&mut stream, b"\x81\x01a");
        read_frame(&mut stream);
        std::thread::sleep(LATE);
        (first, write(&mut stream, b"\x81\x01b"))
    });
    let mut client = open_stamped(&Opening::to(addr));
    let (a, first) = read_one(&mut client);
    client.connection.send(Kind::Text, b"go").unwrap();
    client.flush();
    let (b, second) = read_one(&mut client);
    assert_eq!([a, b], ["text a", "text b"]);
    let written = server.join().unwrap();
    std::thread::sleep(LATE);
    assert_is_of(written.0, first);
    assert_is_of(written.1, second);
    // Once there is nothing more, the last time stands.
    let mut end = Vec::new();
    let _ = client.connection.read(&mut client.arena, true, &mut |incoming| end.push(incoming));
    assert!(matches!(end[..], [Incoming::Ended(Ended::Eof)]), "{end:?}");
    assert_eq!(client.connection.arrival(), second);
}

#[test]
fn who_does_not_ask_is_not_told() {
    let (addr, server) = serve_open(|mut stream| write(&mut stream, b"\x81\x05hello"));
    let mut client = Client::open(addr);
    assert_eq!(read_one(&mut client), ("text hello".to_owned(), None));
    assert!(!client.connection.stamps_arrivals());
    server.join().unwrap();
}
