//! Whole scripts in a folder of their own.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::binding::{set, string};
use crate::testing::with_scope;

/// A script, the files around it, and the realms it runs in.
struct Case {
    folder: tempfile::TempDir,
    sources: Arc<Sources>,
}

/// `k6` with two exports, and a module whose making fails.
#[derive(Default)]
struct Modules {
    warnings: Rc<RefCell<Vec<String>>>,
}

impl Builtins for Modules {
    fn make<'s>(
        &self,
        scope: &mut v8::PinScope<'s, '_>,
        name: &str,
    ) -> Native<Option<v8::Local<'s, v8::Object>>> {
        match name {
            "k6" => {
                let exports = v8::Object::new(scope);
                for (name, value) in [("one", 1), ("two", 2)] {
                    let value = v8::Integer::new(scope, value).into();
                    set(scope, exports, name, value);
                }
                Ok(Some(exports))
            }
            "k6/gone" => Err(Throw::Go("k6/gone is gone".into())),
            _ => Ok(None),
        }
    }

    fn warn(&self, message: &str) {
        self.warnings.borrow_mut().push(message.into());
    }
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Case {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = Sources::new(Main::read(&folder.path().join("main.js")).unwrap());
        Case { folder, sources }
    }

    fn main(text: &str) -> Case {
        Case::new(&[("main.js", text)])
    }

    fn with_realm<R>(
        &self,
        f: impl FnOnce(
            &mut v8::PinScope<'_, '_>,
            &Rc<RealmModules>,
            Result<v8::Global<v8::Object>, JsException>,
        ) -> R,
    ) -> (R, Vec<String>) {
        let warnings: Rc<RefCell<Vec<String>>> = Rc::default();
        let builtins = Box::new(Modules { warnings: Rc::clone(&warnings) });
        let result = with_scope(|scope| {
            let modules = Rc::new(RealmModules::new(Arc::clone(&self.sources), builtins));
            let _entered = enter(Rc::clone(&modules));
            let loaded = load_main(scope, &modules, |scope| {
                scope.perform_microtask_checkpoint();
                Ok(())
            });
            f(scope, &modules, loaded)
        });
        let warnings = warnings.borrow().clone();
        (result, warnings)
    }

    /// The exported `result` of the script.
    fn result(&self) -> String {
        let (result, _) = self.with_realm(|scope, _, loaded| {
            let exports = match loaded {
                Ok(exports) => v8::Local::new(scope, exports),
                Err(exception) => panic!("{exception}"),
            };
            let name = string(scope, "result").into();
            exports.get(scope, name).unwrap().to_rust_string_lossy(scope)
        });
        result
    }

    /// Why the script cannot be loaded; the folder is shown as `DIR`.
    fn failure(&self) -> String {
        let (failure, _) = self.with_realm(|_, _, loaded| match loaded {
            Ok(_) => panic!("the script fails"),
            Err(exception) => exception.stack_text(),
        });
        self.hide(&failure)
    }

    fn hide(&self, text: &str) -> String {
        text.replace(&*self.folder.path().to_string_lossy(), "DIR")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn es_modules_import_each_other() {
    let case = Case::new(&[
        (
            "main.js",
            "import d, { a as x } from './lib/l.js'; import * as l from './lib/l.js'; export const result = d + x + l.b",
        ),
        ("lib/l.js", "export { b } from '../b.js'; export const a = 'a'; export default 'd'"),
        ("b.js", "export const b = 'b'"),
    ]);
    assert_eq!(case.result(), "dab");
}

#[test]
fn modules_in_a_circle_work() {
    let case = Case::new(&[
        ("main.js", "import { v } from './a.js'; export const result = v"),
        ("a.js", "import { b } from './b.js'; export function a() { return 1 }; export const v = b()"),
        ("b.js", "import { a } from './a.js'; export function b() { return a() + 1 }"),
    ]);
    assert_eq!(case.result(), "2");
}

#[test]
fn our_modules_can_be_imported_in_every_way() {
    let case = Case::main(
        "import k6, { one } from 'k6'; import * as all from 'k6'; const r = require('k6');
         export const result = [one, k6.two, all.two, all.default === k6, r === k6, Object.keys(r)].join()",
    );
    assert_eq!(case.result(), "1,2,2,true,true,one,two");
}

#[test]
fn unknown_names_of_our_modules_are_undefined() {
    let case = Case::new(&[
        (
            "main.js",
            "import { nope, one } from 'k6'; import { never } from 'k6'; import { again } from './sub/x.js';
             export const result = [typeof nope, one, typeof never, again].join()",
        ),
        ("sub/x.js", "import { other, two } from 'k6'; export const again = typeof other + two"),
    ]);
    assert_eq!(case.result(), "undefined,1,undefined,undefined2");
}

#[test]
fn unknown_names_of_files_are_errors() {
    let case = Case::new(&[("main.js", "import { nope } from './a.js'"), ("a.js", "export const a = 1")]);
    assert_eq!(
        case.failure(),
        "SyntaxError: The requested module './a.js' does not provide an export named 'nope'\n\tat file://DIR/main.js:1:10\n"
    );
}

#[test]
fn a_module_that_cannot_be_found_is_told_with_its_import() {
    for (text, message, place) in [
        (
            "import 'lodash'",
            "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports.",
            "1:8",
        ),
        ("\n import { x } from 'k6/nope'", "unknown module: k6/nope", "2:20"),
        ("import 'k6/gone'", "k6/gone is gone", "1:8"),
        (
            "import 'http://x/y.js'",
            "only supported schemes for imports are file and https, http://x/y.js has `http`",
            "1:8",
        ),
    ] {
        assert_eq!(
            Case::main(text).failure(),
            format!("{message}\n\tat file://DIR/main.js:{place}\n"),
            "{text}"
        );
    }
    let failure = Case::main("import './nope.js'").failure();
    assert!(
        failure.starts_with("The moduleSpecifier \"./nope.js\" couldn't be found on local disk."),
        "{failure}"
    );
    let nested = Case::new(&[("main.js", "import './a.js'"), ("a.js", "export {};\nimport 'b'")]);
    assert!(nested.failure().ends_with("\n\tat file://DIR/a.js:2:8\n"), "{}", nested.failure());
}

#[test]
fn syntax_errors_show_their_file_and_place() {
    let case = Case::new(&[("main.js", "import './s.js'"), ("s.js", "export let a = 1;\nlet b = ;")]);
    assert_eq!(case.failure(), "SyntaxError: Unexpected token ';'\n\tat file://DIR/s.js:2:9\n");
    assert_eq!(
        Case::main("let b = ;").failure(),
        "SyntaxError: Unexpected token ';'\n\tat file://DIR/main.js:1:9\n"
    );
}

#[test]
fn exceptions_of_module_code_are_those_of_the_script() {
    let case = Case::main("function f() { throw new TypeError('t') }\nexport default 1; f()");
    assert_eq!(
        case.failure(),
        "TypeError: t\n\tat f (file://DIR/main.js:1:22)\n\tat file://DIR/main.js:2:19\n"
    );
    assert_eq!(Case::main("throw new Error('c')").failure(), "Error: c\n\tat file://DIR/main.js:1:7\n");
}

#[test]
fn top_level_await_is_drained() {
    let case = Case::new(&[
        (
            "main.js",
            "import { a } from './a.js'; const b = await Promise.resolve(2); export const result = a + b",
        ),
        ("a.js", "export const a = await Promise.resolve(1)"),
    ]);
    assert_eq!(case.result(), "3");
    let rejected = Case::main("await null; await Promise.reject(new Error('tla'))");
    assert_eq!(rejected.failure(), "Error: tla\n\tat file://DIR/main.js:1:34\n");
    let stuck = Case::main("await new Promise(() => {})");
    assert!(stuck.failure().starts_with("the main module never finishes"), "{}", stuck.failure());
}

#[test]
fn commonjs_runs_as_main_and_as_import() {
    let main = Case::main("exports.result = [typeof require, typeof module, this === exports].join()");
    assert_eq!(main.result(), "function,object,true");
    let replaced = Case::main("module.exports = { result: 'new' }");
    assert_eq!(replaced.result(), "new");

    let imported = Case::new(&[
        (
            "main.js",
            "import c, { y, zz } from './c.js'; import * as all from './c.js'; import f from './f.js'; import e from './e.js';
             export const result = [c.y, y, zz, all.y, f(), e].join()",
        ),
        ("c.js", "exports.y = require('./sub/d.js').d"),
        ("sub/d.js", "exports.d = require('../e.js').default"),
        ("e.js", "exports.default = 5; Object.defineProperty(exports, '__esModule', { value: true })"),
        ("f.js", "module.exports = function () { return 'f' }"),
    ]);
    assert_eq!(imported.result(), "5,5,,5,f,5");
}

#[test]
fn commonjs_modules_run_once_also_in_a_circle() {
    let case = Case::new(&[
        (
            "main.js",
            "globalThis.runs = 0; const a = require('./a.js'); exports.result = [a.seen, require('./a.js') === a, runs].join()",
        ),
        ("a.js", "runs++; exports.first = 1; exports.seen = require('./b.js').seen; exports.last = 1"),
        ("b.js", "exports.seen = Object.keys(require('./a.js'))"),
    ]);
    assert_eq!(case.result(), "first,true,1");
}

#[test]
fn require_takes_es_modules_and_throws_what_they_throw() {
    let case = Case::new(&[
        (
            "main.js",
            "const { a } = require('./a.js'); let text; try { require('./t.js') } catch (e) { text = String(e) }
             exports.result = [a, text].join()",
        ),
        ("a.js", "import { one } from 'k6'; export const a = one"),
        ("t.js", "export {}; throw new RangeError('r')"),
    ]);
    assert_eq!(case.result(), "1,RangeError: r");
}

#[test]
fn require_says_what_is_wrong() {
    for (call, message) in [
        ("require()", "require() can't be used with an empty specifier"),
        (
            "require('lodash')",
            "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports.",
        ),
        ("require('k6/nope')", "unknown module: k6/nope"),
        (
            "import.meta.resolve('k6')",
            "The moduleSpecifier \"k6\" couldn't be recognised as something k6 supports.",
        ),
    ] {
        let case =
            Case::main(&format!("export let result; try {{ {call} }} catch (e) {{ result = String(e) }}"));
        assert_eq!(case.result(), format!("GoError: {message}"), "{call}");
    }
}

#[test]
fn import_meta_resolves_to_urls() {
    let case = Case::new(&[
        (
            "main.js",
            "import { r } from './sub/m.js'; export const result = [r, import.meta.resolve('/x/../y'), Object.keys(import.meta)].join()",
        ),
        ("sub/m.js", "export const r = import.meta.resolve('../a b.js')"),
    ]);
    assert_eq!(case.hide(&case.result()), "file://DIR/a%20b.js,file:///y,resolve");
}

#[test]
fn module_and_exports_are_mistakes_in_es_modules() {
    let case = Case::main(
        "export let result = ''; try { typeof module } catch (e) { result += e } try { exports.a = 1 } catch (e) { result += e }",
    );
    let result = case.result();
    assert!(
        result.starts_with("GoError: you are trying to access identifier \"module\", this likely"),
        "{result}"
    );
    assert!(result.contains("GoError: you are trying to access identifier \"exports\""), "{result}");
}

#[test]
fn open_reads_text_and_bytes() {
    let case = Case::new(&[
        (
            "main.js",
            "const b = new Uint8Array(open('b.bin', 'b'));
             export const result = [open('./f.txt'), b, open(import.meta.resolve('./f.txt'), 'x'), open('b.bin').length].join('|')",
        ),
        ("f.txt", "text é"),
    ]);
    std::fs::write(case.path().join("b.bin"), [255, 0, 1]).unwrap();
    assert_eq!(case.result(), "text é|255,0,1|text é|3");
    for (call, message) in [
        ("open()", "open() can't be used with an empty filename"),
        ("open('nope')", "stat DIR/nope: no such file or directory"),
        ("open('.')", "open() can't be used with directories, path: \"DIR\""),
    ] {
        let case =
            Case::main(&format!("export let result; try {{ {call} }} catch (e) {{ result = String(e) }}"));
        assert_eq!(case.hide(&case.result()), format!("GoError: {message}"), "{call}");
    }
}

#[test]
fn open_is_relative_to_the_module_that_runs() {
    let case = Case::new(&[
        (
            "main.js",
            "import { load, own } from './sub/h.js'; import c from './sub/c.js';
             export const result = [load('f.txt'), own, c.own, c.deep.own, c.load('f.txt')].join()",
        ),
        ("sub/h.js", "export const own = open('./f.txt'); export function load(p) { return open(p) }"),
        (
            "sub/c.js",
            "exports.own = open('f.txt'); exports.deep = require('./deep/c.js'); exports.load = (p) => open(p)",
        ),
        ("sub/deep/c.js", "exports.own = open('f.txt')"),
        ("f.txt", "top"),
        ("sub/f.txt", "sub"),
        ("sub/deep/f.txt", "deep"),
    ]);
    assert_eq!(case.result(), "top,sub,sub,deep,top");
    let (_, warnings) = case.with_realm(|_, _, loaded| loaded.is_ok());
    assert_eq!(warnings.len(), 2);
    assert!(
        case.hide(&warnings[0]).contains("is currently relative to 'file://DIR/', but"),
        "{}",
        warnings[0]
    );
    assert!(case.hide(&warnings[0]).contains("will be relative to 'file://DIR/sub/h.js'"), "{}", warnings[0]);
}

#[test]
fn require_and_open_end_with_the_init_stage() {
    let case = Case::main(
        "export function result(name) { try { globalThis[name]('x') } catch (e) { return String(e) } }",
    );
    case.with_realm(|scope, modules, loaded| {
        assert!(!modules.in_init());
        let exports = v8::Local::new(scope, loaded.unwrap());
        let key = string(scope, "result").into();
        let function: v8::Local<'_, v8::Function> = exports.get(scope, key).unwrap().try_into().unwrap();
        for name in ["require", "open"] {
            let argument = string(scope, name).into();
            let text = function.call(scope, exports.into(), &[argument]).unwrap().to_rust_string_lossy(scope);
            let start = format!("GoError: the \"{name}\" function is only available in the init stage (i.e. the global scope), see https://");
            assert!(text.starts_with(&start), "{text}");
        }
    });
}

#[test]
fn later_realms_use_what_the_first_has_read_and_compiled() {
    let case = Case::new(&[
        ("main.js", "import { a } from './a.js'; export const result = a + open('f.txt')"),
        ("a.js", "export const a = 'a'"),
        ("f.txt", "f"),
    ]);
    assert_eq!(case.result(), "af");
    case.sources.seal();
    assert!(case.sources.main().code.get().is_some_and(|code| !code.is_empty()));
    for name in ["main.js", "a.js", "f.txt"] {
        std::fs::remove_file(case.path().join(name)).unwrap();
    }
    assert_eq!(case.result(), "af");
}

#[test]
fn later_realms_cannot_load_more() {
    let case = Case::new(&[
        (
            "main.js",
            "export let result = ''; if (globalThis.later) for (const f of [() => require('./a.js'), () => open('a.js')]) try { f() } catch (e) { result += e + '\\n' }; globalThis.later = true",
        ),
        ("a.js", ""),
    ]);
    assert_eq!(case.result(), "");
    case.sources.seal();
    let text = with_scope(|scope| {
        crate::testing::run(scope, "globalThis.later = true");
        let modules = Rc::new(RealmModules::new(Arc::clone(&case.sources), Box::new(Modules::default())));
        let loaded = load_main(scope, &modules, |_| Ok(())).unwrap();
        let exports = v8::Local::new(scope, loaded);
        let key = string(scope, "result").into();
        exports.get(scope, key).unwrap().to_rust_string_lossy(scope)
    });
    assert_eq!(
        case.hide(&text),
        "GoError: the module \"./a.js\" was not previously resolved during initialization (__VU==0)\n\
         GoError: open() can't be used with files that weren't previously opened during initialization (__VU==0), path: \"DIR/a.js\"\n"
    );
}
