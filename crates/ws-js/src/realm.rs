//! A VU's JavaScript world: one context with its globals, modules and promises.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::api::{self, Caller};
use crate::binding::{self, Native, Throw};
use crate::convert::json_parse;
use crate::env;
use crate::exception::JsException;
use crate::modules::{self, RealmModules};
use crate::script::CompatibilityMode;
use crate::shared::Shared;
use crate::templates::Templates;
use crate::vu;
use crate::vu::call::Fault;
use crate::web;

thread_local! {
    /// The realm whose script this thread runs.
    static CURRENT: RefCell<Option<Rc<Realm>>> = const { RefCell::new(None) };
}

/// See the module's documentation. Lives in a group; entered through [`Inside::with_realm`].
///
/// [`Inside::with_realm`]: crate::group::Inside::with_realm
pub(crate) struct Realm {
    /// The VU's number as scripts see it; 0 outside of VUs.
    number: u32,
    context: v8::Global<v8::Context>,
    /// Its own queue: the isolate's would run the reactions of all VUs at once.
    microtasks: v8::MicrotaskQueueHandle,
    modules: Rc<RealmModules>,
    namespace: OnceCell<v8::Global<v8::Object>>,
    functions: RefCell<BTreeMap<Box<str>, v8::Global<v8::Function>>>,
    /// Made with the realm: nothing can be compiled while the script is being ended.
    noop: v8::Global<v8::Function>,
    /// `Function.prototype.bind`, whatever a script may make of it.
    bind: v8::Global<v8::Function>,
    data: OnceCell<v8::Global<v8::Value>>,
    rejections: RefCell<Vec<(v8::Global<v8::Promise>, v8::Global<v8::Value>)>>,
    this: std::rc::Weak<Realm>,
}

impl Realm {
    /// Makes a realm and its globals; no script has run in it yet.
    pub(crate) fn new(isolate: &mut v8::Isolate, shared: &Shared, vu: u32) -> Rc<Self> {
        let microtasks = v8::MicrotaskQueue::new(isolate, v8::MicrotasksPolicy::Explicit);
        v8::scope!(let scope, isolate);
        let queue = std::ptr::from_ref::<v8::MicrotaskQueue>(&microtasks).cast_mut();
        let options = v8::ContextOptions {
            microtask_queue: Some(queue),
            global_template: Some(web::global_template(scope)),
            ..Default::default()
        };
        let context = v8::Context::new(scope, options);
        let global_context = v8::Global::new(scope, context);
        let scope = &mut v8::ContextScope::new(scope, context);
        let global = context.global(scope);
        let number = v8::Integer::new_from_unsigned(scope, vu).into();
        binding::set(scope, global, "__VU", number);
        let env = env::object(scope);
        binding::set(scope, global, "__ENV", env.into());
        let console = Templates::console(scope);
        binding::set(scope, global, "console", console.into());
        api::timers::install(scope, global);
        if shared.mode == CompatibilityMode::Extended {
            binding::set(scope, global, "global", global.into());
        }
        take_away(scope, global);
        let noop = noop_function(scope);
        let key = binding::string(scope, "bind").into();
        let bind = noop.get(scope, key).and_then(|bind| v8::Local::<v8::Function>::try_from(bind).ok());
        let bind = v8::Global::new(scope, bind.expect("every function has it"));
        let noop = v8::Global::new(scope, noop);
        let modules = RealmModules::new(Arc::clone(&shared.sources), Box::new(api::Builtins));
        Rc::new_cyclic(|this| Self {
            number: vu,
            context: global_context,
            microtasks,
            modules: Rc::new(modules),
            namespace: OnceCell::new(),
            functions: RefCell::default(),
            noop,
            bind,
            data: OnceCell::new(),
            rejections: RefCell::default(),
            this: this.clone(),
        })
    }

    /// The VU's number as scripts see it; 0 outside of VUs.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn context(&self) -> &v8::Global<v8::Context> {
        &self.context
    }

    /// Makes this the realm whose script the thread runs, until the guard goes.
    pub(crate) fn enter(&self) -> Entered {
        let before = CURRENT.replace(self.this.upgrade());
        Entered { before, _modules: modules::enter(Rc::clone(&self.modules)) }
    }

    /// Runs the init stage: the main module with all it imports, until nothing is left of it.
    pub(crate) fn load(&self, caller: Caller, scope: &mut v8::PinScope<'_, '_>) -> Result<(), JsException> {
        let mut fault = None;
        let loaded = modules::load_main(scope, &self.modules, |scope| {
            vu::init::run_loop(caller, scope, self).map_err(|why| {
                fault = Some(why);
                Throw::Pending
            })
        });
        match fault {
            Some(Fault::Threw(exception)) => return Err(exception),
            Some(Fault::Interrupted) => return Err(JsException::plain("interrupted")),
            None => (),
        }
        let _ = self.namespace.set(loaded?);
        match self.take_rejection(scope) {
            Some(rejection) => Err(rejection),
            None => Ok(()),
        }
    }

    /// Runs `f` under the rules of the init stage, which is over.
    pub(crate) fn in_init_again<R>(&self, f: impl FnOnce() -> R) -> R {
        self.modules.begin_init();
        let result = f();
        self.modules.end_init();
        result
    }

    /// The object whose properties are the script's exports.
    pub(crate) fn exports<'s>(&self, scope: &mut v8::PinScope<'s, '_>) -> Option<v8::Local<'s, v8::Object>> {
        self.namespace.get().map(|namespace| v8::Local::new(scope, namespace))
    }

    /// An exported function.
    pub(crate) fn export<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
    ) -> Option<v8::Local<'s, v8::Function>> {
        if let Some(function) = self.functions.borrow().get(name) {
            return Some(v8::Local::new(scope, function));
        }
        let exports = self.exports(scope)?;
        let key = binding::string(scope, name).into();
        let function = v8::Local::<v8::Function>::try_from(exports.get(scope, key)?).ok()?;
        self.functions.borrow_mut().insert(name.into(), v8::Global::new(scope, function));
        Some(function)
    }

    /// Sets `__ITER`.
    pub(crate) fn set_iteration(&self, scope: &mut v8::PinScope<'_, '_>, iteration: u64) {
        let global = scope.get_current_context().global(scope);
        let number = v8::Number::new(scope, iteration as f64).into();
        binding::set(scope, global, "__ITER", number);
    }

    /// Makes `__ENV` what the script was started with, plus the scenario's own variables. What the script has changed
    /// until now is gone, as in k6.
    pub(crate) fn set_env(&self, scope: &mut v8::PinScope<'_, '_>, scenario: &[(String, String)]) {
        let env = env::object(scope);
        for (name, value) in scenario {
            let value = binding::string(scope, value).into();
            binding::set(scope, env, name, value);
        }
        let global = scope.get_current_context().global(scope);
        binding::set(scope, global, "__ENV", env.into());
    }

    /// What `setup()` returned: this realm's own copy, parsed once and kept.
    pub(crate) fn setup_data<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        json: Option<&str>,
    ) -> Option<v8::Local<'s, v8::Value>> {
        let json = json?;
        let data = self.data.get_or_init(|| {
            // It was JSON when setup() returned it.
            let value = json_parse(scope, json).unwrap_or_else(|_| v8::undefined(scope).into());
            v8::Global::new(scope, value)
        });
        Some(v8::Local::new(scope, data))
    }

    /// Runs the reactions of promises that have settled, and what they set off.
    pub(crate) fn run_microtasks(&self, scope: &mut v8::PinScope<'_, '_>) {
        self.microtasks.perform_checkpoint(scope);
    }

    /// Forgets rejections nobody has handled: the iteration they belong to is over.
    pub(crate) fn forget_rejections(&self) {
        self.rejections.borrow_mut().clear();
    }

    /// Takes the first rejection that nobody has handled.
    pub(crate) fn take_rejection(&self, scope: &mut v8::PinScope<'_, '_>) -> Option<JsException> {
        let rejections = std::mem::take(&mut *self.rejections.borrow_mut());
        let (_, value) = rejections.into_iter().next()?;
        let value = v8::Local::new(scope, value);
        Some(JsException::in_promise(scope, value))
    }
}

/// Restores the realm that was entered before.
pub(crate) struct Entered {
    before: Option<Rc<Realm>>,
    _modules: modules::Entered,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.before.take());
    }
}

/// Whether the script that runs on this thread is in its init stage.
pub(crate) fn in_init() -> bool {
    with_current(|realm| realm.modules.in_init()).unwrap_or(false)
}

/// A function of the current realm that does nothing.
///
/// # Panics
///
/// Outside of scripts.
pub(crate) fn noop<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Function> {
    with_current(|realm| v8::Local::new(scope, &realm.noop)).expect("a script runs")
}

/// `function.bind(this)` in the current realm.
///
/// # Errors
///
/// [`Throw::Pending`] if the script is being ended.
///
/// # Panics
///
/// Outside of scripts.
pub(crate) fn bind<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    function: v8::Local<'_, v8::Function>,
    this: v8::Local<'_, v8::Value>,
) -> Native<v8::Local<'s, v8::Value>> {
    let bind = with_current(|realm| v8::Local::new(scope, &realm.bind)).expect("a script runs");
    bind.call(scope, function.into(), &[this]).ok_or(Throw::Pending)
}

/// V8 reports promises that were rejected without a handler, and such that got one later.
pub(crate) extern "C" fn on_promise_reject(message: v8::PromiseRejectMessage<'_>) {
    with_current(|realm| {
        v8::callback_scope!(unsafe scope, &message);
        let promise = v8::Global::new(scope, message.get_promise());
        let mut rejections = realm.rejections.borrow_mut();
        match message.get_event() {
            v8::PromiseRejectEvent::PromiseRejectWithNoHandler => {
                if let Some(value) = message.get_value() {
                    rejections.push((promise, v8::Global::new(scope, value)));
                }
            }
            v8::PromiseRejectEvent::PromiseHandlerAddedAfterReject => {
                rejections.retain(|(rejected, _)| *rejected != promise);
            }
            _ => (),
        }
    });
}

/// Removes what would call back from V8's own tasks: those belong to an isolate, not to a VU, so a callback would run
/// under nobody's rules. Left there it would never be called, and what it waits for would be kept for ever. k6 has
/// neither.
fn take_away<'s>(scope: &mut v8::PinScope<'s, '_>, global: v8::Local<'s, v8::Object>) {
    let name = binding::string(scope, "FinalizationRegistry").into();
    global.delete(scope, name);
    let name = binding::string(scope, "Atomics").into();
    let atomics = global.get(scope, name).and_then(|it| v8::Local::<v8::Object>::try_from(it).ok());
    if let Some(atomics) = atomics {
        let name = binding::string(scope, "waitAsync").into();
        atomics.delete(scope, name);
    }
}

/// Of the script's kind: native functions have no stack check, which is what this one is called for.
fn noop_function<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Function> {
    let source = v8::String::new(scope, "(() => {})").expect("a short string");
    v8::Script::compile(scope, source, None)
        .and_then(|script| script.run(scope))
        .and_then(|noop| noop.try_into().ok())
        .expect("a script without a fault")
}

fn with_current<R>(f: impl FnOnce(&Realm) -> R) -> Option<R> {
    CURRENT.with_borrow(|current| current.as_deref().map(f))
}
