//! The libraries that read and write themselves.

use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};
use ws_proto::internals::codec::{Receiver, Sender};
use ws_proto::{Incoming, Kind, Limits};

use crate::Case;
use crate::memory::Memory;

pub(crate) fn ws_proto(case: &Case, stream: &[u8]) -> usize {
    let mut memory = Memory::new(stream, case.segment());
    if case.writes {
        let mut sender = Sender::default();
        let data = vec![b'x'; case.len];
        for _ in 0..case.frames() {
            sender.send(Kind::Binary, std::hint::black_box(&data));
            sender.flush(&mut memory).expect("memory takes everything");
        }
        return memory.written;
    }
    let limits = Limits { strict_utf8: true, strict_close: true, ..Limits::default() };
    let mut received = 0;
    let mut sink = |incoming: &Incoming, arena: &_| match incoming {
        Incoming::Text(payload) | Incoming::Binary(payload) => {
            received += std::hint::black_box(payload.bytes(arena)).len();
        }
        other => panic!("{other:?}"),
    };
    Receiver::new(&limits).read(&mut memory, &mut sink).expect("the stream is right");
    received
}

pub(crate) fn tungstenite(case: &Case, stream: &[u8]) -> usize {
    let config = WebSocketConfig::default();
    let memory = Memory::new(stream, case.segment());
    let mut socket = WebSocket::from_raw_socket(memory, Role::Client, Some(config));
    if case.writes {
        // Cloning these is cheap: what a script hands over would have to be copied first.
        let data = bytes::Bytes::from(vec![b'x'; case.len]);
        for _ in 0..case.frames() {
            socket
                .send(Message::Binary(std::hint::black_box(&data).clone()))
                .expect("memory takes everything");
        }
        return socket.get_ref().written;
    }
    let mut received = 0;
    while let Ok(message) = socket.read() {
        received += std::hint::black_box(message).len();
    }
    received
}
