//! Laying the sources on top of each other: script, then environment, then flags.

use super::Layer;

/// The sources by rising precedence, with the names k6 uses in its messages.
pub(crate) struct Layers {
    pub(crate) script: Layer,
    pub(crate) env: Layer,
    pub(crate) cli: Layer,
}

/// Merges the layers and gives the warnings that come with it.
///
/// Every option is replaced as a whole. `duration`, `iterations` and `scenarios` are one group: a source that sets any
/// of them drops what lower sources said about all of them, since together they say what runs. `vus` is not in the
/// group: it combines with whatever wins.
pub(crate) fn merge(layers: Layers) -> (Layer, Vec<String>) {
    let mut merged = Layer::default();
    let mut warnings = Vec::new();
    for (name, layer) in [("script", layers.script), ("env", layers.env), ("cli", layers.cli)] {
        if has_execution(&layer) {
            if merged.scenarios.is_some() {
                warnings
                    .push(format!("{name:?} level configuration overrode scenarios configuration entirely"));
            }
            merged.duration = None;
            merged.iterations = None;
            merged.scenarios = None;
        }
        over(&mut merged, layer);
    }
    (merged, warnings)
}

fn has_execution(layer: &Layer) -> bool {
    layer.duration.is_some() || layer.iterations.is_some() || layer.scenarios.is_some()
}

fn over(merged: &mut Layer, layer: Layer) {
    fn put<T>(slot: &mut Option<T>, value: Option<T>) {
        if value.is_some() {
            *slot = value;
        }
    }
    // Taken apart by name so that a new option cannot be forgotten here.
    let Layer {
        vus,
        iterations,
        duration,
        scenarios,
        thresholds,
        tags,
        system_tags,
        hosts,
        dns,
        block_hostnames,
        blacklist_ips,
        local_ips,
        user_agent,
        insecure_skip_tls_verify,
        tls_auth,
        tls_cipher_suites,
        tls_version,
        tls_resumption,
        no_cookies_reset,
        strict_utf8,
        throw,
        no_setup,
        no_teardown,
        setup_timeout,
        teardown_timeout,
        handle_summary_timeout,
        summary_trend_stats,
        summary_time_unit,
        compat,
    } = layer;
    put(&mut merged.vus, vus);
    put(&mut merged.iterations, iterations);
    put(&mut merged.duration, duration);
    put(&mut merged.scenarios, scenarios);
    put(&mut merged.thresholds, thresholds);
    put(&mut merged.tags, tags);
    put(&mut merged.system_tags, system_tags);
    put(&mut merged.hosts, hosts);
    put(&mut merged.dns, dns);
    put(&mut merged.block_hostnames, block_hostnames);
    put(&mut merged.blacklist_ips, blacklist_ips);
    put(&mut merged.local_ips, local_ips);
    put(&mut merged.user_agent, user_agent);
    put(&mut merged.insecure_skip_tls_verify, insecure_skip_tls_verify);
    put(&mut merged.tls_auth, tls_auth);
    put(&mut merged.tls_cipher_suites, tls_cipher_suites);
    put(&mut merged.tls_version, tls_version);
    put(&mut merged.tls_resumption, tls_resumption);
    put(&mut merged.no_cookies_reset, no_cookies_reset);
    put(&mut merged.strict_utf8, strict_utf8);
    put(&mut merged.throw, throw);
    put(&mut merged.no_setup, no_setup);
    put(&mut merged.no_teardown, no_teardown);
    put(&mut merged.setup_timeout, setup_timeout);
    put(&mut merged.teardown_timeout, teardown_timeout);
    put(&mut merged.handle_summary_timeout, handle_summary_timeout);
    put(&mut merged.summary_trend_stats, summary_trend_stats);
    put(&mut merged.summary_time_unit, summary_time_unit);
    put(&mut merged.compat, compat);
}

#[cfg(test)]
mod tests {
    use indexmap::indexmap;
    use ws_engine::duration::GoDuration;
    use ws_engine::{ExecutorConfig, ScenarioConfig};

    use super::*;

    fn vus(vus: i64) -> Layer {
        Layer { vus: Some(vus), ..Layer::default() }
    }

    fn duration(seconds: i64) -> Layer {
        Layer { duration: Some(GoDuration::from_secs(seconds)), ..Layer::default() }
    }

    fn iterations(iterations: i64) -> Layer {
        Layer { iterations: Some(iterations), ..Layer::default() }
    }

    fn scenarios() -> Layer {
        let looping = ExecutorConfig::ConstantVus { vus: 1, duration: None };
        Layer { scenarios: Some(vec![ScenarioConfig::new("a", looping)]), ..Layer::default() }
    }

    fn merged(script: Layer, env: Layer, cli: Layer) -> (Layer, Vec<String>) {
        merge(Layers { script, env, cli })
    }

    #[test]
    fn flags_win_over_environment_over_script() {
        let none = Layer::default;
        for (layers, expected) in [
            ((vus(1), none(), none()), 1),
            ((vus(1), vus(2), none()), 2),
            ((vus(1), vus(2), vus(3)), 3),
            ((vus(1), none(), vus(3)), 3),
        ] {
            assert_eq!(merged(layers.0, layers.1, layers.2), (vus(expected), Vec::new()));
        }
    }

    #[test]
    fn the_execution_group_is_replaced_as_a_whole() {
        let none = Layer::default;
        assert_eq!(merged(iterations(5), none(), duration(2)), (duration(2), Vec::new()));
        assert_eq!(merged(duration(5), iterations(2), none()), (iterations(2), Vec::new()));
        let both = Layer { iterations: Some(1), ..duration(9) };
        assert_eq!(merged(iterations(5), duration(3), both.clone()), (both, Vec::new()));
        assert_eq!(merged(vus(8), none(), duration(2)), (Layer { vus: Some(8), ..duration(2) }, Vec::new()));
    }

    #[test]
    fn overriding_scenarios_is_worth_a_warning() {
        let none = Layer::default;
        let warning =
            |name| vec![format!("\"{name}\" level configuration overrode scenarios configuration entirely")];
        assert_eq!(merged(scenarios(), none(), duration(2)), (duration(2), warning("cli")));
        assert_eq!(merged(scenarios(), iterations(2), none()), (iterations(2), warning("env")));
        assert_eq!(merged(scenarios(), iterations(2), duration(1)), (duration(1), warning("env")));
        assert_eq!(merged(scenarios(), none(), vus(2)), (Layer { vus: Some(2), ..scenarios() }, Vec::new()));
    }

    #[test]
    fn maps_are_replaced_not_merged() {
        let tags = |name: &str| Layer {
            tags: Some(indexmap! { name.to_owned() => "x".to_owned() }),
            ..Layer::default()
        };
        assert_eq!(merged(tags("a"), Layer::default(), tags("b")), (tags("b"), Vec::new()));
    }
}
