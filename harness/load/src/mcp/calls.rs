//! The mix of calls that a run makes: which tools, how often, with which arguments, and what is due.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::mcp::answer::Expectation;
use crate::mcp::arguments::payload;
use crate::mcp::{Protocol, Tool};

/// Stands for a request's id while its text is made; no argument holds a zero byte's escape by chance.
const ID: &str = "\u{0}id\u{0}";

/// Why a file of calls cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CallsError(pub String);

/// One kind of call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// How often it is made, against the weights of the others.
    pub weight: u32,
    /// Its arguments. Texts may hold `{n}` (the number of the call), `{int:A..B}` (a random integer, a number
    /// where it is the whole text), `{payload:BYTES}` and, as the whole text, `{numbers:COUNT}` (a list).
    pub arguments: Map<String, Value>,
    /// What the answer has to hold.
    pub expect: Expectation,
    /// The schema of its structured content.
    pub output: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    call: Vec<CallEntry>,
}

/// A call as a file writes it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallEntry {
    /// The tool.
    pub tool: String,
    /// How often, against the others.
    #[serde(default = "one")]
    pub weight: u32,
    /// Its arguments, with templates.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// A text that the answer has to hold.
    pub expect: Option<String>,
    /// The whole structured content that is due.
    pub expect_structured: Option<Value>,
}

fn one() -> u32 {
    1
}

/// Reads a file of calls: a `[[call]]` table for each kind, with `tool`, and optionally `weight`,
/// `arguments`, `expect` (a text that the answer has to hold) and `expect_structured` (its whole structured
/// content).
///
/// # Errors
/// [`CallsError`], with the place, when it is not of this form, or names a tool that the server has not.
pub fn parse_calls(file: &str, text: &str, tools: &[Tool]) -> Result<Vec<Call>, CallsError> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text[..start.min(text.len())].matches('\n').count() + 1;
        CallsError(format!("{file}:{line}: {}", error.message()))
    })?;
    calls_of(file, parsed.call, tools)
}

/// The calls of a file's entries, for a server with these tools.
///
/// # Errors
/// [`CallsError`] when an entry names a tool that the server has not, or none has a weight.
pub fn calls_of(file: &str, entries: Vec<CallEntry>, tools: &[Tool]) -> Result<Vec<Call>, CallsError> {
    if entries.iter().all(|entry| entry.weight == 0) {
        return Err(CallsError(format!("{file}: no call has a weight above 0")));
    }
    let call = |entry: CallEntry| {
        let tool = find_tool(tools, &entry.tool).map_err(|said| CallsError(format!("{file}: {said}")))?;
        check_templates(file, &entry.arguments)?;
        Ok(Call {
            output: tool.output.clone(),
            tool: entry.tool,
            weight: entry.weight,
            arguments: entry.arguments,
            expect: Expectation { text: entry.expect, structured: entry.expect_structured },
        })
    };
    entries.into_iter().map(call).collect()
}

/// A tool by name.
///
/// # Errors
/// A sentence with the names that there are.
pub fn find_tool<'a>(tools: &'a [Tool], name: &str) -> Result<&'a Tool, String> {
    tools.iter().find(|tool| tool.name == name).ok_or_else(|| {
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        let near = names
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
        let near = near.filter(|near| strsim::jaro_winkler(near, name) > 0.7);
        let guess = near.map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"));
        format!("the server has no tool \"{name}\"; it has {}{guess}", names.join(", "))
    })
}

fn check_templates(file: &str, arguments: &Map<String, Value>) -> Result<(), CallsError> {
    let text = Value::Object(arguments.clone()).to_string();
    for (at, _) in text.match_indices("{int:") {
        if range(&text[at..]).is_none() {
            let shown: String = text[at..].chars().take(24).collect();
            return Err(CallsError(format!("{file}: “{shown}” is not a template: write {{int:1..100}}")));
        }
    }
    Ok(())
}

/// `{int:A..B}` at the beginning of a text: its length, and the numbers.
fn range(text: &str) -> Option<(usize, i64, i64)> {
    let inner = text.strip_prefix("{int:")?;
    let end = inner.find('}')?;
    let (lo, hi) = inner[..end].split_once("..")?;
    let (lo, hi) = (lo.parse().ok()?, hi.parse().ok()?);
    (lo <= hi).then_some((end + "{int:}".len(), lo, hi))
}

/// A part of a request's text.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Id,
    Number,
    Integer(i64, i64),
}

/// A kind of call, ready to be written.
#[derive(Clone, Debug)]
struct Template {
    pieces: Vec<Piece>,
    /// The expected text, where it has templates.
    due: Option<Vec<Piece>>,
}

/// The calls of a run.
#[derive(Clone, Debug)]
pub struct Mix {
    /// The kinds of calls.
    pub calls: Vec<Call>,
    templates: Vec<Template>,
    total: u64,
}

impl Mix {
    /// Calls that are made under a protocol.
    #[must_use]
    pub fn new(mut calls: Vec<Call>, protocol: &Protocol) -> Self {
        for call in &mut calls {
            // A due text whose templates are the same in every call is written out once.
            let pieces = call.expect.text.as_deref().map(pieces);
            if let Some([Piece::Text(text)]) = pieces.as_deref() {
                call.expect.text = Some(text.clone());
            }
        }
        let templates = calls.iter().map(|call| Template::of(call, protocol)).collect();
        let total = calls.iter().map(|call| u64::from(call.weight)).sum();
        Self { calls, templates, total }
    }

    /// Chooses a call by its weight and writes the request with this id; `number` counts the calls of a run.
    /// Returns the call's index, and the text that is due where it differs from call to call.
    pub fn write(
        &self,
        id: u64,
        number: u64,
        random: &mut ChaCha8Rng,
        out: &mut Vec<u8>,
    ) -> (usize, Option<String>) {
        let call = if self.templates.len() == 1 { 0 } else { self.choose(random.next_u64()) };
        let template = &self.templates[call];
        let mut drawn = Vec::new();
        put(
            &template.pieces,
            id,
            number,
            &mut |lo, hi| {
                let span = hi.abs_diff(lo).wrapping_add(1);
                let offset = if span == 0 { random.next_u64() } else { random.next_u64() % span };
                let value = lo.wrapping_add_unsigned(offset);
                drawn.push(value);
                value
            },
            out,
        );
        let due = template.due.as_ref().map(|pieces| {
            let (mut text, mut next) = (Vec::new(), drawn.iter().copied());
            put(pieces, id, number, &mut |lo, _| next.next().unwrap_or(lo), &mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        (call, due)
    }

    fn choose(&self, random: u64) -> usize {
        let mut rest = random % self.total.max(1);
        for (index, call) in self.calls.iter().enumerate() {
            match rest.checked_sub(u64::from(call.weight)) {
                Some(left) => rest = left,
                None => return index,
            }
        }
        0
    }
}

fn put(pieces: &[Piece], id: u64, number: u64, random: &mut dyn FnMut(i64, i64) -> i64, out: &mut Vec<u8>) {
    use std::io::Write as _;
    for piece in pieces {
        // Writing to a vector cannot fail.
        let _ = match piece {
            Piece::Text(text) => out.write_all(text.as_bytes()),
            Piece::Id => write!(out, "{id}"),
            Piece::Number => write!(out, "{number}"),
            Piece::Integer(lo, hi) => write!(out, "{}", random(*lo, *hi)),
        };
    }
}

impl Template {
    fn of(call: &Call, protocol: &Protocol) -> Self {
        let mut params = Map::new();
        params.insert("name".to_owned(), call.tool.clone().into());
        params.insert("arguments".to_owned(), Value::Object(call.arguments.clone()));
        let mut request = Map::new();
        request.insert("jsonrpc".to_owned(), "2.0".into());
        request.insert("id".to_owned(), ID.into());
        request.insert("method".to_owned(), "tools/call".into());
        request.insert("params".to_owned(), Value::Object(protocol.params(params)));
        let text = Value::Object(request).to_string();
        let due = call.expect.text.as_deref().map(pieces);
        Self {
            pieces: pieces(&text),
            due: due.filter(|due| due.iter().any(|piece| !matches!(piece, Piece::Text(_)))),
        }
    }
}

/// Cuts a text at its templates. Inside of JSON a `{` before a letter stands in a string only.
fn pieces(text: &str) -> Vec<Piece> {
    let id = Value::from(ID).to_string();
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let whole = rest.strip_prefix('"').and_then(|inner| {
            let (length, lo, hi) = range(inner)?;
            inner[length..].starts_with('"').then_some((length + 2, lo, hi))
        });
        let (length, piece) = if rest.starts_with(&id) {
            (id.len(), Some(Piece::Id))
        } else if rest.starts_with("{n}") {
            (3, Some(Piece::Number))
        } else if let Some((length, lo, hi)) = whole.or_else(|| range(rest)) {
            (length, Some(Piece::Integer(lo, hi)))
        } else if let Some((length, count)) = whole_size(rest, "{numbers:") {
            plain.push_str(&numbers(count));
            (length, None)
        } else if let Some((length, bytes)) = payload_size(rest) {
            plain.push_str(&payload(bytes));
            (length, None)
        } else {
            plain.push(letter);
            (letter.len_utf8(), None)
        };
        if let Some(piece) = piece {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
        rest = &rest[length..];
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// `{payload:BYTES}` at the beginning of a text.
fn payload_size(text: &str) -> Option<(usize, usize)> {
    let inner = text.strip_prefix("{payload:")?;
    let end = inner.find('}')?;
    Some((end + "{payload:}".len(), inner[..end].parse().ok()?))
}

/// A template with a number that is a whole JSON string: its length and the number.
fn whole_size(text: &str, begin: &str) -> Option<(usize, usize)> {
    let inner = text.strip_prefix('"')?.strip_prefix(begin)?;
    let end = inner.find('}')?;
    inner[end + 1..].starts_with('"').then_some(())?;
    Some((1 + begin.len() + end + 2, inner[..end].parse().ok()?))
}

/// A list of so many numbers around 512: pairs of 512 + d and 512 − d, where d is an odd multiple of 1/1024 below
/// 512. Their sum and the sum of their squares are exact in binary, so every right program comes to the same mean and
/// deviation, to the bit, in whatever order it adds.
fn numbers(count: usize) -> String {
    let number = |index: usize| {
        // 200,003 is a prime: the multiples modulo a power of two visit all residues.
        let odd = (index / 2 * 200_003 % (1 << 19)) | 1;
        let d = odd as f64 / 1024.0;
        if index.is_multiple_of(2) { 512.0 + d } else { 512.0 - d }
    };
    let list: Vec<String> = (0..count).map(|index| format!("{:?}", number(index))).collect();
    format!("[{}]", list.join(","))
}

#[cfg(test)]
mod tests;
