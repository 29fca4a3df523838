//! Every built-in metric: name, kind, unit and help text in one table.
//!
//! All of them are registered when a [`Registry`](crate::Registry) is made, as k6 does, so that thresholds may
//! name any of them and scripts cannot take their names for something else. Durations are milliseconds.

use crate::metric::{Contains, MetricId, MetricKind};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builtin {
    pub(crate) id: MetricId,
    pub(crate) name: &'static str,
    pub(crate) contains: Contains,
    pub(crate) help: &'static str,
}

macro_rules! builtins {
    ($($id:ident $name:literal $kind:ident $contains:ident $help:literal;)+) => {
        /// Positions in the table, so that the ids below follow its order by construction.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Position { $($id),+ }

        $(
            #[doc = concat!("`", $name, "`: ", $help, ".")]
            pub const $id: MetricId = MetricId::new(Position::$id as u32, MetricKind::$kind);
        )+

        pub(crate) const TABLE: &[Builtin] = &[
            $(Builtin { id: $id, name: $name, contains: Contains::$contains, help: $help }),+
        ];
    };
}

builtins! {
    VUS "vus" Gauge Default "Virtual users that are active";
    VUS_MAX "vus_max" Gauge Default "Virtual users that are initialised";
    ITERATIONS "iterations" Counter Default "Iterations that ended without being interrupted";
    ITERATION_DURATION "iteration_duration" Trend Time "Duration of an iteration, with its event loop";
    DROPPED_ITERATIONS "dropped_iterations" Counter Default "Iterations that could not be started";
    CHECKS "checks" Rate Default "Checks that passed";
    GROUP_DURATION "group_duration" Trend Time "Duration of a group";
    HTTP_REQS "http_reqs" Counter Default "HTTP requests, each redirect counted";
    HTTP_REQ_FAILED "http_req_failed" Rate Default "HTTP requests with an unexpected response";
    HTTP_REQ_DURATION "http_req_duration" Trend Time "HTTP request from sending to the end of the response";
    HTTP_REQ_BLOCKED "http_req_blocked" Trend Time "Wait for a connection before an HTTP request";
    HTTP_REQ_CONNECTING "http_req_connecting" Trend Time "TCP connect of an HTTP request";
    HTTP_REQ_TLS_HANDSHAKING "http_req_tls_handshaking" Trend Time "TLS handshake of an HTTP request";
    HTTP_REQ_SENDING "http_req_sending" Trend Time "Writing of an HTTP request";
    HTTP_REQ_WAITING "http_req_waiting" Trend Time "Wait for the first byte of an HTTP response";
    HTTP_REQ_RECEIVING "http_req_receiving" Trend Time "Reading of an HTTP response";
    WS_SESSIONS "ws_sessions" Counter Default "WebSocket connection attempts, failed ones counted";
    WS_MSGS_SENT "ws_msgs_sent" Counter Default "WebSocket messages sent";
    WS_MSGS_RECEIVED "ws_msgs_received" Counter Default "WebSocket messages received";
    WS_PING "ws_ping" Trend Time "Time from a ping to its pong";
    WS_SESSION_DURATION "ws_session_duration" Trend Time "Duration of a WebSocket session, connecting included";
    WS_CONNECTING "ws_connecting" Trend Time "WebSocket dial: lookup, TCP, TLS and upgrade";
    WS_HANDSHAKE_DNS "ws_handshake_dns" Trend Time "Name lookup of a WebSocket dial";
    WS_HANDSHAKE_TCP "ws_handshake_tcp" Trend Time "TCP connect of a WebSocket dial";
    WS_HANDSHAKE_PROXY "ws_handshake_proxy" Trend Time "Request for a tunnel through a proxy of a WebSocket dial";
    WS_HANDSHAKE_TLS "ws_handshake_tls" Trend Time "TLS handshake of a WebSocket dial";
    WS_HANDSHAKE_UPGRADE "ws_handshake_upgrade" Trend Time "Upgrade request and response of a WebSocket dial";
    WS_MSG_LATENCY "ws_msg_latency" Trend Time "From the write of a WebSocket message to the arrival of its answer";
    WS_MSG_LATENCY_UNMATCHED "ws_msg_latency_unmatched" Counter Default "Received WebSocket messages that answer no open request";
    WS_MSG_LATENCY_TIMEOUTS "ws_msg_latency_timeouts" Counter Default "WebSocket messages without an answer in time";
    WS_MSG_LATENCY_ABANDONED "ws_msg_latency_abandoned" Counter Default "WebSocket messages whose answer could not be waited for";
    ITERATION_START_LATENESS "iteration_start_lateness" Trend Time "Time from when an iteration was due to its begin";
    WS_GENERATOR_DELAY "ws_generator_delay" Trend Time "Time that a received WebSocket message waited for its handler";
    GRPC_REQ_DURATION "grpc_req_duration" Trend Time "Duration of a gRPC request";
    DATA_SENT "data_sent" Counter Data "Bytes written to sockets";
    DATA_RECEIVED "data_received" Counter Data "Bytes read from sockets";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_table() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.id.index(), index, "{}", row.name);
        }
    }

    #[test]
    fn kinds_and_units_match_k6() {
        let kinds =
            |kind| TABLE.iter().filter(|row| row.id.kind() == kind).map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(kinds(MetricKind::Gauge), ["vus", "vus_max"]);
        assert_eq!(kinds(MetricKind::Rate), ["checks", "http_req_failed"]);
        assert_eq!(
            kinds(MetricKind::Counter),
            [
                "iterations",
                "dropped_iterations",
                "http_reqs",
                "ws_sessions",
                "ws_msgs_sent",
                "ws_msgs_received",
                "ws_msg_latency_unmatched",
                "ws_msg_latency_timeouts",
                "ws_msg_latency_abandoned",
                "data_sent",
                "data_received"
            ]
        );
        for row in TABLE {
            let expected = match (row.id.kind(), row.name) {
                (MetricKind::Trend, _) => Contains::Time,
                (_, "data_sent" | "data_received") => Contains::Data,
                _ => Contains::Default,
            };
            assert_eq!(row.contains, expected, "{}", row.name);
        }
    }
}
