//! How much memory a peer can make us hold, as the system counts it.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;

use crate::common::{Client, Opening, accept, read_frame, read_head, serve, serve_open};
use flate2::{Compress, Compression, FlushCompress};
use ws_proto::{Arena, DeflateOffer, Incoming, Kind};

const MB: usize = 1_000_000;
const HUNDRED: usize = 100 * MB;

/// A value of `/proc/self/status`, in bytes.
fn status(name: &str) -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse::<usize>().unwrap() * 1024
}

/// Bytes of resident memory that `work` needs at its peak, beyond what there was before.
fn peak(work: impl FnOnce()) -> usize {
    // Resets the peak to the present.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    work();
    status("VmHWM").saturating_sub(before)
}

/// Bytes of the next message; the message itself is dropped.
fn next_message(client: &mut Client) -> usize {
    let mut found: Option<usize> = None;
    while found.is_none() {
        client.turn(|incoming: Incoming, _: &Arena| match incoming {
            Incoming::Binary(payload) | Incoming::Text(payload) => found = Some(payload.len()),
            other => assert!(found.is_some(), "{other:?}"),
        });
    }
    found.unwrap_or_default()
}

/// Writes `header` and then `len` bytes of payload.
fn write_frame(stream: &mut TcpStream, first: u8, len: usize) {
    let mut header = vec![first, 127];
    header.extend((len as u64).to_be_bytes());
    stream.write_all(&header).unwrap();
    let zeros = [0; 50_000];
    for at in (0..len).step_by(zeros.len()) {
        stream.write_all(&zeros[..zeros.len().min(len - at)]).unwrap();
    }
}

fn serve_deflate(messages: Vec<Vec<u8>>) -> (SocketAddr, JoinHandle<()>) {
    serve(move |mut stream| {
        let head = read_head(&mut stream);
        let agreed = "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n";
        stream.write_all(accept(&head).replace("\r\n\r\n", agreed).as_bytes()).unwrap();
        for message in messages {
            let mut frame = vec![0xC2, 127];
            frame.extend((message.len() as u64).to_be_bytes());
            frame.extend(message);
            stream.write_all(&frame).unwrap();
        }
        read_frame(&mut stream);
    })
}

/// So many zeros, compressed.
fn zeros(len: usize) -> Vec<u8> {
    let mut state = Compress::new(Compression::best(), false);
    let mut packed = Vec::with_capacity(len / 500 + 1000);
    let megabyte = vec![0; MB];
    for _ in 0..len / MB {
        state.compress_vec(&megabyte, &mut packed, FlushCompress::None).unwrap();
    }
    state.compress_vec(&[], &mut packed, FlushCompress::Sync).unwrap();
    packed.truncate(packed.len() - 4);
    packed
}

fn one_frame() {
    let (addr, server) = serve_open(|mut stream| write_frame(&mut stream, 0x82, HUNDRED));
    assert_eq!(next_message(&mut Client::open(addr)), HUNDRED);
    server.join().unwrap();
}

fn fragments() {
    let (addr, server) = serve_open(|mut stream| {
        write_frame(&mut stream, 0x02, 1000);
        for _ in 0..HUNDRED / 1000 - 2 {
            write_frame(&mut stream, 0x00, 1000);
        }
        write_frame(&mut stream, 0x80, 1000);
    });
    assert_eq!(next_message(&mut Client::open(addr)), HUNDRED);
    server.join().unwrap();
}

fn compressed() {
    let (addr, server) = serve_deflate(vec![zeros(HUNDRED)]);
    let mut opening = Opening::to(addr);
    opening.request.deflate(Some(DeflateOffer::without_takeover()));
    let mut client = opening.run().unwrap().0;
    assert_eq!(next_message(&mut client), HUNDRED);
    client.connection.close(None).unwrap();
    client.flush();
    server.join().unwrap();
}

fn bomb() {
    let (addr, server) = serve_deflate(vec![zeros(1000 * MB)]);
    let mut opening = Opening::to(addr);
    opening.request.deflate(Some(DeflateOffer::without_takeover()));
    opening.limits.max_message = MB as u64 + 100_000;
    let mut client = opening.run().unwrap().0;
    let seen = client.receive(1);
    assert!(seen[0].ends_with("inflates to more than max_message, 1100000 bytes"), "{seen:?}");
    server.join().unwrap();
}

fn sent() {
    let (addr, server) = serve_open(|mut stream| std::io::copy(&mut stream, &mut std::io::sink()).unwrap());
    let mut client = Client::open(addr);
    client.connection.send_with(Kind::Binary, HUNDRED, |payload| payload.fill(1)).unwrap();
    client.flush();
    client.connection.shutdown();
    assert_eq!(server.join().unwrap(), HUNDRED as u64 + 14);
}

fn announced() {
    let (addr, server) = serve_open(|mut stream| {
        stream.write_all(b"\x82\x7f\0\0\0\0\x1d\xcd\x65\0only this").unwrap();
    });
    assert_eq!(Client::open(addr).receive(1), ["ended eof"]);
    server.join().unwrap();
}

fn tiny_frames() {
    let (addr, server) = serve_open(|mut stream| {
        let thousand = b"\x82\x01x".repeat(1000);
        for _ in 0..1000 {
            stream.write_all(&thousand).unwrap();
        }
    });
    let (mut client, mut seen) = (Client::open(addr), 0);
    while seen <= 1_000_000 {
        client.turn(|_, _| seen += 1);
    }
    server.join().unwrap();
}

fn pings() {
    let (addr, server) = serve_open(|mut stream| {
        let thousand = b"\x89\x04ping".repeat(1000);
        for _ in 0..1000 {
            stream.write_all(&thousand).unwrap();
        }
    });
    let (mut client, mut seen) = (Client::open(addr), 0);
    while seen < 1_000_000 {
        client.arena.reset();
        // As if the peer did not read: nothing is flushed.
        let _ = client.connection.read(&mut client.arena, false, &mut |incoming| {
            seen += usize::from(matches!(incoming, Incoming::Ping(_)));
        });
    }
    server.join().unwrap();
}

/// Set in the process that is measured.
const MEASURED: &str = "WS_TEST_MEASURED";

#[test]
fn memory_is_bounded_by_what_has_arrived() {
    if std::env::var_os(MEASURED).is_some() {
        return measure();
    }
    // The system counts for a process, so this test runs alone in one.
    let this = std::env::current_exe().unwrap();
    let args = ["--exact", "--nocapture", "memory::memory_is_bounded_by_what_has_arrived"];
    let output = std::process::Command::new(this).args(args).env(MEASURED, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    println!("{text}");
}

fn measure() {
    // The first session also pays for what a process needs once.
    tiny_frames();
    let table: [(&str, fn(), usize); 8] = [
        // The small ones first: what is freed may stay with the process.
        ("1,000,000 tiny frames", tiny_frames, 4 * MB),
        ("1,000,000 pings, no pong read", pings, 4 * MB),
        ("500 MB announced", announced, MB),
        ("1 GB from 1 MB, 1.1 MB allowed", bomb, 12 * MB),
        ("100 MB in one frame", one_frame, 110 * MB),
        ("100 MB in 100,000 fragments", fragments, 210 * MB),
        ("100 MB from 100 KB", compressed, 210 * MB),
        ("100 MB to a peer that reads", sent, 110 * MB),
    ];
    for (what, work, bound) in table {
        let peak = peak(work);
        println!("{what}: {:.1} MB", peak as f64 / MB as f64);
        assert!(peak <= bound, "{what}: {peak} bytes of {bound}");
    }
}
