//! One connection: the upgrade, then the behaviour that the path asks for.

use std::io::{self, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socket2::SockRef;
use tungstenite::handshake::derive_accept_key;

use super::deflate::{Unpacker, pack};
use super::frame::{self, Frame, RSV1};
use super::head::{self, Head};
use super::{Sessions, Stream};

/// A session after the upgrade.
struct Session<'a> {
    stream: Box<dyn Stream>,
    sessions: &'a Sessions,
    id: Option<String>,
}

/// Serves one connection until it ends. `raw` is the socket below `stream`, for what only a socket can do.
pub(super) fn run(mut stream: Box<dyn Stream>, raw: &TcpStream, sessions: &Sessions) -> io::Result<()> {
    let head = Head::read(&mut *stream)?;
    if refuse(&mut *stream, raw, &head)? {
        return Ok(());
    }
    if let Some(code) = head.path().strip_prefix("/early/") {
        for _ in 0..head.number("n", 1) {
            write!(stream, "HTTP/1.1 {code} Wait\r\nLink: </style.css>\r\n\r\n")?;
        }
    }
    stream.write_all(upgrade_response(&head).as_bytes())?;
    let id = head.query("id").filter(|_| head.path() != "/seen").map(str::to_owned);
    if let Some(id) = &id {
        sessions.begin(id);
    }
    let mut session = Session { stream, sessions, id: id.clone() };
    let outcome = session.behave(&head, raw);
    if let Some(id) = &id {
        sessions.end(id);
    }
    outcome
}

/// Behaviours that never get as far as a session; `true` if this was one.
fn refuse(stream: &mut dyn Stream, raw: &TcpStream, head: &Head) -> io::Result<bool> {
    match head.path() {
        "/garbage" => stream.write_all(b"this is not HTTP\r\n\r\n")?,
        "/drop" => {}
        "/stall" => {
            // Until the client has had enough.
            let _ = stream.read(&mut [0; 64]);
        }
        path => {
            let Some(code) = path.strip_prefix("/status/") else { return Ok(false) };
            let body = format!("answer {code}\n").repeat(head.number("lines", 1));
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {code} Some Reason\r\nContent-Type: text/plain\r\nX-Two: 1\r\nX-Two: 2\r\n\
                 Location: /echo\r\nSet-Cookie: refused={code}\r\nContent-Length: {length}\r\n\r\n{body}"
            )?;
        }
    }
    stream.flush()?;
    raw.shutdown(Shutdown::Write)?;
    Ok(true)
}

fn upgrade_response(head: &Head) -> String {
    let key = match head.path() {
        "/badaccept" => "",
        _ => head.header("Sec-WebSocket-Key").unwrap_or_default(),
    };
    let mut lines = vec![
        "HTTP/1.1 101 Switching Protocols".to_owned(),
        "Upgrade: websocket".to_owned(),
        "Connection: Upgrade".to_owned(),
        format!("Sec-WebSocket-Accept: {}", derive_accept_key(key.as_bytes())),
    ];
    match head.path() {
        "/subproto" => {
            let asked = head.header("Sec-WebSocket-Protocol").unwrap_or_default();
            let chosen = head.query("choose").unwrap_or(asked.split(',').next().unwrap_or_default());
            lines.push(format!("Sec-WebSocket-Protocol: {}", chosen.trim()));
        }
        "/deflate" => {
            let k6 = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
            lines.push(format!("Sec-WebSocket-Extensions: {}", head.query("reply").unwrap_or(k6)));
        }
        "/badext" => lines.push("Sec-WebSocket-Extensions: permessage-deflate".to_owned()),
        "/cookie" => {
            let cookie = head.target.split_once('?').map_or("", |(_, query)| query);
            let cookies = head::percent_decoded(cookie.split('&').next().unwrap_or_default());
            lines.extend(cookies.split('\n').map(|cookie| format!("Set-Cookie: {cookie}")));
        }
        _ => {}
    }
    if let Some(name) = head.path().strip_prefix("/lacks/") {
        lines.retain(|line| !line.starts_with(&format!("{name}:")));
    }
    lines.join("\r\n") + "\r\n\r\n"
}

impl Session<'_> {
    fn behave(&mut self, head: &Head, raw: &TcpStream) -> io::Result<()> {
        match head.path() {
            "/headers" | "/cookie" => self.send(Frame::new(frame::TEXT, request_text(head)))?,
            "/ping" => self.ping(head.number("n", 1))?,
            "/pong" => self.send(Frame::new(frame::PONG, "nobody asked"))?,
            "/binary" => {
                let bytes = (0..head.number("n", 4)).map(|i| i as u8).collect::<Vec<_>>();
                self.send(Frame::new(frame::BINARY, bytes))?;
            }
            "/fragments" => self.fragments()?,
            "/deflate" => {
                let hello = Frame::new(frame::TEXT, pack(b"hello hello hello"));
                self.send(Frame { rsv: RSV1, ..hello })?;
                let alone = head.query("reply").is_none_or(|reply| reply.contains("client_no_context"));
                return self.echo_compressed(Unpacker::new(!alone));
            }
            "/utf8" => self.send(Frame::new(frame::TEXT, *b"ab\xffcd\xc3"))?,
            "/burst" => {
                let messages =
                    (0..head.number("n", 100)).flat_map(|i| Frame::new(frame::TEXT, i.to_string()).encode());
                let bytes = messages.chain(Frame::close(1000, "").encode()).collect::<Vec<_>>();
                self.stream.write_all(&bytes)?;
            }
            "/broadcast" => {
                let (members, messages) = (head.number("members", 1), head.number("n", 100));
                self.sessions.rooms.join(&head.target, raw.try_clone()?, members, messages)?;
            }
            "/close-nocode" => self.send(Frame::new(frame::CLOSE, []))?,
            "/late" => return self.late(head, raw),
            "/fin" => raw.shutdown(Shutdown::Write)?,
            "/rst" => return self.reset(raw, &[]),
            "/rst-mid-message" => {
                let mut half = frame::header(true, 0, frame::TEXT, false, 1000);
                half.extend_from_slice(&[b'x'; 500]);
                return self.reset(raw, &half);
            }
            "/bigframe" => {
                let len = head.query("len").and_then(|len| len.parse().ok()).unwrap_or(u64::from(u32::MAX));
                let mut start = frame::header(true, 0, frame::BINARY, false, len);
                start.extend_from_slice(&[0; 100]);
                self.stream.write_all(&start)?;
            }
            "/seen" => {
                let wait = head.number("wait", 2) as u64;
                return self.seen(head.query("id").unwrap_or_default(), wait);
            }
            path => {
                if let Some(code) = path.strip_prefix("/close/").and_then(|code| code.parse().ok()) {
                    self.send(Frame::close(code, head.query("reason").unwrap_or_default()))?;
                } else if let Some(kind) = path.strip_prefix("/violation/") {
                    self.stream.write_all(&violation(kind))?;
                }
            }
        }
        self.echo()
    }

    fn send(&mut self, frame: Frame) -> io::Result<()> {
        frame.write(&mut *self.stream)?;
        self.stream.flush()
    }

    fn receive(&mut self) -> io::Result<Frame> {
        let frame = Frame::read(&mut *self.stream)?;
        self.note(|| match frame.rsv {
            RSV1 => format!("{} compressed bytes", frame.payload.len()),
            _ => frame.describe(),
        });
        Ok(frame)
    }

    /// Remembers something for `/seen`.
    fn note(&self, text: impl FnOnce() -> String) {
        if let Some(id) = &self.id {
            self.sessions.record(id, text());
        }
    }

    /// Echoes until the client closes or goes away.
    fn echo(&mut self) -> io::Result<()> {
        loop {
            let frame = self.receive()?;
            match frame.opcode {
                frame::PING => self.send(Frame::new(frame::PONG, frame.payload))?,
                frame::PONG => {}
                frame::CLOSE => return self.send(Frame::new(frame::CLOSE, frame.payload)),
                opcode => self.send(Frame { fin: frame.fin, ..Frame::new(opcode, frame.payload) })?,
            }
        }
    }

    /// The same, but takes compressed messages apart and puts them together again.
    fn echo_compressed(&mut self, mut unpacker: Unpacker) -> io::Result<()> {
        let mut message: Option<Frame> = None;
        loop {
            let frame = self.receive()?;
            match frame.opcode {
                frame::PING => self.send(Frame::new(frame::PONG, frame.payload))?,
                frame::PONG => {}
                frame::CLOSE => return self.send(Frame::new(frame::CLOSE, frame.payload)),
                _ => {
                    let fin = frame.fin;
                    match &mut message {
                        Some(begun) => begun.payload.extend(frame.payload),
                        None => message = Some(frame),
                    }
                    let Some(mut whole) = message.take_if(|_| fin) else { continue };
                    if whole.rsv == RSV1 {
                        whole.payload = unpacker.unpack(&whole.payload)?;
                        self.note(|| format!("unpacked {}", whole.describe()));
                        whole.payload = pack(&whole.payload);
                    }
                    self.send(Frame { fin, masked: false, ..whole })?;
                }
            }
        }
    }

    fn ping(&mut self, n: usize) -> io::Result<()> {
        for i in 0..n {
            self.send(Frame::new(frame::PING, format!("p{i}")))?;
        }
        let mut pongs = Vec::new();
        while pongs.len() < n {
            let frame = self.receive()?;
            if frame.opcode == frame::PONG {
                pongs.push(String::from_utf8_lossy(&frame.payload).into_owned());
            }
        }
        self.send(Frame::new(frame::TEXT, format!("pongs {}", pongs.join(" "))))
    }

    fn fragments(&mut self) -> io::Result<()> {
        self.send(Frame { fin: false, ..Frame::new(frame::TEXT, "one ") })?;
        self.send(Frame { fin: false, ..Frame::new(frame::CONTINUATION, "two ") })?;
        self.send(Frame::new(frame::PING, "between"))?;
        self.send(Frame::new(frame::CONTINUATION, "three"))
    }

    /// Reads after a while, and counts.
    fn late(&mut self, head: &Head, raw: &TcpStream) -> io::Result<()> {
        // The system must not keep for it what it has not read.
        SockRef::from(raw).set_recv_buffer_size(256 * 1024)?;
        let talk = Frame::new(frame::BINARY, vec![b'x'; 64 * 1024]).encode();
        for _ in 0..head.number("talk", 0) {
            self.stream.write_all(&talk)?;
        }
        std::thread::sleep(Duration::from_millis(head.number("ms", 0) as u64));
        let mut messages = 0;
        let end = loop {
            match Frame::read(&mut *self.stream) {
                Ok(frame) if frame.opcode == frame::CLOSE => break Some(frame),
                Ok(frame) => messages += u32::from(matches!(frame.opcode, frame::TEXT | frame::BINARY)),
                Err(_) => break None,
            }
        };
        let last = end.as_ref().map_or_else(|| "gone".to_owned(), Frame::describe);
        self.note(|| format!("{messages} messages, {last}"));
        match end {
            Some(close) if head.query("deaf").is_none() => self.send(Frame::new(frame::CLOSE, close.payload)),
            _ => Ok(()),
        }
    }

    fn reset(&mut self, raw: &TcpStream, first: &[u8]) -> io::Result<()> {
        self.receive()?;
        self.stream.write_all(first)?;
        self.stream.flush()?;
        // What was written first should arrive: a reset discards what the peer has not read yet.
        std::thread::sleep(Duration::from_millis(50));
        SockRef::from(raw).set_linger(Some(Duration::ZERO))
        // The socket is closed, and with that reset, when the caller drops its handles.
    }

    fn seen(&mut self, id: &str, seconds: u64) -> io::Result<()> {
        for frame in self.sessions.wait(id, seconds) {
            self.send(Frame::new(frame::TEXT, frame))?;
        }
        self.send(Frame::close(1000, ""))?;
        self.echo()
    }
}

/// The request head as text, without what changes from run to run.
fn request_text(head: &Head) -> String {
    let mut text = format!("{} {}", head.method, head.target);
    for (name, value) in &head.headers {
        let value = if name.eq_ignore_ascii_case("Sec-WebSocket-Key") { "<key>" } else { value };
        text.push_str(&format!("\n{name}: {value}"));
    }
    text
}

/// Bytes that RFC 6455 does not allow a server to send.
fn violation(kind: &str) -> Vec<u8> {
    let hello = || Frame::new(frame::TEXT, "hello");
    match kind {
        "rsv1" => Frame { rsv: 0x40, ..hello() }.encode(),
        "rsv2" => Frame { rsv: 0x20, ..hello() }.encode(),
        "rsv3" => Frame { rsv: 0x10, ..hello() }.encode(),
        "rsv23" => Frame { rsv: 0x30, ..hello() }.encode(),
        "opcode" => Frame { opcode: 3, ..hello() }.encode(),
        "mask" => Frame { masked: true, ..hello() }.encode(),
        "long-control" => Frame::new(frame::PING, [b'x'; 126]).encode(),
        "split-control" => Frame { fin: false, ..Frame::new(frame::PING, "x") }.encode(),
        "data-before-fin" => {
            let mut bytes = Frame { fin: false, ..hello() }.encode();
            bytes.extend(hello().encode());
            bytes
        }
        "continuation" => Frame { opcode: frame::CONTINUATION, ..hello() }.encode(),
        "close-code" => Frame::close(1005, "").encode(),
        "close-utf8" => Frame::new(frame::CLOSE, *b"\x03\xe8\xff\xfe").encode(),
        _ => hello().encode(),
    }
}
