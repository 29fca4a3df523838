//! What a request leaves in the metrics: nine samples for each hop.

use std::time::Duration;

use ws_http::{Hop, Outcome};
use ws_metrics::{Metadata, MetricId, SystemTag, TagSetId, builtin};

use super::failure::Failure;
use super::plan::{Plan, shown};
use super::statuses::Expected;
use crate::api::Caller;
use crate::group::State;
use crate::shared::Shared;

/// The tags of a request's samples as they were when it was made.
#[derive(Debug, Clone)]
pub(super) struct Labels {
    tags: TagSetId,
    metadata: Metadata,
    name: Option<String>,
    expected: Expected,
}

impl Labels {
    pub(super) fn new(caller: Caller, plan: &Plan) -> Self {
        let shared = &caller.inside.group().shared;
        let state = caller.inside.state();
        let vu = &state.vus[caller.vu as usize].tags;
        let tags =
            if plan.tags.is_empty() { vu.current() } else { shared.tag_sets.merge(vu.current(), &plan.tags) };
        Self { tags, metadata: vu.metadata(), name: plan.name.clone(), expected: plan.expected.clone() }
    }

    /// Takes the samples of all hops.
    pub(super) fn record(&self, caller: Caller, outcome: &Outcome) {
        for hop in &outcome.hops {
            self.hop(caller, hop);
        }
    }

    fn hop(&self, caller: Caller, hop: &Hop) {
        let shared = &caller.inside.group().shared;
        let expected = self.expected.judge(hop.status.unwrap_or(0));
        let tags = self.tags_of(shared, hop, expected);
        let mut state = caller.inside.state();
        let State { vus, samples, .. } = &mut *state;
        if vus[caller.vu as usize].is_cancelled() {
            return;
        }
        let mut add = |metric, value| samples.add(metric, tags, self.metadata, hop.ended, value);
        let timings = &hop.timings;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let times: [(MetricId, Duration); 7] = [
            (builtin::HTTP_REQ_DURATION, timings.duration()),
            (builtin::HTTP_REQ_BLOCKED, timings.blocked),
            (builtin::HTTP_REQ_CONNECTING, timings.connecting),
            (builtin::HTTP_REQ_TLS_HANDSHAKING, timings.tls_handshaking),
            (builtin::HTTP_REQ_SENDING, timings.sending),
            (builtin::HTTP_REQ_WAITING, timings.waiting),
            (builtin::HTTP_REQ_RECEIVING, timings.receiving),
        ];
        add(builtin::HTTP_REQS, 1.0);
        for (metric, time) in times {
            add(metric, ms(time));
        }
        if let Some(expected) = expected {
            add(builtin::HTTP_REQ_FAILED, f64::from(u8::from(!expected)));
        }
    }

    fn tags_of(&self, shared: &Shared, hop: &Hop, expected: Option<bool>) -> TagSetId {
        let mut tags = self.tags;
        let mut set = |tag: SystemTag, name: &str, value: &str| {
            if shared.settings.system_tags.has(tag) {
                tags = shared.tag_sets.with(tags, name, value);
            }
        };
        let url = shown(shared, &hop.url);
        // A name stands for all the addresses that differ in an id only.
        let name = self.name.as_deref().unwrap_or(&url);
        set(SystemTag::Name, "name", name);
        set(SystemTag::Url, "url", name);
        set(SystemTag::Method, "method", &hop.method);
        set(SystemTag::Status, "status", &hop.status.unwrap_or(0).to_string());
        if let Some(expected) = expected {
            set(SystemTag::ExpectedResponse, "expected_response", if expected { "true" } else { "false" });
        }
        if let Some(error) = &hop.error {
            let failure = Failure::of(error, &hop.method, &hop.url);
            set(SystemTag::Error, "error", &failure.error);
            set(SystemTag::ErrorCode, "error_code", &failure.code.to_string());
        } else if let Some(status) = hop.status.filter(|status| *status >= 400) {
            set(SystemTag::ErrorCode, "error_code", &(1000 + status).to_string());
        }
        if hop.status.is_some() {
            if let Some(protocol) = hop.protocol {
                set(SystemTag::Proto, "proto", &protocol.to_string());
            }
            if let Some(tls) = hop.tls {
                set(SystemTag::TlsVersion, "tls_version", &tls.version.to_string());
            }
        }
        if let Some(peer) = hop.peer {
            set(SystemTag::Ip, "ip", &peer.ip().to_string());
        }
        tags
    }
}
