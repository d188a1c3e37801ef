//! Sources that are made, so that what is in them is known.

use std::fmt::Write as _;

use perflab_subject::Input;

/// How many functions a text has.
pub fn functions(input: Input) -> usize {
    if input == Input::Count { 12 } else { 2_000 }
}

/// A text of functions, each of which calls the one at half its number.
pub fn source(functions: usize) -> String {
    let mut text = String::new();
    for number in 0..functions {
        let called = number / 2;
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "/// Adds.\nfn value_{number}(x: u32) -> u32 {{\n    value_{called}(x) + 1\n}}");
    }
    text
}
