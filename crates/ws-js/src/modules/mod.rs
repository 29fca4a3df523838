//! The modules of a script: what a specifier means, reading each file once, and linking the modules of a realm.
//!
//! [`Sources`] are shared by all realms of a run; [`RealmModules`] are the instances of one realm. V8 asks for
//! modules in callbacks that know nothing but a context, so a thread that runs scripts of a realm says so with
//! [`enter`] (V8's own slots of a context do not exist in isolates that threads share).

mod commonjs;
mod es;
mod globals;
mod library;
mod load;
mod map;
mod resolve;

use std::cell::RefCell;
use std::rc::Rc;

pub use load::Main;
pub(crate) use load::Sources;
pub(crate) use map::RealmModules;

use crate::binding::{Native, Throw};
use crate::exception::{Frame, JsException};

thread_local! {
    /// The modules of the realm whose script this thread runs.
    static CURRENT: RefCell<Option<Rc<RealmModules>>> = const { RefCell::new(None) };
}

/// The modules that are part of this tool, and where the loader's own warnings go.
pub(crate) trait Builtins {
    /// Makes the exports of the module `name` (`k6/ws`), or `None` if there is no such module. Called once
    /// per realm and module.
    ///
    /// # Errors
    ///
    /// What importing it throws.
    fn make<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
    ) -> Native<Option<v8::Local<'s, v8::Object>>>;

    /// Tells the user something about the script that is no error.
    fn warn(&self, message: &str);
}

/// Makes `modules` those of the script that this thread is about to run, until the guard goes.
pub(crate) fn enter(modules: Rc<RealmModules>) -> Entered {
    Entered { before: CURRENT.replace(Some(modules)) }
}

/// Restores the modules that were entered before.
pub(crate) struct Entered {
    before: Option<Rc<RealmModules>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.replace(self.before.take());
    }
}

/// Runs the init stage of the current realm: its main module with all it imports. `drain` runs promise
/// reactions (and whatever else the module's top-level `await` may wait for). Gives the object whose
/// properties are the exports.
///
/// # Errors
///
/// What the script threw, or why a module cannot be loaded, with the place of the import. If `drain` fails, that
/// with the exception that is pending then.
pub(crate) fn load_main(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    drain: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Native,
) -> Result<v8::Global<v8::Object>, JsException> {
    let _entered = enter(Rc::clone(modules));
    v8::tc_scope!(let tc, scope);
    globals::install(tc);
    let loaded = es::run_main(tc, modules, drain).map_err(|failure| match failure.throw {
        Throw::Pending => JsException::from_try_catch(tc),
        Throw::Go(text) | Throw::Type(text) | Throw::Plain(text) => {
            JsException::at(text, failure.place.into_iter().collect())
        }
    })?;
    modules.end_init();
    modules.keep_code(tc);
    Ok(v8::Global::new(tc, loaded))
}

/// Why a module cannot be had.
struct Failure {
    throw: Throw,
    /// The import that asks for it.
    place: Option<Frame>,
}

impl From<Throw> for Failure {
    fn from(throw: Throw) -> Self {
        Failure { throw, place: None }
    }
}

fn current() -> Native<Rc<RealmModules>> {
    let none = || Throw::Plain("modules are loaded by scripts only".into());
    CURRENT.with_borrow(|current| current.clone()).ok_or_else(none)
}

#[cfg(test)]
mod tests;
