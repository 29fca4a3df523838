//! Every option of a run, one row each.
//!
//! A row says all there is to know about how an option is set: its name in the program, its type and how that is
//! written ([`Form`](super::form::Form)), its flag, its variable, its key in JSON, and what the help says. Parsing,
//! merging, help and the completion of shells follow from the table. What an option means is said where it is
//! resolved: in [`validate`](super::validate) or in [`runtime`](super::runtime).

use indexmap::IndexMap;
use ws_engine::duration::GoDuration;
use ws_engine::{ScenarioConfig, Segment, SegmentSequence, StageConfig};
use ws_js::Compat;
use ws_loop::{AddressPool, Cidr, HostPatterns};

use super::features::FEATURES;
use super::form::{
    COMPAT, DURATION, HTTP_DEBUG, INTEGER, LIST, MAP, PRESENCE, SWITCH, TAGS, TEXT, TIME_UNIT, TREND_STATS,
};
use super::network::{self, Dns};
use super::row::Heading::{Connections, Global as AllCommands, Http, Load, Results, Script};
use super::row::Scope::{Global, Run, Runtime, Test};
use super::row::{of, options};
use super::runtime::{self, CompatibilityMode, Output, SummaryMode};
use super::thresholds::{self, RawThreshold};
use super::{scenario, segment, stages, tls};

options! {
    /// Number of virtual users
    vus: i64, INTEGER, of(Test, Load).flag("vus", "N").letter('u').variable("K6_VUS").key("vus");
    /// Number of iterations of the script, all virtual users together
    iterations: i64, INTEGER,
        of(Test, Load).flag("iterations", "N").letter('i').variable("K6_ITERATIONS").key("iterations");
    /// How long the test runs, for example 1m30s
    duration: GoDuration, DURATION,
        of(Test, Load).flag("duration", "DURATION").letter('d').variable("K6_DURATION").key("duration");
    /// A leg of a line that the number of virtual users follows (repeatable)
    stages: Vec<StageConfig>, stages::STAGES,
        of(Test, Load).flag("stage", "DURATION:N").letter('s').variable("K6_STAGES").key("stages");
    /// What runs when, in full
    scenarios: Vec<ScenarioConfig>, scenario::SCENARIOS, of(Test, Load).key("scenarios");
    /// The part of the test that this instance runs, for example 1/3:2/3
    execution_segment: Segment, segment::SEGMENT,
        of(Test, Load).flag("execution-segment", "RANGE").key("executionSegment");
    /// How the test is divided among instances, for example 0,1/3,2/3,1
    execution_segment_sequence: SegmentSequence, segment::SEQUENCE,
        of(Test, Load).flag("execution-segment-sequence", "LIST").key("executionSegmentSequence");
    /// Do not call setup()
    no_setup: bool, SWITCH, of(Test, Load).switch("no-setup").variable("K6_NO_SETUP").key("noSetup");
    /// Do not call teardown()
    no_teardown: bool, SWITCH,
        of(Test, Load).switch("no-teardown").variable("K6_NO_TEARDOWN").key("noTeardown");
    /// How long setup() may take
    setup_timeout: GoDuration, DURATION,
        of(Test, Load).variable("K6_SETUP_TIMEOUT").key("setupTimeout");
    /// How long teardown() may take
    teardown_timeout: GoDuration, DURATION,
        of(Test, Load).variable("K6_TEARDOWN_TIMEOUT").key("teardownTimeout");
    /// How long handleSummary() may take
    handle_summary_timeout: GoDuration, DURATION,
        of(Test, Load).variable("K6_HANDLE_SUMMARY_TIMEOUT").key("handleSummaryTimeout");
    /// Threads that run scripts, instead of as many as the load needs
    drivers: usize, runtime::DRIVERS, of(Run, Load).flag("drivers", "N");

    /// A variable for the script's __ENV (repeatable)
    env: Vec<(String, String)>, runtime::VARIABLES, of(Runtime, Script).flag("env", "NAME=VALUE").letter('e');
    /// Give the script all environment variables, on by default
    include_system_env_vars: bool, SWITCH,
        of(Runtime, Script).switch("include-system-env-vars").variable("K6_INCLUDE_SYSTEM_ENV_VARS");
    /// Throw on bad metric values instead of warning
    throw: bool, SWITCH, of(Test, Script).switch("throw").letter('w').variable("K6_THROW").key("throw");
    /// Whether scripts have `global`: extended (default) or base
    compatibility_mode: CompatibilityMode, runtime::COMPATIBILITY_MODE,
        of(Runtime, Script).flag("compatibility-mode", "MODE").variable("K6_COMPATIBILITY_MODE");
    /// Whom k6/websockets follows where k6 and the web's standard differ: k6 (default) or web
    compat: Compat, COMPAT, of(Test, Script).flag("compat", "WHOM").variable("K6_COMPAT").key("compat");
    /// Try out features of k6, as a comma list: merge-run-tags
    features: Vec<String>, FEATURES,
        of(Run, Script).flag("features", "LIST").variable("K6_FEATURES").key("features");
    /// Start an echo server for this run and put its address into __ENV.WS_URL
    echo: bool, SWITCH, of(Run, Script).switch("echo");

    /// User-Agent header of handshakes
    user_agent: String, TEXT,
        of(Test, Connections).flag("user-agent", "TEXT").variable("K6_USER_AGENT").key("userAgent");
    /// Accept any server certificate
    insecure_skip_tls_verify: bool, SWITCH,
        of(Test, Connections)
            .switch("insecure-skip-tls-verify")
            .variable("K6_INSECURE_SKIP_TLS_VERIFY")
            .key("insecureSkipTLSVerify");
    /// Client certificates
    tls_auth: Vec<tls::RawIdentity>, tls::IDENTITIES,
        of(Test, Connections).variable("K6_TLSAUTH").key("tlsAuth");
    /// Cipher suites to offer
    tls_cipher_suites: Vec<String>, LIST,
        of(Test, Connections).variable("K6_TLS_CIPHER_SUITES").key("tlsCipherSuites");
    /// Versions of TLS to offer
    tls_version: tls::RawVersions, tls::VERSIONS,
        of(Test, Connections).variable("K6_TLS_VERSION").key("tlsVersion");
    /// Resume TLS sessions instead of a full handshake for each connection
    tls_resumption: bool, SWITCH,
        of(Test, Connections).switch("tls-resumption").variable("K6_TLS_RESUMPTION").key("tlsResumption");
    /// How names are looked up, default ttl=5m,select=random,policy=preferIPv4
    dns: Dns, network::DNS, of(Test, Connections).flag("dns", "KEY=VALUE,..").variable("K6_DNS").key("dns");
    /// Addresses of names that are not looked up
    hosts: IndexMap<String, String>, MAP, of(Test, Connections).key("hosts");
    /// Names that must not be dialled, as a comma list; "*" may stand at the beginning (repeatable)
    block_hostnames: HostPatterns, network::PATTERNS,
        of(Test, Connections)
            .flag("block-hostnames", "PATTERNS")
            .variable("K6_BLOCK_HOSTNAMES")
            .key("blockHostnames");
    /// Ranges of addresses that must not be dialled, as a comma list, for example 10.0.0.0/8 (repeatable)
    blacklist_ips: Vec<Cidr>, network::RANGES,
        of(Test, Connections).flag("blacklist-ip", "CIDRS").variable("K6_BLACKLIST_IPS").key("blacklistIPs");
    /// Addresses to connect from, dealt out to the VUs: a comma list of addresses, ranges (A-B) and CIDR blocks
    local_ips: AddressPool, network::LOCAL_IPS,
        of(Test, Connections).flag("local-ips", "LIST").variable("K6_LOCAL_IPS");
    /// Keep cookies from one iteration to the next
    no_cookies_reset: bool, SWITCH,
        of(Test, Connections).variable("K6_NO_COOKIES_RESET").key("noCookiesReset");
    /// End connections on which a text comes that is not UTF-8, with close code 1007
    strict_utf8: bool, SWITCH,
        of(Test, Connections).switch("strict-utf8").variable("K6_STRICT_UTF8").key("strictUtf8");
    /// Show no values of queries in the tag url and in errors
    redact_query: bool, SWITCH,
        of(Test, Connections).switch("redact-query").variable("K6_REDACT_QUERY").key("redactQuery");

    /// Do not keep the bodies of HTTP responses
    discard_response_bodies: bool, SWITCH,
        of(Test, Http)
            .switch("discard-response-bodies")
            .variable("K6_DISCARD_RESPONSE_BODIES")
            .key("discardResponseBodies");
    /// Most redirects to follow, default 10
    max_redirects: i64, INTEGER,
        of(Test, Http).flag("max-redirects", "N").variable("K6_MAX_REDIRECTS").key("maxRedirects");
    /// Most requests of a batch at once, default 20
    batch: i64, INTEGER, of(Test, Http).flag("batch", "N").variable("K6_BATCH").key("batch");
    /// Most requests of a batch at once to the same host, default 6
    batch_per_host: i64, INTEGER,
        of(Test, Http).flag("batch-per-host", "N").variable("K6_BATCH_PER_HOST").key("batchPerHost");
    /// Most HTTP requests per second of all virtual users together
    rps: i64, INTEGER, of(Test, Http).flag("rps", "N").variable("K6_RPS").key("rps");
    /// Do not keep HTTP connections open
    no_connection_reuse: bool, SWITCH,
        of(Test, Http)
            .switch("no-connection-reuse")
            .variable("K6_NO_CONNECTION_REUSE")
            .key("noConnectionReuse");
    /// Do not keep HTTP connections from one iteration to the next
    no_vu_connection_reuse: bool, SWITCH,
        of(Test, Http)
            .switch("no-vu-connection-reuse")
            .variable("K6_NO_VU_CONNECTION_REUSE")
            .key("noVUConnectionReuse");
    /// Log HTTP requests and responses, with bodies if "full"
    http_debug: String, HTTP_DEBUG,
        of(Test, Http).flag("http-debug", "HOW").variable("K6_HTTP_DEBUG").key("httpDebug");

    /// What is expected of metrics
    thresholds: IndexMap<String, Vec<RawThreshold>>, thresholds::THRESHOLDS,
        of(Test, Results).key("thresholds");
    /// Do not evaluate thresholds
    no_thresholds: bool, SWITCH,
        of(Runtime, Results).switch("no-thresholds").variable("K6_NO_THRESHOLDS");
    /// A tag for all samples (repeatable)
    tags: IndexMap<String, String>, TAGS,
        of(Test, Results).flag("tag", "NAME=VALUE").variable("K6_TAGS").key("tags");
    /// The system tags to set, as a comma list
    system_tags: Vec<String>, LIST,
        of(Test, Results).flag("system-tags", "LIST").variable("K6_SYSTEM_TAGS").key("systemTags");
    /// Write what the script says with console to this file instead of the log
    console_output: String, TEXT,
        of(Run, Results).flag("console-output", "FILE").variable("K6_CONSOLE_OUTPUT");
    /// Write all samples: json=FILE, or json to standard output (repeatable)
    outputs: Vec<Output>, runtime::OUTPUTS,
        of(Run, Results).flag("out", "TYPE[=ARG]").letter('o').variable("K6_OUT").key("out");
    /// Serve the live metrics to Prometheus: http://ADDR/metrics
    prometheus: String, TEXT, of(Run, Results).flag("prometheus", "ADDR");
    /// Measure more than k6 does: ws_handshake_*, ws_msg_latency, ws_generator_delay, iteration_start_lateness
    extended_metrics: bool, SWITCH,
        of(Run, Results).switch("extended-metrics").variable("K6_EXTENDED_METRICS");
    /// No report at the end, neither as text nor as a file
    no_summary: bool, SWITCH, of(Runtime, Results).switch("no-summary").variable("K6_NO_SUMMARY");
    /// Taken and without effect: nothing is ever reported to anybody
    no_usage_report: bool, SWITCH,
        of(Run, Results).switch("no-usage-report").variable("K6_NO_USAGE_REPORT").key("noUsageReport");
    /// How much the report shows: compact, or disabled for no report
    summary_mode: SummaryMode, runtime::SUMMARY_MODE,
        of(Runtime, Results).flag("summary-mode", "MODE").variable("K6_SUMMARY_MODE");
    /// Write the report as JSON to this file, too; "-" is standard output
    summary_export: String, TEXT,
        of(Runtime, Results).flag("summary-export", "FILE").variable("K6_SUMMARY_EXPORT");
    /// Columns of trends in the report, default avg,min,med,max,p(90),p(95)
    summary_trend_stats: Vec<String>, TREND_STATS,
        of(Test, Results)
            .flag("summary-trend-stats", "LIST")
            .variable("K6_SUMMARY_TREND_STATS")
            .key("summaryTrendStats");
    /// Unit of times in the report: s, ms or us
    summary_time_unit: String, TIME_UNIT,
        of(Test, Results)
            .flag("summary-time-unit", "UNIT")
            .variable("K6_SUMMARY_TIME_UNIT")
            .key("summaryTimeUnit");

    /// File with options in JSON, default k6/config.json in your configuration directory
    config: String, TEXT, of(Global, AllCommands).flag("config", "FILE").letter('c').variable("K6_CONFIG");
    /// No banner, description and progress; logs and the report remain
    quiet: bool, SWITCH, of(Global, AllCommands).switch("quiet").letter('q');
    /// No colours
    no_color: bool, PRESENCE, of(Global, AllCommands).switch("no-color").variable("K6_NO_COLOR");
    /// Log messages of level debug, too
    verbose: bool, SWITCH, of(Global, AllCommands).switch("verbose").letter('v');
    /// Where the log goes: stderr, stdout, none or file=PATH[,level=LEVEL]
    log_output: String, TEXT, of(Global, AllCommands).flag("log-output", "TARGET").variable("K6_LOG_OUTPUT");
    /// How the log looks: text, json or raw
    log_format: String, TEXT, of(Global, AllCommands).flag("log-format", "FORMAT").variable("K6_LOG_FORMAT");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::known::NOT_YET;
    use super::*;

    #[test]
    fn no_name_is_taken_twice() {
        let mut seen = HashSet::new();
        let names = OPTIONS.iter().map(|row| row.names).chain(NOT_YET.iter().map(|option| option.names));
        for names in names {
            let flag = names.flag;
            let all = [
                flag.map(|flag| format!("--{}", flag.long)),
                flag.and_then(|flag| flag.letter).map(|letter| format!("-{letter}")),
                names.variable.map(str::to_owned),
                names.key.map(str::to_lowercase),
            ];
            for name in all.into_iter().flatten() {
                assert!(seen.insert(name.clone()), "{name}");
            }
        }
    }

    #[test]
    fn what_a_higher_source_does_not_mention_stays() {
        let mut layer = Layer { vus: Some(1), throw: Some(true), ..Layer::default() };
        layer.put(Layer { vus: Some(2), no_setup: Some(false), ..Layer::default() });
        assert_eq!(
            layer,
            Layer { vus: Some(2), throw: Some(true), no_setup: Some(false), ..Layer::default() }
        );
    }
}
