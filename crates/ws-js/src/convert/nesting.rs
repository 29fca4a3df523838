//! The way from an outermost object to the one being looked at.

/// How deep objects may be nested: whoever walks them recurses on the native stack.
const MAX_DEPTH: usize = 100;

/// An object, and the objects around it.
pub(crate) struct Nesting<'a> {
    object: v8::Local<'a, v8::Object>,
    outer: Option<&'a Nesting<'a>>,
    depth: usize,
}

/// Why an object cannot be entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is one of the objects around itself.
    Cycle,
    TooDeep,
}

impl<'a> Nesting<'a> {
    /// Goes into `object`, which was found in `outer`.
    pub(crate) fn enter(
        outer: Option<&'a Nesting<'a>>,
        object: v8::Local<'a, v8::Object>,
    ) -> Result<Nesting<'a>, Refused> {
        let depth = outer.map_or(0, |outer| outer.depth + 1);
        let mut next = outer;
        while let Some(around) = next {
            if around.object.strict_equals(object.into()) {
                return Err(Refused::Cycle);
            }
            next = around.outer;
        }
        if depth == MAX_DEPTH { Err(Refused::TooDeep) } else { Ok(Nesting { object, outer, depth }) }
    }
}
