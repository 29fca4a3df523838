//! From a call's arguments to the request that they ask for.

use std::time::Duration;

use ws_http::{Auth, Coding, Request, RequestCookie};
use ws_metrics::duration::GoDuration;

use super::body;
use super::failure::Failure;
use super::has_header;
use super::jar::jar_of;
use super::statuses::Expected;
use crate::api::tags::read_tags;
use crate::api::{Caller, entries};
use crate::binding::{self, Native, Throw};
use crate::convert;
use crate::shared::Shared;

/// A request, and what is to be done with its response.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: Request,
    /// Tags of this request alone.
    pub(super) tags: Vec<(String, String)>,
    /// The tag `name`, if it is not the URL.
    pub(super) name: Option<String>,
    pub(super) response_type: ResponseType,
    pub(super) expected: Expected,
    pub(super) throw: bool,
    /// Whether the script has said how many redirects it wants.
    pub(super) minds_redirects: bool,
}

/// What becomes of a response's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseType {
    Text,
    Binary,
    None,
}

/// A request that cannot be made, with the setting of whether that is to be thrown.
pub(super) struct Refused {
    pub(super) failure: Failure,
    pub(super) throw: bool,
}

/// A plan, or why there is none.
pub(super) type Planned = Result<Plan, Refused>;

/// The arguments of a call.
#[derive(Clone, Copy)]
pub(super) struct Call<'s> {
    pub(super) url: v8::Local<'s, v8::Value>,
    pub(super) body: v8::Local<'s, v8::Value>,
    pub(super) params: v8::Local<'s, v8::Value>,
}

impl Plan {
    /// Of a request that is never made.
    pub(super) fn unmade() -> Self {
        Self {
            request: Request::new("GET", ""),
            tags: Vec::new(),
            name: None,
            response_type: ResponseType::Text,
            expected: Expected::Usual,
            throw: false,
            minds_redirects: false,
        }
    }
}

/// Reads the arguments of a call.
///
/// # Errors
///
/// What getters and conversions of the script throw. What is wrong with the arguments themselves is an answer.
pub(super) fn read<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    caller: Caller,
    method: &str,
    call: Call<'s>,
) -> Native<Planned> {
    let settings = &caller.inside.group().shared.settings;
    let options = &settings.http;
    let mut plan = Plan {
        request: Request::new(method, ""),
        expected: caller.http_expected(),
        throw: settings.throw,
        minds_redirects: options.max_redirects.is_some(),
        ..Plan::unmade()
    };
    if options.discard_response_bodies {
        plan.response_type = ResponseType::None;
    }
    plan.request.redirects = options.max_redirects.unwrap_or(plan.request.redirects);
    plan.request.keep_transcript = options.debug.is_some();
    plan.request.jar = Some(caller.jar());
    // As k6: what becomes of mistakes is decided by the run's option `throw`, not by the param.
    let refused = |text: String| Ok(Err(Refused { failure: Failure::refused(text), throw: settings.throw }));

    if let Err(text) = read_params(scope, call.params, &mut plan)? {
        return refused(text);
    }
    if let Err(text) = read_url(scope, call.url, &mut plan)? {
        let failure = Failure { code: 1020, ..Failure::refused(text) };
        return Ok(Err(Refused { failure, throw: settings.throw }));
    }
    if let Err(text) = body::put(scope, caller, &mut plan.request, call.body)? {
        return refused(text);
    }
    if !settings.user_agent.is_empty() && !has_header(&plan.request, "User-Agent") {
        plan.request.headers.insert(0, ("User-Agent".to_owned(), settings.user_agent.clone()));
    }
    plan.request.keep_body = plan.response_type != ResponseType::None;
    Ok(Ok(plan))
}

/// A text, or what `http.url` has made.
fn read_url(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    plan: &mut Plan,
) -> Native<Result<(), String>> {
    if value.is_null_or_undefined() {
        return Ok(Err("invalid URL: '#<nil>'".to_owned()));
    }
    if let Ok(object) = v8::Local::<v8::Object>::try_from(value) {
        let mut get = |name| {
            let name = binding::string(scope, name).into();
            let value = object.get(scope, name).ok_or(Throw::Pending)?;
            if value.is_string() { convert::to_text(scope, value).map(Some) } else { Ok(None) }
        };
        if let (Some(url), Some(name)) = (get("url")?, get("name")?) {
            plan.request.url = url;
            plan.name = Some(name);
            return Ok(Ok(()));
        }
    }
    plan.request.url = convert::to_text(scope, value)?;
    Ok(Ok(()))
}

fn read_params<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
    plan: &mut Plan,
) -> Native<Result<(), String>> {
    let Ok(params) = v8::Local::<v8::Object>::try_from(value) else { return Ok(Ok(())) };
    for (name, value) in entries(scope, params)? {
        // Nothing is what is not there.
        if value.is_null_or_undefined() && name != "responseCallback" {
            continue;
        }
        if let Err(text) = read_param(scope, &name, value, plan)? {
            return Ok(Err(text));
        }
    }
    Ok(Ok(()))
}

fn read_param<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    value: v8::Local<'s, v8::Value>,
    plan: &mut Plan,
) -> Native<Result<(), String>> {
    match name {
        "headers" => {
            let Ok(headers) = v8::Local::<v8::Object>::try_from(value) else { return Ok(Ok(())) };
            for (name, value) in entries(scope, headers)? {
                plan.request.headers.push((name, convert::to_text(scope, value)?));
            }
        }
        "cookies" => {
            let Ok(cookies) = v8::Local::<v8::Object>::try_from(value) else { return Ok(Ok(())) };
            for (name, value) in entries(scope, cookies)? {
                plan.request.cookies.extend(cookie(scope, name, value)?);
            }
        }
        "tags" => match read_tags(scope, value) {
            Ok(mut tags) => {
                // The name is not only a tag but stands for the URL.
                if let Some(at) = tags.iter().position(|(name, _)| name == "name") {
                    plan.name = Some(tags.remove(at).1);
                }
                plan.tags = tags;
            }
            Err(Throw::Go(text)) => return Ok(Err(format!("invalid HTTP request metric tags: {text}"))),
            Err(throw) => return Err(throw),
        },
        "throw" => plan.throw = value.boolean_value(scope),
        // Anything but a jar is ignored.
        "jar" => {
            if let Some(jar) = jar_of(scope, value) {
                plan.request.jar = Some(jar);
            }
        }
        "auth" => match convert::to_text(scope, value)?.as_str() {
            "digest" => plan.request.auth = Auth::Digest,
            "ntlm" => return Ok(Err("auth 'ntlm' is not supported".to_owned())),
            _ => {}
        },
        "compression" => {
            for name in convert::to_text(scope, value)?.split(',').map(str::trim) {
                if name.is_empty() {
                    continue;
                }
                let Some(coding) = Coding::named(&name.to_ascii_lowercase()) else {
                    return Ok(Err(format!(
                        "unknown compression algorithm {name}, supported algorithms are [gzip deflate zstd br]"
                    )));
                };
                plan.request.codings.push(coding);
            }
        }
        "redirects" => {
            let number = convert::to_number(scope, value)?;
            plan.request.redirects = number.clamp(0.0, 1000.0) as u32;
            plan.minds_redirects = true;
        }
        "responseType" => {
            plan.response_type = match convert::to_text(scope, value)?.as_str() {
                "text" => ResponseType::Text,
                "binary" => ResponseType::Binary,
                "none" => ResponseType::None,
                other => return Ok(Err(format!("{other} does not belong to ResponseType values"))),
            };
        }
        "timeout" => match timeout(scope, value)? {
            Ok(timeout) => plan.request.timeout = timeout,
            Err(text) => return Ok(Err(format!("invalid timeout value: {text}"))),
        },
        "responseCallback" => match Expected::read(scope, value) {
            Some(expected) => plan.expected = expected,
            None => return Ok(Err("unsupported responseCallback".to_owned())),
        },
        _ => {}
    }
    Ok(Ok(()))
}

fn cookie<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: String,
    value: v8::Local<'s, v8::Value>,
) -> Native<Option<RequestCookie>> {
    if value.is_null_or_undefined() {
        return Ok(None);
    }
    let Ok(object) = v8::Local::<v8::Object>::try_from(value) else {
        let value = convert::to_text(scope, value)?;
        return Ok(Some(RequestCookie { name, value, replaces: false }));
    };
    let (mut value, mut replaces) = (String::new(), false);
    for (key, field) in entries(scope, object)? {
        match key.to_ascii_lowercase().as_str() {
            "value" => value = convert::to_text(scope, field)?,
            "replace" => replaces = field.boolean_value(scope),
            _ => {}
        }
    }
    Ok(Some(RequestCookie { name, value, replaces }))
}

/// Milliseconds, or a text such as `10s`. None at all stands for the longest there is.
fn timeout(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Native<Result<Duration, String>> {
    let parsed = if value.is_number() {
        GoDuration::from_millis(convert::to_number(scope, value)?).map_err(|error| error.to_string())
    } else {
        let text = convert::to_text(scope, value)?;
        GoDuration::parse_option(&text).map_err(|error| error.to_string())
    };
    Ok(parsed.map(|timeout| match timeout.to_std() {
        Duration::ZERO => Duration::from_secs(60),
        timeout => timeout,
    }))
}

/// What `http.url` makes of a template: the address, and the same with `${}` for what was put in.
pub(super) fn url<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &v8::FunctionCallbackArguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let parts = v8::Local::<v8::Array>::try_from(arguments.get(0))
        .map_err(|_| Throw::Type("http.url is a tag for template literals: http.url`https://…`".into()))?;
    let (mut url, mut name) = (String::new(), String::new());
    for index in 0..parts.length() {
        let part = parts.get_index(scope, index).ok_or(Throw::Pending)?;
        let part = convert::to_text(scope, part)?;
        url.push_str(&part);
        name.push_str(&part);
        if index + 1 < parts.length() {
            let value = arguments.get(i32::try_from(index + 1).unwrap_or(i32::MAX));
            url.push_str(&convert::to_text(scope, value)?);
            name.push_str("${}");
        }
    }
    let object = v8::Object::new(scope);
    for (key, text) in [("name", &name), ("url", &url), ("clean_url", &masked(&url))] {
        crate::api::set_text(scope, object, key, text);
    }
    Ok(object)
}

/// An address as tags, logs and errors may show it: with stars for its user name and password, as in k6.
pub(super) fn shown(shared: &Shared, url: &str) -> String {
    shared.with_its_query(&masked(url)).into_owned()
}

fn masked(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://****:****@{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        for (url, shown) in [
            ("http://u:p@h/a?b@c", "http://****:****@h/a?b@c"),
            ("http://u@h", "http://****:****@h"),
            ("http://h/a@b", "http://h/a@b"),
            ("nope", "nope"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
