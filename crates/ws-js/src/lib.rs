//! k6 JavaScript APIs for WebSocket load tests on V8: shared isolates under few threads.
