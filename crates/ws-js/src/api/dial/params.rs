//! The params of a connection, which both WebSocket modules read from an object of the script.

use std::sync::Arc;
use std::time::Duration;

use ws_proto::CookieJar;

use super::compression::{self, Compression};
use super::time_limit;
use crate::api::latency::Latency;
use crate::api::tags::read_tags;
use crate::api::{entries, http};
use crate::binding::{Native, Throw};
use crate::convert;

/// See [`Params::close_timeout_ms`], unless the script says otherwise.
const CLOSE_TIMEOUT_MS: u32 = 30_000;

/// What both modules' params may say.
#[derive(Debug, Default)]
pub(crate) struct Params {
    /// In the order of the object's keys.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) tags: Vec<(String, String)>,
    /// `None`: the VU's.
    pub(crate) jar: Option<Arc<CookieJar>>,
    /// `None`: no compression is offered.
    pub(crate) compression: Option<Compression>,
    /// What to measure of messages.
    pub(crate) latency: Option<Latency>,
    /// Time limits other than the run's.
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) handshake_timeout: Option<Duration>,
    /// How long the peer may take to read what was sent before the end, and to answer the close frame.
    close_timeout: Option<Duration>,
}

/// How strictly a module reads, and what it calls the params in its errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    /// What a text about bad tags begins with.
    pub(crate) bad_tags: &'static str,
    /// Whether a blank `compression` means none, and is no mistake.
    pub(crate) blank_compression: bool,
}

impl Params {
    /// Reads `value`, key by key. No value and primitives say nothing; what neither module knows goes to `other`.
    ///
    /// # Errors
    ///
    /// What k6 throws for bad tags and for an unknown compression, in words of our own what is wrong with
    /// `compressionOptions`, time limits or `latency`, and whatever `other` gives.
    pub(crate) fn read<'s, 'i>(
        scope: &mut v8::PinScope<'s, 'i>,
        value: v8::Local<'s, v8::Value>,
        dialect: Dialect,
        mut other: impl FnMut(&mut v8::PinScope<'s, 'i>, &str, v8::Local<'s, v8::Value>) -> Native,
    ) -> Native<Self> {
        let mut params = Self::default();
        if value.is_null_or_undefined() {
            return Ok(params);
        }
        let mut options = None;
        // A string is its characters by index, other primitives have no keys.
        let object = value.to_object(scope).ok_or(Throw::Pending)?;
        for (key, value) in entries(scope, object)? {
            match key.as_str() {
                "headers" if value.is_null_or_undefined() => (),
                "headers" => params.headers = read_headers(scope, value)?,
                "tags" if value.is_null_or_undefined() => (),
                "tags" => {
                    params.tags = read_tags(scope, value).map_err(|error| match error {
                        Throw::Go(text) => Throw::Go(format!("{}: {text}", dialect.bad_tags)),
                        other => other,
                    })?;
                }
                // Anything but a jar is ignored.
                "jar" => params.jar = http::jar_of(scope, value),
                "compression" => {
                    params.compression = compression::read(scope, value, dialect.blank_compression)?;
                }
                "connectTimeout" => params.connect_timeout = time_limit::read(scope, &key, value)?,
                "handshakeTimeout" => params.handshake_timeout = time_limit::read(scope, &key, value)?,
                "closeTimeout" => params.close_timeout = time_limit::read(scope, &key, value)?,
                "compressionOptions" if value.is_null_or_undefined() => (),
                "compressionOptions" => options = Some(value),
                "latency" => params.latency = Latency::read(scope, value)?,
                key => other(scope, key, value)?,
            }
        }
        if let Some(options) = options {
            params.compression = Some(compression::read_options(scope, options, params.compression)?);
        }
        Ok(params)
    }

    /// How long the end of a session may take, in milliseconds.
    pub(crate) fn close_timeout_ms(&self) -> u32 {
        self.close_timeout
            .map_or(CLOSE_TIMEOUT_MS, |limit| u32::try_from(limit.as_millis()).unwrap_or(u32::MAX).max(1))
    }
}

fn read_headers<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Native<Vec<(String, String)>> {
    let headers = value.to_object(scope).ok_or(Throw::Pending)?;
    entries(scope, headers)?
        .into_iter()
        .map(|(name, value)| Ok((name, convert::to_text(scope, value)?)))
        .collect()
}
