//! The global functions of the init stage: `require` and `open`.

use std::path::PathBuf;
use std::rc::Rc;

use super::map::RealmModules;
use super::resolve::{Target, clean, path_of, unknown, url_of};
use super::{commonjs, current, es};
use crate::binding::{Native, Throw, function, native, set_function, string};
use crate::convert::{array_buffer, js_string, to_text};

/// Deeper stacks than V8's own limit allows do not exist.
const ALL_FRAMES: usize = 100_000;

/// Makes the functions globals of the realm.
pub(super) fn install(scope: &mut v8::PinScope<'_, '_>) {
    scope.set_host_initialize_import_meta_object_callback(es::fill_meta);
    let global = scope.get_current_context().global(scope);
    set_function(scope, global, "require", native!(require), None);
    set_function(scope, global, "open", native!(open), None);
    // CommonJS files have their own. In ES modules these are not undefined but mistakes.
    for name in ["module", "exports"] {
        let key = string(scope, name);
        let mixed = function(scope, name, native!(mixed_up), Some(key.into())).into();
        let mut property = v8::PropertyDescriptor::new_from_get_set(mixed, mixed);
        property.set_configurable(true);
        property.set_enumerable(false);
        global.define_property(scope, key.into(), &property);
    }
}

/// `import.meta.resolve` of the module `key`.
pub(super) fn resolve_function<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    key: &str,
) -> v8::Local<'s, v8::Function> {
    let key = string(scope, key).into();
    function(scope, "resolve", native!(resolve), Some(key))
}

impl RealmModules {
    /// Runs module code: what it opens is relative to it.
    pub(super) fn run<'s, 'i, T>(
        &self,
        scope: &mut v8::PinScope<'s, 'i>,
        f: impl FnOnce(&mut v8::PinScope<'s, 'i>) -> T,
    ) -> T {
        let below =
            v8::StackTrace::current_stack_trace(scope, ALL_FRAMES).map_or(0, |stack| stack.get_frame_count());
        self.running.borrow_mut().push(below);
        let result = f(scope);
        self.running.borrow_mut().pop();
        result
    }

    /// The folder that `open()` starts from: that of the module whose code runs, which need not be the one
    /// that calls; later, that of the main module.
    fn open_dir(&self, scope: &mut v8::PinScope<'_, '_>) -> PathBuf {
        let running = self.running.borrow().last().copied();
        running
            .and_then(|below| {
                let stack = v8::StackTrace::current_stack_trace(scope, ALL_FRAMES)?;
                let frame = stack.get_frame(scope, stack.get_frame_count().checked_sub(below + 1)?)?;
                let url = frame.get_script_name(scope)?.to_rust_string_lossy(scope);
                Some(path_of(&url)?.parent()?.to_owned())
            })
            .unwrap_or_else(|| self.sources.main().dir.clone())
    }
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

fn require<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let modules = init_stage("require")?;
    let specifier = specifier(scope, arguments.get(0))?;
    let dir = caller_path(scope)
        .and_then(|path| Some(path.parent()?.to_owned()))
        .unwrap_or_else(|| modules.sources.main().dir.clone());
    let target = Target::of(&specifier, &dir).map_err(Throw::Go)?;
    if let Target::Builtin(name) = &target {
        return Ok(modules.builtin(scope, name)?.into());
    }
    if let Target::File(path) = &target {
        let source = modules.sources.module(path, &specifier).map_err(Throw::Go)?;
        if commonjs::kind(scope, &source).map_err(|failure| failure.throw)? == super::load::Kind::CommonJs {
            return commonjs::run(scope, &modules, &source);
        }
    }
    es::require(scope, &modules, &target, &specifier).map_err(|failure| failure.throw)
}

fn open<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<v8::Local<'s, v8::Value>> {
    let modules = init_stage("open")?;
    let name = arguments.get(0);
    let name = if name.is_null_or_undefined() { String::new() } else { to_text(scope, name)? };
    if name.is_empty() {
        return Err(Throw::Go("open() can't be used with an empty filename".into()));
    }
    let mode = arguments.get(1);
    let is_binary = mode.is_string() && to_text(scope, mode)? == "b";
    let path = match path_of(&name) {
        Some(path) => clean(&path),
        None => {
            let dir = open_dir_with_warning(scope, &modules, &name);
            clean(&dir.join(&name))
        }
    };
    let contents = modules.sources.file(&path).map_err(Throw::Go)?;
    if is_binary {
        return Ok(array_buffer(scope, &contents).into());
    }
    if contents.len() > v8::String::MAX_LENGTH {
        return Err(Throw::Go(format!("open {}: the file is too large for a string", path.display())));
    }
    Ok(js_string(scope, &contents).into())
}

fn open_dir_with_warning(
    scope: &mut v8::PinScope<'_, '_>,
    modules: &Rc<RealmModules>,
    name: &str,
) -> PathBuf {
    let dir = modules.open_dir(scope);
    if let Some(caller) = caller_path(scope)
        && caller.parent() != Some(&dir)
        && !PathBuf::from(name).is_absolute()
    {
        modules.builtins.warn(&format!(
            "open() was used and is currently relative to '{}/', but in the future it will be aligned with how \
             `require` and imports work and will be relative to '{}'. This means that in the future open will \
             open relative path relative to the module/file it is written in. You can future proof this by using \
             `import.meta.resolve()` to get relative paths to the file it is written in the current k6 version.",
            url_of(&dir),
            url_of(&caller),
        ));
    }
    dir
}

fn resolve<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::String>> {
    let specifier = specifier(scope, arguments.get(0))?;
    let importer = path_of(&arguments.data().to_rust_string_lossy(scope));
    let dir = importer.as_deref().and_then(|path| path.parent()).unwrap_or(std::path::Path::new("/"));
    match Target::of(&specifier, dir).map_err(Throw::Go)? {
        Target::File(path) => Ok(string(scope, &url_of(&path))),
        Target::Library(_) => Ok(string(scope, &specifier)),
        Target::Builtin(name) => Err(Throw::Go(unknown(&name))),
    }
}

fn mixed_up(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let name = arguments.data().to_rust_string_lossy(scope);
    Err(Throw::Go(format!(
        "you are trying to access identifier \"{name}\", this likely is due to mixing ECMAScript Modules (ESM) and \
         CommonJS syntax. This isn't supported in the JavaScript standard, please use only one or the other"
    )))
}

fn init_stage(function: &str) -> Native<Rc<RealmModules>> {
    let modules = current()?;
    if modules.in_init() {
        return Ok(modules);
    }
    Err(Throw::Go(format!(
        "the \"{function}\" function is only available in the init stage (i.e. the global scope), see \
         https://grafana.com/docs/k6/latest/using-k6/test-lifecycle/ for more information"
    )))
}

fn specifier(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    let specifier = if value.is_null_or_undefined() { String::new() } else { to_text(scope, value)? };
    if specifier.is_empty() {
        return Err(Throw::Go("require() can't be used with an empty specifier".into()));
    }
    Ok(specifier)
}

/// The file of the innermost script function.
fn caller_path(scope: &mut v8::PinScope<'_, '_>) -> Option<PathBuf> {
    let url = v8::StackTrace::current_script_name_or_source_url(scope)?;
    path_of(&url.to_rust_string_lossy(scope))
}
