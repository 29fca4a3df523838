//! Failures of TLS in k6's words.

use ws_proto::rustls::{AlertDescription, Error};

/// What scripts are told of a failure that no certificate is to blame for.
pub(in crate::api) fn of(error: &Error) -> String {
    match error {
        Error::InvalidMessage(_) => "tls: first record does not look like a TLS handshake".to_owned(),
        Error::InvalidCertificate(why) => format!("tls: failed to verify certificate: x509: {why}"),
        Error::AlertReceived(alert) => match alert_text(*alert) {
            Some(text) => format!("remote error: tls: {text}"),
            None => format!("remote error: tls: alert({})", u8::from(*alert)),
        },
        other => format!("tls: {other}"),
    }
}

/// The alerts of RFC 8446 section 6 and its predecessors, as k6 shows them.
fn alert_text(alert: AlertDescription) -> Option<&'static str> {
    Some(match u8::from(alert) {
        10 => "unexpected message",
        20 => "bad record MAC",
        21 => "decryption failed",
        22 => "record overflow",
        30 => "decompression failure",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "revoked certificate",
        45 => "expired certificate",
        46 => "unknown certificate",
        47 => "illegal parameter",
        48 => "unknown certificate authority",
        49 => "access denied",
        50 => "error decoding message",
        51 => "error decrypting message",
        60 => "export restriction",
        70 => "protocol version not supported",
        71 => "insufficient security level",
        80 => "internal error",
        86 => "inappropriate fallback",
        90 => "user canceled",
        100 => "no renegotiation",
        109 => "missing extension",
        110 => "unsupported extension",
        111 => "certificate unobtainable",
        112 => "unrecognized name",
        113 => "bad certificate status response",
        114 => "bad certificate hash value",
        115 => "unknown PSK identity",
        116 => "certificate required",
        120 => "no application protocol",
        121 => "encrypted client hello required",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_read_as_in_k6() {
        let text = |code: u8| of(&Error::AlertReceived(AlertDescription::from(code)));
        assert_eq!(text(40), "remote error: tls: handshake failure");
        assert_eq!(text(70), "remote error: tls: protocol version not supported");
        assert_eq!(text(41), "remote error: tls: alert(41)");
    }
}
