//! What an assembler makes of bytes, in a form that can be compared.

use crate::arena::Arena;
use crate::assembly::Assembler;
use crate::message::{CloseFrame, Incoming, Violation};

/// One thing that was received, with its bytes copied out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A text message.
    Text(Vec<u8>),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close frame.
    Close(Option<CloseFrame>),
    /// What ended it.
    Violation(Violation),
}

/// Feeds `pieces` one after the other, up to the first violation. The arena is reset now and then.
pub(crate) fn receive<'a>(mut assembler: Assembler, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Seen> {
    let (mut arena, mut all) = (Arena::new(), Vec::new());
    for (turn, piece) in pieces.into_iter().enumerate() {
        let start = arena.len();
        arena.extend(piece);
        let mut seen = Vec::new();
        let result = assembler.feed(&mut arena, start, &mut |incoming| seen.push(incoming));
        all.extend(seen.into_iter().map(|incoming| match incoming {
            Incoming::Text(payload) => Seen::Text(payload.bytes(&arena).to_vec()),
            Incoming::Binary(payload) => Seen::Binary(payload.bytes(&arena).to_vec()),
            Incoming::Ping(payload) => Seen::Ping(payload.bytes(&arena).to_vec()),
            Incoming::Pong(payload) => Seen::Pong(payload.bytes(&arena).to_vec()),
            Incoming::Close(frame) => Seen::Close(frame),
            Incoming::Ended(ended) => panic!("the assembler does not end: {ended:?}"),
        }));
        if let Err(violation) = result {
            all.push(Seen::Violation(violation));
            break;
        }
        if turn % 3 == 0 {
            arena.reset();
        }
    }
    all
}
