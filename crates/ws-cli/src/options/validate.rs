//! From what was said to what it means: shortcuts become scenarios, and everything wrong is reported together.

use std::time::Duration;

use indexmap::IndexMap;
use ws_engine::duration::GoDuration;
use ws_engine::{Plan, Segment, Share, Shortcuts};
use ws_js::{Compat, HttpDebug, HttpOptions, TlsOptions};
use ws_loop::{AddressPool, Cidr, HostPatterns, Hosts};
use ws_metrics::TrendStat;

use super::network::Dns;
use super::table::Layer;
use super::thresholds::RawThreshold;
use super::{parse, tls};
use crate::error::CliError;
use crate::wording;

/// The options of a run.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) plan: Plan,
    pub(crate) thresholds: IndexMap<String, Vec<RawThreshold>>,
    /// On every sample.
    pub(crate) tags: IndexMap<String, String>,
    /// Names of the system tags, or the usual ones.
    pub(crate) system_tags: Option<Vec<String>>,
    /// Addresses that are not looked up.
    pub(crate) hosts: Hosts,
    pub(crate) dns: Dns,
    /// Names that must not be dialled.
    pub(crate) block_hostnames: HostPatterns,
    /// Addresses that must not be dialled.
    pub(crate) blacklist_ips: Vec<Cidr>,
    /// Addresses to connect from.
    pub(crate) local_ips: Option<AddressPool>,
    pub(crate) user_agent: Option<String>,
    pub(crate) tls: TlsOptions,
    pub(crate) no_cookies_reset: bool,
    pub(crate) strict_utf8: bool,
    pub(crate) http: HttpOptions,
    pub(crate) redact_query: bool,
    pub(crate) throw: bool,
    /// Time limit; `None` if `setup()` is not to be called.
    pub(crate) setup: Option<Duration>,
    /// Time limit; `None` if `teardown()` is not to be called.
    pub(crate) teardown: Option<Duration>,
    /// Time limit of `handleSummary()`.
    pub(crate) handle_summary: Duration,
    /// Columns of trends.
    pub(crate) trend_stats: Vec<TrendStat>,
    /// `s`, `ms`, `us`, or empty.
    pub(crate) time_unit: String,
    pub(crate) compat: Compat,
}

/// `setup` and `teardown` may take this long unless told otherwise.
const PHASE_TIMEOUT: GoDuration = GoDuration::from_secs(60);

/// And `handleSummary` this long.
const SUMMARY_TIMEOUT: GoDuration = GoDuration::from_secs(120);

/// Judges the merged layers; `exported` says whether the script exports a function of that name. What users are to be
/// warned of goes to `warn`, before the error that it may explain.
pub(crate) fn resolve(
    layer: Layer,
    exported: impl Fn(&str) -> bool,
    warn: &mut dyn FnMut(&str),
) -> Result<Options, CliError> {
    let mut problems = Vec::new();
    let tls = tls::resolve(&layer, &mut problems);
    let shortcuts = Shortcuts {
        vus: layer.vus,
        iterations: layer.iterations,
        duration: layer.duration,
        stages: layer.stages,
        scenarios: layer.scenarios,
    };
    let derived = shortcuts.derive().map_err(|error| CliError::config(wording::problem::shortcut(&error)))?;
    derived.warnings.into_iter().for_each(|warning| warn(&wording::problem::warning(warning)));
    let segment = layer.execution_segment.unwrap_or(Segment::WHOLE);
    let share = Share::new(segment, layer.execution_segment_sequence)
        .map_err(|error| problems.push(wording::problem::segment(&error)));
    let plan = Plan::new(derived.scenarios, exported)
        .map_err(|wrong| problems.extend(wrong.iter().map(wording::problem::problem)));
    let setup_timeout = layer.setup_timeout.unwrap_or(PHASE_TIMEOUT);
    if setup_timeout <= GoDuration::ZERO {
        problems.push("setupTimeout must be positive".to_owned());
    }
    let teardown_timeout = layer.teardown_timeout.unwrap_or(PHASE_TIMEOUT);
    if teardown_timeout.is_negative() {
        problems.push("teardownTimeout can't be negative".to_owned());
    }
    let hosts = layer.hosts.unwrap_or_default();
    let hosts = Hosts::parse(hosts.iter().map(|(pattern, address)| (pattern.as_str(), address.as_str())));
    let hosts = hosts.map_err(|error| problems.push(error.to_string())).unwrap_or_default();
    let plan = match plan {
        Ok(plan) if problems.is_empty() => plan.shared(share.unwrap_or_else(|()| Share::whole())),
        _ => {
            return Err(CliError::config(format!(
                "There were problems with the specified script configuration:\n\t- {}",
                problems.join("\n\t- ")
            )));
        }
    };

    let trend_stats = layer
        .summary_trend_stats
        .unwrap_or_else(|| TrendStat::DEFAULT.iter().map(|&stat| stat.to_owned()).collect());
    let time_unit = layer.summary_time_unit.unwrap_or_default();
    // Not among the problems above since k6 gives these a code of their own.
    let trend_stats = parse::trend_stats(&trend_stats).map_err(CliError::generic)?;
    parse::time_unit(&time_unit).map_err(CliError::generic)?;

    let usual = HttpOptions::default();
    // None at all, or less, is no limit.
    let count = |given: Option<i64>, usual| given.map_or(usual, |limit| usize::try_from(limit).unwrap_or(0));
    Ok(Options {
        plan,
        thresholds: layer.thresholds.unwrap_or_default(),
        tags: layer.tags.unwrap_or_default(),
        system_tags: layer.system_tags,
        hosts,
        dns: layer.dns.unwrap_or_default(),
        block_hostnames: layer.block_hostnames.unwrap_or_default(),
        blacklist_ips: layer.blacklist_ips.unwrap_or_default(),
        local_ips: layer.local_ips,
        user_agent: layer.user_agent,
        tls,
        no_cookies_reset: layer.no_cookies_reset.unwrap_or(false),
        strict_utf8: layer.strict_utf8.unwrap_or(false),
        redact_query: layer.redact_query.unwrap_or(false),
        throw: layer.throw.unwrap_or(false),
        setup: (!layer.no_setup.unwrap_or(false)).then(|| setup_timeout.to_std()),
        teardown: (!layer.no_teardown.unwrap_or(false)).then(|| teardown_timeout.to_std()),
        handle_summary: layer.handle_summary_timeout.unwrap_or(SUMMARY_TIMEOUT).to_std(),
        trend_stats,
        time_unit,
        compat: layer.compat.unwrap_or_default(),
        http: HttpOptions {
            max_redirects: layer.max_redirects.map(|limit| u32::try_from(limit).unwrap_or(0)),
            batch: count(layer.batch, usual.batch),
            batch_per_host: count(layer.batch_per_host, usual.batch_per_host),
            rps: layer.rps.filter(|rate| *rate > 0).map(|rate| rate as f64),
            no_connection_reuse: layer.no_connection_reuse.unwrap_or(false),
            no_vu_connection_reuse: layer.no_vu_connection_reuse.unwrap_or(false),
            discard_response_bodies: layer.discard_response_bodies.unwrap_or(false),
            debug: layer.http_debug.filter(|how| !how.is_empty()).map(|how| match how.as_str() {
                "full" => HttpDebug::Full,
                _ => HttpDebug::Heads,
            }),
        },
    })
}

#[cfg(test)]
mod tests {
    use ws_engine::{ExecutorConfig, ScenarioConfig};

    use super::*;
    use crate::exit::ExitCode;

    fn refused(layer: Layer) -> CliError {
        resolve(layer, |name| name == "default", &mut |_| ()).unwrap_err()
    }

    /// Options and warnings.
    fn resolved(layer: Layer) -> (Options, Vec<String>) {
        let mut warnings = Vec::new();
        let options = resolve(layer, |_| true, &mut |warning| warnings.push(warning.to_owned())).unwrap();
        (options, warnings)
    }

    fn seconds(seconds: i64) -> Option<GoDuration> {
        Some(GoDuration::from_secs(seconds))
    }

    #[test]
    fn defaults() {
        let (options, warnings) = resolved(Layer::default());
        assert!(warnings.is_empty());
        assert_eq!(options.plan.scenarios()[0].name, "default");
        assert_eq!(options.setup, Some(Duration::from_secs(60)));
        assert_eq!(options.teardown, Some(Duration::from_secs(60)));
        assert_eq!(options.handle_summary, Duration::from_secs(120));
        assert_eq!(options.trend_stats.len(), 6);
        assert_eq!(options.time_unit, "");
        assert_eq!(options.user_agent, None);
    }

    #[test]
    fn phases_can_be_left_out_or_limited() {
        let layer = Layer {
            no_setup: Some(true),
            no_teardown: Some(false),
            teardown_timeout: seconds(0),
            ..Layer::default()
        };
        let (options, _) = resolved(layer);
        assert_eq!((options.setup, options.teardown), (None, Some(Duration::ZERO)));
    }

    #[test]
    fn all_problems_are_reported_together() {
        let shared =
            ExecutorConfig::SharedIterations { vus: 5, iterations: 2, max_duration: GoDuration::ZERO };
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: seconds(1) };
        let missing = ScenarioConfig { exec: "nofn".to_owned(), ..ScenarioConfig::new("b", looping) };
        let layer = Layer {
            scenarios: Some(vec![ScenarioConfig::new("a", shared), missing]),
            setup_timeout: seconds(0),
            hosts: Some(indexmap::indexmap! { "a*b".to_owned() => "127.0.0.1".to_owned() }),
            ..Layer::default()
        };
        assert_eq!(
            refused(layer),
            CliError::config(
                "There were problems with the specified script configuration:\n\
                 \t- scenario a has configuration errors: the number of iterations (2) can't be less than the \
                 number of VUs (5), the maxDuration must be at least 1s, but is 0s\n\
                 \t- executor b: function 'nofn' not found in exports\n\
                 \t- setupTimeout must be positive\n\
                 \t- invalid host pattern 'a*b'"
            )
        );
    }

    #[test]
    fn a_segment_must_be_part_of_its_sequence() {
        let layer = Layer {
            execution_segment: Some(Segment::parse("0:1/3").unwrap()),
            execution_segment_sequence: Some(ws_engine::SegmentSequence::parse("0,1/2,1").unwrap()),
            ..Layer::default()
        };
        assert_eq!(
            refused(layer),
            CliError::config(
                "There were problems with the specified script configuration:\n\t- provided segment 0:1/3 can't be \
                 found in sequence 0,1/2,1"
            )
        );
    }

    #[test]
    fn shortcuts_that_exclude_each_other() {
        let error = refused(Layer { duration: seconds(0), ..Layer::default() });
        assert_eq!(error.code, ExitCode::InvalidConfig);
        assert!(error.message.starts_with("`duration` option should be more than 0"), "{error}");
    }

    #[test]
    fn report_options_have_their_own_code() {
        let stats = Layer { summary_trend_stats: Some(vec!["foo".to_owned()]), ..Layer::default() };
        assert_eq!(refused(stats), CliError::generic("invalid trend stat 'foo', unknown format"));
        let unit = Layer { summary_time_unit: Some("h".to_owned()), ..Layer::default() };
        assert_eq!(refused(unit), CliError::generic("invalid summary time unit 'h', use 's', 'ms' or 'us'"));
    }

    #[test]
    fn overriding_with_vus_warns() {
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: seconds(1) };
        let layer = Layer {
            vus: Some(3),
            scenarios: Some(vec![ScenarioConfig::new("a", looping)]),
            ..Layer::default()
        };
        let (_, warnings) = resolved(layer);
        assert_eq!(warnings, ["`vus=3` overrides scenarios configuration"]);
    }
}
