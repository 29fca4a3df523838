//! Modules that scripts import from `https://jslib.k6.io`, as own implementations that need no network.

/// One of them, in all its versions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Library {
    /// Its name in the address.
    name: &'static str,
    /// The name under which it is known here; no stack shows it.
    pub(super) key: &'static str,
    pub(super) text: &'static str,
}

static LIBRARIES: &[Library] =
    &[Library { name: "k6-utils", key: "ws:jslib/k6-utils.js", text: include_str!("library/k6-utils.js") }];

/// The library at an address (`https://jslib.k6.io/k6-utils/1.4.0/index.js`), or why there is none.
pub(super) fn at(url: &str) -> Result<&'static Library, String> {
    let find = || {
        let (name, rest) = url.strip_prefix("https://jslib.k6.io/")?.split_once('/')?;
        let version = rest.strip_suffix("/index.js")?;
        let is_version = !version.is_empty() && !version.contains('/');
        LIBRARIES.iter().find(|library| is_version && library.name == name)
    };
    find().ok_or_else(|| {
        let known: Vec<_> = LIBRARIES
            .iter()
            .map(|library| format!("https://jslib.k6.io/{}/<version>/index.js", library.name))
            .collect();
        format!(
            "importing {url} is not supported yet: modules are not fetched, and only {} is built in; save the \
             module as a file beside the script and import that",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_version_is_built_in() {
        for version in ["1.0.0", "1.6.0", "99", "v2"] {
            let url = format!("https://jslib.k6.io/k6-utils/{version}/index.js");
            assert_eq!(at(&url).map(|library| library.name), Ok("k6-utils"), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for url in [
            "https://jslib.k6.io/k6-utils/index.js",
            "https://jslib.k6.io/k6-utils//index.js",
            "https://jslib.k6.io/k6-utils/1.0.0/other.js",
            "https://jslib.k6.io/k6-summary/0.1.0/index.js",
            "https://jslib.k6.io/httpx/0.1.0/index.js",
            "https://x.y/k6-utils/1.0.0/index.js",
        ] {
            let why = at(url).unwrap_err();
            let start = format!("importing {url} is not supported yet: ");
            assert!(why.starts_with(&start) && why.contains("k6-utils/<version>/index.js"), "{why}");
        }
    }
}
