//! Log lines as k6 writes them when its output is not a terminal: `time="…" level=info msg="…" source=console`.

/// One line of the log, its fields in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    fields: Vec<(String, String)>,
}

impl Line {
    /// Reads a line; `None` if it is not of this form.
    pub fn parse(text: &str) -> Option<Line> {
        let mut fields = Vec::new();
        let mut rest = text.trim_end();
        while !rest.is_empty() {
            let (key, after) = rest.split_once('=')?;
            if key.is_empty() || key.contains([' ', '"']) {
                return None;
            }
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let end = after.find(' ').unwrap_or(after.len());
                    (after[..end].to_owned(), &after[end..])
                }
            };
            fields.push((key.to_owned(), value));
            rest = after.trim_start_matches(' ');
        }
        let line = Line { fields };
        (line.get("time").is_some() && line.get("level").is_some()).then_some(line)
    }

    /// The value of a field.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The level, `info`, `warning` and so on.
    pub fn level(&self) -> &str {
        self.get("level").unwrap_or_default()
    }

    /// The message; empty if there is none.
    pub fn message(&self) -> &str {
        self.get("msg").unwrap_or_default()
    }

    /// Fields other than time, level and message.
    pub fn extras(&self) -> impl Iterator<Item = (&str, &str)> {
        let known = ["time", "level", "msg"];
        self.fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).filter(move |(k, _)| !known.contains(k))
    }
}

/// Reads a quoted string behind its opening quote; gives what follows the closing one as well.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[i + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => value.push(hex(&mut chars, 2)?),
                'u' => value.push(hex(&mut chars, 4)?),
                'U' => value.push(hex(&mut chars, 8)?),
                other => value.push(other),
            },
            plain => value.push(plain),
        }
    }
    None
}

fn hex(chars: &mut std::str::CharIndices<'_>, digits: usize) -> Option<char> {
    let hex: String = chars.take(digits).map(|(_, c)| c).collect();
    u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_fields_and_undoes_quoting() {
        let text = r#"time="2026-11-21T09:58:18Z" level=error msg="w \"q\"\n\u00fc \x7f" hint="a b" n=1"#;
        let line = Line::parse(text).unwrap();
        assert_eq!((line.level(), line.message()), ("error", "w \"q\"\n\u{fc} \x7f"));
        assert_eq!(line.extras().collect::<Vec<_>>(), [("hint", "a b"), ("n", "1")]);
    }

    #[test]
    fn refuses_what_is_not_a_log_line() {
        for text in ["", "hello", "a=b", r#"time="x level=info"#, "    iterations...: 1 x=2"] {
            assert_eq!(Line::parse(text), None, "{text}");
        }
    }
}
