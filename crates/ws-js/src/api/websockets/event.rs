//! The objects that handlers are called with: k6's properties, and hidden ones beyond them.

use super::listeners::On;
use crate::binding;
use crate::group::Inside;
use crate::shared::Compat;
use crate::templates::Templates;
use crate::web::clock;

/// What events of each kind are made of, by [`On`].
pub(crate) struct Shapes {
    by_kind: [v8::Global<v8::ObjectTemplate>; On::COUNT],
}

/// Internal fields of all events, then those of a kind.
const TARGET: usize = 0;
const TIMESTAMP: usize = 1;
const FIRST: usize = 2;

/// What else the events of a kind have: enumerable as in k6, or hidden because k6 has no such thing.
fn details(on: On) -> (&'static [&'static str], &'static [&'static str]) {
    match on {
        On::Open => (&[], &[]),
        On::Message => (&["data", "origin"], &["arrival"]),
        On::Error => (&["error"], &["status", "headers", "body"]),
        On::Close => (&["code", "reason"], &["wasClean"]),
        On::Ping | On::Pong => (&[], &["data"]),
    }
}

impl Shapes {
    pub(super) fn new(scope: &mut v8::PinScope<'_, '_>, compat: Compat) -> Self {
        // Both names of the time are there; one of them is listed.
        let is_web = compat == Compat::Web;
        Self {
            by_kind: On::ALL.map(|on| {
                let shape = v8::ObjectTemplate::new(scope);
                let (shown, hidden) = details(on);
                shape.set_internal_field_count(FIRST + shown.len() + hidden.len());
                // V8 lists the last one first.
                let mut properties = vec![
                    ("target", TARGET, true),
                    ("timestamp", TIMESTAMP, !is_web),
                    ("timeStamp", TIMESTAMP, is_web),
                ];
                let kinds =
                    shown.iter().map(|name| (name, true)).chain(hidden.iter().map(|name| (name, false)));
                properties
                    .extend(kinds.zip(FIRST..).map(|((name, is_listed), field)| (*name, field, is_listed)));
                for (name, field, is_listed) in properties.into_iter().rev() {
                    let key = binding::string(scope, name).into();
                    let field = v8::Integer::new(scope, field as i32).into();
                    let property = match name {
                        "timeStamp" => v8::AccessorConfiguration::new(get_time_stamp),
                        _ => v8::AccessorConfiguration::new(get),
                    };
                    let property = property.data(field).property_attribute(if is_listed {
                        v8::PropertyAttribute::READ_ONLY
                    } else {
                        v8::PropertyAttribute::READ_ONLY | v8::PropertyAttribute::DONT_ENUM
                    });
                    shape.set_accessor_with_configuration(key, property);
                }
                let key = binding::string(scope, "type").into();
                let name = binding::string(scope, on.name()).into();
                let property = v8::AccessorConfiguration::new(get_data)
                    .data(name)
                    .property_attribute(v8::PropertyAttribute::READ_ONLY);
                shape.set_accessor_with_configuration(key, property);
                v8::Global::new(scope, shape)
            }),
        }
    }
}

/// Makes an event of a socket. `details` are what the kind has beyond the rest, shown ones first.
pub(super) fn make<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    inside: Inside,
    on: On,
    target: v8::Local<'_, v8::Object>,
    details: &[v8::Local<'_, v8::Value>],
) -> Option<v8::Local<'s, v8::Object>> {
    let shape = Templates::sockets(scope).events.by_kind[on as usize].clone();
    let event = v8::Local::new(scope, shape).new_instance(scope)?;
    event.set_internal_field(TARGET, target.into());
    let now = inside.state().io.now();
    let ms = inside.group().shared.wall.at(now).as_nanos() as f64 / 1e6;
    let ms = v8::Number::new(scope, ms);
    event.set_internal_field(TIMESTAMP, ms.into());
    for (index, value) in details.iter().enumerate() {
        event.set_internal_field(FIRST + index, (*value).into());
    }
    Some(event)
}

fn get(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) {
    let field = arguments.data().int32_value(scope).unwrap_or_default();
    let value = arguments.holder().get_internal_field(scope, usize::try_from(field).unwrap_or_default());
    if let Some(value) = value.and_then(|value| v8::Local::<v8::Value>::try_from(value).ok()) {
        answer.set(value);
    }
}

/// The time of an event as `performance.now()` counts.
fn get_time_stamp(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) {
    let value = arguments.holder().get_internal_field(scope, TIMESTAMP);
    if let Some(epoch_ms) = value.and_then(|value| v8::Local::<v8::Number>::try_from(value).ok()) {
        answer.set_double(epoch_ms.value() - clock::time_origin());
    }
}

fn get_data(
    _: &mut v8::PinScope<'_, '_>,
    _: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) {
    answer.set(arguments.data());
}
