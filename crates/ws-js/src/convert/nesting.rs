//! The way from an outermost object to the one being looked at.

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
    /// Goes into `object`, which was found in `outer`, up to `most` objects deep: whoever walks objects recurses
    /// on the native stack.
    pub(crate) fn enter(
        outer: Option<&'a Nesting<'a>>,
        object: v8::Local<'a, v8::Object>,
        most: usize,
    ) -> Result<Nesting<'a>, Refused> {
        let depth = outer.map_or(0, |outer| outer.depth + 1);
        let mut next = outer;
        while let Some(around) = next {
            if around.object.strict_equals(object.into()) {
                return Err(Refused::Cycle);
            }
            next = around.outer;
        }
        if depth == most { Err(Refused::TooDeep) } else { Ok(Nesting { object, outer, depth }) }
    }
}
