//! A latency record on disk: `latency.json`, and below it a histogram log for each distribution.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use crate::files::replace;
use crate::latency::{LATENCY_SCHEMA, LatencyFile, Series, read_hlog};
use crate::load_test::Error;

/// The file that makes a directory a latency record.
const FILE: &str = "latency.json";

/// What a load test found.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What `latency.json` holds.
    pub file: LatencyFile,
    /// The histogram logs: their paths below the record, and their texts.
    pub logs: Vec<(String, String)>,
}

impl Record {
    /// Writes the record into a directory, which is made where it is not there: the logs first, so that a record is whole
    /// once it is one.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        for (name, text) in &self.logs {
            let path = directory.join(name);
            replace(&path, text.as_bytes()).map_err(Error::file("write", &path))?;
        }
        let path = directory.join(FILE);
        let text = serde_json::to_string_pretty(&self.file)
            .map_err(|error| Error::file("write", &path)(error.into()))?;
        replace(&path, (text + "\n").as_bytes()).map_err(Error::file("write", &path))
    }

    /// Reads a record, and whether its histogram logs hold what `latency.json` says they do.
    ///
    /// # Errors
    /// [`Error::File`] where one of its files cannot be read, [`Error::Malformed`] with file and line where one is
    /// malformed, cut off, or of another version. A record may be passed on without its logs: those that are not there
    /// are not in [`Record::logs`].
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        let file = parse(&path, &text)?;
        let mut logs = Vec::new();
        for series in &file.series {
            for name in &series.hlog {
                let path = directory.join(name);
                let text = match fs::read_to_string(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    text => text.map_err(Error::file("read", &path))?,
                };
                check_log(&path, &text, name, series)?;
                logs.push((name.clone(), text));
            }
        }
        Ok(Self { file, logs })
    }

    /// Whether a directory holds a latency record.
    #[must_use]
    pub fn is_in(directory: &Path) -> bool {
        directory.join(FILE).is_file()
    }
}

fn parse(path: &Path, text: &str) -> Result<LatencyFile, Error> {
    let value: Value = serde_json::from_str(text).map_err(|error| malformed(path, &error))?;
    if value["schema"] != LATENCY_SCHEMA {
        return Err(Error::Malformed(format!(
            "{} has schema {}, and this perflab reads {LATENCY_SCHEMA}: use the perflab that wrote it ({})",
            path.display(),
            value["schema"],
            value["perflab"].as_str().unwrap_or("unknown")
        )));
    }
    // From the text and not from the value, so that a wrong field is reported with its line.
    serde_json::from_str(text).map_err(|error| malformed(path, &error))
}

fn malformed(path: &Path, error: &serde_json::Error) -> Error {
    let said = error.to_string();
    // The place stands before the sentence here, as compilers and editors expect it.
    let why = said.rsplit_once(" at line ").map_or(said.as_str(), |(why, _)| why);
    Error::Malformed(format!("{}:{}:{}: {why}", path.display(), error.line(), error.column()))
}

/// Whether a histogram log is whole: a launch for each of the series', with all of its times.
fn check_log(path: &Path, text: &str, name: &str, series: &Series) -> Result<(), Error> {
    let shown = path.display();
    let launches = read_hlog(text).map_err(|error| Error::Malformed(format!("{shown}:{error}")))?;
    let lines = text.lines().count();
    if launches.len() != series.launches.len() {
        return Err(Error::Malformed(format!(
            "{shown}:{lines}: expected {} launches up to here, found {}",
            series.launches.len(),
            launches.len()
        )));
    }
    let kinds = [Some(&series.response), series.service.as_ref(), series.lag.as_ref()];
    let place = series.hlog.iter().position(|log| log == name);
    let expected = place.and_then(|place| kinds.get(place).copied().flatten()).map(|kind| kind.count);
    let found = launches.iter().map(|launch| launch.times.count()).sum::<u64>();
    match expected {
        Some(expected) if expected != found => Err(Error::Malformed(format!(
            "{shown}:{lines}: expected {expected} times up to here, found {found}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of a record that this repository shows.
    fn copy() -> tempfile::TempDir {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/2026-11-27T1849-vm");
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(to.path().join("latency")).unwrap();
        fs::copy(from.join(FILE), to.path().join(FILE)).unwrap();
        for log in fs::read_dir(from.join("latency")).unwrap() {
            let log = log.unwrap();
            fs::copy(log.path(), to.path().join("latency").join(log.file_name())).unwrap();
        }
        to
    }

    fn wrong(directory: &Path) -> String {
        Record::read(directory).unwrap_err().to_string()
    }

    #[test]
    fn a_record_is_written_as_it_was_read() {
        let (from, to) = (copy(), tempfile::tempdir().unwrap());
        let record = Record::read(from.path()).unwrap();
        assert_eq!(
            record.logs.len(),
            record.file.series.iter().map(|series| series.hlog.len()).sum::<usize>()
        );
        record.write(&to.path().join("new")).unwrap();
        let again = Record::read(&to.path().join("new")).unwrap();
        // A failure would print the whole record.
        assert!(again == record);
        fs::remove_dir_all(from.path().join("latency")).unwrap();
        let bare = Record::read(from.path()).unwrap();
        assert!(
            bare.file == record.file && bare.logs.is_empty(),
            "a record may be passed on without its logs"
        );
    }

    #[test]
    fn a_torn_or_malformed_file_is_reported_with_its_place() {
        let record = copy();
        let (path, directory) = (record.path().join(FILE), record.path());
        let whole = fs::read_to_string(&path).unwrap();
        let lines = whole.lines().count();
        fs::write(&path, &whole[..whole.len() - 4]).unwrap();
        let said = wrong(directory);
        assert!(said.starts_with(&format!("{}:", path.display())) && said.contains("EOF"), "{said}");
        let line: usize =
            said[path.display().to_string().len() + 1..].split(':').next().unwrap().parse().unwrap();
        assert!(line.abs_diff(lines) <= 2, "{said} of {lines} lines");
        fs::write(&path, whole.replacen("\"seed\": ", "\"seed\": -", 1)).unwrap();
        let at = whole.lines().position(|line| line.contains("\"seed\"")).unwrap() + 1;
        assert!(wrong(directory).starts_with(&format!("{}:{at}:", path.display())), "{}", wrong(directory));
        fs::write(&path, whole.replacen("\"schema\": 1", "\"schema\": 9", 1)).unwrap();
        assert!(wrong(directory).contains("has schema 9, and this perflab reads 1"), "{}", wrong(directory));
        fs::write(&path, whole).unwrap();
        Record::read(directory).unwrap();
    }

    #[test]
    fn a_torn_or_malformed_log_is_reported_with_its_place() {
        let record = copy();
        let name = Record::read(record.path()).unwrap().logs[0].0.clone();
        let path = record.path().join(&name);
        let whole = fs::read_to_string(&path).unwrap();
        let lines = whole.lines().count();
        let before_the_last = whole.trim_end().rfind('\n').unwrap() + 1;
        let shown = path.display();
        for (text, said) in [
            (
                whole[..whole.len() - 9].to_owned(),
                format!("{shown}:{lines}: the histogram is malformed or cut off"),
            ),
            (whole[..before_the_last].to_owned(), format!("{shown}:{}: expected ", lines - 1)),
            (whole.replacen("Tag=launch-0,", "Tag=launch-0;", 1), format!("{shown}:5: expected an interval")),
            (String::new(), format!("{shown}:0: expected ")),
        ] {
            fs::write(&path, text).unwrap();
            assert!(wrong(record.path()).starts_with(&said), "{} is not {said}", wrong(record.path()));
        }
        let mut all: Vec<&str> = whole.lines().collect();
        let last = all.len() - 1;
        all[last] = all[last - 1];
        fs::write(&path, all.join("\n") + "\n").unwrap();
        let said = wrong(record.path());
        assert!(said.contains(" times up to here, found "), "{said}");
    }
}
