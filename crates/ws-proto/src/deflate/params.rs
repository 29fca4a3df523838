//! What is offered, and what is agreed on (RFC 7692 section 7.1).

use std::fmt;

use super::extensions::{self, Extension};

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// How far back a compressor may refer: 2 to the power of 8 to 15 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 32 KiB, which everybody may use unless something else is agreed on.
    pub const MAX: Self = Self(15);

    /// `None` unless `bits` is 8 to 15.
    pub fn new(bits: u8) -> Option<Self> {
        (8..=15).contains(&bits).then_some(Self(bits))
    }

    /// The exponent.
    pub fn get(self) -> u8 {
        self.0
    }

    /// RFC 7692 section 7.1.2: decimal, without leading zeros.
    fn parse(value: &str) -> Option<Self> {
        value.parse().ok().filter(|bits: &u8| bits.to_string() == value).and_then(Self::new)
    }
}

/// What a client asks for. Its `Display` is the value of `Sec-WebSocket-Extensions`.
///
/// # Examples
///
/// ```
/// use ws_proto::{DeflateOffer, WindowBits};
///
/// let k6 = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// assert_eq!(DeflateOffer::without_takeover().to_string(), k6);
///
/// assert_eq!(DeflateOffer::with_takeover().to_string(), "permessage-deflate; client_max_window_bits");
/// let mut offer = DeflateOffer::with_takeover();
/// offer.server_max_window_bits = WindowBits::new(10);
/// offer.client_max_window_bits = WindowBits::new(9);
/// assert_eq!(
///     offer.to_string(),
///     "permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeflateOffer {
    /// The server is to begin each message without a memory of those before.
    pub server_no_context_takeover: bool,
    /// We shall begin each message without a memory of those before, whether or not the server takes note of it.
    pub client_no_context_takeover: bool,
    /// The server is not to refer back any further.
    pub server_max_window_bits: Option<WindowBits>,
    /// We shall not refer back any further, and the server may set a lower bound. `None`: it must not set any.
    pub client_max_window_bits: Option<WindowBits>,
    /// How hard to compress: 0 (not at all) to 9 (as small as possible); more counts as 9. The server is not told.
    pub level: u8,
}

impl DeflateOffer {
    /// k6's: every message stands alone, at the fastest level. Connections can share their states (see
    /// [`Deflater`](crate::Deflater)), so this is what to use for very many of them.
    pub const fn without_takeover() -> Self {
        Self {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: None,
            client_max_window_bits: None,
            level: 1,
        }
    }

    /// That of a browser: messages may refer to earlier ones, and the server may bound how far back ours do. Costs
    /// a compressor (some 300 KB) and a decompressor (some 50 KB) per connection.
    pub const fn with_takeover() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: Some(WindowBits::MAX),
            level: 1,
        }
    }
}

impl fmt::Display for DeflateOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={}", bits.0)?;
        }
        match self.client_max_window_bits {
            None => Ok(()),
            Some(WindowBits::MAX) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            Some(bits) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={}", bits.0),
        }
    }
}

/// What makes a server's answer an agreement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DeflatePolicy {
    /// RFC 7692 to the letter: only what was offered, every parameter known, valid and given once.
    #[default]
    Strict,
    /// As k6 does: an answer with both no-context-takeover parameters switches compression on, offered or not; one
    /// that lacks either of them fails the handshake; other extensions and parameters are not looked at, except that
    /// a valid bound on our window is kept.
    K6,
}

/// What both sides have agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeflateAgreement {
    /// The server begins each message without a memory of those before.
    pub server_no_context_takeover: bool,
    /// So do we.
    pub client_no_context_takeover: bool,
    /// How far the server refers back at most.
    pub server_max_window_bits: WindowBits,
    /// How far we do. With the smallest window, 8, messages are sent uncompressed, which is always allowed.
    pub client_max_window_bits: WindowBits,
}

/// What is wrong with the extensions that a server has agreed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionFault {
    /// Not of the form that RFC 6455 section 9.1 gives.
    #[error("malformed header")]
    Malformed,
    /// An extension or a parameter that was not offered, and must not be in the answer then.
    #[error("{0} was not offered")]
    NotOffered(String),
    /// A parameter that permessage-deflate does not have.
    #[error("unknown parameter {0}")]
    Unknown(String),
    /// The extension or a parameter twice.
    #[error("{0} is given twice")]
    Duplicate(String),
    /// A value that is not valid, is missing or superfluous, or is more than was offered.
    #[error("bad value of {0}")]
    BadValue(&'static str),
    /// A parameter that had to be in the answer.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// What [`DeflatePolicy::K6`] finds fault with.
    #[error("{SERVER_NO_CONTEXT_TAKEOVER} and {CLIENT_NO_CONTEXT_TAKEOVER} are not both there")]
    TakesOver,
}

/// What a server's `Sec-WebSocket-Extensions` comes to.
pub(crate) fn agree(
    header: &str,
    offer: Option<&DeflateOffer>,
    policy: DeflatePolicy,
) -> Result<Option<DeflateAgreement>, ExtensionFault> {
    let (extensions, complete) = extensions::parse(header);
    if policy == DeflatePolicy::K6 {
        let mut deflate = extensions.iter().filter(|extension| extension.name == NAME);
        return deflate.next().map(as_k6).transpose();
    }
    if !complete {
        return Err(ExtensionFault::Malformed);
    }
    let mut agreed = None;
    for extension in &extensions {
        let Some(offer) = offer.filter(|_| extension.name == NAME) else {
            return Err(ExtensionFault::NotOffered(extension.name.to_owned()));
        };
        if agreed.replace(strictly(extension, offer)?).is_some() {
            return Err(ExtensionFault::Duplicate(NAME.to_owned()));
        }
    }
    Ok(agreed)
}

fn as_k6(extension: &Extension<'_>) -> Result<DeflateAgreement, ExtensionFault> {
    let has = |required| extension.parameters.iter().any(|(name, _)| *name == required);
    if !has(SERVER_NO_CONTEXT_TAKEOVER) || !has(CLIENT_NO_CONTEXT_TAKEOVER) {
        return Err(ExtensionFault::TakesOver);
    }
    let bound = extension.parameters.iter().filter(|(name, _)| *name == CLIENT_MAX_WINDOW_BITS);
    let bound = bound.filter_map(|(_, value)| value.as_deref().and_then(WindowBits::parse)).min();
    Ok(DeflateAgreement {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: WindowBits::MAX,
        client_max_window_bits: bound.unwrap_or(WindowBits::MAX),
    })
}

fn strictly(extension: &Extension<'_>, offer: &DeflateOffer) -> Result<DeflateAgreement, ExtensionFault> {
    let (mut server_alone, mut client_alone) = (None, None);
    let (mut server_bits, mut client_bits) = (None, None);
    for (name, value) in &extension.parameters {
        let value = value.as_deref();
        let flag = |name| if value.is_none() { Ok(()) } else { Err(ExtensionFault::BadValue(name)) };
        let bits = |name, most: Option<WindowBits>| {
            let bits = value.and_then(WindowBits::parse).filter(|bits| most.is_none_or(|most| *bits <= most));
            bits.ok_or(ExtensionFault::BadValue(name))
        };
        let twice = match *name {
            SERVER_NO_CONTEXT_TAKEOVER => server_alone.replace(flag(SERVER_NO_CONTEXT_TAKEOVER)?).is_some(),
            CLIENT_NO_CONTEXT_TAKEOVER => client_alone.replace(flag(CLIENT_NO_CONTEXT_TAKEOVER)?).is_some(),
            SERVER_MAX_WINDOW_BITS => {
                server_bits.replace(bits(SERVER_MAX_WINDOW_BITS, offer.server_max_window_bits)?).is_some()
            }
            CLIENT_MAX_WINDOW_BITS if offer.client_max_window_bits.is_none() => {
                return Err(ExtensionFault::NotOffered(CLIENT_MAX_WINDOW_BITS.to_owned()));
            }
            CLIENT_MAX_WINDOW_BITS => {
                client_bits.replace(bits(CLIENT_MAX_WINDOW_BITS, offer.client_max_window_bits)?).is_some()
            }
            other => return Err(ExtensionFault::Unknown(other.to_owned())),
        };
        if twice {
            return Err(ExtensionFault::Duplicate((*name).to_owned()));
        }
    }
    // RFC 7692 sections 7.1.1.1 and 7.1.2.1: what is asked of the server is accepted by naming it.
    if offer.server_no_context_takeover && server_alone.is_none() {
        return Err(ExtensionFault::Missing(SERVER_NO_CONTEXT_TAKEOVER));
    }
    if offer.server_max_window_bits.is_some() && server_bits.is_none() {
        return Err(ExtensionFault::Missing(SERVER_MAX_WINDOW_BITS));
    }
    Ok(DeflateAgreement {
        server_no_context_takeover: server_alone.is_some(),
        client_no_context_takeover: client_alone.is_some() || offer.client_no_context_takeover,
        server_max_window_bits: server_bits.unwrap_or(WindowBits::MAX),
        client_max_window_bits: client_bits.or(offer.client_max_window_bits).unwrap_or(WindowBits::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement(server_alone: bool, client_alone: bool, server: u8, client: u8) -> DeflateAgreement {
        DeflateAgreement {
            server_no_context_takeover: server_alone,
            client_no_context_takeover: client_alone,
            server_max_window_bits: WindowBits(server),
            client_max_window_bits: WindowBits(client),
        }
    }

    fn strict(parameters: &str, offer: &DeflateOffer) -> Result<Option<DeflateAgreement>, ExtensionFault> {
        agree(&format!("permessage-deflate{parameters}"), Some(offer), DeflatePolicy::Strict)
    }

    #[test]
    fn strict_agreements() {
        let (with, without) = (DeflateOffer::with_takeover(), DeflateOffer::without_takeover());
        let bounded = DeflateOffer {
            server_max_window_bits: WindowBits::new(12),
            client_max_window_bits: WindowBits::new(11),
            ..with
        };
        let table = [
            (with, "", agreement(false, false, 15, 15)),
            (with, ";server_no_context_takeover", agreement(true, false, 15, 15)),
            (with, "; client_no_context_takeover", agreement(false, true, 15, 15)),
            (with, ";client_max_window_bits=8", agreement(false, false, 15, 8)),
            (with, ";server_max_window_bits=\"9\"", agreement(false, false, 9, 15)),
            (without, ";server_no_context_takeover", agreement(true, true, 15, 15)),
            (
                without,
                "; client_no_context_takeover; server_no_context_takeover",
                agreement(true, true, 15, 15),
            ),
            (bounded, "; server_max_window_bits=12", agreement(false, false, 12, 11)),
            (
                bounded,
                "; server_max_window_bits=8; client_max_window_bits=10",
                agreement(false, false, 8, 10),
            ),
        ];
        for (offer, parameters, expected) in table {
            assert_eq!(strict(parameters, &offer), Ok(Some(expected)), "{offer} answered by {parameters}");
        }
        for header in ["", " ,"] {
            assert_eq!(agree(header, Some(&with), DeflatePolicy::Strict), Ok(None));
            assert_eq!(agree(header, None, DeflatePolicy::Strict), Ok(None));
        }
    }

    #[test]
    fn strict_refusals() {
        let (with, without) = (DeflateOffer::with_takeover(), DeflateOffer::without_takeover());
        let bounded = DeflateOffer { server_max_window_bits: WindowBits::new(12), ..with };
        let table = [
            (with, "; x", "unknown parameter x"),
            (with, "; Server_no_context_takeover", "unknown parameter Server_no_context_takeover"),
            (with, ";", "malformed header"),
            (with, "; server_max_window_bits=", "malformed header"),
            (with, ", permessage-deflate", "permessage-deflate is given twice"),
            (with, ", x-other", "x-other was not offered"),
            (with, "; server_no_context_takeover=1", "bad value of server_no_context_takeover"),
            (with, "; client_no_context_takeover=1", "bad value of client_no_context_takeover"),
            (with, "; server_max_window_bits", "bad value of server_max_window_bits"),
            (with, "; client_max_window_bits", "bad value of client_max_window_bits"),
            (with, "; client_max_window_bits=7", "bad value of client_max_window_bits"),
            (with, "; client_max_window_bits=16", "bad value of client_max_window_bits"),
            (with, "; client_max_window_bits=09", "bad value of client_max_window_bits"),
            (with, "; client_max_window_bits=+9", "bad value of client_max_window_bits"),
            (with, "; server_max_window_bits=x", "bad value of server_max_window_bits"),
            (
                with,
                "; server_max_window_bits=9; server_max_window_bits=9",
                "server_max_window_bits is given twice",
            ),
            (
                with,
                "; client_max_window_bits=9; client_max_window_bits=9",
                "client_max_window_bits is given twice",
            ),
            (
                without,
                "; server_no_context_takeover; server_no_context_takeover",
                "server_no_context_takeover is given twice",
            ),
            (without, "; client_no_context_takeover", "server_no_context_takeover is missing"),
            (
                without,
                "; server_no_context_takeover; client_max_window_bits=10",
                "client_max_window_bits was not offered",
            ),
            (bounded, "", "server_max_window_bits is missing"),
            (bounded, "; server_max_window_bits=13", "bad value of server_max_window_bits"),
        ];
        for (offer, parameters, expected) in table {
            let fault = strict(parameters, &offer).unwrap_err();
            assert_eq!(fault.to_string(), expected, "{offer} answered by {parameters}");
        }
        let unsolicited = agree(NAME, None, DeflatePolicy::Strict);
        assert_eq!(unsolicited, Err(ExtensionFault::NotOffered(NAME.to_owned())));
    }

    #[test]
    fn the_rule_of_k6() {
        let both = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let offer = DeflateOffer::without_takeover();
        for offer in [None, Some(&offer)] {
            let k6 = |header: &str| agree(header, offer, DeflatePolicy::K6);
            let alone = agreement(true, true, 15, 15);
            assert_eq!(k6(both), Ok(Some(alone)));
            assert_eq!(k6(&format!("x-other; a=1, {both}; foo, {both}")), Ok(Some(alone)));
            let bounded = format!("{both}; server_max_window_bits=9; client_max_window_bits=10");
            assert_eq!(k6(&bounded), Ok(Some(agreement(true, true, 15, 10))));
            assert_eq!(k6(&format!("{both}; client_max_window_bits")), Ok(Some(alone)));
            for nothing in ["", "x-other", "=", "x-other; ="] {
                assert_eq!(k6(nothing), Ok(None), "{nothing}");
            }
            for half in
                [NAME, &both[..both.rfind(';').unwrap()], "permessage-deflate; client_no_context_takeover"]
            {
                let fault = k6(half).unwrap_err();
                assert_eq!(
                    fault.to_string(),
                    "server_no_context_takeover and client_no_context_takeover are not both there",
                );
            }
        }
    }
}
