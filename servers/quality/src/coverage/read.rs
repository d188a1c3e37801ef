//! Which format a report has, and reading it.

use std::io::{self, BufRead};

use crate::coverage::report::{Format, Report};
use crate::coverage::{json, lcov, xml};

/// The most bytes of a report.
pub const LARGEST: u64 = 2 << 30;

/// A report that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What the system says.
    #[error("it cannot be read ({0})")]
    Io(#[from] io::Error),
    /// It begins like no report.
    #[error(
        "it is not a coverage report: give one of lcov (.info), Cobertura or JaCoCo (XML), `llvm-cov export` or \
         `coverage json` (JSON)"
    )]
    Unknown,
    /// It begins like a report of this format and goes on otherwise.
    #[error("it is not a whole {} report: {problem}", .format.name())]
    Malformed {
        /// What it begins like.
        format: Format,
        /// The place and what is wrong there.
        problem: String,
    },
    /// It describes no line.
    #[error("the {} report is empty: it describes no line of any file, so nothing was measured", .0.name())]
    Empty(Format),
}

impl ReadError {
    pub(crate) fn at_line(format: Format, line: u64, problem: &str) -> Self {
        Self::Malformed { format, problem: format!("line {line} {problem}") }
    }

    pub(crate) fn cut(format: Format, problem: &str) -> Self {
        Self::Malformed { format, problem: format!("it is cut off: {problem}") }
    }
}

/// Reads a report of any of the formats.
///
/// # Errors
/// It is of none of them, malformed, cut off, or describes no line.
pub fn read(input: impl BufRead) -> Result<Report, ReadError> {
    let mut input = input.take(LARGEST);
    let report = match first(&mut input)? {
        Some(b'<') => xml::read(input)?,
        Some(b'{') => json::read(input)?,
        Some(b'T' | b'S' | b'#' | b'V') => lcov::read(input)?,
        Some(_) | None => return Err(ReadError::Unknown),
    };
    if report.lines().found == 0 {
        return Err(ReadError::Empty(report.format));
    }
    Ok(report)
}

/// The first byte that says something, left where it is.
fn first(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let buffer = input.fill_buf()?;
        let Some(byte) = buffer.first().copied() else { return Ok(None) };
        let skipped = match buffer {
            [0xEF, 0xBB, 0xBF, ..] => 3,
            _ if byte.is_ascii_whitespace() => 1,
            _ => return Ok(Some(byte)),
        };
        input.consume(skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_told_by_the_content() {
        for (text, format) in [
            ("\u{feff}TN:\nSF:a\nDA:1,1\nend_of_record\n", Format::Lcov),
            (
                "\n<coverage><class filename=\"a\"><line number=\"1\" hits=\"1\"/></class></coverage>",
                Format::Cobertura,
            ),
            (
                "<report name=\"x\"><package name=\"p\"><sourcefile name=\"A.java\"><line nr=\"1\" mi=\"0\" ci=\"1\" \
                 mb=\"0\" cb=\"0\"/></sourcefile></package></report>",
                Format::Jacoco,
            ),
            (
                "{\"meta\": {\"format\": 3}, \"files\": {\"a.py\": {\"executed_lines\": [1], \"missing_lines\": []}}}",
                Format::CoveragePy,
            ),
            (
                "{\"data\": [{\"files\": [{\"filename\": \"a.rs\", \"segments\": [[1, 1, 1, true, true, false]]}]}]}",
                Format::Llvm,
            ),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().format, format, "{text}");
        }
    }

    #[test]
    fn a_report_of_nothing_is_an_error() {
        for (text, part) in [
            ("", "is not a coverage report"),
            ("hello", "is not a coverage report"),
            ("[]", "is not a coverage report"),
            ("\0\0", "is not a coverage report"),
            ("TN:\n", "the lcov report is empty"),
            ("SF:a\nend_of_record\n", "the lcov report is empty"),
            ("<coverage/>", "the Cobertura report is empty"),
            ("<report/>", "the JaCoCo report is empty"),
            ("{\"data\": [{\"files\": []}]}", "the llvm-cov report is empty"),
            ("{\"files\": {}}", "the coverage.py report is empty"),
            ("{}", "neither `data` nor `files`"),
            ("<html/>", "begins with `html`"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
