//! Names to ids: which metrics exist, and what they are.

use std::sync::Arc;

use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use crate::builtin;
use crate::metric::{Contains, MetricId, MetricInfo, MetricKind};

/// All metrics of a run, in order of registration: the built-in ones first.
///
/// Shared as an `Arc`; registering takes a short lock, samples never come here.
///
/// # Examples
///
/// ```
/// use ws_metrics::{Contains, MetricKind, Registry, builtin};
///
/// let registry = Registry::new();
/// let latency = registry.register("chat_latency", MetricKind::Trend, Contains::Time)?;
/// assert_eq!(registry.get("chat_latency"), Some(latency));
/// assert_eq!(registry.get("ws_ping"), Some(builtin::WS_PING));
/// # Ok::<(), ws_metrics::RegistryError>(())
/// ```
#[derive(Debug)]
pub struct Registry {
    metrics: RwLock<Metrics>,
}

#[derive(Debug, Default)]
struct Metrics {
    list: Vec<MetricInfo>,
    by_name: FxHashMap<Arc<str>, MetricId>,
}

impl Registry {
    /// A registry that knows the metrics of [`builtin`].
    pub fn new() -> Self {
        let mut metrics = Metrics::default();
        for row in builtin::TABLE {
            metrics.push(row.name, row.id.kind(), row.contains, row.help);
        }
        Self { metrics: RwLock::new(metrics) }
    }

    /// Adds a metric, or finds the one of this name if it is the same.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] if the name is not 2 to 129 ASCII letters, digits or underscores without a digit in
    /// front, or if it is taken by a metric of another kind or with other contents.
    pub fn register(
        &self,
        name: &str,
        kind: MetricKind,
        contains: Contains,
    ) -> Result<MetricId, RegistryError> {
        if !is_valid_name(name) {
            return Err(RegistryError::Name { name: name.into() });
        }
        let mut metrics = self.metrics.write();
        let Some(known) = metrics.by_name.get(name).map(|id| &metrics.list[id.index()]) else {
            return Ok(metrics.push(name, kind, contains, ""));
        };
        if known.kind != kind {
            return Err(RegistryError::Kind { name: name.into(), existing: known.kind, wanted: kind });
        }
        if known.contains != contains {
            return Err(RegistryError::Contains {
                name: name.into(),
                existing: known.contains,
                wanted: contains,
            });
        }
        Ok(known.id)
    }

    /// The metric of this name.
    pub fn get(&self, name: &str) -> Option<MetricId> {
        self.metrics.read().by_name.get(name).copied()
    }

    /// What is known of a metric.
    ///
    /// # Panics
    ///
    /// If the id comes from another registry that has more metrics.
    pub fn info(&self, id: MetricId) -> MetricInfo {
        self.metrics.read().list[id.index()].clone()
    }

    /// The number of metrics.
    pub fn len(&self) -> usize {
        self.metrics.read().list.len()
    }

    /// Never true: the built-in metrics are always there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All metrics in order of registration, as they are now.
    pub fn all(&self) -> Vec<MetricInfo> {
        self.metrics.read().list.clone()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    fn push(&mut self, name: &str, kind: MetricKind, contains: Contains, help: &'static str) -> MetricId {
        let index = u32::try_from(self.list.len()).expect("fewer than 2^32 metrics");
        let id = MetricId::new(index, kind);
        let name: Arc<str> = name.into();
        self.list.push(MetricInfo { id, name: name.clone(), kind, contains, help });
        self.by_name.insert(name, id);
        id
    }
}

fn is_valid_name(name: &str) -> bool {
    (2..=129).contains(&name.len())
        && !name.as_bytes()[0].is_ascii_digit()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Why a metric could not be registered; the texts are k6's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The name has the wrong length or characters.
    #[error(
        "Invalid metric name: '{name}'. Metric names must only include up to 128 ASCII letters, numbers, or underscores and start with a letter or an underscore."
    )]
    Name {
        /// The name as given.
        name: String,
    },
    /// The name belongs to a metric of another kind.
    #[error("metric '{name}' already exists but with type {existing}, instead of {wanted}")]
    Kind {
        /// The name of both.
        name: String,
        /// The kind of the registered metric.
        existing: MetricKind,
        /// The kind asked for.
        wanted: MetricKind,
    },
    /// The name belongs to a metric with other contents.
    #[error("metric '{name}' already exists but with a value type {existing}, instead of {wanted}")]
    Contains {
        /// The name of both.
        name: String,
        /// The contents of the registered metric.
        existing: Contains,
        /// The contents asked for.
        wanted: Contains,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let registry = Registry::new();
        let long = "a".repeat(129);
        let too_long = "a".repeat(130);
        for (name, valid) in [
            ("ab", true),
            ("_1", true),
            (long.as_str(), true),
            ("a", false),
            ("", false),
            ("1a", false),
            ("a b", false),
            ("a-b", false),
            ("öl", false),
            (too_long.as_str(), false),
        ] {
            let result = registry.register(name, MetricKind::Counter, Contains::Default);
            assert_eq!(result.is_ok(), valid, "{name}");
        }
        assert_eq!(
            registry.register("a b", MetricKind::Counter, Contains::Default).unwrap_err().to_string(),
            "Invalid metric name: 'a b'. Metric names must only include up to 128 ASCII letters, numbers, or \
             underscores and start with a letter or an underscore."
        );
    }

    #[test]
    fn the_same_metric_is_shared_and_another_is_refused() {
        let registry = Registry::new();
        let first = registry.register("mine", MetricKind::Trend, Contains::Time).unwrap();
        assert_eq!(registry.register("mine", MetricKind::Trend, Contains::Time), Ok(first));
        for (name, kind, contains, text) in [
            (
                "mine",
                MetricKind::Rate,
                Contains::Time,
                "metric 'mine' already exists but with type trend, instead of rate",
            ),
            (
                "mine",
                MetricKind::Trend,
                Contains::Default,
                "metric 'mine' already exists but with a value type time, instead of default",
            ),
            (
                "iterations",
                MetricKind::Trend,
                Contains::Default,
                "metric 'iterations' already exists but with type counter, instead of trend",
            ),
        ] {
            assert_eq!(registry.register(name, kind, contains).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn order_is_that_of_registration() {
        let registry = Registry::new();
        let id = registry.register("last_one", MetricKind::Gauge, Contains::Default).unwrap();
        let all = registry.all();
        assert_eq!(all[0].name.as_ref(), "vus");
        assert_eq!(all.last().unwrap().id, id);
        assert_eq!(all.len(), registry.len());
        assert_eq!(registry.info(id).kind, MetricKind::Gauge);
    }
}
