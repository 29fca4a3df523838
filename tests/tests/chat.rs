//! Many sockets in few VUs, all of which hear the same: a chat room of Python's `websockets`, and a broadcast.
//! The scripts count, and their summary must tell what all sockets together have to have seen.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use ws_e2e::fixture::Fixture;
use ws_e2e::server::TestServer;
use ws_peers::Peer;

/// What the scripts begin with. Each has a function `member` that opens one socket.
const COMMON: &str = "
    import { WebSocket } from 'k6/websockets';
    import { check } from 'k6';
    import { Counter } from 'k6/metrics';

    const members = Number(__ENV.MEMBERS);
    const messages = Number(__ENV.MESSAGES);
    const heard = new Counter('heard');
    const misplaced = new Counter('misplaced');
    export const options = { scenarios: { room: { executor: 'per-vu-iterations', vus: Number(__ENV.VUS), iterations: 1 } } };

    export default function () {
      for (let i = 0; i < members / __ENV.VUS; i++) member();
    }";

/// `MEMBERS` sockets enter a room. When all are in, the first `TALKERS` of them say `MESSAGES` things each; a member
/// that has heard all there is to hear leaves.
const ROOM: &str = "
    const talkers = Number(__ENV.TALKERS);

    function member() {
      const ws = new WebSocket(__ENV.URL);
      // By the order of joining; the first that is announced to a member is the member itself.
      let me = 0, joined = 0, count = 0, wrong = 0;
      const next = new Array(talkers).fill(0);
      ws.onmessage = ({ data }) => {
        const [word, number] = data.split(' ');
        const n = Number(number);
        if (word === 'joined') {
          if (me === 0) me = n;
          else if (n !== joined + 1) wrong += 1;
          joined = n;
          if (joined === members && me <= talkers) {
            for (let i = 0; i < messages; i++) ws.send(`${me - 1} ${i}`);
          }
          return;
        }
        const from = Number(word);
        if (n !== next[from]) wrong += 1;
        next[from] = n + 1;
        count += 1;
        if (count === talkers * messages) ws.close();
      };
      ws.onerror = (e) => { wrong += 1; console.error(e.error); };
      ws.onclose = () => {
        heard.add(count);
        misplaced.add(wrong);
        check(next, { 'heard everybody to the end': (next) => joined === members && next.every((n) => n === messages) });
      };
    }";

/// `MEMBERS` sockets, to which the server sends `MESSAGES` numbers each when all are there.
const BROADCAST: &str = "
    function member() {
      const ws = new WebSocket(__ENV.URL);
      let count = 0, wrong = 0;
      ws.onmessage = (e) => {
        if (e.data !== `${count}`) wrong += 1;
        count += 1;
        if (count === messages) ws.close();
      };
      ws.onerror = (e) => { wrong += 1; console.error(e.error); };
      ws.onclose = () => { heard.add(count); misplaced.add(wrong); };
    }";

struct Crowd {
    vus: u32,
    members: u32,
    talkers: u32,
    messages: u32,
}

impl Crowd {
    /// Runs a script and gives the metrics of its summary, all of which are counts here.
    fn run(&self, member: &str, url: &str) -> impl Fn(&str) -> u64 + use<> {
        let fixture = Fixture::new(&format!("{COMMON}\n{member}"));
        let summary = fixture.path("summary.json");
        let mut run = fixture.run().arg_value("--env", format!("URL={url}"));
        let numbers = [
            ("VUS", self.vus),
            ("MEMBERS", self.members),
            ("TALKERS", self.talkers),
            ("MESSAGES", self.messages),
        ];
        for (name, value) in numbers {
            run = run.arg_value("--env", format!("{name}={value}"));
        }
        // So that a message that never comes fails the test. No machine that builds this needs nearly as long.
        let run = run.arg_value("--summary-export", &summary).limit(Duration::from_secs(180));
        let finished = run.finish().unwrap();
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        assert!(finished.errors().is_empty(), "{finished:#?}");
        let summary = serde_json::from_slice::<Value>(&std::fs::read(summary).unwrap()).unwrap();
        move |metric| {
            let metric = &summary["metrics"][metric];
            metric["count"].as_u64().or(metric["passes"].as_u64()).unwrap_or_else(|| panic!("{summary:#}"))
        }
    }

    fn in_a_room(&self) {
        allow_descriptors();
        let Some(server) = Peer::Websockets.start() else { return };
        let count = self.run(ROOM, &format!("ws://{}/room/lobby", server.plain));
        let (members, said) = (u64::from(self.members), u64::from(self.talkers * self.messages));
        assert_eq!(count("heard"), members * said);
        assert_eq!(count("misplaced"), 0);
        assert_eq!(count("checks"), members);
        assert_eq!(count("ws_sessions"), members);
        // Who comes first hears of all who join, the last one of itself.
        assert_eq!(count("ws_msgs_received"), members * said + members * (members + 1) / 2);
        // And a close frame for each.
        assert_eq!(count("ws_msgs_sent"), said + members);
    }
}

/// Lets this process and the servers that it starts have as many descriptors as they may: the limit that counts is often
/// a thousand, and the test server needs three for each connection.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
}

#[test]
fn everybody_in_a_chat_room_hears_everybody_once_and_in_order() {
    Crowd { vus: 5, members: 500, talkers: 500, messages: 2 }.in_a_room();
}

#[test]
fn what_one_says_in_a_room_comes_to_all_in_order() {
    Crowd { vus: 4, members: 200, talkers: 1, messages: 1000 }.in_a_room();
}

#[test]
fn a_broadcast_comes_to_2000_sockets_complete_and_in_order() {
    let crowd = Crowd { vus: 4, members: 2000, talkers: 0, messages: 1000 };
    allow_descriptors();
    let server = TestServer::start().unwrap();
    let url = format!("{}/broadcast?members={}&n={}", server.url(), crowd.members, crowd.messages);
    let count = crowd.run(BROADCAST, &url);
    assert_eq!(count("heard"), 2_000_000);
    assert_eq!(count("misplaced"), 0);
    assert_eq!(count("ws_sessions"), 2000);
    assert_eq!(count("ws_msgs_received"), 2_000_000);
    assert_eq!(count("ws_msgs_sent"), 2000);
}
