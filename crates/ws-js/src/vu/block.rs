//! How a script waits inside a native function.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use crate::api::ws::session;
use crate::group::park::park;
use crate::group::signal::Signal;
use crate::group::{Group, Inside};

/// Something the VU's script waits for.
pub(crate) struct Block {
    pub(crate) kind: Kind,
    pub(crate) signal: Arc<Signal>,
}

/// What that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `ws.connect`: the handlers of this session run meanwhile.
    Session(u32),
    /// `sleep`: nothing of this VU runs meanwhile.
    Sleep,
}

/// Waits in the middle of the script of `vu`, until [`release`] or `deadline`.
///
/// Returns whether the VU was told to stop meanwhile; then the caller ends the script with
/// [`end_script`].
///
/// # Errors
///
/// As [`park`].
pub(crate) fn wait(inside: Inside, vu: u32, kind: Kind, deadline: Option<Instant>) -> io::Result<bool> {
    wait_for(inside, vu, kind, &Arc::default(), deadline)
}

/// Like [`wait`], for a signal that others have, too: of work done on other threads.
///
/// # Errors
///
/// As [`park`].
pub(crate) fn wait_for(
    inside: Inside,
    vu: u32,
    kind: Kind,
    signal: &Arc<Signal>,
    deadline: Option<Instant>,
) -> io::Result<bool> {
    let group = inside.group();
    if group.must_end(vu) {
        return Ok(true);
    }
    {
        let mut state = inside.state();
        let state = &mut *state;
        let this = &mut state.vus[vu as usize];
        this.blocks.push(Block { kind, signal: Arc::clone(signal) });
        this.busy = false;
        if this.has_something_for_its_wait() {
            state.catching_up.push_back(vu);
        }
    }
    let parked = park(inside, signal, deadline);
    let mut state = inside.state();
    let this = &mut state.vus[vu as usize];
    this.blocks.pop();
    this.busy = true;
    parked?;
    Ok(group.must_end(vu))
}

/// Lets the innermost wait of the VU end. From here on the VU belongs to the waiting thread.
pub(crate) fn release(inside: Inside, vu: u32) {
    let mut state = inside.state();
    let this = &mut state.vus[vu as usize];
    if let Some(block) = this.blocks.last() {
        block.signal.set();
        this.busy = true;
    }
}

/// Ends the innermost wait of a VU that was told to stop, without a word to its script.
pub(super) fn interrupt(inside: Inside, vu: u32) {
    let kind = inside.state().vus[vu as usize].blocks.last().map(|block| block.kind);
    if let Some(Kind::Session(serial)) = kind {
        session::interrupt(inside, vu, serial);
    }
    release(inside, vu);
}

/// Ends the script that called the running native function, so that it can neither catch that nor run
/// another statement.
pub(crate) fn end_script(group: &Group, scope: &mut v8::PinScope<'_, '_>, noop: v8::Local<'_, v8::Function>) {
    group.terminate();
    // V8 acts on the request at the next stack check, and calls of native functions have none: the script
    // would run on up to its next call or loop. Entering any function is such a check.
    let receiver = v8::undefined(scope).into();
    let _ = noop.call(scope, receiver, &[]);
}
