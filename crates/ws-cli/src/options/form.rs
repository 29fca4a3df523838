//! How values of one type are written: as a flag, as a variable, in JSON.

use indexmap::IndexMap;
use serde_json::Value;
use ws_engine::duration::GoDuration;
use ws_js::Compat;

use super::{json, parse};

/// How a flag takes its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A switch: `--x`, `--x=true` or `--x=false`.
    Nothing,
    /// The last one counts; the flag alone means this.
    Maybe(&'static str),
    /// The last one counts.
    One,
    /// All of them count.
    Many,
}

/// A reader of texts.
type FromText<T> = fn(&str) -> Result<Option<T>, String>;
/// A reader of all values of a flag.
type FromFlags<T> = fn(&[&str]) -> Result<Option<T>, String>;
/// A reader of JSON, which is given the option's name for its refusals.
type FromJson<T> = fn(&str, &Value) -> Result<Option<T>, String>;

/// How a value is written. `None` from a reader is "not mentioned".
pub(crate) struct Form<T: 'static> {
    pub(crate) takes: Takes,
    /// Whether a refusal says by itself what it is about.
    pub(crate) speaks: bool,
    /// Reads a variable, and a flag where nothing else is said.
    pub(crate) text: FromText<T>,
    /// Reads all values of a flag, where that is something else than the last one as text.
    pub(crate) flag: Option<FromFlags<T>>,
    pub(crate) json: FromJson<T>,
}

impl<T> Form<T> {
    /// One value, the same in flags and variables.
    pub(crate) const fn of(text: FromText<T>, json: FromJson<T>) -> Self {
        Self { takes: Takes::One, speaks: false, text, flag: None, json }
    }

    /// A value that only JSON can say.
    pub(crate) const fn only_json(json: FromJson<T>) -> Self {
        Self::of(|_| Err("this can only be set in a script's options".to_owned()), json)
    }

    /// A value that JSON cannot say.
    pub(crate) const fn only_text(text: FromText<T>) -> Self {
        Self::of(text, |name, _| Err(format!("{name} cannot be set here")))
    }

    /// Flags differ from variables.
    pub(crate) const fn flags(self, takes: Takes, read: FromFlags<T>) -> Self {
        Self { takes, flag: Some(read), ..self }
    }

    /// Its refusals say what they are about.
    pub(crate) const fn speaking(self) -> Self {
        Self { speaks: true, ..self }
    }

    pub(crate) fn read_flag(&self, values: &[&str]) -> Result<Option<T>, String> {
        match (self.flag, values.last()) {
            (Some(read), _) => read(values),
            (None, Some(last)) => (self.text)(last),
            (None, None) => Ok(None),
        }
    }
}

/// An integer. JSON takes numeric strings, too.
pub(crate) const INTEGER: Form<i64> = Form::of(|text| parse::integer(text).map(Some), json::integer);

/// A switch.
pub(crate) const SWITCH: Form<bool> =
    Form { takes: Takes::Nothing, ..Form::of(|text| parse::boolean(text).map(Some), json::boolean) };

/// A switch that any variable which is not empty turns on.
pub(crate) const PRESENCE: Form<bool> = Form { text: |_| Ok(Some(true)), ..SWITCH }
    .flags(Takes::Nothing, |values| values.last().map(|text| parse::boolean(text)).transpose());

/// Any text.
pub(crate) const TEXT: Form<String> = Form::of(|text| Ok(Some(text.to_owned())), json::string);

/// Any text; the flag alone means `headers`.
pub(crate) const HTTP_DEBUG: Form<String> = Form { takes: Takes::Maybe("headers"), ..TEXT };

/// A time. Flags need a unit; elsewhere a bare number is one of milliseconds.
pub(crate) const DURATION: Form<GoDuration> = Form::of(
    |text| GoDuration::parse_option(text).map(Some).map_err(|error| error.to_string()),
    json::duration,
)
.flags(Takes::One, |values| {
    let parse = |text: &&str| GoDuration::parse(text).map_err(|error| error.to_string());
    values.last().map(parse).transpose()
});

/// A comma list.
pub(crate) const LIST: Form<Vec<String>> = Form::of(|text| Ok(Some(parse::list(text))), json::strings);

/// Columns of trends. A flag is judged at once, the rest with everything else.
pub(crate) const TREND_STATS: Form<Vec<String>> = LIST
    .flags(Takes::One, |values| {
        let list = parse::list(values.last().unwrap_or(&""));
        parse::trend_stats(&list).map(|_| Some(list))
    })
    .speaking();

/// The unit of times in the report. A flag is judged at once, the rest with everything else.
pub(crate) const TIME_UNIT: Form<String> = TEXT
    .flags(Takes::One, |values| {
        let unit = values.last().unwrap_or(&"");
        parse::time_unit(unit).map(|()| Some((*unit).to_owned()))
    })
    .speaking();

/// `name=value`, once for each; `name:value,name2:value2` in a variable.
pub(crate) const TAGS: Form<IndexMap<String, String>> =
    Form::of(|text| parse::tag_map(text).map(Some), json::string_map)
        .flags(Takes::Many, |values| {
            values.iter().map(|tag| parse::tag(tag)).collect::<Result<_, _>>().map(Some)
        })
        .speaking();

/// An object of texts.
pub(crate) const MAP: Form<IndexMap<String, String>> = Form::only_json(json::string_map);

/// Whom `k6/websockets` follows.
pub(crate) const COMPAT: Form<Compat> = Form::of(
    |text| parse::compat(text).map(Some),
    |name, value| {
        let whom = json::string(name, value)?;
        whom.as_deref().map(parse::compat).transpose().map_err(|why| format!("option '{name}': {why}"))
    },
);
