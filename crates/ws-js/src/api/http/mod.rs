//! `k6/http`, of which there are the cookie jars so far: WebSocket sessions share them.
//!
//! The rest is there by name, so that a script that imports it hears which call it was that cannot be made.

mod expires;
mod jar;

pub(crate) use self::jar::jar_of;
use super::{Caller, set_text};
use crate::binding::{self, Native, Throw, native};

/// What these names stand for in k6.
const CONSTANTS: [(&str, &str); 18] = [
    ("TLS_1_0", "tls1.0"),
    ("TLS_1_1", "tls1.1"),
    ("TLS_1_2", "tls1.2"),
    ("TLS_1_3", "tls1.3"),
    ("OCSP_STATUS_GOOD", "good"),
    ("OCSP_STATUS_REVOKED", "revoked"),
    ("OCSP_STATUS_SERVER_FAILED", "server_failed"),
    ("OCSP_STATUS_UNKNOWN", "unknown"),
    ("OCSP_REASON_UNSPECIFIED", "unspecified"),
    ("OCSP_REASON_KEY_COMPROMISE", "key_compromise"),
    ("OCSP_REASON_CA_COMPROMISE", "ca_compromise"),
    ("OCSP_REASON_AFFILIATION_CHANGED", "affiliation_changed"),
    ("OCSP_REASON_SUPERSEDED", "superseded"),
    ("OCSP_REASON_CESSATION_OF_OPERATION", "cessation_of_operation"),
    ("OCSP_REASON_CERTIFICATE_HOLD", "certificate_hold"),
    ("OCSP_REASON_REMOVE_FROM_CRL", "remove_from_crl"),
    ("OCSP_REASON_PRIVILEGE_WITHDRAWN", "privilege_withdrawn"),
    ("OCSP_REASON_AA_COMPROMISE", "aa_compromise"),
];

/// Adds functions that throw what they are not.
macro_rules! refuse {
    ($scope:expr, $exports:expr, $($name:literal)*) => {
        $({
            fn refused(_: &mut v8::PinScope<'_, '_>, _: &v8::FunctionCallbackArguments<'_>) -> Native {
                Err(Throw::Go(concat!("http.", $name, " is not supported yet").into()))
            }
            binding::set_function($scope, $exports, $name, native!(refused), None);
        })*
    };
}

/// The exports of `k6/http`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    for (name, value) in CONSTANTS {
        set_text(scope, exports, name, value);
    }
    refuse!(scope, exports, "url");
    let constructor = jar::constructor(scope);
    binding::set(scope, exports, "CookieJar", constructor.into());
    binding::set_function(scope, exports, "cookieJar", native!(cookie_jar), None);
    refuse!(
        scope, exports,
        "file" "get" "head" "post" "put" "patch" "del" "options" "request" "asyncRequest" "batch"
        "setResponseCallback" "expectedStatuses"
    );
    exports
}

/// `cookieJar()`: the jar that the VU has now, which is another one in the next iteration.
fn cookie_jar<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    _: &v8::FunctionCallbackArguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let caller = Caller::in_vu_code("Making cookie jars in the init context is not supported")?;
    Ok(jar::to_object(scope, caller.jar()))
}
