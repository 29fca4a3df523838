//! Names of sockets, and their translation to and from mio's tokens.

use mio::Token;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a token carries an index and a generation of 32 bits each");

/// The token of the loop's waker. Its index is never given to a socket.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// Names one socket of one loop. Never names another one: a key of a socket that is finished finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl SocketKey {
    /// The key as one number, for tables of the owner and for handing through foreign code.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The key that [`to_bits`](Self::to_bits) was made of. Any other number names no socket.
    pub fn from_bits(bits: u64) -> Self {
        SocketKey { index: bits as u32, generation: (bits >> 32) as u32 }
    }

    pub(crate) fn token(self) -> Token {
        Token(self.to_bits() as usize)
    }

    pub(crate) fn from_token(token: Token) -> Self {
        Self::from_bits(token.0 as u64)
    }
}
