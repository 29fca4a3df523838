//! `__ENV`: the run's variables as an object that costs a realm nothing until it changes them.
//!
//! A process has dozens of variables, and a copy of each VU's own would take 4 to 10 KB of its heap. So the objects
//! of all realms answer from one list of the isolate. The first change gives a realm an object of its own, which
//! answers from then on.
//!
//! As in k6, values are always strings: what else is assigned is made one, and accessors are refused.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::binding::{self, Native, Throw};
use crate::convert;

/// What scripts find in `__ENV` at first; in a slot of the isolate.
pub(crate) struct Variables {
    /// In the order in which scripts see them.
    list: Vec<(v8::Global<v8::Name>, v8::Global<v8::String>)>,
    /// Places in the list by the name's hash.
    places: FxHashMap<i32, Vec<u32>>,
    /// Where an object keeps what has replaced the list.
    own: v8::Global<v8::Private>,
    template: v8::Global<v8::ObjectTemplate>,
}

impl Variables {
    /// Puts the variables into a slot of the isolate of `scope`. Needs a context, so that strings look like a
    /// script's own.
    pub(crate) fn install(scope: &mut v8::PinScope<'_, '_>, env: &BTreeMap<String, String>) {
        let mut list = Vec::with_capacity(env.len());
        let mut places: FxHashMap<i32, Vec<u32>> = FxHashMap::default();
        for (place, (name, value)) in env.iter().enumerate() {
            let name: v8::Local<'_, v8::Name> = binding::string(scope, name).into();
            let value = binding::string(scope, value);
            places.entry(name.get_identity_hash().get()).or_default().push(place as u32);
            list.push((v8::Global::new(scope, name), v8::Global::new(scope, value)));
        }
        let description = binding::string(scope, "own variables");
        let own = v8::Private::new(scope, Some(description));
        let template = v8::ObjectTemplate::new(scope);
        template.set_named_property_handler(
            v8::NamedPropertyHandlerConfiguration::new()
                .getter(get)
                .setter(set)
                .query(query)
                .deleter(delete)
                .enumerator(enumerate)
                .definer(define),
        );
        let own = v8::Global::new(scope, own);
        let template = v8::Global::new(scope, template);
        scope.set_slot(Rc::new(Self { list, places, own, template }));
    }

    fn of(scope: &v8::PinScope<'_, '_>) -> Rc<Self> {
        Rc::clone(scope.get_slot::<Rc<Self>>().expect("put there with the isolate"))
    }

    fn find<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: v8::Local<'_, v8::Name>,
    ) -> Option<v8::Local<'s, v8::String>> {
        let places = self.places.get(&name.get_identity_hash().get())?;
        places.iter().find_map(|&place| {
            let (known, value) = &self.list[place as usize];
            let known = v8::Local::new(scope, known);
            name.strict_equals(known.into()).then(|| v8::Local::new(scope, value))
        })
    }
}

/// A new `__ENV` object of the current realm, as it is before any change.
pub(crate) fn object<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let variables = Variables::of(scope);
    let template = v8::Local::new(scope, &variables.template);
    let env = template.new_instance(scope).expect("only refused while the isolate terminates");
    // Templates with interceptors bring a class of their own; for scripts this is an object like others.
    if let Some(prototype) = v8::Object::new(scope).get_prototype(scope) {
        env.set_prototype(scope, prototype);
    }
    env
}

/// The object that answers for `env` since its first change.
fn own<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    env: v8::Local<'s, v8::Object>,
) -> Option<v8::Local<'s, v8::Object>> {
    let variables = Variables::of(scope);
    let key = v8::Local::new(scope, &variables.own);
    env.get_private(scope, key).and_then(|own| own.try_into().ok())
}

/// The same, made now if need be.
fn own_for_change<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    env: v8::Local<'s, v8::Object>,
) -> v8::Local<'s, v8::Object> {
    if let Some(own) = own(scope, env) {
        return own;
    }
    let variables = Variables::of(scope);
    let own = v8::Object::new(scope);
    for (name, value) in &variables.list {
        let (name, value) = (v8::Local::new(scope, name), v8::Local::new(scope, value));
        own.create_data_property(scope, name, value.into());
    }
    let key = v8::Local::new(scope, &variables.own);
    env.set_private(scope, key, own.into());
    own
}

/// What is stored when `value` is assigned.
fn text<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Native<v8::Local<'s, v8::Value>> {
    if value.is_null_or_undefined() {
        return Ok(v8::String::empty(scope).into());
    }
    Ok(convert::to_js_text(scope, value)?.into())
}

/// Where the value of a variable is.
enum Place<'s> {
    /// It is a property of the realm's own object.
    Own(v8::Local<'s, v8::Object>),
    /// It is the list's.
    Shared(v8::Local<'s, v8::String>),
}

/// `None` for what is no variable: then the object is asked like any other.
fn find<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    env: v8::Local<'s, v8::Object>,
    name: v8::Local<'s, v8::Name>,
) -> Option<Place<'s>> {
    if name.is_symbol() {
        return None;
    }
    match own(scope, env) {
        // Not what it inherits.
        Some(own) => (own.has_own_property(scope, name) == Some(true)).then_some(Place::Own(own)),
        None => Variables::of(scope).find(scope, name).map(Place::Shared),
    }
}

fn get<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Value>,
) -> v8::Intercepted {
    let value = find(scope, arguments.holder(), name).and_then(|place| match place {
        Place::Own(own) => own.get(scope, name.into()),
        Place::Shared(value) => Some(value.into()),
    });
    let Some(value) = value else { return v8::Intercepted::kNo };
    answer.set(value);
    v8::Intercepted::kYes
}

fn query<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Integer>,
) -> v8::Intercepted {
    let attributes = find(scope, arguments.holder(), name).and_then(|place| match place {
        Place::Own(own) => own.get_property_attributes(scope, name.into()),
        Place::Shared(_) => Some(v8::PropertyAttribute::NONE),
    });
    let Some(attributes) = attributes else { return v8::Intercepted::kNo };
    answer.set_uint32(attributes.as_u32());
    v8::Intercepted::kYes
}

fn set<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    value: v8::Local<'s, v8::Value>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Boolean>,
) -> v8::Intercepted {
    if name.is_symbol() {
        return v8::Intercepted::kNo;
    }
    binding::guard(scope, |scope| {
        let value = text(scope, value)?;
        let own = own_for_change(scope, arguments.holder());
        own.set(scope, name.into(), value).ok_or(Throw::Pending)
    });
    answer.set_bool(true);
    v8::Intercepted::kYes
}

fn define<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    descriptor: &v8::PropertyDescriptor,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Boolean>,
) -> v8::Intercepted {
    if name.is_symbol() {
        return v8::Intercepted::kNo;
    }
    binding::guard(scope, |scope| {
        if descriptor.has_get() || descriptor.has_set() {
            return Err(Throw::Type("Host objects do not support accessor properties".into()));
        }
        if descriptor.has_value() {
            let value = text(scope, v8::Local::new(scope, descriptor.value()))?;
            let own = own_for_change(scope, arguments.holder());
            own.set(scope, name.into(), value).ok_or(Throw::Pending)?;
        }
        Ok(())
    });
    answer.set_bool(true);
    v8::Intercepted::kYes
}

fn delete<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::Name>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Boolean>,
) -> v8::Intercepted {
    if name.is_symbol() {
        return v8::Intercepted::kNo;
    }
    own_for_change(scope, arguments.holder()).delete(scope, name.into());
    answer.set_bool(true);
    v8::Intercepted::kYes
}

fn enumerate<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: v8::PropertyCallbackArguments<'s>,
    mut answer: v8::ReturnValue<'_, v8::Array>,
) {
    let names = match own(scope, arguments.holder()) {
        Some(own) => convert::own_names(scope, own).ok(),
        None => {
            let variables = Variables::of(scope);
            let names: Vec<v8::Local<'_, v8::Value>> =
                variables.list.iter().map(|(name, _)| v8::Local::new(scope, name).into()).collect();
            Some(v8::Array::new_with_elements(scope, &names))
        }
    };
    if let Some(names) = names {
        answer.set(names);
    }
}
