//! The command line of glassnet.

fn main() {}
