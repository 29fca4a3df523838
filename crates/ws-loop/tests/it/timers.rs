//! Timers and messages of one loop.

use std::time::{Duration, Instant};

use crate::common::{new_loop, next, quiet};
use ws_loop::{Clock, Event, EventLoop, LoopConfig, ManualClock};

const MS: Duration = Duration::from_millis(1);

fn manual() -> (EventLoop<u32>, ManualClock) {
    let clock = ManualClock::new();
    let config = LoopConfig { clock: Clock::Manual(clock.clone()), ..LoopConfig::default() };
    (EventLoop::new(config).unwrap(), clock)
}

/// Turns once without waiting and collects the numbers of the timers that fired.
fn fired(l: &mut EventLoop<u32>) -> Vec<u64> {
    l.turn(Some(Duration::ZERO)).unwrap();
    let mut users = Vec::new();
    while let Some(event) = l.next_event() {
        match event {
            Event::Timer { user, .. } => users.push(user),
            other => panic!("unexpected {other:?}"),
        }
    }
    users
}

#[test]
fn timers_fire_in_order_and_never_early() {
    let (mut l, clock) = manual();
    let start = l.now();
    for (after, user) in [(5.0, 1), (2.0, 2), (4.5, 3), (5.0, 4), (0.0, 5)] {
        l.timer(start + MS.mul_f64(after), user);
    }
    assert_eq!(fired(&mut l), [5]);
    assert_eq!(l.next_deadline(), Some(start + 2 * MS));
    clock.advance(MS.mul_f64(4.9));
    assert_eq!(fired(&mut l), [2]);
    clock.advance(MS.mul_f64(0.2));
    assert_eq!(fired(&mut l), [1, 3, 4], "4.5 ms rounds up to 5 ms, equal ticks in order of creation");
    assert_eq!(l.next_deadline(), None);
}

#[test]
fn a_timer_cancelled_inside_its_batch_does_not_come() {
    let (mut l, _clock) = manual();
    let now = l.now();
    let ids: Vec<_> = (0..3).map(|user| l.timer(now, user)).collect();
    l.turn(Some(Duration::ZERO)).unwrap();
    assert!(matches!(l.next_event(), Some(Event::Timer { user: 0, .. })));
    assert!(!l.cancel(ids[0]), "fetched already");
    assert!(l.cancel(ids[1]));
    assert!(matches!(l.next_event(), Some(Event::Timer { user: 2, .. })));
    assert!(l.next_event().is_none());
}

#[test]
fn a_waiting_turn_ends_for_a_timer() {
    let mut l = new_loop();
    let at = Instant::now() + 30 * MS;
    l.timer(at, 9);
    assert!(matches!(next(&mut l), Event::Timer { user: 9, .. }));
    assert!(Instant::now() >= at);
}

#[test]
fn a_year_is_not_too_long() {
    let (mut l, clock) = manual();
    let year = Duration::from_secs(365 * 86_400);
    l.timer(l.now() + year, 1);
    clock.advance(year - MS);
    assert_eq!(fired(&mut l), [0; 0]);
    clock.advance(MS);
    assert_eq!(fired(&mut l), [1]);
}

#[test]
fn posts_of_several_threads_all_arrive_each_threads_in_order() {
    let mut l = new_loop();
    let threads: Vec<_> = (0..4u32)
        .map(|thread| {
            let handle = l.handle();
            std::thread::spawn(move || (0..5_000).for_each(|n| handle.post(thread << 16 | n)))
        })
        .collect();
    let mut expected = [0; 4];
    while expected != [5_000; 4] {
        match next(&mut l) {
            Event::Posted(message) => {
                let thread = (message >> 16) as usize;
                assert_eq!(message & 0xffff, expected[thread]);
                expected[thread] += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    quiet(&mut l);
}

#[test]
fn a_post_ends_a_turn_that_waits() {
    let mut l = new_loop();
    let handle = l.handle();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(20 * MS);
        handle.post(1);
    });
    l.turn(None).unwrap();
    assert!(matches!(l.next_event(), Some(Event::Posted(1))));
    thread.join().unwrap();
}
