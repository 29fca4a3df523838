//! Ways to cut a stream of bytes, as the network may.

/// Cuts `stream` into pieces of pseudo-random length, most of them short; the same `seed` cuts alike.
pub fn cut(stream: &[u8], seed: u64) -> Vec<&[u8]> {
    let (mut state, mut rest, mut pieces) = (seed, stream, Vec::new());
    while !rest.is_empty() {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut random = state;
        random = (random ^ (random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        random = (random ^ (random >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        random ^= random >> 31;
        let most = [2, 16, 300, 100_000][(random % 4) as usize];
        let len = ((random >> 8) % most + 1) as usize;
        let (piece, after) = rest.split_at(len.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Takes `N` bytes from the front of a fuzzer's input; zeros where there are none.
pub(super) fn take<const N: usize>(input: &mut &[u8]) -> [u8; N] {
    let (taken, rest) = input.split_at(N.min(input.len()));
    let mut bytes = [0; N];
    bytes[..taken.len()].copy_from_slice(taken);
    *input = rest;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_the_stream_and_depend_on_the_seed() {
        let stream: Vec<u8> = (0..1000_u32).map(|i| i as u8).collect();
        let (one, two) = (cut(&stream, 1), cut(&stream, 2));
        assert_eq!((one.concat(), two.concat()), (stream.clone(), stream.clone()));
        assert_ne!(one, two);
        assert_eq!(one, cut(&stream, 1));
    }

    #[test]
    fn taking_ends_in_zeros() {
        let mut input = &b"abc"[..];
        assert_eq!((take::<2>(&mut input), take::<2>(&mut input), take(&mut input)), (*b"ab", *b"c\0", [0]));
    }
}
