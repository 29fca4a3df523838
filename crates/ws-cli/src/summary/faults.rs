//! Why connections failed, in the words of the report.

use ws_js::Fault;

/// Step and reason.
pub(super) fn name(fault: &Fault) -> String {
    let code = fault.reason.code().map_or_else(String::new, |code| format!(" {code}"));
    format!("{}: {}{code}", fault.phase.name(), fault.reason.name())
}

/// What was said of the first, and its address.
pub(super) fn example(fault: &Fault) -> String {
    format!("{} ({})", fault.example, fault.url)
}

#[cfg(test)]
mod tests {
    use ws_js::{FaultPhase, FaultReason};
    use ws_metrics::Report;

    use super::super::tests::style;
    use super::super::text;
    use super::*;

    #[test]
    fn failures_have_reasons_and_examples() {
        let fault = |phase, reason, count, example: &str| {
            let (example, url) = (example.to_owned(), "ws://h/".to_owned());
            Fault { phase, reason, count, example, url }
        };
        let faults = [
            fault(FaultPhase::Tcp, FaultReason::Refused, 17_000, "dial tcp h:1: connect: connection refused"),
            fault(FaultPhase::Upgrade, FaultReason::Status(503), 2, "bad\x1b[A"),
        ];
        let text = text::render(&Report::default(), &faults, &style());
        let expected = "
    FAILURES
    tcp: connection refused...: 17000 dial tcp h:1: connect: connection refused (ws://h/)
    upgrade: status 503.......: 2     bad\\u001b[A (ws://h/)

";
        assert!(text.contains(expected), "{text}");
    }
}
