//! What the script does once per run: making the VUs, `setup`, `teardown`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::mailbox::{Mailbox, Note};
use crate::vu::Vu;

/// Why a phase failed. The engine only hands it on; the caller of the run may downcast it.
pub type PhaseError = Box<dyn std::error::Error + Send + Sync>;

/// The once-per-run work of a script. Every call starts something, returns at once and reports through `done`, from any
/// thread, so that the coordinator goes on counting seconds and hearing signals. One phase runs at a time.
pub trait Phases {
    /// Makes VUs number 1 to `count` and runs their init code.
    fn init_vus(&mut self, count: usize, done: InitDone);

    /// Makes VU number `number`, one more than there are, and runs its init code. Called during a run in which VUs did not
    /// suffice; one is made at a time.
    fn add_vu(&mut self, number: usize, done: VuDone);

    /// Runs the script's `setup()`. Only called if the run was configured to have one.
    fn setup(&mut self, done: PhaseDone);

    /// Runs the script's `teardown()`. Only called if the run was configured to have one.
    fn teardown(&mut self, done: PhaseDone);

    /// Ends the phase in progress as fast as possible; it then reports through its `done`, as a success or not. Must
    /// do nothing if the phase just ended.
    fn interrupt(&mut self);

    /// Whether a script, a VU's or a phase's, goes on though it was told to stop. Asked every half a second while what
    /// was told to stop some seconds ago is not back. Never, unless said otherwise.
    fn is_stuck(&mut self) -> bool {
        false
    }

    /// What was told to stop is not waited for any longer, and what comes later must not depend on it. Nothing,
    /// unless said otherwise.
    fn abandon(&mut self) {}
}

/// Reports the end of `setup` or `teardown`. Dropped without a word it counts as a failure.
pub struct PhaseDone {
    mail: Option<Mailbox>,
}

/// Reports initialised VUs. Dropped without a word it counts as a failure.
pub struct InitDone {
    mail: Option<Mailbox>,
    initialized: Arc<AtomicUsize>,
}

/// Reports one VU made during the run. Dropped without a word it counts as a failure.
pub struct VuDone {
    mail: Option<Mailbox>,
}

impl VuDone {
    pub(crate) fn new(mail: Mailbox) -> Self {
        Self { mail: Some(mail) }
    }

    /// The VU is there, or could not be made.
    pub fn finish(mut self, result: Result<Arc<dyn Vu>, PhaseError>) {
        self.report(result);
    }

    fn report(&mut self, result: Result<Arc<dyn Vu>, PhaseError>) {
        if let Some(mail) = self.mail.take() {
            mail.post(Note::VuMade(result));
        }
    }
}

impl Drop for VuDone {
    fn drop(&mut self) {
        self.report(Err(Box::new(Vanished("the init code"))));
    }
}

/// The one error the engine makes itself.
#[derive(Debug, thiserror::Error)]
#[error("the thread that ran {0} ended without a result")]
struct Vanished(&'static str);

impl PhaseDone {
    pub(crate) fn new(mail: Mailbox) -> Self {
        Self { mail: Some(mail) }
    }

    /// The phase is over.
    pub fn finish(mut self, result: Result<(), PhaseError>) {
        self.report(result);
    }

    fn report(&mut self, result: Result<(), PhaseError>) {
        if let Some(mail) = self.mail.take() {
            mail.post(Note::PhaseDone(result));
        }
    }
}

impl Drop for PhaseDone {
    fn drop(&mut self) {
        self.report(Err(Box::new(Vanished("the script's setup or teardown"))));
    }
}

impl InitDone {
    pub(crate) fn new(mail: Mailbox, initialized: Arc<AtomicUsize>) -> Self {
        Self { mail: Some(mail), initialized }
    }

    /// One more VU is initialised: for the display and for `vus_max`.
    pub fn one(&self) {
        self.initialized.fetch_add(1, Ordering::Relaxed);
    }

    /// All VUs are initialised, in order of their numbers, or the first failure.
    pub fn finish(mut self, result: Result<Vec<Arc<dyn Vu>>, PhaseError>) {
        self.report(result);
    }

    fn report(&mut self, result: Result<Vec<Arc<dyn Vu>>, PhaseError>) {
        if let Some(mail) = self.mail.take() {
            mail.post(Note::Initialized(result));
        }
    }
}

impl Drop for InitDone {
    fn drop(&mut self) {
        self.report(Err(Box::new(Vanished("the init code"))));
    }
}
