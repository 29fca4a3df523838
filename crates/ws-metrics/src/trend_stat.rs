//! Columns of trends in a summary: `avg`, `min`, `med`, `max`, `count` and `p(N)`.

use std::fmt;

use crate::sink::TrendSummary;
use crate::threshold::parse_number;

/// A figure of a trend, as the option `summaryTrendStats` names it.
///
/// # Examples
///
/// ```
/// use ws_metrics::{TrendSink, TrendStat};
///
/// let mut trend = TrendSink::new();
/// [5.0, 10.0].iter().for_each(|value| trend.add(*value));
/// let stat = TrendStat::parse("p(95)")?;
/// assert_eq!((stat.to_string().as_str(), stat.of(&trend.summary())), ("p(95)", 9.75));
/// # Ok::<(), ws_metrics::TrendStatError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TrendStat {
    text: String,
    figure: Figure,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Figure {
    Avg,
    Min,
    Med,
    Max,
    Count,
    Percentile(f64),
}

impl TrendStat {
    /// The default columns of a summary.
    pub const DEFAULT: [&'static str; 6] = ["avg", "min", "med", "max", "p(90)", "p(95)"];

    /// Parses the name of a column; `N` in `p(N)` is 0 to 100.
    ///
    /// # Errors
    ///
    /// [`TrendStatError`] with k6's text.
    pub fn parse(text: &str) -> Result<Self, TrendStatError> {
        let figure = match text {
            "avg" => Figure::Avg,
            "min" => Figure::Min,
            "med" => Figure::Med,
            "max" => Figure::Max,
            "count" => Figure::Count,
            _ => {
                let number = text
                    .strip_prefix("p(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .ok_or_else(|| TrendStatError::Unknown { stat: text.to_owned() })?;
                match parse_number(number) {
                    Ok(p) if (0.0..=100.0).contains(&p) => Figure::Percentile(p),
                    _ => return Err(TrendStatError::Percentile { stat: text.to_owned() }),
                }
            }
        };
        Ok(Self { text: text.to_owned(), figure })
    }

    /// The figure of a trend; milliseconds if it is one of times, a plain number for `count`.
    pub fn of(&self, trend: &TrendSummary) -> f64 {
        match self.figure {
            Figure::Avg => trend.avg(),
            Figure::Min => trend.min(),
            Figure::Med => trend.med(),
            Figure::Max => trend.max(),
            Figure::Count => trend.count() as f64,
            Figure::Percentile(p) => trend.percentile(p),
        }
    }

    /// Whether it is the number of values, which has no unit.
    pub fn is_count(&self) -> bool {
        self.figure == Figure::Count
    }
}

impl fmt::Display for TrendStat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a column is none; the texts are k6's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrendStatError {
    /// It is no known figure.
    #[error("invalid trend stat '{stat}', unknown format")]
    Unknown {
        /// The column as written.
        stat: String,
    },
    /// The percentile is no number, or out of range.
    #[error("invalid percentile trend stat value '{stat}', provide a number between 0 and 100")]
    Percentile {
        /// The column as written.
        stat: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::TrendSink;

    #[test]
    fn columns() {
        let mut trend = TrendSink::new();
        [0., 20., 30., 40., 50., 60., 70., 80., 90., 100.].iter().for_each(|value| trend.add(*value));
        let summary = trend.into_summary();
        for (text, expected) in [
            ("avg", 54.0),
            ("min", 0.0),
            ("med", 55.0),
            ("max", 100.0),
            ("count", 10.0),
            ("p(90)", 91.0),
            ("p(99.99)", 99.991),
            ("p(0)", 0.0),
        ] {
            let stat = TrendStat::parse(text).unwrap();
            assert!((stat.of(&summary) - expected).abs() < 1e-9, "{text}");
            assert_eq!((stat.to_string().as_str(), stat.is_count()), (text, text == "count"));
        }
        for text in TrendStat::DEFAULT {
            assert!(TrendStat::parse(text).is_ok());
        }
    }

    #[test]
    fn errors() {
        for text in ["", "sum", "p95", "p(95", " avg"] {
            let error = TrendStat::parse(text).unwrap_err().to_string();
            assert_eq!(error, format!("invalid trend stat '{text}', unknown format"));
        }
        for text in ["p(101)", "p(-1)", "p(x)", "p()", "p( 9)", "p(nan)"] {
            let error = TrendStat::parse(text).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("invalid percentile trend stat value '{text}', provide a number between 0 and 100")
            );
        }
    }
}
