//! `Blob`: bytes that never change, with a media type.
//!
//! The bytes are a string of V8's with one byte per character, which scripts never see: it is made with one copy
//! into the young generation, where an `ArrayBuffer` would need memory of its own from `malloc`, a reference count
//! and an entry in the garbage collector's books. A message blob that nobody keeps costs no more than a text.

mod parts;

use self::parts::media_type;
use crate::binding::{Native, Throw, native, string};
use crate::convert::{array_buffer, js_string, to_number, to_text};
use crate::web;

/// The class, shared by all realms of an isolate; each has its own constructor and prototype of it.
pub(crate) struct Class {
    class: v8::Global<v8::FunctionTemplate>,
    instance: v8::Global<v8::ObjectTemplate>,
    /// In every blob, and nowhere else.
    brand: v8::Global<v8::Symbol>,
}

/// Internal fields of a blob.
const BRAND: usize = 0;
const BYTES: usize = 1;
const TYPE: usize = 2;
const FIELDS: usize = 3;

/// The bytes of a blob.
#[derive(Clone, Copy)]
pub(crate) struct Contents<'s>(v8::Local<'s, v8::String>);

impl Contents<'_> {
    pub(crate) fn len(&self) -> usize {
        self.0.length()
    }

    /// Fills `to`, which is [`Contents::len`] bytes long.
    pub(crate) fn write(&self, scope: &v8::Isolate, to: &mut [u8]) {
        assert_eq!(to.len(), self.len(), "the buffer is as long as the blob");
        self.0.write_one_byte_v2(scope, 0, to, v8::WriteFlags::empty());
    }

    /// A copy of the bytes.
    pub(crate) fn to_vec(self, scope: &v8::Isolate) -> Vec<u8> {
        let mut bytes = vec![0; self.len()];
        self.write(scope, &mut bytes);
        bytes
    }
}

/// The class of an isolate, to be put into its slot.
pub(crate) fn class<'s>(scope: &mut v8::PinScope<'s, '_>) -> Class {
    let class = v8::FunctionTemplate::builder(native!(construct)).build(scope);
    let name = string(scope, "Blob");
    class.set_class_name(name);
    let signature = v8::Signature::new(scope, class);

    let instance = class.instance_template(scope);
    instance.set_internal_field_count(FIELDS);
    // Properties of the blob itself, as in k6: JSON shows them. V8 lists the last one first.
    for (name, getter) in [
        ("type", v8::AccessorConfiguration::new(get_type)),
        ("size", v8::AccessorConfiguration::new(get_size)),
    ] {
        let key = string(scope, name).into();
        let attributes = v8::PropertyAttribute::READ_ONLY | v8::PropertyAttribute::DONT_DELETE;
        instance.set_accessor_with_configuration(key, getter.property_attribute(attributes));
    }

    let prototype = class.prototype_template(scope);
    let mut method = |name: &str, callback: v8::FunctionCallback| {
        let method = v8::FunctionTemplate::builder_raw(callback)
            .signature(signature)
            .constructor_behavior(v8::ConstructorBehavior::Throw)
            .build(scope);
        let name = string(scope, name);
        method.set_class_name(name);
        prototype.set(name.into(), method.into());
    };
    method("arrayBuffer", v8::MapFnTo::map_fn_to(native!(get_array_buffer)));
    method("bytes", v8::MapFnTo::map_fn_to(native!(get_bytes)));
    method("slice", v8::MapFnTo::map_fn_to(native!(slice)));
    method("stream", v8::MapFnTo::map_fn_to(native!(stream)));
    method("text", v8::MapFnTo::map_fn_to(native!(get_text)));
    let tag = v8::Symbol::get_to_string_tag(scope).into();
    let attributes = v8::PropertyAttribute::READ_ONLY | v8::PropertyAttribute::DONT_ENUM;
    prototype.set_with_attr(tag, name.into(), attributes);

    let brand = v8::Symbol::new(scope, Some(name));
    Class {
        class: v8::Global::new(scope, class),
        instance: v8::Global::new(scope, instance),
        brand: v8::Global::new(scope, brand),
    }
}

/// The current realm's `Blob`; always the same one.
pub(crate) fn constructor<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Function> {
    let class = part(scope, |class| &class.class);
    class.get_function(scope).expect("only refused while the isolate terminates")
}

/// Makes a blob of `bytes`.
///
/// # Errors
///
/// [`Throw::Plain`] if there are more than V8 can keep (half a gigabyte).
pub(crate) fn from_bytes<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    bytes: &[u8],
    media_type: v8::Local<'_, v8::String>,
) -> Native<v8::Local<'s, v8::Object>> {
    let instance = part(scope, |class| &class.instance);
    let object = instance.new_instance(scope).ok_or(Throw::Pending)?;
    fill(scope, object, bytes, media_type)
}

/// Makes another blob with the bytes and the type of `blob`.
///
/// # Errors
///
/// [`Throw::Pending`] if the script is being ended.
pub(crate) fn copy<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    blob: v8::Local<'_, v8::Object>,
) -> Native<v8::Local<'s, v8::Object>> {
    let instance = part(scope, |class| &class.instance);
    let object = instance.new_instance(scope).ok_or(Throw::Pending)?;
    for index in 0..FIELDS {
        if let Some(field) = blob.get_internal_field(scope, index) {
            object.set_internal_field(index, field);
        }
    }
    Ok(object)
}

/// The bytes of a blob; `None` if `value` is something else. A script cannot make anything that looks like one.
pub(crate) fn contents<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Option<Contents<'s>> {
    let object = v8::Local::<v8::Object>::try_from(value).ok()?;
    if object.internal_field_count() != FIELDS {
        return None;
    }
    let brand = part(scope, |class| &class.brand);
    let is_blob = object.get_internal_field(scope, BRAND).is_some_and(|field| field == brand);
    is_blob.then(|| bytes_of(scope, object))
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

fn construct<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let bytes = parts::concatenate(scope, arguments.get(0))?;
    let media_type = media_type(scope, arguments.get(1))?;
    if !arguments.is_construct_call() {
        return from_bytes(scope, &bytes, media_type);
    }
    fill(scope, arguments.this(), &bytes, media_type)
}

fn get_array_buffer<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let bytes = bytes_of(scope, arguments.this()).to_vec(scope);
    let buffer = array_buffer(scope, &bytes).into();
    resolved(scope, buffer)
}

fn get_bytes<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let bytes = bytes_of(scope, arguments.this()).to_vec(scope);
    let buffer = array_buffer(scope, &bytes);
    let view = v8::Uint8Array::new(scope, buffer, 0, bytes.len()).ok_or(Throw::Pending)?;
    resolved(scope, view.into())
}

fn get_text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let bytes = bytes_of(scope, arguments.this()).to_vec(scope);
    let text = js_string(scope, &bytes).into();
    resolved(scope, text)
}

/// One chunk, a text: so does k6 as long as it is short. Unlike k6's, it leaves the blob as it is.
fn stream<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let bytes = bytes_of(scope, arguments.this()).to_vec(scope);
    let text = js_string(scope, &bytes).into();
    let make = v8::Local::<v8::Function>::try_from(web::get(scope, "streamOf")?)
        .map_err(|_| Throw::Plain("no streams".into()))?;
    let this = v8::undefined(scope).into();
    make.call(scope, this, &[text]).ok_or(Throw::Pending)
}

fn slice<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let Contents(bytes) = bytes_of(scope, arguments.this());
    let size = bytes.length();
    let start = offset(scope, arguments.get(0), size, 0)?;
    let end = offset(scope, arguments.get(1), size, size)?.max(start);
    let media_type = match arguments.get(2) {
        given if given.is_undefined() => v8::String::empty(scope),
        given => {
            let text = to_text(scope, given)?;
            string(scope, &text)
        }
    };
    let mut part = vec![0; end - start];
    bytes.write_one_byte_v2(scope, start as u32, &mut part, v8::WriteFlags::empty());
    from_bytes(scope, &part, media_type)
}

/// An argument of `slice`: negative counts from the end, what is out of range is the nearest that is not.
fn offset(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    size: usize,
    default: usize,
) -> Native<usize> {
    if value.is_undefined() {
        return Ok(default);
    }
    let number = to_number(scope, value)?.trunc();
    // Both conversions saturate, and NaN is 0.
    Ok(if number < 0.0 { size.saturating_sub(-number as usize) } else { (number as usize).min(size) })
}

fn get_size(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_>,
) {
    answer.set_double(bytes_of(scope, arguments.holder()).len() as f64);
}

fn get_type(
    scope: &mut v8::PinScope<'_, '_>,
    _: v8::Local<'_, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_>,
) {
    let field = arguments.holder().get_internal_field(scope, TYPE);
    if let Some(media_type) = field.and_then(|field| v8::Local::<v8::Value>::try_from(field).ok()) {
        answer.set(media_type);
    }
}

fn fill<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    bytes: &[u8],
    media_type: v8::Local<'_, v8::String>,
) -> Native<v8::Local<'s, v8::Object>> {
    let too_many = || Throw::Plain(format!("a Blob of {} bytes is too large", bytes.len()));
    let bytes =
        v8::String::new_from_one_byte(scope, bytes, v8::NewStringType::Normal).ok_or_else(too_many)?;
    let brand = part(scope, |class| &class.brand);
    object.set_internal_field(BRAND, brand.into());
    object.set_internal_field(BYTES, bytes.into());
    object.set_internal_field(TYPE, media_type.into());
    Ok(object)
}

/// The bytes of an object that is a blob.
fn bytes_of<'s>(scope: &mut v8::PinScope<'s, '_>, blob: v8::Local<'_, v8::Object>) -> Contents<'s> {
    let bytes = blob
        .get_internal_field(scope, BYTES)
        .and_then(|field| v8::Local::<v8::Value>::try_from(field).ok())
        .and_then(|value| v8::Local::<v8::String>::try_from(value).ok());
    // Only the prototype of a class that is not finished has none.
    Contents(bytes.unwrap_or_else(|| v8::String::empty(scope)))
}

fn part<'s, T>(
    scope: &mut v8::PinScope<'s, '_>,
    which: impl FnOnce(&Class) -> &v8::Global<T>,
) -> v8::Local<'s, T> {
    let part = which(scope.get_slot::<Class>().expect("put there with the isolate")).clone();
    v8::Local::new(scope, part)
}

fn resolved<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let resolver = v8::PromiseResolver::new(scope).ok_or(Throw::Pending)?;
    resolver.resolve(scope, value).ok_or(Throw::Pending)?;
    Ok(resolver.get_promise(scope))
}

#[cfg(test)]
mod tests;
