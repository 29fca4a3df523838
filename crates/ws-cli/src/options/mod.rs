//! Options: raw per source, then one resolved [`Options`].
//!
//! A value can be set in the script, in the environment and on the command line. Each source is read into a
//! [`Layer`] of its own (what was said), [`merge`] lays them on top of each other, and [`validate`] turns the outcome
//! into [`Options`] (what it means) or into the list of everything that is wrong with it.

pub(crate) mod env;
pub(crate) mod flags;
mod json;
pub(crate) mod known;
pub(crate) mod merge;
pub(crate) mod network;
mod parse;
pub(crate) mod runtime;
pub(crate) mod scenario;
pub(crate) mod script;
pub(crate) mod tls;
pub(crate) mod validate;

use indexmap::IndexMap;
use ws_engine::ScenarioConfig;
use ws_engine::duration::GoDuration;
use ws_js::Compat;
use ws_loop::{AddressPool, Cidr, HostPatterns};

use self::network::Dns;

/// The options one source has set; `None` is "not mentioned".
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Layer {
    pub(crate) vus: Option<i64>,
    pub(crate) iterations: Option<i64>,
    pub(crate) duration: Option<GoDuration>,
    pub(crate) scenarios: Option<Vec<ScenarioConfig>>,
    pub(crate) thresholds: Option<IndexMap<String, Vec<RawThreshold>>>,
    pub(crate) tags: Option<IndexMap<String, String>>,
    pub(crate) system_tags: Option<Vec<String>>,
    pub(crate) hosts: Option<IndexMap<String, String>>,
    pub(crate) dns: Option<Dns>,
    pub(crate) block_hostnames: Option<HostPatterns>,
    pub(crate) blacklist_ips: Option<Vec<Cidr>>,
    /// Not an option of scripts.
    pub(crate) local_ips: Option<AddressPool>,
    pub(crate) user_agent: Option<String>,
    pub(crate) insecure_skip_tls_verify: Option<bool>,
    pub(crate) tls_auth: Option<Vec<tls::RawIdentity>>,
    pub(crate) tls_cipher_suites: Option<Vec<String>>,
    pub(crate) tls_version: Option<tls::RawVersions>,
    pub(crate) tls_resumption: Option<bool>,
    pub(crate) no_cookies_reset: Option<bool>,
    pub(crate) strict_utf8: Option<bool>,
    pub(crate) throw: Option<bool>,
    pub(crate) no_setup: Option<bool>,
    pub(crate) no_teardown: Option<bool>,
    pub(crate) setup_timeout: Option<GoDuration>,
    pub(crate) teardown_timeout: Option<GoDuration>,
    pub(crate) handle_summary_timeout: Option<GoDuration>,
    pub(crate) summary_trend_stats: Option<Vec<String>>,
    pub(crate) summary_time_unit: Option<String>,
    pub(crate) compat: Option<Compat>,
}

/// One threshold as written: the expression is parsed by the metrics, which know what it may say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawThreshold {
    pub(crate) source: String,
    pub(crate) abort_on_fail: bool,
    pub(crate) delay_abort_eval: Option<GoDuration>,
}
