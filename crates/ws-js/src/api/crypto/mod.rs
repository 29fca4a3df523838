//! `k6/crypto`: hashes, keyed hashes and random bytes.

mod hasher;

use std::sync::{Arc, Mutex, PoisonError};

use self::hasher::Hasher;
use super::encoding::bytes_of;
use crate::binding::{self, Native, Throw, native};
use crate::convert;
use crate::held;
use crate::web;

type Arguments<'s> = v8::FunctionCallbackArguments<'s>;
type Value<'s> = v8::Local<'s, v8::Value>;

/// Adds a function for each hash.
macro_rules! hashes {
    ($scope:expr, $exports:expr, $($name:literal)*) => {
        $({
            fn hash<'s>(
                scope: &mut v8::PinScope<'s, '_>,
                arguments: &Arguments<'s>,
            ) -> Native<Value<'s>> {
                one_shot(scope, $name, arguments)
            }
            binding::set_function($scope, $exports, $name, native!(hash), None);
        })*
    };
}

/// The exports of `k6/crypto`.
pub(crate) fn exports<'s>(scope: &mut v8::PinScope<'s, '_>) -> v8::Local<'s, v8::Object> {
    let exports = v8::Object::new(scope);
    hashes!(
        scope, exports,
        "md4" "md5" "sha1" "sha256" "sha384" "sha512" "sha512_224" "sha512_256" "ripemd160"
    );
    binding::set_function(scope, exports, "createHash", native!(create_hash), None);
    binding::set_function(scope, exports, "createHMAC", native!(create_hmac), None);
    binding::set_function(scope, exports, "hexEncode", native!(hex_encode), None);
    binding::set_function(scope, exports, "hmac", native!(hmac), None);
    binding::set_function(scope, exports, "randomBytes", native!(random_bytes), None);
    exports
}

/// `sha256(data, encoding)` and its like.
fn one_shot<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: &str,
    arguments: &Arguments<'s>,
) -> Native<Value<'s>> {
    let data =
        bytes_of(scope, arguments.get(0))?.map_err(|why| Throw::Go(format!("{name} failed: {why}")))?;
    let mut hasher = Hasher::plain(name).ok_or_else(|| unknown(name))?;
    hasher.update(&data);
    encoded(scope, &hasher.digest(), arguments.get(1))
}

/// `hmac(algorithm, key, data, encoding)`.
fn hmac<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let mut hasher = keyed(scope, arguments)?;
    let data = bytes_of(scope, arguments.get(2))?.map_err(Throw::Go)?;
    hasher.update(&data);
    encoded(scope, &hasher.digest(), arguments.get(3))
}

/// `createHash(algorithm)`.
fn create_hash<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let name = convert::to_text(scope, arguments.get(0))?;
    let hasher = Hasher::plain(&name).ok_or_else(|| unknown(&name))?;
    Ok(to_object(scope, hasher))
}

/// `createHMAC(algorithm, key)`.
fn create_hmac<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Object>> {
    let hasher = keyed(scope, arguments)?;
    Ok(to_object(scope, hasher))
}

fn keyed(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native<Hasher> {
    let name = convert::to_text(scope, arguments.get(0))?;
    let key = bytes_of(scope, arguments.get(1))?.map_err(Throw::Go)?;
    Hasher::keyed(&name, &key).ok_or_else(|| unknown(&name))
}

fn unknown(name: &str) -> Throw {
    Throw::Go(format!("invalid algorithm: {name}"))
}

/// The state of a hash, shared by the two functions of its object.
type State = Mutex<Hasher>;

fn to_object<'s>(scope: &mut v8::PinScope<'s, '_>, hasher: Hasher) -> v8::Local<'s, v8::Object> {
    let state: Arc<State> = Arc::new(Mutex::new(hasher));
    let share = held::hold(scope, state, 512).into();
    let object = v8::Object::new(scope);
    binding::set_function(scope, object, "digest", native!(digest), Some(share));
    binding::set_function(scope, object, "update", native!(update), Some(share));
    object
}

fn state(arguments: &Arguments<'_>) -> Native<Arc<State>> {
    held::value_of(arguments.data()).ok_or_else(|| Throw::Plain("no hash".into()))
}

fn update(scope: &mut v8::PinScope<'_, '_>, arguments: &Arguments<'_>) -> Native {
    let data = bytes_of(scope, arguments.get(0))?.map_err(Throw::Go)?;
    state(arguments)?.lock().unwrap_or_else(PoisonError::into_inner).update(&data);
    Ok(())
}

/// Of all that was put in so far; more can follow.
fn digest<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let digest = state(arguments)?.lock().unwrap_or_else(PoisonError::into_inner).digest();
    encoded(scope, &digest, arguments.get(0))
}

fn encoded<'s>(scope: &mut v8::PinScope<'s, '_>, digest: &[u8], how: Value<'s>) -> Native<Value<'s>> {
    use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, HEXLOWER};
    let how = if how.is_null_or_undefined() { String::new() } else { convert::to_text(scope, how)? };
    let encoding = match how.as_str() {
        "hex" => HEXLOWER,
        "base64" => BASE64,
        "base64url" => BASE64URL,
        "base64rawurl" => BASE64URL_NOPAD,
        "binary" => return Ok(convert::array_buffer(scope, digest).into()),
        _ => return Err(Throw::Go(format!("invalid output encoding: {how}"))),
    };
    Ok(binding::string(scope, &encoding.encode(digest)).into())
}

/// `hexEncode(data)`.
fn hex_encode<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let data = bytes_of(scope, arguments.get(0))?.map_err(Throw::Go)?;
    Ok(binding::string(scope, &data_encoding::HEXLOWER.encode(&data)).into())
}

/// What a script can ask for at a time, in bytes: V8's longest buffer is not much longer.
const MOST_RANDOM: f64 = (1_u64 << 31) as f64;

/// `randomBytes(count)`.
fn random_bytes<'s>(scope: &mut v8::PinScope<'s, '_>, arguments: &Arguments<'s>) -> Native<Value<'s>> {
    let count = convert::to_number(scope, arguments.get(0))?.trunc();
    if !(1.0..=MOST_RANDOM).contains(&count) {
        return Err(Throw::Go("invalid size".into()));
    }
    let mut bytes = vec![0; count as usize];
    web::random(&mut bytes)?;
    Ok(convert::array_buffer(scope, &bytes).into())
}
