//! Groups, drivers and parked threads, on real sockets.

pub(crate) mod support;

use std::time::Duration;

use support::{Plan, echo_server, groups};

/// Sends `N` messages one after the other, each when the last has come back.
const ECHO: &str = r#"
    import ws from 'k6/ws';
    const n = Number(__ENV.N);
    export default function () {
      const local = { marks: [1, 2, 3], name: 'vu' + __VU };
      let got = 0;
      const res = ws.connect(__ENV.URL, null, (socket) => {
        socket.on('open', () => socket.send('m0'));
        socket.on('message', (m) => {
          if (m !== 'm' + got) throw new Error(`expected m${got}, got ${m}`);
          got += 1;
          local.marks.push(got);
          if (got === n) socket.close(); else socket.send('m' + got);
        });
      });
      if (res.status !== 101) throw new Error(JSON.stringify(res));
      if (got !== n || local.name !== 'vu' + __VU || local.marks.length !== n + 3) throw new Error('lost');
    }
"#;

#[test]
fn one_vu_echoes() {
    let (_server, url) = echo_server();
    let outcome = Plan::new(ECHO).env("URL", &url).env("N", 10).iterations(3).run();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!((outcome.complete, outcome.failed), (3, 0));
    assert_eq!(outcome.count("ws_sessions"), 3.0);
    assert_eq!(outcome.count("ws_msgs_sent"), 30.0);
    assert_eq!(outcome.count("ws_msgs_received"), 30.0);
    assert_eq!(outcome.count("iterations"), 3.0);
    assert_eq!(outcome.trend_count("ws_session_duration"), 3);
    assert_eq!(outcome.trend_count("iteration_duration"), 3);
}

#[test]
fn five_hundred_parked_vus_are_served_by_one_driver() {
    let (_server, url) = echo_server();
    let outcome = Plan::new(ECHO).vus(500).drivers(1).env("URL", &url).env("N", 20).run();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!(outcome.complete, 500);
    assert_eq!(outcome.count("ws_msgs_received"), 10_000.0);
}

#[test]
fn several_groups_on_several_drivers_lose_no_message() {
    let (_server, url) = echo_server();
    let outcome = Plan::new(ECHO).vus(40).drivers(2).env("URL", &url).env("N", 200).iterations(2).run();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!(outcome.count("ws_msgs_sent"), 16_000.0);
    assert_eq!(outcome.count("ws_msgs_received"), 16_000.0);
}

#[test]
fn an_exception_comes_out_of_connect_as_the_very_same_object() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          const thrown = { mine: true };
          let caught;
          const closes = [];
          try {
            ws.connect(__ENV.URL, null, (socket) => {
              socket.on('open', () => { throw thrown; });
              socket.on('open', () => console.log('skipped'));
              socket.on('close', (code) => closes.push(code));
            });
          } catch (e) { caught = e; }
          console.log(caught === thrown, closes.join());
        }
    "#;
    let outcome = Plan::new(script).env("URL", &url).run();
    assert_eq!(outcome.text(), ["true 1001"]);
}

#[test]
fn a_sleep_in_a_handler_delays_nobody_else() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        import { sleep } from 'k6';
        export default function () {
          let trips = 0;
          ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', () => {
              trips += 1;
              if (__VU === 1) { if (trips === 1) sleep(1); socket.close(); return; }
              if (trips === 100) socket.close(); else socket.send('x');
            });
          });
          console.log(__VU === 1 ? 'slept' : 'done');
        }
    "#;
    let vus = groups() + 1;
    let outcome = Plan::new(script).vus(vus).drivers(1).env("URL", &url).run();
    let expected: Vec<_> = (1..vus).map(|_| "done").chain(["slept"]).collect();
    assert_eq!(outcome.text(), expected);
    assert!(outcome.elapsed >= Duration::from_secs(1));
}

#[test]
fn an_endless_loop_ends_with_its_vus_interruption_and_nobody_elses() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          if (__VU === 1) { console.log('looping'); while (true) {} }
          ws.connect(__ENV.URL, null, (socket) => {
            socket.setTimeout(() => socket.close(), 300);
          });
        }
    "#;
    let running = Plan::new(script).vus(4).drivers(1).env("URL", &url).start();
    running.wait_for_lines("looping", 1);
    running.runtime.interrupt(0);
    let outcome = running.finish();
    assert_eq!((outcome.complete, outcome.failed, outcome.interrupted), (3, 0, 1));
    assert_eq!(outcome.count("iterations"), 3.0);
    assert_eq!(outcome.count("ws_sessions"), 3.0);
}

#[test]
fn an_interrupted_connect_runs_no_further_script() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          try {
            ws.connect(__ENV.URL, null, (socket) => {
              socket.on('open', () => console.log('open'));
              socket.on('close', () => console.log('close handler'));
            });
            console.log('after');
          } catch (e) { console.log('caught'); } finally { console.log('finally'); }
        }
    "#;
    let running = Plan::new(script).vus(3).env("URL", &url).start();
    running.wait_for_lines("open", 3);
    running.interrupt_all(3);
    let outcome = running.finish();
    assert_eq!(outcome.text(), ["open"; 3]);
    assert_eq!(outcome.interrupted, 3);
    assert_eq!(outcome.trend_count("ws_session_duration"), 3);
    assert_eq!(outcome.count("ws_sessions"), 3.0);
    assert!(outcome.count("data_sent") > 0.0);
}

#[test]
fn a_returning_connect_gets_the_isolate_soon_while_others_echo_flat_out() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          if (__VU === 1) {
            const waits = [];
            for (let i = 0; i < 30; i++) {
              let closed;
              ws.connect(__ENV.URL, null, (socket) => {
                socket.on('open', () => { closed = Date.now(); socket.close(); });
              });
              waits.push(Date.now() - closed);
            }
            waits.sort((a, b) => a - b);
            console.log('median', waits[15]);
            return;
          }
          const trips = [];
          let sent;
          ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => { sent = Date.now(); socket.send('x'.repeat(20)); });
            socket.on('message', (m) => {
              if (__VU === 2 && trips.push(Date.now() - sent) === 100) {
                trips.sort((a, b) => a - b);
                console.log('trip', trips[50]);
              }
              sent = Date.now();
              socket.send(m);
            });
          });
        }
    "#;
    let running = Plan::new(script).vus(201).drivers(1).env("URL", &url).start();
    running.wait_for_lines("median", 1);
    running.wait_for_lines("trip", 1);
    running.interrupt_all(201);
    let outcome = running.finish();
    let figure = |name: &str| -> f64 {
        let line = outcome.text().into_iter().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    };
    let (median, trip) = (figure("median"), figure("trip"));
    // About one turn of the loop, as an echo takes, whatever the machine is busy with beside; 10 ms are for the
    // clock of the script. Without a fair lock this takes hundreds of turns.
    assert!(median <= 10.0 + 3.0 * trip, "{median} ms while an echo takes {trip} ms");
}

#[test]
fn groups_move_between_drivers_under_load() {
    let (_server, url) = echo_server();
    let running = Plan::new(ECHO).vus(64).drivers(2).env("URL", &url).env("N", 1000).start();
    let mut moves = 0;
    while !running.is_done() {
        // With two groups and two drivers, one of them has both after this.
        running.runtime.rebalance(moves % 2, (moves + 1) % 2);
        moves += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    let outcome = running.finish();
    assert_eq!(outcome.text(), Vec::<&str>::new());
    assert_eq!(outcome.count("ws_msgs_sent"), 64_000.0);
    assert_eq!(outcome.count("ws_msgs_received"), 64_000.0);
    assert!(moves > 10, "{moves} moves");
}

#[test]
fn scripts_that_block_again_and_again_leave_the_driver_to_other_groups() {
    let (_server, url) = echo_server();
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', () => socket.close());
          });
        }
    "#;
    let vus = 100 * groups();
    let running = Plan::new(script).vus(vus).drivers(1).iterations(u64::MAX).env("URL", &url).start();
    let begun = loop {
        let begun = running.begun();
        if begun.iter().any(|&count| count >= 100) {
            break begun;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    running.interrupt_all(vus);
    running.finish();
    // Groups get turns in turn. When each hand-over of the role began a new batch of the same group, the
    // others were at their first iteration still.
    assert!(begun.iter().all(|&count| count >= 30), "{begun:?}");
}
