//! What a run says: log records for whoever shows them.

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for finding faults.
    Debug,
    /// What `console.log` and `console.info` say.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// How bad it is.
    pub level: Level,
    /// The text, perhaps of several lines.
    pub message: &'a str,
    /// Names and values, such as `("source", "console")`.
    pub fields: &'a [(&'a str, &'a str)],
}

/// Where records go. Called on threads that run scripts: fast, from several threads at once.
pub trait Log: Send + Sync {
    /// Takes a record.
    fn write(&self, record: &Record<'_>);
}
