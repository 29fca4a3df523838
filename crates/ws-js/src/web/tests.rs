//! What scripts see of the globals themselves; what the classes do is in `tests/web`.

use super::*;
use crate::testing::{eval, run, with_scope};

#[test]
fn globals_are_there_when_they_are_looked_at() {
    with_scope(|scope| {
        for (source, seen) in [
            ("typeof EventTarget", "function"),
            ("Object.keys(globalThis).length", "0"),
            ("Object.getOwnPropertyNames(globalThis).includes('AbortSignal')", "true"),
            (
                "JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, 'AbortSignal'))",
                r#"{"writable":true,"enumerable":false,"configurable":true}"#,
            ),
            (
                "JSON.stringify(Object.getOwnPropertyDescriptor(globalThis, 'AbortSignal'))",
                r#"{"writable":true,"enumerable":false,"configurable":true}"#,
            ),
            ("AbortSignal === AbortSignal && AbortSignal === globalThis.AbortSignal", "true"),
            ("new AbortController().signal instanceof EventTarget", "true"),
            (
                "[EventTarget, Event, Blob, DOMException].map((c) => c.name).join()",
                "EventTarget,Event,Blob,DOMException",
            ),
        ] {
            assert_eq!(eval(scope, source), seen, "{source}");
        }
    });
}

#[test]
fn scripts_may_put_something_else_in_their_place() {
    with_scope(|scope| {
        for (source, seen) in [
            ("globalThis.Blob = 5; Blob", "5"),
            ("Event = 6; Event", "6"),
            ("delete globalThis.CustomEvent; typeof CustomEvent", "undefined"),
            ("typeof URL + delete globalThis.URL + typeof URL", "functiontrueundefined"),
            ("'URL' in globalThis || 'CustomEvent' in globalThis", "false"),
            ("Object.defineProperty(globalThis, 'DOMException', { value: 7 }); DOMException", "7"),
            ("(() => { const EventTarget = 8; return EventTarget })()", "8"),
            ("let AbortController = 9; AbortController", "9"),
            ("'use strict'; performance = 10; performance", "10"),
            ("function btoa() { return 11 }; btoa()", "11"),
            ("typeof EventTarget + typeof nothing", "functionundefined"),
            ("try { nothing } catch (e) { e.message }", "nothing is not defined"),
        ] {
            assert_eq!(eval(scope, source), seen, "{source}");
        }
        let ours = get(scope, "Event").unwrap();
        assert!(ours.is_function());
    });
}

#[test]
fn our_own_code_is_in_no_stack() {
    with_scope(|scope| {
        let stack = eval(
            scope,
            "const target = new EventTarget();
             let stack;
             function listen() { stack = new Error('in').stack }
             target.addEventListener('x', listen);
             target.dispatchEvent(new Event('x'));
             stack",
        );
        assert_eq!(stack, "Error: in\n    at EventTarget.listen (<anonymous>:3:42)\n    at <anonymous>:5:21");
        let stack = eval(scope, "try { new Event() } catch (e) { stack = e.stack } stack");
        assert!(stack.ends_with("but only 0 present.\n    at <anonymous>:1:7"), "{stack}");
        let own = "Error.prepareStackTrace = (e, sites) => e.message + sites.length; new Error('own').stack";
        assert_eq!(eval(scope, own), "own1");
    });
}

#[test]
fn uncaught_errors_are_where_the_script_is() {
    with_scope(|scope| {
        run(scope, "function f() { new AbortController().signal.addEventListener() }");
        v8::tc_scope!(let tc, scope);
        let source = v8::String::new(tc, "f()").unwrap();
        assert!(v8::Script::compile(tc, source, None).and_then(|script| script.run(tc)).is_none());
        let text = crate::exception::JsException::from_try_catch(tc).stack_text();
        assert!(text.ends_with("\n\tat f (<eval>:1:45)\n\tat <eval>:1:1\n"), "{text}");
    });
}

#[test]
fn realms_of_an_isolate_have_their_own() {
    with_scope(|scope| {
        let first = get(scope, "EventTarget").unwrap();
        let options =
            v8::ContextOptions { global_template: Some(global_template(scope)), ..Default::default() };
        let context = v8::Context::new(scope, options);
        let scope = &mut v8::ContextScope::new(scope, context);
        let second = get(scope, "EventTarget").unwrap();
        assert!(first != second);
        assert_eq!(eval(scope, "new EventTarget() instanceof EventTarget"), "true");
    });
}

#[test]
fn a_realm_that_does_not_use_them_is_hardly_larger() {
    const REALMS: usize = 64;
    let used = |with: bool| {
        with_scope(|scope| {
            let used = |scope: &mut v8::PinScope<'_, '_>| {
                scope.low_memory_notification();
                scope.get_heap_statistics().used_heap_size()
            };
            let before = used(scope);
            let template = with.then(|| global_template(scope));
            let options = || v8::ContextOptions { global_template: template, ..Default::default() };
            let contexts: Vec<_> = (0..REALMS)
                .map(|_| {
                    v8::scope!(let scope, scope);
                    let context = v8::Context::new(scope, options());
                    v8::Global::new(scope, context)
                })
                .collect();
            let used = used(scope) - before;
            drop(contexts);
            used / REALMS
        })
    };
    let (with, without) = (used(true), used(false));
    assert!(with < without + 1500, "{with} bytes instead of {without}");
    assert!(with > without / 2, "{with} bytes is no realm");
}
