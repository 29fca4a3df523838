//! `console`: five levels into the run's log.

use crate::binding;
use crate::group::Inside;
use crate::inspect;
use crate::log::{Level, Record};

/// What `console` is made of.
pub(crate) fn template<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::ObjectTemplate> {
    let console = v8::ObjectTemplate::new(scope);
    for (name, level) in [
        ("log", Level::Info),
        ("debug", Level::Debug),
        ("info", Level::Info),
        ("warn", Level::Warning),
        ("error", Level::Error),
    ] {
        let data = v8::Integer::new(scope, level as i32).into();
        let function = v8::FunctionTemplate::builder(write).data(data).build(scope);
        let name = binding::string(scope, name);
        function.set_class_name(name);
        console.set(name.into(), function.into());
    }
    console
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
