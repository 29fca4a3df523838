//! CommonJS: files without `import` and `export`, run as the body of a function.

use std::rc::Rc;

use super::load::{Kind, Source};
use super::map::RealmModules;
use super::{Failure, es};
use crate::binding::{Native, Throw, set, string};

/// Which module system a file is written for: CommonJS if it can be the body of a function, which `import`,
/// `export` and `await` at its top level cannot.
pub(super) fn kind(scope: &mut v8::PinScope<'_, '_>, source: &Source) -> Result<Kind, Failure> {
    if let Some(kind) = source.kind.get() {
        return Ok(*kind);
    }
    let is_body = {
        v8::tc_scope!(let tc, scope);
        compile(tc, source).is_ok()
    };
    // What is neither is reported as the ES module that it was most likely meant to be.
    Ok(*source.kind.get_or_init(|| if is_body { Kind::CommonJs } else { Kind::Es }))
}

/// Runs a file, unless it has run or is running in this realm, and gives its `module.exports`.
pub(super) fn run<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    modules: &Rc<RealmModules>,
    source: &Source,
) -> Native<v8::Local<'s, v8::Value>> {
    let known = modules.commonjs.borrow().get(&source.url).map(|module| v8::Local::new(scope, module));
    if let Some(module) = known {
        return exports_of(scope, module);
    }
    let function = compile(scope, source)?;
    let module = v8::Object::new(scope);
    let exports = v8::Object::new(scope);
    set(scope, module, "exports", exports.into());
    modules.commonjs.borrow_mut().insert(source.url.clone(), v8::Global::new(scope, module));
    let arguments = [exports.into(), module.into()];
    let result = modules.run(scope, |scope| function.call(scope, exports.into(), &arguments));
    if result.is_none() {
        // The next one to ask for it shall see the exception too.
        modules.commonjs.borrow_mut().remove(&source.url);
        return Err(Throw::Pending);
    }
    exports_of(scope, module)
}

/// The names that the text of a CommonJS file seems to export: what is assigned to `exports.name` or defined
/// with `Object.defineProperty(exports, "name", ...)`. Only needed for `import * as`: names that an importer
/// spells out are exported anyway.
pub(super) fn export_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in text.match_indices("exports") {
        let rest = &text[at + "exports".len()..];
        let name = match rest.as_bytes().first() {
            Some(b'.') => {
                let (name, rest) = identifier(&rest[1..]);
                let rest = rest.trim_start();
                (rest.starts_with('=') && !rest.starts_with("==")).then_some(name)
            }
            Some(b',') => {
                let rest = rest[1..].trim_start();
                let is_definition = text[..at].trim_end().ends_with("Object.defineProperty(");
                rest.strip_prefix(['"', '\'']).filter(|_| is_definition).map(|rest| identifier(rest).0)
            }
            _ => None,
        };
        if let Some(name) = name.filter(|name| !name.is_empty() && *name != "__esModule")
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

fn compile<'s>(scope: &mut v8::PinScope<'s, '_>, source: &Source) -> Native<v8::Local<'s, v8::Function>> {
    let text = string(scope, &source.text);
    let origin = es::origin(scope, &source.url, false);
    let mut input = v8::script_compiler::Source::new(text, Some(&origin));
    // V8 keeps the file's own line numbers. `require` is a global.
    let parameters = [string(scope, "exports"), string(scope, "module")];
    let options = v8::script_compiler::CompileOptions::NoCompileOptions;
    let reason = v8::script_compiler::NoCacheReason::NoReason;
    v8::script_compiler::compile_function(scope, &mut input, &parameters, &[], options, reason)
        .ok_or(Throw::Pending)
}

fn exports_of<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    module: v8::Local<'_, v8::Object>,
) -> Native<v8::Local<'s, v8::Value>> {
    let name = string(scope, "exports").into();
    module.get(scope, name).ok_or(Throw::Pending)
}

fn identifier(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn export_names_are_guessed_from_the_text() {
        for (text, names) in [
            ("exports.a = 1; module.exports.b=2;exports.a = 3", &["a", "b"][..]),
            ("exports.a == 1; exports.b === 2; exports.c", &[]),
            (
                "Object.defineProperty(exports, \"__esModule\", { value: true }); exports.default = x",
                &["default"],
            ),
            ("Object.defineProperty(exports, 'got', { get }); define(exports, 'not')", &["got"]),
            ("module.exports = { a: 1 }; exports[\"x\"] = 2", &[]),
        ] {
            assert_eq!(export_names(text), names, "{text}");
        }
    }
}
