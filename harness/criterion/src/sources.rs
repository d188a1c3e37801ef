//! This package as text.

/// Every file of `src/`: its path below `src/`, and its text.
pub const SOURCES: &[(&str, &str)] = &[
    ("async_executor.rs", include_str!("async_executor.rs")),
    ("bencher.rs", include_str!("bencher.rs")),
    ("bencher_async.rs", include_str!("bencher_async.rs")),
    ("configuration.rs", include_str!("configuration.rs")),
    ("earlier.rs", include_str!("earlier.rs")),
    ("group.rs", include_str!("group.rs")),
    ("id.rs", include_str!("id.rs")),
    ("lib.rs", include_str!("lib.rs")),
    ("macros.rs", include_str!("macros.rs")),
    ("measurement.rs", include_str!("measurement.rs")),
    ("plain.rs", include_str!("plain.rs")),
    ("profiler.rs", include_str!("profiler.rs")),
    ("session.rs", include_str!("session.rs")),
    ("settings.rs", include_str!("settings.rs")),
    ("visit.rs", include_str!("visit.rs")),
];
