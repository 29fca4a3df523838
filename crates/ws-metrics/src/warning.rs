//! What users should know of, as facts; the words are for whoever shows them.

/// Something that went beyond a limit during a run. Each kind is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// There are more series than are kept apart. Further ones are in the totals only.
    TooManySeries {
        /// How many are kept apart.
        limit: usize,
    },
    /// The Prometheus view is full. Further series are added up in one per metric there.
    PrometheusFull,
    /// There are more sets of tags than are kept. Tags that would make another one are left out of samples.
    TooManyTagSets {
        /// How many are kept.
        limit: usize,
    },
}

/// Something about the option `thresholds` that will not be as its author thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThresholdWarning {
    /// Nothing has this name; only where thresholds are switched off, else it is an error.
    UnknownMetric {
        /// The key as written.
        key: String,
    },
    /// Nothing ever matches, because this is not a tag but metadata: `vu` or `iter`.
    Metadata {
        /// The name of the sub-metric.
        name: String,
        /// The key of the tag.
        tag: &'static str,
    },
}
