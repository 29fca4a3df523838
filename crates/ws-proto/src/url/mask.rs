//! What of an address is nobody's business: passwords, and on request the values of its query.

use std::borrow::Cow;
use std::ops::Range;

use super::escape::quote;

/// What stands where something is hidden.
const MASK: &str = "xxxxx";

/// The text with its password as `xxxxx`, for logs, tags and errors.
///
/// Any text may be given. In one that is no URL because its password holds a `/`, `?` or `#` as it is, all up to the
/// last `@` is hidden.
///
/// # Examples
///
/// ```
/// assert_eq!(ws_proto::mask_password("wss://me:secret@host/?q"), "wss://me:xxxxx@host/?q");
/// assert_eq!(ws_proto::mask_password("wss://me:se/cret@host"), "wss://me:xxxxx@host");
/// assert_eq!(ws_proto::mask_password("wss://host:80/@me"), "wss://host:80/@me");
/// ```
pub fn mask_password(text: &str) -> Cow<'_, str> {
    match password(text) {
        Some(Range { start, end }) => Cow::Owned(format!("{}{MASK}{}", &text[..start], &text[end..])),
        None => Cow::Borrowed(text),
    }
}

/// The text with the values of its query as `xxxxx`; a part without a name is a value, too. What stands behind `#`
/// stays.
///
/// # Examples
///
/// ```
/// assert_eq!(ws_proto::mask_query("ws://h/a?token=1&room=&7#x"), "ws://h/a?token=xxxxx&room=&xxxxx#x");
/// ```
pub fn mask_query(text: &str) -> Cow<'_, str> {
    let (url, fragment) = text.split_at(text.find('#').unwrap_or(text.len()));
    let Some((before, query)) = url.split_once('?').filter(|(_, query)| !query.is_empty()) else {
        return Cow::Borrowed(text);
    };
    let mut masked = format!("{before}?");
    for (at, part) in query.split('&').enumerate() {
        if at > 0 {
            masked.push('&');
        }
        match part.split_once('=') {
            Some((name, "")) => masked.extend([name, "="]),
            Some((name, _)) => masked.extend([name, "=", MASK]),
            None if part.is_empty() => {}
            None => masked.push_str(MASK),
        }
    }
    masked.push_str(fragment);
    Cow::Owned(masked)
}

/// Where the password is in a text that may be a URL.
fn password(text: &str) -> Option<Range<usize>> {
    let last = text.rfind('@')?;
    let slashes = text[..last].find("//");
    let start = slashes.map_or(0, |at| at + 2);
    let rest = &text[start..];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let end = match authority.rfind('@') {
        Some(at) => start + at,
        None if slashes.is_some() && has_port_or_none(authority) => return None,
        None => last,
    };
    let colon = start + text[start..end].find(':')?;
    Some(colon + 1..end).filter(|password| !password.is_empty())
}

/// Whether what follows a host, if anything, is a port: else it may be the beginning of a password.
fn has_port_or_none(authority: &str) -> bool {
    let after = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    match after.split_once(':') {
        Some((_, port)) => port.is_empty() || port.parse::<u16>().is_ok(),
        None => true,
    }
}

/// A reason for refusing `url`, without what it quotes of a password.
pub(super) fn reason(reason: String, url: &str) -> String {
    let (Some(from), Some(to)) = (reason.find('"'), reason.rfind('"')) else { return reason };
    match shows(url, reason.get(from + 1..to).unwrap_or_default()) {
        true => reason,
        false => format!("{}\"{MASK}\"{}", &reason[..from], &reason[to + 1..]),
    }
}

/// A piece of `url`, if it is none of the password.
pub(super) fn piece(piece: String, url: &str) -> String {
    if shows(url, &piece) { piece } else { MASK.to_owned() }
}

/// Whether a piece, perhaps with escapes, still stands in `url` without its password.
fn shows(url: &str, piece: &str) -> bool {
    match mask_password(url) {
        Cow::Borrowed(_) => true,
        Cow::Owned(masked) => quote(&masked).contains(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords() {
        for (text, masked) in [
            ("ws://u:p@h", "ws://u:xxxxx@h"),
            ("ws://u:p:q@h:1/x:y@z", "ws://u:xxxxx@h:1/x:y@z"),
            ("ws://u:p@q@h/", "ws://u:xxxxx@h/"),
            ("ws://u:a b\u{1}@h/", "ws://u:xxxxx@h/"),
            ("ws://:p@[::1]:7/", "ws://:xxxxx@[::1]:7/"),
            ("//u:p@h", "//u:xxxxx@h"),
            ("http://u:p@h", "http://u:xxxxx@h"),
            // What ends the host is part of the password.
            ("ws://u:p/q@h", "ws://u:xxxxx@h"),
            ("ws://u:p?q@h?x", "ws://u:xxxxx@h?x"),
            ("ws://u:p#q@h", "ws://u:xxxxx@h"),
            ("ws://u:70000/q@h", "ws://u:xxxxx@h"),
            // There is no `//`, or not where it should be.
            ("u:p@h", "u:xxxxx@h"),
            ("ws:u:p@h", "ws:xxxxx@h"),
            ("ws:/u:p@h/a//b", "ws:xxxxx@h/a//b"),
            ("u:80/p@h", "u:xxxxx@h"),
        ] {
            assert_eq!(mask_password(text), masked, "{text}");
        }
        for text in [
            "",
            "ws://h",
            "ws://u@h/",
            "ws://u:@h/",
            "ws://h/a:b@c",
            "ws://h:80/@x",
            "ws://h:/a@x",
            "ws://[::1]:7/a@x",
            "ws://h?a:b@c",
            "h/@x",
        ] {
            assert_eq!(mask_password(text), text);
        }
    }

    #[test]
    fn queries() {
        for (text, masked) in [
            ("ws://h/?a=1", "ws://h/?a=xxxxx"),
            ("ws://h?a=1&b=2=3&c=&d", "ws://h?a=xxxxx&b=xxxxx&c=&xxxxx"),
            ("?&&=x", "?&&=xxxxx"),
            ("ws://h/?a?b=1#f?g=2", "ws://h/?a?b=xxxxx#f?g=2"),
        ] {
            assert_eq!(mask_query(text), masked, "{text}");
        }
        for text in ["", "ws://h/", "ws://h/?", "ws://h/#a?b=1"] {
            assert_eq!(mask_query(text), text);
        }
    }
}
