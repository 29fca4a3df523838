//! `httpDebug`: requests and responses in the log, as they went over the wire.

use std::fmt::Write as _;

use ws_http::{Hop, Outcome};
use ws_proto::Headers;

use super::plan::Plan;
use crate::api::Caller;
use crate::binding::Native;
use crate::log::{Level, Record};
use crate::shared::HttpDebug;
use crate::web;

/// Writes all hops of a request to the log, if the run asks for it.
///
/// # Errors
///
/// If the system has no random number for an id.
pub(super) fn log(caller: Caller, plan: &Plan, outcome: &Outcome) -> Native {
    let Some(how) = caller.inside.group().shared.settings.http.debug else { return Ok(()) };
    for hop in &outcome.hops {
        // Request and response share it.
        let id = web::uuid()?;
        if let Some(text) = request(hop, how) {
            write(caller, plan, &id, &format!("Request:\n{text}\n"));
        }
        if let Some(text) = response(hop, how) {
            write(caller, plan, &id, &format!("Response:\n{text}\n"));
        }
    }
    Ok(())
}

fn request(hop: &Hop, how: HttpDebug) -> Option<String> {
    let sent = hop.sent.as_ref()?;
    let (_, rest) = hop.url.split_once("://")?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut text = format!("{} {slash}{path} HTTP/1.1\n", hop.method);
    if sent.headers.get("Host").is_none() {
        let _ = writeln!(text, "Host: {authority}");
    }
    lines(&mut text, &sent.headers);
    if !sent.body.is_empty() {
        let _ = writeln!(text, "Content-Length: {}", sent.body.len());
    }
    body(&mut text, &sent.body, how);
    Some(text)
}

fn response(hop: &Hop, how: HttpDebug) -> Option<String> {
    let (headers, content) = hop.received.as_ref()?;
    let protocol = hop.protocol.map(|protocol| protocol.to_string()).unwrap_or_default();
    let mut text = format!("{protocol} {}\n", hop.status.unwrap_or(0));
    lines(&mut text, headers);
    body(&mut text, content, how);
    Some(text)
}

fn lines(text: &mut String, headers: &Headers) {
    for (name, value) in headers.iter() {
        let _ = writeln!(text, "{name}: {value}");
    }
}

fn body(text: &mut String, body: &[u8], how: HttpDebug) {
    text.push('\n');
    if how == HttpDebug::Full {
        text.push_str(&String::from_utf8_lossy(body));
    }
}

fn write(caller: Caller, plan: &Plan, id: &str, message: &str) {
    let (group, scenario, iteration, vu) = {
        let state = caller.inside.state();
        let vu = &state.vus[caller.vu as usize];
        let iteration = vu.iteration().map(|iteration| iteration.to_string()).unwrap_or_default();
        (vu.tags.group().to_owned(), vu.scenario(), iteration, vu.number.to_string())
    };
    let mut fields: Vec<(&str, &str)> =
        plan.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend([
        ("group", group.as_str()),
        ("iter", &iteration),
        ("request_id", id),
        ("scenario", scenario.as_deref().unwrap_or_default()),
        ("source", "http-debug"),
        ("vu", &vu),
    ]);
    caller.inside.group().shared.log.write(&Record { level: Level::Info, message, fields: &fields });
}
