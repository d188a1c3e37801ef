//! Logs that experiments add up in: CSV with a head, a comparison a line, appended experiment by experiment.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a log holds.
#[derive(Clone, Debug)]
pub(crate) struct Log<T> {
    /// Its whole lines.
    pub lines: Vec<T>,
    /// A sentence about the last line, where it was cut off. [`append`] removes such a line.
    pub torn: Option<String>,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { lines: Vec::new(), torn: None }
    }
}

/// Reads a log; one that is not there is empty.
///
/// # Errors
/// It cannot be read, or a whole line of it is malformed; the sentence names the line. What is not read would be left
/// out of every bound that is computed from the log.
pub(crate) fn read_log<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Log<T>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Log::default()),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let whole = &text[..whole_lines(text.as_bytes())];
    let torn = (whole.len() < text.len()).then(|| {
        format!(
            "{}:{}: the last line was cut off when a perflab was ended while it wrote: the line is left out",
            path.display(),
            whole.matches('\n').count() + 1
        )
    });
    let mut reader = csv::Reader::from_reader(whole.as_bytes());
    let mut lines = Vec::new();
    for line in reader.deserialize() {
        lines.push(line.map_err(|error| malformed(path, &error))?);
    }
    Ok(Log { lines, torn })
}

fn malformed(path: &Path, error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(1, csv::Position::line);
    let wrong = match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("expected {expected_len} fields, found {len}")
        }
        _ => error.to_string(),
    };
    anyhow!("{}:{line}: {wrong}; restore the file (git checkout), or remove the line", path.display())
}

/// The bytes of a text up to and with its last end of a line.
fn whole_lines(text: &[u8]) -> usize {
    text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1)
}

/// Adds the lines of a whole experiment, after the last whole line that is there.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn append<T: Serialize>(path: &Path, lines: &[T]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(cannot)?;
    }
    let there = match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        bytes => whole_lines(&bytes.with_context(cannot)?),
    };
    let mut writer = csv::WriterBuilder::new().has_headers(there == 0).from_writer(Vec::new());
    for line in lines {
        writer.serialize(line)?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow!("{error}"))?;
    let mut file = File::options().create(true).append(true).open(path).with_context(cannot)?;
    // A line that was cut off would swallow the first of these.
    file.set_len(u64::try_from(there)?).with_context(cannot)?;
    file.write_all(&bytes).with_context(cannot)?;
    file.sync_data().with_context(cannot)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        seed: u64,
        name: String,
        sd: f64,
    }

    fn line(seed: u64) -> Line {
        Line { seed, name: format!("a, \"b\" {seed}"), sd: 0.5 }
    }

    #[test]
    fn experiments_add_up() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/log.csv");
        assert!(read_log::<Line>(&path).unwrap().lines.is_empty());
        append(&path, &[line(1), line(2)]).unwrap();
        append(&path, &[line(3)]).unwrap();
        let log = read_log::<Line>(&path).unwrap();
        assert_eq!((log.lines, log.torn), (vec![line(1), line(2), line(3)], None));
    }

    #[test]
    fn a_line_that_was_cut_off_is_reported_and_swallows_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.csv");
        append(&path, &[line(1)]).unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"2,half").unwrap();
        let log = read_log::<Line>(&path).unwrap();
        assert_eq!(log.lines, [line(1)]);
        assert!(log.torn.unwrap().starts_with(&format!("{}:3: the last line was cut off", path.display())));
        append(&path, &[line(3)]).unwrap();
        assert_eq!(read_log::<Line>(&path).unwrap().lines, [line(1), line(3)]);
        fs::write(&path, "seed,na").unwrap();
        append(&path, &[line(4)]).unwrap();
        assert_eq!(read_log::<Line>(&path).unwrap().lines, [line(4)], "even the head");
    }

    #[test]
    fn a_malformed_line_is_named_and_nothing_is_read_past_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.csv");
        for (text, line, wrong) in [
            ("seed,name,sd\n1,a,0.5\n2,b,x\n3,c,0.5\n", 3, "invalid float"),
            ("seed,name,sd\n1,a\n", 2, "expected 3 fields, found 2"),
            ("seed,name\n1,a\n", 2, "missing field `sd`"),
            ("seed,name,sd\n1,a,0.52,b,0.5\n", 2, "expected 3 fields, found 5"),
        ] {
            fs::write(&path, text).unwrap();
            let said = read_log::<Line>(&path).unwrap_err().to_string();
            assert!(said.starts_with(&format!("{}:{line}: ", path.display())), "{said}");
            assert!(said.contains(wrong), "{said}");
        }
    }
}
