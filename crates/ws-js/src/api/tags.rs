//! Tags as scripts give them.

use super::entries;
use crate::binding::{Native, Throw};
use crate::convert;

/// Reads an object of tags.
///
/// # Errors
///
/// [`Throw::Go`] for a value that is no string, number or boolean.
pub(crate) fn read_tags(
    scope: &mut v8::PinScope<'_, '_>,
    value: v8::Local<'_, v8::Value>,
) -> Native<Vec<(String, String)>> {
    // A string is its characters by index.
    let Some(object) = value.to_object(scope) else { return Err(Throw::Pending) };
    entries(scope, object)?
        .into_iter()
        .map(|(key, value)| {
            if value.is_string() || value.is_number() || value.is_boolean() {
                Ok((key, convert::to_text(scope, value)?))
            } else {
                Err(Throw::Go(format!(
                    "invalid value for metric tag '{key}': only String, Boolean and Number types are accepted as a metric tag values"
                )))
            }
        })
        .collect()
}
