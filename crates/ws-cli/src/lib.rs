//! The binary ws: from flags to a report.
#![forbid(unsafe_code)]
