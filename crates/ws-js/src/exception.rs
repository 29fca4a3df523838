//! What a script threw, as plain data.

use std::fmt;

use crate::web;

/// The part of V8's `TryCatch` that scripts are called in.
type TryCatch<'a, 'scope, 'obj, 'iso> = v8::PinnedRef<'a, v8::TryCatch<'scope, 'obj, v8::HandleScope<'iso>>>;

/// How many frames a stack has at most.
const MAX_FRAMES: usize = 32;

/// An exception that a script did not catch, or a failure told in the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsException {
    /// The class as the error names itself (`TypeError`), empty for values that are no errors.
    pub name: String,
    /// The message of an error; of other values, the value as text.
    pub message: String,
    /// The thrown value as JavaScript's `String()` gives it (`TypeError: boom`).
    pub text: String,
    /// Where it was made, innermost first. Only frames of scripts: no natives, nothing of V8's own.
    pub frames: Vec<Frame>,
    origin: Origin,
}

/// One call in a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function's name without that of its object, empty for anonymous functions and module code.
    pub function: String,
    /// The URL of the source, `file:///path/of/script.js`.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in UTF-16 units.
    pub column: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// No script threw it.
    Host,
    Thrown,
    Promise,
}

impl JsException {
    /// A failure that is not a script's own.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: String::new(), message: text.clone(), text, frames: Vec::new(), origin: Origin::Host }
    }

    /// A failure of the loader, told with the places in the script that led to it.
    pub(crate) fn at(text: impl Into<String>, frames: Vec<Frame>) -> Self {
        Self { frames, origin: Origin::Thrown, ..Self::plain(text) }
    }

    /// What `tc` has caught.
    pub(crate) fn from_try_catch(tc: &mut TryCatch<'_, '_, '_, '_>) -> Self {
        let (Some(value), message) = (tc.exception(), tc.message()) else {
            return Self::plain("the script was ended");
        };
        let mut exception = describe(tc, value, Origin::Thrown);
        if let Some(message) = message {
            if exception.frames.is_empty()
                && let Some(trace) = message.get_stack_trace(tc)
            {
                exception.frames = frames(tc, trace);
            }
            // An error of the parser is nowhere on the stack.
            if exception.frames.is_empty() {
                exception.frames.extend(place(tc, message).filter(|place| !web::is_embedded(&place.file)));
            }
        }
        exception
    }

    /// A value that a promise was rejected with and that nobody handled.
    pub(crate) fn in_promise(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Self {
        describe(scope, value, Origin::Promise)
    }

    /// Whether it is what a promise was rejected with.
    pub fn is_rejection(&self) -> bool {
        self.origin == Origin::Promise
    }

    /// The exception and its stack as the log shows them: the text, then a line for each frame
    /// (`\tat name (file:///script.js:1:36)`), each ended by a newline. A promise's rejection begins with
    /// `Uncaught (in promise) `; without a stack it is not ended.
    pub fn stack_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for JsException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin {
            Origin::Host => return f.write_str(&self.text),
            Origin::Thrown => writeln!(f, "{}", self.text)?,
            Origin::Promise => {
                write!(f, "Uncaught (in promise) {}", self.text)?;
                if !self.frames.is_empty() {
                    writeln!(f)?;
                }
            }
        }
        self.frames.iter().try_for_each(|frame| writeln!(f, "\tat {frame}"))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, file, line, column } = self;
        match function.as_str() {
            "" => write!(f, "{file}:{line}:{column}"),
            _ => write!(f, "{function} ({file}:{line}:{column})"),
        }
    }
}

fn describe(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    origin: Origin,
) -> JsException {
    let frames = match v8::Exception::get_stack_trace(scope, value) {
        Some(trace) => frames(scope, trace),
        None => Vec::new(),
    };
    // The value's own toString and getters run here; what they throw in turn is of no interest.
    v8::tc_scope!(let tc, scope);
    let mut exception =
        JsException::plain(text(tc, value).unwrap_or_else(|| "exception without a text".into()));
    if value.is_native_error()
        && let Ok(error) = v8::Local::<v8::Object>::try_from(value)
    {
        exception.name = property(tc, error, "name").unwrap_or_default();
        exception.message = property(tc, error, "message").unwrap_or_default();
    }
    JsException { frames, origin, ..exception }
}

fn text(tc: &mut TryCatch<'_, '_, '_, '_>, value: v8::Local<'_, v8::Value>) -> Option<String> {
    let text = crate::convert::to_text(tc, value).ok();
    tc.reset();
    text
}

fn property(
    tc: &mut TryCatch<'_, '_, '_, '_>,
    object: v8::Local<'_, v8::Object>,
    name: &str,
) -> Option<String> {
    let name = crate::binding::string(tc, name).into();
    let value = object.get(tc, name);
    tc.reset();
    text(tc, value?)
}

fn frames(scope: &mut v8::PinScope<'_, '_>, trace: v8::Local<'_, v8::StackTrace>) -> Vec<Frame> {
    let count = trace.get_frame_count().min(MAX_FRAMES);
    let frames =
        (0..count).filter_map(|index| trace.get_frame(scope, index).map(|frame| to_frame(scope, frame)));
    // Our own code is no place that a user could mend.
    frames.filter(|frame| !web::is_embedded(&frame.file)).collect()
}

fn to_frame(scope: &mut v8::PinScope<'_, '_>, frame: v8::Local<'_, v8::StackFrame>) -> Frame {
    let function = frame.get_function_name(scope).map(|name| name.to_rust_string_lossy(scope));
    let file = frame.get_script_name_or_source_url(scope).map(|name| name.to_rust_string_lossy(scope));
    Frame {
        // V8 calls the code inside of an eval "eval".
        function: function.filter(|name| !(frame.is_eval() && name == "eval")).unwrap_or_default(),
        file: file.unwrap_or_else(|| "<eval>".into()),
        line: frame.get_line_number() as u32,
        column: frame.get_column() as u32,
    }
}

fn place(scope: &mut v8::PinScope<'_, '_>, message: v8::Local<'_, v8::Message>) -> Option<Frame> {
    let file = message.get_script_resource_name(scope).filter(|name| name.is_string())?;
    Some(Frame {
        function: String::new(),
        file: file.to_rust_string_lossy(scope),
        line: message.get_line_number(scope)? as u32,
        column: message.get_start_column() as u32 + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    /// Runs `source` as file:///x.js and gives what it throws.
    fn thrown(source: &str) -> JsException {
        with_scope(|scope| {
            v8::tc_scope!(let tc, scope);
            let source = v8::String::new(tc, source).unwrap();
            let name = v8::String::new(tc, "file:///x.js").unwrap().into();
            let origin = v8::ScriptOrigin::new(tc, name, 0, 0, false, 0, None, false, false, false, None);
            let result = v8::Script::compile(tc, source, Some(&origin)).and_then(|script| script.run(tc));
            assert!(result.is_none(), "the script throws");
            JsException::from_try_catch(tc)
        })
    }

    fn shows(source: &str, stack: &str) {
        assert_eq!(thrown(source).stack_text(), stack, "{source}");
    }

    #[test]
    fn an_error_shows_where_it_was_made() {
        shows(
            "function mk() { return new Error('boom') }\nfunction f(e) { throw e }\nf(mk())",
            "Error: boom\n\tat mk (file:///x.js:1:24)\n\tat file:///x.js:3:3\n",
        );
        shows(
            "const e = new TypeError('multi\\nline'); e.name = 'My'; try { throw e } catch (x) { throw x }",
            "My: multi\nline\n\tat file:///x.js:1:11\n",
        );
        shows("throw new Error()", "Error\n\tat file:///x.js:1:7\n");
    }

    #[test]
    fn frames_are_named_after_the_function_alone() {
        shows(
            "class A { #p() { throw new Error('p') } q() { this.#p() } static s() { new A().q() } }\nA.s()",
            "Error: p\n\tat #p (file:///x.js:1:24)\n\tat q (file:///x.js:1:54)\n\
             \tat s (file:///x.js:1:80)\n\tat file:///x.js:2:3\n",
        );
        shows(
            "const o = { m() { throw new Error('m') } }\no.m.bind(o)()",
            "Error: m\n\tat m (file:///x.js:1:25)\n\tat file:///x.js:2:12\n",
        );
    }

    #[test]
    fn natives_and_anonymous_functions_have_no_name() {
        shows(
            "[1].forEach(function () {\nthrow new Error('in') })",
            "Error: in\n\tat file:///x.js:2:7\n\tat file:///x.js:1:5\n",
        );
        shows("\neval('throw new Error(1)')", "Error: 1\n\tat <eval>:1:7\n\tat file:///x.js:2:1\n");
    }

    #[test]
    fn other_values_show_where_they_were_thrown() {
        for (value, text) in [
            ("'a string'", "a string"),
            ("42", "42"),
            ("null", "null"),
            ("undefined", "undefined"),
            ("[1, 2]", "1,2"),
            ("{ a: 1 }", "[object Object]"),
            ("Symbol('s')", "s"),
            ("{ toString() { return 'TS' } }", "TS"),
            ("{ toString() { throw 1 } }", "exception without a text"),
        ] {
            let source = format!("function f() {{ throw ({value}) }}\nf()");
            let stack = format!("{text}\n\tat f (file:///x.js:1:16)\n\tat file:///x.js:2:1\n");
            shows(&source, &stack);
        }
    }

    #[test]
    fn a_syntax_error_shows_its_place() {
        let exception = thrown("let a = 1;\nlet b = ;");
        assert_eq!(exception.name, "SyntaxError");
        assert_eq!(exception.stack_text(), "SyntaxError: Unexpected token ';'\n\tat file:///x.js:2:9\n");
    }

    #[test]
    fn deep_stacks_are_cut() {
        let exception = thrown("function r() { r() } r()");
        assert_eq!(exception.text, "RangeError: Maximum call stack size exceeded");
        assert_eq!(exception.frames.len(), MAX_FRAMES);
    }

    #[test]
    fn rejections_say_that_they_come_from_a_promise() {
        with_scope(|scope| {
            for (source, text) in [
                ("'str'", "Uncaught (in promise) str"),
                ("undefined", "Uncaught (in promise) undefined"),
                ("({ a: 1 })", "Uncaught (in promise) [object Object]"),
            ] {
                let value = run(scope, source);
                assert_eq!(JsException::in_promise(scope, value).stack_text(), text);
            }
            let value = run(scope, "function f() { return new RangeError('rej') }; f()");
            let exception = JsException::in_promise(scope, value);
            assert_eq!((exception.name.as_str(), exception.message.as_str()), ("RangeError", "rej"));
            let text = exception.stack_text();
            assert!(text.starts_with("Uncaught (in promise) RangeError: rej\n\tat f ("), "{text}");
        });
    }

    #[test]
    fn a_failure_of_the_host_is_its_text() {
        assert_eq!(JsException::plain("no such function").stack_text(), "no such function");
    }
}
