//! A server's `Sec-WebSocket-Extensions` for an arbitrary offer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ws_proto::internals::extensions::fuzz(input));
