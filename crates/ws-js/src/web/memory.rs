//! Writing into a script's own memory.

use std::cell::Cell;

/// Copies bytes to the beginning of a view.
///
/// # Panics
///
/// If they are more than the view has room for.
pub(super) fn copy_into(
    scope: &mut v8::PinScope<'_, '_>,
    view: v8::Local<'_, v8::ArrayBufferView>,
    bytes: &[u8],
) {
    assert!(bytes.len() <= view.byte_length(), "the view is large enough");
    let Some(buffer) = view.buffer(scope) else { return };
    let store = buffer.get_backing_store();
    let cells: &[Cell<u8>] = &store;
    for (to, from) in cells[view.byte_offset()..].iter().zip(bytes) {
        to.set(*from);
    }
}
