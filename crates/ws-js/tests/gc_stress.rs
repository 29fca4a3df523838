//! The tests of groups and of time slices again, while V8 collects garbage all the time and moves what it can: a
//! handle that nobody keeps alive, or a pointer that nobody updates, does not survive that.

// Each of the two files brings its own support along, as it has to when it is a test by itself.
#![allow(clippy::duplicate_mod)]

#[path = "groups.rs"]
mod groups;
#[path = "slices.rs"]
mod slices;

use groups::support;

#[test]
fn garbage_is_collected_all_the_time() {
    let (_server, url) = support::echo_server();
    let script = "import ws from 'k6/ws';
        export default function () {
          let got = 0;
          ws.connect(__ENV.URL, (s) => {
            s.on('open', () => s.send('x'));
            s.on('message', (m) => { if (++got === 200) s.close(); else s.send(m + got); });
          });
        }";
    let outcome = support::Plan::new(script).vus(50).env("URL", &url).run();
    assert_eq!(outcome.complete, 50);
    // Without these flags there are two, at the end of the init stage.
    assert!(outcome.gc_pauses >= 15, "{} collections", outcome.gc_pauses);
}
