//! What `ws-metrics` has to say, in words.

use ws_metrics::{Report, ThresholdWarning, Warning};

/// Where there is more of something than is kept.
pub(crate) fn warning(warning: Warning) -> String {
    match warning {
        Warning::TooManySeries { limit } => format!(
            "The test has generated metrics with {} unique time series, which is more than the {limit} that are kept \
             apart; further ones are added up in the results but have no series of their own. Consider not using \
             high-cardinality values like unique IDs as metric tags or, if you need them in the URL, use the name \
             metric tag.",
            limit + 1
        ),
        Warning::PrometheusFull => "The Prometheus endpoint shows as many time series as it can; further ones are added \
             up in series with the label overflow=\"true\". Consider not using high-cardinality values as metric tags."
            .to_owned(),
        Warning::TooManyTagSets { limit } => format!(
            "The test has used {limit} different sets of tags; from now on tags that would make another one are left \
             out of samples. Consider not using high-cardinality values like unique IDs as metric tags."
        ),
    }
}

/// Thresholds that will not be judged as their author thinks.
pub(crate) fn threshold_warning(warning: &ThresholdWarning) -> String {
    match warning {
        ThresholdWarning::UnknownMetric { key } => format!("Invalid metric '{key}' in threshold definitions"),
        ThresholdWarning::Metadata { name, tag } => format!(
            "The high-cardinality '{tag}' metric tag was made non-indexable in k6 v0.41.0, so thresholds like \
             '{name}' that are based on it won't work correctly."
        ),
    }
}

/// Why thresholds end the run.
pub(crate) fn abort(crossed: &[String]) -> String {
    format!(
        "thresholds on metrics '{}' were crossed; at least one has abortOnFail enabled, stopping test prematurely",
        crossed.join(", ")
    )
}

/// Which thresholds do not hold at the end; `None` if all do.
pub(crate) fn failure(report: &Report) -> Option<String> {
    let names = report.crossed.join(", ");
    (!names.is_empty()).then(|| format!("thresholds on metrics '{names}' have been crossed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_say_what_happens_beyond_them() {
        let series = warning(Warning::TooManySeries { limit: 5 });
        assert!(series.starts_with("The test has generated metrics with 6 unique time series, "), "{series}");
        let sets = warning(Warning::TooManyTagSets { limit: 5 });
        assert!(sets.starts_with("The test has used 5 different sets of tags; "), "{sets}");
    }

    #[test]
    fn thresholds_in_k6s_words() {
        let crossed = ["checks{check:x}".to_owned(), "iterations".to_owned()];
        assert_eq!(
            abort(&crossed),
            "thresholds on metrics 'checks{check:x}, iterations' were crossed; at least one has abortOnFail enabled, \
             stopping test prematurely"
        );
        assert_eq!(failure(&Report::default()), None);
        let report = Report { crossed: crossed.to_vec(), ..Report::default() };
        assert_eq!(
            failure(&report).as_deref(),
            Some("thresholds on metrics 'checks{check:x}, iterations' have been crossed")
        );
        assert_eq!(
            threshold_warning(&ThresholdWarning::Metadata { name: "tt{vu:1}".to_owned(), tag: "vu" }),
            "The high-cardinality 'vu' metric tag was made non-indexable in k6 v0.41.0, so thresholds like \
             'tt{vu:1}' that are based on it won't work correctly."
        );
        assert_eq!(
            threshold_warning(&ThresholdWarning::UnknownMetric { key: "nope".to_owned() }),
            "Invalid metric 'nope' in threshold definitions"
        );
    }
}
