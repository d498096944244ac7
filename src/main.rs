//! The binary: parse, choose a target, run.

fn main() {}
