//! The configuration file: the options of scripts and a few more, in JSON.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::script;
use super::table::Layer;
use crate::error::CliError;

/// Reads the file the user named, or the one in the usual place, which may be missing.
///
/// The usual place is that of k6, whose options they are: `k6/config.json` in the user's configuration directory.
pub(crate) fn layer(named: Option<&str>, vars: &[(String, String)], cwd: &Path) -> Result<Layer, CliError> {
    let usual = usual_place(vars);
    let (path, name) = match (named, &usual) {
        (Some(name), _) => (cwd.join(name), name.to_owned()),
        (None, Some(path)) => (path.clone(), path.display().to_string()),
        (None, None) => return Ok(Layer::default()),
    };
    let fail = |why: String| {
        CliError::config(format!("failed to load the configuration file from the local file system: {why}"))
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) if named != Some("") => text,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => return Ok(Layer::default()),
        Err(error) if error.kind() != ErrorKind::NotFound && named != Some("") => {
            return Err(fail(format!("could not read \"{name}\": {error}")));
        }
        _ => return Err(fail(format!("stat {name}: no such file or directory"))),
    };
    let wrong = |why: String| fail(format!("couldn't parse the configuration from \"{name}\": {why}"));
    let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    // What a configuration file of k6 says beyond that is of other parts of k6.
    script::read(&value, script::From::Config).map(|(layer, _)| layer).map_err(wrong)
}

fn usual_place(vars: &[(String, String)]) -> Option<PathBuf> {
    let directory = |name: &str| {
        vars.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| Path::new(value))
    };
    let configuration = directory("XDG_CONFIG_HOME")
        .map(Path::to_owned)
        .or_else(|| directory("HOME").map(|home| home.join(".config")))?;
    Some(configuration.join("k6").join("config.json"))
}

#[cfg(test)]
mod tests {
    use super::super::runtime::Output;
    use super::*;

    fn read(file: Option<&str>) -> Result<Layer, String> {
        let directory = tempfile::tempdir().unwrap();
        if let Some(text) = file {
            std::fs::write(directory.path().join("c.json"), text).unwrap();
        }
        layer(Some("c.json"), &[], directory.path()).map_err(|error| {
            assert_eq!(error.code, crate::exit::ExitCode::InvalidConfig);
            let front = "failed to load the configuration file from the local file system: ";
            error.message.strip_prefix(front).unwrap().to_owned()
        })
    }

    #[test]
    fn options_of_scripts_and_a_few_more() {
        let text = r#"{"vus": 8, "noUsageReport": true, "out": ["json=a.json"], "collectors": {"csv": {}},
            "linger": false, "somethingOfK6": 1}"#;
        let expected = Layer {
            vus: Some(8),
            no_usage_report: Some(true),
            outputs: Some(vec![Output::Json("a.json".to_owned())]),
            ..Layer::default()
        };
        assert_eq!(read(Some(text)), Ok(expected));
    }

    #[test]
    fn refusals_name_the_file() {
        let parse = |why: &str| format!("couldn't parse the configuration from \"c.json\": {why}");
        for (text, message) in [
            (None, "stat c.json: no such file or directory".to_owned()),
            (Some("{bad"), parse("key must be a string at line 1 column 2")),
            (Some("[]"), parse("expected an object, got []")),
            (Some(r#"{"vus": "x"}"#), parse("option 'vus' must be an integer, got \"x\"")),
            (Some(r#"{"linger": true}"#), parse("option 'linger' is not supported yet")),
            (Some(r#"{"out": ["nope"]}"#), parse("invalid output type 'nope', available types are: json")),
        ] {
            assert_eq!(read(text), Err(message));
        }
    }

    #[test]
    fn the_usual_place() {
        let vars = |pairs: &[(&str, &str)]| -> Vec<_> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let home = ("HOME", "/users/me");
        for (pairs, path) in [
            (vec![], None),
            (vec![home], Some("/users/me/.config/k6/config.json")),
            (vec![home, ("XDG_CONFIG_HOME", "/c")], Some("/c/k6/config.json")),
            (vec![home, ("XDG_CONFIG_HOME", "")], Some("/users/me/.config/k6/config.json")),
        ] {
            assert_eq!(usual_place(&vars(&pairs)).as_deref(), path.map(Path::new));
        }
        assert_eq!(layer(None, &vars(&[("HOME", "/nonexistent")]), Path::new("/")), Ok(Layer::default()));
    }
}
