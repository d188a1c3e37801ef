//! The audit log: one line of JSON for each call of a tool that changes something.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::Serialize;

use crate::tool::{Failure, ToolError};

/// The most bytes of arguments that a line shows; longer ones are cut, and the line says so.
pub const MOST_ARGUMENTS: usize = 4096;

/// A log that lines are appended to.
pub struct Audit {
    path: PathBuf,
    file: Mutex<File>,
}

/// There is no log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The log cannot be opened.
    #[error("the audit log {path} cannot be opened for appending: {error}", path = path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The state directory, where it lies, cannot be made.
    #[error(
        "the directory {path} for the server's state cannot be made: {error}; choose another with --state, or `none`",
        path = path.display()
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    /// Milliseconds since 1970.
    time: u64,
    tool: &'a str,
    arguments: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    is_cut: bool,
    /// Milliseconds.
    took: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Whether the last line has no end.
fn is_torn(file: &File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    // What is not a file of its own length, such as a pipe, has no line to look at.
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    Ok(last != [b'\n'])
}

impl Audit {
    /// Opens the log of a state directory, and makes both where they are not there.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, and as [`Audit::open`].
    pub fn open_in(state: &Path) -> Result<Self, AuditError> {
        mcp_workspace::state::make(state)
            .map_err(|error| AuditError::Directory { path: state.to_owned(), error })?;
        Self::open(&state.join("audit.jsonl"))
    }

    /// Opens a log, and makes it when it is not there, for its owner only.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened for appending.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path);
        let file = file.and_then(|mut file| {
            // A line that a kill or a full disk cut off would take the next one with it.
            if is_torn(&file)? {
                file.write_all(b"\n")?;
            }
            Ok(file)
        });
        match file {
            Ok(file) => Ok(Self { path: path.to_owned(), file: Mutex::new(file) }),
            Err(error) => Err(AuditError::Log { path: path.to_owned(), error }),
        }
    }

    pub(crate) fn record(&self, tool: &str, arguments: &str, nanos: u64, error: Option<&ToolError>) {
        let shown = cut(arguments);
        let line = Line {
            time: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
            tool,
            arguments: shown,
            is_cut: shown.len() < arguments.len(),
            #[expect(clippy::cast_precision_loss, reason = "a latency has far fewer than 53 bits")]
            took: nanos as f64 / 1e6,
            failure: error.map(ToolError::failure),
            reason: error.map(ToString::to_string),
        };
        self.write(&line);
    }

    /// Appends a line of the caller's own form. A line that cannot be written is reported in the log.
    pub fn write(&self, line: &impl Serialize) {
        let mut text = match serde_json::to_string(line) {
            Ok(text) => text,
            Err(error) => return tracing::error!(%error, "a line of the audit log has no form in JSON"),
        };
        text.push('\n');
        // One write, so that lines of several processes do not mix.
        if let Err(error) = self.file.lock().write_all(text.as_bytes()) {
            tracing::error!(path = %self.path.display(), %error, "the audit log cannot be written");
        }
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MOST_ARGUMENTS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_call_is_a_line_of_json() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::open(&path).unwrap();
        audit.record("run", "{\"line\":\"a\\nb\"}", 1_500_000, None);
        audit.record("run", &"ä".repeat(3000), 0, Some(&ToolError::failed("no")));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["took"], lines[0].get("is_cut")), (&Value::from(1.5), None));
        assert_eq!(lines[1]["failure"], "failed");
        assert_eq!(lines[1]["arguments"].as_str().unwrap().len(), MOST_ARGUMENTS);
        assert_eq!(lines[1]["is_cut"], true);
    }

    #[test]
    fn a_line_that_was_cut_off_takes_no_other_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        Audit::open(&path).unwrap().record("one", "{}", 0, None);
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in 1..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            Audit::open(&path).unwrap().record("two", "{}", 0, None);
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 2, "{text}");
            assert_eq!(serde_json::from_str::<Value>(lines[1]).unwrap()["tool"], "two");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let error = Audit::open(Path::new("/nonexistent/audit.jsonl")).err().unwrap().to_string();
        assert!(error.contains("/nonexistent/audit.jsonl"), "{error}");
    }
}
