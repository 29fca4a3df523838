//! Sockets of one loop against peers whose every byte is given: identity, readiness, back-pressure, ends.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::common::{LONG, Peer, fill, listener, new_loop, next, quiet, text};
use ws_loop::{Event, SocketKey};
use ws_proto::{Ended, Incoming, Kind};

#[test]
fn messages_come_in_order_with_the_owners_number() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, mut peer) = Peer::open(&mut l, &listener, 7);
    peer.send(&["a", "b"]);
    let first = next(&mut l);
    assert_eq!(text(&l, first), (7, "a".into()));
    l.set_user(key, 8);
    let second = next(&mut l);
    assert_eq!(text(&l, second), (8, "b".into()), "a new number holds for waiting events, too");
}

#[test]
fn readiness_without_data_is_no_event() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, _peer) = Peer::open(&mut l, &listener, 1);
    // Resumed though nothing came; woken though nothing was posted that concerns it.
    l.pause(key);
    l.resume(key);
    quiet(&mut l);
    l.handle().post(5);
    assert!(matches!(next(&mut l), Event::Posted(5)));
    quiet(&mut l);
    assert!(l.socket(key).is_some());
}

#[test]
fn messages_in_the_same_segment_as_the_response_are_not_lost() {
    let (mut l, listener) = (new_loop(), listener());
    // The second message is cut short: its rest comes with an edge of its own.
    let (_, mut peer) = Peer::open_with(&mut l, &listener, 1, b"\x81\x05early\x81\x04la");
    let event = next(&mut l);
    assert_eq!(text(&l, event).1, "early");
    peer.stream.write_all(b"te").unwrap();
    let event = next(&mut l);
    assert_eq!(text(&l, event).1, "late");
}

#[test]
fn events_of_a_socket_finished_inside_a_batch_vanish() {
    let (mut l, listener) = (new_loop(), listener());
    let (a, mut peer_a) = Peer::open(&mut l, &listener, 1);
    let (b, mut peer_b) = Peer::open(&mut l, &listener, 2);
    peer_a.send(&["1", "2"]);
    peer_b.send(&["1", "2"]);
    fill(&mut l, 4);
    let Some(Event::Incoming { key, .. }) = l.next_event() else { panic!("no message") };
    let other = if key == a { b } else { a };
    assert!(l.finish(other).is_some());
    let Some(Event::Incoming { key: second, .. }) = l.next_event() else { panic!("no message") };
    assert_eq!(second, key);
    assert!(l.finish(key).is_some());
    assert!(l.finish(key).is_none());
    assert!(l.next_event().is_none());
    quiet(&mut l);
    assert_eq!(l.sockets(), 0);
}

#[test]
fn a_reused_slot_gets_nothing_of_its_predecessor() {
    let (mut l, listener) = (new_loop(), listener());
    let (old, mut peer) = Peer::open(&mut l, &listener, 1);
    peer.send(&["for the old one", "and another"]);
    fill(&mut l, 2);
    l.finish(old);
    let new = l.connect(crate::common::dial(listener.local_addr().unwrap()), 2);
    assert_eq!(new.to_bits() as u32, old.to_bits() as u32, "the slot is reused");
    assert_ne!(new, old);
    assert!(l.next_event().is_none());
    quiet(&mut l);
    assert!(l.traffic(old).is_none() && l.finish(old).is_none() && l.socket(old).is_none());
    assert!(l.finish(new).is_some());
}

#[test]
fn what_comes_while_paused_is_read_after_resume_without_a_new_edge() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, mut peer) = Peer::open(&mut l, &listener, 1);
    l.pause(key);
    peer.send(&["kept"]);
    quiet(&mut l);
    l.resume(key);
    assert_eq!(l.next_deadline(), Some(l.now()), "there is something to do at once");
    l.turn(Some(Duration::ZERO)).unwrap();
    let event = l.next_event().unwrap();
    assert_eq!(text(&l, event).1, "kept");
}

#[test]
fn a_socket_with_much_to_read_does_not_starve_another() {
    let (mut l, listener) = (new_loop(), listener());
    let (_, mut loud) = Peer::open(&mut l, &listener, 1);
    let (_, mut soft) = Peer::open(&mut l, &listener, 2);
    let frame = [&[0x82u8, 126, 0xea, 0x60][..], &[7; 60_000]].concat();
    let frames = 200;
    let writer = std::thread::spawn(move || {
        for _ in 0..frames {
            loud.stream.write_all(&frame).unwrap();
        }
        loud
    });
    let (mut loud_messages, mut soft_messages) = (0, 0);
    let mut sent = false;
    while loud_messages < frames || soft_messages < 1 {
        match next(&mut l) {
            Event::Incoming { user: 1, incoming: Incoming::Binary(payload), .. } => {
                assert_eq!(l.payload(&payload), [7; 60_000]);
                loud_messages += 1;
            }
            Event::Incoming { user: 2, incoming: Incoming::Text(_), .. } => {
                assert!(loud_messages < frames, "starved");
                soft_messages += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
        if loud_messages == 10 && !sent {
            soft.send(&["me too"]);
            sent = true;
        }
    }
    drop(writer.join().unwrap());
}

/// An owner that is slow, or parked, must not make a loop read without end.
#[test]
fn a_turn_stops_reading_while_very_many_events_wait() {
    const PEERS: usize = 5;
    const MESSAGES: usize = 30_000;
    let (mut l, listener) = (new_loop(), listener());
    let mut peers: Vec<_> = (0..PEERS).map(|user| Peer::open(&mut l, &listener, user as u64).1).collect();
    for peer in &mut peers {
        peer.stream.write_all(&[0x81, 0].repeat(MESSAGES)).unwrap();
    }
    fill(&mut l, 65_537);
    for _ in 0..10 {
        l.turn(Some(Duration::from_millis(1))).unwrap();
        assert!(l.pending() <= 65_536 + MESSAGES, "{} wait", l.pending());
    }
    for _ in 0..PEERS * MESSAGES {
        assert!(matches!(next(&mut l), Event::Incoming { incoming: Incoming::Text(_), .. }));
    }
    quiet(&mut l);
}

#[test]
fn a_blocked_write_is_finished_by_later_turns() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, mut peer) = Peer::open(&mut l, &listener, 1);
    let message = vec![0u8; 16 << 20];
    l.socket(key).unwrap().send(Kind::Binary, &message).unwrap();
    l.flush();
    assert!(l.socket(key).unwrap().wants_write(), "more than the system buffers");
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; 14 + (16 << 20)];
        peer.stream.read_exact(&mut bytes).unwrap();
        (peer, bytes)
    });
    let end = Instant::now() + LONG;
    while l.socket(key).unwrap().wants_write() {
        assert!(Instant::now() < end, "stuck");
        l.turn(Some(Duration::from_millis(100))).unwrap();
    }
    let (_peer, bytes) = reader.join().unwrap();
    assert_eq!(bytes[..2], [0x82, 0xff]);
    let key_bytes: [u8; 4] = bytes[10..14].try_into().unwrap();
    assert!(bytes[14..].iter().zip(key_bytes.iter().cycle()).all(|(byte, key)| byte == key));
}

#[test]
fn finish_delivers_the_queued_close_frame() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, peer) = Peer::open(&mut l, &listener, 1);
    l.socket(key).unwrap().close(Some((1001, "bye"))).unwrap();
    let traffic = l.finish(key).unwrap().traffic;
    let frame = peer.rest();
    let [0x88, 0x85, mask @ ..] = &frame[..] else { panic!("no close frame: {frame:x?}") };
    let (mask, body) = mask.split_at(4);
    let body: Vec<u8> = body.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    assert_eq!(body, [&[0x03, 0xe9], &b"bye"[..]].concat());
    assert!(traffic.written > frame.len() as u64, "the request counts, too");
}

#[test]
fn the_end_of_a_stream_comes_after_its_messages_and_once() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, mut peer) = Peer::open(&mut l, &listener, 1);
    peer.send(&["last words"]);
    drop(peer);
    let event = next(&mut l);
    assert_eq!(text(&l, event).1, "last words");
    assert!(matches!(next(&mut l), Event::Incoming { incoming: Incoming::Ended(Ended::Eof), .. }));
    quiet(&mut l);
    assert!(l.finish(key).is_some());
}

#[test]
fn a_failed_write_is_reported_once() {
    let (mut l, listener) = (new_loop(), listener());
    let (key, mut peer) = Peer::open(&mut l, &listener, 1);
    l.pause(key);
    l.socket(key).unwrap().send(Kind::Text, b"unread").unwrap();
    l.flush();
    let mut first = [0; 1];
    peer.stream.read_exact(&mut first).unwrap();
    // Closed with something unread: the system resets the connection.
    drop(peer);
    let end = Instant::now() + LONG;
    let failed: SocketKey = loop {
        assert!(Instant::now() < end, "never fails");
        l.turn(Some(Duration::from_millis(5))).unwrap();
        if let Some(socket) = l.socket(key) {
            socket.send(Kind::Text, b"more").unwrap();
        }
        l.flush();
        match l.next_event() {
            Some(Event::WriteFailed { key, .. }) => break key,
            Some(other) => panic!("unexpected {other:?}"),
            None => {}
        }
    };
    assert_eq!(failed, key);
    l.socket(key).unwrap().send(Kind::Text, b"and more").unwrap();
    l.flush();
    assert_eq!(l.pending(), 0);
}

#[test]
fn pings_are_answered_by_the_flush_after_the_batch() {
    let (mut l, listener) = (new_loop(), listener());
    let (_, mut peer) = Peer::open(&mut l, &listener, 1);
    peer.stream.write_all(&[0x89, 2, b'h', b'i']).unwrap();
    assert!(matches!(next(&mut l), Event::Incoming { incoming: Incoming::Ping(_), .. }));
    l.flush();
    let mut pong = [0; 8];
    peer.stream.read_exact(&mut pong).unwrap();
    assert_eq!(pong[..2], [0x8a, 0x82]);
}
