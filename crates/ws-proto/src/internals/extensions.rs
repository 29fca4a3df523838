//! Property: whatever a server answers about extensions, an agreement is one that RFC 7692 section 7 allows.

use super::pieces::take;
use crate::deflate::{DeflateAgreement, DeflateOffer, DeflatePolicy, WindowBits, agree};

/// The property, with everything that it needs in the input of a fuzzer.
pub fn fuzz(mut input: &[u8]) {
    let [flags, bits] = take(&mut input);
    let offer = DeflateOffer {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: WindowBits::new(bits & 0x0F),
        client_max_window_bits: WindowBits::new(bits >> 4),
        level: 1,
    };
    check(Some(&offer).filter(|_| flags & 4 == 0), &String::from_utf8_lossy(input));
}

/// The property.
///
/// # Panics
///
/// If it does not hold.
pub fn check(offer: Option<&DeflateOffer>, header: &str) {
    if let Ok(Some(agreement)) = agree(header, offer, DeflatePolicy::Strict) {
        let offer = offer.expect("nothing can be agreed on that was not offered");
        is_allowed(offer, &agreement);
        only_known_words(header);
        // Said again in the plainest words, it is the same agreement.
        let again = agree(&in_words(offer, &agreement), Some(offer), DeflatePolicy::Strict);
        assert_eq!(again, Ok(Some(agreement)), "{header:?} to {offer}");
    }
    if let Ok(Some(agreement)) = agree(header, offer, DeflatePolicy::K6) {
        assert!(agreement.server_no_context_takeover && agreement.client_no_context_takeover);
        assert!(header.contains("permessage-deflate"));
    }
}

fn is_allowed(offer: &DeflateOffer, agreement: &DeflateAgreement) {
    let most = WindowBits::MAX;
    assert!(agreement.server_max_window_bits <= offer.server_max_window_bits.unwrap_or(most));
    assert!(agreement.client_max_window_bits <= offer.client_max_window_bits.unwrap_or(most));
    assert!(offer.client_max_window_bits.is_some() || agreement.client_max_window_bits == most);
    assert!(agreement.server_no_context_takeover || !offer.server_no_context_takeover);
    assert!(agreement.client_no_context_takeover || !offer.client_no_context_takeover);
}

/// No other word than those of RFC 7692 section 7.1, each at most once, and no other number than a window's.
fn only_known_words(header: &str) {
    let plain = header.replace(['"', '\\'], "");
    let mut known = vec![
        "permessage-deflate",
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    ];
    for word in plain.split([' ', '\t', ',', ';', '=']).filter(|word| !word.is_empty()) {
        match known.iter().position(|one| *one == word) {
            Some(place) => _ = known.swap_remove(place),
            None => {
                assert!(matches!(word, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15"), "{header:?}")
            }
        }
    }
}

fn in_words(offer: &DeflateOffer, agreement: &DeflateAgreement) -> String {
    let mut text = "permessage-deflate".to_owned();
    if agreement.server_no_context_takeover {
        text += "; server_no_context_takeover";
    }
    if agreement.client_no_context_takeover {
        text += "; client_no_context_takeover";
    }
    text += &format!("; server_max_window_bits={}", agreement.server_max_window_bits.get());
    if offer.client_max_window_bits.is_some() {
        text += &format!("; client_max_window_bits={}", agreement.client_max_window_bits.get());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Pieces that a right header, or a nearly right one, is made of.
    fn header() -> impl Strategy<Value = String> {
        let parameter = prop_oneof![
            Just("; server_no_context_takeover".to_owned()),
            Just(";client_no_context_takeover".to_owned()),
            (7_u8..17).prop_map(|bits| format!("; server_max_window_bits={bits}")),
            (7_u8..17).prop_map(|bits| format!(" ; client_max_window_bits = \"{bits}\"")),
            prop::sample::select(vec![
                "; x",
                ";",
                "=1",
                " ",
                ", permessage-deflate",
                "\"",
                "\\",
                "; y=\"\u{e9}\""
            ])
            .prop_map(str::to_owned),
        ];
        prop::collection::vec(parameter, 0..5).prop_map(|all| format!("permessage-deflate{}", all.concat()))
    }

    fn bits() -> impl Strategy<Value = Option<WindowBits>> {
        (0_u8..16).prop_map(WindowBits::new)
    }

    prop_compose! {
        fn offer()(server: bool, client: bool, server_bits in bits(), client_bits in bits()) -> DeflateOffer {
            DeflateOffer {
                server_no_context_takeover: server,
                client_no_context_takeover: client,
                server_max_window_bits: server_bits,
                client_max_window_bits: client_bits,
                level: 1,
            }
        }
    }

    proptest! {
        #[test]
        fn answers_to_offers(offer in prop::option::weighted(0.9, offer()), header in header()) {
            check(offer.as_ref(), &header);
        }

        #[test]
        fn any_text(offer in offer(), header: String) {
            check(Some(&offer), &header);
        }
    }

    #[test]
    fn something_is_agreed_on() {
        let offer = DeflateOffer::with_takeover();
        let agreed = agree("permessage-deflate", Some(&offer), DeflatePolicy::Strict).unwrap().unwrap();
        assert_eq!(agree(&in_words(&offer, &agreed), Some(&offer), DeflatePolicy::Strict), Ok(Some(agreed)));
    }
}
