//! The grammar of a threshold: method, operator, number; with k6's texts for what is wrong.

use std::fmt;

use crate::metric::MetricKind;
use crate::sink::{Sink, per_second, ratio};

/// Which figure of a metric is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// The sum of a counter.
    Count,
    /// A counter's sum per second of the run, or the share of a rate, 0 to 1.
    Rate,
    /// The last value of a gauge.
    Value,
    /// The mean of a trend.
    Avg,
    /// The smallest value of a trend.
    Min,
    /// The largest value of a trend.
    Max,
    /// The median of a trend.
    Med,
    /// A percentile of a trend, 0 to 100.
    Percentile(f64),
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Value => "value",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Med => "med",
            Self::Percentile(_) => "p",
        }
    }
}

/// A method as it was written: `p(99.90)` stays `p(99.90)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    method: Method,
    text: String,
}

impl Aggregation {
    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let method = match text {
            "count" => Method::Count,
            "rate" => Method::Rate,
            "value" => Method::Value,
            "avg" => Method::Avg,
            "min" => Method::Min,
            "max" => Method::Max,
            "med" => Method::Med,
            _ => {
                let number = text
                    .strip_prefix("p(")
                    .and_then(|rest| rest.strip_suffix(')'))
                    .ok_or("failed parsing method from expression")?;
                let p = parse_number(number)
                    .map_err(|reason| format!("malformed percentile value; reason: {reason}"))?;
                if !(0.0..=100.0).contains(&p) {
                    return Err("malformed percentile value, provide a number between 0 and 100".into());
                }
                Method::Percentile(p)
            }
        };
        Ok(Self { method, text: text.to_owned() })
    }

    /// Says which methods there are if this one does not go with the kind of metric.
    pub(crate) fn check(&self, kind: MetricKind) -> Result<(), String> {
        let supported: &[&str] = match kind {
            MetricKind::Counter => &["count", "rate"],
            MetricKind::Gauge => &["value"],
            MetricKind::Rate => &["rate"],
            MetricKind::Trend => &["avg", "min", "max", "med", "p"],
        };
        let name = self.method.name();
        if supported.contains(&name) {
            return Ok(());
        }
        Err(format!(
            "unsupported aggregation method {name} on metric of type {kind}. supported aggregation methods for \
             this metric are: {}",
            supported.join(", ")
        ))
    }

    /// The figure itself; 0 of an empty metric.
    pub(crate) fn of(&self, sink: &mut Sink, run_seconds: f64) -> f64 {
        match (sink, self.method) {
            (Sink::Counter { sum, .. }, Method::Rate) => per_second(*sum, run_seconds),
            (Sink::Counter { sum, .. }, _) => *sum,
            (Sink::Gauge { value, .. }, _) => *value,
            (Sink::Rate { trues, total }, _) => ratio(*trues, *total),
            (Sink::Trend(trend), Method::Avg) => trend.avg(),
            (Sink::Trend(trend), Method::Min) => trend.min(),
            (Sink::Trend(trend), Method::Max) => trend.max(),
            (Sink::Trend(trend), Method::Percentile(p)) => trend.percentile(p),
            (Sink::Trend(trend), _) => trend.percentile(50.0),
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==` and `===`
    Equal,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// In the order in which they are looked for, wherever they stand: k6 finds `<` in `avg>1<2` first.
    const TOKENS: [(&str, Self); 7] = [
        ("<=", Self::LessOrEqual),
        ("<", Self::Less),
        (">=", Self::GreaterOrEqual),
        (">", Self::Greater),
        ("===", Self::Equal),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
    ];

    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
        }
    }
}

/// A threshold's expression, such as `p(95) < 200`.
///
/// # Examples
///
/// ```
/// use ws_metrics::{Expression, Method};
///
/// let expression = Expression::parse("p(95) < 200")?;
/// assert_eq!(expression.aggregation().method(), Method::Percentile(95.0));
/// assert!(expression.holds(199.9));
/// assert!(!expression.holds(200.0));
/// # Ok::<(), ws_metrics::ExpressionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    aggregation: Aggregation,
    operator: Operator,
    limit: f64,
}

impl Expression {
    /// Parses `<method> <operator> <number>`, blanks around each allowed.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] with k6's text, the expression quoted as it was given.
    pub fn parse(source: &str) -> Result<Self, ExpressionError> {
        let quoted = || source.to_owned();
        let (left, operator, right) = Operator::TOKENS
            .into_iter()
            .find_map(|(token, operator)| {
                let (left, right) = source.split_once(token)?;
                (!right.is_empty()).then_some((left.trim(), operator, right.trim()))
            })
            .ok_or_else(|| ExpressionError::Malformed { source_text: quoted() })?;
        let aggregation = Aggregation::parse(left)
            .map_err(|reason| ExpressionError::LeftHandSide { source_text: quoted(), reason })?;
        let limit = parse_number(right)
            .map_err(|reason| ExpressionError::RightHandSide { source_text: quoted(), reason })?;
        Ok(Self { aggregation, operator, limit })
    }

    /// The figure that is compared.
    pub fn aggregation(&self) -> &Aggregation {
        &self.aggregation
    }

    /// How it is compared.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it is compared with.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether the expression is true of a figure.
    pub fn holds(&self, figure: f64) -> bool {
        self.operator.holds(figure, self.limit)
    }
}

/// What is wrong with an expression; the texts, spelling included, are k6's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// There is no operator, or nothing behind it.
    #[error("failed parsing threshold expression \"{source_text}\"; reason: malformed threshold expression")]
    Malformed {
        /// The expression.
        source_text: String,
    },
    /// What stands before the operator is no method.
    #[error("failed parsing threshold expression's \"{source_text}\" left hand side; reason: {reason}")]
    LeftHandSide {
        /// The expression.
        source_text: String,
        /// What is wrong.
        reason: String,
    },
    /// What stands behind the operator is no number.
    #[error("failed parsing threshold expresion's \"{source_text}\" right hand side; reason: {reason}")]
    RightHandSide {
        /// The expression.
        source_text: String,
        /// What is wrong.
        reason: String,
    },
}

/// A number as k6 reads it, with the words it has for what is not one. Digits may be grouped by underscores.
pub(crate) fn parse_number(text: &str) -> Result<f64, String> {
    let bytes = text.as_bytes();
    let digit_at = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let grouped = bytes
        .iter()
        .enumerate()
        .all(|(at, b)| *b != b'_' || digit_at(at.checked_sub(1)) && digit_at(Some(at + 1)));
    let parsed = if grouped { text.replace('_', "").parse::<f64>().ok() } else { None };
    let problem = match parsed {
        // An infinity must be spelt out: digits that lead there are a slip.
        Some(number) if number.is_infinite() && bytes.iter().any(u8::is_ascii_digit) => "value out of range",
        Some(number) => return Ok(number),
        None => "invalid syntax",
    };
    Err(format!("strconv.ParseFloat: parsing \"{text}\": {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        use Method::*;
        use Operator::*;
        for (source, method, operator, limit) in [
            ("count>0", Count, Greater, 0.0),
            ("rate<=0.05", Rate, LessOrEqual, 0.05),
            ("value>=1", Value, GreaterOrEqual, 1.0),
            (" avg  <  1.5 ", Avg, Less, 1.5),
            ("min==1", Min, Equal, 1.0),
            ("max===1e3", Max, Equal, 1000.0),
            ("med!=-1", Med, NotEqual, -1.0),
            ("p(0)<+1", Percentile(0.0), Less, 1.0),
            ("p(99.99) < .5", Percentile(99.99), Less, 0.5),
            ("p(100)<1_000", Percentile(100.0), Less, 1000.0),
            ("avg<inf", Avg, Less, f64::INFINITY),
        ] {
            let parsed = Expression::parse(source).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((parsed.aggregation.method, parsed.operator, parsed.limit), (method, operator, limit));
        }
        assert_eq!(Expression::parse("p(99.90)<1").unwrap().aggregation.to_string(), "p(99.90)");
    }

    /// Texts observed with k6 2.2.0.
    #[test]
    fn errors() {
        let malformed = "failed parsing threshold expression \"{}\"; reason: malformed threshold expression";
        let left = "failed parsing threshold expression's \"{}\" left hand side; reason: ";
        let right =
            "failed parsing threshold expresion's \"{}\" right hand side; reason: strconv.ParseFloat: ";
        let method = "failed parsing method from expression";
        let between = "malformed percentile value, provide a number between 0 and 100";
        let percentile = "malformed percentile value; reason: strconv.ParseFloat: parsing ";
        for (source, head, tail) in [
            ("", malformed, ""),
            ("bad", malformed, ""),
            ("avg=1", malformed, ""),
            ("avg!1", malformed, ""),
            ("avg<", malformed, ""),
            ("avg < ", right, "parsing \"\": invalid syntax"),
            ("avg<1x", right, "parsing \"1x\": invalid syntax"),
            ("avg<0x10", right, "parsing \"0x10\": invalid syntax"),
            ("avg<_1", right, "parsing \"_1\": invalid syntax"),
            ("avg<1e400", right, "parsing \"1e400\": value out of range"),
            ("rate>>1", right, "parsing \">1\": invalid syntax"),
            ("avg====1", right, "parsing \"=1\": invalid syntax"),
            ("avg<1>=2", right, "parsing \"1>=2\": invalid syntax"),
            ("avg<1 && max<3", right, "parsing \"1 && max<3\": invalid syntax"),
            ("avg>1<=2", left, method),
            ("avg==1<2", left, method),
            ("avg!=1===2", left, method),
            ("avg=>1", left, method),
            ("avg!==1", left, method),
            ("AVG<1", left, method),
            ("last<1", left, method),
            ("<1", left, method),
            ("1<avg", left, method),
            ("p95<3", left, method),
            ("p(95<1", left, method),
            ("p(101)<1", left, between),
            ("p(-1)<3", left, between),
            ("p(nan)<3", left, between),
            ("p(x)<1", left, &format!("{percentile}\"x\": invalid syntax")),
            ("p()<1", left, &format!("{percentile}\"\": invalid syntax")),
            ("p( 95)<5", left, &format!("{percentile}\" 95\": invalid syntax")),
        ] {
            let text = Expression::parse(source).unwrap_err().to_string();
            assert_eq!(text, head.replace("{}", source) + tail);
        }
    }

    #[test]
    fn operators_compare_as_they_say() {
        for (operator, below, same, above) in [
            (Operator::Less, true, false, false),
            (Operator::LessOrEqual, true, true, false),
            (Operator::Greater, false, false, true),
            (Operator::GreaterOrEqual, false, true, true),
            (Operator::Equal, false, true, false),
            (Operator::NotEqual, true, false, true),
        ] {
            let results = [1.0, 2.0, 3.0].map(|figure| operator.holds(figure, 2.0));
            assert_eq!(results, [below, same, above], "{operator:?}");
        }
    }

    #[test]
    fn kinds_have_their_methods() {
        let methods = ["count", "rate", "value", "avg", "min", "max", "med", "p(9)"];
        for (kind, supported) in [
            (MetricKind::Counter, &["count", "rate"][..]),
            (MetricKind::Gauge, &["value"]),
            (MetricKind::Rate, &["rate"]),
            (MetricKind::Trend, &["avg", "min", "max", "med", "p(9)"]),
        ] {
            for method in methods {
                let result = Aggregation::parse(method).unwrap().check(kind);
                assert_eq!(result.is_ok(), supported.contains(&method), "{method} of {kind}");
            }
        }
    }
}
