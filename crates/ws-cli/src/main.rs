//! The binary `ws`.

fn main() {}
