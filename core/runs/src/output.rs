//! What a command printed, in parts that fit.

use std::str::FromStr;

use mcp_sandbox::{Captured, clean, is_binary};
use mcp_server::answer::{cut, json_length};
use regex::RegexBuilder;

/// The most bytes that a pattern may be, and its compiled form may take.
const LONGEST_PATTERN: usize = 1_000;
const LARGEST_REGEX: usize = 1 << 20;

/// A place in a stream, as clients carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub u64);

impl FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let offset = text.strip_prefix("at-").and_then(|offset| u64::from_str_radix(offset, 16).ok());
        offset
            .map(Self)
            .ok_or_else(|| "the cursor is not one of this output: leave it out to begin".to_owned())
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "at-{:x}", self.0)
    }
}

/// A part of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The text, safe to show.
    pub text: String,
    /// Bytes before it that were not kept.
    pub skipped: u64,
    /// Where the next part begins; nothing where this is the end of what there is.
    pub next: Option<u64>,
    /// How many lines matched, where lines were looked for.
    pub matches: Option<usize>,
}

/// How much of a stream is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// The most lines.
    pub lines: usize,
    /// The most bytes, as a string of JSON.
    pub bytes: usize,
}

/// A stream as pieces with their places: what was kept of its start and of its end.
struct Pieces {
    /// Each with the offset of its first byte; the second one only where something between was not kept.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl Pieces {
    fn new(captured: &Captured) -> Self {
        if captured.dropped() == 0 {
            return Self { pieces: vec![(0, [captured.head.as_slice(), &captured.tail].concat())] };
        }
        let tail = captured.total - captured.tail.len() as u64;
        Self { pieces: vec![(0, captured.head.clone()), (tail, captured.tail.clone())] }
    }

    /// What is kept from `offset` on, up to the next gap: its bytes, where they begin, how many were skipped.
    fn from(&self, offset: u64) -> (&[u8], u64, u64) {
        for (start, bytes) in &self.pieces {
            let end = start + bytes.len() as u64;
            if offset < end {
                let begin = offset.max(*start);
                let at = usize::try_from(begin - start).unwrap_or(bytes.len());
                return (&bytes[at..], begin, begin - offset);
            }
        }
        (&[], offset, 0)
    }
}

/// The part of a stream that begins at `offset`.
#[must_use]
pub fn page(captured: &Captured, offset: u64, size: Size) -> Part {
    let pieces = Pieces::new(captured);
    let (bytes, begin, skipped) = pieces.from(offset);
    if is_binary(bytes) {
        let text = format!("[binary output, {} bytes]", captured.total);
        return Part { text, skipped, ..Part::default() };
    }
    let taken = taken(bytes, size);
    let next = begin + taken as u64;
    Part {
        text: clean(&bytes[..taken]),
        skipped,
        next: (next < captured.total).then_some(next),
        matches: None,
    }
}

/// How many bytes make up the lines that fit; at least one character, so that pages come to an end.
fn taken(bytes: &[u8], size: Size) -> usize {
    let mut taken = 0;
    let mut left = size.bytes;
    for line in bytes.split_inclusive(|byte| *byte == b'\n').take(size.lines) {
        let needed = json_length(&String::from_utf8_lossy(line));
        if needed > left {
            if taken == 0 {
                taken = characters(line, left);
            }
            break;
        }
        left -= needed;
        taken += line.len();
    }
    taken
}

/// How many bytes of a line fit into `most` bytes of JSON, cut between characters.
fn characters(line: &[u8], most: usize) -> usize {
    // Six bytes of JSON are the most that one byte may need.
    let mut end = (most / 6).clamp(1, line.len());
    while end < line.len() && line[end] & 0xc0 == 0x80 {
        end += 1;
    }
    end
}

/// The last lines of a stream.
#[must_use]
pub fn tail(captured: &Captured, size: Size) -> Part {
    let pieces = Pieces::new(captured);
    let Some((start, bytes)) = pieces.pieces.last() else { return Part::default() };
    if is_binary(bytes) {
        return page(captured, *start, size);
    }
    let mut begin = bytes.len();
    let mut left = size.bytes;
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    for line in lines.iter().rev().take(size.lines) {
        let needed = json_length(&String::from_utf8_lossy(line));
        if needed > left {
            break;
        }
        left -= needed;
        begin -= line.len();
    }
    let skipped = start + begin as u64;
    Part { text: clean(&bytes[begin..]), skipped, next: None, matches: None }
}

/// The lines from `offset` on that match a pattern.
///
/// # Errors
/// One sentence: the pattern is not a regular expression, or is too long.
pub fn grep(captured: &Captured, offset: u64, pattern: &str, size: Size) -> Result<Part, String> {
    if pattern.len() > LONGEST_PATTERN {
        return Err(format!("pattern has more than {LONGEST_PATTERN} bytes: shorten it"));
    }
    let regex =
        RegexBuilder::new(pattern).size_limit(LARGEST_REGEX).dfa_size_limit(LARGEST_REGEX).build().map_err(
            |error| format!("pattern is not a regular expression: {}", last_line(&error.to_string())),
        )?;
    let pieces = Pieces::new(captured);
    let mut part = Part::default();
    let (mut at, mut count, mut left) = (offset, 0, size.bytes);
    loop {
        let (bytes, begin, skipped) = pieces.from(at);
        part.skipped += skipped;
        at = begin;
        if bytes.is_empty() {
            break;
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = clean(line);
            if regex.is_match(text.trim_end_matches('\n')) {
                let needed = json_length(&text);
                let fits = count < size.lines && needed <= left;
                if !fits && count > 0 {
                    part.next = Some(at);
                    part.matches = Some(count);
                    return Ok(part);
                }
                count += 1;
                // One line alone that is too long is cut.
                let shown = if fits { text } else { cut(&text, left).0 };
                left = left.saturating_sub(needed);
                part.text.push_str(&shown);
                if !part.text.ends_with('\n') {
                    part.text.push('\n');
                }
            }
            at += line.len() as u64;
        }
    }
    part.matches = Some(count);
    Ok(part)
}

fn last_line(text: &str) -> &str {
    text.lines().next_back().unwrap_or(text).trim()
}

#[cfg(test)]
mod tests;
