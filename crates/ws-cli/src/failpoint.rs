//! Panics on request, in builds for debugging only: tests see what becomes of the process.

use std::sync::OnceLock;

static WANTED: OnceLock<String> = OnceLock::new();

/// Has [`here`] panic at the place that the variable `WS_TEST_PANIC` names.
pub(crate) fn arm(vars: &[(String, String)]) {
    if cfg!(debug_assertions)
        && let Some((_, place)) = vars.iter().find(|(name, _)| name == "WS_TEST_PANIC")
    {
        // The first process that asks is the only one.
        let _ = WANTED.set(place.clone());
    }
}

/// A place where a panic can be asked for.
#[track_caller]
pub(crate) fn here(place: &str) {
    assert!(!is_wanted(place), "asked for at '{place}'");
}

/// Whether a panic is asked for at this place.
pub(crate) fn is_wanted(place: &str) -> bool {
    cfg!(debug_assertions) && WANTED.get().is_some_and(|wanted| wanted == place)
}
