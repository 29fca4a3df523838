//! What was not tested, told in numbers when the process ends.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, Once, PoisonError};

/// How many names of one kind are told; more are a number alone.
const NAMED: usize = 3;

/// By kind (`test`, `comparison`) and reason: what was skipped.
type Skipped = BTreeMap<(&'static str, String), Vec<String>>;

static SKIPPED: Mutex<Skipped> = Mutex::new(BTreeMap::new());

/// Notes that a test, or a part of one, cannot be made here, and why. When the process ends, a line for each reason is
/// on the terminal: `2 tests skipped (one, another): no python3`.
pub fn skip(what: &str, why: &str) {
    note("test", what, why);
}

/// The same for one of many comparisons of a kind: `173 comparisons skipped: no k6`.
pub fn skip_comparison(what: &str, why: &str) {
    note("comparison", what, why);
}

fn note(kind: &'static str, what: &str, why: &str) {
    static AT_EXIT: Once = Once::new();
    // The test harness has no place for words after the last test.
    AT_EXIT.call_once(|| assert!(shutdown_hooks::add_shutdown_hook(tell), "no room for a function at exit"));
    // A test that panicked elsewhere changes nothing about what was skipped.
    let mut skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    skipped.entry((kind, why.to_owned())).or_default().push(what.to_owned());
}

/// Writes to the process's standard error itself: the harness would keep the output of `eprintln!`.
extern "C" fn tell() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    // A closed standard error leaves nobody to tell.
    let _ = std::io::stderr().write_all(text(&skipped).as_bytes());
}

fn text(skipped: &Skipped) -> String {
    let mut text = String::new();
    for ((kind, why), names) in skipped {
        let plural = if names.len() == 1 { "" } else { "s" };
        let _ = write!(text, "{} {kind}{plural} skipped", names.len());
        if names.len() <= NAMED {
            let _ = write!(text, " ({})", names.join(", "));
        }
        let _ = writeln!(text, ": {why}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_a_line_and_many_names_are_a_number() {
        let names = |count: usize| (0..count).map(|at| format!("n{at}")).collect::<Vec<_>>();
        let skipped = Skipped::from([
            (("comparison", "no k6; .ci/run installs one".to_owned()), names(173)),
            (("test", "no python3".to_owned()), names(2)),
            (("test", "no nginx".to_owned()), names(1)),
        ]);
        let lines = "173 comparisons skipped: no k6; .ci/run installs one\n\
                     1 test skipped (n0): no nginx\n\
                     2 tests skipped (n0, n1): no python3\n";
        assert_eq!(text(&skipped), lines);
        assert_eq!(text(&Skipped::new()), "");
    }
}
