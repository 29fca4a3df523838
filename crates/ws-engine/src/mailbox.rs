//! The coordinator's one queue: everything that happens elsewhere arrives here, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::clock::Bell;
use crate::control::Cause;
use crate::phases::PhaseError;
use crate::vu::Vu;

/// What other threads tell the coordinator. All of it is rare: iterations are counted elsewhere.
pub(crate) enum Note {
    /// The run is to end early.
    Stop(Cause),
    /// A VU is idle again.
    Stopped { scenario: usize, slot: usize },
    /// VU initialisation is over.
    Initialized(Result<Vec<Arc<dyn Vu>>, PhaseError>),
    /// A VU wanted during the run is there, or is not.
    VuMade(Result<Arc<dyn Vu>, PhaseError>),
    /// `setup` or `teardown` is over.
    PhaseDone(Result<(), PhaseError>),
}

#[derive(Clone, Default)]
pub(crate) struct Mailbox {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    notes: Mutex<VecDeque<Note>>,
    bell: Bell,
}

impl Mailbox {
    pub(crate) fn post(&self, note: Note) {
        self.inner.notes.lock().push_back(note);
        self.inner.bell.ring();
    }

    pub(crate) fn pop(&self) -> Option<Note> {
        self.inner.notes.lock().pop_front()
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.inner.bell
    }
}
