//! Decides what runs when in a load test: scenarios, executors, VU lifecycle.
#![forbid(unsafe_code)]
