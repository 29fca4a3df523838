//! What `k6/http` keeps of a VU.

use rustc_hash::FxHashMap;
use ws_http::{Connections, Pending};

use super::plan::Plan;
use super::samples::Labels;
use super::statuses::Expected;
use crate::api::Caller;
use crate::shared::Shared;

/// Nothing until the first request.
#[derive(Default)]
pub(crate) struct User(Option<Box<Inner>>);

#[derive(Default)]
struct Inner {
    connections: Option<Connections>,
    expected: Expected,
    /// Requests that a promise stands for, by number.
    pending: FxHashMap<u32, Awaited>,
    next: u32,
}

/// A request that the script has not waited for.
pub(super) struct Awaited {
    pub(super) resolver: v8::Global<v8::PromiseResolver>,
    pub(super) plan: Plan,
    pub(super) labels: Labels,
    /// Not there for the moment in which it is being made.
    pub(super) pending: Option<Pending>,
}

impl User {
    fn inner(&mut self) -> &mut Inner {
        self.0.get_or_insert_default()
    }

    /// Whether no promise is open.
    pub(crate) fn is_idle(&self) -> bool {
        self.0.as_ref().is_none_or(|inner| inner.pending.is_empty())
    }

    /// Gives all requests up that are under way: nobody hears of them any more.
    pub(crate) fn give_up(&mut self) {
        for (_, awaited) in self.0.iter_mut().flat_map(|inner| inner.pending.drain()) {
            if let Some(pending) = awaited.pending {
                pending.abort();
            }
        }
    }

    /// Bytes read and written since the last call.
    pub(crate) fn take_traffic(&mut self) -> (u64, u64) {
        let connections = self.0.as_ref().and_then(|inner| inner.connections.as_ref());
        connections.map_or((0, 0), Connections::take_traffic)
    }

    /// The iteration is over: what it has opened is not kept if the run says so.
    pub(crate) fn end_iteration(&mut self, shared: &Shared) {
        if shared.settings.http.no_vu_connection_reuse
            && let Some(connections) = self.0.as_ref().and_then(|inner| inner.connections.as_ref())
        {
            connections.close_idle();
        }
    }

    pub(super) fn connections(&mut self, shared: &Shared, number: u32) -> Connections {
        let make = || Connections::new(shared.http(), shared.local_ip(number, 0));
        self.inner().connections.get_or_insert_with(make).clone()
    }

    pub(super) fn set_expected(&mut self, expected: Expected) {
        self.inner().expected = expected;
    }

    pub(super) fn expect(&mut self, awaited: Awaited) -> u32 {
        let inner = self.inner();
        let serial = inner.next;
        inner.next = inner.next.wrapping_add(1);
        inner.pending.insert(serial, awaited);
        serial
    }

    pub(super) fn begun(&mut self, serial: u32, pending: Pending) {
        if let Some(awaited) = self.inner().pending.get_mut(&serial) {
            awaited.pending = Some(pending);
        }
    }

    pub(super) fn take(&mut self, serial: u32) -> Option<Awaited> {
        self.0.as_mut()?.pending.remove(&serial)
    }
}

impl Caller {
    /// Sets which responses the VU's script expects.
    pub(super) fn expect_http(self, expected: Expected) {
        self.inside.state().vus[self.vu as usize].http.set_expected(expected);
    }

    /// Which responses the VU's script expects.
    pub(super) fn http_expected(self) -> Expected {
        let state = self.inside.state();
        let user = &state.vus[self.vu as usize].http;
        user.0.as_ref().map(|inner| inner.expected.clone()).unwrap_or_default()
    }
}
