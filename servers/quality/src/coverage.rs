//! Coverage reports that other tools wrote: read, found again in the tree here, compared with what was changed.

mod json;
mod lcov;
mod llvm;
pub mod place;
mod read;
pub mod report;
mod xml;

pub use read::{LARGEST, ReadError, read};
