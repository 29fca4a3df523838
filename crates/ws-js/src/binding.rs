//! Native functions: what they may throw, and the one trampoline that keeps Rust panics out of V8.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::api::Caller;
use crate::templates::Templates;

/// What a native function throws instead of returning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Throw {
    /// A `GoError`, the kind of error k6's own functions throw.
    Go(String),
    /// A `TypeError`.
    Type(String),
    /// A plain `Error`.
    Plain(String),
    /// An exception is pending in V8 already, thrown by script code that the native called, or the
    /// script is being terminated: just return.
    Pending,
}

/// What a native function gives back.
pub(crate) type Native<T = ()> = Result<T, Throw>;

impl Throw {
    /// A parameter that must be callable and is not; `index` counts from 0.
    pub(crate) fn not_callable(
        scope: &mut v8::PinScope<'_, '_>,
        index: usize,
        argument: v8::Local<'_, v8::Value>,
    ) -> Throw {
        match crate::convert::to_text(scope, argument) {
            Ok(text) => Throw::Type(format!(
                "could not convert function call parameter {index}: could not convert {text} to sobek.Callable"
            )),
            Err(throw) => throw,
        }
    }

    /// The value that would be thrown, for promises.
    ///
    /// # Errors
    ///
    /// [`Throw::Pending`] stays what it is: V8 has the value.
    pub(crate) fn into_value<'s>(self, scope: &mut v8::PinScope<'s, '_>) -> Native<v8::Local<'s, v8::Value>> {
        Ok(match self {
            Throw::Go(message) => go_error(scope, &message),
            Throw::Type(message) => {
                let message = string(scope, &message);
                v8::Exception::type_error(scope, message)
            }
            Throw::Plain(message) => {
                let message = string(scope, &message);
                v8::Exception::error(scope, message)
            }
            Throw::Pending => return Err(Throw::Pending),
        })
    }

    /// Makes it V8's pending exception.
    pub(crate) fn raise(self, scope: &mut v8::PinScope<'_, '_>) {
        match self {
            Throw::Go(message) => throw_go_error(scope, &message),
            Throw::Type(message) => throw_type_error(scope, &message),
            Throw::Plain(message) => throw_error(scope, &message),
            Throw::Pending => (),
        }
    }
}

/// Runs the body of a native function: its error becomes the exception that the script sees, and so does
/// a panic, which must not unwind through V8's frames.
///
/// A script that was told to stop ends here: V8 itself looks for that where functions begin, and in loops only once in
/// some hundred rounds, which is too seldom if each calls a native that takes long.
pub(crate) fn guard<'s, 'i, T>(
    scope: &mut v8::PinScope<'s, 'i>,
    body: impl FnOnce(&mut v8::PinScope<'s, 'i>) -> Native<T>,
) -> Option<T> {
    if let Some(caller) = Caller::told_to_stop() {
        caller.end_script(scope);
        return None;
    }
    match catch_unwind(AssertUnwindSafe(|| body(scope).map_err(|throw| throw.raise(scope)))) {
        Ok(answer) => answer.ok(),
        Err(panic) => {
            throw_error(scope, &format!("internal error, please report it: {}", panic_text(&*panic)));
            None
        }
    }
}

/// What a native function may answer.
pub(crate) trait Answer {
    fn give(self, to: &mut v8::ReturnValue<'_, v8::Value>);
}

impl Answer for () {
    fn give(self, _: &mut v8::ReturnValue<'_, v8::Value>) {}
}

impl Answer for bool {
    fn give(self, to: &mut v8::ReturnValue<'_, v8::Value>) {
        to.set_bool(self);
    }
}

impl Answer for i32 {
    fn give(self, to: &mut v8::ReturnValue<'_, v8::Value>) {
        to.set_int32(self);
    }
}

impl Answer for f64 {
    fn give(self, to: &mut v8::ReturnValue<'_, v8::Value>) {
        to.set_double(self);
    }
}

impl<T> Answer for v8::Local<'_, T>
where
    for<'l> v8::Local<'l, v8::Value>: From<v8::Local<'l, T>>,
{
    fn give(self, to: &mut v8::ReturnValue<'_, v8::Value>) {
        to.set(self.into());
    }
}

/// Makes a V8 callback of a function
/// `fn(&mut PinScope<'s, '_>, &FunctionCallbackArguments<'s>) -> Native<impl Answer>`: [`guard`] and
/// [`Answer`] around it.
macro_rules! native {
    ($body:path) => {{
        fn callback<'s>(
            scope: &mut v8::PinScope<'s, '_>,
            arguments: v8::FunctionCallbackArguments<'s>,
            mut answer: v8::ReturnValue<'s, v8::Value>,
        ) {
            if let Some(value) = $crate::binding::guard(scope, |scope| $body(scope, &arguments)) {
                $crate::binding::Answer::give(value, &mut answer);
            }
        }
        callback
    }};
}
pub(crate) use native;

/// Throws a `GoError`: an `Error` whose `name` is `GoError` and whose only enumerable property `value` is
/// an object that answers `error()` with the message.
pub(crate) fn throw_go_error(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    let error = go_error(scope, message);
    scope.throw_exception(error);
}

/// The error object that [`throw_go_error`] throws.
pub(crate) fn go_error<'s>(scope: &mut v8::PinScope<'s, '_>, message: &str) -> v8::Local<'s, v8::Value> {
    let text = string(scope, message);
    let error = v8::Exception::error(scope, text);
    let Some(object) = error.to_object(scope) else { return error };

    let host = v8::Object::new(scope);
    let method = function(scope, "error", answer_data, Some(text.into()));
    set(scope, host, "error", method.into());
    // String(e.value) is the message too, but `error` is its only key.
    let method = function(scope, "toString", answer_data, Some(text.into()));
    set_hidden(scope, host, "toString", method.into());

    let name = string(scope, "GoError").into();
    set_hidden(scope, object, "name", name);
    set(scope, object, "value", host.into());
    error
}

/// Throws a `TypeError`.
pub(crate) fn throw_type_error(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    let message = string(scope, message);
    let error = v8::Exception::type_error(scope, message);
    scope.throw_exception(error);
}

/// Throws an `Error`.
pub(crate) fn throw_error(scope: &mut v8::PinScope<'_, '_>, message: &str) {
    let message = string(scope, message);
    let error = v8::Exception::error(scope, message);
    scope.throw_exception(error);
}

/// A native function that cannot be called with `new`. `data` is what the callback gets as its data. Without
/// it, a realm has one such function, however often it is asked for.
pub(crate) fn function<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    callback: impl v8::MapFnTo<v8::FunctionCallback>,
    data: Option<v8::Local<'s, v8::Value>>,
) -> v8::Local<'s, v8::Function> {
    let callback = callback.map_fn_to();
    if data.is_none()
        && let Some(function) = Templates::function(scope, name, callback)
    {
        return function;
    }
    let mut builder =
        v8::Function::builder_raw(callback).constructor_behavior(v8::ConstructorBehavior::Throw);
    if let Some(data) = data {
        builder = builder.data(data);
    }
    let function = builder.build(scope).expect("a function is only refused while the isolate terminates");
    let name = string(scope, name);
    function.set_name(name);
    function
}

/// A name or a text of our own as a JavaScript string.
pub(crate) fn string<'s>(scope: &mut v8::PinScope<'s, '_>, text: &str) -> v8::Local<'s, v8::String> {
    crate::convert::js_string(scope, text.as_bytes())
}

/// Sets an ordinary property.
pub(crate) fn set<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    value: v8::Local<'s, v8::Value>,
) {
    let name = string(scope, name).into();
    object.create_data_property(scope, name, value);
}

/// Sets a property that scripts can read and call but neither enumerate nor replace.
pub(crate) fn set_hidden<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    value: v8::Local<'s, v8::Value>,
) {
    let name = string(scope, name).into();
    let attributes = v8::PropertyAttribute::DONT_ENUM | v8::PropertyAttribute::READ_ONLY;
    object.define_own_property(scope, name, value, attributes);
}

/// Adds a method named `name` to `object`.
pub(crate) fn set_function<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    object: v8::Local<'s, v8::Object>,
    name: &str,
    callback: impl v8::MapFnTo<v8::FunctionCallback>,
    data: Option<v8::Local<'s, v8::Value>>,
) {
    let function = function(scope, name, callback, data);
    set(scope, object, name, function.into());
}

/// What objects are made of that scripts can call but not assign to.
pub(crate) fn host_object_template<'s>(
    scope: &mut v8::PinScope<'s, '_>,
) -> v8::Local<'s, v8::ObjectTemplate> {
    let template = v8::ObjectTemplate::new(scope);
    template.set_named_property_handler(
        v8::NamedPropertyHandlerConfiguration::new()
            .setter(refuse_assignment)
            .flags(v8::PropertyHandlerFlags::NON_MASKING),
    );
    template
}

fn refuse_assignment(
    scope: &mut v8::PinScope<'_, '_>,
    key: v8::Local<'_, v8::Name>,
    _value: v8::Local<'_, v8::Value>,
    _arguments: v8::PropertyCallbackArguments<'_>,
    _result: v8::ReturnValue<'_, v8::Boolean>,
) -> v8::Intercepted {
    let key = key.to_rust_string_lossy(scope);
    throw_type_error(scope, &format!("Cannot assign to property {key} of a host object"));
    v8::Intercepted::kYes
}

fn answer_data(
    _: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) {
    answer.set(arguments.data());
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "panic"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{eval, eval_error, with_scope};

    type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

    fn go(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native {
        Err(Throw::Go("no luck".into()))
    }

    fn wrong_type(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native {
        Err(Throw::Type("wrong".into()))
    }

    fn plain(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native {
        Err(Throw::Plain("bad".into()))
    }

    fn panics(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native {
        panic!("index {} is out", 3)
    }

    fn not_callable(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
        Err(Throw::not_callable(scope, 0, arguments.get(0)))
    }

    fn calls<'s>(
        scope: &mut v8::PinScope<'s, '_>,
        arguments: &Arguments<'s>,
    ) -> Native<v8::Local<'s, v8::Value>> {
        let callee = v8::Local::<v8::Function>::try_from(arguments.get(0)).unwrap();
        let this = v8::undefined(scope).into();
        callee.call(scope, this, &[]).ok_or(Throw::Pending)
    }

    fn install(
        scope: &mut v8::PinScope<'_, '_>,
        name: &str,
        callback: impl v8::MapFnTo<v8::FunctionCallback>,
    ) {
        let context = scope.get_current_context();
        let global = context.global(scope);
        set_function(scope, global, name, callback, None);
    }

    #[test]
    fn a_go_error_looks_like_k6s() {
        with_scope(|scope| {
            install(scope, "f", native!(go));
            let seen = eval(
                scope,
                "try { f() } catch (e) { [String(e), e.name, e.message, Object.keys(e), String(e.value),
                   e.value.error(), Object.keys(e.value), e instanceof Error, JSON.stringify(e)].join('|') }",
            );
            assert_eq!(
                seen,
                "GoError: no luck|GoError|no luck|value|no luck|no luck|error|true|{\"value\":{}}"
            );
        });
    }

    #[test]
    fn type_errors_and_plain_errors_are_the_standard_ones() {
        with_scope(|scope| {
            install(scope, "t", native!(wrong_type));
            install(scope, "p", native!(plain));
            let seen = eval(scope, "try { t() } catch (e) { String(e) + (e instanceof TypeError) }");
            assert_eq!(seen, "TypeError: wrongtrue");
            assert_eq!(eval_error(scope, "p()"), "Error: bad");
        });
    }

    #[test]
    fn a_panic_becomes_an_exception() {
        with_scope(|scope| {
            install(scope, "f", native!(panics));
            assert_eq!(eval_error(scope, "f()"), "Error: internal error, please report it: index 3 is out");
            assert_eq!(eval(scope, "1 + 1"), "2");
        });
    }

    fn long(_: &mut v8::PinScope<'_, '_>, _: &Arguments<'_>) -> Native {
        Err(Throw::Plain("x".repeat(v8::String::MAX_LENGTH + 1)))
    }

    #[test]
    fn a_message_that_is_too_long_becomes_another() {
        with_scope(|scope| {
            install(scope, "f", native!(long));
            let text = eval_error(scope, "f()");
            assert!(text.starts_with("Error: internal error, please report it: a text of at most"), "{text}");
        });
    }

    #[test]
    fn exceptions_of_script_code_pass_through() {
        with_scope(|scope| {
            install(scope, "f", native!(calls));
            assert_eq!(eval(scope, "f(() => 7)"), "7");
            assert_eq!(
                eval(scope, "const t = {}; try { f(() => { throw t }) } catch (e) { e === t }"),
                "true"
            );
        });
    }

    #[test]
    fn a_parameter_that_is_not_callable_is_named() {
        with_scope(|scope| {
            install(scope, "f", native!(not_callable));
            let text = "TypeError: could not convert function call parameter 0: could not convert";
            assert_eq!(eval_error(scope, "f({})"), format!("{text} [object Object] to sobek.Callable"));
            assert_eq!(eval_error(scope, "f(Symbol('q'))"), format!("{text} q to sobek.Callable"));
            assert_eq!(eval_error(scope, "f({ toString() { throw new RangeError('r') } })"), "RangeError: r");
        });
    }
}
