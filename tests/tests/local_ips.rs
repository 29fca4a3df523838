//! `--local-ips`: which virtual user connects from where.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{IpAddr, TcpListener, TcpStream};

use ws_e2e::fixture::{Fixture, is_ws};

const SCRIPT: &str = "
    import ws from 'k6/ws';
    export const options = { scenarios: { all: { executor: 'per-vu-iterations', vus: 4, iterations: 2 } } };
    export default function () {
      ws.connect(`ws://127.0.0.1:${__ENV.PORT}/`, { headers: { 'X-Vu': String(__VU) } }, () => {});
    }";

const DIALS: usize = 8;

/// Which VU it is whose request comes in here, and from where.
fn visitor(mut tcp: TcpStream) -> (u32, IpAddr) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") {
        let read = tcp.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "a whole request");
        head.extend(&buffer[..read]);
    }
    let head = String::from_utf8(head).unwrap();
    let vu = head.lines().find_map(|line| line.strip_prefix("X-Vu: ")).expect("the header");
    (vu.parse().unwrap(), tcp.peer_addr().unwrap().ip())
}

#[test]
fn virtual_users_take_turns_at_the_addresses() {
    for (flags, variable) in [
        (&["--local-ips", "127.0.0.2,127.0.0.4-127.0.0.5"][..], None),
        (&[], Some("127.0.0.2/32,127.0.0.4-127.0.0.5")),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let fixture = Fixture::new(SCRIPT);
        let mut run = fixture.run().args(flags).arg_value("--env", format!("PORT={port}"));
        if let Some(value) = variable {
            run = run.env("K6_LOCAL_IPS", value);
        }
        let running = run.start().unwrap();
        let visitors: Vec<_> = listener.incoming().take(DIALS).map(|tcp| visitor(tcp.unwrap())).collect();
        assert_eq!(running.finish().unwrap().code, Some(0));
        let mut by_vu: BTreeMap<u32, Vec<IpAddr>> = BTreeMap::new();
        for (vu, ip) in visitors {
            by_vu.entry(vu).or_default().push(ip);
        }
        let twice = |ip: &str| vec![ip.parse::<IpAddr>().unwrap(); 2];
        let expected = [
            (1, twice("127.0.0.2")),
            (2, twice("127.0.0.4")),
            (3, twice("127.0.0.5")),
            (4, twice("127.0.0.2")),
        ];
        assert_eq!(by_vu, BTreeMap::from(expected));
    }
}

/// How many connect at a time in [`MANY`].
const AT_A_TIME: usize = 4;

const MANY: &str = "
    import { WebSocket } from 'k6/websockets';
    export const options = { vus: 1, iterations: 2 };
    export default function () {
      for (let i = 0; i < 4; i++) {
        new WebSocket(`ws://127.0.0.1:${__ENV.PORT}/`, null, { headers: { 'X-Vu': String(__VU) } });
      }
    }";

/// Each iteration begins with the VU's own address again.
#[test]
fn the_sockets_of_one_user_go_around() {
    if !is_ws("addresses for each socket") {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let fixture = Fixture::new(MANY);
    let run = fixture.run().args(["--local-ips", "127.0.0.2-127.0.0.4"]);
    let running = run.arg_value("--env", format!("PORT={port}")).start().unwrap();
    for _ in 0..2 {
        // All are accepted before one is let go, so that they are open at a time.
        let together: Vec<TcpStream> = listener.incoming().take(AT_A_TIME).map(|tcp| tcp.unwrap()).collect();
        let mut found: Vec<IpAddr> = together.into_iter().map(|tcp| visitor(tcp).1).collect();
        found.sort_unstable();
        let expected = ["127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.4"];
        assert_eq!(found, expected.map(|ip| ip.parse::<IpAddr>().unwrap()));
    }
    assert_eq!(running.finish().unwrap().code, Some(0));
}
