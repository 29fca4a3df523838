//! The client: what all users share, and the threads that do the work.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};
use ws_loop::{Proxies, Resolver};
use ws_proto::TlsConfig;

use crate::connections::Connections;
use crate::error::Error;
use crate::exchange;
use crate::pace::Pace;
use crate::request::Request;
use crate::response::Outcome;
use crate::target::Target;

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

/// How many requests of a batch are under way at the same time. `None`: all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchLimits {
    /// Altogether.
    pub together: Option<usize>,
    /// To one host and port.
    pub per_host: Option<usize>,
}

/// A request, or a batch of them, under way.
#[derive(Debug)]
pub struct Pending(AbortHandle);

impl Pending {
    /// Gives the request up: its connection is closed, and its outcome, unless there is one already, is
    /// [`Error::Aborted`](crate::Error::Aborted); a batch has none at all then.
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
        let answer = Answer::new(done);
        let task = async move {
            answer.give(paced(&core, &connections, &request).await);
        };
        Pending(self.runtime().spawn(task).abort_handle())
    }

    /// Makes several requests at the same time, as many as `limits` allow. `done` gets the outcomes in the order of the
    /// requests.
    pub fn send_all(
        &self,
        connections: &Connections,
        requests: Vec<Request>,
        limits: BatchLimits,
        done: impl FnOnce(Vec<Outcome>) + Send + 'static,
    ) -> Pending {
        let (core, connections) = (Arc::clone(&self.core), connections.clone());
        let answer = Answer::new(done);
        let task = async move {
            let all = Arc::new(Semaphore::new(limits.together.unwrap_or(Semaphore::MAX_PERMITS)));
            let mut hosts = HashMap::<Option<String>, Arc<Semaphore>>::new();
            let mut tasks = JoinSet::new();
            let count = requests.len();
            for (place, request) in requests.into_iter().enumerate() {
                let host = Target::parse(&request.url).ok().map(|target| target.authority().to_owned());
                let one_host = hosts.entry(host).or_insert_with(|| {
                    Arc::new(Semaphore::new(limits.per_host.unwrap_or(Semaphore::MAX_PERMITS)))
                });
                let (all, one_host) = (Arc::clone(&all), Arc::clone(one_host));
                let (core, connections) = (Arc::clone(&core), connections.clone());
                tasks.spawn(async move {
                    // Never closed, so there is always a permit in the end.
                    let _turn = (one_host.acquire().await, all.acquire().await);
                    (place, paced(&core, &connections, &request).await)
                });
            }
            let mut outcomes: Vec<Outcome> = (0..count).map(|_| Outcome::aborted()).collect();
            while let Some(ended) = tasks.join_next().await {
                if let Ok((place, outcome)) = ended {
                    outcomes[place] = outcome;
                }
            }
            answer.give(outcomes);
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

/// Makes a request when its turn has come.
async fn paced(core: &Core, connections: &Connections, request: &Request) -> Outcome {
    if let Some(pace) = &core.pace {
        tokio::time::sleep_until(pace.turn(Instant::now()).into()).await;
    }
    exchange::run(core, connections, request).await
}

/// Sees to it that somebody who waits for outcomes gets them, whatever becomes of the task.
struct Answer<T: Unanswered, F: FnOnce(T)>(Option<F>, PhantomData<fn(T)>);

/// What is given to somebody whose task has come to nothing.
trait Unanswered {
    fn unanswered() -> Self;
}

impl Unanswered for Outcome {
    fn unanswered() -> Self {
        Outcome::aborted()
    }
}

impl Unanswered for Vec<Outcome> {
    fn unanswered() -> Self {
        Vec::new()
    }
}

impl<T: Unanswered, F: FnOnce(T)> Answer<T, F> {
    fn new(done: F) -> Self {
        Self(Some(done), PhantomData)
    }

    fn give(mut self, outcome: T) {
        if let Some(done) = self.0.take() {
            done(outcome);
        }
    }
}

impl<T: Unanswered, F: FnOnce(T)> Drop for Answer<T, F> {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(T::unanswered());
        }
    }
}
