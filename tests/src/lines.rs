//! Taking out of a text what changes from run to run: ports, folders, versions, times.

/// What stands for what in one run.
#[derive(Clone, Debug, Default)]
pub struct Substitutions {
    pairs: Vec<(String, String)>,
}

impl Substitutions {
    /// Replaces every `from` by `to`; longer texts should be added before texts they contain.
    pub fn add(&mut self, from: impl Into<String>, to: impl Into<String>) {
        self.pairs.push((from.into(), to.into()));
    }

    /// The text with everything replaced, loopback ports and user agents included.
    pub fn apply(&self, text: &str) -> String {
        let text = self.pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        let text = replace_after(&text, "127.0.0.1:", |c| c.is_ascii_digit(), "PORT");
        // Each program names itself; both in the same place.
        let text = text
            .replace("User-Agent: Grafana k6/", "User-Agent: PROGRAM/")
            .replace("User-Agent: ws/", "User-Agent: PROGRAM/");
        replace_after(&text, "User-Agent: PROGRAM/", |c| c.is_ascii_digit() || c == '.', "VERSION")
    }
}

/// Replaces the run of matching characters behind each `marker`, unless the run is empty or a lone `1`
/// (port 1 stands for itself: nobody listens there).
fn replace_after(text: &str, marker: &str, matches: impl Fn(char) -> bool, by: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(marker) {
        let (before, after) = rest.split_at(at + marker.len());
        let end = after.find(|c| !matches(c)).unwrap_or(after.len());
        result.push_str(before);
        result.push_str(if matches!(&after[..end], "" | "1") { &after[..end] } else { by });
        rest = &after[end..];
    }
    result + rest
}

/// The places where two texts differ, as the lines of the first marked `-` and of the second marked `+`.
pub fn difference(expected: &str, found: &str) -> String {
    let (a, b): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    // Longest common subsequence; the texts are some hundred lines.
    let mut common = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] =
                if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("- {}", a[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", b[j]));
            j += 1;
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_what_changes() {
        let mut substitutions = Substitutions::default();
        substitutions.add("127.0.0.1:4711", "SERVER");
        assert_eq!(
            substitutions
                .apply("ws://127.0.0.1:4711/a 127.0.0.1:99->127.0.0.1:1: User-Agent: Grafana k6/2.2.0;"),
            "ws://SERVER/a 127.0.0.1:PORT->127.0.0.1:1: User-Agent: PROGRAM/VERSION;"
        );
    }

    #[test]
    fn shows_only_what_differs() {
        assert_eq!(difference("a\nb\nc", "a\nx\nc\nd"), "- b\n+ x\n+ d");
        assert_eq!(difference("same", "same"), "");
    }
}
