//! The resolver with a system that answers as told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A resolver whose system says `answer`, with a count of how often it was asked.
fn resolver(config: ResolverConfig, answer: &'static [&'static str]) -> (Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: SystemLookup = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(answer.iter().map(|ip| ip.parse().unwrap()).collect())
    });
    (Resolver::new(ResolverConfig { lookup, ..config }), asked)
}

/// Waits for the answer, wherever it comes from.
fn ask(resolver: &Resolver, host: &str, now: Instant) -> Lookup {
    let (tx, rx) = mpsc::channel();
    let reply = move |lookup| tx.send(lookup).unwrap();
    resolver.lookup(host, 80, now, reply).unwrap_or_else(|| rx.recv().unwrap())
}

#[test]
fn an_answer_is_kept_for_its_time_to_live_counted_from_the_question() {
    let config = ResolverConfig { ttl: Some(5 * SECOND), ..ResolverConfig::default() };
    let (resolver, asked) = resolver(config, &["10.0.0.1"]);
    let start = Instant::now();
    for (after, expected) in [(0, 1), (4, 1), (5, 2), (9, 2), (10, 3)] {
        let addr = ask(&resolver, "Example.COM", start + after * SECOND).unwrap();
        assert_eq!(addr, "10.0.0.1:80".parse().unwrap());
        assert_eq!(asked.load(Ordering::SeqCst), expected, "after {after} s");
    }
}

#[test]
fn zero_keeps_nothing_and_none_keeps_for_ever() {
    for (ttl, expected) in [(Some(Duration::ZERO), 2), (None, 1), (Some(Duration::MAX), 1)] {
        let (resolver, asked) = resolver(ResolverConfig { ttl, ..ResolverConfig::default() }, &["10.0.0.1"]);
        let start = Instant::now();
        ask(&resolver, "a", start).unwrap();
        ask(&resolver, "a", start + 1_000_000 * SECOND).unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), expected, "{ttl:?}");
    }
}

#[test]
fn questions_for_one_name_at_the_same_time_are_asked_once() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: SystemLookup = Arc::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        gate.lock().recv().unwrap();
        Ok(vec![IpAddr::from([10, 0, 0, 1])])
    });
    let resolver = Resolver::new(ResolverConfig { lookup, ..ResolverConfig::default() });
    let (tx, rx) = mpsc::channel();
    for port in 1..=3 {
        let tx = tx.clone();
        let lookup = resolver.lookup("a", port, Instant::now(), move |lookup| tx.send(lookup).unwrap());
        assert!(lookup.is_none());
    }
    go.send(()).unwrap();
    let ports: Vec<u16> = rx.iter().take(3).map(|lookup| lookup.unwrap().port()).collect();
    assert_eq!(ports, [1, 2, 3]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn failures_are_told_apart_and_not_kept() {
    let answers = Mutex::new(vec![
        Ok(vec![IpAddr::from([10, 0, 0, 1])]),
        Err(io::Error::other("failed to lookup address information: Temporary failure in name resolution")),
        Err(io::Error::other("failed to lookup address information: Name or service not known")),
        Ok(vec![]),
    ]);
    let lookup: SystemLookup = Arc::new(move |_| answers.lock().pop().unwrap());
    let resolver = Resolver::new(ResolverConfig { lookup, ..ResolverConfig::default() });
    let now = Instant::now();
    assert!(matches!(ask(&resolver, "a", now), Err(DnsError::NoSuchHost { .. })));
    let error = ask(&resolver, "a", now).unwrap_err();
    assert_eq!(error.to_string(), "lookup a: no such host");
    assert!(matches!(ask(&resolver, "a", now), Err(DnsError::Failed { .. })));
    assert!(ask(&resolver, "a", now).is_ok());
}

#[test]
fn the_policy_may_leave_nothing() {
    let config = ResolverConfig { policy: Policy::OnlyIpv6, ..ResolverConfig::default() };
    let (resolver, _) = resolver(config, &["10.0.0.1"]);
    assert!(matches!(ask(&resolver, "a", Instant::now()), Err(DnsError::NoneAllowed { .. })));
}

#[test]
fn given_hosts_come_before_literals_and_the_system() {
    let hosts = Hosts::parse([("example.com", "10.0.0.9:1234"), ("127.0.0.1", "10.0.0.8")]).unwrap();
    let (resolver, asked) = resolver(ResolverConfig { hosts, ..ResolverConfig::default() }, &["10.0.0.1"]);
    let now = Instant::now();
    assert_eq!(ask(&resolver, "EXAMPLE.com", now).unwrap(), "10.0.0.9:1234".parse().unwrap());
    assert_eq!(ask(&resolver, "127.0.0.1", now).unwrap(), "10.0.0.8:80".parse().unwrap());
    assert_eq!(ask(&resolver, "127.0.0.2", now).unwrap(), "127.0.0.2:80".parse().unwrap());
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn round_robin_goes_on_from_where_the_waiters_left_it() {
    let config = ResolverConfig { select: Select::RoundRobin, ..ResolverConfig::default() };
    let (resolver, _) = resolver(config, &["10.0.0.1", "10.0.0.2"]);
    let now = Instant::now();
    let ips: Vec<String> = (0..4).map(|_| ask(&resolver, "a", now).unwrap().ip().to_string()).collect();
    assert_eq!(ips, ["10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.2"]);
}

#[test]
fn the_round_goes_on_when_answers_are_not_kept() {
    let config =
        ResolverConfig { select: Select::RoundRobin, ttl: Some(Duration::ZERO), ..ResolverConfig::default() };
    let (resolver, asked) = resolver(config, &["10.0.0.1", "10.0.0.2"]);
    let now = Instant::now();
    let ips: Vec<String> = (0..3).map(|_| ask(&resolver, "a", now).unwrap().ip().to_string()).collect();
    assert_eq!(ips, ["10.0.0.1", "10.0.0.2", "10.0.0.1"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn blocked_names_are_not_asked_for_even_with_a_given_address() {
    let config = ResolverConfig {
        hosts: Hosts::parse([("blk.test", "10.0.0.9")]).unwrap(),
        blocked: HostPatterns::parse(["blk.test", "*.x.test", "*0.0.1"]).unwrap(),
        ..ResolverConfig::default()
    };
    let (resolver, asked) = resolver(config, &["10.0.0.1"]);
    for (host, pattern) in [("BLK.test", "blk.test"), ("a.x.test", "*.x.test")] {
        let error = ask(&resolver, host, Instant::now()).unwrap_err();
        assert_eq!(error.to_string(), format!("hostname ({host}) is in a blocked pattern ({pattern})"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(ask(&resolver, "x.test", Instant::now()).is_ok());
    assert!(ask(&resolver, "10.0.0.1", Instant::now()).is_ok(), "an address is no name");
}

#[test]
fn blacklisted_addresses_are_refused_wherever_they_come_from() {
    let config = ResolverConfig {
        hosts: Hosts::parse([("given.test", "10.0.0.9")]).unwrap(),
        blacklist: vec!["192.168.0.0/16".parse().unwrap(), "10.0.0.0/8".parse().unwrap()],
        ..ResolverConfig::default()
    };
    let (resolver, _) = resolver(config, &["10.0.0.1"]);
    for (host, ip) in [
        ("given.test", "10.0.0.9"),
        ("10.1.2.3", "10.1.2.3"),
        ("looked.up", "10.0.0.1"),
        ("looked.up", "10.0.0.1"),
    ] {
        let error = ask(&resolver, host, Instant::now()).unwrap_err();
        assert_eq!(error.to_string(), format!("IP ({ip}) is in a blacklisted range (10.0.0.0/8)"));
    }
    assert!(ask(&resolver, "127.0.0.1", Instant::now()).is_ok());
}
