//! The hot loops that MCP servers share: pure functions, no runtime, no protocol library.
//!
//! Every kernel comes in two forms: the one that is used, and a `plain` one that is obviously right. Both
//! pass the same tests, on known answers and on random input. Kernels for which compiler flags matter
//! have a third form, `dispatched`, the same source compiled for several levels of the CPU (see
//! [`level`]). Results are equal to the bit in every form and under every flag: sums of floating-point
//! numbers have a fixed order, and no multiplication is fused with an addition.

pub mod bitset;
pub mod bytes;
pub mod cosine;
pub mod dot;
pub mod edit_distance;
pub mod hash;
pub mod histogram;
pub mod input;
pub mod json_rpc;
pub mod level;
pub mod map;
pub mod moving;
pub mod regex;
pub mod robust;
pub mod shingles;
pub mod smoothing;
pub mod sort;
pub mod substring;
pub mod tfidf;
pub mod tokens;
