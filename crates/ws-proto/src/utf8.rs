//! The UTF-8 check of text that arrives in pieces.

/// How far a growing text is known to be UTF-8.
///
/// The end of the checked part lies between two characters, so a piece that ends inside of one is looked at again:
/// three bytes at most.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Utf8Progress(usize);

impl Utf8Progress {
    /// Looks at what has been added to `text` since the last call. False once no continuation could repair it
    /// (RFC 6455 section 8.1), or if `complete` and a character lacks its end.
    pub(crate) fn check(&mut self, text: &[u8], complete: bool) -> bool {
        match str::from_utf8(&text[self.0..]) {
            Ok(_) => {
                self.0 = text.len();
                true
            }
            Err(error) => {
                self.0 += error.valid_up_to();
                error.error_len().is_none() && !complete
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// How many bytes, fed one by one, it takes to find the fault.
    fn fault_at(bytes: &[u8]) -> Option<usize> {
        let mut progress = Utf8Progress::default();
        (1..=bytes.len()).find(|&end| !progress.check(&bytes[..end], false))
    }

    #[test]
    fn faults_are_found_at_the_first_byte_that_cannot_be() {
        let table: [(&[u8], Option<usize>); 7] = [
            ("grüße 𝄞".as_bytes(), None),
            (b"\xce\xba\xe1\xbd", None),
            (b"a\xff", Some(2)),
            (b"\xc0\x80", Some(1)),
            // A surrogate, and a code point beyond the last one.
            (b"\xed\xa0\x80", Some(2)),
            (b"\xf4\x90\x80\x80", Some(2)),
            (b"\xce\xbaa\x80b", Some(4)),
        ];
        for (bytes, expected) in table {
            assert_eq!(fault_at(bytes), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn a_text_cannot_end_inside_a_character() {
        assert!(Utf8Progress::default().check(b"\xe1\xbd", false));
        assert!(!Utf8Progress::default().check(b"\xe1\xbd", true));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            bytes in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..12),
            ],
            cut in any::<prop::sample::Index>(),
        ) {
            let cut = cut.index(bytes.len() + 1);
            let mut progress = Utf8Progress::default();
            let valid = progress.check(&bytes[..cut], false) && progress.check(&bytes, true);
            prop_assert_eq!(valid, str::from_utf8(&bytes).is_ok());
        }
    }
}
