//! Laying the sources on top of each other: configuration file, then script, then environment, then flags.

use super::features::MERGE_RUN_TAGS;
use super::table::Layer;

/// The sources by rising precedence, with the names k6 uses in its messages.
pub(crate) struct Layers {
    pub(crate) config: Layer,
    pub(crate) script: Layer,
    pub(crate) env: Layer,
    pub(crate) cli: Layer,
}

/// Merges the layers and gives the warnings that come with it.
///
/// Every option is replaced as a whole (`tags` are put together with the feature `merge-run-tags`). `duration`,
/// `iterations`, `stages` and `scenarios` are one group: a source that sets any
/// of them drops what lower sources said about all of them, since together they say what runs. `vus` is not in the
/// group: it combines with whatever wins.
pub(crate) fn merge(layers: Layers) -> (Layer, Vec<String>) {
    let mut merged = Layer::default();
    let mut warnings = Vec::new();
    let Layers { config, script, env, cli } = layers;
    let features = [&config, &env, &cli].into_iter().rev().find_map(|layer| layer.features.as_ref());
    let merge_tags = features.into_iter().flatten().any(|name| name == MERGE_RUN_TAGS);
    for (name, mut layer) in [("config", config), ("script", script), ("env", env), ("cli", cli)] {
        if let (Some(tags), Some(below), true) = (&mut layer.tags, &merged.tags, merge_tags) {
            let own = std::mem::replace(tags, below.clone());
            tags.extend(own);
        }
        if has_execution(&layer) {
            if merged.scenarios.is_some() {
                warnings
                    .push(format!("{name:?} level configuration overrode scenarios configuration entirely"));
            }
            merged.duration = None;
            merged.iterations = None;
            merged.stages = None;
            merged.scenarios = None;
        }
        merged.put(layer);
    }
    (merged, warnings)
}

fn has_execution(layer: &Layer) -> bool {
    layer.duration.is_some()
        || layer.iterations.is_some()
        || layer.stages.is_some()
        || layer.scenarios.is_some()
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
        merge(Layers { config: Layer::default(), script, env, cli })
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

    #[test]
    fn a_feature_puts_tags_together() {
        let tags = |pairs: &[(&str, &str)]| Layer {
            tags: Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()),
            ..Layer::default()
        };
        let features = Some(vec!["merge-run-tags".to_owned()]);
        let env = Layer { features: features.clone(), ..tags(&[("b", "env"), ("c", "env")]) };
        let expected = Layer { features, ..tags(&[("a", "script"), ("b", "cli"), ("c", "env")]) };
        let script = tags(&[("a", "script"), ("b", "script")]);
        assert_eq!(merged(script, env, tags(&[("b", "cli")])), (expected, Vec::new()));
    }

    #[test]
    fn a_configuration_file_is_the_lowest_source() {
        let layers = |script| Layers { config: scenarios(), script, env: Layer::default(), cli: vus(2) };
        let (layer, warnings) = merge(layers(duration(1)));
        assert_eq!((layer.scenarios, layer.vus), (None, Some(2)));
        assert_eq!(warnings, ["\"script\" level configuration overrode scenarios configuration entirely"]);
        assert_eq!(merge(layers(Layer::default())).0.scenarios, scenarios().scenarios);
    }
}
