//! PEM text (RFC 7468), with the headers that old encrypted keys carry (RFC 1421 section 4.4).

use data_encoding::BASE64;

/// What stands between a `BEGIN` and its `END` line.
pub(super) struct Section {
    /// Such as `CERTIFICATE`.
    pub(super) label: String,
    headers: Vec<(String, String)>,
    pub(super) data: Vec<u8>,
}

impl Section {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// All sections of a text. One that is broken is left out, as is everything between them.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let (mut headers, mut body) = (Vec::new(), String::new());
        for line in lines.by_ref().take_while(|line| *line != end) {
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => body.push_str(line),
            }
        }
        if let Ok(data) = BASE64.decode(body.as_bytes()) {
            sections.push(Section { label: label.to_owned(), headers, data });
        }
    }
    sections
}
