//! What scripts see of a socket: its own properties, in k6's order, and the class around it.

use v8::MapFnTo as _;
use ws_proto::Connection;

use super::listeners::{self, On};
use super::sockets::{At, Ready};
use super::{actions, construct, event};
use crate::api::Caller;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::shared::Compat;
use crate::templates::Templates;

/// The shapes of objects that an isolate makes once for all its realms.
pub(crate) struct Shapes {
    class: v8::Global<v8::FunctionTemplate>,
    pub(super) events: event::Shapes,
}

/// Internal fields of a socket.
pub(super) mod field {
    use super::On;

    /// The number it has among the VU's sockets.
    pub(crate) const SERIAL: usize = 0;
    pub(crate) const URL: usize = 1;
    /// What `bufferedAmount` says when the socket is closed.
    pub(crate) const BUFFERED: usize = 2;
    pub(crate) const PROTOCOL: usize = 3;
    pub(crate) const EXTENSIONS: usize = 4;
    /// Whether binary messages become blobs.
    pub(crate) const IS_BLOB: usize = 5;
    /// For each kind of event: the `on` handler.
    pub(crate) const HANDLERS: usize = 6;
    /// For each kind of event: the listeners that were added.
    pub(crate) const LISTENERS: usize = HANDLERS + On::COUNT;
    pub(crate) const COUNT: usize = LISTENERS + On::COUNT;
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

impl Shapes {
    pub(crate) fn new(scope: &mut v8::PinScope<'_, '_>, compat: Compat) -> Self {
        let class = v8::FunctionTemplate::builder(native!(construct::construct)).build(scope);
        let name = binding::string(scope, "WebSocket");
        class.set_class_name(name);
        let signature = v8::Signature::new(scope, class);
        let instance = class.instance_template(scope);
        instance.set_internal_field_count(field::COUNT);
        let prototype = class.prototype_template(scope);

        for (name, callback) in [
            ("addEventListener", native!(listeners::add).map_fn_to()),
            ("send", native!(actions::send).map_fn_to()),
            ("ping", native!(actions::ping).map_fn_to()),
            ("close", native!(actions::close).map_fn_to()),
        ] {
            let method = method(scope, signature, name, callback);
            let name = binding::string(scope, name).into();
            instance.set_with_attr(name, method.into(), fixed());
        }
        for (name, getter, setter) in [
            ("url", native!(url).map_fn_to(), None),
            ("readyState", native!(ready_state).map_fn_to(), None),
            ("bufferedAmount", native!(buffered_amount).map_fn_to(), None),
            ("extensions", native!(extensions).map_fn_to(), None),
            ("protocol", native!(protocol).map_fn_to(), None),
            ("binaryType", native!(binary_type).map_fn_to(), Some(native!(set_binary_type).map_fn_to())),
        ] {
            let data = binding::string(scope, name).into();
            let setter = setter.unwrap_or(native!(refuse).map_fn_to());
            accessor(scope, instance, signature, name, data, (getter, setter));
        }
        for on in On::ALL {
            let data = v8::Integer::new(scope, on as i32).into();
            let functions = (native!(handler).map_fn_to(), native!(set_handler).map_fn_to());
            accessor(scope, instance, signature, &format!("on{}", on.name()), data, functions);
        }

        for (name, callback) in [
            ("removeEventListener", native!(listeners::remove).map_fn_to()),
            ("dispatchEvent", native!(listeners::dispatch_event).map_fn_to()),
            ("toJSON", native!(to_json).map_fn_to()),
        ] {
            let method = method(scope, signature, name, callback);
            let name = binding::string(scope, name).into();
            prototype.set_with_attr(name, method.into(), v8::PropertyAttribute::DONT_ENUM);
        }
        for (name, value) in [
            ("CONNECTING", Ready::Connecting),
            ("OPEN", Ready::Open),
            ("CLOSING", Ready::Closing),
            ("CLOSED", Ready::Closed),
        ] {
            let name = binding::string(scope, name).into();
            let value = v8::Integer::new(scope, value as i32).into();
            class.set_with_attr(name, value, fixed());
            prototype.set_with_attr(name, value, fixed());
        }
        Self { class: v8::Global::new(scope, class), events: event::Shapes::new(scope, compat) }
    }

    /// The current realm's `WebSocket`; always the same one.
    pub(super) fn class<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Function> {
        let class = Templates::sockets(scope).class.clone();
        let class = v8::Local::new(scope, class);
        class.get_function(scope).expect("only refused while the isolate terminates")
    }
}

/// Neither to be assigned nor deleted.
fn fixed() -> v8::PropertyAttribute {
    v8::PropertyAttribute::READ_ONLY | v8::PropertyAttribute::DONT_DELETE
}

/// A method that works on sockets only.
fn method<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    signature: v8::Local<'_, v8::Signature>,
    name: &str,
    callback: v8::FunctionCallback,
) -> v8::Local<'s, v8::FunctionTemplate> {
    let signature = v8::Local::new(scope, signature);
    let method = v8::FunctionTemplate::builder_raw(callback)
        .signature(signature)
        .constructor_behavior(v8::ConstructorBehavior::Throw)
        .build(scope);
    let name = binding::string(scope, name);
    method.set_class_name(name);
    method
}

fn accessor<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    instance: v8::Local<'_, v8::ObjectTemplate>,
    signature: v8::Local<'s, v8::Signature>,
    name: &str,
    data: v8::Local<'s, v8::Value>,
    (getter, setter): (v8::FunctionCallback, v8::FunctionCallback),
) {
    let function = |callback| {
        v8::FunctionTemplate::builder_raw(callback)
            .signature(signature)
            .data(data)
            .constructor_behavior(v8::ConstructorBehavior::Throw)
            .build(scope)
    };
    let (getter, setter) = (function(getter), function(setter));
    let name = binding::string(scope, name).into();
    instance.set_accessor_property(name, Some(getter), Some(setter), v8::PropertyAttribute::DONT_DELETE);
}

/// The socket that an object stands for. The signature of its methods says that it is one.
pub(super) fn at(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) -> At {
    let serial = get(scope, object, field::SERIAL);
    // An object that was made but whose constructor threw has no number: u32::MAX sockets are more than fit.
    let serial = v8::Local::<v8::Uint32>::try_from(serial).map_or(u32::MAX, |serial| serial.value());
    At { caller: Caller::here(), serial }
}

/// An internal field.
pub(super) fn get<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'_, v8::Object>,
    index: usize,
) -> v8::Local<'s, v8::Value> {
    let value = object.get_internal_field(scope, index).and_then(|field| field.try_into().ok());
    value.unwrap_or_else(|| v8::undefined(scope).into())
}

fn url<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<v8::Local<'s, v8::Value>> {
    Ok(get(scope, arguments.this(), field::URL))
}

fn protocol<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let protocol = get(scope, arguments.this(), field::PROTOCOL);
    Ok(if protocol.is_undefined() { v8::String::empty(scope).into() } else { protocol })
}

fn extensions<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let extensions = get(scope, arguments.this(), field::EXTENSIONS);
    Ok(if extensions.is_undefined() { v8::Array::new(scope, 0).into() } else { extensions })
}

fn ready_state(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<i32> {
    Ok(at(scope, arguments.this()).ready() as i32)
}

fn buffered_amount(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<f64> {
    let live = at(scope, arguments.this()).with(|socket, parts| {
        let queued = socket.key.and_then(|key| parts.io.connection(key)).map_or(0, Connection::queued_bytes);
        // What is written is not buffered; of a message in the middle of being written, the rest.
        socket.buffered = socket.buffered.min(queued);
        socket.buffered as f64
    });
    match live {
        Some(buffered) => Ok(buffered),
        None => {
            let left = get(scope, arguments.this(), field::BUFFERED);
            Ok(v8::Local::<v8::Number>::try_from(left).map_or(0.0, |left| left.value()))
        }
    }
}

fn binary_type<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::String>> {
    let is_blob = get(scope, arguments.this(), field::IS_BLOB).is_true();
    Ok(binding::string(scope, if is_blob { "blob" } else { "arraybuffer" }))
}

fn set_binary_type(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let value = arguments.get(0);
    let text = if value.is_null_or_undefined() { String::new() } else { convert::to_text(scope, value)? };
    let is_blob = match text.as_str() {
        "blob" if value.is_string() => true,
        "arraybuffer" if value.is_string() => false,
        _ => {
            return Err(Throw::Go(format!(
                "unknown binaryType {text}, the supported ones are \"blob\" and \"arraybuffer\""
            )));
        }
    };
    let is_blob = v8::Boolean::new(scope, is_blob);
    arguments.this().set_internal_field(field::IS_BLOB, is_blob.into());
    Ok(())
}

/// The kind of event that the accessor is for.
fn on_of(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> On {
    let index = arguments.data().int32_value(scope).unwrap_or_default();
    On::ALL[usize::try_from(index).unwrap_or_default()]
}

fn handler<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let on = on_of(scope, arguments);
    let handler = get(scope, arguments.this(), field::HANDLERS + on as usize);
    Ok(if handler.is_undefined() { v8::null(scope).into() } else { handler })
}

fn set_handler(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let on = on_of(scope, arguments);
    let value = arguments.get(0);
    let field = field::HANDLERS + on as usize;
    if value.is_null_or_undefined() {
        let nothing = v8::undefined(scope);
        arguments.this().set_internal_field(field, nothing.into());
    } else if value.is_function() {
        arguments.this().set_internal_field(field, value.into());
    } else {
        return Err(Throw::Go(format!("a value for 'on{}' should be callable", on.name())));
    }
    Ok(())
}

/// What nobody may assign.
fn refuse(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let name = arguments.data().to_rust_string_lossy(scope);
    Err(Throw::Type(format!("Cannot assign to read only property '{name}'")))
}

/// JSON shows the socket's data, not its handlers.
fn to_json<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let json = v8::Object::new(scope);
    for name in ["url", "readyState", "bufferedAmount", "extensions", "protocol", "binaryType"] {
        let key = binding::string(scope, name).into();
        let value = arguments.this().get(scope, key).ok_or(Throw::Pending)?;
        binding::set(scope, json, name, value);
    }
    Ok(json)
}
