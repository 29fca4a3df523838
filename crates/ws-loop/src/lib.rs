//! An event loop for WebSocket clients: mio poll, timer wheel, handler registry.
#![forbid(unsafe_code)]

mod clock;
mod wheel;

pub use clock::{Clock, ManualClock, Ticks};
pub use wheel::{TimerId, TimerWheel};
