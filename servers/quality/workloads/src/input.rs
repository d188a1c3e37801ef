//! What is measured on: text of a known form, of which the answers are known without the code that is measured.

use std::fmt::Write as _;

/// So many functions are in the measured file, and so many in the small one.
pub const FUNCTIONS: [u64; 2] = [60, 2];

/// A file of Rust. Function `n` has a loop, a condition with one `&&`, and `n % 3` further conditions in a row.
pub fn source(functions: u64) -> String {
    let mut text = String::new();
    for number in 0..functions {
        let extra: String = (0..number % 3)
            .map(|more| format!("    if a == {more} {{\n        sum += {more};\n    }}\n"))
            .collect();
        write!(
            text,
            "/// Adds up.\npub fn add_{number}(a: u32, list: &[u32]) -> u32 {{\n    let mut sum = {number};\n    for item in list {{\n        \
             if *item > a && *item != 7 {{\n            sum += item;\n        }}\n    }}\n{extra}    sum\n}}\n\n"
        )
        .expect("a text takes whatever is written to it");
    }
    text
}

/// A trace file of lcov: `files` files of `lines` lines, of which every third was not run, and a branch on each tenth.
pub fn trace(files: u64, lines: u64) -> String {
    let mut text = String::new();
    for file in 0..files {
        writeln!(text, "SF:/build/src/file_{file}.rs").expect("a text takes whatever is written to it");
        for line in 1..=lines {
            writeln!(text, "DA:{line},{}", line % 3).expect("a text takes whatever is written to it");
            if line % 10 == 0 {
                writeln!(text, "BRDA:{line},0,0,{}\nBRDA:{line},0,1,-", line % 20)
                    .expect("a text takes whatever is written to it");
            }
        }
        text.push_str("end_of_record\n");
    }
    text
}

/// Modules of Python in a chain, each importing the one before, and a test of each.
pub fn modules(count: u64) -> Vec<(String, String)> {
    let module = |number: u64| {
        let import =
            if number == 0 { "import os".to_owned() } else { format!("from pkg.m{} import f", number - 1) };
        (format!("pkg/m{number}.py"), format!("{import}\n\n\ndef f(a):\n    return a\n"))
    };
    let test = |number: u64| {
        (
            format!("tests/test_m{number}.py"),
            format!("from pkg.m{number} import f\n\n\ndef test_f():\n    assert f(1)\n"),
        )
    };
    (0..count).map(module).chain((0..count).map(test)).collect()
}
