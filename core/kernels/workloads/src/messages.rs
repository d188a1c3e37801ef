//! Reading requests and writing responses.

use mcp_kernels::input;
use mcp_kernels::json_rpc::{Arguments, Id, Refusal, Routed, parse, write};
use perflab_subject::Benchmark;
use perflab_subject::answer::mix;

use crate::answers::fold;
use crate::benchmarks::benchmark;

/// Where reading ends up: generic code of serde_json is compiled for these types, as trait impls.
const PARSING: [&str; 5] = [
    "mcp_kernels::json_rpc::parse",
    "<&mut serde_json::de::",
    "<serde_json::read::",
    "serde_json::de::",
    "<serde_core::de::impls::",
];

/// Where writing ends up.
const WRITING: [&str; 3] = ["mcp_kernels::json_rpc::write", "<&mut serde_json::ser::", "serde_json::ser::"];

/// The benchmarks of `mcp_kernels::json_rpc`.
pub fn benchmarks() -> Vec<Benchmark> {
    vec![
        benchmark("json_rpc/parse", &PARSING, |size| {
            let messages = input::messages(size);
            move || messages.iter().fold(0, |sum, message| mix(sum, routed(&parse(message))))
        }),
        benchmark("json_rpc/write", &WRITING, |size| {
            let replies = input::replies(size);
            let mut line = Vec::new();
            move || {
                line.clear();
                for reply in &replies {
                    write(reply, &mut line);
                }
                text(&line)
            }
        }),
    ]
}

fn routed(message: &Result<Routed<'_>, Refusal>) -> u64 {
    let message = match message {
        Ok(message) => message,
        Err(refusal) => return refusal.code().unsigned_abs().into(),
    };
    let id = match &message.id {
        None => 0,
        Some(Id::Number(number)) => number.cast_unsigned(),
        Some(Id::Text(id)) => text(id.as_bytes()),
    };
    mix(mix(id, message.handler as u64), arguments(&message.arguments))
}

fn arguments(arguments: &Arguments<'_>) -> u64 {
    let optional = |path: &Option<_>| path.as_deref().map_or(0, |path: &str| text(path.as_bytes()));
    match arguments {
        Arguments::None => 1,
        Arguments::Name(name) => text(name.as_bytes()),
        Arguments::Search { query, path, limit } => {
            mix(mix(text(query.as_bytes()), optional(path)), u64::from(*limit))
        }
        Arguments::ReadLines { path, first, last } => {
            mix(text(path.as_bytes()), u64::from(*first) << 32 | u64::from(last.unwrap_or(u32::MAX)))
        }
        Arguments::Series { values, threshold } => mix(fold(values), threshold.to_bits()),
    }
}

/// Folds text eight bytes at a time.
fn text(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole = words.iter().fold(bytes.len() as u64, |sum, word| mix(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(whole, |sum, byte| mix(sum, u64::from(*byte)))
}

#[cfg(test)]
pub mod plain {
    //! The same answers by the plain forms.

    use mcp_kernels::json_rpc::{parse_plain, write_plain};

    use crate::benchmarks::Plain;
    use crate::messages::*;

    pub const ALL: &[Plain] = &[
        ("json_rpc/parse", |size| {
            let messages = input::messages(size);
            messages.iter().fold(0, |sum, message| mix(sum, routed(&parse_plain(message))))
        }),
        ("json_rpc/write", |size| {
            let mut line = Vec::new();
            for reply in &input::replies(size) {
                write_plain(reply, &mut line);
            }
            text(&line)
        }),
    ];
}
