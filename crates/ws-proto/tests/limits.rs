//! Every limit, at its edge and beyond: the close code, and a text that names the limit and what was sent.

use std::io::Write;

use crate::common::{Client, Opening, read_frame, read_head, serve, serve_open};
use crate::deflate::{K6, compress, frame, opening, serve_deflate};
use ws_proto::{DeflateOffer, Limits};

const LIMITS: &str = "frames of 1000 bytes, messages of 1500";

fn tighten(limits: &mut Limits) {
    (limits.max_frame, limits.max_message) = (1000, 1500);
}

/// The first thing that comes in. A close frame behind it is answered as well, even if it comes a moment later.
fn first(client: &mut Client) -> String {
    let mut seen = client.receive(1);
    if seen.len() == 1 && seen[0].starts_with("binary ") {
        seen.extend(client.receive(1));
    }
    seen.swap_remove(0)
}

/// What a plain client makes of `bytes`, and how it closes.
fn plain(bytes: Vec<u8>) -> (String, (u8, Vec<u8>)) {
    let (addr, server) = serve_open(move |mut stream| {
        stream.write_all(&bytes).unwrap();
        // Ends what is within the limits.
        stream.write_all(b"\x88\x02\x03\xe8").unwrap();
        read_frame(&mut stream)
    });
    let mut opening = Opening::to(addr);
    tighten(&mut opening.limits);
    let mut client = opening.run().unwrap().0;
    (first(&mut client), server.join().unwrap())
}

/// The same for a client that has agreed on compression.
fn compressed(bytes: Vec<u8>) -> (String, (u8, Vec<u8>)) {
    let bytes = [bytes, b"\x88\x02\x03\xe8".to_vec()].concat();
    let (addr, server) = serve_deflate(K6, bytes, |mut stream, _| read_frame(&mut stream));
    let mut opening = opening(addr, DeflateOffer::without_takeover());
    tighten(&mut opening.limits);
    let mut client = opening.run().unwrap().0;
    (first(&mut client), server.join().unwrap())
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1_u32), next).map(|state| (state >> 24) as u8).take(len).collect()
}

#[test]
fn frames_and_messages() {
    let two = |first: u8, a: usize, b: usize| [frame(first, &vec![0; a]), frame(0x80, &vec![0; b])].concat();
    let announced = |len: u64| [&[0x82, 127][..], &len.to_be_bytes()].concat();
    let bomb = |len: usize| compress(&vec![0; len]);
    let in_two = |packed: &[u8]| [frame(0x42, &packed[..3]), frame(0x80, &packed[3..])].concat();
    let too_long = |packed: &[u8]| {
        format!("compressed message of {} bytes inflates to more than max_message, 1500 bytes", packed.len())
    };
    type Read = fn(Vec<u8>) -> (String, (u8, Vec<u8>));
    let table: [(Read, Vec<u8>, Option<String>); 16] = [
        (plain, frame(0x82, &[0; 1000]), None),
        (plain, frame(0x82, &[0; 1001]), Some("frame of 1001 bytes exceeds max_frame, 1000 bytes".into())),
        (
            plain,
            announced(1 << 62),
            Some("frame of 4611686018427387904 bytes exceeds max_frame, 1000 bytes".into()),
        ),
        (plain, two(0x02, 1000, 500), None),
        (
            plain,
            two(0x02, 1000, 501),
            Some("message of 1501 bytes or more exceeds max_message, 1500 bytes".into()),
        ),
        (plain, two(0x02, 10, 1001), Some("frame of 1001 bytes exceeds max_frame, 1000 bytes".into())),
        // Compression in force, but not used.
        (compressed, frame(0x82, &[0; 1000]), None),
        (
            compressed,
            frame(0x82, &[0; 1001]),
            Some("frame of 1001 bytes exceeds max_frame, 1000 bytes".into()),
        ),
        (
            compressed,
            two(0x02, 1000, 501),
            Some("message of 1501 bytes or more exceeds max_message, 1500 bytes".into()),
        ),
        // Before decompression.
        (
            compressed,
            frame(0xC2, &compress(&noise(1100))),
            Some(format!("frame of {} bytes exceeds max_frame, 1000 bytes", compress(&noise(1100)).len())),
        ),
        (
            compressed,
            two(0x42, 1000, 501),
            Some("message of 1501 bytes or more exceeds max_message, 1500 bytes".into()),
        ),
        // And after it.
        (compressed, frame(0xC2, &bomb(1500)), None),
        (compressed, frame(0xC2, &bomb(1501)), Some(too_long(&bomb(1501)))),
        (compressed, frame(0xC2, &bomb(900_000)), Some(too_long(&bomb(900_000)))),
        (compressed, in_two(&bomb(1500)), None),
        (compressed, in_two(&bomb(1501)), Some(too_long(&bomb(1501)))),
    ];
    for (row, (read, bytes, violation)) in table.into_iter().enumerate() {
        let (seen, answer) = read(bytes);
        match violation {
            None => {
                assert!(seen.starts_with("binary "), "row {row}, {LIMITS}: {seen}");
                assert_eq!(answer, (0x88, vec![3, 0xE8]), "row {row}");
            }
            Some(text) => {
                assert_eq!(seen, format!("ended {text}"), "row {row}, {LIMITS}");
                let reason = [&1009_u16.to_be_bytes()[..], text.as_bytes()].concat();
                assert_eq!(answer, (0x88, reason), "row {row}");
            }
        }
    }
}

/// How a handshake ends that `answer` answers.
fn failure(answer: &str, adjust: impl FnOnce(&mut Limits)) -> (String, Option<usize>) {
    let answer = answer.to_owned();
    let (addr, server) = serve(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let mut opening = Opening::to(addr);
    adjust(&mut opening.limits);
    let failure = opening.run().map(|_| ()).unwrap_err();
    server.join().unwrap();
    (failure.error.to_string(), failure.response.map(|response| response.body.len()))
}

#[test]
fn answers_to_the_handshake() {
    let head = "HTTP/1.1 404 Not Found\r\nA: 1\r\nB: 2\r\nContent-Length: 5000\r\n\r\n";
    let answer = &format!("{head}{}", "x".repeat(5000));
    let refused = || "bad handshake: status 404".to_owned();
    assert_eq!(failure(answer, |_| ()), (refused(), Some(1024)));
    assert_eq!(failure(answer, |limits| limits.max_body = 3000), (refused(), Some(3000)));
    assert_eq!(failure(answer, |limits| limits.max_body = 0), (refused(), Some(0)));
    assert_eq!(failure(answer, |limits| limits.max_header_bytes = head.len()), (refused(), Some(1024)));
    assert_eq!(failure(answer, |limits| limits.max_headers = 3), (refused(), Some(1024)));
    let (text, response) = failure(answer, |limits| limits.max_headers = 2);
    assert_eq!((&*text, response), ("response head exceeds max_headers, 2 lines", None));
    let (text, response) = failure(answer, |limits| limits.max_header_bytes = head.len() - 1);
    let expected = format!("response head exceeds max_header_bytes, {} bytes", head.len() - 1);
    assert_eq!((text, response), (expected, None));
}
