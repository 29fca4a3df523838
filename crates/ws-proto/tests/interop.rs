//! Against a server that nobody here wrote: Python's `websockets`.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::common::{Client, Opening};
use ws_proto::{DeflateOffer, Flushed, Incoming, Kind, WindowBits};

/// Echoes each message twice, whole and in two fragments, until its standard input is closed. The argument says how
/// the server compresses.
const SERVER: &str = r#"
import asyncio, json, sys
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

async def echo(socket):
    async for message in socket:
        await socket.send(message)
        middle = len(message) // 2
        await socket.send([message[:middle], message[middle:]])

async def main():
    parameters = json.loads(sys.argv[1])
    extensions = None if parameters is None else [ServerPerMessageDeflateFactory(**parameters)]
    options = {"compression": None, "extensions": extensions, "max_size": None}
    async with serve(echo, "127.0.0.1", 0, **options) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

struct Server {
    child: Child,
    addr: SocketAddr,
}

impl Server {
    /// `None` where there is no Python with `websockets`.
    fn start(parameters: &str) -> Option<Self> {
        let python = std::env::var_os("WS_TEST_PYTHON").unwrap_or_else(|| "python3".into());
        let mut probe = Command::new(&python);
        probe.args(["-c", "import websockets.asyncio.server"]).stderr(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: {} has no websockets (pip install websockets)", python.display());
            return None;
        }
        let mut command = Command::new(python);
        command.args(["-c", SERVER, parameters]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addr = format!("127.0.0.1:{}", line.trim()).parse().unwrap();
        Some(Self { child, addr })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn exchange(client: &mut Client, message: &[u8]) {
    client.connection.send(Kind::Binary, message).unwrap();
    let mut seen = 0;
    while seen < 2 {
        if client.connection.wants_write() {
            let _: Flushed = client.connection.flush().unwrap();
        }
        client.turn(|incoming, arena| match incoming {
            Incoming::Binary(payload) => {
                assert!(payload.bytes(arena) == message, "{} bytes for {}", payload.len(), message.len());
                seen += 1;
            }
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn python_websockets() {
    let (with, without) = (DeflateOffer::with_takeover(), DeflateOffer::without_takeover());
    let small = DeflateOffer {
        server_max_window_bits: WindowBits::new(9),
        client_max_window_bits: WindowBits::new(10),
        level: 6,
        ..with
    };
    // What the server is told, what we offer, what comes of it: who stands alone, and the windows.
    let table = [
        ("null", with, None),
        ("{}", with, Some((false, false, 15, 15))),
        ("{}", without, Some((true, true, 15, 15))),
        ("{}", small, Some((false, false, 9, 10))),
        (r#"{"server_no_context_takeover": true}"#, with, Some((true, false, 15, 15))),
        (
            r#"{"client_no_context_takeover": true, "client_max_window_bits": 9}"#,
            with,
            Some((false, true, 15, 9)),
        ),
        (r#"{"server_max_window_bits": 10, "client_max_window_bits": 8}"#, with, Some((false, false, 10, 8))),
    ];
    for (parameters, offer, expected) in table {
        let Some(server) = Server::start(parameters) else { return };
        let mut opening = Opening::to(server.addr);
        opening.request.deflate(Some(offer));
        let mut client = opening.run().unwrap().0;
        let agreed = client.connection.deflate().map(|agreed| {
            (
                agreed.server_no_context_takeover,
                agreed.client_no_context_takeover,
                agreed.server_max_window_bits.get(),
                agreed.client_max_window_bits.get(),
            )
        });
        assert_eq!(agreed, expected, "{offer} for {parameters}");
        let text: Vec<u8> = (0..300_000_u32)
            .map(|i| b"the same words in many orders "[((i % 30_011) * (i % 30_011) / 7 % 30) as usize])
            .collect();
        for len in [0, 1, 20, 0, 0, 20, 1000, 40_000, 300_000, 5] {
            exchange(&mut client, &text[..len]);
            exchange(&mut client, &text[text.len() - len..]);
        }
        client.connection.close(Some((1000, ""))).unwrap();
        client.flush();
        assert_eq!(client.receive(1)[0], "close 1000 ");
    }
}
