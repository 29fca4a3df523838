//! Dials that fail: each in its own way, and within its time.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::common::{dial, listener, next};
use ws_loop::{
    Clock, Dial, DialError, DialFailure, DnsError, Event, EventLoop, LoopConfig, ManualClock, Resolver,
    ResolverConfig, SystemLookup,
};
use ws_proto::{Proxy, WsUrl};

fn failure(l: &mut EventLoop<u32>) -> DialFailure {
    match next(l) {
        Event::Failed { key, user: 3, failure } => {
            assert!(l.finish(key).is_none(), "the key is gone");
            *failure
        }
        other => panic!("no failure: {other:?}"),
    }
}

fn with_lookup(clock: Clock, lookup: SystemLookup) -> EventLoop<u32> {
    let resolver = Resolver::new(ResolverConfig { lookup, ..ResolverConfig::default() });
    EventLoop::new(LoopConfig { resolver, clock }).unwrap()
}

fn url(text: &str) -> Dial {
    Dial::new(WsUrl::parse(text).unwrap())
}

#[test]
fn refused() {
    let mut l = crate::common::new_loop();
    let addr = listener().local_addr().unwrap();
    l.connect(dial(addr), 3);
    let failure = failure(&mut l);
    let DialError::Handshake(ws_proto::Error::Connect { addr: whose, source, .. }) = failure.error else {
        panic!("{:?}", failure.error)
    };
    assert_eq!((whose, source.kind()), (addr, std::io::ErrorKind::ConnectionRefused));
    assert_eq!(failure.traffic.read, 0);
    assert_eq!(failure.timings.connect, None);
}

#[test]
fn a_peer_that_accepts_and_says_nothing() {
    let clock = ManualClock::new();
    let config = LoopConfig { clock: Clock::Manual(clock.clone()), ..LoopConfig::default() };
    let mut l = EventLoop::new(config).unwrap();
    let listener = listener();
    let dial = dial(listener.local_addr().unwrap());
    let limit = dial.limits.handshake_timeout;
    l.connect(dial, 3);
    let (_peer, _) = listener.accept().unwrap();
    crate::common::quiet(&mut l);
    clock.advance(limit - Duration::from_millis(1));
    crate::common::quiet(&mut l);
    clock.advance(Duration::from_millis(1));
    let failure = failure(&mut l);
    assert!(
        matches!(failure.error, DialError::Handshake(ws_proto::Error::Timeout { .. })),
        "{:?}",
        failure.error
    );
    assert_eq!(failure.timings.total, limit);
    assert!(failure.traffic.written > 0, "the request was sent");
    assert_eq!((l.next_deadline(), l.sockets()), (None, 0));
}

#[test]
fn a_peer_that_closes_or_speaks_something_else() {
    for bytes in [&b""[..], b"220 mail.example.com ESMTP\r\n"] {
        let mut l = crate::common::new_loop();
        let listener = listener();
        l.connect(dial(listener.local_addr().unwrap()), 3);
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(bytes).unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        let error = failure(&mut l).error;
        assert!(matches!(error, DialError::Handshake(ws_proto::Error::Peer(_))), "{error:?}");
    }
}

#[test]
fn an_answer_that_is_no_upgrade_is_handed_on() {
    let mut l = crate::common::new_loop();
    let listener = listener();
    l.connect(dial(listener.local_addr().unwrap()), 3);
    let (mut peer, _) = listener.accept().unwrap();
    peer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone").unwrap();
    let DialFailure { response, timings, .. } = failure(&mut l);
    let response = response.expect("there was an answer");
    assert!(timings.connect.is_some() && timings.upgrade.is_some(), "{timings:?}");
    assert_eq!((response.status, &response.body[..]), (404, &b"gone"[..]));
}

#[test]
fn a_success_comes_with_the_response_and_the_times() {
    let server = ws_loop::EchoServer::start("127.0.0.1:0").unwrap();
    let mut l = crate::common::new_loop();
    let mut dial = dial(server.local_addr());
    dial.request.header("Sec-WebSocket-Protocol", "a").unwrap();
    l.connect(dial, 3);
    let Event::Opened { key, response, timings, .. } = next(&mut l) else { panic!("not opened") };
    assert_eq!(response.status, 101);
    assert_eq!(response.headers.get("Sec-WebSocket-Protocol"), Some("a"));
    assert_eq!((timings.dns, timings.tls), (None, None), "an address, and no TLS");
    assert!(timings.total >= timings.connect.unwrap() + timings.upgrade.unwrap());
    assert!(l.finish(key).is_some());
}

#[test]
fn unknown_host() {
    let mut l = with_lookup(Clock::System, Arc::new(|_| Ok(vec![])));
    l.connect(url("ws://nowhere.example/"), 3);
    let error = failure(&mut l).error;
    assert_eq!(error.to_string(), "lookup nowhere.example: no such host");
    assert!(matches!(error, DialError::Lookup(DnsError::NoSuchHost { .. })));
}

#[test]
fn a_known_host_is_looked_up_on_another_thread_and_then_kept() {
    let main = std::thread::current().id();
    let lookup: SystemLookup = Arc::new(move |host| {
        assert_eq!(host, "somewhere.example");
        assert_ne!(std::thread::current().id(), main);
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    });
    let server = ws_loop::EchoServer::start("127.0.0.1:0").unwrap();
    let mut l = with_lookup(Clock::System, lookup);
    let target = format!("ws://somewhere.example:{}/", server.local_addr().port());
    for looked_up in [true, false] {
        l.connect(url(&target), 4);
        let Event::Opened { user: 4, timings, .. } = next(&mut l) else { panic!("not opened") };
        assert_eq!(timings.dns.is_some(), looked_up);
    }
}

#[test]
fn a_lookup_that_does_not_end_counts_as_connecting() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Mutex::new(gate);
    let lookup: SystemLookup = Arc::new(move |_| {
        gate.lock().unwrap().recv().ok();
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    });
    let clock = ManualClock::new();
    let mut l = with_lookup(Clock::Manual(clock.clone()), lookup);
    let dial = url("ws://slow.example/");
    let limit = dial.limits.connect_timeout;
    l.connect(dial, 3);
    crate::common::quiet(&mut l);
    clock.advance(limit);
    let failure = failure(&mut l);
    assert!(matches!(failure.error, DialError::Lookup(DnsError::Timeout { .. })), "{:?}", failure.error);
    assert_eq!(failure.timings.total, limit);
    go.send(()).unwrap();
    // The late answer finds nobody.
    crate::common::quiet(&mut l);
}

#[test]
fn a_dial_finished_on_the_way_reports_nothing() {
    let mut l = crate::common::new_loop();
    let refused = listener().local_addr().unwrap();
    let silent = listener();
    for addr in [refused, silent.local_addr().unwrap()] {
        let key = l.connect(dial(addr), 3);
        l.turn(Some(Duration::from_millis(20))).unwrap();
        assert!(l.finish(key).is_some());
        crate::common::quiet(&mut l);
    }
    assert_eq!((l.next_deadline(), l.sockets()), (None, 0));
}

#[test]
fn the_name_of_a_proxy_is_looked_up_instead_of_the_target() {
    let lookup: SystemLookup = Arc::new(|host| {
        assert_eq!(host, "proxy.example");
        Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)])
    });
    let listener = listener();
    let mut l = with_lookup(Clock::System, lookup);
    let mut dial = url("ws://far.example/");
    let proxy = format!("proxy.example:{}", listener.local_addr().unwrap().port());
    dial.proxy = Some(Proxy::parse(&proxy).unwrap());
    l.connect(dial, 3);
    let peer = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"HTTP/1.1 403 No\r\n\r\n").unwrap();
        let mut head = [0; 34];
        peer.read_exact(&mut head).unwrap();
        head
    });
    let DialFailure { error, timings, .. } = failure(&mut l);
    assert!(matches!(error, DialError::Handshake(ws_proto::Error::Proxy { status: 403, .. })), "{error:?}");
    assert!(timings.dns.is_some() && timings.tunnel.is_some() && timings.upgrade.is_none(), "{timings:?}");
    assert_eq!(&peer.join().unwrap(), b"CONNECT far.example:80 HTTP/1.1\r\nH");
}
