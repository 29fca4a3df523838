//! What a module specifier names.

use std::path::{Component, Path, PathBuf};

use super::library::{self, Library};

/// What an import asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module of this tool: `k6` or `k6/...`.
    Builtin(String),
    /// A module that others fetch.
    Library(&'static Library),
    /// A file, by absolute path.
    File(PathBuf),
}

impl Target {
    /// What a specifier means in a file of the folder `dir`, or why it means nothing.
    pub(crate) fn of(specifier: &str, dir: &Path) -> Result<Target, String> {
        if specifier.is_empty() {
            return Err("local or remote path required".into());
        }
        if specifier == "k6" || specifier.starts_with("k6/") {
            return Ok(Target::Builtin(specifier.into()));
        }
        if let Some((scheme, _)) = specifier.split_once("://") {
            return match (scheme, path_of(specifier)) {
                ("file", Some(path)) => Ok(Target::File(clean(&path))),
                ("https", _) => library::at(specifier).map(Target::Library),
                _ => Err(format!(
                    "only supported schemes for imports are file and https, {specifier} has `{scheme}`"
                )),
            };
        }
        let is_path = Path::new(specifier).is_absolute()
            || matches!(specifier, "." | "..")
            || ["./", "../", ".\\", "..\\"].iter().any(|start| specifier.starts_with(start));
        if is_path { Ok(Target::File(clean(&dir.join(specifier)))) } else { Err(unknown(specifier)) }
    }

    /// The name under which the module is known: its own (also for all versions of a library), or the URL of its
    /// file.
    pub(crate) fn key(&self) -> String {
        match self {
            Target::Builtin(name) => name.clone(),
            Target::Library(library) => library.key.into(),
            Target::File(path) => url_of(path),
        }
    }
}

/// The message for a specifier that is neither a path nor one of our modules.
pub(crate) fn unknown(specifier: &str) -> String {
    format!("The moduleSpecifier \"{specifier}\" couldn't be recognised as something k6 supports.")
}

/// The message for a file that is not there.
pub(crate) fn missing(specifier: &str) -> String {
    format!(
        "The moduleSpecifier \"{specifier}\" couldn't be found on local disk. Make sure that you've specified the \
         right path to the file. If you're running k6 using the Docker image make sure you have mounted the local \
         directory (-v /local/path/:/inside/docker/path) containing your script and modules so that they're \
         accessible by k6 from inside of the container, see \
         https://grafana.com/docs/k6/latest/using-k6/modules/#use-modules-with-docker."
    )
}

/// The `file://` URL of an absolute path. Characters that a URL's path cannot hold are percent-encoded.
pub(crate) fn url_of(path: &Path) -> String {
    let path = path.to_string_lossy();
    let mut url = String::from(if path.starts_with('/') { "file://" } else { "file:///" });
    for character in path.chars() {
        match character {
            '\\' if cfg!(windows) => url.push('/'),
            '%'
            | '?'
            | '#'
            | ' '
            | '"'
            | '<'
            | '>'
            | '`'
            | '{'
            | '}'
            | '\\'
            | '^'
            | '\0'..='\x1F'
            | '\x7F'.. => {
                let mut bytes = [0; 4];
                for byte in character.encode_utf8(&mut bytes).bytes() {
                    url.push_str(&format!("%{byte:02X}"));
                }
            }
            _ => url.push(character),
        }
    }
    url
}

/// The path of a `file://` URL.
pub(crate) fn path_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("file://")?.as_bytes();
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, after @ ..] = rest {
        let decoded = match (first, after) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    let path = String::from_utf8_lossy(&bytes).into_owned();
    // file:///C:/x is C:/x.
    let drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    Some(PathBuf::from(if drive { &path[1..] } else { &path[..] }))
}

/// A path without `.` and `..`, as far as its text tells: two spellings are one module.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => (),
            // There is nothing above the root.
            Component::ParentDir => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(specifier: &str) -> Result<Target, String> {
        Target::of(specifier, Path::new("/work/tests"))
    }

    #[test]
    fn paths_are_relative_to_the_importing_file() {
        for (specifier, path) in [
            ("./a.js", "/work/tests/a.js"),
            ("../a.js", "/work/a.js"),
            ("../../../a.js", "/a.js"),
            ("./x/../y//./a.js", "/work/tests/y/a.js"),
            ("/abs/./a.js", "/abs/a.js"),
            ("file:///abs/a.js", "/abs/a.js"),
            ("file:///abs/with%20space.js", "/abs/with space.js"),
            (".", "/work/tests"),
        ] {
            assert_eq!(of(specifier), Ok(Target::File(path.into())), "{specifier}");
        }
    }

    #[test]
    fn names_of_our_modules_are_taken_as_they_are() {
        for name in ["k6", "k6/ws", "k6/x/whatever"] {
            assert_eq!(of(name), Ok(Target::Builtin(name.into())));
        }
    }

    #[test]
    fn other_specifiers_say_why_they_cannot_be_imported() {
        for (specifier, message) in [
            ("lodash", "The moduleSpecifier \"lodash\" couldn't be recognised as something k6 supports."),
            ("k6x", "The moduleSpecifier \"k6x\" couldn't be recognised as something k6 supports."),
            ("", "local or remote path required"),
            (
                "http://x.y/z.js",
                "only supported schemes for imports are file and https, http://x.y/z.js has `http`",
            ),
        ] {
            assert_eq!(of(specifier), Err(message.into()));
        }
    }

    #[test]
    fn urls_and_paths_are_two_forms_of_one_thing() {
        for (path, url) in [
            ("/a/b.js", "file:///a/b.js"),
            ("/a b/50%/c#1?.js", "file:///a%20b/50%25/c%231%3F.js"),
            ("/é/x.js", "file:///%C3%A9/x.js"),
        ] {
            assert_eq!(url_of(Path::new(path)), url);
            assert_eq!(path_of(url), Some(PathBuf::from(path)));
        }
        assert_eq!(path_of("file:///a%zz%4"), Some(PathBuf::from("/a%zz%4")));
        assert_eq!(path_of("https://x/y"), None);
    }
}
