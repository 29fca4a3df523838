//! What `k6` and `k6/metrics` need of the VU that calls them.

use std::time::Instant;

use ws_metrics::{Contains, MetricKind, builtin};

use super::{Caller, k6, metrics};
use crate::binding::{Native, Throw};
use crate::group::{Inside, State};
use crate::log::{Level, Record};
use crate::realm;

/// The VU whose script runs on this thread.
pub(crate) struct Running;

/// A group that was left by entering another one.
pub(crate) struct Outer {
    path: String,
    entered: Instant,
}

impl k6::Host for Running {
    type Outer = Outer;

    fn in_init() -> bool {
        realm::in_init()
    }

    fn record_check(name: &str, tags: &[(String, String)], passed: bool) {
        let Caller { inside, vu } = Caller::here();
        let shared = &inside.group().shared;
        let mut state = inside.state();
        let State { vus, samples, io, .. } = &mut *state;
        if vus[vu as usize].is_cancelled() {
            return;
        }
        let vu = &vus[vu as usize].tags;
        let mut set = vu.current();
        if !tags.is_empty() {
            set = shared.tag_sets.merge(set, tags);
        }
        if shared.settings.system_tags.has(ws_metrics::SystemTag::Check) {
            set = shared.tag_sets.with(set, "check", name);
        }
        samples.add(builtin::CHECKS, set, vu.metadata(), io.now(), f64::from(u8::from(passed)));
    }

    fn enter_group(name: &str) -> Outer {
        let Caller { inside, vu } = Caller::here();
        let path = inside.state().vus[vu as usize].tags.enter_group(&inside.group().shared, name);
        Outer { path, entered: Instant::now() }
    }

    fn leave_group(outer: Outer) {
        let Caller { inside, vu } = Caller::here();
        let now = Instant::now();
        let ms = now.duration_since(outer.entered).as_secs_f64() * 1e3;
        let mut state = inside.state();
        let State { vus, samples, .. } = &mut *state;
        let is_cancelled = vus[vu as usize].is_cancelled();
        let tags = &mut vus[vu as usize].tags;
        if !is_cancelled {
            samples.add(builtin::GROUP_DURATION, tags.current(), tags.metadata(), now, ms);
        }
        tags.leave_group(&inside.group().shared, outer.path);
    }
}

impl metrics::Host for Running {
    fn in_init() -> bool {
        realm::in_init()
    }

    fn declare(kind: MetricKind, name: &str, is_time: bool) -> Result<u32, String> {
        let inside = Inside::current();
        let contains = if is_time { Contains::Time } else { Contains::Default };
        let metric = inside.group().shared.registry.register(name, kind, contains);
        let metric = metric.map_err(|error| error.to_string())?;
        Ok(inside.state().samples.number_of(metric))
    }

    fn name(metric: u32) -> String {
        let inside = Inside::current();
        let metric = inside.state().samples.custom(metric);
        inside.group().shared.registry.info(metric).name.to_string()
    }

    fn add(metric: u32, value: f64, tags: &[(String, String)]) {
        let Caller { inside, vu } = Caller::here();
        let mut state = inside.state();
        let State { vus, samples, io, .. } = &mut *state;
        if vus[vu as usize].is_cancelled() {
            return;
        }
        let vu = &vus[vu as usize].tags;
        let mut set = vu.current();
        if !tags.is_empty() {
            set = inside.group().shared.tag_sets.merge(set, tags);
        }
        let metric = samples.custom(metric);
        samples.add(metric, set, vu.metadata(), io.now(), value);
    }

    fn refuse(message: String) -> Native {
        let inside = Inside::current();
        let shared = &inside.group().shared;
        if shared.settings.throw {
            return Err(Throw::Go(message));
        }
        shared.log.write(&Record { level: Level::Warning, message: &message, fields: &[] });
        Ok(())
    }
}
