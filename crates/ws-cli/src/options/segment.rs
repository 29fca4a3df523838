//! Which part of a test this instance runs.

use serde_json::Value;
use ws_engine::{Segment, SegmentError, SegmentSequence};

use super::form::Form;
use super::json;
use crate::wording;

/// `1/3:2/3`.
pub(crate) const SEGMENT: Form<Segment> = Form::of(
    |text| Segment::parse(text).map(Some).map_err(|error| wording::problem::segment(&error)),
    |name, value| parse(name, value, Segment::parse),
)
.speaking();

/// `0,1/3,2/3,1`.
pub(crate) const SEQUENCE: Form<SegmentSequence> = Form::of(
    |text| some(text, SegmentSequence::parse),
    |name, value| parse(name, value, SegmentSequence::parse),
)
.speaking();

fn parse<T>(
    name: &str,
    value: &Value,
    parse: fn(&str) -> Result<T, SegmentError>,
) -> Result<Option<T>, String> {
    json::string(name, value)?.map_or(Ok(None), |text| some(&text, parse))
}

/// An empty text says nothing.
fn some<T>(text: &str, parse: fn(&str) -> Result<T, SegmentError>) -> Result<Option<T>, String> {
    let given = Some(text).filter(|text| !text.is_empty());
    given.map(parse).transpose().map_err(|error| wording::problem::segment(&error))
}
