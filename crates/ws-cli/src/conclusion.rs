//! How a run ended: the last line of the log and the exit code.

use ws_engine::{Cause, PhaseError};
use ws_metrics::Report;

use crate::error::CliError;
use crate::exit::ExitCode;
use crate::wording;

/// The failure of a run that has ended, or nothing. The first thing that went wrong decides.
pub(crate) fn conclude(name: &str, cause: Option<Cause>, report: &Report) -> Result<(), CliError> {
    if let Some(cause) = cause {
        return Err(premature(name, cause));
    }
    if let Some(message) = wording::metrics::failure(report) {
        return Err(CliError::new(ExitCode::ThresholdsFailed, message));
    }
    // Asked for and not delivered: whoever reads the file must not take it for complete.
    for output in &report.outputs {
        if output.dropped > 0 || output.error.is_some() {
            let reason = output.error.as_deref().unwrap_or("it was slower than the test");
            return Err(CliError::generic(format!(
                "output '{}' is not complete, {} samples are missing: {reason}",
                output.name, output.dropped
            )));
        }
    }
    Ok(())
}

/// What the log says about a cause; `name` is the program's.
pub(crate) fn text(name: &str, cause: &Cause) -> String {
    match cause {
        Cause::Signal(signal) => format!("test run was aborted because {name} received a '{signal}' signal"),
        cause => cause.to_string(),
    }
}

fn premature(name: &str, cause: Cause) -> CliError {
    let text = text(name, &cause);
    match cause {
        Cause::Signal(_) => CliError::new(ExitCode::Interrupted, text),
        Cause::Thresholds(_) => CliError::new(ExitCode::ThresholdsFailed, text),
        Cause::ScriptAbort(_) => CliError::new(ExitCode::ScriptAborted, text),
        Cause::Crashed(_) => CliError::new(ExitCode::Crashed, text),
        Cause::SetupTimeout(_) => timeout(ExitCode::SetupTimeout, text, "setupTimeout"),
        Cause::TeardownTimeout(_) => timeout(ExitCode::TeardownTimeout, text, "teardownTimeout"),
        Cause::InitFailed(error) | Cause::SetupFailed(error) | Cause::TeardownFailed(error) => {
            of_phase(error)
        }
        _ => CliError::generic(text),
    }
}

fn timeout(code: ExitCode, text: String, option: &str) -> CliError {
    CliError::new(code, text)
        .field("hint", format!("You can increase the time limit via the {option} option"))
}

/// Phases fail with errors of this crate; anything else can only come from the script.
fn of_phase(error: PhaseError) -> CliError {
    match error.downcast::<CliError>() {
        Ok(error) => *error,
        Err(error) => CliError::new(ExitCode::ScriptException, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ws_metrics::OutputReport;

    use super::*;

    fn code(cause: Cause) -> (u8, String) {
        let error = conclude("ws", Some(cause), &Report::default()).unwrap_err();
        let fields: String = error.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        (error.code.code(), format!("{error}{fields}"))
    }

    #[test]
    fn every_cause() {
        let boxed = |error: CliError| -> PhaseError { Box::new(error) };
        let threw = || CliError::new(ExitCode::ScriptException, "boom").field("hint", "script exception");
        let second = Duration::from_secs(1);
        for (cause, expected_code, text) in [
            (
                Cause::Signal("interrupt".to_owned()),
                105,
                "test run was aborted because ws received a 'interrupt' signal",
            ),
            (Cause::Thresholds("crossed".to_owned()), 99, "crossed"),
            (Cause::ScriptAbort("test aborted: x".to_owned()), 108, "test aborted: x"),
            (Cause::Crashed("internal error".to_owned()), 109, "internal error"),
            (Cause::InitFailed(boxed(threw())), 107, "boom hint=script exception"),
            (Cause::SetupFailed(boxed(threw())), 107, "boom hint=script exception"),
            (Cause::TeardownFailed("other".into()), 107, "other"),
            (
                Cause::SetupTimeout(second),
                100,
                "setup() execution timed out after 1 seconds \
                 hint=You can increase the time limit via the setupTimeout option",
            ),
            (
                Cause::TeardownTimeout(second),
                101,
                "teardown() execution timed out after 1 seconds \
                 hint=You can increase the time limit via the teardownTimeout option",
            ),
        ] {
            assert_eq!(code(cause), (expected_code, text.to_owned()));
        }
    }

    #[test]
    fn without_a_cause_the_worst_decides() {
        let output = |dropped, error: Option<&str>| Report {
            outputs: vec![OutputReport {
                name: "json (x)".to_owned(),
                dropped,
                error: error.map(str::to_owned),
            }],
            ..Report::default()
        };
        let crossed = || Report { crossed: vec!["a".to_owned(), "b".to_owned()], ..output(1, None) };
        assert_eq!(conclude("ws", None, &output(0, None)), Ok(()));
        for (report, code, text) in [
            (crossed(), ExitCode::ThresholdsFailed, "thresholds on metrics 'a, b' have been crossed"),
            (
                output(7, None),
                ExitCode::Generic,
                "output 'json (x)' is not complete, 7 samples are missing: it was slower than the test",
            ),
            (
                output(0, Some("disk full")),
                ExitCode::Generic,
                "output 'json (x)' is not complete, 0 samples are missing: disk full",
            ),
        ] {
            assert_eq!(conclude("ws", None, &report), Err(CliError::new(code, text)));
        }
    }
}
