//! `expectedStatuses` and response callbacks: which responses count as failed.

use std::sync::Arc;

use crate::binding::{self, Native, Throw};
use crate::convert;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// Which statuses a script expects. No response at all has status 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Expected {
    /// 200 to 399.
    #[default]
    Usual,
    /// Nothing is said of the matter: no metric, no tag.
    Unjudged,
    /// Those in one of the ranges, ends counted.
    Within(Arc<[(u32, u32)]>),
}

impl Expected {
    /// Whether a response is as expected; `None` if nobody is to judge that.
    pub(super) fn judge(&self, status: u16) -> Option<bool> {
        let status = u32::from(status);
        match self {
            Expected::Usual => Some((200..400).contains(&status)),
            Expected::Unjudged => None,
            Expected::Within(ranges) => Some(ranges.iter().any(|(min, max)| (*min..=*max).contains(&status))),
        }
    }

    /// Reads a response callback: what `expectedStatuses` gave, or `null`. `None` for anything else.
    pub(super) fn read(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Option<Self> {
        if value.is_null_or_undefined() {
            return Some(Expected::Unjudged);
        }
        let object = v8::Local::<v8::Object>::try_from(value).ok()?;
        let key = key(scope);
        let numbers = v8::Local::<v8::Array>::try_from(object.get_private(scope, key)?).ok()?;
        let number = |scope: &mut v8::PinScope<'_, '_>, index| {
            numbers.get_index(scope, index).and_then(|value| value.uint32_value(scope))
        };
        let ranges = (0..numbers.length() / 2)
            .map(|pair| Some((number(scope, 2 * pair)?, number(scope, 2 * pair + 1)?)))
            .collect::<Option<Vec<_>>>()?;
        Some(Expected::Within(ranges.into()))
    }
}

/// Where an object of [`expected_statuses`] keeps its ranges. Scripts cannot name it.
fn key<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Private> {
    let name = binding::string(scope, "expectedStatuses");
    v8::Private::for_api(scope, Some(name))
}

/// `expectedStatuses(200, {min: 300, max: 399})`.
pub(super) fn expected_statuses<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    if arguments.length() == 0 {
        return Err(Throw::Go("no arguments".into()));
    }
    let mut numbers: Vec<v8::Local<'_, v8::Value>> = Vec::new();
    for index in 0..arguments.length() {
        let argument = arguments.get(index);
        let (min, max) = range(scope, argument)?.ok_or_else(|| {
            Throw::Go(format!(
                "argument number {} to expectedStatuses was neither an integer nor an object like {{min:100, max:329}}",
                index + 1
            ))
        })?;
        for number in [min, max] {
            numbers.push(v8::Integer::new_from_unsigned(scope, number).into());
        }
    }
    let numbers = v8::Array::new_with_elements(scope, &numbers);
    let object = v8::Object::new(scope);
    let key = key(scope);
    object.set_private(scope, key, numbers.into());
    Ok(object)
}

fn range<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Native<Option<(u32, u32)>> {
    if value.is_number() {
        return Ok(status(scope, value)?.map(|status| (status, status)));
    }
    let Ok(object) = v8::Local::<v8::Object>::try_from(value) else { return Ok(None) };
    let mut end = |name| {
        let name = binding::string(scope, name).into();
        let value = object.get(scope, name).ok_or(Throw::Pending)?;
        status(scope, value)
    };
    let (min, max) = (end("min")?, end("max")?);
    Ok(min.zip(max))
}

fn status(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<Option<u32>> {
    if !value.is_number() {
        return Ok(None);
    }
    let number = convert::to_number(scope, value)?;
    Ok((number.fract() == 0.0 && (0.0..=999.0).contains(&number)).then_some(number as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_judged_by_what_is_expected() {
        for (status, judgement) in [(0, false), (199, false), (200, true), (399, true), (400, false)] {
            assert_eq!(Expected::Usual.judge(status), Some(judgement), "{status}");
        }
        let some = Expected::Within([(0, 0), (500, 503)].into());
        for (status, judgement) in [(0, true), (200, false), (500, true), (503, true), (504, false)] {
            assert_eq!(some.judge(status), Some(judgement), "{status}");
        }
        assert_eq!(Expected::Unjudged.judge(200), None);
    }
}
