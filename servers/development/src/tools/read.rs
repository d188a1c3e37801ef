//! `read`.

use std::io::Read as _;
use std::path::Path;

use mcp_server::answer::{json_length, length};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::{Lines, Skips, is_binary};

use super::page::FORMS;
use super::structure;
use crate::answers::{PartView, ReadView};
use crate::params;
use crate::state::{Development, Named};

/// The most bytes of a file that is read by lines.
const MOST_BYTES: u64 = 64 << 20;
/// Lines where nobody says which.
const USUAL_LINES: usize = 2_000;
/// What an answer needs beside its parts.
const REST: usize = 700;

pub(super) fn read(
    state: &Development,
    params: &params::Read,
    context: &Context,
) -> Result<ReadView, ToolError> {
    // Clients in a strict mode send every member: an empty one is one that was left out.
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (asked_lines, asked_symbol) = (given(&params.lines), given(&params.symbol));
    if asked_lines.is_some() && asked_symbol.is_some() {
        return Err(ToolError::bad_arguments("give lines or symbol, not both"));
    }
    let named = state.named(&params.path)?;
    let text = text(&named, &params.path)?;
    let lines = Lines::new(&text);
    let count = lines.count();
    let mut hint = None;
    let ranges = match (&asked_lines, &asked_symbol) {
        (Some(asked), _) => ranges(asked, count)?,
        (None, Some(symbol)) => {
            let live = named.project.now(context)?;
            let found = structure::definitions(&live, &named, symbol);
            if found.is_empty() {
                return Err(ToolError::failed(structure::missing(&live, &named, symbol)));
            }
            found.iter().map(|(_, def)| [def.lines.0, def.lines.1]).collect()
        }
        (None, None) if count == 0 => Vec::new(),
        (None, None) => vec![[1, count.min(USUAL_LINES)]],
    };
    let room = context.budget().max_bytes().saturating_sub(REST + length(&params.path)) / FORMS;
    let mut reader = Reader { text: &text, lines: &lines, room, parts: Vec::new(), rest: Vec::new() };
    ranges.iter().for_each(|range| reader.take(*range));
    let Reader { parts, mut rest, .. } = reader;
    if asked_lines.is_none() && asked_symbol.is_none() && count > USUAL_LINES {
        match rest.last_mut() {
            Some(last) => last[1] = count,
            None => rest.push([USUAL_LINES + 1, count]),
        }
    }
    if count == 0 {
        hint = Some("the file is empty".to_owned());
    } else if !rest.is_empty() {
        hint = Some("not all fits: go on with next_lines, or ask for a symbol".to_owned());
    }
    let next_lines = (!rest.is_empty())
        .then(|| rest.iter().map(|[first, last]| format!("{first}-{last}")).collect::<Vec<_>>().join(","));
    let about = named.project.about_files(&Skips::default());
    Ok(ReadView {
        path: named.project.shown(&named.below),
        total_lines: count,
        parts,
        next_lines,
        hint,
        about,
    })
}

fn text(named: &Named<'_>, asked: &str) -> Result<Vec<u8>, ToolError> {
    let refused = |reason: String| ToolError::failed(format!("{asked} {reason}"));
    let file = named.project.index.root().file(Path::new(&named.below)).map_err(|error| {
        refused(match error.kind() {
            std::io::ErrorKind::CrossesDevices => "leads out of its root: name a file below one".to_owned(),
            std::io::ErrorKind::InvalidInput => {
                "is not a regular file: name one, or ask outline for a directory".to_owned()
            }
            std::io::ErrorKind::NotFound => "is not there: search or outline show which files are".to_owned(),
            _ => format!("cannot be read ({error})"),
        })
    })?;
    let mut text = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| refused(format!("cannot be read ({error})")))?;
    if text.len() as u64 > MOST_BYTES {
        return Err(refused(format!("has more than {MOST_BYTES} bytes: search shows lines of it")));
    }
    if let Some(decoded) = utf16(&text) {
        return Ok(decoded);
    }
    if is_binary(&text) {
        return Err(refused(format!("is binary, {} bytes: only text is shown", text.len())));
    }
    Ok(text)
}

/// A text in UTF-16 with a mark of its order, as `search` reads it, too.
fn utf16(text: &[u8]) -> Option<Vec<u8>> {
    let (rest, is_little) = match text {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        _ => return None,
    };
    let unit = |pair: &[u8]| {
        let pair = [pair[0], pair[1]];
        if is_little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    };
    let units = rest.chunks_exact(2).map(unit);
    let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(letters.collect::<String>().into_bytes())
}

/// Lines as a caller writes them: `10-40,90,120-`.
fn ranges(asked: &str, count: usize) -> Result<Vec<[usize; 2]>, ToolError> {
    let bad = |part: &str, reason: &str| {
        ToolError::bad_arguments(format!("lines {part} {reason}: give ranges such as 10-40,90"))
    };
    let mut found = Vec::new();
    for part in asked.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<usize>().map_err(|_| bad(part, "is not a range"));
        let first = number(first)?;
        let last = if last.trim().is_empty() { count } else { number(last)? };
        if first == 0 || first > last && first <= count {
            return Err(bad(part, "is empty, as lines count from 1"));
        }
        if first > count {
            return Err(bad(part, &format!("is beyond the end, the file has {count} lines")));
        }
        found.push([first, last.min(count)]);
    }
    Ok(found)
}

struct Reader<'r> {
    text: &'r [u8],
    lines: &'r Lines,
    room: usize,
    parts: Vec<PartView>,
    rest: Vec<[usize; 2]>,
}

impl Reader<'_> {
    /// Takes as many lines of a range as fit; at least a part of one line, whatever the room is.
    fn take(&mut self, [first, last]: [usize; 2]) {
        if !self.rest.is_empty() {
            self.rest.push([first, last]);
            return;
        }
        self.room = self.room.saturating_sub(40);
        let mut shown = String::new();
        for line in first..=last {
            let bytes = self.text.get(self.lines.range(line, line)).unwrap_or_default();
            let mut line_text = String::from_utf8_lossy(bytes).into_owned();
            let mut needed = json_length(&line_text);
            if needed > self.room {
                if !self.parts.is_empty() || line > first {
                    self.end(first, line - 1, shown);
                    self.rest.push([line, last]);
                    return;
                }
                // One line alone is longer than the answer may be.
                line_text = crate::search::cut(&line_text, 0..0, (self.room / 2).max(16));
                line_text.push('\n');
                needed = self.room;
            }
            self.room = self.room.saturating_sub(needed);
            shown.push_str(&line_text);
        }
        self.end(first, last, shown);
    }

    fn end(&mut self, first: usize, last: usize, text: String) {
        if last >= first {
            self.parts.push(PartView { lines: [first, last], text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_refused_with_a_reason() {
        assert_eq!(ranges("3, 5-7,9-", 10).unwrap(), [[3, 3], [5, 7], [9, 10]]);
        assert_eq!(ranges("5-70", 10).unwrap(), [[5, 10]]);
        for (asked, reason) in [
            ("0-3", "count from 1"),
            ("7-5", "is empty"),
            ("11", "has 10 lines"),
            ("a", "not a range"),
            ("", "not a range"),
            ("-5", "not a range"),
        ] {
            let said = ranges(asked, 10).unwrap_err().to_string();
            assert!(said.contains(reason), "{asked}: {said}");
        }
    }

    #[test]
    fn parts_and_what_is_left_are_all_of_it() {
        let text: String = (1..=50).map(|number| format!("line {number}\n")).collect();
        let lines = Lines::new(text.as_bytes());
        let mut next = [1, 50];
        let mut seen = String::new();
        loop {
            let mut reader = Reader {
                text: text.as_bytes(),
                lines: &lines,
                room: 150,
                parts: Vec::new(),
                rest: Vec::new(),
            };
            reader.take(next);
            seen.extend(reader.parts.iter().map(|part| part.text.as_str()));
            match reader.rest.first() {
                Some(rest) => next = *rest,
                None => break,
            }
        }
        assert_eq!(seen, text);
    }
}
