//! What servers answer to the upgrade request, and what becomes of credentials and secrets in a URL.

use ws_e2e::fixture::{Fixture, is_ws};
use ws_e2e::process::Finished;
use ws_e2e::server::TestServer;

/// Dials each path or URL with both modules and says what came of it.
const SCRIPT: &str = "
    import ws from 'k6/ws';
    import { WebSocket } from 'k6/websockets';
    export default function () {
      for (const target of JSON.parse(__ENV.TARGETS)) {
        const url = target.startsWith('/') ? __ENV.WS_URL + target : target;
        let first = '';
        const res = ws.connect(url, null, (socket) => {
          socket.on('message', (text) => { first = text; socket.close(); });
          socket.on('open', () => socket.send('hello'));
        });
        console.log(`${res.status} '${res.error}' ${first.replaceAll('\\n', '|')}`);
      }
      for (const target of JSON.parse(__ENV.TARGETS)) {
        const url = target.startsWith('/') ? __ENV.WS_URL + target : target;
        try {
          const socket = new WebSocket(url);
          socket.onopen = () => { console.log(`open ${target}`); socket.close(); };
          socket.onerror = (e) => console.log(`error ${target.length} ${e.error}`);
        } catch (e) {
          console.log(`threw ${e.message}`);
        }
      }
    }";

/// Runs the script; `{}` in a target is the server's address.
fn run(server: &TestServer, targets: &[&str], args: &[&str]) -> (Finished, Fixture) {
    let fixture = Fixture::new(SCRIPT);
    let targets: Vec<_> =
        targets.iter().map(|target| target.replace("{}", &server.address().to_string())).collect();
    let targets = serde_json::to_string(&targets).unwrap();
    let run = fixture
        .run()
        .args(args)
        .arg_value("--env", format!("WS_URL={}", server.url()))
        .arg_value("--env", format!("TARGETS={targets}"))
        .arg_value("--out", "json=points.json")
        .arg_value("--summary-export", "report.json");
    (run.finish().unwrap(), fixture)
}

#[test]
fn interim_responses_are_no_answer() {
    if !is_ws("interim responses") {
        return;
    }
    let server = TestServer::start().unwrap();
    let targets = ["/early/100", "/early/103?n=20", "/early/102"];
    let (finished, _fixture) = run(&server, &targets, &[]);
    let console = finished.console();
    assert_eq!(console[..3], ["101 '' hello"; 3], "{finished:#?}");
    let mut open = console[3..].to_vec();
    open.sort();
    assert_eq!(open, ["open /early/100", "open /early/102", "open /early/103?n=20"], "{finished:#?}");
    // So many that they could go on for ever.
    let (finished, _fixture) = run(&server, &["/early/103?n=30000"], &[]);
    assert!(finished.console()[0].starts_with("0 'response head exceeds max_headers"), "{finished:#?}");
}

#[test]
fn an_answer_that_opens_no_socket_is_an_error_that_says_why() {
    if !is_ws("the cause behind 'bad handshake'") {
        return;
    }
    let server = TestServer::start().unwrap();
    let refused = |cause: &str| format!("websocket: bad handshake: {cause}");
    let expected = [
        ("/status/404", 404, refused("status 404")),
        ("/status/301", 301, refused("status 301")),
        ("/badaccept", 101, refused("wrong Sec-WebSocket-Accept in the answer")),
        ("/lacks/Sec-WebSocket-Accept", 101, refused("wrong Sec-WebSocket-Accept in the answer")),
        ("/lacks/Upgrade", 101, refused("no 'Upgrade: websocket' in the answer")),
        ("/lacks/Connection", 101, refused("no 'Connection: Upgrade' in the answer")),
        ("/badext", 101, "websocket: invalid compression negotiation".to_owned()),
    ];
    let targets: Vec<_> = expected.iter().map(|(target, ..)| *target).collect();
    let (finished, _fixture) = run(&server, &targets, &[]);
    let mut told = finished.console();
    told[targets.len()..].sort();
    let mut events: Vec<_> =
        expected.iter().map(|(to, _, text)| format!("error {} {text}", to.len())).collect();
    events.sort();
    let returned = expected.iter().map(|(_, status, text)| format!("{status} '{text}' "));
    assert_eq!(told, returned.chain(events).collect::<Vec<_>>(), "{finished:#?}");
    let (finished, _fixture) = run(&server, &["/badaccept"], &["--throw"]);
    let thrown = "GoError: websocket: bad handshake: wrong Sec-WebSocket-Accept in the answer";
    assert!(finished.stderr.contains(thrown), "{finished:#?}");
}

#[test]
fn what_cannot_stand_in_a_request_line_is_encoded() {
    if !is_ws("encoded queries") {
        return;
    }
    let server = TestServer::start().unwrap();
    let (finished, _fixture) = run(&server, &["/headers?a b=\u{fc}&c=%20\"%zz"], &[]);
    let first = &finished.console()[0];
    assert!(first.starts_with("101 '' GET /headers?a%20b=%C3%BC&c=%20\"%zz|"), "{finished:#?}");
}

#[test]
fn credentials_of_a_url_are_sent_and_never_shown() {
    if !is_ws("credentials in a URL") {
        return;
    }
    let server = TestServer::start().unwrap();
    let sent = "|Authorization: Basic bWU6czNjcjN0IQ==|";
    let (finished, fixture) = run(&server, &["ws://me:s3cr3t%21@{}/headers"], &["--verbose"]);
    let console = finished.console();
    assert!(console[0].starts_with("101 '' ") && console[0].contains(sent), "{finished:#?}");
    let points = std::fs::read_to_string(fixture.path("points.json")).unwrap();
    let tag = format!("\"url\":\"ws://me:xxxxx@{}/headers\"", server.address());
    assert!(points.contains(&tag), "{points}");
    assert!(!points.contains("s3cr3t"), "{points}");
}

#[test]
fn the_password_of_a_refused_url_is_not_shown_either() {
    if !is_ws("passwords in texts about URLs") {
        return;
    }
    let server = TestServer::start().unwrap();
    let targets = [
        "ws://me:s3cr3t@{}/status/401",
        "ws://me:s3cr3t@127.0.0.1:1/",
        "ws://me:s3cr3t@127.0.0.1:99x11/",
        "ws://me:s3cr3t@127.0.0.1:99999/",
        "ws://me:s3cr3t x@127.0.0.1/",
        "ws://me:s3cr3t/x@127.0.0.1/",
        "ws://me:s3cr3t?x@127.0.0.1/",
        "ws://me:s3cr3t#x@127.0.0.1/",
        "ws://me:%zzs3cr3t@127.0.0.1/",
        "ws://me:s3cr3t@no name/",
        "ws://me:s3cr3t@::1/",
        "ws://me:s3cr3t@",
        "ws:/me:s3cr3t@127.0.0.1/",
        "http://me:s3cr3t@127.0.0.1/",
        "me:s3cr3t@127.0.0.1",
        "://me:s3cr3t@127.0.0.1",
    ];
    for args in [&["--verbose"][..], &["--verbose", "--throw"], &["--verbose", "--compat", "web"]] {
        let (finished, fixture) = run(&server, &targets, args);
        assert_eq!(finished.code, Some(0), "{finished:#?}");
        let mut all = vec![finished.stdout, finished.stderr];
        for file in ["points.json", "report.json"] {
            all.push(std::fs::read_to_string(fixture.path(file)).unwrap());
        }
        for text in all {
            assert!(!text.contains("s3cr3t"), "with {args:?}: {text}");
        }
    }
}

#[test]
fn a_url_that_is_none_is_quoted_with_what_is_wrong() {
    if !is_ws("what is wrong with a URL") {
        return;
    }
    let server = TestServer::start().unwrap();
    let expected = [
        ("http://h/?q", "malformed ws or wss URL: \"http://h/?q\" has the scheme \"http\", not ws or wss"),
        (
            "localhost:9001",
            "malformed ws or wss URL: \"localhost:9001\" has the scheme \"localhost\", not ws or wss",
        ),
        ("ws:/x", "malformed ws or wss URL: \"ws:/x\" has no host"),
        ("ws://h:70000", "dial tcp: address 70000: invalid port: \"ws://h:70000\""),
        ("ws://::1/", "address ::1: too many colons in address: \"ws://::1/\" (IPv6 goes in brackets)"),
    ];
    let targets: Vec<_> = expected.iter().map(|(target, _)| *target).collect();
    let (finished, _fixture) = run(&server, &targets, &[]);
    let returned: Vec<_> = expected.iter().map(|(_, error)| format!("0 '{error}' ")).collect();
    assert_eq!(finished.console()[..targets.len()], returned, "{finished:#?}");
}

#[test]
fn queries_can_be_kept_out_of_tags_and_errors() {
    if !is_ws("--redact-query") {
        return;
    }
    let server = TestServer::start().unwrap();
    let targets = ["/echo?token=s3cr3t&room=", "http://h/?token=s3cr3t", "ws://h:x/?s3cr3t"];
    for (args, env, hidden) in [
        (&["--redact-query"][..], "", true),
        (&[][..], "1", true),
        (&["--redact-query=false"][..], "1", false),
        (&[][..], "", false),
    ] {
        let fixture = Fixture::new(SCRIPT);
        let targets = serde_json::to_string(&targets).unwrap();
        let finished = fixture
            .run()
            .args(args)
            .env("K6_REDACT_QUERY", env)
            .arg_value("--env", format!("WS_URL={}", server.url()))
            .arg_value("--env", format!("TARGETS={targets}"))
            .arg_value("--out", "json=points.json")
            .finish()
            .unwrap();
        assert!(finished.console().contains(&"101 '' hello".to_owned()), "{finished:#?}");
        let points = std::fs::read_to_string(fixture.path("points.json")).unwrap();
        let tag = format!("\"url\":\"{}/echo?token=xxxxx&room=\"", server.url());
        // JSON writes `&` as it is or escaped.
        assert_eq!(points.replace("\\u0026", "&").contains(&tag), hidden, "{points}");
        for text in [&points, &finished.stderr.replace("open /echo?token=s3cr3t&room=", "")] {
            assert_eq!(text.contains("s3cr3t"), !hidden, "{text}");
        }
    }
}
