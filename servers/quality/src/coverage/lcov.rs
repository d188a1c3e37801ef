//! Trace files of lcov, up to version 2 (geninfo(1), "FILES"): `FNL` and `FNA`, blocks that begin with `e`, `MCDC`.
//! The crate `lcov` stops at those, and reads lines of any length.

use std::hash::BuildHasher;
use std::io::{BufRead, Read};

use roaring::RoaringBitmap;
use rustc_hash::FxBuildHasher;

use crate::coverage::read::ReadError;
use crate::coverage::report::{FileCoverage, Format, LAST_LINE, Report};

/// The most bytes of a line: a path has at most 4,096, a name of a function in C++ may have more.
const LONGEST_LINE: u64 = 1 << 20;

/// Reads a trace file.
///
/// # Errors
/// The line that is none of a trace file, or the end inside of a record.
pub fn read(mut input: impl BufRead) -> Result<Report, ReadError> {
    let mut report = Report::new(Format::Lcov);
    let mut section: Option<Section> = None;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let count = Read::by_ref(&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if count == 0 {
            break;
        }
        if count as u64 == LONGEST_LINE {
            return Err(ReadError::at_line(Format::Lcov, number, "is longer than a line of a report"));
        }
        let text = line.trim_ascii();
        take(&mut report, &mut section, text)
            .map_err(|problem| ReadError::at_line(Format::Lcov, number, problem))?;
    }
    match section {
        None => Ok(report),
        Some(section) => {
            Err(ReadError::cut(Format::Lcov, &format!("the record of {} has no end_of_record", section.path)))
        }
    }
}

/// The record of one file.
struct Section {
    path: String,
    file: FileCoverage,
    /// The line whose branches were last read, and how many it has.
    branches_of: (u32, u32),
    /// Branches read so far, for lines that are taken up again.
    seen: RoaringBitmap,
}

impl Section {
    fn new(path: &[u8]) -> Self {
        let path = String::from_utf8_lossy(path).into_owned();
        let (file, seen) = (FileCoverage::default(), RoaringBitmap::new());
        Self { path, file, branches_of: (0, 0), seen }
    }

    /// The place of the next branch of a line.
    fn next_branch(&mut self, line: u32) -> u32 {
        if self.branches_of.0 != line {
            let known = if self.seen.contains(line) { self.file.branches_on(line) } else { 0 };
            self.branches_of = (line, known);
            self.seen.insert(line);
        }
        self.branches_of.1 += 1;
        self.branches_of.1 - 1
    }
}

fn take(report: &mut Report, section: &mut Option<Section>, text: &[u8]) -> Result<(), &'static str> {
    const UNKNOWN: &str =
        "is not one of a trace file of lcov, such as `SF:path`, `DA:line,count` or `end_of_record`";
    if text.is_empty() || text.starts_with(b"#") {
        return Ok(());
    }
    if text == b"end_of_record" {
        let section = section.take().ok_or("ends a record that has not begun: `SF:path` comes first")?;
        report.file(&section.path).merge(section.file);
        return Ok(());
    }
    let colon = memchr::memchr(b':', text).ok_or(UNKNOWN)?;
    let (name, rest) = (&text[..colon], &text[colon + 1..]);
    match name {
        b"TN" | b"VER" => return Ok(()),
        b"SF" => {
            if section.is_some() {
                return Err("begins a record inside of another: `end_of_record` is missing before it");
            }
            *section = Some(Section::new(rest));
            return Ok(());
        }
        _ => {}
    }
    let section = section.as_mut().ok_or(UNKNOWN)?;
    match name {
        b"DA" => line(section, rest),
        b"BRDA" => branch(section, rest),
        b"FN" => declared(section, rest),
        b"FNDA" => called(section, rest),
        b"FNA" => alias(section, rest),
        // Sums, the lines of functions, and conditions, which are not shown.
        b"LF" | b"LH" | b"BRF" | b"BRH" | b"FNF" | b"FNH" | b"FNL" | b"MCDC" | b"MCF" | b"MCH" => Ok(()),
        _ => Err(UNKNOWN),
    }
}

fn line(section: &mut Section, rest: &[u8]) -> Result<(), &'static str> {
    let mut fields = rest.split(|byte| *byte == b',');
    let (line, count) = (number(fields.next()), fields.next());
    let (Some(line), Some(count)) = (line, count.and_then(positive)) else {
        return Err("is not `DA:line,count`");
    };
    if line == 0 {
        return Err("names line 0: lines count from 1");
    }
    section.file.line(u32::try_from(line).unwrap_or(u32::MAX), count);
    Ok(())
}

fn branch(section: &mut Section, rest: &[u8]) -> Result<(), &'static str> {
    const WRONG: &str = "is not `BRDA:line,block,branch,taken`";
    let first = memchr::memchr(b',', rest).ok_or(WRONG)?;
    // The branch of version 2 is an expression, which may hold commas itself.
    let last = memchr::memrchr(b',', rest).filter(|last| *last > first).ok_or(WRONG)?;
    let line = number(Some(&rest[..first])).ok_or(WRONG)?;
    let is_taken = match &rest[last + 1..] {
        b"-" => false,
        count => positive(count).ok_or(WRONG)?,
    };
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    if line == 0 || line > LAST_LINE {
        return Ok(());
    }
    let place = section.next_branch(line);
    section.file.branch(line, place, is_taken);
    Ok(())
}

/// `FN:line,name` or `FN:line,last,name`.
fn declared(section: &mut Section, rest: &[u8]) -> Result<(), &'static str> {
    let (line, name) = parted(rest).ok_or("is not `FN:line,name`")?;
    number(Some(line)).ok_or("is not `FN:line,name`")?;
    let name = match parted(name) {
        Some((last, name)) if number(Some(last)).is_some() => name,
        _ => name,
    };
    section.file.function(hash(name), false);
    Ok(())
}

fn called(section: &mut Section, rest: &[u8]) -> Result<(), &'static str> {
    let (count, name) = parted(rest).ok_or("is not `FNDA:count,name`")?;
    let is_run = positive(count).ok_or("is not `FNDA:count,name`")?;
    section.file.function(hash(name), is_run);
    Ok(())
}

/// `FNA:index,count,name`.
fn alias(section: &mut Section, rest: &[u8]) -> Result<(), &'static str> {
    let (_, rest) = parted(rest).ok_or("is not `FNA:index,count,name`")?;
    let (count, name) = parted(rest).ok_or("is not `FNA:index,count,name`")?;
    let is_run = positive(count).ok_or("is not `FNA:index,count,name`")?;
    section.file.function(hash(name), is_run);
    Ok(())
}

fn parted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = memchr::memchr(b',', text)?;
    Some((&text[..comma], &text[comma + 1..]))
}

fn hash(name: &[u8]) -> u64 {
    FxBuildHasher.hash_one(name)
}

fn number(text: Option<&[u8]>) -> Option<u64> {
    let text = text?;
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter()
        .try_fold(0_u64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u64::from(byte - b'0')))
}

/// Whether a count is above zero; some tools write it as `1e+06` or below zero.
fn positive(text: &[u8]) -> Option<bool> {
    if let Some(value) = number(Some(text)) {
        return Some(value > 0);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::report::Count;

    fn of(text: &str) -> Result<Report, String> {
        read(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_record_of_each_version_is_read() {
        let report = of("TN:a\nSF:/p/a.c\nFN:1,main\nFN:5,9,other\nFNDA:1,main\nFNDA:0,other\nDA:1,3\nDA:2,0\nDA:9,1e+06\n\
             BRDA:1,0,0,1\nBRDA:1,0,1,-\nBRF:2\nLF:3\nLH:2\nend_of_record\n\
             SF:b.c\nVER:x\nFNL:0,1,2\nFNA:0,4,f\nBRDA:3,e0,a < f(b, c),0\nMCDC:3,2,t,1,0,a\nDA:3,1,checksum\nend_of_record\n")
        .unwrap();
        assert_eq!(report.lines(), Count { found: 4, hit: 3 });
        assert_eq!(report.branches(), Count { found: 3, hit: 1 });
        assert_eq!(report.functions(), Count { found: 3, hit: 2 });
    }

    #[test]
    fn tests_of_their_own_records_add_up() {
        let report = of("SF:a\nDA:1,0\nBRDA:1,0,0,1\nBRDA:1,0,1,0\nDA:2,1\nend_of_record\n\
                         SF:a\nDA:1,1\nBRDA:1,0,0,0\nBRDA:1,0,1,1\nend_of_record\n")
        .unwrap();
        assert_eq!((report.files.len(), report.lines()), (1, Count { found: 2, hit: 2 }));
        assert_eq!(report.branches(), Count { found: 2, hit: 2 });
    }

    #[test]
    fn branches_of_a_line_that_is_taken_up_again_are_further_ones() {
        let report = of("SF:a\nBRDA:1,0,0,1\nBRDA:2,0,0,0\nBRDA:1,1,0,0\nend_of_record\n").unwrap();
        assert_eq!(report.branches(), Count { found: 3, hit: 1 });
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, part) in [
            ("SF:a\nDA:1,1\n", "no end_of_record"),
            ("SF:a\nDA:x,1\nend_of_record\n", "line 2 is not `DA:line,count`"),
            ("SF:a\nDA:0,1\nend_of_record\n", "line 2 names line 0"),
            ("DA:1,1\n", "line 1 is not one of a trace file"),
            ("SF:a\nSF:b\n", "line 2 begins a record inside of another"),
            ("end_of_record\n", "line 1 ends a record that has not begun"),
            ("SF:a\n<coverage/>\n", "line 2 is not one of a trace file"),
            ("SF:a\nBRDA:1,0\nend_of_record\n", "line 2 is not `BRDA"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        let long = format!("SF:{}\n", "a".repeat(2 << 20));
        assert!(of(&long).unwrap_err().contains("line 1 is longer"));
    }

    #[test]
    fn bytes_that_are_not_text_do_no_harm() {
        let report = read(&b"SF:a\xff\0b\nDA:1,1\nend_of_record\n"[..]).unwrap();
        assert_eq!(report.lines(), Count { found: 1, hit: 1 });
    }
}
