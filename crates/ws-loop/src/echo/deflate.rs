//! Compression without compressing (RFC 7692): what a client has compressed goes back as it came.
//!
//! The bytes of a client's messages, in their order, are what a compressor of the server's would be allowed to send:
//! the client unpacks them with the very memory that it had when it packed them. So an offer is taken if both
//! directions can have the same parameters.

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The answer to the value of `Sec-WebSocket-Extensions`: agrees to the first offer that can be taken.
pub(super) fn agree(offers: &str) -> Option<String> {
    offers.split(',').find_map(agree_to)
}

fn agree_to(offer: &str) -> Option<String> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let mut alone = false;
    let (mut server_bits, mut client_bits) = (None, None);
    for parameter in parts {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(bits(value)?)),
            None => (parameter, None),
        };
        match (name, value) {
            (SERVER_NO_CONTEXT_TAKEOVER | CLIENT_NO_CONTEXT_TAKEOVER, None) => alone = true,
            (SERVER_MAX_WINDOW_BITS, Some(bits)) if server_bits.is_none() => server_bits = Some(bits),
            (CLIENT_MAX_WINDOW_BITS, bits) if client_bits.is_none() => client_bits = Some(bits.unwrap_or(15)),
            // RFC 7692 section 7.1: whoever does not know a parameter declines the offer.
            _ => return None,
        }
    }
    let mut answer = "permessage-deflate".to_owned();
    if alone {
        answer += &format!("; {SERVER_NO_CONTEXT_TAKEOVER}; {CLIENT_NO_CONTEXT_TAKEOVER}");
    }
    if let Some(server) = server_bits {
        // The client must not refer further back than the server may, and only who has said so can be told.
        let client = client_bits?.min(server);
        answer += &format!("; {SERVER_MAX_WINDOW_BITS}={server}; {CLIENT_MAX_WINDOW_BITS}={client}");
    }
    Some(answer)
}

fn bits(value: &str) -> Option<u8> {
    let value = value.trim_start().trim_matches('"');
    value.parse().ok().filter(|bits| (8..=15).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::agree;

    #[test]
    fn answers() {
        let alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        for (offers, answer) in [
            ("permessage-deflate", Some("permessage-deflate")),
            (alone, Some(alone)),
            ("permessage-deflate;client_no_context_takeover", Some(alone)),
            ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
            ("permessage-deflate; client_max_window_bits=9", Some("permessage-deflate")),
            (
                "permessage-deflate; server_max_window_bits=\"10\"; client_max_window_bits",
                Some("permessage-deflate; server_max_window_bits=10; client_max_window_bits=10"),
            ),
            (
                "permessage-deflate; client_max_window_bits = 9; server_max_window_bits = 10",
                Some("permessage-deflate; server_max_window_bits=10; client_max_window_bits=9"),
            ),
            ("x-other, permessage-deflate; x, permessage-deflate", Some("permessage-deflate")),
            ("permessage-deflate; server_max_window_bits=10", None),
            ("permessage-deflate; server_max_window_bits=7; client_max_window_bits", None),
            ("permessage-deflate; server_max_window_bits; client_max_window_bits", None),
            ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
            ("permessage-deflate; server_no_context_takeover=1", None),
            ("permessage-deflate;", None),
            ("x-other", None),
            ("", None),
        ] {
            assert_eq!(agree(offers).as_deref(), answer, "{offers}");
        }
    }
}
