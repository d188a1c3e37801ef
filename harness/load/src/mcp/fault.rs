//! What a server can do wrong, each by name and in one sentence.

use serde::{Deserialize, Serialize};

/// What a server did wrong. The sentence says what it was, and what would be right where that is not plain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// The program cannot be executed.
    #[error("the server cannot be started: {said}")]
    NotStarted {
        /// The system's words.
        said: String,
    },
    /// The process ended, or closed its stdout.
    #[error("the server ended in mid-run ({how}){}", after_colon(stderr))]
    Exited {
        /// `exit code 3`, `signal 9`.
        how: String,
        /// The end of its stderr.
        stderr: String,
    },
    /// A request was not answered, nor one after it.
    #[error(
        "the server never answers: {method} got no answer within {after_ms} ms, nor did a request after it"
    )]
    Silent {
        /// The request's method.
        method: String,
        /// How long was waited.
        after_ms: u64,
    },
    /// A request was not answered while later ones were.
    #[error(
        "the server drops requests: number {id} got no answer within {after_ms} ms, while one after it did"
    )]
    Dropped {
        /// The request's id.
        id: u64,
        /// How long was waited.
        after_ms: u64,
    },
    /// A request was answered after all, but too late.
    #[error("the server answers too late: {method} took more than {after_ms} ms, the --patience of this run")]
    Late {
        /// The request's method.
        method: String,
        /// How long was waited.
        after_ms: u64,
    },
    /// A request was answered twice.
    #[error("the server answers twice: a second answer came to request {id}")]
    Duplicate {
        /// The request's id.
        id: u64,
    },
    /// An answer to a request that was never made.
    #[error("the server mis-numbers its answers: one came with the id {id}, which no request had")]
    UnknownId {
        /// The id, as JSON.
        id: String,
    },
    /// A line that is not a message.
    #[error(
        "the server wrote a line to stdout that is not a JSON-RPC message (“{excerpt}”): all but messages belongs on \
         stderr"
    )]
    Garbage {
        /// Its beginning.
        excerpt: String,
    },
    /// A line, or a body, without an end.
    #[error("the server wrote a message of more than {bytes} bytes without an end: it was given up")]
    LongLine {
        /// The limit that it exceeded.
        bytes: usize,
    },
    /// A message that breaks JSON-RPC or MCP.
    #[error("the server's answer to {method} is not valid: {wrong}")]
    Malformed {
        /// The request's method.
        method: String,
        /// What is wrong.
        wrong: String,
    },
    /// Structured content that breaks the tool's own output schema.
    #[error("the answer of {tool} breaks the tool's own output schema: {wrong}")]
    Schema {
        /// The tool's name.
        tool: String,
        /// Where, and what is wrong.
        wrong: String,
    },
    /// `isError`.
    #[error("{tool} answers with an error: {said}; give it arguments that it takes with --calls FILE")]
    ToolError {
        /// The tool's name.
        tool: String,
        /// Its words.
        said: String,
    },
    /// A JSON-RPC error.
    #[error("the server refuses {method}: {said} (error {code})")]
    Refused {
        /// The request's method.
        method: String,
        /// The error's code.
        code: i64,
        /// The error's message.
        said: String,
    },
    /// Not what is due.
    #[error("the answer of {tool} is wrong: expected {due}, found “{got}”")]
    WrongAnswer {
        /// The tool's name.
        tool: String,
        /// What was expected.
        due: String,
        /// The beginning of what came.
        got: String,
    },
    /// The server asks the person or the model.
    #[error(
        "the server asks for input ({method}), and nobody is here to give it: measure a tool that answers by itself"
    )]
    AsksForInput {
        /// What it asks with.
        method: String,
    },
    /// An HTTP status that is not an answer.
    #[error("the server answers with HTTP status {status}{}", after_colon(said))]
    Status {
        /// The status.
        status: u16,
        /// The beginning of the body.
        said: String,
    },
    /// The connection, or what came over it, is broken.
    #[error("the connection to the server failed: {said}")]
    Connection {
        /// What happened.
        said: String,
    },
}

fn after_colon(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("; it said: {}", said.trim()) }
}

impl Fault {
    /// Its name, as the record writes it.
    #[must_use]
    pub fn name(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        value["kind"].as_str().unwrap_or_default().to_owned()
    }
}

/// The beginning of a text, in one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line: String = text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(80).is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_a_name_and_a_sentence() {
        let fault = Fault::Dropped { id: 7, after_ms: 500 };
        assert_eq!(fault.name(), "dropped");
        assert!(fault.to_string().starts_with("the server drops requests: number 7 "));
        let fault = Fault::Exited { how: "exit code 3".into(), stderr: " out of disk\n".into() };
        assert_eq!(fault.to_string(), "the server ended in mid-run (exit code 3); it said: out of disk");
    }

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(excerpt("a\nb"), "a b");
        assert_eq!(excerpt(&"x".repeat(200)).chars().count(), 81);
    }
}
