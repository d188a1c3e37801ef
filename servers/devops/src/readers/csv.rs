//! Comma-separated values: a column of times and columns of numbers, or columns of numbers alone.

use std::borrow::Cow;

use crate::readers::{MOST_POINTS, MOST_SERIES, ReadError, moment, shown};
use crate::series::Series;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Names of columns that hold times.
const TIME_NAMES: [&str; 6] = ["ts", "t", "when", "at", "_time", "@timestamp"];
/// Names of columns that hold times begin so.
const TIME_BEGINS: [&str; 2] = ["time", "date"];
/// Smaller numbers are not taken for times where nothing else says that they are: this is in 1973.
const LEAST_SECONDS: f64 = 1e8;

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// One series for each column of numbers.
    pub series: Vec<Series>,
    /// Lines that have no time or too few cells, left out.
    pub bad_lines: usize,
    /// The first cell that is not a number, as it is shown.
    pub bad_cell: Option<String>,
}

/// Reads a text: comma, semicolon or tab between cells, with or without a line of names. A cell that is empty or not a
/// number is a value that is missing. Times are those of a column of one of the usual names, else of the first column
/// whose cells are times.
///
/// # Errors
/// There are no lines, no column of times, or more points than are read.
pub fn read(text: &str, now_ms: Option<i64>) -> Result<Table, ReadError> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    let first = *lines
        .peek()
        .ok_or_else(|| ReadError::new("the file has no lines: give one with a line for each time"))?;
    if first.trim_start().starts_with('<') {
        return Err(ReadError::new("the file is HTML, not CSV: give one with a line for each time"));
    }
    let separator = separator(first);
    let names: Option<Vec<String>> = {
        let cells = cells(first, separator);
        let is_header = cells.iter().all(|cell| cell.parse::<f64>().is_err() && moment(cell).is_none());
        is_header.then(|| cells.iter().map(|cell| cell.clone().into_owned()).collect())
    };
    if names.is_some() {
        lines.next();
    }
    let sample =
        lines.peek().ok_or_else(|| ReadError::new("the file has a line of names and no line of values"))?;
    let sample = cells(sample, separator);
    let time = time_column(names.as_deref(), &sample)?;
    if sample.len().max(names.as_ref().map_or(0, Vec::len)) > MOST_SERIES {
        return Err(ReadError::new(format!("the file has more than {MOST_SERIES} columns: give fewer")));
    }
    let width = sample.len().max(names.as_ref().map_or(0, Vec::len));
    let columns: Vec<usize> = (0..width).filter(|column| *column != time).collect();
    let (mut points, mut bad_lines, mut bad_cell) = (vec![Vec::new(); columns.len()], 0, None);
    let most_lines = MOST_POINTS / columns.len();
    for (number, line) in lines.enumerate() {
        if number >= most_lines {
            return Err(ReadError::new(format!(
                "the file has more than {MOST_POINTS} points: give a shorter time, or fewer columns"
            )));
        }
        if !line_into(line, separator, time, &columns, &mut points, &mut bad_cell) {
            bad_lines += 1;
        }
    }
    let named = |column: usize| match &names {
        Some(names) => names.get(column).cloned().unwrap_or_default(),
        None => format!("column {}", column + 1),
    };
    let series = columns
        .iter()
        .zip(points)
        .map(|(column, points)| Series::new(named(*column), points, now_ms))
        .collect();
    Ok(Table { series, bad_lines, bad_cell })
}

/// Adds the points of a line; whether it has a time and a value.
fn line_into(
    line: &str,
    separator: char,
    time: usize,
    columns: &[usize],
    points: &mut [Vec<(i64, f64)>],
    bad_cell: &mut Option<String>,
) -> bool {
    if line.len() > LONGEST_LINE {
        return false;
    }
    let cells = cells(line, separator);
    // A line that is still being written ends before its values.
    let Some(at) = cells.get(time).and_then(|cell| moment(cell)).filter(|_| cells.len() > 1) else {
        return false;
    };
    for (column, points) in columns.iter().zip(points) {
        match cells.get(*column) {
            // What is missing is a gap, not a fault.
            None => {}
            Some(cell) if cell.is_empty() => {}
            Some(cell) => {
                let value = number(cell, separator);
                if value.is_none() && bad_cell.is_none() {
                    *bad_cell = Some(shown(cell));
                }
                points.push((at, value.unwrap_or(f64::NAN)));
            }
        }
    }
    true
}

/// A number, with a decimal comma where the comma does not stand between cells, and with or without a sign of percent.
fn number(cell: &str, separator: char) -> Option<f64> {
    let cell = cell.strip_suffix('%').map_or(cell, str::trim_end);
    cell.parse().ok().or_else(|| {
        let is_decimal = separator != ',' && cell.matches(',').count() == 1 && !cell.contains('.');
        is_decimal.then(|| cell.replace(',', ".").parse().ok()).flatten()
    })
}

fn separator(line: &str) -> char {
    let count = |separator: char| cells(line, separator).len();
    // Of equally many the first is meant; a comma in numbers stands beside semicolons.
    [';', '\t', ','].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(',')
}

/// The cells of a line (RFC 4180, but for line breaks in quotes): what stands in quotes is one cell, two quotes in it are one.
fn cells(line: &str, separator: char) -> Vec<Cow<'_, str>> {
    if !line.contains('"') {
        return line.split(separator).map(|cell| Cow::Borrowed(cell.trim())).collect();
    }
    let (mut found, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if is_quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                found.push(Cow::Owned(cell.trim().to_owned()));
                cell.clear();
            }
            c => cell.push(c),
        }
    }
    found.push(Cow::Owned(cell.trim().to_owned()));
    found
}

fn time_column(names: Option<&[String]>, sample: &[Cow<'_, str>]) -> Result<usize, ReadError> {
    let is_time = |column: &usize| sample.get(*column).is_some_and(|cell| moment(cell).is_some());
    let line = || shown(&sample.join(","));
    if sample.len() < 2 && names.is_none_or(|names| names.len() < 2) {
        return Err(ReadError::new(format!(
            "the line {} has one column: give a time and a number on each line",
            line()
        )));
    }
    let named = names.and_then(|names| {
        let is_named = |name: &String| {
            let name = name.to_lowercase();
            TIME_NAMES.contains(&name.as_str()) || TIME_BEGINS.iter().any(|begin| name.starts_with(begin))
        };
        Some((names.iter().position(is_named)?, names))
    });
    if let Some((column, names)) = named {
        if is_time(&column) {
            return Ok(column);
        }
        return Err(ReadError::new(format!(
            "the column {} holds {}, which is not a time that is read: give RFC 3339, or seconds since 1970",
            shown(&names[column]),
            shown(sample.get(column).map_or("", |cell| cell))
        )));
    }
    // A date is a time, a large number may be one, and a small one only where nothing else is.
    let is_date = |column: &usize| is_time(column) && sample[*column].parse::<f64>().is_err();
    let is_large = |column: &usize| sample[*column].parse().is_ok_and(|number: f64| number >= LEAST_SECONDS);
    let all = || 0..sample.len();
    all().find(is_date).or_else(|| all().find(is_large)).or_else(|| all().find(is_time)).ok_or_else(|| {
        ReadError::new(format!(
            "no cell of the line {} is a time: give RFC 3339, or seconds since 1970",
            line()
        ))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<(String, Vec<i64>, Vec<f64>)> {
        let table = read(text, None).unwrap();
        let parts =
            |series: &Series| (series.name().to_owned(), series.times().to_vec(), series.values().to_vec());
        table.series.iter().map(parts).collect()
    }

    #[test]
    fn columns_become_series() {
        let found = values("timestamp,cpu,mem\n2014-01-01 00:00:00,1.5,7\n2014-01-01 00:05:00,,8\n");
        assert_eq!(found[0], ("cpu".to_owned(), vec![1_388_534_400_000], vec![1.5]));
        assert_eq!(found[1].2, [7.0, 8.0]);
        let found = values("\"when\";\"value\"\r\n\"10\";\"1e3\"\r\n");
        assert_eq!(found, [("value".to_owned(), vec![10_000], vec![1000.0])]);
        let found = values("# no names\n10\t1\n20\tNaN\n30\t3");
        assert_eq!(found, [("column 2".to_owned(), vec![10_000, 30_000], vec![1.0, 3.0])]);
        let table = read("t,v\n10,1\nx,2\n20,3\n", None).unwrap();
        assert_eq!((table.bad_lines, table.series[0].len()), (1, 2));
    }

    #[test]
    fn tables_of_other_programs_are_read() {
        let found = values("time,\"a,b\",c\n10,\"1\",\"2\"\"\"\n20,3,4\n");
        assert_eq!((found[0].0.as_str(), found[0].2.as_slice()), ("a,b", &[1.0, 3.0][..]));
        assert_eq!(found[1].2, [4.0]);
        let found = values("Zeit;time;value\nx;1700000000;3,5\nx;1700000060;1.5\n");
        assert_eq!(found[1].2, [3.5, 1.5], "{found:?}");
        let found = values("v,last seen\n7,1700000000\n8,1700000060\n");
        assert_eq!((found[0].0.as_str(), found[0].2.as_slice()), ("v", &[7.0, 8.0][..]));
        assert_eq!(values("t,v\n10,60%\n20,70 %\n")[0].2, [60.0, 70.0]);
        let table = read("time,v\n1700000000,1\n17000000", None).unwrap();
        assert_eq!((table.bad_lines, table.series[0].len()), (1, 1), "a line that is being written");
        let table = read("t,v\n10,\"1,000\"\n", None).unwrap();
        assert_eq!((table.bad_cell.as_deref(), table.series[0].len()), (Some("`1,000`"), 0));
    }

    #[test]
    fn what_is_no_table_is_refused_in_a_sentence() {
        for (text, part) in [
            ("", "no lines"),
            ("t,v\n", "no line of values"),
            ("<html><body>", "HTML"),
            ("5\n6\n", "one column"),
            ("a,b\nx,y\n", "no cell"),
            ("time,v\n30/11/2026 17:00,1\n", "the column `time` holds `30/11/2026 17:00`"),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9a-z,;\n\t\"<.:+-]{0,200}") {
            if let Ok(table) = read(&text, None) {
                prop_assert!(!table.series.is_empty());
            }
        }
    }
}
