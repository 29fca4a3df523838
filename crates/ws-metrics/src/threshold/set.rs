//! All thresholds of a run, tied to the metrics and sub-metrics they speak of.

use std::collections::BTreeMap;
use std::time::Duration;

use rustc_hash::FxHashMap;

use super::{Expression, ExpressionError, KeyError, MetricKey};
use crate::builtin;
use crate::metric::{MetricId, MetricInfo};
use crate::registry::Registry;
use crate::system_tags::{SystemTag, SystemTags};
use crate::tags::TagSet;
use crate::warning::ThresholdWarning;

/// A threshold as the options give it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThresholdConfig {
    /// The expression.
    pub source: String,
    /// Whether the run ends when it does not hold.
    pub abort_on_fail: bool,
    /// How much run time must have passed before it may end the run.
    pub delay_abort_eval: Option<Duration>,
}

impl From<&str> for ThresholdConfig {
    fn from(source: &str) -> Self {
        Self { source: source.to_owned(), ..Self::default() }
    }
}

/// A threshold that can be judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// The expression as written.
    pub source: String,
    /// The expression.
    pub expression: Expression,
    /// Whether the run ends when it does not hold.
    pub abort_on_fail: bool,
    /// How much run time must have passed before it may end the run.
    pub delay_abort_eval: Option<Duration>,
}

/// A metric, or the samples of a metric that have certain tags, with its thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// The metric.
    pub metric: MetricId,
    /// The name as users read it: `name` or `name{suffix}`.
    pub name: String,
    /// What stands between the braces; empty for a whole metric.
    pub suffix: String,
    /// The tags a sample must have, sorted; none for a whole metric.
    pub tags: Vec<(String, String)>,
    /// Whether the options name it: then it is reported even if nothing was ever seen of it.
    pub named: bool,
    /// The thresholds; an empty list only makes the sub-metric visible.
    pub thresholds: Vec<Threshold>,
}

impl Selector {
    /// Whether it is a part of a metric, not a whole one.
    pub fn is_submetric(&self) -> bool {
        !self.tags.is_empty()
    }

    /// Whether a sample with these tags counts: all listed pairs must be among them.
    pub fn matches(&self, tags: &TagSet) -> bool {
        self.tags.iter().all(|(key, value)| tags.get(key).is_some_and(|have| **have == **value))
    }
}

/// The thresholds of a run and the sub-metrics they make.
///
/// # Examples
///
/// ```
/// use ws_metrics::{Registry, Thresholds};
///
/// let registry = Registry::new();
/// let wanted = [("ws_connecting{status:101}".to_owned(), vec!["p(95) < 200".into()])];
/// let thresholds = Thresholds::parse(wanted, &registry, false)?;
/// assert_eq!(thresholds.selectors()[0].tags[0].0, "status");
///
/// let wrong = [("ws_sessions".to_owned(), vec!["avg < 200".into()])];
/// assert!(Thresholds::parse(wrong, &registry, false).is_err());
/// # Ok::<(), ws_metrics::ThresholdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    selectors: Vec<Selector>,
    /// Where the selector of a metric with these tags is.
    places: FxHashMap<(MetricId, Vec<(String, String)>), usize>,
    warnings: Vec<ThresholdWarning>,
}

impl Thresholds {
    /// Parses the option `thresholds`. To be called when the script has declared its metrics.
    ///
    /// With `no_thresholds` the expressions are not even looked at, the keys still make their sub-metrics, and a
    /// key that names nothing is a warning. Two keys with the same tags are one sub-metric.
    ///
    /// # Errors
    ///
    /// [`ThresholdError`] for the first entry with a bad expression, a malformed key, an unknown metric or a
    /// method that does not go with the metric, in this order.
    pub fn parse(
        wanted: impl IntoIterator<Item = (String, Vec<ThresholdConfig>)>,
        registry: &Registry,
        no_thresholds: bool,
    ) -> Result<Self, ThresholdError> {
        let mut all = Self::default();
        for (key, configs) in wanted {
            let configs = if no_thresholds { Vec::new() } else { configs };
            match parse_entry(&key, configs, registry) {
                Ok((info, key, thresholds)) => {
                    all.warn_of_metadata(&info, &key);
                    all.selector(&info, key, true).thresholds.extend(thresholds);
                }
                Err(_) if no_thresholds => {
                    all.warnings.push(ThresholdWarning::UnknownMetric { key });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Adds the sub-metrics that are there without being asked for: the HTTP durations of expected responses,
    /// if that system tag is in use. They are reported once they have samples.
    #[must_use]
    pub fn with_default_submetrics(mut self, registry: &Registry, system_tags: SystemTags) -> Self {
        if system_tags.has(SystemTag::ExpectedResponse) {
            let key = MetricKey {
                metric: "http_req_duration".into(),
                suffix: "expected_response:true".into(),
                tags: vec![("expected_response".into(), "true".into())],
            };
            self.selector(&registry.info(builtin::HTTP_REQ_DURATION), key, false);
        }
        self
    }

    /// Metrics and sub-metrics in the order they were named.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// What users should know: keys that will never match, or that name nothing.
    pub fn warnings(&self) -> &[ThresholdWarning] {
        &self.warnings
    }

    /// The thresholds on a whole metric.
    pub fn of_metric(&self, metric: MetricId) -> &[Threshold] {
        let place = self.places.get(&(metric, Vec::new()));
        place.map_or(&[], |&place| &self.selectors[place].thresholds)
    }

    /// The sub-metrics of a metric.
    pub fn submetrics(&self, metric: MetricId) -> impl Iterator<Item = &Selector> {
        self.selectors.iter().filter(move |selector| selector.metric == metric && selector.is_submetric())
    }

    /// Whether there is anything to judge.
    pub fn is_empty(&self) -> bool {
        self.selectors.iter().all(|selector| selector.thresholds.is_empty())
    }

    pub(crate) fn into_selectors(self) -> Vec<Selector> {
        self.selectors
    }

    fn selector(&mut self, info: &MetricInfo, key: MetricKey, named: bool) -> &mut Selector {
        // Of equal keys the last one counts, as in a tag set.
        let tags: Vec<_> = BTreeMap::from_iter(key.tags).into_iter().collect();
        let next = self.selectors.len();
        let at = *self.places.entry((info.id, tags.clone())).or_insert(next);
        if at == next {
            let suffix = key.suffix;
            let name =
                if tags.is_empty() { info.name.to_string() } else { format!("{}{{{suffix}}}", info.name) };
            self.selectors.push(Selector {
                metric: info.id,
                name,
                suffix,
                tags,
                named,
                thresholds: Vec::new(),
            });
        }
        self.selectors[at].named |= named;
        &mut self.selectors[at]
    }

    fn warn_of_metadata(&mut self, info: &MetricInfo, key: &MetricKey) {
        for tag in ["vu", "iter"] {
            if key.tags.iter().any(|(have, _)| have == tag) {
                let name = format!("{}{{{}}}", info.name, key.suffix);
                self.warnings.push(ThresholdWarning::Metadata { name, tag });
            }
        }
    }
}

fn parse_entry(
    key: &str,
    configs: Vec<ThresholdConfig>,
    registry: &Registry,
) -> Result<(MetricInfo, MetricKey, Vec<Threshold>), ThresholdError> {
    let mut thresholds = Vec::with_capacity(configs.len());
    for config in configs {
        let expression = Expression::parse(&config.source)?;
        thresholds.push(Threshold {
            source: config.source,
            expression,
            abort_on_fail: config.abort_on_fail,
            delay_abort_eval: config.delay_abort_eval,
        });
    }
    let parsed = MetricKey::parse(key)?;
    let id = registry
        .get(&parsed.metric)
        .ok_or_else(|| ThresholdError::UnknownMetric { metric: key.to_owned() })?;
    for threshold in &thresholds {
        threshold.expression.aggregation().check(id.kind()).map_err(|reason| ThresholdError::Method {
            source_text: threshold.source.clone(),
            metric: key.to_owned(),
            reason,
        })?;
    }
    Ok((registry.info(id), parsed, thresholds))
}

/// Why a run cannot start; the texts are k6's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// An expression cannot be read.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// A key cannot be read.
    #[error("unable to validate threshold expressions; reason: parsing metric name failed, {0}")]
    Key(#[from] KeyError),
    /// Nothing has this name.
    #[error("invalid threshold defined on {metric}; reason: no metric name \"{metric}\" found")]
    UnknownMetric {
        /// The key as written.
        metric: String,
    },
    /// The method does not go with the kind of metric.
    #[error("invalid threshold \"{source_text}\" applied on metric {metric}; reason: {reason}")]
    Method {
        /// The expression.
        source_text: String,
        /// The key as written.
        metric: String,
        /// Which methods there are.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Contains, MetricKind};
    use crate::tags::TagSets;

    fn parse(wanted: &[(&str, &[&str])], no_thresholds: bool) -> Result<Thresholds, ThresholdError> {
        let registry = Registry::new();
        registry.register("cc", MetricKind::Counter, Contains::Default).unwrap();
        registry.register("tt", MetricKind::Trend, Contains::Default).unwrap();
        let wanted = wanted
            .iter()
            .map(|(key, sources)| ((*key).to_owned(), sources.iter().map(|s| (*s).into()).collect()));
        Thresholds::parse(wanted, &registry, no_thresholds)
    }

    #[test]
    fn errors() {
        for (key, source, text) in [
            ("nope", "avg<1", "invalid threshold defined on nope; reason: no metric name \"nope\" found"),
            (
                "nope{a:b}",
                "avg<1",
                "invalid threshold defined on nope{a:b}; reason: no metric name \"nope{a:b}\" found",
            ),
            (" cc ", "count<2", "invalid threshold defined on  cc ; reason: no metric name \" cc \" found"),
            (
                "cc",
                "p(95)<1",
                "invalid threshold \"p(95)<1\" applied on metric cc; reason: unsupported aggregation method p on \
                 metric of type counter. supported aggregation methods for this metric are: count, rate",
            ),
            (
                "tt{a:b}",
                "count<1",
                "invalid threshold \"count<1\" applied on metric tt{a:b}; reason: unsupported aggregation method \
                 count on metric of type trend. supported aggregation methods for this metric are: avg, min, \
                 max, med, p",
            ),
            (
                "tt{a}",
                "avg<1",
                "unable to validate threshold expressions; reason: parsing metric name failed, metric \"a\" tag \
                 expression is malformed in \"tt{a}\"",
            ),
            (
                "tt{a:b",
                "avg<",
                "failed parsing threshold expression \"avg<\"; reason: malformed threshold expression",
            ),
        ] {
            assert_eq!(parse(&[(key, &[source])], false).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn equal_tag_sets_are_one_submetric() {
        let parsed =
            parse(&[("cc{ b : c , a:b }", &["count>0"]), ("cc{a:b,b:c}", &["count<9"])], false).unwrap();
        assert_eq!(parsed.selectors().len(), 1);
        let selector = &parsed.selectors()[0];
        assert_eq!((selector.name.as_str(), selector.suffix.as_str()), ("cc{b : c , a:b}", "b : c , a:b"));
        assert_eq!(selector.thresholds.len(), 2);
        assert_eq!(parsed.submetrics(selector.metric).count(), 1);
        assert!(parsed.of_metric(selector.metric).is_empty());
    }

    #[test]
    fn a_repeated_tag_key_keeps_one_value() {
        let parsed = parse(&[("cc{a:3,b:2,a:1}", &[])], false).unwrap();
        assert_eq!(parsed.selectors()[0].tags, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    }

    #[test]
    fn matching_needs_all_pairs() {
        let sets = TagSets::new();
        let parsed = parse(&[("cc{a:b,c:}", &[])], true).unwrap();
        assert!(parsed.selectors().is_empty(), "malformed keys are only warned of");
        let parsed = parse(&[("cc{a:b,c:\"\"}", &[])], false).unwrap();
        for (pairs, expected) in [
            (&[("a", "b"), ("c", ""), ("d", "e")][..], true),
            (&[("a", "b"), ("c", "")], true),
            (&[("a", "b")], false),
            (&[("a", "x"), ("c", "")], false),
            (&[], false),
        ] {
            let tags = sets.get(sets.intern(pairs));
            assert_eq!(parsed.selectors()[0].matches(&tags), expected, "{pairs:?}");
        }
    }

    #[test]
    fn no_thresholds_keeps_submetrics_and_warns() {
        let parsed = parse(&[("cc{a:b}", &["garbage"]), ("nope", &["avg<1"])], true).unwrap();
        assert!(parsed.is_empty());
        assert_eq!(parsed.selectors()[0].name, "cc{a:b}");
        assert_eq!(parsed.warnings(), [ThresholdWarning::UnknownMetric { key: "nope".into() }]);
    }

    #[test]
    fn metadata_never_matches_and_that_is_said() {
        let parsed = parse(&[("tt{vu:1}", &["avg<1"])], false).unwrap();
        assert_eq!(parsed.warnings(), [ThresholdWarning::Metadata { name: "tt{vu:1}".into(), tag: "vu" }]);
    }

    #[test]
    fn default_submetric_depends_on_its_system_tag() {
        let registry = Registry::new();
        let with = Thresholds::default().with_default_submetrics(&registry, SystemTags::default());
        assert_eq!(with.selectors()[0].name, "http_req_duration{expected_response:true}");
        assert!(!with.selectors()[0].named);
        let without = Thresholds::default().with_default_submetrics(&registry, SystemTags::NONE);
        assert!(without.selectors().is_empty());
    }
}
