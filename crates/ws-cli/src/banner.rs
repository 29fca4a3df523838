//! What is shown before a run: the logo, and what is going to happen.

use ws_engine::Plan;

use crate::wording;

const LOGO: &str = r"
    __      __ ___
    \ \ /\ / // __|   WebSocket
     \ V  V / \__ \   load tests
      \_/\_/  |___/

";

/// The line of `ws version`; `name` is what the program calls itself.
pub(crate) fn version(name: &str) -> String {
    format!("{name} v{} ({}/{})\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)
}

/// The same as an object of JSON.
pub(crate) fn version_json() -> String {
    let version = format!("v{}", env!("CARGO_PKG_VERSION"));
    let fields = serde_json::json!({
        "version": version, "os": std::env::consts::OS, "arch": std::env::consts::ARCH,
    });
    format!("{fields}\n")
}

/// The logo with a blank line around it.
pub(crate) fn logo(colours: bool) -> String {
    if colours { format!("\x1b[36m{LOGO}\x1b[0m") } else { LOGO.to_owned() }
}

/// What is going to happen: `facts` are labels and values, such as the script's name.
pub(crate) fn description(facts: &[(&str, String)], plan: &Plan, colours: bool) -> String {
    let paint = |text: &str| if colours { format!("\x1b[36m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = String::new();
    for (label, value) in facts {
        text.push_str(&format!("{label:>14}: {}\n", paint(value)));
    }
    let lines = wording::plan::describe(plan);
    let mut lines = lines.iter();
    if let Some(headline) = lines.next() {
        text.push_str(&format!("\n{:>14}: {}\n", "scenarios", paint(headline)));
    }
    for line in lines {
        text.push_str(&format!("{:14}{line}\n", ""));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use ws_engine::Shortcuts;

    use super::*;

    fn plan() -> Plan {
        let shortcuts = Shortcuts { vus: Some(2), iterations: Some(4), ..Shortcuts::default() };
        Plan::new(shortcuts.derive().unwrap().scenarios, |_| true).unwrap()
    }

    #[test]
    fn description_in_the_shape_of_k6() {
        let facts =
            [("execution", "local".to_owned()), ("script", "a.js".to_owned()), ("output", "-".to_owned())];
        assert_eq!(
            description(&facts, &plan(), false),
            "     execution: local
        script: a.js
        output: -

     scenarios: (100.00%) 1 scenario, 2 max VUs, 10m30s max duration (incl. graceful stop):
              * default: 4 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)

"
        );
        let coloured = description(&facts, &plan(), true);
        assert!(coloured.starts_with("     execution: \x1b[36mlocal\x1b[0m\n"), "{coloured}");
    }

    #[test]
    fn logo_stands_alone() {
        assert!(logo(false).starts_with('\n') && logo(false).ends_with("\n\n"));
        assert!(logo(true).starts_with("\x1b[36m") && logo(true).ends_with("\x1b[0m"));
        assert!(version("ws").starts_with("ws v0."));
    }
}
