//! A WebSocket server for tests whose behaviour is chosen by the path of the URL.
//!
//! | path | what it does |
//! |---|---|
//! | `/echo` | echoes text and binary messages, answers pings and closes |
//! | `/headers` | sends the request head back as its first message, then echoes |
//! | `/cookie?name=value` | as `/headers`, and sets that cookie; percent-decoded, so that `%0A` begins another |
//! | `/subproto?choose=name` | agrees to that subprotocol (default: the first one asked for), then echoes |
//! | `/ping?n=2` | sends pings `p0`, `p1`, …, waits for their pongs and reports them in a message, then echoes |
//! | `/pong` | sends an unsolicited pong, then echoes |
//! | `/binary?n=4` | sends a binary message of the bytes 0, 1, …, then echoes |
//! | `/fragments` | sends one text message in three fragments with a ping in between, then echoes |
//! | `/utf8` | sends a text message that is not UTF-8, then echoes |
//! | `/deflate?reply=..` | answers with these extensions (default: what k6 accepts), sends a compressed message, then echoes compressed what comes compressed |
//! | `/burst?n=100` | sends that many messages at once, then closes with 1000 |
//! | `/broadcast?members=20&n=100` | waits until there are so many sessions, then sends so many messages to all, then echoes; not over TLS |
//! | `/close/CODE?reason=..` | closes with that code, and waits for the client's answer |
//! | `/close-nocode` | closes with an empty close frame |
//! | `/late?ms=500&talk=9` | reads nothing for so long, then counts: `/seen` tells `N messages, close CODE` (or `gone`). Sends so many messages of 64 KB at once; with `deaf=1` it never answers the close frame |
//! | `/fin` | ends the connection without a close frame |
//! | `/rst` | resets the connection after the client's first message |
//! | `/rst-mid-message` | the same, after having sent half a frame |
//! | `/violation/KIND` | breaks the protocol in the way that the word says, `rsv1` or `close-code` for example |
//! | `/bigframe?len=N` | announces a frame of so many bytes, sends a few, then reads until the end |
//! | `/status/CODE` | refuses with this status, some headers, a cookie and a body |
//! | `/badaccept` | answers 101 with the accept key of another request |
//! | `/early/CODE?n=2` | answers with so many interim responses of this status before it upgrades, then echoes |
//! | `/lacks/NAME` | answers 101 without this header |
//! | `/badext` | answers 101 with an extension reply that lacks the parameters asked for |
//! | `/garbage` | answers with what is not HTTP |
//! | `/drop` | closes the connection without an answer |
//! | `/stall` | never answers |
//! | `/seen?id=X` | tells, a message a frame, what the last session with this `id` received, then closes; waits for that session's end for 2 seconds, or `wait` |
//!
//! Every path takes `?id=X`; the frames that the client sends in such a session are remembered for `/seen`.

mod deflate;
pub mod frame;
pub mod head;
mod room;
mod session;
mod tls;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

pub use tls::Identity;

/// What a session is spoken over.
pub(crate) trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// The server; it stops accepting when dropped.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl TestServer {
    /// Starts to serve `ws://` on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// Those of binding the port.
    pub fn start() -> io::Result<TestServer> {
        Self::serve(None)
    }

    /// Starts to serve `wss://` with this certificate.
    ///
    /// # Errors
    ///
    /// Those of binding the port.
    pub fn start_tls(identity: Identity) -> io::Result<TestServer> {
        Self::serve(Some(identity))
    }

    fn serve(identity: Option<Identity>) -> io::Result<TestServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let sessions = Arc::new(Sessions::default());
        let acceptor = std::thread::spawn(move || {
            for tcp in listener.incoming() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(tcp), sessions, identity) = (tcp, Arc::clone(&sessions), identity.clone()) else {
                    continue;
                };
                std::thread::spawn(move || {
                    // A client that goes away in the middle is what many tests do; there is nobody to tell.
                    let _ = accept(tcp, identity, &sessions);
                });
            }
        });
        Ok(TestServer { address, stop, acceptor: Some(acceptor) })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the server's root, `ws://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The acceptor sits in accept(): one more connection makes it look at the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn accept(tcp: TcpStream, identity: Option<Identity>, sessions: &Sessions) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    // No test waits longer than this; a session that is forgotten must not keep its thread for ever.
    tcp.set_read_timeout(Some(Duration::from_secs(120)))?;
    let raw = tcp.try_clone()?;
    let stream: Box<dyn Stream> = match identity {
        Some(identity) => Box::new(identity.accept(tcp)?),
        None => Box::new(tcp),
    };
    session::run(stream, &raw, sessions)
}

/// What clients sent in the sessions that carry an `id`, and the sessions that wait for others.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    seen: Mutex<HashMap<String, Seen>>,
    rooms: room::Rooms,
    ended: Condvar,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    frames: Vec<String>,
    ended: bool,
}

impl Sessions {
    fn begin(&self, id: &str) {
        self.lock().insert(id.to_owned(), Seen::default());
    }

    fn record(&self, id: &str, frame: String) {
        self.lock().entry(id.to_owned()).or_default().frames.push(frame);
    }

    fn end(&self, id: &str) {
        self.lock().entry(id.to_owned()).or_default().ended = true;
        self.ended.notify_all();
    }

    /// Waits for the end of the session, so many seconds at the most.
    fn wait(&self, id: &str, seconds: u64) -> Vec<String> {
        let unfinished = |seen: &mut HashMap<String, Seen>| !seen.get(id).is_some_and(|s| s.ended);
        let (seen, _) = self
            .ended
            .wait_timeout_while(self.lock(), Duration::from_secs(seconds), unfinished)
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        seen.get(id).map(|s| s.frames.clone()).unwrap_or_default()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
