//! Thresholds: what a run promises about its metrics.

mod expression;
mod key;
mod set;

pub use expression::{Aggregation, Expression, ExpressionError, Method, Operator};
pub use key::{KeyError, MetricKey};
pub use set::{Selector, Threshold, ThresholdConfig, ThresholdError, Thresholds};

pub(crate) use expression::parse_number;
