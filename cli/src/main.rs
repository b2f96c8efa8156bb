//! Yet to come.

fn main() {}
