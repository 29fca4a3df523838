//! `new WebSocket(url, protocols, params)`: checks everything, starts the dial, and returns at once.

use std::sync::Arc;
use std::time::Instant;

use ws_metrics::SystemTag;
use ws_proto::{UrlSpelling, WsUrl};

use super::object::{self, Shapes, field};
use super::sockets::{At, Ready, Socket};
use crate::api::Caller;
use crate::api::dial::{self, Dialect, Params, Pings};
use crate::api::latency::Tracker;
use crate::binding::{Native, Throw};
use crate::convert;
use crate::faults::{FaultPhase, FaultReason};
use crate::shared::Compat;
use crate::vu::address::{Address, Part};
use crate::vu::inbox;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

/// The header that lists subprotocols, by its canonical name.
const PROTOCOL: &str = "Sec-Websocket-Protocol";

const DIALECT: Dialect = Dialect { bad_tags: "invalid WebSocket tags option", blank_compression: false };

/// The constructor; it works without `new`, too.
pub(super) fn construct<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    if !arguments.is_construct_call() {
        let given: Vec<_> = (0..arguments.length()).map(|index| arguments.get(index)).collect();
        return Shapes::class(scope).new_instance(scope, &given).ok_or(Throw::Pending);
    }
    let caller = Caller::in_vu_code("using websockets in the init context is not supported")?;
    let object = arguments.this();
    let url = read_url(scope, arguments.get(0), caller)?;
    let params = Params::read(scope, arguments.get(2), DIALECT, |_, key, _| {
        Err(Throw::Go(format!("unknown WebSocket's option {key}")))
    })?;
    let protocols = read_protocols(scope, arguments.get(1))?;

    object::begin(scope, object, &url, arguments.new_target());
    let object_kept = v8::Global::new(scope, object);

    let at = add(caller, object_kept, &url, &params);
    let serial = v8::Integer::new_from_unsigned(scope, at.serial);
    object.set_internal_field(field::SERIAL, serial.into());
    if let Err(text) = at.dial(&url, &params, protocols.as_deref()) {
        let shared = &caller.inside.group().shared;
        // One of a run that is over was only too late.
        if !caller.inside.state().vus[caller.vu as usize].is_cancelled() {
            shared.book_fault((FaultPhase::Upgrade, FaultReason::BadRequest), &text, &url);
        }
        // The script hears of it when it has come back to its event loop.
        inbox::refuse(caller.inside, caller.vu, at.serial, text);
    }
    Ok(object)
}

/// Whom to follow.
pub(super) fn compat(caller: Caller) -> Compat {
    caller.inside.group().shared.settings.compat
}

/// Books the socket in, with the tags that it will have.
fn add(caller: Caller, object: v8::Global<v8::Object>, url: &str, params: &Params) -> At {
    let shared = &caller.inside.group().shared;
    let jar = params.jar.clone().unwrap_or_else(|| caller.jar());
    let mut state = caller.inside.state();
    let this = &mut state.vus[caller.vu as usize];
    let mut tags = shared.tag_sets.merge(this.tags.current(), &params.tags);
    let given = shared.tag_sets.get(tags).get("name").cloned();
    let shown = shared.presentable(url);
    let name = given.as_deref().unwrap_or(&shown);
    for (tag, key) in [(SystemTag::Url, "url"), (SystemTag::Name, "name")] {
        if shared.settings.system_tags.has(tag) {
            tags = shared.tag_sets.with(tags, key, name);
        }
    }
    let metadata = this.tags.metadata();
    let serial = this.sockets.next_serial();
    let socket = Socket {
        object,
        key: None,
        ready: Ready::Connecting,
        tags,
        metadata,
        counters: None,
        tracker: params.latency.as_ref().and_then(|latency| Tracker::new(shared, latency)),
        started: Instant::now(),
        url: url.into(),
        jar,
        buffered: 0,
        pings: Pings::default(),
        close_timeout_ms: params.close_timeout_ms(),
        closing: None,
        ending: None,
    };
    this.sockets.insert(serial, socket);
    At { caller, serial }
}

impl At {
    /// Starts the dial.
    ///
    /// # Errors
    ///
    /// Why there will be none, in k6's words.
    fn dial(self, url: &str, params: &Params, protocols: Option<&str>) -> Result<(), String> {
        let Caller { inside, vu } = self.caller;
        let shared = &inside.group().shared;
        let url = WsUrl::parse(url).map_err(|error| shared.url_fault(error))?;
        if inside.state().vus[vu as usize].is_cancelled() {
            return Err(canceled(&url));
        }
        let jar = self.with(|socket, _| Arc::clone(&socket.jar)).unwrap_or_default();
        let mut dial = dial::dial(self.caller, url, params, &jar)?;
        if let Some(protocols) = protocols {
            if dial.request.get(PROTOCOL).is_some() {
                return Err(format!("websocket: duplicate header not allowed: {PROTOCOL}"));
            }
            dial.request.header(PROTOCOL, protocols).map_err(|error| format!("websocket: {error}"))?;
        }
        let user = Address::new(vu, Part::Socket, self.serial).to_user();
        let key = inside.state().io.connect(dial, user);
        self.with(|socket, _| socket.key = Some(key));
        Ok(())
    }
}

/// What k6 says of a dial that was cut off by the end of its iteration.
pub(super) fn canceled(url: &WsUrl) -> String {
    let host = url.host();
    let port = url.port();
    match host.contains(':') {
        true => format!("dial tcp [{host}]:{port}: operation was canceled"),
        false => format!("dial tcp {host}:{port}: operation was canceled"),
    }
}

/// The address as the script will see it.
fn read_url(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
    caller: Caller,
) -> Native<String> {
    if value.is_null_or_undefined() {
        return Err(Throw::Go("WebSocket requires a url".into()));
    }
    let text = convert::to_text(scope, value)?;
    let shared = &caller.inside.group().shared;
    let unparsable = |why: String| {
        let shown = shared.presentable(&text);
        Throw::Go(format!("WebSocket requires valid url, but got \"{shown}\" which resulted in {why}"))
    };
    let text = match compat(caller) {
        Compat::K6 => text.clone(),
        Compat::Web => as_the_web_writes_it(&text).map_err(unparsable)?,
    };
    let spelling = UrlSpelling::parse(&text).map_err(|error| unparsable(shared.url_fault(error)))?;
    if !matches!(spelling.scheme.as_str(), "ws" | "wss") {
        let scheme = &spelling.scheme;
        return Err(Throw::Go(format!("WebSocket requires url with scheme ws or wss, but got \"{scheme}\"")));
    }
    if !spelling.fragment.is_empty() {
        let fragment = &spelling.fragment;
        return Err(Throw::Go(format!("WebSocket requires no url fragment, but got \"{fragment}\"")));
    }
    Ok(spelling.text)
}

/// The URL standard's own form; `http` and `https` stand for `ws` and `wss` there.
fn as_the_web_writes_it(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|error| error.to_string())?;
    let text = String::from(url);
    Ok(match text.strip_prefix("http") {
        Some(rest) => format!("ws{rest}"),
        None => text,
    })
}

/// A string, or an array of what become strings; of everything else there are none.
fn read_protocols<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Native<Option<String>> {
    if value.is_string() || value.is_string_object() {
        return convert::to_text(scope, value).map(Some);
    }
    let Ok(array) = v8::Local::<v8::Array>::try_from(value) else { return Ok(None) };
    let mut protocols = Vec::new();
    for index in 0..array.length() {
        let protocol = array.get_index(scope, index).ok_or(Throw::Pending)?;
        protocols.push(convert::to_text(scope, protocol)?);
    }
    Ok((!protocols.is_empty()).then(|| protocols.join(", ")))
}
