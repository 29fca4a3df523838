//! Host names to addresses, without blocking a loop.

mod cidr;
mod hosts;
mod patterns;
mod select;

pub use cidr::{Cidr, CidrError};
pub use hosts::{Hosts, HostsError};
pub use patterns::{HostPatterns, PatternError};
pub use select::{Policy, Select};

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ws_proto::TimeLimit;

/// More threads than this would not help: lookups are rare (each answer serves everybody for the time to live) and
/// the system's resolver keeps few questions in flight itself.
const MAX_THREADS: usize = 4;

/// The outcome of a lookup.
pub type Lookup = Result<SocketAddr, DnsError>;

/// Asks the system for the addresses of a host. Runs on a helper thread and may block.
pub type SystemLookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// How names are looked up.
#[derive(Clone)]
pub struct ResolverConfig {
    /// How long an answer is used, counted from the moment it was asked for. `None`: for ever. Zero: once only.
    /// Failures are never kept. Default: 5 minutes.
    pub ttl: Option<Duration>,
    /// Which of several addresses is taken. Default: a random one.
    pub select: Select,
    /// Which kinds of addresses are taken. Default: IPv4 if there are any.
    pub policy: Policy,
    /// Names with given addresses. Default: none.
    pub hosts: Hosts,
    /// Names that have no address, also if `hosts` gives one. Default: none.
    pub blocked: HostPatterns,
    /// Addresses that are nobody's, wherever they come from. Default: none.
    pub blacklist: Vec<Cidr>,
    /// Where answers come from. Default: the system's resolver (`getaddrinfo`).
    pub lookup: SystemLookup,
}

impl Default for ResolverConfig {
    fn default() -> Self {
        ResolverConfig {
            ttl: Some(Duration::from_secs(300)),
            select: Select::default(),
            policy: Policy::default(),
            hosts: Hosts::default(),
            blocked: HostPatterns::default(),
            blacklist: Vec::new(),
            lookup: Arc::new(|host| Ok((host, 0).to_socket_addrs()?.map(|addr| addr.ip()).collect())),
        }
    }
}

impl ResolverConfig {
    /// The address, unless it is blacklisted.
    fn admit(&self, addr: SocketAddr) -> Lookup {
        match self.blacklist.iter().find(|range| range.contains(addr.ip())) {
            Some(&range) => Err(DnsError::Blacklisted { ip: addr.ip(), range }),
            None => Ok(addr),
        }
    }
}

impl fmt::Debug for ResolverConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResolverConfig { ttl, select, policy, hosts, blocked, blacklist, lookup: _ } = self;
        f.debug_struct("ResolverConfig")
            .field("ttl", ttl)
            .field("select", select)
            .field("policy", policy)
            .field("hosts", hosts)
            .field("blocked", blocked)
            .field("blacklist", blacklist)
            .finish_non_exhaustive()
    }
}

/// Why a name has no address.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DnsError {
    /// The system knows no such name.
    #[error("lookup {host}: no such host")]
    NoSuchHost {
        /// The name asked for.
        host: String,
    },
    /// The name has addresses, but none that the [`Policy`] allows.
    #[error("lookup {host}: no such host")]
    NoneAllowed {
        /// The name asked for.
        host: String,
    },
    /// The system could not say.
    #[error("lookup {host}: {source}")]
    Failed {
        /// The name asked for.
        host: String,
        /// The system's words.
        source: Arc<io::Error>,
    },
    /// The name is one of those that were [`blocked`](ResolverConfig::blocked).
    #[error("hostname ({host}) is in a blocked pattern ({pattern})")]
    Blocked {
        /// The name asked for.
        host: String,
        /// The pattern it matches.
        pattern: String,
    },
    /// The address is one of those that were [blacklisted](ResolverConfig::blacklist).
    #[error("IP ({ip}) is in a blacklisted range ({range})")]
    Blacklisted {
        /// The address, given or looked up.
        ip: IpAddr,
        /// The range it belongs to.
        range: Cidr,
    },
    /// The answer did not come within the time a connection may take.
    #[error("lookup {host}: i/o timeout")]
    Timeout {
        /// The name asked for.
        host: String,
        /// Which limit it was.
        limit: TimeLimit,
        /// How long it is.
        after: Duration,
    },
}

/// Looks names up and keeps the answers. Clones share them: one resolver serves all loops of a run.
///
/// IP literals, names in [`Hosts`] and kept answers are answered at once; anything else by one of at most four
/// helper threads, which live as long as there is something to look up. Several questions for one name at the same
/// time are asked once.
///
/// # Examples
///
/// ```
/// use std::time::Instant;
/// use ws_loop::{Resolver, ResolverConfig};
///
/// let resolver = Resolver::new(ResolverConfig::default());
/// let answer = resolver.lookup("::1", 80, Instant::now(), |_| unreachable!("no thread is asked"));
/// assert_eq!(answer.unwrap().unwrap(), "[::1]:80".parse().unwrap());
/// ```
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    config: ResolverConfig,
    state: Mutex<State>,
}

struct State {
    names: HashMap<String, Name>,
    /// Names to ask for, with the moment of the question.
    jobs: VecDeque<(String, Instant)>,
    threads: usize,
    random: u64,
}

enum Name {
    /// An answer. `taken` counts how often it served, answers before it included.
    Known {
        addresses: Vec<IpAddr>,
        until: Option<Instant>,
        taken: usize,
    },
    Asked {
        waiters: Vec<Waiter>,
        taken: usize,
    },
}

struct Waiter {
    port: u16,
    reply: Box<dyn FnOnce(Lookup) + Send>,
}

impl Resolver {
    /// A resolver that knows nothing yet and has no thread yet.
    pub fn new(config: ResolverConfig) -> Self {
        let random = RandomState::new().hash_one(0) | 1;
        let state = State { names: HashMap::new(), jobs: VecDeque::new(), threads: 0, random };
        Resolver { shared: Arc::new(Shared { config, state: Mutex::new(state) }) }
    }

    /// Finds the address of `host` (no brackets around IPv6; any case) for `port`.
    ///
    /// What can be answered without waiting is returned, and `reply` is dropped. Otherwise the result is `None` and
    /// `reply` is called on a helper thread, exactly once. `now` decides whether a kept answer is still good.
    pub fn lookup(
        &self,
        host: &str,
        port: u16,
        now: Instant,
        reply: impl FnOnce(Lookup) + Send + 'static,
    ) -> Option<Lookup> {
        let config = &self.shared.config;
        let (given, host) = (host, host.to_ascii_lowercase());
        let literal = host.parse().ok();
        if literal.is_none()
            && let Some(pattern) = config.blocked.find(&host)
        {
            let (host, pattern) = (given.to_owned(), pattern.to_owned());
            return Some(Err(DnsError::Blocked { host, pattern }));
        }
        if let Some(addr) = config.hosts.find(&host, port) {
            return Some(config.admit(addr));
        }
        if let Some(ip) = literal {
            return Some(config.admit(SocketAddr::new(ip, port)));
        }
        let state = &mut *self.shared.state.lock();
        match state.names.get_mut(&host) {
            Some(Name::Known { addresses, until, taken }) if until.is_none_or(|until| now < until) => {
                let ip = config.select.pick(addresses, taken, &mut state.random);
                Some(config.admit(SocketAddr::new(ip, port)))
            }
            Some(Name::Asked { waiters, .. }) => {
                waiters.push(Waiter { port, reply: Box::new(reply) });
                None
            }
            outdated => {
                let taken = match outdated {
                    Some(Name::Known { taken, .. }) => *taken,
                    _ => 0,
                };
                if let Err(source) = self.ensure_thread(state) {
                    return Some(Err(DnsError::Failed { host, source: Arc::new(source) }));
                }
                let waiter = Waiter { port, reply: Box::new(reply) };
                state.names.insert(host.clone(), Name::Asked { waiters: vec![waiter], taken });
                state.jobs.push_back((host, now));
                None
            }
        }
    }

    /// Sees to it that a thread will look at the jobs once the lock is released.
    fn ensure_thread(&self, state: &mut State) -> io::Result<()> {
        if state.threads == MAX_THREADS {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("ws-resolver".into()).stack_size(256 << 10);
        match thread.spawn(move || shared.work()) {
            Ok(_) => state.threads += 1,
            // The threads there are will get round to it.
            Err(_) if state.threads > 0 => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::new(ResolverConfig::default())
    }
}

impl Shared {
    /// A helper thread: works until nothing is left to look up.
    fn work(&self) {
        loop {
            let (host, asked) = {
                let mut state = self.state.lock();
                let Some(job) = state.jobs.pop_front() else {
                    state.threads -= 1;
                    return;
                };
                job
            };
            let answer = (self.config.lookup)(&host);
            for (waiter, lookup) in self.settle(&host, asked, answer) {
                (waiter.reply)(lookup);
            }
        }
    }

    /// Notes an answer, and pairs each waiter with what it is to be told once the lock is released.
    fn settle(&self, host: &str, asked: Instant, answer: io::Result<Vec<IpAddr>>) -> Vec<(Waiter, Lookup)> {
        let state = &mut *self.state.lock();
        let (waiters, mut taken) = match state.names.remove(host) {
            Some(Name::Asked { waiters, taken }) => (waiters, taken),
            _ => (Vec::new(), 0),
        };
        let addresses = match self.judge(host, answer) {
            Ok(addresses) => addresses,
            Err(error) => return waiters.into_iter().map(|waiter| (waiter, Err(error.clone()))).collect(),
        };
        let mut reply = |waiter: Waiter| {
            let ip = self.config.select.pick(&addresses, &mut taken, &mut state.random);
            let lookup = self.config.admit(SocketAddr::new(ip, waiter.port));
            (waiter, lookup)
        };
        let replies = waiters.into_iter().map(&mut reply).collect();
        // A time to live too long for the clock is as good as for ever. One of zero is over already; what is kept is
        // the place in the round.
        let until = self.config.ttl.and_then(|ttl| asked.checked_add(ttl));
        state.names.insert(host.to_owned(), Name::Known { addresses, until, taken });
        replies
    }

    fn judge(&self, host: &str, answer: io::Result<Vec<IpAddr>>) -> Result<Vec<IpAddr>, DnsError> {
        let host = host.to_owned();
        match answer {
            Ok(addresses) if addresses.is_empty() => Err(DnsError::NoSuchHost { host }),
            Ok(addresses) => {
                let addresses = self.config.policy.filter(addresses);
                if addresses.is_empty() { Err(DnsError::NoneAllowed { host }) } else { Ok(addresses) }
            }
            Err(error) if says_no_such_host(&error) => Err(DnsError::NoSuchHost { host }),
            Err(error) => Err(DnsError::Failed { host, source: Arc::new(error) }),
        }
    }
}

/// The standard library has no error kind for `EAI_NONAME` and `EAI_NODATA`; only the C library's words tell them
/// from a resolver that cannot be reached.
fn says_no_such_host(error: &io::Error) -> bool {
    let text = error.to_string();
    ["not known", "No address associated", "nodename nor servname"].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests;
