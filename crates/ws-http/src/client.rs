//! The client: what all users share, and the threads that do the work.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::task::AbortHandle;
use ws_loop::{Proxies, Resolver};
use ws_proto::TlsConfig;

use crate::connections::Connections;
use crate::error::Error;
use crate::exchange;
use crate::pace::Pace;
use crate::request::Request;
use crate::response::Outcome;

/// Makes the settings for TLS, when the first `https` address is asked for.
type MakeTls = Arc<dyn Fn() -> Result<TlsConfig, String> + Send + Sync>;

/// What a [`Client`] is made of.
#[derive(Clone)]
pub struct ClientConfig {
    /// Looks names up. Default: the system's resolver.
    pub resolver: Resolver,
    /// Proxies to go through. Default: none.
    pub proxies: Proxies,
    /// How to speak TLS. Called for each connection; keep what it makes. Default: with the system's roots.
    pub tls: MakeTls,
    /// For the lookup, and then again for the TCP connection. Default: 30 s.
    pub connect_timeout: Duration,
    /// Whether connections serve further requests. Default: yes.
    pub keep_alive: bool,
    /// How many idle connections a user keeps to a host. Default: 6.
    pub idle_per_host: usize,
    /// How many requests per second all users make together. Default: no limit.
    pub per_second: Option<f64>,
    /// How long the body of a response may be in bytes, decoded or not. Default: 512 MiB.
    pub body_limit: u64,
}

impl Default for ClientConfig {
    fn default() -> Self {
        let tls = OnceLock::<Result<TlsConfig, String>>::new();
        Self {
            resolver: Resolver::default(),
            proxies: Proxies::default(),
            tls: Arc::new(move || {
                tls.get_or_init(|| TlsConfig::new(&Default::default()).map_err(|error| error.to_string()))
                    .clone()
            }),
            connect_timeout: Duration::from_secs(30),
            keep_alive: true,
            idle_per_host: 6,
            per_second: None,
            body_limit: 512 << 20,
        }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig").finish_non_exhaustive()
    }
}

/// An HTTP client for all users of a process. Its threads begin with the first request and end with the client.
#[derive(Debug)]
pub struct Client {
    core: Arc<Core>,
    runtime: OnceLock<Runtime>,
}

/// What requests under way need of the client: not its threads, which must not end on one of themselves.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: ClientConfig,
    pub(crate) pace: Option<Pace>,
}

/// A request under way.
#[derive(Debug)]
pub struct Pending(AbortHandle);

impl Pending {
    /// Gives the request up: its connection is closed, and its outcome, unless there is one already, is
    /// [`Error::Aborted`].
    pub fn abort(&self) {
        self.0.abort();
    }
}

impl Client {
    /// A client that has done nothing yet.
    pub fn new(config: ClientConfig) -> Self {
        let pace = config.per_second.map(Pace::per_second);
        Self { core: Arc::new(Core { config, pace }), runtime: OnceLock::new() }
    }

    /// Makes a request. `done` is called exactly once, on a thread of the client: it must not wait for anything.
    pub fn send(
        &self,
        connections: &Connections,
        request: Request,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) -> Pending {
        let (core, connections) = (Arc::clone(&self.core), connections.clone());
        let answer = Answer(Some(done));
        let task = async move {
            if let Some(pace) = &core.pace {
                tokio::time::sleep_until(pace.turn(Instant::now()).into()).await;
            }
            let outcome = exchange::run(&core, &connections, &request).await;
            answer.give(outcome);
        };
        Pending(self.runtime().spawn(task).abort_handle())
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.get_or_init(|| {
            // Requests are short and wait most of the time. Fewer threads hand less work to each other.
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            Builder::new_multi_thread()
                .worker_threads(cores.div_ceil(4))
                .max_blocking_threads(1)
                .thread_name("ws-http")
                .enable_io()
                .enable_time()
                .build()
                .expect("the operating system gives threads and a poll")
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Nobody waits for what is under way.
            runtime.shutdown_background();
        }
    }
}

impl Core {
    pub(crate) fn tls(&self) -> Result<TlsConfig, Error> {
        (self.config.tls)().map_err(Error::TlsOptions)
    }
}

/// Sees to it that somebody who waits for an outcome gets one, whatever becomes of the task.
struct Answer<F: FnOnce(Outcome)>(Option<F>);

impl<F: FnOnce(Outcome)> Answer<F> {
    fn give(mut self, outcome: Outcome) {
        if let Some(done) = self.0.take() {
            done(outcome);
        }
    }
}

impl<F: FnOnce(Outcome)> Drop for Answer<F> {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Outcome { hops: Vec::new(), result: Err(Error::Aborted) });
        }
    }
}
