//! Log lines as templates: what is different from line to line of one kind is masked, and what is left is counted.
//!
//! The idea is Drain's (He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", 2017):
//! mask what is a value by its look, and divide lines by their length first. Drain then joins a line to the template that
//! is most like it, which makes the result depend on the order of lines and joins "started" with "paused". Here lines of
//! one length are divided by the words of one place at a time, as in IPLoM (Makanju, Zincir-Heywood and Milios, "Clustering
//! Event Logs Using Iterative Partitioning", 2009): a place with few different words divides, a place with many is a value.

pub mod mask;
pub mod rates;
pub mod templates;
pub mod time;

pub use rates::{Rate, rates};
pub use templates::{Reading, Template, Templates, templates, templates_of};

/// The most lines that are read.
pub const MOST_LINES: usize = 2_000_000;
/// The longest part of a line that is read, in bytes.
pub const LONGEST_LINE: usize = 8_192;
