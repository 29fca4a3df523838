//! Metrics of a WebSocket load test: samples in, verdicts out. Names, numbers and messages are those of k6.
//!
//! | Idea | Types |
//! |---|---|
//! | a metric has a name, a [`MetricKind`] and a unit | [`Registry`], [`MetricId`], [`builtin`] |
//! | tags place a sample; they are interned | [`TagSets`], [`TagSetId`], [`SystemTags`] |
//! | a sample is one observation; a group of VUs collects them without a lock | [`SampleBuffer`], [`Batch`] |
//! | a sink is what is kept of all values | [`SinkValue`], [`TrendSummary`] |
//! | a threshold is a promise about a metric, or about the samples with certain tags | [`Thresholds`] |
//! | one thread folds, judges and feeds the outputs | [`Pipeline`], [`Aggregator`], [`Output`] |
//! | what came out | [`Report`] |
//!
//! With the feature `prometheus`, off by default, there is a `PrometheusView` of the run as it goes.
//!
//! Times are milliseconds and data is bytes everywhere but in the Prometheus view, where times are seconds.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use ws_metrics::*;
//!
//! let (registry, tag_sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
//! let mut config = PipelineConfig::new(registry.clone(), tag_sets.clone());
//! let wanted = [("ws_connecting{status:101}".to_owned(), vec!["p(95) < 200".into()])];
//! config.thresholds = Thresholds::parse(wanted, &registry, false)?;
//! let pipeline = Pipeline::start(config)?;
//!
//! let tags = tag_sets.intern(&[("status", "101")]);
//! let mut buffer = SampleBuffer::new(Detail::Summed);
//! buffer.add(builtin::WS_CONNECTING, tags, Metadata::EMPTY, Timestamp::from_nanos(0), 250.0);
//! pipeline.sender().send(buffer.take())?;
//!
//! let report = pipeline.finish(Duration::from_secs(1));
//! assert_eq!(report.crossed, ["ws_connecting{status:101}"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod aggregator;
#[cfg(feature = "prometheus")]
mod bridge;
#[cfg(not(feature = "prometheus"))]
#[path = "no_bridge.rs"]
mod bridge;
mod buffer;
pub mod builtin;
mod checks;
pub mod duration;
mod metric;
mod output;
mod pipeline;
#[cfg(feature = "prometheus")]
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
mod warning;

pub use aggregator::{Aggregator, Evaluation};
pub use buffer::{Batch, Detail, SampleBuffer, Slot};
pub use metric::{Contains, MetricId, MetricInfo, MetricKind};
pub use output::Output;
pub use pipeline::{
    BatchSender, Clock, EVALUATION_INTERVAL, Finished, Monitor, OnAbort, Pipeline, PipelineConfig,
};
#[cfg(feature = "prometheus")]
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
pub use warning::{ThresholdWarning, Warning};

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
