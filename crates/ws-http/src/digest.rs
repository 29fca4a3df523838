//! Answers to digest challenges (RFC 7616).

use digest_auth::{AuthContext, HttpMethod};

use crate::error::Error;

/// The value of `Authorization` that answers `challenge`.
pub(crate) fn answer(
    challenge: &str,
    (user, password): &(String, String),
    method: &str,
    path: &str,
    body: &[u8],
) -> Result<String, Error> {
    let bad = |error: digest_auth::Error| Error::Digest { reason: error.to_string() };
    let mut prompt = digest_auth::parse(challenge).map_err(bad)?;
    let method = HttpMethod::from(method);
    let context = AuthContext::new_with_method(user, password, path, Some(body), method);
    Ok(prompt.respond(&context).map_err(bad)?.to_header_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_user_path_and_nonce() {
        let challenge = r#"Digest realm="me@test", qop="auth", nonce="dcd98b7102dd", opaque="5ccc069c403e""#;
        let answer = answer(challenge, &("u".to_owned(), "p".to_owned()), "GET", "/dir?x", b"").unwrap();
        for part in [
            "Digest ",
            "username=\"u\"",
            "uri=\"/dir?x\"",
            "nonce=\"dcd98b7102dd\"",
            "qop=auth",
            "nc=00000001",
        ] {
            assert!(answer.contains(part), "{part}: {answer}");
        }
        assert!(super::answer("Basic realm=\"x\"", &Default::default(), "GET", "/", b"").is_err());
    }
}
