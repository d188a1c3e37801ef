//! This package as text.

/// Every file of `src/` that a subject needs: its path below `src/`, and its text.
pub const SOURCES: &[(&str, &str)] = &[
    ("answer.rs", include_str!("answer.rs")),
    ("benchmark.rs", include_str!("benchmark.rs")),
    ("calls.rs", include_str!("calls.rs")),
    ("json.rs", include_str!("json.rs")),
    ("lab.rs", include_str!("lab.rs")),
    ("lib.rs", include_str!("lib.rs")),
    ("os.rs", include_str!("os.rs")),
    ("protocol.rs", include_str!("protocol.rs")),
    ("serve.rs", include_str!("serve.rs")),
    ("wire.rs", include_str!("wire.rs")),
];
