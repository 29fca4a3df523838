//! A stream of frames in arbitrary pieces, with and without compression, beside tungstenite's reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_proto::internals::frames::fuzz(input));
