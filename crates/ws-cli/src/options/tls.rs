//! The options of TLS: how they are written, and what they come to.

use serde_json::{Map, Value};
use ws_js::{CipherSuite, ClientIdentity, TlsOptions, TlsVersion, TlsVersions};

use super::form::Form;
use super::json;
use super::table::Layer;

/// `tlsVersion`; a variable may hold the object as JSON.
pub(crate) const VERSIONS: Form<RawVersions> =
    Form::of(|text| versions(&value_or_text(text)), |_, value| versions(value));

/// `tlsAuth`; a variable holds it as JSON.
pub(crate) const IDENTITIES: Form<Vec<RawIdentity>> = Form::of(
    |text| identities(&serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?),
    |_, value| identities(value),
);

/// `tlsVersion`: an end that is not mentioned is the usual one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RawVersions {
    min: Option<String>,
    max: Option<String>,
}

/// One of `tlsAuth`, as written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawIdentity {
    certificate: String,
    key: String,
    password: Option<String>,
    domains: Vec<String>,
}

/// `'tls1.2'`, or `{ min: 'tls1.2', max: 'tls1.3' }`. Empty strings say nothing.
fn versions(value: &Value) -> Result<Option<RawVersions>, String> {
    let set = |text: String| Some(text).filter(|text| !text.is_empty());
    match value {
        Value::Null => Ok(None),
        Value::String(text) => {
            let version = set(text.clone());
            Ok(version.map(|version| RawVersions { min: Some(version.clone()), max: Some(version) }))
        }
        Value::Object(fields) => {
            let mut versions = RawVersions::default();
            for (key, value) in fields {
                let text = json::string(&format!("tlsVersion.{key}"), value)?.and_then(set);
                match key.to_ascii_lowercase().as_str() {
                    "min" => versions.min = text,
                    "max" => versions.max = text,
                    _ => return Err(format!("option 'tlsVersion' has min and max, but no '{key}'")),
                }
            }
            Ok(Some(versions))
        }
        _ => Err(format!(
            "option 'tlsVersion' must be a version such as 'tls1.2' or an object of min and max, got {value}"
        )),
    }
}

/// `[{ cert, key, password, domains }]`, the certificate and the key as PEM text.
fn identities(value: &Value) -> Result<Option<Vec<RawIdentity>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, item)| identity(&format!("tlsAuth[{at}]"), item)).collect()
        }
        _ => Err("option 'tlsAuth' must be a list of objects with cert, key, password, domains".to_owned()),
    }
}

// No value is shown in a message here: it could be the key.
fn identity(path: &str, value: &Value) -> Result<Option<RawIdentity>, String> {
    let Value::Object(fields) = value else {
        return Err(format!("option '{path}' must be an object with cert, key, password, domains"));
    };
    let known = ["cert", "key", "password", "domains"];
    if let Some(key) = fields.keys().find(|key| !known.iter().any(|known| known.eq_ignore_ascii_case(key))) {
        return Err(format!("option '{path}' has cert, key, password and domains, but no '{key}'"));
    }
    Ok(Some(RawIdentity {
        certificate: text(path, fields, "cert")?.unwrap_or_default(),
        key: text(path, fields, "key")?.unwrap_or_default(),
        password: text(path, fields, "password")?.filter(|password| !password.is_empty()),
        domains: json::strings(&format!("{path}.domains"), get(fields, "domains"))?.unwrap_or_default(),
    }))
}

fn get<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a Value {
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or(&Value::Null, |(_, value)| value)
}

fn text(path: &str, fields: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match get(fields, name) {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(format!("option '{path}.{name}' must be a string")),
    }
}

/// An object if it is one.
fn value_or_text(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// What the merged options come to; everything wrong with them goes to `problems`.
pub(crate) fn resolve(layer: &Layer, problems: &mut Vec<String>) -> TlsOptions {
    let mut options = TlsOptions {
        skip_verify: layer.insecure_skip_tls_verify.unwrap_or(false),
        resumption: layer.tls_resumption.unwrap_or(false),
        ..TlsOptions::default()
    };
    let before = problems.len();
    if let Some(raw) = &layer.tls_version {
        match resolve_versions(raw) {
            Ok(versions) => options.versions = versions,
            Err(reason) => problems.push(format!("tlsVersion: {reason}")),
        }
    }
    for name in layer.tls_cipher_suites.iter().flatten() {
        match name.parse::<CipherSuite>() {
            Ok(suite) => options.cipher_suites.push(suite),
            Err(error) => problems.push(format!("tlsCipherSuites: {error}")),
        }
    }
    if problems.len() == before
        && let Err(error) = options.check()
    {
        problems.push(format!("tlsVersion, tlsCipherSuites: {error}"));
    }
    for (at, raw) in layer.tls_auth.iter().flatten().enumerate() {
        let RawIdentity { certificate, key, password, domains } = raw;
        match ClientIdentity::from_pem(certificate, key, password.as_deref(), domains) {
            Ok(identity) => options.identities.push(identity),
            Err(error) => problems.push(format!("tlsAuth[{at}]: {error}")),
        }
    }
    options
}

fn resolve_versions(raw: &RawVersions) -> Result<TlsVersions, String> {
    let parse = |name: &Option<String>| name.as_deref().map(str::parse::<TlsVersion>).transpose();
    let (min, max) = (parse(&raw.min), parse(&raw.max));
    let (min, max) = (min.map_err(|e| e.to_string())?, max.map_err(|e| e.to_string())?);
    let usual = TlsVersions::default();
    let max = max.unwrap_or(usual.max);
    // A range that only has an upper end below the usual lower one is one of unsupported versions, not an empty one.
    Ok(TlsVersions { min: min.unwrap_or(usual.min.min(max)), max })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolved(options: Value) -> Result<TlsOptions, Vec<String>> {
        let layer = Layer {
            tls_version: versions(&options["tlsVersion"]).unwrap(),
            tls_cipher_suites: json::strings("tlsCipherSuites", &options["tlsCipherSuites"]).unwrap(),
            tls_auth: identities(&options["tlsAuth"]).unwrap(),
            ..Layer::default()
        };
        let mut problems = Vec::new();
        let options = resolve(&layer, &mut problems);
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    #[test]
    fn versions_in_all_notations() {
        use TlsVersion::{Tls10, Tls12, Tls13};
        for (value, min, max) in [
            (json!(null), Tls12, Tls13),
            (json!(""), Tls12, Tls13),
            (json!({}), Tls12, Tls13),
            (json!("tls1.2"), Tls12, Tls12),
            (json!({"max": "tls1.2"}), Tls12, Tls12),
            (json!({"min": "tls1.0", "max": ""}), Tls10, Tls13),
            (json!({"Min": "tls1.3"}), Tls13, Tls13),
        ] {
            let versions = resolved(json!({"tlsVersion": value})).unwrap().versions;
            assert_eq!(versions, TlsVersions { min, max }, "{value}");
        }
        for (value, problem) in [
            (json!("x"), "tlsVersion: unknown TLS version 'x'; there are tls1.0, tls1.1, tls1.2, tls1.3"),
            (json!({"min": "TLS1.2"}), "tlsVersion: unknown TLS version 'TLS1.2'; there are tls1.0, "),
            (
                json!("tls1.1"),
                "tlsVersion, tlsCipherSuites: TLS versions from tls1.1 to tls1.1 are not supported; ",
            ),
            (
                json!({"max": "tls1.0"}),
                "tlsVersion, tlsCipherSuites: TLS versions from tls1.0 to tls1.0 are not",
            ),
            (
                json!({"min": "tls1.3", "max": "tls1.2"}),
                "tlsVersion, tlsCipherSuites: no TLS version is at least tls1.3 and at most tls1.2",
            ),
        ] {
            let problems = resolved(json!({"tlsVersion": value})).unwrap_err();
            assert!(problems.len() == 1 && problems[0].starts_with(problem), "{problems:?}");
        }
        assert!(versions(&json!(3)).unwrap_err().ends_with("got 3"));
        assert!(versions(&json!({"mim": "tls1.2"})).unwrap_err().ends_with("no 'mim'"));
    }

    #[test]
    fn suites_by_name() {
        let options =
            resolved(json!({"tlsCipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]})).unwrap();
        assert_eq!(options.cipher_suites.len(), 1);
        let wrong = json!(["FOO", "TLS_RSA_WITH_AES_128_CBC_SHA"]);
        let problems = resolved(json!({"tlsCipherSuites": wrong})).unwrap_err();
        assert!(problems[0].starts_with("tlsCipherSuites: unknown cipher suite 'FOO'; supported are TLS_"));
        assert!(problems[1].starts_with(
            "tlsCipherSuites: cipher suite 'TLS_RSA_WITH_AES_128_CBC_SHA' is not supported; supported are TLS_"
        ));
        let apart = json!({"tlsCipherSuites": ["TLS_AES_128_GCM_SHA256"], "tlsVersion": "tls1.2"});
        assert_eq!(resolved(apart).unwrap_err().len(), 1);
    }

    #[test]
    fn identities_name_what_is_wrong_and_show_no_key() {
        for (value, message) in [
            (json!({}), "option 'tlsAuth' must be a list of objects with cert, key, password, domains"),
            (json!(["SECRET"]), "option 'tlsAuth[0]' must be an object with cert, key, password, domains"),
            (
                json!([{"kee": "SECRET"}]),
                "option 'tlsAuth[0]' has cert, key, password and domains, but no 'kee'",
            ),
            (json!([{"key": ["SECRET"]}]), "option 'tlsAuth[0].key' must be a string"),
        ] {
            assert_eq!(identities(&value), Err(message.to_owned()));
        }
        let problems = resolved(json!({"tlsAuth": [{"cert": "x", "key": "SECRET"}]})).unwrap_err();
        assert!(
            problems[0].starts_with("tlsAuth[0]: failed to find any PEM data in certificate input"),
            "{problems:?}"
        );
        assert!(!problems[0].contains("SECRET"));
    }

    #[test]
    fn variables() {
        let set = (VERSIONS.text)(r#"{"min": "tls1.3"}"#);
        assert_eq!(set, Ok(Some(RawVersions { min: Some("tls1.3".to_owned()), max: None })));
        let set = (IDENTITIES.text)(r#"[{"cert": "c", "key": "k", "domains": ["d"]}]"#).unwrap().unwrap();
        assert_eq!(set[0].domains, ["d"]);
        assert!((IDENTITIES.text)("cert.pem").unwrap_err().starts_with("not JSON: "));
    }
}
