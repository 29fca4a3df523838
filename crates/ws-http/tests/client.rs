//! The client against servers that say exactly what a test wants them to.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ws_http::{
    Auth, BatchLimits, Client, ClientConfig, Coding, Connections, Error, Outcome, Protocol, Request,
    RequestCookie,
};
use ws_proto::CookieJar;

/// A server that gives each request, in the order in which they come, the next of its answers. `None` closes the
/// connection without one.
struct Server {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
}

fn serve(answers: &[Option<&str>]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut answers: Vec<Option<String>> =
        answers.iter().rev().map(|answer| answer.map(str::to_owned)).collect();
    let (heard, connections) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<usize>>::default());
    let (hears, counts) = (Arc::clone(&heard), Arc::clone(&connections));
    std::thread::spawn(move || {
        for peer in listener.incoming() {
            let mut peer = peer.unwrap();
            *counts.lock().unwrap() += 1;
            while let Some(request) = hear(&mut peer) {
                hears.lock().unwrap().push(request);
                match answers.pop() {
                    Some(Some(answer)) => peer.write_all(answer.as_bytes()).unwrap(),
                    Some(None) => break,
                    None => return,
                }
                if answers.last().is_some_and(|next| next.as_deref() == Some("(close)")) {
                    answers.pop();
                    break;
                }
            }
        }
    });
    Server { addr, heard, connections }
}

/// Head and body of a request.
fn hear(peer: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        peer.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let length =
        head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    peer.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

impl Server {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

struct User {
    client: Client,
    connections: Connections,
}

impl User {
    fn new() -> Self {
        Self::with(ClientConfig::default())
    }

    fn with(config: ClientConfig) -> Self {
        let client = Client::new(config);
        let connections = Connections::new(&client, None);
        Self { client, connections }
    }

    fn ask(&self, request: Request) -> Outcome {
        let (done, outcome) = mpsc::channel();
        self.client.send(&self.connections, request, move |outcome| done.send(outcome).unwrap());
        outcome.recv_timeout(Duration::from_secs(60)).expect("an outcome comes in any case")
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[test]
fn a_user_keeps_its_connection_and_another_has_its_own() {
    let server = serve(&[Some(OK), Some(OK), Some("(close)"), Some(OK)]);
    let user = User::new();
    for reused in [false, true] {
        let outcome = user.ask(Request::new("GET", &server.url("/a")));
        let hop = &outcome.hops[0];
        assert_eq!((hop.status, hop.peer), (Some(200), Some(server.addr)));
        assert_eq!(hop.timings.connecting.is_zero(), reused);
        assert!(hop.timings.duration() <= hop.ended - hop.started);
        assert_eq!(outcome.result.unwrap().protocol, Protocol::Http11);
    }
    assert_eq!(*server.connections.lock().unwrap(), 1);
    let (read, written) = user.connections.take_traffic();
    assert_eq!(read, 2 * OK.len() as u64);
    assert_eq!(written, server.heard().iter().map(String::len).sum::<usize>() as u64);
    assert_eq!(user.connections.take_traffic(), (0, 0));
    User { connections: Connections::new(&user.client, None), ..user }
        .ask(Request::new("GET", &server.url("/b")));
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[test]
fn requests_look_as_k6s_do() {
    let server = serve(&[Some(OK), Some(OK), Some(OK), Some(OK)]);
    let user = User::new();
    user.ask(Request::new("GET", &server.url("/a b?c d#e")));
    let mut post = Request::new("POST", &server.url("/"));
    post.headers = vec![("x-mine".into(), "1".into()), ("HOST".into(), "h.test".into())];
    user.ask(post.clone());
    post.body = Some("text".into());
    post.headers.clear();
    post.cookies = vec![RequestCookie { name: "c".into(), value: "d".into(), replaces: false }];
    user.ask(post.clone());
    post.codings = vec![Coding::Gzip];
    post.url = format!("http://u:p@{}/", server.addr);
    user.ask(post);
    let heard = server.heard();
    let addr = server.addr;
    assert_eq!(heard[0], format!("GET /a%20b?c%20d HTTP/1.1\r\nHost: {addr}\r\n\r\n"));
    assert_eq!(heard[1], "POST / HTTP/1.1\r\nHost: h.test\r\nX-Mine: 1\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        heard[2],
        format!("POST / HTTP/1.1\r\nHost: {addr}\r\nCookie: c=d\r\nContent-Length: 4\r\n\r\ntext")
    );
    assert!(heard[3].contains("\r\nContent-Encoding: gzip\r\nAuthorization: Basic dTpw\r\n"), "{}", heard[3]);
}

#[test]
fn a_connection_that_was_closed_while_idle_is_replaced() {
    let server = serve(&[Some(OK), Some("(close)"), Some(OK)]);
    let user = User::new();
    assert_eq!(user.ask(Request::new("GET", &server.url("/"))).result.unwrap().status, 200);
    let outcome = user.ask(Request::new("GET", &server.url("/")));
    assert_eq!((outcome.result.unwrap().status, outcome.hops.len()), (200, 1));
    assert_eq!(*server.connections.lock().unwrap(), 2);
}

#[test]
fn redirects_are_hops_with_cookies_on_the_way() {
    let server = serve(&[
        Some("HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: sid=1; Path=/\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 307 Temporary Redirect\r\nLocation: c\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nok"),
    ]);
    let jar = Arc::new(CookieJar::new());
    let mut request = Request::new("POST", &server.url("/a"));
    request.body = Some("form".into());
    request.jar = Some(Arc::clone(&jar));
    let outcome = User::new().ask(request);
    let hops: Vec<_> = outcome.hops.iter().map(|hop| (&*hop.method, &*hop.url, hop.status)).collect();
    let urls = ["/a", "/b", "/c"].map(|path| server.url(path));
    assert_eq!(
        hops,
        [("POST", &*urls[0], Some(302)), ("GET", &*urls[1], Some(307)), ("GET", &*urls[2], Some(200)),]
    );
    let response = outcome.result.unwrap();
    assert_eq!((&*response.url, &*response.reason), (&*urls[2], "Fine"));
    let heard = server.heard();
    assert!(!heard[0].contains("Cookie: "), "{}", heard[0]);
    assert!(heard[1].contains("\r\nCookie: sid=1\r\n") && heard[2].contains("\r\nCookie: sid=1\r\n"));
}

#[test]
fn the_last_redirect_is_the_response() {
    let again = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n";
    let server = serve(&[Some(again), Some(again), Some(again)]);
    let mut request = Request::new("GET", &server.url("/"));
    request.redirects = 2;
    let outcome = User::new().ask(request);
    assert_eq!(outcome.hops.len(), 3);
    let response = outcome.result.unwrap();
    assert_eq!((response.status, response.redirects_used_up), (302, true));
    let server = serve(&[Some("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")]);
    let response = User::new().ask(Request::new("GET", &server.url("/"))).result.unwrap();
    assert_eq!((response.status, response.redirects_used_up), (302, false), "leads nowhere");
}

#[test]
fn a_digest_challenge_is_answered_once() {
    let challenge = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n";
    let server = serve(&[Some(challenge), Some(OK), Some(challenge), Some(challenge)]);
    let mut request = Request::new("GET", &format!("http://u:p@{}/d", server.addr));
    request.auth = Auth::Digest;
    let user = User::new();
    let outcome = user.ask(request.clone());
    assert_eq!((outcome.hops.len(), outcome.result.unwrap().status), (2, 200));
    let heard = server.heard();
    assert!(!heard[0].contains("Authorization"), "{}", heard[0]);
    assert!(
        heard[1].contains("\r\nAuthorization: Digest ") && heard[1].contains("uri=\"/d\""),
        "{}",
        heard[1]
    );
    let outcome = user.ask(request);
    assert_eq!((outcome.hops.len(), outcome.result.unwrap().status), (2, 401));
}

#[test]
fn faults_are_told_apart() {
    let fault = |answer: Option<&str>| {
        let server = serve(&[answer, Some("(close)")]);
        let outcome = User::new().ask(Request::new("GET", &server.url("/")));
        // What begins something else is no response to the request.
        let is_switch = matches!(outcome.result, Err(Error::Switched { .. }));
        assert_eq!(outcome.hops.len(), usize::from(!is_switch));
        assert!(outcome.hops.iter().all(|hop| hop.status.is_none()));
        match outcome.result {
            Ok(response) => response.fault.unwrap(),
            Err(error) => error,
        }
    };
    assert!(matches!(fault(None), Error::Closed));
    assert!(matches!(fault(Some("hello there\r\n\r\n")), Error::Malformed { .. }));
    assert!(matches!(fault(Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")), Error::Truncated));
    assert!(matches!(
        fault(Some("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")),
        Error::Switched { status: 101, .. }
    ));
    let coded = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc";
    assert!(matches!(fault(Some(coded)), Error::Decode { .. }));
}

#[test]
fn what_cannot_be_sent_is_a_hop_without_a_connection() {
    let user = User::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ask = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::new("GET", &format!("http://{closed}/"));
        change(&mut request);
        let outcome = user.ask(request);
        (outcome.hops.len(), outcome.result.unwrap_err())
    };
    assert!(matches!(ask(&|_| ()), (1, Error::Connect { peer, .. }) if peer == closed));
    assert!(matches!(ask(&|r| r.url = "nope".into()), (1, Error::Scheme { .. })));
    assert!(matches!(ask(&|r| r.url = "http://a b/".into()), (0, Error::Url { .. })));
    assert!(matches!(ask(&|r| r.method = "a b".into()), (1, Error::Method { .. })));
    assert!(matches!(ask(&|r| r.headers.push(("a b".into(), "1".into()))), (1, Error::HeaderName { .. })));
    assert!(
        matches!(ask(&|r| r.headers.push(("a".into(), "x\r\ny".into()))), (1, Error::HeaderValue { name }) if name == "A")
    );
}

#[test]
fn a_silent_server_costs_the_time_limit_and_names_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut request = Request::new("GET", &format!("http://{}/", listener.local_addr().unwrap()));
    request.timeout = Duration::from_millis(50);
    let outcome = User::new().ask(request);
    assert!(matches!(outcome.result, Err(Error::Timeout)));
    let hop = &outcome.hops[0];
    assert_eq!(hop.peer, Some(listener.local_addr().unwrap()));
    assert!(hop.timings.waiting >= Duration::from_millis(20), "{:?}", hop.timings);
}

#[test]
fn a_body_has_a_limit() {
    let server = serve(&[Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789"), Some("(close)")]);
    let user = User::with(ClientConfig { body_limit: 8, ..ClientConfig::default() });
    let response = user.ask(Request::new("GET", &server.url("/"))).result.unwrap();
    assert!(matches!(response.fault, Some(Error::TooLarge { limit: 8 })));
}

#[test]
fn who_gives_up_has_an_outcome_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let user = User::new();
    let (done, outcome) = mpsc::channel();
    let request = Request::new("GET", &format!("http://{}/", listener.local_addr().unwrap()));
    let pending = user.client.send(&user.connections, request, move |outcome| done.send(outcome).unwrap());
    pending.abort();
    let outcome = outcome.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(outcome.result, Err(Error::Aborted)));
}

#[test]
fn a_batch_keeps_its_order_and_its_limits() {
    // One connection after the other: with two at a time the second would wait for ever.
    let server = serve(&[Some(OK), Some(OK), Some(OK)]);
    let user = User::new();
    let mut requests: Vec<_> = ["/1", "/2", "/3"].map(|path| Request::new("GET", &server.url(path))).to_vec();
    requests.push(Request::new("GET", "nope"));
    let limits = BatchLimits { together: Some(3), per_host: Some(1) };
    let (done, outcomes) = mpsc::channel();
    user.client.send_all(&user.connections, requests, limits, move |all| done.send(all).unwrap());
    let outcomes = outcomes.recv_timeout(Duration::from_secs(60)).unwrap();
    let urls: Vec<_> = outcomes.iter().map(|outcome| outcome.hops[0].url.to_string()).collect();
    assert_eq!(urls, [server.url("/1"), server.url("/2"), server.url("/3"), "nope".to_owned()]);
    assert!(outcomes[..3].iter().all(|outcome| outcome.result.is_ok()));
    assert!(matches!(outcomes[3].result, Err(Error::Scheme { .. })));
    assert_eq!(*server.connections.lock().unwrap(), 1);
}
