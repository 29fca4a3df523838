//! An event loop for WebSocket clients: mio poll, timer wheel, handler registry.
#![forbid(unsafe_code)]
