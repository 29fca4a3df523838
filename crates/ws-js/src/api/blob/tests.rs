//! What scripts see of blobs.

use super::*;
use crate::binding::set_function;
use crate::testing::{eval, run, with_scope};

/// Runs `f` where `Blob` is a global and `show(promise)` gives what a promise has come to.
fn with_blob(f: impl FnOnce(&mut v8::PinScope<'_, '_>)) {
    with_scope(|scope| {
        let global = scope.get_current_context().global(scope);
        set_function(scope, global, "settled", native!(settled), None);
        run(
            scope,
            "function bytes(b) { return Array.from(settled(b.bytes())).join() }
             function text(b) { return settled(b.text()) }
             function caught(f) { try { return f() } catch (e) { return String(e) } }",
        );
        f(scope);
    });
}

fn settled<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let promise = v8::Local::<v8::Promise>::try_from(arguments.get(0)).unwrap();
    assert_eq!(promise.state(), v8::PromiseState::Fulfilled);
    Ok(promise.result(scope))
}

fn table(rows: &[(&str, &str)]) {
    with_blob(|scope| {
        for (source, seen) in rows {
            assert_eq!(eval(scope, source), *seen, "{source}");
        }
    });
}

#[test]
fn parts_are_put_together() {
    table(&[
        ("text(new Blob())", ""),
        ("text(new Blob(null))", ""),
        (
            "text(new Blob(['a', new Blob(['é']), new Uint8Array([66]), '\\ud800', Symbol('s')]))",
            "aéB\u{FFFD}s",
        ),
        ("text(Blob(['no', ' new']))", "no new"),
        ("text(new Blob(new Set(['a', 'b'])))", "ab"),
        ("text(new Blob((function* () { yield 'x'; yield 'y' })()))", "xy"),
        ("bytes(new Blob([new Uint16Array([1, 515]).subarray(1), new Float32Array([1])]))", "3,2,0,0,128,63"),
        ("bytes(new Blob([new Uint8Array([1, 2, 3]).subarray(1), new Uint8Array([255]).buffer]))", "2,3,255"),
        ("bytes(new Blob([new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)]))", "1,2,3,4"),
    ]);
}

#[test]
fn what_cannot_be_a_part_is_named() {
    let start = "GoError: failed to process [blobParts]: ";
    with_blob(|scope| {
        for (source, error) in [
            ("new Blob('abc')", "could not convert abc to []interface {}"),
            ("new Blob(5)", "could not convert 5 to []interface {}"),
            ("new Blob(Symbol('x'))", "could not convert x to []interface {}"),
            ("new Blob({})", "cannot convert [object Object] to []interface {}: not an array or iterable"),
            (
                "new Blob(new ArrayBuffer(3))",
                "cannot convert [object ArrayBuffer] to []interface {}: not an array or iterable",
            ),
            (
                "new Blob(new Blob())",
                "cannot convert [object Blob] to []interface {}: not an array or iterable",
            ),
            ("new Blob(new Uint8Array(1))", "unsupported type: int64"),
            ("new Blob([{}])", "unsupported type: map[string]interface {}"),
            ("new Blob([1.5])", "unsupported type: float64"),
            ("new Blob([undefined])", "unsupported type: <nil>"),
        ] {
            assert_eq!(
                eval(scope, &format!("caught(() => {source})")),
                format!("{start}{error}"),
                "{source}"
            );
        }
    });
    table(&[
        ("caught(() => new Blob([], null))", "GoError: [options] must be an object"),
        ("caught(() => new Blob([], 'x'))", "GoError: [options] must be an object"),
        ("caught(() => new Blob({ [Symbol.iterator]() { throw new RangeError('r') } }))", "RangeError: r"),
        (
            "caught(() => new Blob({ [Symbol.iterator]() { return { next: 1 } } }))",
            "TypeError: [blobParts] has an iterator that is none",
        ),
    ]);
}

#[test]
fn size_and_type_are_read_only_properties() {
    table(&[
        ("JSON.stringify(new Blob(['é'], { type: 'Text/Plain' }))", r#"{"size":2,"type":"Text/Plain"}"#),
        ("Object.keys(new Blob()).join()", "size,type"),
        (
            "[{}, { type: undefined }, { type: null }, { type: 5 }].map((o) => new Blob([], o).type).join('|')",
            "||null|5",
        ),
        (
            "caught(() => { 'use strict'; new Blob(['ab']).size = 9 })",
            "TypeError: Cannot assign to read only property 'size' of object '#<Blob>'",
        ),
        ("const b = new Blob(['ab']); b.size = 9; b.x = 1; [b.size, b.x].join()", "2,1"),
    ]);
}

#[test]
fn contents_come_as_text_bytes_and_buffers() {
    table(&[
        ("text(new Blob([new Uint8Array([0xFF, 65])]))", "\u{FFFD}A"),
        ("text(new Blob([new Uint8Array([0xEF, 0xBB, 0xBF, 65])])).length", "2"),
        (
            "const a = settled(new Blob(['abc']).arrayBuffer()); [a instanceof ArrayBuffer, a.byteLength].join()",
            "true,3",
        ),
        ("settled(new Blob(['a']).bytes()) instanceof Uint8Array", "true"),
        // They are copies.
        ("const b = new Blob(['a']); settled(b.bytes())[0] = 66; text(b)", "a"),
    ]);
}

#[test]
fn slices_are_clamped() {
    table(&[
        ("const b = new Blob(['abcdef'], { type: 'q' }); const s = (...a) => text(b.slice(...a)); ''", ""),
        ("[s(), s(1), s(1, 3), s(1, -1), s(-2), s(0, 0)].join('|')", "abcdef|bcdef|bc|bcde|ef|"),
        ("[s(2, 100), s(-100, 2), s(3, 2), s(100), s(NaN, Infinity)].join('|')", "cdef|ab|||abcdef"),
        ("[s('1', '4'), s(1.9, 3.9), s(null, 2), s(undefined, 2)].join('|')", "bcd|bc|ab|ab"),
        ("[b.slice(1).type, b.slice(0, 1, 'A/B').type, b.slice() instanceof Blob].join('|')", "|A/B|true"),
    ]);
}

#[test]
fn blobs_are_instances_of_their_class() {
    table(&[
        (
            "[new Blob() instanceof Blob, Blob() instanceof Blob, String(new Blob()), Blob.name].join()",
            "true,true,[object Blob],Blob",
        ),
        (
            "class Mine extends Blob { twice() { return this.size * 2 } }; const m = new Mine(['ab']); [m.twice(), m instanceof Blob].join()",
            "4,true",
        ),
        ("caught(() => Blob.prototype.text.call({}))", "TypeError: Illegal invocation"),
        ("caught(() => Object.create(Blob.prototype).text())", "TypeError: Illegal invocation"),
    ]);
}

#[test]
fn blobs_of_ours_are_known_by_their_contents() {
    with_blob(|scope| {
        let ours = {
            let media_type = v8::String::empty(scope);
            from_bytes(scope, b"\x00\xFFab", media_type).unwrap()
        };
        let key = string(scope, "ours").into();
        let global = scope.get_current_context().global(scope);
        global.set(scope, key, ours.into());
        assert_eq!(
            eval(scope, "[ours instanceof Blob, ours.size, ours.type, bytes(ours)].join('|')"),
            "true|4||0,255,97,98"
        );
        for (source, bytes) in [
            ("ours", Some(b"\x00\xFFab".to_vec())),
            ("new (class extends Blob {})(['x'])", Some(b"x".to_vec())),
            ("Object.create(ours)", None),
            ("new Proxy(ours, {})", None),
            ("({ size: 1, type: '' })", None),
            ("'text'", None),
            ("undefined", None),
        ] {
            let value = run(scope, source);
            assert_eq!(contents(scope, value).map(|contents| contents.to_vec(scope)), bytes, "{source}");
        }
    });
}
