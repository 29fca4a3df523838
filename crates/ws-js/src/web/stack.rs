//! The `stack` of errors, without our own code.

use super::is_embedded;
use crate::binding::{Native, Throw, string};
use crate::convert::to_text;

/// V8 wants the `stack` of an error whose calls are `sites`. Does what V8 does by itself, after the frames of our
/// own files are taken out.
pub(super) fn prepare<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    // V8 takes no exception from here.
    v8::tc_scope!(let tc, scope);
    visible(tc, sites).and_then(|sites| show(tc, error, sites)).unwrap_or_else(|_| v8::undefined(tc).into())
}

/// The sites in the script's own files.
fn visible<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    sites: v8::Local<'_, v8::Array>,
) -> Native<v8::Local<'s, v8::Array>> {
    let mut seen = Vec::new();
    for index in 0..sites.length() {
        let site = sites.get_index(scope, index).ok_or(Throw::Pending)?;
        let site = v8::Local::<v8::Object>::try_from(site).map_err(|_| Throw::Pending)?;
        let key = string(scope, "getFileName").into();
        let method = site.get(scope, key).ok_or(Throw::Pending)?;
        let method = v8::Local::<v8::Function>::try_from(method).map_err(|_| Throw::Pending)?;
        let name = method.call(scope, site.into(), &[]).ok_or(Throw::Pending)?;
        if !(name.is_string() && is_embedded(&name.to_rust_string_lossy(scope))) {
            seen.push(site.into());
        }
    }
    Ok(v8::Array::new_with_elements(scope, &seen))
}

fn show<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> Native<v8::Local<'s, v8::Value>> {
    if let Some((class, prepare)) = own_prepare(scope) {
        return prepare.call(scope, class.into(), &[error, sites.into()]).ok_or(Throw::Pending);
    }
    let mut text = header(scope, error);
    for index in 0..sites.length() {
        let site = sites.get_index(scope, index).ok_or(Throw::Pending)?;
        text.push_str("\n    at ");
        text.push_str(&to_text(scope, site)?);
    }
    Ok(string(scope, &text).into())
}

/// The error's name and message.
fn header(scope: &mut v8::PinScope<'_, '_>, error: v8::Local<'_, v8::Value>) -> String {
    v8::tc_scope!(let tc, scope);
    to_text(tc, error).unwrap_or_else(|_| "<error>".into())
}

/// The script's own `Error.prepareStackTrace`: V8 no longer looks for it.
fn own_prepare<'s>(
    scope: &mut v8::PinScope<'s, '_>,
) -> Option<(v8::Local<'s, v8::Object>, v8::Local<'s, v8::Function>)> {
    let global = scope.get_current_context().global(scope);
    let key = string(scope, "Error").into();
    let class = v8::Local::<v8::Object>::try_from(global.get(scope, key)?).ok()?;
    let key = string(scope, "prepareStackTrace").into();
    let prepare = class.get(scope, key)?;
    Some((class, prepare.try_into().ok()?))
}
