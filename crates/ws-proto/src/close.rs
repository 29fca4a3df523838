//! Close frames: codes and reasons (RFC 6455 sections 5.5.1 and 7.4).

use crate::frame::MAX_CONTROL;
use crate::message::{CloseFrame, Violation};

/// Reads a received payload. Less than two bytes are no code, as k6 sees it; if `strict`, one byte is a violation.
pub(crate) fn parse(payload: &[u8], strict: bool) -> Result<Option<CloseFrame>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if strict && !payload.is_empty() { Err(Violation::HalfCloseCode) } else { Ok(None) };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_received(code) {
        return Err(Violation::BadCloseCode(code));
    }
    let reason = str::from_utf8(reason).map_err(|_| Violation::CloseReasonNotUtf8)?;
    Ok(Some(CloseFrame { code, reason: reason.to_owned() }))
}

/// Appends code and reason; a reason that is too long for a control frame is cut between two characters.
pub(crate) fn encode(code: u16, reason: &str, out: &mut Vec<u8>) {
    let cut = reason.floor_char_boundary(MAX_CONTROL - 2);
    out.extend(code.to_be_bytes());
    out.extend(&reason.as_bytes()[..cut]);
}

fn may_be_received(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1013 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        let valid = [1000, 1001, 1002, 1003, 1007, 1008, 1010, 1011, 1012, 1013, 3000, 4999];
        let invalid: [u16; 10] = [0, 999, 1004, 1005, 1006, 1014, 1015, 2999, 5000, 65535];
        for code in valid {
            let frame = CloseFrame { code, reason: String::new() };
            assert_eq!(parse(&code.to_be_bytes(), true), Ok(Some(frame)));
        }
        for code in invalid {
            assert_eq!(parse(&code.to_be_bytes(), true), Err(Violation::BadCloseCode(code)));
        }
    }

    #[test]
    fn short_and_broken_payloads() {
        assert_eq!(parse(b"", true), Ok(None));
        assert_eq!(parse(b"\x03", false), Ok(None));
        assert_eq!(parse(b"\x03", true), Err(Violation::HalfCloseCode));
        assert_eq!(parse(b"\x03\xe8\xff", false), Err(Violation::CloseReasonNotUtf8));
    }

    #[test]
    fn long_reasons_are_cut_between_characters() {
        let mut out = Vec::new();
        encode(1000, &"ü".repeat(80), &mut out);
        assert_eq!(out.len(), 2 + 122);
        assert_eq!(parse(&out, true).unwrap().unwrap().reason, "ü".repeat(61));
    }
}
