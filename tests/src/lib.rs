//! Whole-process tests of the binary `ws`.
