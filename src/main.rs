//! Chat that lives in the terminal.

fn main() {}
