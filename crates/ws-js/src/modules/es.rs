//! ES modules: compile the graph, link it, run it.

use std::rc::Rc;
use std::sync::Arc;

use super::load::{Kind, Source};
use super::map::{Body, Entry, RealmModules};
use super::resolve::{Target, path_of};
use super::{Failure, commonjs, current};
use crate::binding::{Native, Throw, guard, set, string};
use crate::convert::own_names;
use crate::exception::Frame;

/// Loads and runs the main module.
pub(super) fn run_main<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    modules: &Rc<RealmModules>,
    drain: impl FnOnce(&mut v8::PinScope<'_, '_>) -> Native,
) -> Result<v8::Local<'s, v8::Object>, Failure> {
    let source = Arc::clone(modules.sources.main());
    if commonjs::kind(scope, &source)? == Kind::CommonJs {
        let exports = commonjs::run(scope, modules, &source)?;
        drain(scope)?;
        // Whatever else a script may export, there are no functions in it.
        return Ok(exports.try_into().unwrap_or_else(|_| v8::Object::new(scope)));
    }
    let target = Target::File(modules.sources.main_path().to_owned());
    let entry = link(scope, modules, &target, &source.url)?;
    let module = v8::Local::new(scope, &*entry.module.borrow());
    let promise = evaluate(scope, modules, module)?;
    if promise.state() != v8::PromiseState::Rejected {
        drain(scope)?;
    }
    match promise.state() {
        v8::PromiseState::Fulfilled => namespace(module).map_err(Failure::from),
        v8::PromiseState::Rejected => {
            let exception = promise.result(scope);
            scope.throw_exception(exception);
            Err(Throw::Pending.into())
        }
        v8::PromiseState::Pending => {
            let text = "the main module never finishes: nothing is left that could settle what it awaits";
            Err(Throw::Go(text.into()).into())
        }
    }
}

/// A module for `require()`: linked, run to its end, and its exports.
pub(super) fn require<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    modules: &Rc<RealmModules>,
    target: &Target,
    specifier: &str,
) -> Result<v8::Local<'s, v8::Value>, Failure> {
    let entry = match modules.entry(&target.key()) {
        Some(entry) => entry,
        None => link(scope, modules, target, specifier)?,
    };
    let module = v8::Local::new(scope, &*entry.module.borrow());
    // A module that requires itself in a circle sees what it has exported so far.
    if module.get_status() != v8::ModuleStatus::Evaluating {
        if module.get_status() == v8::ModuleStatus::Uninstantiated {
            instantiate(scope, modules, module)?;
        }
        let promise = evaluate(scope, modules, module)?;
        if promise.state() == v8::PromiseState::Rejected {
            let exception = promise.result(scope);
            scope.throw_exception(exception);
            return Err(Throw::Pending.into());
        }
    }
    Ok(namespace(module)?.into())
}

/// V8's compiled form of a module, as bytes.
pub(super) fn compiled(scope: &mut v8::PinScope<'_, '_>, module: &v8::Global<v8::Module>) -> Option<Vec<u8>> {
    let module = v8::Local::new(scope, module);
    if module.get_status() == v8::ModuleStatus::Errored {
        return None;
    }
    Some(module.get_unbound_module_script(scope).create_code_cache()?.to_vec())
}

/// What V8 calls a file of this URL.
pub(super) fn origin<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    url: &str,
    is_module: bool,
) -> v8::ScriptOrigin<'s> {
    let name = string(scope, url).into();
    v8::ScriptOrigin::new(scope, name, 0, 0, false, 0, None, false, false, is_module, None)
}

/// Compiles a module and all that it imports, and links them.
fn link(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    target: &Target,
    specifier: &str,
) -> Result<Rc<Entry>, Failure> {
    let root = add(scope, modules, target, specifier)?;
    let mut unseen = vec![Rc::clone(&root)];
    while let Some(entry) = unseen.pop() {
        let module = v8::Local::new(scope, &*entry.module.borrow());
        let Body::Es(source) = &entry.body else { continue };
        let requests = module.get_module_requests();
        for index in 0..requests.length() {
            let Some(request) = requests.get(scope, index) else { continue };
            let Ok(request) = v8::Local::<v8::ModuleRequest>::try_from(request) else { continue };
            let specifier = request.get_specifier().to_rust_string_lossy(scope);
            let import = || {
                let place = module.source_offset_to_location(request.get_source_offset());
                Frame {
                    function: String::new(),
                    file: source.url.clone(),
                    line: place.get_line_number() as u32 + 1,
                    column: place.get_column_number() as u32 + 1,
                }
            };
            let fail =
                |failure: Failure| Failure { place: failure.place.or_else(|| Some(import())), ..failure };
            let target = Target::of(&specifier, &source.dir).map_err(|text| fail(Throw::Go(text).into()))?;
            if modules.entry(&target.key()).is_none() {
                unseen.push(add(scope, modules, &target, &specifier).map_err(fail)?);
            }
        }
    }
    let module = v8::Local::new(scope, &*root.module.borrow());
    instantiate(scope, modules, module)?;
    Ok(root)
}

/// Makes the V8 module of one target; what it imports comes later.
fn add(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    target: &Target,
    specifier: &str,
) -> Result<Rc<Entry>, Failure> {
    let key = target.key();
    let (body, module) = match target {
        Target::Builtin(name) => {
            let exports = modules.builtin(scope, name)?;
            let keys = own_names(scope, exports)?;
            let mut names = Vec::new();
            for index in 0..keys.length() {
                let name = keys.get_index(scope, index).ok_or(Throw::Pending)?;
                names.push(name.to_rust_string_lossy(scope));
            }
            let module = synthetic(scope, &key, &names);
            (Body::Builtin(names.into()), module)
        }
        Target::Library(library) => {
            crate::web::hide_embedded(scope);
            let source = modules.sources.library(library);
            let module = compile(scope, &source)?;
            (Body::Es(source), module)
        }
        Target::File(path) => {
            let source = modules.sources.module(path, specifier).map_err(Throw::Go)?;
            match commonjs::kind(scope, &source)? {
                Kind::Es => {
                    let module = compile(scope, &source)?;
                    (Body::Es(source), module)
                }
                Kind::CommonJs => {
                    let names = commonjs::export_names(&source.text);
                    let module = synthetic(scope, &key, &names);
                    (Body::CommonJs(source, names.into()), module)
                }
            }
        }
    };
    Ok(modules.insert(scope, &key, body, module))
}

fn compile<'s>(scope: &mut v8::PinScope<'s, '_>, source: &Source) -> Native<v8::Local<'s, v8::Module>> {
    let text = string(scope, &source.text);
    let origin = origin(scope, &source.url, true);
    let (mut input, options) = match source.code.get() {
        Some(code) => {
            let code = v8::script_compiler::CachedData::new(code);
            let input = v8::script_compiler::Source::new_with_cached_data(text, Some(&origin), code);
            (input, v8::script_compiler::CompileOptions::ConsumeCodeCache)
        }
        None => (
            v8::script_compiler::Source::new(text, Some(&origin)),
            v8::script_compiler::CompileOptions::NoCompileOptions,
        ),
    };
    let reason = v8::script_compiler::NoCacheReason::NoReason;
    v8::script_compiler::compile_module2(scope, &mut input, options, reason).ok_or(Throw::Pending)
}

/// Links a graph whose modules are all in the map.
///
/// Our own modules and CommonJS modules export whatever is asked of them, undefined if need be: scripts for
/// newer tools rely on it. V8 wants the names beforehand, so each that it misses is added before the next try.
fn instantiate(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    module: v8::Local<'_, v8::Module>,
) -> Native {
    loop {
        let missing = {
            v8::tc_scope!(let tc, scope);
            if module.instantiate_module(tc, lookup).is_some() {
                return Ok(());
            }
            let missing = tc.message().and_then(|message| missing_export(tc, modules, message));
            if missing.is_none() {
                tc.rethrow();
            }
            missing
        };
        let Some((entry, name)) = missing else { return Err(Throw::Pending) };
        let names = {
            let names = entry.names().ok_or(Throw::Pending)?;
            names.borrow_mut().push(name);
            names.borrow().clone()
        };
        let module = synthetic(scope, &entry.key, &names);
        modules.replace(scope, &entry, module);
    }
}

/// The module and the name of its that an error of V8's linker misses, if the module may have any name.
fn missing_export(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    message: v8::Local<'_, v8::Message>,
) -> Option<(Rc<Entry>, String)> {
    // Uncaught SyntaxError: The requested module './x.js' does not provide an export named 'y'
    let text = message.get(scope).to_rust_string_lossy(scope);
    let (_, rest) = text.split_once("The requested module '")?;
    let (specifier, rest) = rest.split_once("' does not provide an export named '")?;
    let name = rest.strip_suffix('\'')?;
    let importer = message.get_script_resource_name(scope)?.to_rust_string_lossy(scope);
    let dir = path_of(&importer)?.parent()?.to_owned();
    let entry = modules.entry(&Target::of(specifier, &dir).ok()?.key())?;
    let is_new = entry.names().is_some_and(|names| !names.borrow().iter().any(|known| known == name));
    is_new.then(|| (entry, name.to_owned()))
}

/// Runs a linked module. Its promise counts as handled: whoever runs it looks at the outcome.
fn evaluate<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    modules: &Rc<RealmModules>,
    module: v8::Local<'_, v8::Module>,
) -> Native<v8::Local<'s, v8::Promise>> {
    let result = modules.run(scope, |scope| module.evaluate(scope));
    let promise: v8::Local<'_, v8::Promise> = result
        .ok_or(Throw::Pending)?
        .try_into()
        .map_err(|_| Throw::Plain("a module gave no promise".into()))?;
    promise.mark_as_handled();
    Ok(promise)
}

fn namespace<'s>(module: v8::Local<'s, v8::Module>) -> Native<v8::Local<'s, v8::Object>> {
    module.get_module_namespace().try_into().map_err(|_| Throw::Plain("a module without exports".into()))
}

/// An ES module whose exports are those of something else.
fn synthetic<'s>(scope: &mut v8::PinScope<'s, '_>, key: &str, names: &[String]) -> v8::Local<'s, v8::Module> {
    let mut exports = vec![string(scope, "default")];
    for name in names.iter().filter(|name| *name != "default") {
        exports.push(string(scope, name));
    }
    let key = string(scope, key);
    v8::Module::create_synthetic_module(scope, key, &exports, fill)
}

/// V8 wants the module that `specifier` names in `importer`.
fn lookup<'s>(
    context: v8::Local<'s, v8::Context>,
    specifier: v8::Local<'s, v8::String>,
    _: v8::Local<'s, v8::FixedArray>,
    importer: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Module>> {
    v8::callback_scope!(unsafe scope, context);
    guard(scope, |scope| {
        let modules = current()?;
        let (importer, _) = modules.entry_of(importer)?;
        let specifier = specifier.to_rust_string_lossy(scope);
        let target = Target::of(&specifier, &importer.dir()).map_err(Throw::Go)?;
        // All modules of the graph were added before it is linked.
        let entry = modules.entry(&target.key()).ok_or(Throw::Plain(format!("{specifier} is not loaded")))?;
        Ok(v8::Local::new(scope, &*entry.module.borrow()))
    })
}

/// V8 runs a synthetic module: it gets its exports.
fn fill<'s>(
    context: v8::Local<'s, v8::Context>,
    module: v8::Local<'s, v8::Module>,
) -> Option<v8::Local<'s, v8::Value>> {
    v8::callback_scope!(unsafe scope, context);
    guard(scope, |scope| {
        let modules = current()?;
        let (entry, count) = modules.entry_of(module)?;
        let exports = match &entry.body {
            Body::Es(_) => return Err(Throw::Plain("not a synthetic module".into())),
            Body::Builtin(_) => modules.builtin(scope, &entry.key)?.into(),
            Body::CommonJs(source, _) => commonjs::run(scope, &modules, source)?,
        };
        let object = v8::Local::<v8::Object>::try_from(exports).ok();
        let names = entry.names().map(|names| names.borrow()[..count].to_vec()).unwrap_or_default();
        let mut default = exports;
        for name in names.iter().map(String::as_str).chain(["default"]) {
            let key = string(scope, name);
            let value = match object {
                Some(object) => object.get(scope, key.into()).ok_or(Throw::Pending)?,
                None => v8::undefined(scope).into(),
            };
            if name != "default" {
                module.set_synthetic_module_export(scope, key, value).ok_or(Throw::Pending)?;
            } else if !value.is_undefined() {
                // A transpiled ES module has a default export of its own.
                default = value;
            }
        }
        let key = string(scope, "default");
        module.set_synthetic_module_export(scope, key, default).ok_or(Throw::Pending)?;
        let resolver = v8::PromiseResolver::new(scope).ok_or(Throw::Pending)?;
        let nothing = v8::undefined(scope).into();
        resolver.resolve(scope, nothing).ok_or(Throw::Pending)?;
        Ok(resolver.get_promise(scope).into())
    })
}

/// V8 makes the `import.meta` of a module.
pub(super) unsafe extern "C" fn fill_meta(
    context: v8::Local<'_, v8::Context>,
    module: v8::Local<'_, v8::Module>,
    meta: v8::Local<'_, v8::Object>,
) {
    v8::callback_scope!(unsafe scope, context);
    v8::scope!(let scope, scope);
    guard(scope, |scope| {
        let (entry, _) = current()?.entry_of(module)?;
        let resolve = super::globals::resolve_function(scope, &entry.key);
        let meta = v8::Local::new(scope, meta);
        set(scope, meta, "resolve", resolve.into());
        Ok(())
    });
}
