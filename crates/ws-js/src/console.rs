//! `console`: five levels into the run's log.

use crate::binding;
use crate::group::Inside;
use crate::inspect;
use crate::log::{Level, Record};

/// Makes `console` a property of `global`.
pub(crate) fn install<'s>(scope: &mut v8::PinScope<'s, '_>, global: v8::Local<'s, v8::Object>) {
    let console = v8::Object::new(scope);
    for (name, level) in [
        ("log", Level::Info),
        ("debug", Level::Debug),
        ("info", Level::Info),
        ("warn", Level::Warning),
        ("error", Level::Error),
    ] {
        let data = v8::Integer::new(scope, level as i32).into();
        binding::set_function(scope, console, name, write, Some(data));
    }
    binding::set(scope, global, "console", console.into());
}

fn write(
    scope: &mut v8::PinScope<'_, '_>,
    arguments: v8::FunctionCallbackArguments<'_>,
    _: v8::ReturnValue<'_>,
) {
    let level = match arguments.data().int32_value(scope) {
        Some(0) => Level::Debug,
        Some(2) => Level::Warning,
        Some(3) => Level::Error,
        _ => Level::Info,
    };
    binding::guard(scope, |scope| {
        let values: Vec<_> = (0..arguments.length()).map(|index| arguments.get(index)).collect();
        let message = inspect::console_line(scope, &values)?;
        let inside = Inside::current();
        inside.group().shared.log.write(&Record {
            level,
            message: &message,
            fields: &[("source", "console")],
        });
        Ok(())
    });
}
