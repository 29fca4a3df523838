//! Bodies of requests: what scripts give, as bytes.

use std::time::SystemTime;

use ws_http::Request;

use super::has_header;
use crate::api::{Caller, entries, set_text};
use crate::binding::{self, Native, Throw};
use crate::convert::{self, Bytes};
use crate::log::{Level, Record};
use crate::web;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The content type of files that have none of their own.
const BINARY: &str = "application/octet-stream";

/// Puts the body that a script gives into the request. Objects become forms; with a file in them, of several parts.
///
/// # Errors
///
/// The text for a value that can be no body.
pub(super) fn put<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    request: &mut Request,
    value: v8::Local<'s, v8::Value>,
) -> Native<Result<(), String>> {
    if value.is_null_or_undefined() {
        return Ok(Ok(()));
    }
    if value.is_string() {
        request.body = Some(convert::to_text(scope, value)?.into());
        return Ok(Ok(()));
    }
    if let Some(bytes) = Bytes::of(value) {
        request.body = Some(bytes.to_vec().into());
        return Ok(Ok(()));
    }
    let form =
        v8::Local::<v8::Object>::try_from(value).ok().filter(|_| convert::go_type(value).starts_with("map["));
    let Some(form) = form else {
        return Ok(Err(format!("unknown request body type {}", convert::go_type(value))));
    };
    let fields = entries(scope, form)?;
    let has_file = fields.iter().any(|(_, value)| file_of(scope, *value).is_some());
    let (body, content_type) = if has_file {
        parts(scope, caller, &fields)?
    } else {
        (urlencoded(scope, caller, fields)?.into_bytes(), "application/x-www-form-urlencoded".to_owned())
    };
    request.body = Some(body.into());
    if !has_header(request, "Content-Type") {
        request.headers.push(("Content-Type".to_owned(), content_type));
    }
    Ok(Ok(()))
}

/// The fields of a form, sorted by name.
fn urlencoded<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    mut fields: Vec<(String, v8::Local<'s, v8::Value>)>,
) -> Native<String> {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields {
        for text in texts(scope, caller, value)? {
            form.append_pair(&name, &text);
        }
    }
    Ok(form.finish())
}

/// A form of several parts (RFC 7578).
fn parts<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    fields: &[(String, v8::Local<'s, v8::Value>)],
) -> Native<(Vec<u8>, String)> {
    let mut random = [0; 30];
    web::random(&mut random)?;
    let boundary: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut body = Vec::new();
    let mut part = |head: String, content: &[u8]| {
        body.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    };
    for (name, value) in fields {
        let name = quoted(name);
        match file_of(scope, *value) {
            Some(file) => {
                let File { data, filename, content_type } = read_file(scope, file)?;
                let filename = quoted(&filename);
                part(
                    format!("name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {content_type}"),
                    &data,
                );
            }
            None => {
                for text in texts(scope, caller, *value)? {
                    part(format!("name=\"{name}\""), text.as_bytes());
                }
            }
        }
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((body, format!("multipart/form-data; boundary={boundary}")))
}

/// Line breaks in a name would begin another header.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\r', "%0D").replace('\n', "%0A")
}

/// A field's value or values.
fn texts<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    value: v8::Local<'s, v8::Value>,
) -> Native<Vec<String>> {
    let Ok(list) = v8::Local::<v8::Array>::try_from(value) else {
        return Ok(vec![text(scope, caller, value)?]);
    };
    (0..list.length())
        .map(|index| {
            let item = list.get_index(scope, index).ok_or(Throw::Pending)?;
            text(scope, caller, item)
        })
        .collect()
}

fn text(scope: &mut v8::PinScope<'_, '_>, caller: Caller, value: v8::Local<'_, v8::Value>) -> Native<String> {
    if value.is_null_or_undefined() {
        return Ok(String::new());
    }
    if value.is_object() && !value.is_date() {
        let message = &format!(
            "cannot urlencode a nested {} value in a request form body; encoding it as an empty value, use \
             JSON.stringify() to send structured data",
            convert::go_type(value)
        );
        caller.inside.group().shared.log.write(&Record { level: Level::Warning, message, fields: &[] });
        return Ok(String::new());
    }
    convert::to_text(scope, value)
}

/// `file(data, filename?, contentType?)`.
pub(super) fn file<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let data = arguments.get(0);
    if !data.is_string() && Bytes::of(data).is_none() {
        let kind = convert::go_type(data);
        return Err(Throw::Go(format!("invalid type {kind}, expected string, []byte or ArrayBuffer")));
    }
    let mut given = |index, fallback: &dyn Fn() -> String| match arguments.get(index) {
        value if value.is_null_or_undefined() => Ok(fallback()),
        value => convert::to_text(scope, value),
    };
    let filename = given(1, &nanoseconds)?;
    let content_type = given(2, &|| BINARY.to_owned())?;
    let object = v8::Object::new(scope);
    binding::set(scope, object, "data", data);
    set_text(scope, object, "filename", &filename);
    set_text(scope, object, "content_type", &content_type);
    let key = key(scope);
    let yes = v8::Boolean::new(scope, true).into();
    object.set_private(scope, key, yes);
    Ok(object)
}

/// The name of files that have none of their own: the time, which is another one for each.
fn nanoseconds() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

/// What marks the objects of [`file`]. Scripts cannot name it.
fn key<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Private> {
    let name = binding::string(scope, "file");
    v8::Private::for_api(scope, Some(name))
}

fn file_of<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Option<v8::Local<'s, v8::Object>> {
    let object = v8::Local::<v8::Object>::try_from(value).ok()?;
    let key = key(scope);
    object.get_private(scope, key).filter(|mark| mark.is_true()).map(|_| object)
}

struct File {
    data: Vec<u8>,
    filename: String,
    content_type: String,
}

fn read_file<'s>(scope: &mut v8::PinScope<'s, '_>, file: v8::Local<'s, v8::Object>) -> Native<File> {
    let mut get = |name| {
        let name = binding::string(scope, name).into();
        file.get(scope, name).ok_or(Throw::Pending)
    };
    let (data, filename, content_type) = (get("data")?, get("filename")?, get("content_type")?);
    let data = match Bytes::of(data) {
        Some(bytes) => bytes.to_vec(),
        None => convert::to_text(scope, data)?.into_bytes(),
    };
    let content_type = convert::to_text(scope, content_type)?.replace(['\r', '\n'], " ");
    Ok(File { data, filename: convert::to_text(scope, filename)?, content_type })
}
