//! Objects that every realm of a group has: made once, copied into each.
//!
//! A realm that builds its own copies of these from nothing has its own copies of their strings, names and
//! function descriptions, too: 13 KB more for each VU.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::binding;
use crate::env::Variables;
use crate::shared::Compat;

/// The templates of an isolate, kept in its slot.
pub(crate) struct Templates {
    console: v8::Global<v8::ObjectTemplate>,
    host_object: v8::Global<v8::ObjectTemplate>,
    sockets: crate::api::websockets::Shapes,
    /// By native and name.
    functions: FxHashMap<(usize, Box<str>), v8::Global<v8::FunctionTemplate>>,
}

impl Templates {
    /// Puts the templates into the slot of `isolate`.
    pub(crate) fn install(isolate: &mut v8::Isolate, env: &BTreeMap<String, String>, compat: Compat) {
        let templates = {
            v8::scope!(let scope, isolate);
            // Strings can be made without a context, but only inside one do they look like a script's own.
            let context = v8::Context::new(scope, v8::ContextOptions::default());
            let scope = &mut v8::ContextScope::new(scope, context);
            Variables::install(scope, env);
            let console = crate::console::template(scope);
            let host_object = binding::host_object_template(scope);
            let sockets = crate::api::websockets::Shapes::new(scope, compat);
            Self {
                console: v8::Global::new(scope, console),
                host_object: v8::Global::new(scope, host_object),
                sockets,
                functions: FxHashMap::default(),
            }
        };
        isolate.set_slot(templates);
    }

    /// `console`.
    pub(crate) fn console<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
        Self::instance(scope, |templates| &templates.console)
    }

    /// An object that scripts cannot assign to, without its functions.
    pub(crate) fn host_object<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
        Self::instance(scope, |templates| &templates.host_object)
    }

    /// What sockets of `k6/websockets` and their events are made of.
    pub(crate) fn sockets<'a>(scope: &'a v8::PinScope<'_, '_>) -> &'a crate::api::websockets::Shapes {
        &scope.get_slot::<Self>().expect("put there with the isolate").sockets
    }

    /// The function `name` of the current realm that runs `callback`; always the same one. `None` in isolates
    /// without templates.
    pub(crate) fn function<'s>(
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
        callback: v8::FunctionCallback,
    ) -> Option<v8::Local<'s, v8::Function>> {
        let key = (callback as usize, name.into());
        let known = scope.get_slot::<Self>()?.functions.get(&key).cloned();
        let template = match known {
            Some(template) => v8::Local::new(scope, template),
            None => {
                let template = v8::FunctionTemplate::builder_raw(callback)
                    .constructor_behavior(v8::ConstructorBehavior::Throw)
                    .build(scope);
                let class_name = binding::string(scope, name);
                template.set_class_name(class_name);
                let kept = v8::Global::new(scope, template);
                scope.get_slot_mut::<Self>()?.functions.insert(key, kept);
                template
            }
        };
        template.get_function(scope)
    }

    fn instance<'s>(
        scope: &mut v8::PinScope<'s, '_>,
        which: impl FnOnce(&Self) -> &v8::Global<v8::ObjectTemplate>,
    ) -> v8::Local<'s, v8::Object> {
        let template = which(scope.get_slot::<Self>().expect("put there with the isolate")).clone();
        let template = v8::Local::new(scope, template);
        template.new_instance(scope).expect("only refused while the isolate terminates")
    }
}
