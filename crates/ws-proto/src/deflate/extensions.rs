//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1).

use std::borrow::Cow;

use crate::headers::is_token;

/// One element of the list: a name, and parameters with or without a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub(super) name: &'a str,
    pub(super) parameters: Vec<(&'a str, Option<Cow<'a, str>>)>,
}

/// Reads the list up to its end or to where the grammar is left; says which of the two it was.
pub(super) fn parse(header: &str) -> (Vec<Extension<'_>>, bool) {
    let mut found = Vec::new();
    let mut scanner = Scanner(header);
    loop {
        scanner.space();
        // Empty elements are allowed (RFC 9110 section 5.6.1).
        if scanner.eat(',') {
            continue;
        }
        if scanner.0.is_empty() {
            return (found, true);
        }
        let Some(extension) = scanner.extension() else { return (found, false) };
        scanner.space();
        if !scanner.0.is_empty() && !scanner.eat(',') {
            return (found, false);
        }
        found.push(extension);
    }
}

struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn eat(&mut self, expected: char) -> bool {
        self.0.strip_prefix(expected).map(|rest| self.0 = rest).is_some()
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self.0.find([' ', '\t', ',', ';', '=', '"']).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        is_token(token).then_some(token)
    }

    fn extension(&mut self) -> Option<Extension<'a>> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        loop {
            self.space();
            if !self.eat(';') {
                return Some(Extension { name, parameters });
            }
            self.space();
            let parameter = self.token()?;
            self.space();
            let value = if self.eat('=') {
                self.space();
                Some(self.value()?)
            } else {
                None
            };
            parameters.push((parameter, value));
        }
    }

    /// A token, or a quoted string that would be one without its quotes.
    fn value(&mut self) -> Option<Cow<'a, str>> {
        if !self.eat('"') {
            return self.token().map(Cow::Borrowed);
        }
        let mut value = String::new();
        let mut chars = self.0.char_indices();
        loop {
            match chars.next()? {
                (end, '"') => {
                    self.0 = &self.0[end + 1..];
                    return is_token(&value).then_some(Cow::Owned(value));
                }
                (_, '\\') => value.push(chars.next()?.1),
                (_, c) => value.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(header: &str) -> (Vec<String>, bool) {
        let (found, complete) = parse(header);
        let show = |extension: &Extension<'_>| {
            let mut text = extension.name.to_owned();
            for (name, value) in &extension.parameters {
                text +=
                    &value.as_ref().map_or_else(|| format!(";{name}"), |value| format!(";{name}={value}"));
            }
            text
        };
        (found.iter().map(show).collect(), complete)
    }

    #[test]
    fn lists() {
        let table: [(&str, &[&str], bool); 14] = [
            ("", &[], true),
            (" , ,", &[], true),
            ("a", &["a"], true),
            ("a;b;c=1", &["a;b;c=1"], true),
            (" a ; b = \"1\\0\" \t; c , d", &["a;b=10;c", "d"], true),
            ("a, , b", &["a", "b"], true),
            ("a b", &[], false),
            ("a;", &[], false),
            ("a; ;b", &[], false),
            ("a;b=", &[], false),
            ("a;b=\"\"", &[], false),
            ("a;b=\"1", &[], false),
            ("a, b;c=\"1 0\"", &["a"], false),
            ("a, =", &["a"], false),
        ];
        for (header, expected, complete) in table {
            assert_eq!(
                shown(header),
                (expected.iter().map(|&e| e.to_owned()).collect(), complete),
                "{header:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn anything_is_survived(header in "[ab;=,\" \\\\\u{fc}\t]{0,20}") {
            let (found, complete) = parse(&header);
            prop_assert!(complete || found.len() <= header.len());
        }
    }
}
