//! `--features`: what k6 tries out.

use super::form::{Form, Takes};
use super::{json, parse};

/// Names of features as given: an unknown one is worth a warning only.
pub(crate) const FEATURES: Form<Vec<String>> = Form::of(|text| Ok(Some(parse::list(text))), json::strings)
    .flags(Takes::Many, |lists| Ok(Some(lists.iter().flat_map(|list| parse::list(list)).collect())));

/// The tags of all sources are put together instead of replaced.
pub(crate) const MERGE_RUN_TAGS: &str = "merge-run-tags";

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    Known,
    /// k6 has it.
    NotYet,
    Unknown,
}

/// Looks a feature up.
pub(crate) fn find(name: &str) -> Lookup {
    match name {
        MERGE_RUN_TAGS => Lookup::Known,
        "freeze-env" | "native-histograms" => Lookup::NotYet,
        _ => Lookup::Unknown,
    }
}
