//! The param `latency`.

use std::time::Duration;

use super::pointer::Pointer;
use super::rule::Rule;
use crate::api::entries;
use crate::binding::{Native, Throw};
use crate::convert;

/// What a script wants measured on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Latency {
    pub(super) rule: Rule,
    /// How long an answer may take.
    pub(super) timeout: Duration,
}

const TIMEOUT: Duration = Duration::from_secs(10);

/// An hour; a longer time is no limit for an answer.
const MAX_TIMEOUT_MS: f64 = 3_600_000.0;

impl Latency {
    /// Reads `{id, answer, timeout}`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and what would be right.
    pub(crate) fn read<'s>(
        scope: &mut v8::PinScope<'s, '_>,
        value: v8::Local<'s, v8::Value>,
    ) -> Native<Option<Self>> {
        if value.is_null_or_undefined() {
            return Ok(None);
        }
        let Ok(object) = v8::Local::<v8::Object>::try_from(value) else {
            return Err(bad(scope, "the param 'latency' must be an object such as {id: 'echo'}", value));
        };
        let (mut rule, mut answer, mut timeout) = (None, None, TIMEOUT);
        for (key, value) in entries(scope, object)? {
            match key.as_str() {
                _ if value.is_undefined() => (),
                "id" => rule = Some(id(scope, value)?),
                "answer" => {
                    let wanted = "latency.answer must be a JSON pointer such as '/id'";
                    let pointer = if value.is_string() {
                        Pointer::parse(&convert::to_text(scope, value)?)
                    } else {
                        None
                    };
                    answer = Some(pointer.ok_or_else(|| bad(scope, wanted, value))?);
                }
                "timeout" => {
                    let ms = v8::Local::<v8::Number>::try_from(value).map_or(f64::NAN, |ms| ms.value());
                    if !(ms > 0.0 && ms <= MAX_TIMEOUT_MS) {
                        let wanted = "latency.timeout must be a number of milliseconds up to 3600000";
                        return Err(bad(scope, wanted, value));
                    }
                    timeout = Duration::from_secs_f64(ms / 1e3);
                }
                other => {
                    return Err(Throw::Go(format!(
                        "unknown key '{other}' in the param 'latency', known are id, answer and timeout"
                    )));
                }
            }
        }
        let Some(mut rule) = rule else {
            return Err(Throw::Go(format!("the param 'latency' needs an id: {IDS}")));
        };
        match (&mut rule, answer) {
            (_, None) => (),
            (Rule::Pointer { answer, .. }, Some(pointer)) => *answer = pointer,
            (Rule::Echo | Rule::Fifo, Some(_)) => {
                return Err(Throw::Go("latency.answer needs a JSON pointer as latency.id".into()));
            }
        }
        Ok(Some(Self { rule, timeout }))
    }
}

const IDS: &str = "'echo', 'fifo' or a JSON pointer such as '/id'";

fn id<'s>(scope: &mut v8::PinScope<'s, '_>, value: v8::Local<'s, v8::Value>) -> Native<Rule> {
    let text = if value.is_string() { convert::to_text(scope, value)? } else { String::new() };
    let pointer = || Pointer::parse(&text);
    match text.as_str() {
        "echo" => Ok(Rule::Echo),
        "fifo" => Ok(Rule::Fifo),
        _ => match pointer() {
            Some(request) => Ok(Rule::Pointer { answer: request.clone(), request }),
            None => Err(bad(scope, &format!("latency.id must be {IDS}"), value)),
        },
    }
}

fn bad<'s>(scope: &mut v8::PinScope<'s, '_>, wanted: &str, value: v8::Local<'s, v8::Value>) -> Throw {
    let shown = match convert::to_text(scope, value) {
        Ok(text) if value.is_string() => format!("'{text}'"),
        Ok(text) => text,
        Err(throw) => return throw,
    };
    Throw::Go(format!("{wanted}, got {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    #[test]
    fn what_can_be_asked_for() {
        let pointer = |text| Pointer::parse(text).unwrap();
        let both = |request, answer| Rule::Pointer { request: pointer(request), answer: pointer(answer) };
        with_scope(|scope| {
            for (source, rule, ms) in [
                ("({id: 'echo'})", Rule::Echo, 10_000),
                ("({id: 'fifo', timeout: 250, answer: undefined})", Rule::Fifo, 250),
                ("({id: '/msg/id'})", both("/msg/id", "/msg/id"), 10_000),
                ("({answer: '/re', id: '/id'})", both("/id", "/re"), 10_000),
            ] {
                let value = run(scope, source);
                let latency = Latency::read(scope, value).unwrap().unwrap();
                assert_eq!(latency, Latency { rule, timeout: Duration::from_millis(ms) }, "{source}");
            }
            for nothing in ["null", "undefined"] {
                let value = run(scope, nothing);
                assert_eq!(Latency::read(scope, value), Ok(None));
            }
        });
    }

    #[test]
    fn mistakes_are_told_with_what_would_be_right() {
        let ids = "'echo', 'fifo' or a JSON pointer such as '/id'";
        with_scope(|scope| {
            for (source, text) in [
                ("'echo'", "the param 'latency' must be an object such as {id: 'echo'}, got 'echo'".into()),
                ("({})", format!("the param 'latency' needs an id: {ids}")),
                ("({id: 'id'})", format!("latency.id must be {ids}, got 'id'")),
                ("({id: 7})", format!("latency.id must be {ids}, got 7")),
                ("({id: ''})", format!("latency.id must be {ids}, got ''")),
                ("({id: '/a~b'})", format!("latency.id must be {ids}, got '/a~b'")),
                (
                    "({id: '/a', answer: 'b'})",
                    "latency.answer must be a JSON pointer such as '/id', got 'b'".into(),
                ),
                ("({id: 'echo', answer: '/b'})", "latency.answer needs a JSON pointer as latency.id".into()),
                (
                    "({id: 'echo', timeout: '1s'})",
                    "latency.timeout must be a number of milliseconds up to 3600000, got '1s'".into(),
                ),
                (
                    "({id: 'echo', timeout: 0})",
                    "latency.timeout must be a number of milliseconds up to 3600000, got 0".into(),
                ),
                (
                    "({id: 'echo', time: 1})",
                    "unknown key 'time' in the param 'latency', known are id, answer and timeout".into(),
                ),
            ] {
                let value = run(scope, source);
                assert_eq!(Latency::read(scope, value), Err(Throw::Go(text)), "{source}");
            }
        });
    }
}
