//! A WebSocket client over non-blocking mio streams: handshake, TLS, frames, cookies.
#![forbid(unsafe_code)]
