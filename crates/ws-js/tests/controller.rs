//! The number of drivers follows the load, in reality. A file of its own: other tests would be load, too.

mod support;

use std::time::{Duration, Instant};

use support::{Plan, Running, echo_server, groups};

#[test]
fn a_second_driver_comes_with_the_load_and_goes_with_it() {
    if groups() < 2 {
        ws_peers::skip("a second driver", "this machine has one core");
        return;
    }
    let (_server, url) = echo_server();
    // Eight seconds of hard work for every message, then nothing.
    let script = r#"
        import ws from 'k6/ws';
        export default function () {
          let sum = 0, messages = 0;
          const began = Date.now();
          ws.connect(__ENV.URL, null, (socket) => {
            socket.on('open', () => socket.send('x'));
            socket.on('message', (m) => {
              messages += 1;
              if (Date.now() - began < 8000) {
                for (let i = 0; i < 300000; i++) sum += i % 7;
                socket.send(m);
              } else if (messages > 0) {
                console.log('calm');
                messages = -1;
                socket.setTimeout(() => socket.close(), 40000);
              }
            });
          });
        }
    "#;
    let running = Plan::new(script).vus(200).env("URL", &url).start();
    assert_eq!(running.runtime.threads().0, 1, "a run begins with one driver");
    let idle = Idle::begin();
    if wait_for_drivers(&running, 2, Duration::from_millis(7500)) < 2 {
        let cores = idle.cores();
        assert!(cores < 0.8, "{cores} cores were idle, and yet there was no second driver");
        ws_peers::skip(
            "a second driver",
            &format!("{cores} cores were idle, others are busy on this machine"),
        );
        running.interrupt_all(200);
        running.finish();
        return;
    }
    running.wait_for_lines("calm", 200);
    let least = wait_for_drivers(&running, 1, Duration::from_secs(20));
    assert_eq!(least, 1, "drivers with nothing to do are retired");
    running.interrupt_all(200);
    let outcome = running.finish();
    assert_eq!(outcome.interrupted, 200);
    assert_eq!(outcome.count("ws_msgs_sent"), outcome.count("ws_msgs_received"));
}

/// The idle time of this machine, as the kernel counts it.
struct Idle {
    ticks: f64,
    at: Instant,
}

impl Idle {
    fn begin() -> Self {
        Self { ticks: Self::ticks(), at: Instant::now() }
    }

    /// How many cores were idle since the beginning; 0 where the system does not say.
    fn cores(&self) -> f64 {
        // A hundred ticks a second wherever Linux runs today.
        (Self::ticks() - self.ticks) / 100.0 / self.at.elapsed().as_secs_f64()
    }

    fn ticks() -> f64 {
        let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        stat.split_whitespace().nth(4).and_then(|idle| idle.parse().ok()).unwrap_or(0.0)
    }
}

fn wait_for_drivers(running: &Running, count: usize, patience: Duration) -> usize {
    let deadline = Instant::now() + patience;
    loop {
        let drivers = running.runtime.threads().0;
        if drivers == count || Instant::now() > deadline {
            return drivers;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
