//! The names of Go's types, which k6's messages call JavaScript values by.

/// What k6 calls the type of `value` where it does not take it.
pub(crate) fn go_type(value: v8::Local<'_, v8::Value>) -> &'static str {
    if let Ok(number) = v8::Local::<v8::Number>::try_from(value) {
        return if is_integer(number.value()) { "int64" } else { "float64" };
    }
    match value {
        _ if value.is_null_or_undefined() => "<nil>",
        _ if value.is_boolean() => "bool",
        _ if value.is_string() || value.is_symbol() => "string",
        _ if value.is_big_int() => "*big.Int",
        _ if value.is_function() => "func(sobek.FunctionCall) sobek.Value",
        _ if value.is_array() || value.is_set() => "[]interface {}",
        _ if value.is_map() => "[][2]interface {}",
        _ if value.is_date() => "time.Time",
        _ if value.is_promise() => "*sobek.Promise",
        _ => "map[string]interface {}",
    }
}

/// Whether k6's engine keeps a number as an integer; -0 is none.
fn is_integer(number: f64) -> bool {
    const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
    number.fract() == 0.0 && number.abs() <= MAX_SAFE && !(number == 0.0 && number.is_sign_negative())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{run, with_scope};

    #[test]
    fn types_have_the_names_that_k6_shows() {
        with_scope(|scope| {
            for (source, name) in [
                ("5", "int64"),
                ("1700000000000", "int64"),
                ("1.5", "float64"),
                ("-0", "float64"),
                ("NaN", "float64"),
                ("1e300", "float64"),
                ("true", "bool"),
                ("null", "<nil>"),
                ("undefined", "<nil>"),
                ("5n", "*big.Int"),
                ("() => 1", "func(sobek.FunctionCall) sobek.Value"),
                ("[1]", "[]interface {}"),
                ("new Set()", "[]interface {}"),
                ("new Map()", "[][2]interface {}"),
                ("new Date()", "time.Time"),
                ("Promise.resolve()", "*sobek.Promise"),
                ("new String('x')", "map[string]interface {}"),
                ("new DataView(new ArrayBuffer(1))", "map[string]interface {}"),
                ("({})", "map[string]interface {}"),
            ] {
                let value = run(scope, source);
                assert_eq!(go_type(value), name, "{source}");
            }
        });
    }
}
