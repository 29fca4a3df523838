//! Values across the border between Rust and JavaScript.

mod from_js;
mod go_type;
mod json;
mod nesting;
mod to_js;

pub(crate) use from_js::{Bytes, Utf8, own_names, to_js_text, to_number, to_text};
pub(crate) use go_type::go_type;
pub(crate) use json::{json_parse, json_stringify};
pub(crate) use nesting::{Nesting, Refused};
pub(crate) use to_js::{array_buffer, js_string};
