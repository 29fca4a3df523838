//! What a dial leaves behind, whatever came of it: samples and cookies.

use std::time::Instant;

use ws_loop::{DialError, DialTimings};
use ws_metrics::{Metadata, TagSetId, builtin};
use ws_proto::{CookieJar, UpgradeResponse, WsUrl};

use crate::api::ws::errors::is_out_of_descriptors;
use crate::samples::Samples;
use crate::shared::Shared;

/// What all samples of a connection have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    pub(crate) tags: TagSetId,
    pub(crate) metadata: Metadata,
    /// When the dial began.
    pub(crate) started: Instant,
}

/// `ws_sessions` and `ws_connecting`, which every dial leaves behind, and its steps if somebody wants to know.
pub(crate) fn book(shared: &Shared, samples: &mut Samples, series: Series, timings: &DialTimings) {
    let Series { tags, metadata, started } = series;
    samples.add(builtin::WS_SESSIONS, tags, metadata, started, 1.0);
    let mut add = |metric, took: std::time::Duration| {
        samples.add(metric, tags, metadata, started, took.as_secs_f64() * 1e3);
    };
    add(builtin::WS_CONNECTING, timings.total);
    if shared.settings.extended_metrics {
        for (metric, took) in [
            (builtin::WS_HANDSHAKE_DNS, timings.dns),
            (builtin::WS_HANDSHAKE_TCP, timings.connect),
            (builtin::WS_HANDSHAKE_PROXY, timings.tunnel),
            (builtin::WS_HANDSHAKE_TLS, timings.tls),
            (builtin::WS_HANDSHAKE_UPGRADE, timings.upgrade),
        ] {
            if let Some(took) = took {
                add(metric, took);
            }
        }
    }
}

/// Tells the user of failures that the whole run shares.
pub(crate) fn warn(shared: &Shared, error: &DialError) {
    if let DialError::Handshake(
        ws_proto::Error::Connect { source, .. } | ws_proto::Error::Bind { source, .. },
    ) = error
        && is_out_of_descriptors(source)
    {
        shared.warn_of_descriptors();
    }
}

/// Cookies are kept whatever the status of the answer.
pub(crate) fn store_cookies(jar: &CookieJar, url: &str, response: &UpgradeResponse) {
    let mut cookies = response.headers.get_all("Set-Cookie").peekable();
    if cookies.peek().is_some()
        && let Ok(url) = WsUrl::parse(url)
    {
        jar.store(&url, cookies);
    }
}
