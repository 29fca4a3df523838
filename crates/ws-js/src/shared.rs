//! What all groups of a run read and none changes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Once, OnceLock};

use ws_loop::{AddressPool, Proxies, Resolver};
use ws_metrics::{BatchSender, Detail, Registry, SystemTags, TagSetId, TagSets, WallClock};
use ws_proto::{Limits, TlsConfig, TlsOptions, UrlError, mask_password, mask_query};

use crate::api::data::SharedArrays;
use crate::faults::Faults;
use crate::group::pool::Pool;
use crate::log::{Level, Log, Record};
use crate::modules::Sources;
use crate::script::CompatibilityMode;

/// Options of a run that the JavaScript side needs, consolidated.
#[derive(Clone)]
pub struct Settings {
    /// Value of the `User-Agent` header; empty: none is sent.
    pub user_agent: String,
    /// Keep a VU's cookies from one iteration to the next.
    pub no_cookies_reset: bool,
    /// Failed connections and bad metric values throw.
    pub throw: bool,
    /// How to speak TLS, and whom to trust.
    pub tls: TlsOptions,
    /// Looks names up, with the `hosts` of the run on top.
    pub resolver: Resolver,
    /// Addresses to connect from, dealt out to the VUs in turn.
    pub local_ips: Option<AddressPool>,
    /// HTTP proxies to go through.
    pub proxies: Proxies,
    /// Tags of every sample.
    pub run_tags: Vec<(String, String)>,
    /// Which tags the tool sets by itself.
    pub system_tags: SystemTags,
    /// Sizes and times that a connection must not exceed.
    pub limits: Limits,
    /// Whether someone wants every sample, or sums suffice.
    pub detail: Detail,
    /// Measure what k6 does not, too: the metrics of `--extended-metrics`.
    pub extended_metrics: bool,
    /// Show no values of queries: neither in tags nor in logs and errors.
    pub redact_query: bool,
    /// How `k6/http` makes requests.
    pub http: HttpOptions,
    /// Whom `k6/websockets` follows where k6 and the web's standard contradict each other.
    pub compat: Compat,
}

/// Options of the run for `k6/http`.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpOptions {
    /// How many redirects are followed; `None`: 10, and a warning where there are more.
    pub max_redirects: Option<u32>,
    /// How many requests of a `batch()` are under way at the same time; 0: all.
    pub batch: usize,
    /// How many of them to one host; 0: all.
    pub batch_per_host: usize,
    /// How many requests per second all VUs make together; `None`: as many as they can.
    pub rps: Option<f64>,
    /// Each request has a connection of its own.
    pub no_connection_reuse: bool,
    /// Each iteration begins without connections.
    pub no_vu_connection_reuse: bool,
    /// Bodies are read and dropped, unless a request says what it wants of its own.
    pub discard_response_bodies: bool,
    /// Whether requests and responses are written to the log.
    pub debug: Option<HttpDebug>,
}

/// How much of HTTP is written to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpDebug {
    /// All but the bodies.
    Heads,
    /// Everything.
    Full,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            max_redirects: None,
            batch: 20,
            batch_per_host: 6,
            rps: None,
            no_connection_reuse: false,
            no_vu_connection_reuse: false,
            discard_response_bodies: false,
            debug: None,
        }
    }
}

/// The two parties that `k6/websockets` can follow where they contradict each other; `docs/compat.md` lists the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compat {
    /// k6.
    #[default]
    K6,
    /// The web's own `WebSocket`.
    Web,
}

impl Default for Settings {
    /// What a run without options has: nothing is thrown, certificates are verified, and the tags are k6's.
    fn default() -> Self {
        Self {
            user_agent: concat!("ws/", env!("CARGO_PKG_VERSION")).to_owned(),
            no_cookies_reset: false,
            throw: false,
            tls: TlsOptions::default(),
            resolver: Resolver::default(),
            local_ips: None,
            proxies: Proxies::default(),
            run_tags: Vec::new(),
            system_tags: SystemTags::default_set(),
            limits: Limits::default(),
            detail: Detail::Summed,
            extended_metrics: false,
            redact_query: false,
            http: HttpOptions::default(),
            compat: Compat::K6,
        }
    }
}

/// See the module's documentation.
pub(crate) struct Shared {
    parts: Parts,
    pub(crate) pool: Arc<Pool>,
    run_tags: TagSetId,
    tls: Arc<OnceLock<Result<TlsConfig, String>>>,
    http: OnceLock<ws_http::Client>,
    /// Why connections have failed.
    pub(crate) faults: Faults,
    /// The warning that the param `latency` measures nothing.
    pub(crate) unmeasured_latency: Once,
    /// The warning that a server has sent more than the limits allow.
    limit_met: Once,
    /// The warning that there are no more file descriptors.
    descriptors_met: Once,
}

/// What others give to a run; read through [`Shared`].
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) sources: Arc<Sources>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) mode: CompatibilityMode,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tag_sets: Arc<TagSets>,
    pub(crate) arrays: Arc<SharedArrays>,
    pub(crate) log: Arc<dyn Log>,
    /// `None` in the first init stage: nothing can be measured yet.
    pub(crate) samples: Option<BatchSender>,
    pub(crate) wall: WallClock,
}

impl Deref for Shared {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let run_tags = parts.tag_sets.merge(TagSetId::EMPTY, &parts.settings.run_tags);
        Arc::new(Self {
            parts,
            pool: Arc::default(),
            run_tags,
            tls: Arc::default(),
            http: OnceLock::new(),
            faults: Faults::default(),
            unmeasured_latency: Once::new(),
            limit_met: Once::new(),
            descriptors_met: Once::new(),
        })
    }

    /// The run's own tags, interned.
    pub(crate) fn run_tags(&self) -> TagSetId {
        self.run_tags
    }

    /// Says, once in a run, that a server has sent too much: a script need not listen for errors.
    pub(crate) fn warn_of_limit(&self, what: &str) {
        self.limit_met.call_once(|| {
            let message = &format!("a connection was closed with code 1009, others may follow: {what}");
            self.log.write(&Record { level: Level::Warning, message, fields: &[] });
        });
    }

    /// A URL as tags, logs and errors may show it.
    pub(crate) fn presentable<'a>(&self, url: &'a str) -> Cow<'a, str> {
        match mask_password(url) {
            Cow::Borrowed(url) => self.with_its_query(url),
            Cow::Owned(url) => Cow::Owned(self.with_its_query(&url).into_owned()),
        }
    }

    /// A URL with as much of its query as may be shown.
    pub(crate) fn with_its_query<'a>(&self, url: &'a str) -> Cow<'a, str> {
        if self.settings.redact_query { mask_query(url) } else { Cow::Borrowed(url) }
    }

    /// Why a text is no URL, with no more of it than may be shown.
    pub(crate) fn url_fault(&self, error: UrlError) -> String {
        if self.settings.redact_query { error.without_query() } else { error }.to_string()
    }

    /// Says, once in a run, that sockets cannot be made: how many a script wants is only seen then.
    pub(crate) fn warn_of_descriptors(&self) {
        self.descriptors_met.call_once(|| {
            let message = "a connection could not be made for want of file descriptors, others may follow; \
                           raise the limit with 'ulimit -n' (as root, or in /etc/security/limits.conf)";
            self.log.write(&Record { level: Level::Warning, message, fields: &[] });
        });
    }

    /// The address that a VU connects from, if it matters; `number` is its `__VU`, and `nth` says how many addresses
    /// further on than its own.
    pub(crate) fn local_ip(&self, number: u32, nth: u32) -> Option<IpAddr> {
        // VU 0, which setup() and teardown() run in, shares the first one's.
        let index = u64::from(number.saturating_sub(1)) + u64::from(nth);
        self.settings.local_ips.as_ref().map(|pool| pool.pick(index))
    }

    /// How to speak TLS, made when the first `wss` address is dialled: reading the system's root
    /// certificates takes milliseconds.
    pub(crate) fn tls(&self) -> Result<TlsConfig, String> {
        self.tls.get_or_init(|| make_tls(&self.settings.tls, &*self.log)).clone()
    }

    /// The client of `k6/http`, made for the first request.
    pub(crate) fn http(&self) -> &ws_http::Client {
        self.http.get_or_init(|| {
            let Settings { resolver, proxies, limits, http, .. } = &self.settings;
            let (tls, options, log) =
                (Arc::clone(&self.tls), self.settings.tls.clone(), Arc::clone(&self.log));
            ws_http::Client::new(ws_http::ClientConfig {
                resolver: resolver.clone(),
                proxies: proxies.clone(),
                tls: Arc::new(move || tls.get_or_init(|| make_tls(&options, &*log)).clone()),
                connect_timeout: limits.connect_timeout,
                keep_alive: !http.no_connection_reuse,
                idle_per_host: if http.batch_per_host == 0 { usize::MAX } else { http.batch_per_host },
                per_second: http.rps,
                // A longer one could not be shown to the script.
                body_limit: limits.max_message.min(v8::String::MAX_LENGTH as u64),
            })
        })
    }
}

/// Makes the TLS settings of a run, and says which certificates cannot be trusted.
fn make_tls(options: &TlsOptions, log: &dyn Log) -> Result<TlsConfig, String> {
    let config = TlsConfig::new(options).map_err(|error| error.to_string())?;
    for warning in config.warnings() {
        let message = &format!("certificates to trust: {warning}");
        log.write(&Record { level: Level::Warning, message, fields: &[] });
    }
    Ok(config)
}
