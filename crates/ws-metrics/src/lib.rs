//! Metrics of a WebSocket load test: samples, aggregation, thresholds, Prometheus view.
#![forbid(unsafe_code)]
