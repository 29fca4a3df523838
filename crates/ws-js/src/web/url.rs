//! What `URL` and `URLSearchParams` want of us: the URL standard, which the `url` crate implements.

use url::form_urlencoded;
use url::{Url, quirks};

use super::Arguments;
use crate::binding::{Native, Throw, native, set_function, string};

pub(super) fn natives<'s>(scope: &mut v8::PinScope<'s, '_>, natives: v8::Local<'s, v8::Object>) {
    set_function(scope, natives, "parse", native!(parse), None);
    set_function(scope, natives, "change", native!(change), None);
    set_function(scope, natives, "parseQuery", native!(parse_query), None);
    set_function(scope, natives, "formatQuery", native!(format_query), None);
}

/// `parse(url, base)`: the components, or null if it is no URL.
fn parse<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Value>> {
    let text = arguments.get(0).to_rust_string_lossy(scope);
    let base = arguments.get(1);
    let parsed = if base.is_undefined() {
        Url::parse(&text)
    } else {
        let base = base.to_rust_string_lossy(scope);
        Url::parse(&base).and_then(|base| base.join(&text))
    };
    Ok(match parsed {
        Ok(url) => components(scope, &url).into(),
        Err(_) => v8::null(scope).into(),
    })
}

/// `change(href, name, value)`: the components after one of them was set. A value that does not fit changes
/// nothing.
fn change<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Array>> {
    let [href, name, value] = [0, 1, 2].map(|index| arguments.get(index).to_rust_string_lossy(scope));
    let mut url = Url::parse(&href).map_err(|error| Throw::Plain(format!("{href}: {error}")))?;
    let _ignored = match name.as_str() {
        "protocol" => quirks::set_protocol(&mut url, &value),
        "username" => quirks::set_username(&mut url, &value),
        "password" => quirks::set_password(&mut url, &value),
        "host" => quirks::set_host(&mut url, &value),
        "hostname" => quirks::set_hostname(&mut url, &value),
        "port" => quirks::set_port(&mut url, &value),
        "pathname" => {
            quirks::set_pathname(&mut url, &value);
            Ok(())
        }
        "search" => {
            quirks::set_search(&mut url, &value);
            Ok(())
        }
        "hash" => {
            quirks::set_hash(&mut url, &value);
            Ok(())
        }
        _ => return Err(Throw::Plain(format!("{name} cannot be set"))),
    };
    Ok(components(scope, &url))
}

/// In the order of `PARTS` in url.js.
fn components<'s>(scope: &mut v8::PinScope<'s, '_>, url: &Url) -> v8::Local<'s, v8::Array> {
    let origin = quirks::origin(url);
    let parts = [
        quirks::href(url),
        &origin,
        quirks::protocol(url),
        quirks::username(url),
        quirks::password(url),
        quirks::host(url),
        quirks::hostname(url),
        quirks::port(url),
        quirks::pathname(url),
        quirks::search(url),
        quirks::hash(url),
    ]
    .map(|part| string(scope, part).into());
    v8::Array::new_with_elements(scope, &parts)
}

/// `parseQuery(text)`: a list of names and values.
fn parse_query<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::Array>> {
    let text = arguments.get(0).to_rust_string_lossy(scope);
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes())
        .map(|(name, value)| {
            let pair = [string(scope, &name).into(), string(scope, &value).into()];
            v8::Array::new_with_elements(scope, &pair).into()
        })
        .collect();
    Ok(v8::Array::new_with_elements(scope, &pairs))
}

/// `formatQuery(list)`: the text of such a list.
fn format_query<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    arguments: &Arguments<'s>,
) -> Native<v8::Local<'s, v8::String>> {
    let no_list = || Throw::Plain("no list of pairs".into());
    let list = v8::Local::<v8::Array>::try_from(arguments.get(0)).map_err(|_| no_list())?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    for index in 0..list.length() {
        let pair = list.get_index(scope, index).ok_or(Throw::Pending)?;
        let pair = v8::Local::<v8::Array>::try_from(pair).map_err(|_| no_list())?;
        let name = pair.get_index(scope, 0).ok_or(Throw::Pending)?.to_rust_string_lossy(scope);
        let value = pair.get_index(scope, 1).ok_or(Throw::Pending)?.to_rust_string_lossy(scope);
        query.append_pair(&name, &value);
    }
    Ok(string(scope, &query.finish()))
}
