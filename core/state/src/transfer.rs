//! A log as lines of JSON: the first one names the format, each further one is a record.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::error::StateError;
use crate::log::{LONGEST_RECORD, Log, Record};

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Header {
    format: String,
    version: u64,
}

impl Header {
    fn of<R: Record>() -> Self {
        Self { format: R::SCHEMA.format.to_owned(), version: R::SCHEMA.version }
    }
}

impl<R: Record> Log<R> {
    /// Writes all records as lines of JSON, oldest first, after a line that names the format; gives their number.
    ///
    /// # Errors
    /// If the file cannot be read or `out` cannot be written.
    pub fn export(&self, out: &mut dyn Write) -> Result<usize, StateError> {
        let records = self.all()?;
        let failed =
            |error: io::Error| StateError::Storage { name: R::SCHEMA.name, reason: error.to_string() };
        write_line(out, &Header::of::<R>()).map_err(failed)?;
        for record in &records {
            write_line(out, &record.entry).map_err(failed)?;
        }
        Ok(records.len())
    }

    /// Takes the records of an export, all or none, as the newest ones; gives their number.
    ///
    /// # Errors
    /// If a line is not what an export writes (the error names it), or the file cannot be written.
    pub fn import(&self, lines: &mut dyn BufRead) -> Result<usize, StateError> {
        let mut new = Vec::new();
        let mut line = String::new();
        for at in 1.. {
            let error = |what: String| StateError::Import { line: at, what };
            line.clear();
            let read = Read::take(&mut *lines, LONGEST_RECORD as u64).read_line(&mut line);
            if read.map_err(|failure| error(format!("cannot be read: {failure}")))? == 0 {
                if at == 1 {
                    return Err(error("is missing: an export begins with its format".to_owned()));
                }
                break;
            }
            if at == 1 {
                check_header::<R>(&line).map_err(error)?;
                continue;
            }
            let record: R = serde_json::from_str(&line)
                .map_err(|failure| error(format!("is not a record: {failure}")))?;
            new.push(record.checked().map_err(|reason| error(format!("cannot be kept: {reason}")))?);
            let most = self.limits().records;
            if new.len() as u64 > most {
                return Err(error(format!("is one more than the {most} records that are kept")));
            }
        }
        self.add(&new).map(|ids| ids.len())
    }
}

fn check_header<R: Record>(line: &str) -> Result<(), String> {
    let header: Header =
        serde_json::from_str(line).map_err(|error| format!("does not name the format: {error}"))?;
    if header == Header::of::<R>() {
        return Ok(());
    }
    Err(format!("names another format than \"{}\" version {}", R::SCHEMA.format, R::SCHEMA.version))
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}
