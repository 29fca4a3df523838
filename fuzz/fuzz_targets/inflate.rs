//! Compressed messages of a hostile server, and our own there and back.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_proto::internals::inflate::fuzz(input));
