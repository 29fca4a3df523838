//! `Response`: what scripts get of a request.

use std::time::Duration;

use ws_http::{Hop, Outcome, SentRequest};
use ws_proto::Headers;

use super::failure::Failure;
use super::json::json;
use super::plan::{Plan, ResponseType};
use crate::api::{set_number, set_text};
use crate::binding::{self, Native, Throw, native};
use crate::convert;

/// Makes the response that a script sees of an outcome.
pub(super) fn to_object<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    plan: &Plan,
    outcome: &Outcome,
    failure: Option<&Failure>,
) -> v8::Local<'s, v8::Object> {
    let last = outcome.hops.last();
    let response = outcome.result.as_ref().ok();
    // What came only in part counts as no response, except for what there is of its body.
    let whole = response.filter(|response| response.fault.is_none());
    let object = v8::Object::new(scope);
    let peer = last.and_then(|hop| hop.peer);
    set_text(scope, object, "remote_ip", &peer.map(|peer| peer.ip().to_string()).unwrap_or_default());
    set_number(scope, object, "remote_port", peer.map_or(0.0, |peer| f64::from(peer.port())));
    set_text(scope, object, "url", last.map_or("", |hop| &hop.url));
    let status = whole.map_or(0, |response| response.status);
    set_number(scope, object, "status", f64::from(status));
    let status_text =
        whole.map(|response| format!("{} {}", response.status, response.reason)).unwrap_or_default();
    set_text(scope, object, "status_text", &status_text);
    set_text(
        scope,
        object,
        "proto",
        &whole.map(|response| response.protocol.to_string()).unwrap_or_default(),
    );
    let headers = joined(scope, whole.map(|response| &response.headers));
    binding::set(scope, object, "headers", headers.into());
    let cookies = set_cookies(scope, whole.map(|response| &response.headers));
    binding::set(scope, object, "cookies", cookies.into());
    let body = body(scope, plan, outcome);
    binding::set(scope, object, "body", body);
    let timings = timings(scope, last);
    binding::set(scope, object, "timings", timings.into());
    let tls = last.filter(|_| whole.is_some()).and_then(|hop| hop.tls);
    set_text(scope, object, "tls_version", &tls.map(|tls| tls.version.to_string()).unwrap_or_default());
    set_text(scope, object, "tls_cipher_suite", tls.map_or("", |tls| tls.cipher_suite));
    let ocsp = ocsp(scope);
    binding::set(scope, object, "ocsp", ocsp.into());
    set_text(scope, object, "error", failure.map_or("", |failure| &failure.error));
    let code = match failure {
        Some(failure) => failure.code,
        None if status >= 400 => 1000 + status,
        None => 0,
    };
    set_number(scope, object, "error_code", f64::from(code));
    let request = request(scope, plan, outcome.hops.first());
    binding::set(scope, object, "request", request);
    binding::set_function(scope, object, "clickLink", native!(click_link), None);
    binding::set_function(scope, object, "html", native!(html), None);
    binding::set_function(scope, object, "json", native!(json), None);
    binding::set_function(scope, object, "submitForm", native!(submit_form), None);
    object
}

/// The response of a request that was never made.
pub(super) fn empty<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    failure: Option<&Failure>,
) -> v8::Local<'s, v8::Object> {
    let plan = Plan::unmade();
    let outcome = Outcome { hops: Vec::new(), result: Err(ws_http::Error::Aborted) };
    let object = to_object(scope, &plan, &outcome, failure);
    // As k6 has it.
    let body = v8::Array::new(scope, 0).into();
    binding::set(scope, object, "body", body);
    object
}

fn body<'s>(scope: &mut v8::PinScope<'s, '_>, plan: &Plan, outcome: &Outcome) -> v8::Local<'s, v8::Value> {
    let Ok(response) = &outcome.result else { return v8::null(scope).into() };
    let undecodable = matches!(response.fault, Some(ws_http::Error::Decode { .. }));
    match plan.response_type {
        // RFC 9110 section 15.3.5: it has none, not even an empty one.
        _ if undecodable || response.status == 204 => v8::null(scope).into(),
        ResponseType::None => v8::null(scope).into(),
        ResponseType::Binary => convert::array_buffer(scope, &response.body).into(),
        ResponseType::Text => convert::js_string(scope, &response.body).into(),
    }
}

/// Header values by name; those of a repeated one are joined.
fn joined<'s>(scope: &mut v8::PinScope<'s, '_>, headers: Option<&Headers>) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    let Some(headers) = headers else { return object };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in headers.iter() {
        // What concerns the connection alone is not shown, as in k6.
        let is_framing =
            name == "Transfer-Encoding" || name == "Connection" && value.eq_ignore_ascii_case("close");
        if is_framing || seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match headers.get_all(name).nth(1) {
            None => set_text(scope, object, name, value),
            Some(_) => set_text(scope, object, name, &headers.joined(name).unwrap_or_default()),
        }
    }
    object
}

/// The cookies that the response sets, by name.
fn set_cookies<'s>(scope: &mut v8::PinScope<'s, '_>, headers: Option<&Headers>) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    let mut by_name: Vec<(String, Vec<v8::Local<'s, v8::Value>>)> = Vec::new();
    for line in headers.into_iter().flat_map(|headers| headers.get_all("Set-Cookie")) {
        let Some(cookie) = ws_proto::SetCookie::parse(line) else { continue };
        let shown = v8::Object::new(scope);
        set_text(scope, shown, "name", &cookie.name);
        set_text(scope, shown, "value", &cookie.value);
        set_text(scope, shown, "domain", cookie.attributes.domain.as_deref().unwrap_or_default());
        set_text(scope, shown, "path", cookie.attributes.path.as_deref().unwrap_or_default());
        for (name, is) in [("http_only", cookie.attributes.http_only), ("secure", cookie.attributes.secure)] {
            let is = v8::Boolean::new(scope, is).into();
            binding::set(scope, shown, name, is);
        }
        set_number(scope, shown, "max_age", cookie.attributes.max_age.unwrap_or(0) as f64);
        let expires = cookie.attributes.expires.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        set_number(scope, shown, "expires", expires.map_or(NEVER, |since| since.as_millis() as f64));
        match by_name.iter_mut().find(|(known, _)| *known == cookie.name) {
            Some((_, all)) => all.push(shown.into()),
            None => by_name.push((cookie.name, vec![shown.into()])),
        }
    }
    for (name, all) in by_name {
        let all = v8::Array::new_with_elements(scope, &all);
        binding::set(scope, object, &name, all.into());
    }
    object
}

/// k6's `expires` of a cookie without an end: the year 1, as far as its clock can tell.
const NEVER: f64 = -6_795_364_578_871.0;

fn timings<'s>(scope: &mut v8::PinScope<'s, '_>, hop: Option<&Hop>) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    let timings = hop.map(|hop| hop.timings).unwrap_or_default();
    for (name, time) in [
        ("duration", timings.duration()),
        ("blocked", timings.blocked),
        ("looking_up", Duration::ZERO),
        ("connecting", timings.connecting),
        ("tls_handshaking", timings.tls_handshaking),
        ("sending", timings.sending),
        ("waiting", timings.waiting),
        ("receiving", timings.receiving),
    ] {
        set_number(scope, object, name, time.as_secs_f64() * 1e3);
    }
    object
}

/// Nothing is stapled, as far as scripts hear.
fn ocsp<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    for name in ["produced_at", "this_update", "next_update", "revoked_at"] {
        set_number(scope, object, name, 0.0);
    }
    for name in ["revocation_reason", "status"] {
        set_text(scope, object, name, "");
    }
    object
}

fn request<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    plan: &Plan,
    first: Option<&Hop>,
) -> v8::Local<'s, v8::Value> {
    let Some(first) = first else { return v8::null(scope).into() };
    let object = v8::Object::new(scope);
    set_text(scope, object, "method", &first.method);
    set_text(scope, object, "url", &first.url);
    let default = SentRequest::default();
    let sent = first.sent.as_ref().unwrap_or(&default);
    let headers = v8::Object::new(scope);
    let mut names: Vec<&str> =
        sent.headers.iter().map(|(name, _)| name).filter(|name| *name != "Host").collect();
    names.dedup();
    for name in names {
        let values: Vec<_> =
            sent.headers.get_all(name).map(|value| binding::string(scope, value).into()).collect();
        let values = v8::Array::new_with_elements(scope, &values);
        binding::set(scope, headers, name, values.into());
    }
    binding::set(scope, object, "headers", headers.into());
    let body = plan.request.body.as_deref().unwrap_or_default();
    let body = convert::js_string(scope, body).into();
    binding::set(scope, object, "body", body);
    let cookies = sent_cookies(scope, &sent.headers);
    binding::set(scope, object, "cookies", cookies.into());
    object.into()
}

fn sent_cookies<'s>(scope: &mut v8::PinScope<'s, '_>, headers: &Headers) -> v8::Local<'s, v8::Object> {
    let object = v8::Object::new(scope);
    let pairs = headers.get("Cookie").unwrap_or_default().split("; ").filter_map(|pair| pair.split_once('='));
    for (name, value) in pairs {
        let cookie = v8::Object::new(scope);
        set_text(scope, cookie, "name", name);
        set_text(scope, cookie, "value", value);
        let replaces = v8::Boolean::new(scope, false).into();
        binding::set(scope, cookie, "replace", replaces);
        let key = binding::string(scope, name).into();
        let known = object.get(scope, key).and_then(|known| v8::Local::<v8::Array>::try_from(known).ok());
        match known {
            Some(known) => {
                known.set_index(scope, known.length(), cookie.into());
            }
            None => {
                let all = v8::Array::new_with_elements(scope, &[cookie.into()]);
                binding::set(scope, object, name, all.into());
            }
        }
    }
    object
}

fn html(_: &mut v8::PinScope<'_, '_>, _: &v8::FunctionCallbackArguments<'_>) -> Native {
    Err(Throw::Go("Response.html() is not supported yet".into()))
}

fn submit_form(_: &mut v8::PinScope<'_, '_>, _: &v8::FunctionCallbackArguments<'_>) -> Native {
    Err(Throw::Go("Response.submitForm() is not supported yet".into()))
}

fn click_link(_: &mut v8::PinScope<'_, '_>, _: &v8::FunctionCallbackArguments<'_>) -> Native {
    Err(Throw::Go("Response.clickLink() is not supported yet".into()))
}
