//! What makes a message a request, and another one its answer.

use std::hash::Hasher;

use rustc_hash::FxHasher;
use ws_proto::Kind;

use super::pointer::{Id, Pointer};

/// How requests and answers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    /// An answer is of the kind of its request, and says the same.
    Echo,
    /// Every message sent is a request, and every one received the answer to the oldest that has none.
    Fifo,
    /// Both are JSON and carry the same string or number.
    Pointer {
        /// Where it is in a request.
        request: Pointer,
        /// Where it is in an answer.
        answer: Pointer,
    },
}

/// Whole numbers below are told apart by a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Rule {
    /// The id of a message that is sent, if that makes it a request. Ids are hashes: of any two of the 4096 that may be
    /// open on a socket, the chance to be taken for each other is one in 2^40.
    pub(super) fn request(&self, kind: Kind, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Pointer { request, .. } => request.find(bytes).map(|id| hash_id(&id)),
            Self::Echo | Self::Fifo => self.plain(kind, bytes),
        }
    }

    /// The id of a message that was received, if it can be an answer.
    pub(super) fn answer(&self, kind: Kind, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Pointer { answer, .. } => answer.find(bytes).map(|id| hash_id(&id)),
            Self::Echo | Self::Fifo => self.plain(kind, bytes),
        }
    }

    fn plain(&self, kind: Kind, bytes: &[u8]) -> Option<u64> {
        match self {
            Self::Echo => Some(hash(kind as u8, bytes)),
            Self::Fifo | Self::Pointer { .. } => Some(0),
        }
    }
}

fn hash_id(id: &Id<'_>) -> u64 {
    const TEXT: u8 = 0;
    const WHOLE: u8 = 1;
    const NUMBER: u8 = 2;
    match id {
        Id::Text(text) => hash(TEXT, text),
        Id::Unescaped(text) => hash(TEXT, text),
        Id::Whole(digits) => hash(WHOLE, digits),
        Id::Number(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            hash(WHOLE, (*number as i64).to_string().as_bytes())
        }
        Id::Number(number) => hash(NUMBER, &number.to_bits().to_ne_bytes()),
    }
}

fn hash(sort: u8, bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u8(sort);
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_has_kind_and_content_of_its_request() {
        let id = |kind, bytes| Rule::Echo.request(kind, bytes);
        assert_eq!(id(Kind::Text, b"a"), Rule::Echo.answer(Kind::Text, b"a"));
        let others =
            [id(Kind::Binary, b"a"), id(Kind::Text, b"b"), id(Kind::Text, b""), id(Kind::Text, b"a\0")];
        assert!(!others.contains(&id(Kind::Text, b"a")), "{others:?}");
    }

    #[test]
    fn an_id_is_the_same_however_it_is_written() {
        let pointer = |text| Pointer::parse(text).unwrap();
        let rule = Rule::Pointer { request: pointer("/id"), answer: pointer("/re/id") };
        let pairs = [
            (r#"{"id":7}"#, r#"{"re":{"id":7}}"#),
            (r#"{"id":7}"#, r#"{ "re" : { "id" : 7.0 } }"#),
            (r#"{"id":-2e3}"#, r#"{"re":{"id":-2000}}"#),
            (r#"{"id":0.5}"#, r#"{"re":{"id":5e-1}}"#),
            (r#"{"id":"a/b"}"#, r#"{"re":{"id":"a\/b"}}"#),
            (r#"{"id":12345678901234567890}"#, r#"{"re":{"id":12345678901234567890}}"#),
        ];
        for (request, answer) in pairs {
            let id = rule.request(Kind::Text, request.as_bytes());
            assert!(id.is_some());
            assert_eq!(id, rule.answer(Kind::Text, answer.as_bytes()), "{request} {answer}");
        }
        let id = |text: &str| rule.request(Kind::Text, text.as_bytes());
        assert_ne!(id(r#"{"id":7}"#), id(r#"{"id":"7"}"#));
        assert_ne!(id(r#"{"id":9007199254740992}"#), id(r#"{"id":9007199254740993}"#));
        assert_eq!(id(r#"{"id":null}"#), None);
        assert_eq!(id("hello"), None);
    }
}
