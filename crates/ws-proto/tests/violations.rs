//! Breaches of the protocol: each is answered with a close frame that names it.

use std::io::Write;

use crate::common::{Opening, read_frame, serve_open};

fn check(bytes: &[u8], code: u16, text: &str) {
    check_with(|_| {}, bytes, code, text);
}

fn check_with(adjust: impl FnOnce(&mut Opening), bytes: &[u8], code: u16, text: &str) {
    let sent = bytes.to_vec();
    let (addr, server) = serve_open(move |mut stream| {
        stream.write_all(b"\x81\x02ok").unwrap();
        stream.write_all(&sent).unwrap();
        // Whatever comes after a violation is not looked at.
        stream.write_all(b"\x81\x05after").unwrap();
        read_frame(&mut stream)
    });
    let mut opening = Opening::to(addr);
    adjust(&mut opening);
    let mut client = opening.run().unwrap().0;
    assert_eq!(client.receive(2), ["text ok".to_owned(), format!("ended {text}")]);
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(text.as_bytes());
    assert_eq!(server.join().unwrap(), (0x88, payload), "{text}");
}

#[test]
fn faults_of_frame_headers() {
    let table: [(&[u8], &str); 12] = [
        (b"\xc1\x00", "RSV1 set"),
        (b"\xa1\x00", "RSV2 set"),
        (b"\x91\x00", "RSV3 set"),
        (b"\xf1\x00", "RSV1 set, RSV2 set, RSV3 set"),
        (b"\x89\x7e\x00\x7e", "len > 125 for control"),
        (b"\x09\x00", "FIN not set on control"),
        (b"\x01\x01a\x81\x01b", "data before FIN"),
        (b"\x80\x00", "continuation after FIN"),
        (b"\x83\x00", "bad opcode 3"),
        (b"\x81\x81mask\x00", "bad MASK"),
        (b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "len >= 2^63"),
        (b"\xcb\x80mask", "RSV1 set, bad opcode 11, bad MASK"),
    ];
    for (bytes, text) in table {
        check(bytes, 1002, text);
    }
}

#[test]
fn faults_of_close_frames() {
    check(b"\x88\x02\x03\xe7", 1002, "bad close code 999");
    check(b"\x88\x02\x03\xed", 1002, "bad close code 1005");
    check(b"\x88\x04\x03\xe8\xc3\x28", 1002, "invalid utf8 payload in close frame");
}

#[test]
fn what_only_strict_limits_refuse() {
    let utf8 = |opening: &mut Opening| opening.limits.strict_utf8 = true;
    check_with(utf8, b"\x81\x02\xff\xfe", 1007, "invalid utf8 payload in text message");
    let close = |opening: &mut Opening| opening.limits.strict_close = true;
    check_with(close, b"\x88\x01\x03", 1002, "close frame of one byte");
}
