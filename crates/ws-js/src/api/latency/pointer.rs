//! The value at a JSON pointer (RFC 6901) of a text, found without building anything of the text.

use memchr::memchr2;

/// A JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    name: Box<[u8]>,
    /// For arrays, if it is an index.
    index: Option<usize>,
}

/// A value that can be an id.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Id<'a> {
    /// A string as it stands between its quotes, without escapes.
    Text(&'a [u8]),
    /// A string with its escapes undone.
    Unescaped(Vec<u8>),
    /// A whole number, as it is written.
    Whole(&'a [u8]),
    /// Another number.
    Number(f64),
}

impl Pointer {
    /// `None` if it is none: it begins with a slash, and a tilde in it is followed by 0 or 1.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let tokens = text.strip_prefix('/')?.split('/').map(Token::parse);
        tokens.collect::<Option<_>>().map(Self)
    }

    /// The string or number at this place. Of equal names in an object the first counts, and what comes after the
    /// value is not looked at.
    pub(super) fn find<'a>(&self, text: &'a [u8]) -> Option<Id<'a>> {
        let mut scan = Scan { text, at: 0 };
        for token in &self.0 {
            match scan.next()? {
                b'{' => scan.enter_member(&token.name)?,
                b'[' => scan.enter_element(token.index?)?,
                _ => return None,
            }
        }
        scan.id()
    }
}

impl Token {
    fn parse(text: &str) -> Option<Self> {
        let mut name = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            name.push(match byte {
                b'~' => match bytes.next()? {
                    b'0' => b'~',
                    b'1' => b'/',
                    _ => return None,
                },
                byte => byte,
            });
        }
        let is_index = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
        Some(Self { name: name.into(), index: if is_index { text.parse().ok() } else { None } })
    }
}

/// A place in a text. `None` of its methods means that the text is no JSON, or that there is no such value.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// The next byte that is no white space, without taking it.
    fn next(&mut self) -> Option<u8> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    /// Takes the next byte that is no white space, if it is `byte`.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.at += 1)
    }

    /// From an object to the value of its member `name`.
    fn enter_member(&mut self, name: &[u8]) -> Option<()> {
        self.take(b'{')?;
        loop {
            self.next()?;
            let (raw, escaped) = self.string()?;
            let found = if escaped { unescape(raw)? == name } else { raw == name };
            self.take(b':')?;
            if found {
                return Some(());
            }
            self.skip()?;
            self.take(b',')?;
        }
    }

    /// From an array to its element `index`.
    fn enter_element(&mut self, index: usize) -> Option<()> {
        self.take(b'[')?;
        for _ in 0..index {
            self.skip()?;
            self.take(b',')?;
        }
        Some(())
    }

    /// Takes a string: what is between the quotes, and whether there are escapes in it.
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        if *self.text.get(self.at)? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let (mut end, mut escaped) = (start, false);
        loop {
            end += memchr2(b'"', b'\\', self.text.get(end..)?)?;
            if self.text[end] == b'"' {
                self.at = end + 1;
                return Some((&self.text[start..end], escaped));
            }
            escaped = true;
            end += 2;
        }
    }

    /// Takes a value of any kind, however deep.
    fn skip(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.next()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b',' | b':' => return None,
                _ => self.at += self.word().len(),
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// What stands here up to the next delimiter: a number, `true`, `false`, `null`.
    fn word(&self) -> &'a [u8] {
        let rest = &self.text[self.at..];
        let is_end = |byte: &u8| {
            matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\n' | b'\r')
        };
        &rest[..rest.iter().position(is_end).unwrap_or(rest.len())]
    }

    fn id(&mut self) -> Option<Id<'a>> {
        match self.next()? {
            b'"' => match self.string()? {
                (raw, false) => Some(Id::Text(raw)),
                (raw, true) => {
                    let text = unescape(raw)?;
                    Some(Id::Unescaped(text))
                }
            },
            b'-' | b'0'..=b'9' => number(self.word()),
            _ => None,
        }
    }
}

/// A number as it can be compared: servers write 7 as 7.0, too, but no double holds a long id.
fn number(word: &[u8]) -> Option<Id<'_>> {
    let digits = word.strip_prefix(b"-").unwrap_or(word);
    if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) {
        return Some(Id::Whole(if digits == b"0" { digits } else { word }));
    }
    let number: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    number.is_finite().then_some(Id::Number(number))
}

/// The text of a string with escapes. A lone half of a surrogate pair becomes U+FFFD.
fn unescape(raw: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        let (&escape, after) = rest.split_first()?;
        rest = after;
        text.push(match escape {
            b'"' | b'\\' | b'/' => escape,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let mut unit = unit(&mut rest)?;
                if (0xD800..0xDC00).contains(&unit)
                    && let Some(mut low) = rest.strip_prefix(b"\\u")
                    && let Some(half @ 0xDC00..0xE000) = self::unit(&mut low)
                {
                    rest = low;
                    unit = 0x10000 + (unit - 0xD800) * 0x400 + (half - 0xDC00);
                }
                let character = char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        });
    }
    Some(text)
}

/// Takes four hexadecimal digits.
fn unit(rest: &mut &[u8]) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(4)?;
    *rest = after;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find<'a>(pointer: &str, text: &'a str) -> Option<Id<'a>> {
        Pointer::parse(pointer).expect("a pointer").find(text.as_bytes())
    }

    fn text(text: &str) -> Option<Id<'_>> {
        Some(Id::Text(text.as_bytes()))
    }

    #[test]
    fn pointers_begin_with_a_slash_and_escape_with_a_tilde() {
        for bad in ["", "id", "#/id", "/a~", "/a~2", "/~x/b"] {
            assert_eq!(Pointer::parse(bad), None, "{bad}");
        }
        for good in ["/", "/id", "/a~1b/m~0n", "/0/é", "/~01"] {
            assert!(Pointer::parse(good).is_some(), "{good}");
        }
    }

    #[test]
    fn the_examples_of_rfc_6901() {
        let document = r#"{ "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
            "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8 }"#;
        let whole = |text: &'static str| Some(Id::Whole(text.as_bytes()));
        for (pointer, value) in [
            ("/foo", None),
            ("/foo/0", text("bar")),
            ("/foo/1", text("baz")),
            ("/foo/2", None),
            ("/foo/-", None),
            ("/foo/01", None),
            ("/", whole("0")),
            ("/a~1b", whole("1")),
            ("/c%d", whole("2")),
            ("/e^f", whole("3")),
            ("/g|h", whole("4")),
            ("/i\\j", whole("5")),
            ("/k\"l", whole("6")),
            ("/ ", whole("7")),
            ("/m~0n", whole("8")),
        ] {
            assert_eq!(find(pointer, document), value, "{pointer}");
        }
    }

    #[test]
    fn values_are_skipped_whatever_they_contain() {
        let document = r#"{"a":{"id":1,"b":[{"id":2},"}]\"",[]]},"s":"\\","t" : true,"n":null,"x":-1.5e3,"e":{},"msg":[[],{"id":"it"}]}"#;
        assert_eq!(find("/msg/1/id", document), text("it"));
        assert_eq!(find("/a/id", document), Some(Id::Whole(b"1")));
        assert_eq!(find("/a/b/0/id", document), Some(Id::Whole(b"2")));
        assert_eq!(find("/x", document), Some(Id::Number(-1500.0)));
        for nothing in ["/id", "/t", "/n", "/e", "/e/x", "/msg", "/a/id/x", "/s/x"] {
            assert_eq!(find(nothing, document), None, "{nothing}");
        }
    }

    #[test]
    fn what_is_no_json_has_no_id() {
        for broken in [
            "",
            " ",
            "{",
            "[",
            "{\"",
            "{\"id",
            "{\"id\"",
            "{\"id\":",
            "{\"id\":\"",
            "{\"id\":\"\\",
            "{\"id\":}",
            "{\"x\":1 \"id\":1}",
            "{,\"id\":1}",
            "{\"x\":,\"id\":1}",
            "{\"x\":],\"id\":1}",
            "{\"id\":-}",
            "{\"id\":1e999}",
            "{\"id\":\"\\x\"}",
            "{\"id\":\"\\u12\"}",
            "id",
            "\"id\"",
            "{\"\\q\":1,\"id\":1}",
            "[1]",
        ] {
            assert_eq!(find("/id", broken), None, "{broken}");
        }
    }

    #[test]
    fn names_and_texts_are_compared_without_their_escapes() {
        assert_eq!(find("/id", r#"{"\u0069d":"a\u0062\n"}"#), Some(Id::Unescaped(b"ab\n".to_vec())));
        let smile = Some(Id::Unescaped("😀\u{FFFD}x".into()));
        assert_eq!(find("/id", r#"{"id":"\uD83D\uDE00\uD800x"}"#), smile);
    }

    #[test]
    fn long_ids_keep_all_their_digits() {
        assert_eq!(find("/id", r#"{"id":9007199254740993}"#), Some(Id::Whole(b"9007199254740993")));
        assert_eq!(find("/id", r#"{"id":-0}"#), Some(Id::Whole(b"0")));
        assert_eq!(find("/id", r#"{"id":7.0}"#), Some(Id::Number(7.0)));
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let name = "[a-c~/\"\\\\é]{0,2}";
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((name, inner), 0..4)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever serde_json says is at a pointer.
        #[test]
        fn agrees_with_a_parser(document in json(), tokens in prop::collection::vec("[a-c0-3~/\"\\\\é]{0,2}", 1..4), pretty: bool) {
            let pointer: String =
                tokens.iter().map(|token| format!("/{}", token.replace('~', "~0").replace('/', "~1"))).collect();
            let text = if pretty {
                serde_json::to_string_pretty(&document).unwrap()
            } else {
                document.to_string()
            };
            let found = find(&pointer, &text).map(|id| match id {
                Id::Text(text) => serde_json::Value::from(str::from_utf8(text).unwrap()),
                Id::Unescaped(text) => serde_json::Value::from(String::from_utf8(text).unwrap()),
                Id::Whole(digits) => serde_json::from_slice(digits).unwrap(),
                Id::Number(number) => number.into(),
            });
            let expected = document.pointer(&pointer).filter(|value| value.is_string() || value.is_number());
            prop_assert_eq!(found.as_ref(), expected);
        }

        #[test]
        fn nothing_makes_it_panic(text in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\u01d8 -e.a"[..]), 0..40)) {
            let _ = Pointer::parse("/a/0").unwrap().find(&text);
        }
    }
}
