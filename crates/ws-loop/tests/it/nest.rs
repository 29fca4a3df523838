//! Several loops under one or more nests.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::common::{LONG, Peer, dial, listener, new_loop};
use ws_loop::{EchoServer, Event, EventLoop, Nest};
use ws_proto::{Incoming, Kind};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn ready(nest: &mut Nest, timeout: Option<Duration>) -> Vec<usize> {
    let mut ready = Vec::new();
    nest.wait(timeout, &mut ready).unwrap();
    ready
}

fn drain(l: &mut EventLoop<u32>) -> usize {
    std::iter::from_fn(|| l.next_event()).count()
}

#[test]
fn a_loop_is_reported_until_a_turn_has_taken_everything() {
    let mut nest = Nest::new().unwrap();
    let (mut a, mut b) = (new_loop(), new_loop());
    nest.add(&a, 0).unwrap();
    nest.add(&b, 1).unwrap();
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
    a.handle().post(1);
    b.handle().post(2);
    assert_eq!(ready(&mut nest, Some(LONG)), [0, 1]);
    assert_eq!(ready(&mut nest, Some(LONG)), [0, 1], "nobody has turned");
    a.turn(NOW).unwrap();
    assert_eq!(ready(&mut nest, Some(LONG)), [0, 1], "an event waits in one, the other has not turned");
    assert_eq!((drain(&mut a), drain(&mut b)), (1, 0));
    assert_eq!(ready(&mut nest, Some(LONG)), [1], "fetching is no turn");
    b.turn(NOW).unwrap();
    assert_eq!(drain(&mut b), 1);
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
}

#[test]
fn a_muted_loop_keeps_what_it_has_and_ends_no_wait() {
    let mut nest = Nest::new().unwrap();
    let (mut a, mut b) = (new_loop(), new_loop());
    nest.add_nestling(&a.nestling(), 0).unwrap();
    nest.add(&b, 1).unwrap();
    a.handle().post(1);
    nest.set_muted(0, true);
    assert_eq!(ready(&mut nest, Some(Duration::from_millis(20))), [0; 0]);
    b.handle().post(2);
    assert_eq!(ready(&mut nest, Some(LONG)), [1]);
    b.turn(NOW).unwrap();
    assert_eq!(drain(&mut b), 1);
    nest.set_muted(0, false);
    assert_eq!(ready(&mut nest, Some(LONG)), [0], "its edge came while it was muted");
    a.turn(NOW).unwrap();
    assert_eq!(drain(&mut a), 1);
    nest.remove_nestling(&a.nestling()).unwrap();
    assert!(nest.remove(&a).is_err());
}

#[test]
fn what_a_loop_was_left_with_goes_along_to_another_nest() {
    let (mut first, mut second) = (Nest::new().unwrap(), Nest::new().unwrap());
    let mut l = new_loop();
    first.add(&l, 4).unwrap();
    assert!(first.add(&l, 5).is_err(), "once only");
    l.handle().post(1);
    assert_eq!(ready(&mut first, Some(LONG)), [4]);
    // The first nest has seen the edge; the second must report it all the same.
    first.remove(&l).unwrap();
    assert!(first.remove(&l).is_err());
    second.add(&l, 9).unwrap();
    assert_eq!(ready(&mut second, Some(LONG)), [9]);
    assert_eq!(ready(&mut first, NOW), [0; 0]);
    l.turn(NOW).unwrap();
    assert_eq!(drain(&mut l), 1);
    assert_eq!(ready(&mut second, NOW), [0; 0]);
}

#[test]
fn a_failure_at_once_and_a_resumed_socket_are_reported() {
    let mut nest = Nest::new().unwrap();
    let listener = listener();
    let mut l = new_loop();
    let (key, mut peer) = Peer::open(&mut l, &listener, 1);
    nest.add(&l, 0).unwrap();
    l.pause(key);
    peer.send(&["x"]);
    assert_eq!(ready(&mut nest, Some(LONG)), [0]);
    l.turn(NOW).unwrap();
    assert_eq!((drain(&mut l), ready(&mut nest, NOW)), (0, vec![]));
    l.resume(key);
    assert_eq!(ready(&mut nest, Some(LONG)), [0]);
    l.turn(NOW).unwrap();
    assert_eq!((drain(&mut l), ready(&mut nest, NOW)), (1, vec![]));
    // TLS without a configuration cannot even start.
    l.connect(ws_loop::Dial::new(ws_proto::WsUrl::parse("wss://127.0.0.1/").unwrap()), 2);
    assert_eq!(ready(&mut nest, NOW), [0]);
    assert!(matches!(l.next_event(), Some(Event::Failed { user: 2, .. })));
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
}

#[test]
fn a_post_ends_a_wait() {
    let mut nest = Nest::new().unwrap();
    let l = new_loop();
    nest.add(&l, 3).unwrap();
    let handle = l.handle();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        handle.post(1);
    });
    assert_eq!(ready(&mut nest, None), [3]);
    thread.join().unwrap();
}

#[test]
fn a_dropped_loop_and_a_waker() {
    let mut nest = Nest::new().unwrap();
    let l = new_loop();
    nest.add(&l, 0).unwrap();
    l.handle().post(1);
    assert_eq!(ready(&mut nest, Some(LONG)), [0]);
    let handle = l.handle();
    drop(l);
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
    handle.post(2);
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
    let waker = nest.waker();
    let thread = std::thread::spawn(move || waker.wake().unwrap());
    assert_eq!(ready(&mut nest, None), [0; 0]);
    thread.join().unwrap();
}

/// More sockets become ready at once than the poll hands out in one go: none may be forgotten, though the nest's
/// edge comes only once.
#[test]
fn more_readiness_than_one_poll_returns() {
    const SOCKETS: usize = 1_100;
    let server = EchoServer::start("127.0.0.1:0").unwrap();
    let mut l = new_loop();
    let mut nest = Nest::new().unwrap();
    nest.add(&l, 0).unwrap();
    for user in 0..SOCKETS {
        l.connect(dial(server.local_addr()), user as u64);
    }
    let mut keys = Vec::new();
    let end = Instant::now() + LONG;
    while keys.len() < SOCKETS {
        assert!(Instant::now() < end, "only {} opened", keys.len());
        ready(&mut nest, Some(LONG));
        l.turn(NOW).unwrap();
        while let Some(event) = l.next_event() {
            match event {
                Event::Opened { key, .. } => keys.push(key),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
    for &key in &keys {
        l.socket(key).unwrap().send(Kind::Text, b"hello").unwrap();
    }
    l.flush();
    // By then all answers lie in the sockets.
    std::thread::sleep(Duration::from_millis(300));
    let mut answers = 0;
    while answers < SOCKETS {
        assert!(Instant::now() < end, "only {answers} answers");
        assert_eq!(ready(&mut nest, Some(LONG)), [0]);
        l.turn(NOW).unwrap();
        answers += drain(&mut l);
    }
    assert_eq!(ready(&mut nest, NOW), [0; 0]);
}

/// Two drivers with a nest each; loops with echo traffic wander between them. Every message must come back.
#[test]
fn loops_moved_between_nests_under_load_lose_nothing() {
    const LOOPS: usize = 4;
    const SOCKETS: usize = 20;
    const ROUNDS: u64 = 200;
    let server = EchoServer::with_threads("127.0.0.1:0", 2).unwrap();
    let mut loops: HashMap<usize, EventLoop<u32>> = HashMap::new();
    for id in 0..LOOPS {
        let mut l = new_loop();
        for user in 0..SOCKETS {
            l.connect(dial(server.local_addr()), user as u64);
        }
        loops.insert(id, l);
    }
    let mut nests = [Nest::new().unwrap(), Nest::new().unwrap()];
    let mut home = [0; LOOPS];
    for (id, l) in &loops {
        nests[0].add(l, *id).unwrap();
    }
    let mut echoed: HashMap<(usize, u64), u64> = HashMap::new();
    let goal = LOOPS as u64 * SOCKETS as u64 * ROUNDS;
    let (mut total, mut turns) = (0, 0);
    let end = Instant::now() + LONG;
    while total < goal {
        assert!(Instant::now() < end, "{total} of {goal} echoed");
        for which in 0..nests.len() {
            let others_rest = !home.contains(&which) || home.iter().any(|&home| home != which);
            let timeout = if others_rest { Duration::from_millis(1) } else { LONG };
            for id in ready(&mut nests[which], Some(timeout)) {
                turns += 1;
                // In the middle of things, also with the loop's readiness seen and not used.
                if turns % 7 == 0 {
                    let l = &loops[&id];
                    nests[which].remove(l).unwrap();
                    home[id] = 1 - which;
                    nests[1 - which].add(l, id).unwrap();
                    continue;
                }
                let l = loops.get_mut(&id).unwrap();
                l.turn(NOW).unwrap();
                // Not always everything: the rest must be reported again.
                for _ in 0..10 {
                    match l.next_event() {
                        Some(Event::Opened { key, .. }) => {
                            l.socket(key).unwrap().send(Kind::Text, b"0").unwrap();
                        }
                        Some(Event::Incoming { key, user, incoming: Incoming::Text(payload) }) => {
                            let count = echoed.entry((id, user)).or_default();
                            assert_eq!(l.payload(&payload), count.to_string().as_bytes());
                            *count += 1;
                            total += 1;
                            if *count < ROUNDS {
                                let next = count.to_string();
                                l.socket(key).unwrap().send(Kind::Text, next.as_bytes()).unwrap();
                            }
                        }
                        Some(other) => panic!("unexpected {other:?}"),
                        None => break,
                    }
                }
                l.flush();
            }
        }
    }
    assert_eq!(echoed.len(), LOOPS * SOCKETS);
    assert!(echoed.values().all(|&count| count == ROUNDS));
}
