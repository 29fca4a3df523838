//! The names on the global object, which a realm has without having anything of them.
//!
//! As properties, names alone would take 4 KB of each realm. So the global object has an interceptor, which V8 asks
//! for names that are not there: it makes what is looked at a property, once.

use super::{ENCODING, EVENTS, EXCEPTION, Origin, PLATFORM, URL, get, made};
use crate::binding::{Native, Throw, guard, string};

pub(super) const TABLE: &[(&str, Origin)] = &[
    ("AbortController", Origin::File(EVENTS)),
    ("AbortSignal", Origin::File(EVENTS)),
    ("Blob", Origin::Blob),
    ("CustomEvent", Origin::File(EVENTS)),
    ("DOMException", Origin::File(EXCEPTION)),
    ("Event", Origin::File(EVENTS)),
    ("EventTarget", Origin::File(EVENTS)),
    ("TextDecoder", Origin::File(ENCODING)),
    ("TextEncoder", Origin::File(ENCODING)),
    ("URL", Origin::File(URL)),
    ("URLSearchParams", Origin::File(URL)),
    ("atob", Origin::File(PLATFORM)),
    ("btoa", Origin::File(PLATFORM)),
    ("crypto", Origin::File(PLATFORM)),
    ("performance", Origin::File(PLATFORM)),
    ("queueMicrotask", Origin::File(PLATFORM)),
    ("structuredClone", Origin::File(PLATFORM)),
];

/// What global objects are made from.
pub(super) fn template<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::ObjectTemplate> {
    let template = v8::ObjectTemplate::new(scope);
    // What is there already is found without asking us: it costs no more than without an interceptor.
    let flags = v8::PropertyHandlerFlags::NON_MASKING | v8::PropertyHandlerFlags::ONLY_INTERCEPT_STRINGS;
    template.set_named_property_handler(
        v8::NamedPropertyHandlerConfiguration::new()
            .getter(look)
            .query(query)
            .deleter(delete)
            .enumerator(enumerate)
            .flags(flags),
    );
    template
}

/// A script looks at a name for the first time.
fn look(
    scope: &mut v8::PinScope<'_, '_>,
    name: v8::Local<'_, v8::Name>,
    _: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_>,
) -> v8::Intercepted {
    let Some(known) = offered(scope, name) else { return v8::Intercepted::kNo };
    let value = guard(scope, |scope| {
        let value = get(scope, known)?;
        take_back(scope, known)?;
        let global = scope.get_current_context().global(scope);
        global
            .define_own_property(scope, name, value, v8::PropertyAttribute::DONT_ENUM)
            .ok_or(Throw::Pending)?;
        Ok(value)
    });
    if let Some(value) = value {
        answer.set(value);
    }
    v8::Intercepted::kYes
}

fn query(
    scope: &mut v8::PinScope<'_, '_>,
    name: v8::Local<'_, v8::Name>,
    _: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Integer>,
) -> v8::Intercepted {
    if offered(scope, name).is_none() {
        return v8::Intercepted::kNo;
    }
    answer.set_uint32(v8::PropertyAttribute::DONT_ENUM.as_u32());
    v8::Intercepted::kYes
}

fn delete(
    scope: &mut v8::PinScope<'_, '_>,
    name: v8::Local<'_, v8::Name>,
    _: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Boolean>,
) -> v8::Intercepted {
    let Some(known) = offered(scope, name) else { return v8::Intercepted::kNo };
    if guard(scope, |scope| take_back(scope, known)).is_some() {
        answer.set_bool(true);
    }
    v8::Intercepted::kYes
}

fn enumerate(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Array>,
) {
    let mut names = Vec::new();
    for (name, _) in TABLE {
        let name = string(scope, name);
        if offered(scope, name.into()).is_some() {
            names.push(name.into());
        }
    }
    answer.set(v8::Array::new_with_elements(scope, &names));
}

/// The name in the table, if the current realm has not taken it back.
fn offered(scope: &mut v8::PinScope<'_, '_>, name: v8::Local<'_, v8::Name>) -> Option<&'static str> {
    let text = name.to_rust_string_lossy(scope);
    let (known, _) = TABLE.iter().find(|(known, _)| *known == text)?;
    let made = made(scope).ok()?;
    let key = taken(scope, known);
    (made.has(scope, key) == Some(false)).then_some(known)
}

/// From now on the name is an ordinary property, or none.
fn take_back(scope: &mut v8::PinScope<'_, '_>, name: &'static str) -> Native {
    let made = made(scope)?;
    let key = taken(scope, name);
    let value = v8::Boolean::new(scope, true).into();
    made.set(scope, key, value).ok_or(Throw::Pending)?;
    Ok(())
}

/// Where [`made`] remembers that. No file makes anything of such a name.
fn taken<'s>(scope: &mut v8::PinScope<'s, '_>, name: &str) -> v8::Local<'s, v8::Value> {
    string(scope, &format!("{name} taken")).into()
}
