//! `k6/data`: arrays that all VUs share.
//!
//! The function that makes an array runs once in a run. Its elements are kept as one JSON text for all VUs of the
//! process, and parsed where a script looks at them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::api::Caller;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::held;
use crate::realm;
use crate::web;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type Value<'s> = v8::Local<'s, v8::Value>;

/// The arrays of a run by name.
#[derive(Debug, Default)]
pub(crate) struct SharedArrays(Mutex<HashMap<String, Arc<Elements>>>);

/// The elements of one array.
#[derive(Debug, Default)]
struct Elements {
    /// One JSON text behind the other.
    text: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Elements {
    fn push(&mut self, json: &str) {
        self.text.extend_from_slice(json.as_bytes());
        self.ends.push(self.text.len());
    }

    fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }
}

impl SharedArrays {
    fn find(&self, name: &str) -> Option<Arc<Elements>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The array of this name from now on: this one, unless another VU was faster.
    fn keep(&self, name: String, elements: Elements) -> Arc<Elements> {
        let mut arrays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(arrays.entry(name).or_insert_with(|| Arc::new(elements)))
    }
}

/// The exports of `k6/data`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> Native<v8::Local<'s, v8::Object>> {
    let exports = v8::Object::new(scope);
    let class = web::get(scope, "SharedArray")?;
    binding::set(scope, exports, "SharedArray", class);
    Ok(exports)
}

/// What `shared_array.js` wants of us.
pub(crate) fn natives<'s>(scope: &mut v8::PinScope<'s, '_>, natives: v8::Local<'s, v8::Object>) {
    binding::set_function(scope, natives, "make", native!(make), None);
    binding::set_function(scope, natives, "lengthOf", native!(length_of), None);
    binding::set_function(scope, natives, "elementOf", native!(element_of), None);
}

/// `make(name, produce)`: an object that keeps the elements.
fn make<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let refuse = |text: &str| Err(Throw::Go(text.into()));
    if !realm::in_init() {
        return refuse("new SharedArray must be called in the init context");
    }
    let name = match arguments.get(0) {
        name if name.is_null_or_undefined() => String::new(),
        name => convert::to_text(scope, name)?,
    };
    if name.is_empty() {
        return refuse("empty name provided to SharedArray's constructor");
    }
    let Ok(produce) = v8::Local::<v8::Function>::try_from(arguments.get(1)) else {
        return refuse("a function is expected as the second argument of SharedArray's constructor");
    };
    if produce.is_async_function() {
        return refuse("SharedArray constructor does not support async functions as second argument");
    }
    let arrays = Arc::clone(&Caller::here().inside.group().shared.arrays);
    let elements = match arrays.find(&name) {
        Some(elements) => elements,
        None => arrays.keep(name, collect(scope, produce)?),
    };
    let share = v8::Object::new(scope);
    // The elements are the run's, not this realm's.
    held::keep(scope, share, SHARE, elements, 64);
    Ok(share)
}

const SHARE: &str = "shared array";

/// Runs the function and writes down what it gives.
fn collect(scope: &mut v8::PinScope<'_, '_>, produce: v8::Local<'_, v8::Function>) -> Native<Elements> {
    let this = v8::undefined(scope).into();
    let array = produce.call(scope, this, &[]).ok_or(Throw::Pending)?;
    let Ok(array) = v8::Local::<v8::Array>::try_from(array) else {
        return Err(Throw::Go("only arrays can be made into SharedArray".into()));
    };
    let mut elements = Elements::default();
    for index in 0..array.length() {
        v8::scope!(let scope, scope);
        let element = array.get_index(scope, index).ok_or(Throw::Pending)?;
        let json = v8::json::stringify(scope, element).ok_or(Throw::Pending)?.to_rust_string_lossy(scope);
        // JSON has no functions, and nothing for undefined: in arrays they are null.
        let is_nothing = element.is_undefined() || element.is_function() || element.is_symbol();
        elements.push(if is_nothing { "null" } else { &json });
    }
    Ok(elements)
}

fn elements(scope: &mut v8::PinScope<'_, '_>, share: Value<'_>) -> Native<Arc<Elements>> {
    held::kept(scope, share, SHARE).ok_or_else(|| Throw::Plain("no shared array".into()))
}

fn length_of(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<f64> {
    Ok(elements(scope, arguments.get(0))?.ends.len() as f64)
}

fn element_of<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let elements = elements(scope, arguments.get(0))?;
    let index = convert::to_number(scope, arguments.get(1))? as usize;
    let Some(json) = elements.get(index) else { return Ok(v8::undefined(scope).into()) };
    let json = convert::js_string(scope, json);
    v8::json::parse(scope, json).ok_or(Throw::Pending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart_by_their_ends() {
        let mut elements = Elements::default();
        for json in ["{\"a\":1}", "", "\"é\""] {
            elements.push(json);
        }
        assert_eq!(elements.get(0), Some(&b"{\"a\":1}"[..]));
        assert_eq!(elements.get(1), Some(&b""[..]));
        assert_eq!(elements.get(2), Some("\"é\"".as_bytes()));
        assert_eq!(elements.get(3), None);
    }

    #[test]
    fn the_first_array_of_a_name_stays() {
        let arrays = SharedArrays::default();
        let mut first = Elements::default();
        first.push("1");
        let kept = arrays.keep("a".into(), first);
        let other = arrays.keep("a".into(), Elements::default());
        assert!(Arc::ptr_eq(&kept, &other) && arrays.find("a").is_some() && arrays.find("b").is_none());
    }
}
