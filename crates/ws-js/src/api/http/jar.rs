//! `CookieJar`: an object with four functions, which also work when taken off it.
//!
//! The jar itself is Rust's, and lives as long as the object, one of its functions, or a session that uses it.

use std::sync::Arc;

use ws_proto::{CookieAttributes, CookieJar, CookieUrl};

use super::expires;
use crate::api::entries;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::group::Inside;
use crate::held;
use crate::templates::Templates;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// `CookieJar`, which can be called with and without `new`.
pub(super) fn constructor<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Function> {
    let constructor =
        v8::Function::new(scope, native!(new)).expect("only refused while the isolate terminates");
    let name = binding::string(scope, "CookieJar");
    constructor.set_name(name);
    constructor
}

fn new<'s>(scope: &mut v8::PinScope<'s, '_>, _: &Arguments<'s>) -> Native<v8::Local<'s, v8::Object>> {
    Ok(to_object(scope, Arc::default()))
}

/// The object through which a script sees `jar`.
pub(super) fn to_object<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    jar: Arc<CookieJar>,
) -> v8::Local<'s, v8::Object> {
    let share = hold(scope, jar).into();
    let object = Templates::host_object(scope);
    // In the order in which k6 lists the keys.
    binding::set_function(scope, object, "clear", native!(clear), Some(share));
    binding::set_function(scope, object, "cookiesForURL", native!(cookies_for_url), Some(share));
    binding::set_function(scope, object, "delete", native!(delete), Some(share));
    binding::set_function(scope, object, "set", native!(set), Some(share));
    held::keep_share(scope, object, KEPT, share);
    object
}

/// The jar that an object of [`to_object`] shows; `None` for any other value.
pub(crate) fn jar_of(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Option<Arc<CookieJar>> {
    held::kept(scope, value, KEPT)
}

/// Where an object keeps its share of the jar.
const KEPT: &str = "jar";

fn hold<'s>(scope: &mut v8::PinScope<'s, '_>, jar: Arc<CookieJar>) -> v8::Local<'s, v8::ArrayBuffer> {
    held::hold(scope, jar, size_of::<CookieJar>())
}

fn this(arguments: &Arguments<'_>) -> Native<Arc<CookieJar>> {
    held::value_of(arguments.data()).ok_or_else(|| Throw::Plain("no cookie jar".into()))
}

/// `cookiesForURL(url)`: the values by name.
fn cookies_for_url<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let url = url(scope, arguments)?;
    let mut by_name: Vec<(String, Vec<v8::Local<'s, v8::Value>>)> = Vec::new();
    for (name, value) in this(arguments)?.cookies_for(&url) {
        let value = binding::string(scope, &value).into();
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => by_name.push((name, vec![value])),
        }
    }
    let object = v8::Object::new(scope);
    for (name, values) in by_name {
        let values = v8::Array::new_with_elements(scope, &values);
        binding::set(scope, object, &name, values.into());
    }
    Ok(object)
}

/// `set(url, name, value, options)`.
fn set<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<bool> {
    let url = url(scope, arguments)?;
    let name = text(scope, arguments.get(1))?;
    let value = text(scope, arguments.get(2))?;
    let attributes = read_attributes(scope, arguments.get(3))?;
    this(arguments)?.set(&url, &name, &value, &attributes);
    Ok(true)
}

/// `clear(url)`.
fn clear(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let url = url(scope, arguments)?;
    this(arguments)?.clear(&url);
    Ok(())
}

/// `delete(url, name)`.
fn delete(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let name = text(scope, arguments.get(1))?;
    if name.is_empty() {
        return Err(Throw::Go("cookie: is null".into()));
    }
    let url = url(scope, arguments)?;
    this(arguments)?.delete(&url, &name);
    Ok(())
}

fn url(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<CookieUrl> {
    let url = text(scope, arguments.get(0))?;
    let inside = Inside::current();
    CookieUrl::parse(&url).map_err(|error| Throw::Go(inside.group().shared.url_fault(error)))
}

/// No value is an empty text.
fn text(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    if value.is_null_or_undefined() { Ok(String::new()) } else { convert::to_text(scope, value) }
}

/// Names in any case, unknown ones without a meaning, as in k6.
fn read_attributes<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Native<CookieAttributes> {
    let mut attributes = CookieAttributes::default();
    let Ok(object) = v8::Local::<v8::Object>::try_from(value) else { return Ok(attributes) };
    for (name, value) in entries(scope, object)? {
        match name.to_ascii_lowercase().as_str() {
            "path" => attributes.path = Some(convert::to_text(scope, value)?),
            "domain" => attributes.domain = Some(convert::to_text(scope, value)?),
            "secure" => attributes.secure = value.boolean_value(scope),
            "http_only" => attributes.http_only = value.boolean_value(scope),
            // None at all is no limit, less than none has ended.
            "max_age" => {
                let seconds = value.integer_value(scope).ok_or(Throw::Pending)?;
                attributes.max_age = (seconds != 0).then_some(seconds);
            }
            "expires" => {
                let text = convert::to_text(scope, value)?;
                if !text.is_empty() {
                    let date = expires::parse(&text);
                    attributes.expires = Some(date.map_err(|error| {
                        Throw::Go(format!("unable to parse \"expires\" date string \"{text}\": {error}"))
                    })?);
                }
            }
            _ => (),
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::with_scope;

    #[test]
    fn a_jar_is_freed_with_what_holds_it() {
        with_scope(|scope| {
            let jar = Arc::new(CookieJar::new());
            let seen = Arc::downgrade(&jar);
            let kept = {
                v8::scope!(let scope, &mut *scope);
                let share = hold(scope, jar).into();
                assert!(Arc::ptr_eq(&held::value_of::<CookieJar>(share).unwrap(), &seen.upgrade().unwrap()));
                v8::Global::new(scope, share)
            };
            scope.low_memory_notification();
            assert_eq!(seen.strong_count(), 1, "V8 still has it");
            drop(kept);
            // V8 frees it on a thread of its own.
            for _ in 0..1000 {
                scope.low_memory_notification();
                if seen.strong_count() == 0 {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            panic!("the jar is still there");
        });
    }

    #[test]
    fn nothing_else_is_a_jar() {
        with_scope(|scope| {
            for source in ["({})", "null", "'x'", "new ArrayBuffer(8)", "() => 1", "new Proxy({}, {})"] {
                let value = crate::testing::run(scope, source);
                assert!(jar_of(scope, value).is_none(), "{source}");
            }
        });
    }
}
