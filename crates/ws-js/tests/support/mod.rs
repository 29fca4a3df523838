//! Runs scripts on a [`Runtime`] against a server of the test's own, and collects what came of it.

#![allow(dead_code, unreachable_pub)] // Each test file uses its own part.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use ws_js::{
    Assignment, Compat, Iteration, IterationOutcome, Level, Log, Main, Next, PlatformOptions, Record,
    Runtime, RuntimeOptions, Script, ScriptOptions, Settings, Work,
};
use ws_loop::{EchoServer, Proxies, Resolver};
use ws_metrics::{
    Detail, Pipeline, PipelineConfig, Registry, Report, SinkValue, SystemTags, TagSets, WallClock,
};
use ws_proto::{Limits, TlsOptions};

/// What to run.
pub struct Plan {
    pub script: String,
    pub vus: usize,
    pub iterations: u64,
    pub drivers: Option<usize>,
    pub env: BTreeMap<String, String>,
    pub throw: bool,
    pub compat: Compat,
}

impl Plan {
    pub fn new(script: impl Into<String>) -> Self {
        Self {
            script: script.into(),
            vus: 1,
            iterations: 1,
            drivers: None,
            env: BTreeMap::new(),
            throw: false,
            compat: Compat::K6,
        }
    }

    pub fn vus(mut self, vus: usize) -> Self {
        self.vus = vus;
        self
    }

    pub fn iterations(mut self, iterations: u64) -> Self {
        self.iterations = iterations;
        self
    }

    pub fn drivers(mut self, drivers: usize) -> Self {
        self.drivers = Some(drivers);
        self
    }

    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.insert(name.to_owned(), value.to_string());
        self
    }

    /// Runs to the end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Starts and leaves the rest to the caller.
    pub fn start(self) -> Running {
        ws_js::initialize(&platform());
        let script = if gc_stress() { self.script + COLLECT } else { self.script };
        let log = Arc::new(Lines::default());
        let (registry, tag_sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
        let script = Script::load(ScriptOptions {
            main: Main::from_source(Path::new("/script.js"), script).unwrap(),
            env: self.env,
            mode: Default::default(),
            registry: Arc::clone(&registry),
            tag_sets: Arc::clone(&tag_sets),
            log: Arc::clone(&log) as Arc<dyn Log>,
        })
        .unwrap_or_else(|error| panic!("{error}"));
        let pipeline = Pipeline::start(PipelineConfig::new(registry, tag_sets)).unwrap();
        let settings = Settings {
            user_agent: "ws-test".to_owned(),
            no_cookies_reset: false,
            throw: self.throw,
            tls: TlsOptions { skip_verify: true, ..TlsOptions::default() },
            resolver: Resolver::default(),
            local_ips: None,
            proxies: Proxies::default(),
            run_tags: Vec::new(),
            system_tags: SystemTags::default_set(),
            limits: Limits::default(),
            detail: Detail::Summed,
            extended_metrics: false,
            redact_query: false,
            http: Default::default(),
            compat: self.compat,
        };
        let runtime = Runtime::new(
            &script,
            RuntimeOptions {
                vus: self.vus,
                max_vus: self.vus,
                drivers: self.drivers,
                settings,
                samples: pipeline.sender(),
                wall: WallClock::new(Instant::now(), SystemTime::now()),
            },
        )
        .unwrap();
        runtime.init_vus(&|| ()).unwrap();
        let work = Arc::new(Rounds::new(self.vus, self.iterations));
        let running = Running { runtime, pipeline, log, work, started: Instant::now() };
        for vu in 0..self.vus {
            running.activate(vu);
        }
        running
    }
}

/// V8 as the tests of this process want it: `WS_TEST_V8_FLAGS` adds flags to those that the test file asks
/// for (V8 can be configured only once in a process).
fn platform() -> PlatformOptions {
    let more = std::env::var("WS_TEST_V8_FLAGS").unwrap_or_default();
    let own = match env!("CARGO_CRATE_NAME") {
        "gc_stress" => "--gc-interval=500 --stress-compaction --expose-gc",
        "memory" => "--max-old-space-size=96",
        "reconnects" => "--expose-gc",
        _ => "",
    };
    PlatformOptions { flags: [own, &more].join(" ").split_whitespace().map(str::to_owned).collect() }
}

/// What V8 built for use and not for debugging makes of `--gc-interval` is nothing, so a script under stress asks
/// for collections itself: now and then in a handler, so on another thread than the one whose stack waits in
/// `connect`. With `--stress-compaction` each of them is a full one that moves what it can.
const COLLECT: &str = "
    ;(() => {
      let events = __VU * 37;
      const collect = () => {
        events += 1;
        if (events % 500 === 0) gc();
      };
      const connect = ws.connect;
      ws.connect = (...args) => {
        const callback = args.pop();
        return connect(...args, (socket) => {
          const on = (name, handler) => socket.on(name, (...values) => { collect(); handler(...values); });
          callback({ ...socket, on });
        });
      };
    })();
";

/// Whether this process collects garbage all the time, and is slow for that.
pub fn gc_stress() -> bool {
    env!("CARGO_CRATE_NAME") == "gc_stress"
}

/// A run under way.
pub struct Running {
    pub runtime: Runtime,
    pipeline: Pipeline,
    log: Arc<Lines>,
    work: Arc<Rounds>,
    started: Instant,
}

impl Running {
    /// Waits until all VUs have stopped.
    pub fn finish(self) -> Outcome {
        self.work.wait();
        let elapsed = self.started.elapsed();
        self.runtime.flush_samples();
        let gc_pauses = self.runtime.gc_pauses().count;
        let used_bytes = self.runtime.heap().used_bytes;
        drop(self.runtime);
        let report = self.pipeline.finish(elapsed);
        Outcome {
            lines: std::mem::take(&mut self.log.0.lock().unwrap()),
            report,
            complete: self.work.complete.load(Relaxed),
            failed: self.work.failed.load(Relaxed),
            interrupted: self.work.interrupted.load(Relaxed),
            elapsed,
            gc_pauses,
            used_bytes,
        }
    }

    fn activate(&self, vu: usize) {
        self.work.idle[vu].store(false, Relaxed);
        self.runtime.activate(
            vu,
            Assignment {
                scenario: "default".into(),
                executor: "per-vu-iterations".into(),
                exec: "default".into(),
                tags: Arc::new([]),
                env: Arc::new([]),
                setup_data: None,
                started: self.started,
                slot: vu,
                vu_in_test: vu as u64 + 1,
                work: Arc::clone(&self.work) as Arc<dyn Work>,
            },
        );
    }

    /// Lets no further iteration of the VU begin, cuts its present one short, and waits until it is idle.
    pub fn stop(&self, vu: usize) {
        self.work.taken[vu].store(u64::MAX / 2, Relaxed);
        self.runtime.interrupt(vu);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.work.idle[vu].load(Relaxed) {
            assert!(Instant::now() < deadline, "VU {vu} stops");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Gives a VU that has stopped its iterations anew.
    pub fn again(&self, vu: usize) {
        self.work.taken[vu].store(0, Relaxed);
        *self.work.stopped.lock().unwrap() -= 1;
        self.activate(vu);
    }

    /// Lets no further iteration begin and cuts all short.
    pub fn interrupt_all(&self, vus: usize) {
        self.work.left.store(0, Relaxed);
        for vu in 0..vus {
            self.runtime.interrupt(vu);
        }
    }

    /// How many iterations each VU has begun.
    pub fn begun(&self) -> Vec<u64> {
        self.work.taken.iter().map(|taken| taken.load(Relaxed)).collect()
    }

    /// Whether all VUs have stopped.
    pub fn is_done(&self) -> bool {
        *self.work.stopped.lock().unwrap() == self.work.count.load(Relaxed)
    }

    /// The lines logged so far.
    pub fn lines(&self) -> Vec<String> {
        self.log.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    /// Waits until the log has `count` lines like this one.
    pub fn wait_for_lines(&self, like: &str, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.lines().iter().filter(|line| line.contains(like)).count() < count {
            assert!(Instant::now() < deadline, "{count} lines like {like:?}; there are {:?}", self.lines());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What came of a run.
pub struct Outcome {
    pub lines: Vec<(Level, String)>,
    pub report: Report,
    pub complete: u64,
    pub failed: u64,
    pub interrupted: u64,
    pub elapsed: Duration,
    pub gc_pauses: u64,
    /// What the heaps held at the end, garbage included.
    pub used_bytes: usize,
}

impl Outcome {
    /// The logged lines without their levels, and without details for finding faults.
    pub fn text(&self) -> Vec<&str> {
        self.lines.iter().filter(|(level, _)| *level != Level::Debug).map(|(_, line)| line.as_str()).collect()
    }

    /// The sum of a counter; 0 if it has no samples.
    pub fn count(&self, metric: &str) -> f64 {
        match self.report.metric(metric).map(|metric| &metric.value) {
            Some(SinkValue::Counter { sum, .. }) => *sum,
            None => 0.0,
            Some(other) => panic!("{metric} is no counter: {other:?}"),
        }
    }

    /// How many values a trend has.
    pub fn trend_count(&self, metric: &str) -> u64 {
        match self.report.metric(metric).map(|metric| &metric.value) {
            Some(SinkValue::Trend(trend)) => trend.count(),
            None => 0,
            Some(other) => panic!("{metric} is no trend: {other:?}"),
        }
    }
}

/// The same number of iterations for each VU.
struct Rounds {
    taken: Vec<AtomicU64>,
    idle: Vec<AtomicBool>,
    left: AtomicU64,
    stopped: Mutex<usize>,
    changed: Condvar,
    complete: AtomicU64,
    failed: AtomicU64,
    interrupted: AtomicU64,
    count: AtomicUsize,
}

impl Rounds {
    fn new(vus: usize, iterations: u64) -> Self {
        Self {
            taken: (0..vus).map(|_| AtomicU64::new(0)).collect(),
            idle: (0..vus).map(|_| AtomicBool::new(true)).collect(),
            left: AtomicU64::new(iterations),
            stopped: Mutex::new(0),
            changed: Condvar::new(),
            complete: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            count: AtomicUsize::new(vus),
        }
    }

    fn wait(&self) {
        let all = self.count.load(Relaxed);
        let stopped = self.stopped.lock().unwrap();
        let limit = Duration::from_secs(120);
        let (stopped, wait) =
            self.changed.wait_timeout_while(stopped, limit, |stopped| *stopped < all).unwrap();
        assert!(!wait.timed_out(), "{} of {all} VUs have stopped", *stopped);
    }
}

impl Work for Rounds {
    fn next(&self, slot: usize) -> Next {
        let number = self.taken[slot].fetch_add(1, Relaxed);
        if number < self.left.load(Relaxed) {
            Next::Run(Iteration { in_instance: number, in_test: number, due: None })
        } else {
            Next::Stop
        }
    }

    fn progress(&self) -> f64 {
        0.0
    }

    fn ended(&self, _: usize, outcome: IterationOutcome) {
        let counter = match outcome {
            IterationOutcome::Complete => &self.complete,
            IterationOutcome::Failed => &self.failed,
            IterationOutcome::Interrupted => &self.interrupted,
        };
        counter.fetch_add(1, Relaxed);
    }

    fn stopped(&self, slot: usize) {
        *self.stopped.lock().unwrap() += 1;
        self.idle[slot].store(true, Relaxed);
        self.changed.notify_all();
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<(Level, String)>>);

impl Log for Lines {
    fn write(&self, record: &Record<'_>) {
        self.0.lock().unwrap().push((record.level, record.message.to_owned()));
    }
}

/// Bytes that a [`Proxy`] has passed on.
#[derive(Default)]
pub struct Passed {
    pub to_client: AtomicU64,
    pub to_server: AtomicU64,
}

/// Passes bytes between clients and a server, and counts them.
pub struct Proxy {
    pub url: String,
    pub passed: Arc<Passed>,
    /// What the server has not said: written to each client as soon as it has been answered.
    pub inject: Arc<Mutex<Vec<u8>>>,
    /// What clients have sent.
    pub heard: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            url: format!("ws://{}", listener.local_addr().unwrap()),
            passed: Arc::default(),
            inject: Arc::default(),
            heard: Arc::default(),
        };
        let (passed, inject, heard) =
            (Arc::clone(&proxy.passed), Arc::clone(&proxy.inject), Arc::clone(&proxy.heard));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else { return };
                let (passed, inject, heard) = (Arc::clone(&passed), Arc::clone(&inject), Arc::clone(&heard));
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let counted = Arc::clone(&passed);
                std::thread::spawn(move || {
                    pump(from, to, &counted.to_server, |bytes| {
                        let mut heard = heard.lock().unwrap();
                        if heard.len() < 1 << 20 {
                            heard.extend_from_slice(bytes);
                        }
                        Vec::new()
                    });
                });
                std::thread::spawn(move || {
                    pump(server, client, &passed.to_client, |_| std::mem::take(&mut inject.lock().unwrap()));
                });
            }
        });
        proxy
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64, mut seen: impl FnMut(&[u8]) -> Vec<u8>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let more = seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).and_then(|()| to.write_all(&more)).is_err() {
            break;
        }
        count.fetch_add(length as u64, Relaxed);
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// A server that accepts connections (into its backlog) and never says a word.
pub fn stalled_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// How many groups a run has that has at least as many VUs (and no more than 500 for each): the VUs 1 and
/// `groups() + 1` share one.
pub fn groups() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// An echo server and the address scripts reach it under.
pub fn echo_server() -> (EchoServer, String) {
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let server = EchoServer::start(address).unwrap();
    let url = format!("ws://{}", server.local_addr());
    (server, url)
}
