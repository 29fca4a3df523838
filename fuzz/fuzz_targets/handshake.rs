//! A response to the upgrade request in arbitrary pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_proto::internals::handshake::fuzz(input));
