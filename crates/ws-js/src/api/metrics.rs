//! The module `k6/metrics`: `Counter`, `Gauge`, `Rate` and `Trend`.

use ws_metrics::MetricKind;

use super::tags::read_tags;
use crate::binding::{Native, Throw, function, guard, set, string};
use crate::convert::{to_number, to_text};

/// What metrics need of the VU whose script declares them or adds to them. The implementation finds the VU
/// by itself: natives are called on its thread, inside its group.
pub(crate) trait Host {
    /// Whether the init stage runs.
    fn in_init() -> bool;

    /// Finds or registers a metric and gives it a number, or says why it cannot be.
    fn declare(kind: MetricKind, name: &str, is_time: bool) -> Result<u32, String>;

    /// The name of the metric with this number.
    fn name(metric: u32) -> String;

    /// Takes a sample, with tags on top of those of the VU.
    fn add(metric: u32, value: f64, tags: &[(String, String)]);

    /// A value was refused: tells the user, or gives the error to throw if failures shall throw.
    fn refuse(message: String) -> Native;
}

/// Makes the exports of the module.
pub(crate) fn exports<'s, H: Host>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    for (name, kind) in [
        ("Counter", MetricKind::Counter),
        ("Gauge", MetricKind::Gauge),
        ("Rate", MetricKind::Rate),
        ("Trend", MetricKind::Trend),
    ] {
        let data = v8::Integer::new(scope, kind as i32).into();
        let class = v8::Function::builder(construct::<H>).data(data).build(scope);
        let class = class.expect("a function is only refused while the isolate terminates");
        let label = string(scope, name);
        class.set_name(label);
        set(scope, exports, name, class.into());
    }
    exports
}

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type ReturnValue<'s> = v8::ReturnValue<'s, v8::Value>;

fn construct<'s, H: Host>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: Arguments<'s>,
    mut answer: ReturnValue<'s>,
) {
    // An object of its own instead of `this`: works without `new`, as in k6.
    if let Some(metric) = guard(scope, |scope| declare::<H>(scope, &arguments)) {
        answer.set(metric.into());
    }
}

fn declare<'s, H: Host>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    if !H::in_init() {
        return Err(Throw::Go("metrics must be declared in the init context".into()));
    }
    let kind = match arguments.data().int32_value(scope) {
        Some(kind) if kind == MetricKind::Counter as i32 => MetricKind::Counter,
        Some(kind) if kind == MetricKind::Gauge as i32 => MetricKind::Gauge,
        Some(kind) if kind == MetricKind::Rate as i32 => MetricKind::Rate,
        _ => MetricKind::Trend,
    };
    let name = arguments.get(0);
    let name = if name.is_null_or_undefined() { String::new() } else { to_text(scope, name)? };
    let number = H::declare(kind, &name, arguments.get(1).is_true()).map_err(Throw::Go)?;

    let metric = v8::Object::new(scope);
    let (key, value) = (string(scope, "name").into(), string(scope, &name).into());
    let fixed = v8::PropertyAttribute::READ_ONLY | v8::PropertyAttribute::DONT_DELETE;
    metric.define_own_property(scope, key, value, fixed).ok_or(Throw::Pending)?;
    let number = v8::Integer::new_from_unsigned(scope, number).into();
    let add = function(scope, "add", add::<H>, Some(number));
    set(scope, metric, "add", add.into());
    Ok(metric)
}

fn add<'s, H: Host>(scope: &mut v8::PinScope<'s, '_>, arguments: Arguments<'s>, mut answer: ReturnValue<'s>) {
    if let Some(recorded) = guard(scope, |scope| record::<H>(scope, &arguments)) {
        answer.set_bool(recorded);
    }
}

fn record<'s, H: Host>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<bool> {
    if H::in_init() {
        return Err(Throw::Go("Adding to metrics in the init context is not supported".into()));
    }
    let metric = arguments.data().uint32_value(scope).ok_or(Throw::Pending)?;
    let (value, tags) = (arguments.get(0), arguments.get(1));
    let number = match v8::Local::<v8::Number>::try_from(value) {
        Ok(number) => number.value(),
        Err(_) => to_number(scope, value)?,
    };
    if number.is_nan() || value.is_null() {
        let name = H::name(metric);
        let what = if arguments.length() == 0 {
            format!("no value was provided for metric '{name}'")
        } else {
            format!("'{}' is an invalid value for metric '{name}'", to_text(scope, value)?)
        };
        H::refuse(format!("{what}, a number or a boolean value is expected"))?;
        return Ok(false);
    }
    // `true`, and other truthy values that are no numbers.
    let number = if number == 0.0 && value.boolean_value(scope) { 1.0 } else { number };
    let tags = if tags.is_null_or_undefined() {
        Vec::new()
    } else {
        read_tags(scope, tags).map_err(|throw| match throw {
            Throw::Go(why) => {
                Throw::Go(format!("cannot add tags for the '{}' custom metric: {why}", H::name(metric)))
            }
            other => other,
        })?
    };
    H::add(metric, number, &tags);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;
    use crate::testing::{eval, eval_error, with_scope};

    thread_local! {
        static IN_INIT: Cell<bool> = const { Cell::new(true) };
        static THROWS: Cell<bool> = const { Cell::new(false) };
        static DECLARED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
        static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    struct Recorder;

    impl Host for Recorder {
        fn in_init() -> bool {
            IN_INIT.get()
        }

        fn declare(kind: MetricKind, name: &str, is_time: bool) -> Result<u32, String> {
            if name.is_empty() {
                return Err("no name".into());
            }
            DECLARED.with_borrow_mut(|declared| {
                declared.push(format!("{kind} {name} {is_time}"));
                Ok(declared.len() as u32 - 1)
            })
        }

        fn name(metric: u32) -> String {
            DECLARED.with_borrow(|declared| declared[metric as usize].split(' ').nth(1).unwrap().into())
        }

        fn add(metric: u32, value: f64, tags: &[(String, String)]) {
            let tags: String = tags.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            SEEN.with_borrow_mut(|seen| seen.push(format!("{metric}: {value}{tags}")));
        }

        fn refuse(message: String) -> Native {
            if THROWS.get() {
                return Err(Throw::Go(message));
            }
            SEEN.with_borrow_mut(|seen| seen.push(message));
            Ok(())
        }
    }

    /// The classes are globals, `c` is a counter, and the init stage is over.
    fn with_metrics(f: impl FnOnce(&mut v8::PinScope<'_, '_>)) {
        IN_INIT.set(true);
        THROWS.set(false);
        DECLARED.take();
        SEEN.take();
        with_scope(|scope| {
            let exports = exports::<Recorder>(scope);
            let global = scope.get_current_context().global(scope);
            set(scope, global, "metrics", exports.into());
            eval(scope, "Object.assign(globalThis, metrics); globalThis.c = new Counter('c1'); 0");
            IN_INIT.set(false);
            f(scope);
        });
    }

    #[test]
    fn metrics_are_declared_by_kind_name_and_contents() {
        with_metrics(|scope| {
            IN_INIT.set(true);
            eval(
                scope,
                "new Gauge('g1', true); new Rate('r1', undefined); new Trend('t1', 'true'); Counter('c2'); 0",
            );
            let declared =
                ["counter c1 false", "gauge g1 true", "rate r1 false", "trend t1 false", "counter c2 false"];
            assert_eq!(DECLARED.take(), declared);
            assert_eq!(eval_error(scope, "new Counter()"), "GoError: no name");
            IN_INIT.set(false);
            assert_eq!(
                eval_error(scope, "new Counter('late')"),
                "GoError: metrics must be declared in the init context"
            );
        });
    }

    #[test]
    fn a_metric_has_a_fixed_name_and_add() {
        with_metrics(|scope| {
            assert_eq!(
                eval(scope, "c.name = 'z'; [c.name, Object.keys(c), typeof c.add].join()"),
                "c1,name,add,function"
            );
            assert_eq!(
                eval_error(scope, "'use strict'; c.name = 'z'"),
                "TypeError: Cannot assign to read only property 'name' of object '#<Object>'"
            );
        });
    }

    #[test]
    fn what_can_be_a_number_is_added() {
        for (value, added) in [
            ("1", "1"),
            ("-1.5", "-1.5"),
            ("'5'", "5"),
            ("true", "1"),
            ("false", "0"),
            ("[7]", "7"),
            ("[]", "1"),
            ("''", "0"),
            ("Infinity", "inf"),
        ] {
            with_metrics(|scope| {
                assert_eq!(eval(scope, &format!("const {{ add }} = c; add({value})")), "true", "{value}");
                assert_eq!(SEEN.take(), [format!("0: {added}")], "{value}");
            });
        }
    }

    #[test]
    fn what_cannot_is_refused() {
        for (call, text) in [
            ("c.add('x')", "'x' is an invalid value for metric 'c1'"),
            ("c.add(null)", "'null' is an invalid value for metric 'c1'"),
            ("c.add(undefined)", "'undefined' is an invalid value for metric 'c1'"),
            ("c.add({})", "'[object Object]' is an invalid value for metric 'c1'"),
            ("c.add()", "no value was provided for metric 'c1'"),
        ] {
            let text = format!("{text}, a number or a boolean value is expected");
            with_metrics(|scope| {
                assert_eq!(eval(scope, call), "false", "{call}");
                assert_eq!(SEEN.take(), [text.as_str()], "{call}");
                THROWS.set(true);
                assert_eq!(eval_error(scope, call), format!("GoError: {text}"), "{call}");
            });
        }
        with_metrics(|scope| {
            assert_eq!(
                eval_error(scope, "c.add(10n)"),
                "TypeError: Cannot convert a BigInt value to a number"
            );
            IN_INIT.set(true);
            assert_eq!(
                eval_error(scope, "c.add(1)"),
                "GoError: Adding to metrics in the init context is not supported"
            );
            assert_eq!(SEEN.take(), [""; 0]);
        });
    }

    #[test]
    fn samples_carry_tags() {
        with_metrics(|scope| {
            eval(scope, "c.add(1, { a: 1, b: true, c: 'x' }); c.add(2, null); c.add(3, 5)");
            assert_eq!(SEEN.take(), ["0: 1 a=1 b=true c=x", "0: 2", "0: 3"]);
            assert_eq!(
                eval_error(scope, "c.add(1, { a: {} })"),
                "GoError: cannot add tags for the 'c1' custom metric: invalid value for metric tag 'a': only String, Boolean and Number types are accepted as a metric tag values"
            );
        });
    }
}
