//! The arguments of `connect`.

use crate::api::entries;
use crate::api::tags::read_tags;
use crate::binding::Throw;
use crate::convert;

/// What `params` may say.
#[derive(Debug, Default)]
pub(super) struct Params {
    /// In the order of the object's keys.
    pub(super) headers: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
}

/// Reads `params`. Unknown keys are ignored, as in k6.
///
/// # Errors
///
/// What k6 throws for bad tags and for an unknown compression; and, by name, what is not supported yet.
pub(super) fn read<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    value: v8::Local<'s, v8::Value>,
) -> Result<Params, Throw> {
    let mut params = Params::default();
    if value.is_null_or_undefined() {
        return Ok(params);
    }
    // A primitive is boxed; none of its keys means anything here.
    let Ok(object) = v8::Local::<v8::Object>::try_from(value) else { return Ok(params) };
    for (key, value) in entries(scope, object)? {
        match key.as_str() {
            "headers" if !value.is_null_or_undefined() => {
                if let Some(headers) = value.to_object(scope) {
                    for (name, value) in entries(scope, headers)? {
                        params.headers.push((name, convert::to_text(scope, value)?));
                    }
                }
            }
            "tags" if !value.is_null_or_undefined() => {
                params.tags = read_tags(scope, value).map_err(|error| match error {
                    Throw::Go(text) => Throw::Go(format!("invalid ws.connect() metric tags: {text}")),
                    other => other,
                })?;
            }
            // Anything but a jar is ignored, and without k6/http there are no jars: an object here wants one.
            "jar" if value.is_object() => {
                return Err(Throw::Go("the param 'jar' of ws.connect() is not supported yet".into()));
            }
            "compression" => read_compression(scope, value)?,
            _ => (),
        }
    }
    Ok(params)
}

fn read_compression(scope: &mut v8::PinScope<'_, '_>, value: v8::Local<'_, v8::Value>) -> Result<(), Throw> {
    let text = convert::to_text(scope, value)?;
    match text.trim() {
        "" => Ok(()),
        "deflate" => Err(Throw::Go("the param 'compression' of ws.connect() is not supported yet".into())),
        other => Err(Throw::Go(format!(
            "unsupported compression algorithm '{other}', supported algorithm is 'deflate'"
        ))),
    }
}
