//! `check`, `group`, `fail` and `randomSeed` of the module `k6`.

use super::tags::read_tags;
use crate::binding::{Native, Throw, native, set_function, string};
use crate::convert::{to_number, to_text};

/// What these functions need of the VU that calls them. The implementation finds the VU by itself: natives
/// are called on its thread, inside its group.
pub(crate) trait Host {
    /// What [`Host::enter_group`] gives back and [`Host::leave_group`] wants.
    type Outer;

    /// Whether the init stage runs.
    fn in_init() -> bool;

    /// Takes a sample of `checks`: the check `name` with tags of its own.
    fn record_check(name: &str, tags: &[(String, String)], passed: bool);

    /// Makes `name` the innermost group.
    fn enter_group(name: &str) -> Self::Outer;

    /// Makes the group around it the innermost one again and takes a sample of `group_duration`. Also called
    /// when the function threw or the script is being ended.
    fn leave_group(outer: Self::Outer);
}

/// Adds the functions to the exports of `k6`.
pub(crate) fn add<'s, H: Host>(scope: &mut v8::PinScope<'s, '_>, exports: v8::Local<'s, v8::Object>) {
    set_function(scope, exports, "check", check::<H>, None);
    set_function(scope, exports, "fail", native!(fail), None);
    set_function(scope, exports, "group", group::<H>, None);
    set_function(scope, exports, "randomSeed", native!(random_seed), None);
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type ReturnValue<'s> = v8::ReturnValue<'s, v8::Value>;

const SEPARATOR_IN_NAME: &str = "group and check names may not contain '::'";

fn check<'s, H: Host>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: Arguments<'s>,
    mut answer: ReturnValue<'s>,
) {
    let passed = crate::binding::guard(scope, |scope| run_checks::<H>(scope, &arguments));
    if let Some(passed) = passed {
        answer.set_bool(passed);
    }
}

fn run_checks<'s, H: Host>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<bool> {
    if H::in_init() {
        return Err(Throw::Go("Using check() in the init context is not supported".into()));
    }
    if arguments.length() < 2 {
        return Err(Throw::Go("no checks provided to `check`".into()));
    }
    let (value, sets, tags) = (arguments.get(0), arguments.get(1), arguments.get(2));
    if sets.is_null_or_undefined() {
        return Err(Throw::Type("Cannot convert undefined or null to object".into()));
    }
    let tags = if tags.is_null_or_undefined() { Vec::new() } else { read_tags(scope, tags)? };
    // A string is its characters by index.
    let sets = sets.to_object(scope).ok_or(Throw::Pending)?;
    let names = crate::convert::own_names(scope, sets)?;
    let mut all_passed = true;
    for index in 0..names.length() {
        let name = names.get_index(scope, index).ok_or(Throw::Pending)?;
        let check = sets.get(scope, name).ok_or(Throw::Pending)?;
        let name = name.to_rust_string_lossy(scope);
        if name.contains("::") {
            return Err(Throw::Go(SEPARATOR_IN_NAME.into()));
        }
        if check.is_async_function() {
            return Err(Throw::Go(
                "the built-in check() does not support async functions as arguments. Use the JavaScript utils library \
                 as a replacement. Refer to https://grafana.com/docs/k6/latest/javascript-api/jslib/utils/check/ for \
                 more info"
                    .into(),
            ));
        }
        let outcome = match v8::Local::<v8::Function>::try_from(check) {
            Ok(function) => {
                let this = v8::undefined(scope).into();
                function.call(scope, this, &[value])
            }
            Err(_) => Some(check),
        };
        if outcome.is_none() && scope.is_execution_terminating() {
            return Err(Throw::Pending);
        }
        // A check that throws has failed, and the exception goes on.
        let passed = outcome.is_some_and(|outcome| outcome.boolean_value(scope));
        H::record_check(&name, &tags, passed);
        outcome.ok_or(Throw::Pending)?;
        all_passed &= passed;
    }
    Ok(all_passed)
}

fn group<'s, H: Host>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: Arguments<'s>,
    mut answer: ReturnValue<'s>,
) {
    let result = crate::binding::guard(scope, |scope| run_group::<H>(scope, &arguments));
    if let Some(result) = result {
        answer.set(result);
    }
}

fn run_group<'s, H: Host>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    if H::in_init() {
        return Err(Throw::Go("Using group() in the init context is not supported".into()));
    }
    let callback = arguments.get(1);
    let Ok(function) = v8::Local::<v8::Function>::try_from(callback) else {
        return Err(Throw::Go("group() requires a callback as a second argument".into()));
    };
    if callback.is_async_function() {
        return Err(Throw::Go(
            "group() does not support async functions as arguments, please see \
             https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info"
                .into(),
        ));
    }
    let name = text_or_empty(scope, arguments.get(0))?;
    if name.contains("::") {
        return Err(Throw::Go(SEPARATOR_IN_NAME.into()));
    }
    let outer = H::enter_group(&name);
    let this = v8::undefined(scope).into();
    let result = function.call(scope, this, &[]);
    H::leave_group(outer);
    result.ok_or(Throw::Pending)
}

fn fail(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    Err(Throw::Go(text_or_empty(scope, arguments.get(0))?))
}

fn text_or_empty(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Native<String> {
    if value.is_null_or_undefined() { Ok(String::new()) } else { to_text(scope, value) }
}

/// A `Math.random` with a state of its own (xoshiro128++, by Blackman and Vigna). In JavaScript, because a
/// call into native code costs more than the numbers.
const GENERATOR: &str = "(function (a, b, c, d) {
  'use strict';
  function next() {
    const sum = (a + d) | 0;
    const result = (((sum << 7) | (sum >>> 25)) + a) | 0;
    const t = b << 9;
    c ^= a; d ^= b; b ^= c; a ^= d; c ^= t;
    d = (d << 11) | (d >>> 21);
    return result >>> 0;
  }
  return function random() {
    return ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  };
})";

fn random_seed(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    // As an integer: fractions are cut off, and what is no number is 0.
    let mut state = to_number(scope, arguments.get(0))? as i64 as u64;
    // The state must not be all zeros; SplitMix64 spreads any seed over it.
    let mut words: Vec<v8::Local<'_, v8::Value>> = Vec::new();
    for _ in 0..2 {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        for word in [mixed as i32, (mixed >> 32) as i32] {
            words.push(v8::Integer::new(scope, word).into());
        }
    }
    let source = string(scope, GENERATOR);
    let make = v8::Script::compile(scope, source, None)
        .and_then(|script| script.run(scope))
        .ok_or(Throw::Pending)?;
    let make = v8::Local::<v8::Function>::try_from(make).map_err(|_| Throw::Plain("no generator".into()))?;
    let this = v8::undefined(scope).into();
    let random = make.call(scope, this, &words).ok_or(Throw::Pending)?;
    let global = scope.get_current_context().global(scope);
    let math = string(scope, "Math").into();
    let math = global.get(scope, math).and_then(|math| math.to_object(scope)).ok_or(Throw::Pending)?;
    let name = string(scope, "random").into();
    math.set(scope, name, random).ok_or(Throw::Pending)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::testing::{eval, eval_error, with_scope};

    thread_local! {
        static IN_INIT: Cell<bool> = const { Cell::new(false) };
        static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    struct Recorder;

    impl Host for Recorder {
        type Outer = String;

        fn in_init() -> bool {
            IN_INIT.get()
        }

        fn record_check(name: &str, tags: &[(String, String)], passed: bool) {
            let tags: String = tags.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            SEEN.with_borrow_mut(|seen| seen.push(format!("{name} {passed}{tags}")));
        }

        fn enter_group(name: &str) -> String {
            SEEN.with_borrow_mut(|seen| seen.push(format!("> {name}")));
            name.into()
        }

        fn leave_group(outer: String) {
            SEEN.with_borrow_mut(|seen| seen.push(format!("< {outer}")));
        }
    }

    fn with_k6(f: impl FnOnce(&mut v8::PinScope<'_, '_>)) {
        IN_INIT.set(false);
        with_scope(|scope| {
            let global = scope.get_current_context().global(scope);
            add::<Recorder>(scope, global);
            f(scope);
        });
    }

    fn seen() -> Vec<String> {
        SEEN.take()
    }

    #[test]
    fn every_check_is_recorded() {
        with_k6(|scope| {
            let all = eval(
                scope,
                "check(7, { q(v) { 'use strict'; return v === 7 && this === undefined && arguments.length === 1 },
                            yes: 'text', promise: Promise.resolve(0), no: 0 }, { a: 1, b: true, c: 'x' })",
            );
            assert_eq!(all, "false");
            assert_eq!(
                seen(),
                [
                    "q true a=1 b=true c=x",
                    "yes true a=1 b=true c=x",
                    "promise true a=1 b=true c=x",
                    "no false a=1 b=true c=x"
                ]
            );
            assert_eq!(
                eval(scope, "[check(1, {}), check(1, 5), check(1, 'ab', null), check(1, [1, 0])].join()"),
                "true,true,true,false"
            );
            assert_eq!(seen(), ["0 true", "1 true", "0 true", "1 false"]);
        });
    }

    #[test]
    fn a_check_that_throws_fails_and_ends_the_others() {
        with_k6(|scope| {
            assert_eq!(
                eval_error(scope, "check(1, { a: true, b() { throw new Error('x') }, c: true })"),
                "Error: x"
            );
            assert_eq!(seen(), ["a true", "b false"]);
        });
    }

    #[test]
    fn check_says_what_is_wrong() {
        with_k6(|scope| {
            for (call, error) in [
                ("check()", "GoError: no checks provided to `check`"),
                ("check(1)", "GoError: no checks provided to `check`"),
                ("check(1, null)", "TypeError: Cannot convert undefined or null to object"),
                ("check(1, { 'a::b': 1 })", "GoError: group and check names may not contain '::'"),
                (
                    "check(1, { a: 1 }, { t: {} })",
                    "GoError: invalid value for metric tag 't': only String, Boolean and Number types are accepted as a metric tag values",
                ),
            ] {
                assert_eq!(eval_error(scope, call), error, "{call}");
            }
            let text = eval_error(scope, "check(1, { async a() {} })");
            assert!(
                text.starts_with(
                    "GoError: the built-in check() does not support async functions as arguments. Use"
                ),
                "{text}"
            );
            assert_eq!(seen(), [""; 0]);
            IN_INIT.set(true);
            assert_eq!(
                eval_error(scope, "check()"),
                "GoError: Using check() in the init context is not supported"
            );
        });
    }

    #[test]
    fn a_group_runs_its_function_and_is_left_in_any_case() {
        with_k6(|scope| {
            assert_eq!(
                eval(
                    scope,
                    "group('a', function () { 'use strict'; return group('', () => arguments.length) + typeof this })"
                ),
                "0undefined"
            );
            assert_eq!(seen(), ["> a", "> ", "< ", "< a"]);
            assert_eq!(eval_error(scope, "group(null, () => { throw new Error('x') })"), "Error: x");
            assert_eq!(seen(), ["> ", "< "]);
        });
    }

    #[test]
    fn group_says_what_is_wrong() {
        with_k6(|scope| {
            for (call, error) in [
                ("group()", "GoError: group() requires a callback as a second argument"),
                ("group('a', {})", "GoError: group() requires a callback as a second argument"),
                ("group('a::b', () => 1)", "GoError: group and check names may not contain '::'"),
                (
                    "group('a', async () => 1)",
                    "GoError: group() does not support async functions as arguments, please see https://grafana.com/docs/k6/latest/javascript-api/k6/group/ for more info",
                ),
            ] {
                assert_eq!(eval_error(scope, call), error, "{call}");
            }
            assert_eq!(seen(), [""; 0]);
            IN_INIT.set(true);
            assert_eq!(
                eval_error(scope, "group()"),
                "GoError: Using group() in the init context is not supported"
            );
        });
    }

    #[test]
    fn fail_throws_its_message() {
        with_k6(|scope| {
            for (call, error) in [
                ("fail('x')", "GoError: x"),
                ("fail(5)", "GoError: 5"),
                ("fail({})", "GoError: [object Object]"),
                ("fail()", "GoError"),
                ("fail(null)", "GoError"),
            ] {
                assert_eq!(eval_error(scope, call), error, "{call}");
            }
        });
    }

    #[test]
    fn a_seed_makes_the_sequence() {
        let sequence = |seed: &str| {
            let mut text = String::new();
            with_k6(|scope| {
                text = eval(scope, &format!("randomSeed({seed}); [Math.random(), Math.random()].join()"))
            });
            text
        };
        assert_eq!(sequence("42"), sequence("42.9"));
        assert_ne!(sequence("42"), sequence("43"));
        assert_ne!(sequence("42"), sequence("-42"));
        assert_eq!(sequence("0"), sequence("'x'"));
        with_k6(|scope| {
            let even = "let sum = 0; const counts = new Array(10).fill(0); randomSeed(1);
                for (let i = 0; i < 1e5; i++) { const r = Math.random(); if (!(r >= 0 && r < 1)) throw r; sum += r; counts[Math.floor(r * 10)]++ }
                Math.abs(sum / 1e5 - 0.5) < 0.005 && counts.every((n) => Math.abs(n - 1e4) < 500)";
            assert_eq!(eval(scope, even), "true");
            assert_eq!(
                eval_error(scope, "randomSeed(Symbol())"),
                "TypeError: Cannot convert a Symbol value to a number"
            );
        });
    }
}
