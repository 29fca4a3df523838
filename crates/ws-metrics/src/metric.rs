//! What a metric is: its identity, its kind and what its values mean.

use std::fmt;
use std::sync::Arc;

/// How the values of a metric are aggregated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A sum of values.
    Counter,
    /// The last value, with the smallest and the largest.
    Gauge,
    /// The share of values that are not zero.
    Rate,
    /// A distribution of values.
    Trend,
}

impl MetricKind {
    /// The lower-case name used in messages and outputs: `counter`, `gauge`, `rate` or `trend`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the numbers of a metric stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Durations in milliseconds.
    Time,
    /// Amounts of data in bytes.
    Data,
}

impl Contains {
    /// The lower-case name used in messages and outputs: `default`, `time` or `data`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Time => "time",
            Self::Data => "data",
        }
    }
}

impl fmt::Display for Contains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A registered metric.
///
/// The id carries the metric's kind, so that a sample can be put where it belongs without asking the
/// [`Registry`](crate::Registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricId(u32);

impl MetricId {
    pub(crate) const fn new(index: u32, kind: MetricKind) -> Self {
        Self(index << 2 | kind as u32)
    }

    /// The metric's place in the order of registration, from 0.
    pub const fn index(self) -> usize {
        (self.0 >> 2) as usize
    }

    /// The metric's kind.
    pub const fn kind(self) -> MetricKind {
        match self.0 & 3 {
            0 => MetricKind::Counter,
            1 => MetricKind::Gauge,
            2 => MetricKind::Rate,
            _ => MetricKind::Trend,
        }
    }
}

/// What the registry knows of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    /// The metric's id.
    pub id: MetricId,
    /// The name, 2 to 129 ASCII letters, digits and underscores.
    pub name: Arc<str>,
    /// How values are aggregated.
    pub kind: MetricKind,
    /// What values stand for.
    pub contains: Contains,
    /// One sentence for people, without a full stop; empty for metrics of a script.
    pub help: &'static str,
}
