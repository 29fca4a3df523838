//! Sockets that their owner is through with: nothing of what was queued is lost, and nothing lasts for ever.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::common::{LONG, Peer, listener, new_loop, next, quiet};
use ws_loop::{Event, EventLoop, Leave, LeaveFailure, Left, SocketKey};
use ws_proto::Kind;

/// More than any system takes from a socket whose peer does not read.
const MESSAGES: u32 = 400;
const LEN: usize = 60_000;

fn overfill(l: &mut EventLoop<u32>, key: SocketKey) {
    let socket = l.socket(key).unwrap();
    for _ in 0..MESSAGES {
        socket.send(Kind::Binary, &[7; LEN]).unwrap();
    }
    socket.close(Some((1000, ""))).unwrap();
}

fn open(listener: &TcpListener) -> (EventLoop<u32>, SocketKey, Peer) {
    let mut l = new_loop();
    let (key, peer) = Peer::open(&mut l, listener, 7);
    (l, key, peer)
}

fn left(l: &mut EventLoop<u32>, key: SocketKey) -> Left {
    match next(l) {
        Event::Left { key: of, user: 7, left } if of == key => *left,
        other => panic!("not left: {other:?}"),
    }
}

/// Turns until no socket is on its way out.
fn gone(l: &mut EventLoop<u32>) {
    let end = Instant::now() + LONG;
    while l.leaving() > 0 {
        assert!(Instant::now() < end, "it never ends");
        l.turn(Some(Duration::from_millis(10))).unwrap();
        assert!(l.next_event().is_none());
    }
}

#[test]
fn all_that_was_queued_arrives_however_late_the_peer_reads() {
    let listener = listener();
    let (mut l, key, peer) = open(&listener);
    overfill(&mut l, key);
    assert!(matches!(l.leave(key, Instant::now() + LONG), Some(Leave::Later)));
    assert!(l.socket(key).is_none() && l.traffic(key).is_none());
    assert_eq!((l.sockets(), l.leaving()), (0, 1));
    quiet(&mut l);
    let reader = std::thread::spawn(move || peer.rest());
    let left = left(&mut l, key);
    assert_eq!((left.sent.messages, left.sent.closes, left.unsent.messages), (MESSAGES, 1, 0));
    assert!(left.failure.is_none() && left.traffic.written > u64::from(MESSAGES) * LEN as u64);
    gone(&mut l);
    // Two bytes and eight for the length, four of the mask; the close frame has eight.
    let header = 2 + 2 + 4;
    assert_eq!(reader.join().unwrap().len(), MESSAGES as usize * (LEN + header) + 8);
}

/// A peer that sends without reading, until it has sent everything, then reads, and closes in the end.
#[test]
fn what_the_peer_sends_meanwhile_does_not_reset_the_connection() {
    let listener = listener();
    let (mut l, key, mut peer) = open(&listener);
    overfill(&mut l, key);
    let talker = std::thread::spawn(move || {
        peer.stream.write_all(&vec![0; 50 << 20]).unwrap();
        let mut total = 0;
        let mut part = vec![0; 1 << 20];
        loop {
            let len = peer.stream.read(&mut part).expect("no reset");
            if len == 0 {
                return total;
            }
            total += len;
            peer.stream.write_all(&part[..len / 2]).expect("no reset");
        }
    });
    assert!(matches!(l.leave(key, Instant::now() + LONG), Some(Leave::Later)));
    assert_eq!(left(&mut l, key).sent.messages, MESSAGES);
    gone(&mut l);
    assert!(talker.join().unwrap() > MESSAGES as usize * LEN);
}

#[test]
fn a_peer_that_never_reads_has_a_time_limit() {
    let listener = listener();
    let (mut l, key, peer) = open(&listener);
    overfill(&mut l, key);
    assert!(matches!(l.leave(key, Instant::now() + Duration::from_millis(100)), Some(Leave::Later)));
    let left = left(&mut l, key);
    assert!(matches!(left.failure, Some(LeaveFailure::Timeout)));
    assert_eq!(left.sent.messages + left.unsent.messages, MESSAGES);
    assert!(left.sent.messages > 0 && left.unsent.messages > 0 && left.unsent.closes == 1);
    assert_eq!(l.leaving(), 0);
    // Those that count as sent are those that the peer can still read.
    let arrived = peer.rest().len() / (LEN + 8);
    assert_eq!(left.sent.messages as usize, arrived);
}

#[test]
fn a_peer_that_never_closes_has_a_time_limit_too() {
    let listener = listener();
    let (mut l, key, mut peer) = open(&listener);
    l.socket(key).unwrap().close(Some((1000, ""))).unwrap();
    let Some(Leave::Done(left)) = l.leave(key, Instant::now() + Duration::from_millis(200)) else {
        panic!("not written at once")
    };
    assert_eq!((left.sent.closes, l.leaving()), (1, 1));
    assert!(l.leave(key, Instant::now()).is_none() && l.finish(key).is_none(), "the key is gone");
    // This direction is closed already.
    assert_eq!(peer.stream.read_to_end(&mut Vec::new()).unwrap(), 8);
    gone(&mut l);
}

#[test]
fn a_broken_connection_says_what_is_lost() {
    let listener = listener();
    let (mut l, key, peer) = open(&listener);
    overfill(&mut l, key);
    assert!(matches!(l.leave(key, Instant::now() + LONG), Some(Leave::Later)));
    // Something unread is there: the system answers with a reset.
    drop(peer);
    let left = left(&mut l, key);
    assert!(matches!(left.failure, Some(LeaveFailure::Broken(_))), "{left:?}");
    assert_eq!(left.sent.messages + left.unsent.messages, MESSAGES);
    assert_eq!(l.leaving(), 0);
}

#[test]
fn after_the_peers_close_frame_nothing_is_waited_for() {
    let listener = listener();
    let (mut l, key, mut peer) = open(&listener);
    peer.stream.write_all(b"\x88\x02\x03\xe8").unwrap();
    assert!(matches!(next(&mut l), Event::Incoming { .. }));
    let Some(Leave::Done(left)) = l.leave(key, Instant::now() + LONG) else { panic!("not at once") };
    assert_eq!((left.sent.closes, l.leaving()), (1, 0));
    assert_eq!(peer.rest().len(), 8);
}

#[test]
fn sent_frames_are_told_once() {
    let listener = listener();
    let (mut l, key, _peer) = open(&listener);
    l.socket(key).unwrap().send(Kind::Text, b"a").unwrap();
    assert!(l.next_sent().is_none(), "only queued");
    l.flush();
    let (user, sent) = l.next_sent().unwrap();
    assert_eq!((user, sent.messages), (7, 1));
    assert!(l.next_sent().is_none());
    l.socket(key).unwrap().send(Kind::Text, b"b").unwrap();
    l.flush();
    assert_eq!(l.finish(key).unwrap().sent.messages, 1, "what was not asked for comes at the end");
    assert!(l.next_sent().is_none());
}
