//! What scripts see of a socket: its own properties, in k6's order, and the class around it.

use v8::MapFnTo as _;
use ws_proto::Connection;

use super::listeners::{self, On};
use super::sockets::{At, Ready};
use super::{actions, construct, event};
use crate::api::Caller;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::realm;
use crate::shared::Compat;
use crate::templates::Templates;

/// The shapes of objects that an isolate makes once for all its realms.
pub(crate) struct Shapes {
    class: v8::Global<v8::FunctionTemplate>,
    shelf: v8::Global<v8::ObjectTemplate>,
    /// By index in [`METHODS`].
    methods: [v8::Global<v8::FunctionTemplate>; METHODS.len()],
    pub(super) events: event::Shapes,
}

/// Internal fields of a socket.
pub(super) mod field {
    use super::On;

    /// The number it has among the VU's sockets.
    pub(crate) const SERIAL: usize = 0;
    pub(crate) const URL: usize = 1;
    pub(crate) const PROTOCOL: usize = 2;
    /// See [`flag`](super::flag).
    pub(crate) const FLAGS: usize = 3;
    /// An object for what not every socket has, see [`shelf`](super::shelf).
    pub(crate) const SHELF: usize = 4;
    /// For each kind of event: the `on` handler.
    pub(crate) const HANDLERS: usize = 5;
    pub(crate) const COUNT: usize = HANDLERS + On::COUNT;

    /// V8 ends the process when an object with more of them gets properties beside them, as the objects of a subclass
    /// do: the offset of these, behind a header of 4 words, has 7 bits there (`FieldIndex`).
    const MOST: usize = 127 / size_of::<usize>() - 4;
    const _: () = assert!(COUNT <= MOST);
}

/// Internal fields of a socket's shelf.
pub(super) mod shelf {
    use super::{METHODS, On};

    /// What `bufferedAmount` says when the socket is closed.
    pub(crate) const BUFFERED: usize = 0;
    pub(crate) const EXTENSIONS: usize = 1;
    /// For each kind of event: the listeners that were added.
    pub(crate) const LISTENERS: usize = 2;
    /// For each method: itself, bound to the socket.
    pub(crate) const BOUND: usize = LISTENERS + On::COUNT;
    pub(crate) const COUNT: usize = BOUND + METHODS.len();
}

/// What a socket is, in bits.
mod flag {
    /// Binary messages become blobs.
    pub(super) const BLOB: u32 = 1;
    /// Its class is a script's own, which may have methods of the same names.
    pub(super) const DERIVED: u32 = 2;
}

/// The methods that scripts use.
const METHODS: [&str; 4] = ["addEventListener", "send", "ping", "close"];

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

        let callbacks = [
            native!(listeners::add).map_fn_to(),
            native!(actions::send).map_fn_to(),
            native!(actions::ping).map_fn_to(),
            native!(actions::close).map_fn_to(),
        ];
        let methods = std::array::from_fn(|index| method(scope, signature, METHODS[index], callbacks[index]));
        // V8 lists the last one first.
        for (index, method) in methods.iter().enumerate().rev() {
            let name = binding::string(scope, METHODS[index]).into();
            match compat {
                Compat::Web => prototype.set(name, (*method).into()),
                // As in k6, they look like properties of the socket and work without it. The prototype has them for
                // the methods of subclasses.
                Compat::K6 => {
                    let index = v8::Integer::new(scope, index as i32).into();
                    let bound = v8::AccessorConfiguration::new(bound_method).data(index);
                    instance.set_accessor_with_configuration(name, bound.property_attribute(fixed()));
                    prototype.set_with_attr(name, (*method).into(), v8::PropertyAttribute::DONT_ENUM);
                }
            }
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
        let shelf = v8::ObjectTemplate::new(scope);
        shelf.set_internal_field_count(shelf::COUNT);
        Self {
            class: v8::Global::new(scope, class),
            shelf: v8::Global::new(scope, shelf),
            methods: methods.map(|method| v8::Global::new(scope, method)),
            events: event::Shapes::new(scope, compat),
        }
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

/// What the constructor sets of a socket.
pub(super) fn begin(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<'_, v8::Object>,
    url: &str,
    new_target: v8::Local<'_, v8::Value>,
) {
    let url = binding::string(scope, url);
    object.set_internal_field(field::URL, url.into());
    let class = Shapes::class(scope);
    let derived = if new_target.strict_equals(class.into()) { 0 } else { flag::DERIVED };
    set_flags(scope, object, flag::BLOB | derived);
}

/// Whether binary messages become blobs.
pub(super) fn is_blob(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) -> bool {
    flags(scope, object) & flag::BLOB != 0
}

fn flags(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>) -> u32 {
    v8::Local::<v8::Uint32>::try_from(get(scope, object, field::FLAGS)).map_or(0, |flags| flags.value())
}

fn set_flags(scope: &mut v8::PinScope<'_, '_>, object: v8::Local<'_, v8::Object>, flags: u32) {
    let flags = v8::Integer::new_from_unsigned(scope, flags);
    object.set_internal_field(field::FLAGS, flags.into());
}

/// A field of the socket's [`shelf`]; undefined if there is none.
pub(super) fn get_rare<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'_, v8::Object>,
    index: usize,
) -> v8::Local<'s, v8::Value> {
    let shelf = get(scope, object, field::SHELF);
    match v8::Local::<v8::Object>::try_from(shelf) {
        Ok(shelf) => get(scope, shelf, index),
        Err(_) => shelf,
    }
}

/// Sets a field of the socket's [`shelf`], which is made for the first of them.
pub(super) fn set_rare(
    scope: &mut v8::PinScope<'_, '_>,
    object: v8::Local<'_, v8::Object>,
    index: usize,
    value: v8::Local<'_, v8::Value>,
) {
    let known = get(scope, object, field::SHELF);
    let shelf = v8::Local::<v8::Object>::try_from(known).ok().or_else(|| {
        let template = Templates::sockets(scope).shelf.clone();
        let shelf = v8::Local::new(scope, template).new_instance(scope)?;
        object.set_internal_field(field::SHELF, shelf.into());
        Some(shelf)
    });
    // There is none while the script is being ended.
    if let Some(shelf) = shelf {
        shelf.set_internal_field(index, value.into());
    }
}

/// A method of a socket, which works on it whatever it is called on. Bound when it is looked at for the first time.
fn bound_method<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _: v8::Local<'s, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) {
    let socket = arguments.holder();
    let index = arguments.data().uint32_value(scope).map_or(0, |index| index as usize % METHODS.len());
    let known = get_rare(scope, socket, shelf::BOUND + index);
    if !known.is_undefined() {
        answer.set(known);
        return;
    }
    let method = binding::guard(scope, |scope| {
        let template = Templates::sockets(scope).methods[index].clone();
        let method = v8::Local::new(scope, template).get_function(scope).ok_or(Throw::Pending)?;
        if flags(scope, socket) & flag::DERIVED != 0 {
            let own = socket.get_prototype(scope).and_then(|parent| parent.to_object(scope));
            let name = binding::string(scope, METHODS[index]).into();
            let own = own.map_or(Some(method.into()), |own| own.get(scope, name)).ok_or(Throw::Pending)?;
            if !own.strict_equals(method.into()) {
                return Ok(own);
            }
        }
        let bound = realm::bind(scope, method, socket.into())?;
        set_rare(scope, socket, shelf::BOUND + index, bound);
        Ok(bound)
    });
    if let Some(method) = method {
        answer.set(method);
    }
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
    let extensions = get_rare(scope, arguments.this(), shelf::EXTENSIONS);
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
            let left = get_rare(scope, arguments.this(), shelf::BUFFERED);
            Ok(v8::Local::<v8::Number>::try_from(left).map_or(0.0, |left| left.value()))
        }
    }
}

fn binary_type<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::String>> {
    let is_blob = is_blob(scope, arguments.this());
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
    let other = flags(scope, arguments.this()) & !flag::BLOB;
    set_flags(scope, arguments.this(), other | if is_blob { flag::BLOB } else { 0 });
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
