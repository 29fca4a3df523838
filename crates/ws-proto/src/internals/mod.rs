//! What the tests, the fuzz targets and the benchmarks of this repository need of the inside. No part of the API.

pub mod codec;
pub mod extensions;
pub mod frames;
pub mod handshake;
pub mod inflate;
pub mod pieces;
pub mod seen;
