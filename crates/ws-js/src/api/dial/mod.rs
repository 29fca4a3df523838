//! What the WebSocket modules have in common before there is a connection: the params that scripts give, and the
//! dial that they ask for.

mod compression;
pub(crate) mod outcome;
mod params;
mod pings;
mod time_limit;

use ws_loop::Dial;
use ws_proto::{CookieJar, DeflatePolicy, UpgradeRequest, WsUrl};

pub(crate) use self::compression::Compression;
pub(crate) use self::params::{Dialect, Params};
pub(crate) use self::pings::Pings;
use crate::api::Caller;

/// Makes the dial that `params` ask for, with the cookies of `jar`. Nothing is sent yet, so a module can still add to the request.
///
/// # Errors
///
/// Why nothing can be dialled, in k6's words: a header that the handshake sets itself, no usable TLS or proxy.
pub(crate) fn dial(caller: Caller, url: WsUrl, params: &Params, jar: &CookieJar) -> Result<Dial, String> {
    let Caller { inside, vu } = caller;
    let shared = &inside.group().shared;
    let mut request = UpgradeRequest::new();
    request.user_agent(Some(&shared.settings.user_agent));
    // Without an offer, too: a server that answers what it was not asked is judged by k6's rule.
    request.deflate_policy(DeflatePolicy::K6);
    if let Some(Compression { offer, policy }) = params.compression {
        request.deflate(Some(offer)).deflate_policy(policy);
    }
    if let Some(cookies) = jar.header_for(&url) {
        request.cookie(cookies);
    }
    for (name, value) in &params.headers {
        request.header(name, value).map_err(|error| format!("websocket: {error}"))?;
    }
    let tls = match url.is_tls() {
        true => Some(shared.tls()?),
        false => None,
    };
    let mut limits = shared.settings.limits.clone();
    limits.connect_timeout = params.connect_timeout.unwrap_or(limits.connect_timeout);
    limits.handshake_timeout = params.handshake_timeout.unwrap_or(limits.handshake_timeout);
    // A longer one could not be shown to the script.
    limits.max_message = limits.max_message.min(v8::String::MAX_LENGTH as u64);
    let arrivals = shared.settings.extended_metrics || params.latency.is_some();
    let local = {
        let mut state = inside.state();
        let this = &mut state.vus[vu as usize];
        let nth = this.next_address();
        shared.local_ip(this.number, nth)
    };
    let proxy = shared.settings.proxies.find(&url).map_err(|error| error.to_string())?.cloned();
    Ok(Dial { request, tls, limits, local, proxy, arrivals, ..Dial::new(url) })
}
