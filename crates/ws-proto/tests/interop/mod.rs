//! Against servers that nobody here wrote.

mod matrix;
mod parameters;
