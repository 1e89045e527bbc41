//! The program `ccspill`.

fn main() {}
