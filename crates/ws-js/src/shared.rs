//! What all groups of a run read and none changes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Once, OnceLock};

use ws_loop::{AddressPool, Proxies, Resolver};
use ws_metrics::{BatchSender, Detail, Registry, SystemTags, TagSetId, TagSets, WallClock};
use ws_proto::{Limits, TlsConfig, TlsOptions, UrlError, mask_password, mask_query};

use crate::group::pool::Pool;
use crate::log::{Level, Log, Record};
use crate::modules::Sources;

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
    /// Whom `k6/websockets` follows where k6 and the web's standard contradict each other.
    pub compat: Compat,
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
            compat: Compat::K6,
        }
    }
}

/// See the module's documentation.
pub(crate) struct Shared {
    parts: Parts,
    pub(crate) pool: Arc<Pool>,
    run_tags: TagSetId,
    tls: OnceLock<Result<TlsConfig, String>>,
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
    pub(crate) registry: Arc<Registry>,
    pub(crate) tag_sets: Arc<TagSets>,
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
            tls: OnceLock::new(),
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
        let url = mask_password(url);
        if !self.settings.redact_query {
            return url;
        }
        match url {
            Cow::Borrowed(url) => mask_query(url),
            Cow::Owned(url) => Cow::Owned(mask_query(&url).into_owned()),
        }
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

    /// The address that a VU connects from, if it matters; `number` is its `__VU`.
    pub(crate) fn local_ip(&self, number: u32) -> Option<IpAddr> {
        // VU 0, which setup() and teardown() run in, shares the first one's.
        let index = u64::from(number.saturating_sub(1));
        self.settings.local_ips.as_ref().map(|pool| pool.pick(index))
    }

    /// How to speak TLS, made when the first `wss` address is dialled: reading the system's root
    /// certificates takes milliseconds.
    pub(crate) fn tls(&self) -> Result<TlsConfig, String> {
        let make = || {
            let config = TlsConfig::new(&self.settings.tls).map_err(|error| error.to_string())?;
            for warning in config.warnings() {
                let message = &format!("certificates to trust: {warning}");
                self.log.write(&Record { level: Level::Warning, message, fields: &[] });
            }
            Ok(config)
        };
        self.tls.get_or_init(make).clone()
    }
}
