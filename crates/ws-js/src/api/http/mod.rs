//! `k6/http`.
//!
//! [`plan`] reads what a script asks for, `ws_http` does it, [`samples`] measures it, [`response`] shows what came of
//! it. [`send`] puts these together, for calls that wait and for those that give a promise.

mod body;
mod debug;
mod expires;
mod failure;
mod jar;
mod json;
mod plan;
mod response;
mod samples;
mod send;
mod statuses;
mod user;

pub(crate) use self::jar::jar_of;
pub(crate) use self::send::done;
use self::statuses::Expected;
pub(crate) use self::user::User;
use super::{Caller, set_text};
use crate::binding::{self, Native, Throw, native};

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;

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

/// Adds functions that make requests with a method of their own.
macro_rules! methods {
    ($scope:expr, $exports:expr, $how:path, $($name:literal $method:literal)*) => {
        $({
            fn call<'s>(
                scope: &mut v8::PinScope<'s, '_>,
                arguments: &Arguments<'s>,
            ) -> Native<v8::Local<'s, v8::Object>> {
                $how(scope, $method, arguments)
            }
            binding::set_function($scope, $exports, $name, native!(call), None);
        })*
    };
}

/// The exports of `k6/http`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    for (name, value) in CONSTANTS {
        set_text(scope, exports, name, value);
    }
    binding::set_function(scope, exports, "url", native!(plan::url), None);
    let constructor = jar::constructor(scope);
    binding::set(scope, exports, "CookieJar", constructor.into());
    binding::set_function(scope, exports, "cookieJar", native!(cookie_jar), None);
    binding::set_function(scope, exports, "file", native!(body::file), None);
    methods!(scope, exports, send::without_body, "get" "GET" "head" "HEAD");
    methods!(
        scope, exports, send::with_body,
        "post" "POST" "put" "PUT" "patch" "PATCH" "del" "DELETE" "options" "OPTIONS"
    );
    binding::set_function(scope, exports, "request", native!(send::request), None);
    binding::set_function(scope, exports, "asyncRequest", native!(send::async_request), None);
    binding::set_function(scope, exports, "batch", native!(send::batch), None);
    binding::set_function(scope, exports, "setResponseCallback", native!(set_response_callback), None);
    binding::set_function(scope, exports, "expectedStatuses", native!(statuses::expected_statuses), None);
    exports
}

/// `cookieJar()`: the jar that the VU has now, which is another one in the next iteration.
fn cookie_jar<'s>(scope: &mut v8::PinScope<'s, '_>, _: &Arguments<'s>) -> Native<v8::Local<'s, v8::Object>> {
    let caller = Caller::in_vu_code("Making cookie jars in the init context is not supported")?;
    Ok(jar::to_object(scope, caller.jar()))
}

/// `setResponseCallback(expectedStatuses(…))`: for all requests of the VU that have none of their own.
fn set_response_callback(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let expected = Expected::read(scope, arguments.get(0))
        .ok_or_else(|| Throw::Go("unsupported argument, expected http.expectedStatuses".into()))?;
    Caller::here().expect_http(expected);
    Ok(())
}

fn has_header(request: &ws_http::Request, name: &str) -> bool {
    request.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
}
