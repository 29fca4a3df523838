//! When messages arrived, and when marked ones were offered, on the loop's clock.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::{LONG, Peer, dial, fill, listener, new_loop, next, text};
use ws_loop::{Dial, Event};
use ws_proto::Kind;

/// How long what has arrived is left alone.
const LATE: Duration = Duration::from_millis(400);

fn asking(listener: &TcpListener) -> Dial {
    Dial { arrivals: true, ..dial(listener.local_addr().unwrap()) }
}

/// Waits until the system stamps what arrives.
fn stamping() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let (mut l, listener) = (new_loop(), listener());
    let end = Instant::now() + LONG;
    let (key, mut peer) = Peer::open_dial(&mut l, &listener, asking(&listener), 1, b"");
    while l.connection(key).is_some_and(|connection| connection.arrival().is_none()) {
        assert!(Instant::now() < end, "no stamps");
        peer.send(&["a"]);
        next(&mut l);
    }
}

#[test]
fn a_message_read_late_has_arrived_when_it_was_sent() {
    stamping();
    let (mut l, listener) = (new_loop(), listener());
    let (_, mut peer) = Peer::open_dial(&mut l, &listener, asking(&listener), 1, b"");
    let (_, mut plain) = Peer::open(&mut l, &listener, 2);
    let before = Instant::now();
    peer.send(&["a", "b"]);
    plain.send(&["c"]);
    let after = Instant::now();
    std::thread::sleep(LATE);
    fill(&mut l, 3);
    let read = Instant::now();
    let mut arrivals = Vec::new();
    for _ in 0..3 {
        let event = next(&mut l);
        let arrival = l.arrival();
        let (user, text) = text(&l, event);
        assert_eq!(arrival.is_some(), user == 1, "{text}");
        arrivals.extend(arrival);
    }
    assert_eq!(arrivals[0], arrivals[1], "one write, one segment, one read");
    // The two clocks are brought together to a few microseconds, if no thread is put aside at the wrong moment.
    let jitter = Duration::from_millis(50);
    assert!(arrivals[0].at + jitter >= before, "{:?} too early", before - arrivals[0].at);
    if cfg!(target_os = "linux") {
        let (since_write, until_read) =
            (arrivals[0].at.saturating_duration_since(after), read - arrivals[0].at);
        assert!(since_write < until_read, "{since_write:?} after the write, {until_read:?} before the read");
    }
    l.handle().post(5);
    assert!(matches!(next(&mut l), Event::Posted(5)));
    assert_eq!(l.arrival(), None, "of the last event, and of no other");
}

#[test]
fn messages_of_a_finished_socket_take_their_times_with_them() {
    let (mut l, listener) = (new_loop(), listener());
    let open = |l: &mut _, user| Peer::open_dial(l, &listener, asking(&listener), user, b"");
    let (a, mut peer_a) = open(&mut l, 1);
    let (_, mut peer_b) = open(&mut l, 2);
    peer_a.send(&["1", "2"]);
    fill(&mut l, 2);
    std::thread::sleep(LATE);
    peer_b.send(&["3"]);
    fill(&mut l, 3);
    let first = l.next_event().and_then(|_| l.arrival()).expect("a time");
    assert!(l.finish(a).is_some());
    let event = next(&mut l);
    assert_eq!(text(&l, event).1, "3");
    let second = l.arrival().expect("a time");
    // Far enough apart to tell them from each other.
    assert!(second.at - first.at > LATE / 2, "{:?}", second.at - first.at);
}

#[test]
fn a_mark_has_the_time_of_the_flush() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, _peer) = Peer::open(&mut l, &listener, 1);
    let socket = l.socket(key).unwrap();
    socket.send(Kind::Text, b"hello").unwrap();
    let mark = socket.mark();
    assert_eq!(l.connection(key).unwrap().offered_at(mark), None);
    let before = Instant::now();
    l.flush();
    let offered = l.connection(key).unwrap().offered_at(mark).expect("flushed");
    assert!(before <= offered && offered <= Instant::now());
}

#[test]
fn a_socket_that_takes_nothing_has_been_offered_it_all_the_same() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, _peer) = Peer::open(&mut l, &listener, 1);
    let socket = l.socket(key).unwrap();
    // More than the system's buffers hold, for a peer that reads nothing.
    let much = vec![0; 32 << 20];
    socket.send(Kind::Binary, &much).unwrap();
    l.flush();
    let socket = l.socket(key).unwrap();
    assert!(socket.wants_write(), "the socket took all of it");
    socket.send(Kind::Text, b"behind it").unwrap();
    let mark = socket.mark();
    l.flush();
    assert!(l.connection(key).unwrap().offered_at(mark).is_some());
}
