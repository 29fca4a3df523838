//! Random bytes that nobody can guess, from the operating system.

use std::cell::RefCell;

use crate::binding::{Native, Throw};

/// More than this is not kept in store.
const STORE: usize = 512;

thread_local! {
    /// Bytes that were fetched ahead, the unused ones first: a system call for each identifier would cost more
    /// than the rest of it.
    static AHEAD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Fills `bytes`. They are used once: no other call gets the same.
///
/// # Errors
///
/// [`Throw::Plain`] if the system has no source.
pub(crate) fn fill(bytes: &mut [u8]) -> Native {
    AHEAD.with_borrow_mut(|ahead| {
        if bytes.len() > STORE {
            return fetch(bytes);
        }
        if ahead.len() < bytes.len() {
            ahead.resize(STORE, 0);
            if let Err(throw) = fetch(ahead) {
                ahead.clear();
                return Err(throw);
            }
        }
        let rest = ahead.len() - bytes.len();
        bytes.copy_from_slice(&ahead[rest..]);
        ahead.truncate(rest);
        Ok(())
    })
}

/// A version 4 UUID (RFC 9562, section 5.4).
pub(crate) fn uuid() -> Native<String> {
    let mut bytes = [0; 16];
    fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0F] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    Ok(text)
}

fn fetch(bytes: &mut [u8]) -> Native {
    getrandom::fill(bytes).map_err(|error| Throw::Plain(format!("no random numbers: {error}")))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_twice() {
        let mut seen = HashSet::new();
        for length in (16..=2000).step_by(31) {
            let mut bytes = vec![0; length];
            fill(&mut bytes).unwrap();
            assert!(
                seen.insert(bytes[..16].to_vec())
                    && seen.insert(bytes[length - 16..].to_vec()) | (length == 16)
            );
        }
    }

    #[test]
    fn uuids_have_their_version() {
        let all: HashSet<String> = (0..200).map(|_| uuid().unwrap()).collect();
        assert_eq!(all.len(), 200);
        for uuid in all {
            let parts: Vec<_> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12], "{uuid}");
            assert!(uuid.as_bytes()[14] == b'4' && b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        }
    }
}
