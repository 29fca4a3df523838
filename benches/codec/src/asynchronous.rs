//! The libraries for tokio. Nothing in memory ever has to wait, so there is no runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use fastwebsockets::{FragmentCollector, Frame, Payload, Role, WebSocket};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_websockets::{ClientBuilder, Message};

use crate::Case;
use crate::memory::Memory;

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("memory is always ready"),
    }
}

pub(crate) fn tokio_websockets(case: &Case, stream: &[u8]) -> usize {
    let mut socket = ClientBuilder::new().take_over(Memory::new(stream, case.segment()));
    now(async {
        if case.writes {
            let data = bytes::Bytes::from(vec![b'x'; case.len]);
            for _ in 0..case.frames() {
                let message = Message::binary(std::hint::black_box(&data).clone());
                socket.send(message).await.expect("memory takes everything");
            }
            return socket.get_ref().written;
        }
        let mut received = 0;
        while let Some(Ok(message)) = socket.next().await {
            received += std::hint::black_box(message.as_payload()).len();
        }
        received
    })
}

pub(crate) fn fastwebsockets(case: &Case, stream: &[u8]) -> usize {
    let socket = WebSocket::after_handshake(Memory::new(stream, case.segment()), Role::Client);
    now(async {
        if case.writes {
            let mut socket = socket;
            let data = vec![b'x'; case.len];
            for _ in 0..case.frames() {
                let frame = Frame::binary(Payload::Borrowed(std::hint::black_box(&data)));
                socket.write_frame(frame).await.expect("memory takes everything");
            }
            return socket.into_inner().written;
        }
        let mut socket = FragmentCollector::new(socket);
        let mut received = 0;
        while let Ok(frame) = socket.read_frame().await {
            received += std::hint::black_box(&frame.payload).len();
        }
        received
    })
}
