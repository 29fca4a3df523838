#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aggregator;
mod bridge;
mod buffer;
pub mod builtin;
mod checks;
mod metric;
mod output;
mod pipeline;
mod prometheus;
mod quantile;
mod queue;
mod registry;
mod report;
mod sample;
mod sink;
mod system_tags;
mod tags;
mod threshold;
mod time;
mod trend_stat;

pub use aggregator::{Aggregator, Evaluation};
pub use buffer::{Batch, Detail, SampleBuffer, Slot};
pub use metric::{Contains, MetricId, MetricInfo, MetricKind};
pub use output::Output;
pub use pipeline::{BatchSender, Clock, EVALUATION_INTERVAL, Finished, Monitor, Pipeline, PipelineConfig};
pub use prometheus::PrometheusView;
pub use registry::{Registry, RegistryError};
pub use report::{
    CheckReport, GroupReport, MetricReport, OutputReport, Report, SubmetricReport, ThresholdReport,
};
pub use sample::{Metadata, Sample, Sum};
pub use sink::{SinkValue, TrendSink, TrendSummary};
pub use system_tags::{SystemTag, SystemTags};
pub use tags::{TagSet, TagSetId, TagSets};
pub use threshold::{
    Aggregation, Expression, ExpressionError, KeyError, Method, MetricKey, Operator, Selector, Threshold,
    ThresholdConfig, ThresholdError, Thresholds,
};
pub use time::{Timestamp, WallClock};
pub use trend_stat::{TrendStat, TrendStatError};
