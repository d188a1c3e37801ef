//! Comma-separated values: a column of times and columns of numbers, or columns of numbers alone.

use crate::readers::{MOST_POINTS, MOST_SERIES, ReadError, moment, shown};
use crate::series::Series;

/// The longest line that is read, in bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Names of columns that hold times.
const TIME_NAMES: [&str; 6] = ["timestamp", "time", "date", "datetime", "ts", "t"];

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// One series for each column of numbers.
    pub series: Vec<Series>,
    /// Lines that have no time, left out.
    pub bad_lines: usize,
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
        is_header.then(|| cells.iter().map(|cell| (*cell).to_owned()).collect())
    };
    if names.is_some() {
        lines.next();
    }
    let sample =
        lines.peek().ok_or_else(|| ReadError::new("the file has a line of names and no line of values"))?;
    let sample = cells(sample, separator);
    let time = time_column(names.as_deref(), &sample)?;
    if sample.len() > MOST_SERIES {
        return Err(ReadError::new(format!("the file has more than {MOST_SERIES} columns: give fewer")));
    }
    let columns: Vec<usize> = (0..sample.len()).filter(|column| *column != time).collect();
    let (mut points, mut bad_lines) = (vec![Vec::new(); columns.len()], 0);
    let most_lines = MOST_POINTS / columns.len();
    for (number, line) in lines.enumerate() {
        if number >= most_lines {
            return Err(ReadError::new(format!(
                "the file has more than {MOST_POINTS} points: give a shorter time, or fewer columns"
            )));
        }
        if !line_into(line, separator, time, &columns, &mut points) {
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
    Ok(Table { series, bad_lines })
}

/// Adds the points of a line; whether it has a time.
fn line_into(
    line: &str,
    separator: char,
    time: usize,
    columns: &[usize],
    points: &mut [Vec<(i64, f64)>],
) -> bool {
    if line.len() > LONGEST_LINE {
        return false;
    }
    let cells = cells(line, separator);
    let Some(at) = cells.get(time).and_then(|cell| moment(cell)) else { return false };
    for (column, points) in columns.iter().zip(points) {
        match cells.get(*column) {
            // What is missing is a gap, not a fault.
            None | Some(&"") => {}
            Some(cell) => points.push((at, cell.parse().unwrap_or(f64::NAN))),
        }
    }
    true
}

fn separator(line: &str) -> char {
    let count = |separator: char| line.matches(separator).count();
    // Of equally many the first is meant; a comma in numbers stands beside semicolons.
    [';', '\t', ','].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(',')
}

fn cells(line: &str, separator: char) -> Vec<&str> {
    line.split(separator).map(|cell| cell.trim().trim_matches('"')).collect()
}

fn time_column(names: Option<&[String]>, sample: &[&str]) -> Result<usize, ReadError> {
    let is_time = |column: &usize| sample.get(*column).is_some_and(|cell| moment(cell).is_some());
    let by_name = names.and_then(|names| {
        let is_named = |name: &String| TIME_NAMES.contains(&name.to_lowercase().as_str());
        names.iter().position(is_named)
    });
    if sample.len() < 2 {
        return Err(ReadError::new(format!(
            "the line {} has one column: give a time and a number on each line",
            shown(&sample.join(","))
        )));
    }
    by_name.filter(is_time).or_else(|| (0..sample.len()).find(is_time)).ok_or_else(|| {
        ReadError::new(format!(
            "no cell of the line {} is a time: give RFC 3339, or seconds since 1970",
            shown(&sample.join(","))
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
    fn what_is_no_table_is_refused_in_a_sentence() {
        for (text, part) in [
            ("", "no lines"),
            ("t,v\n", "no line of values"),
            ("<html><body>", "HTML"),
            ("5\n6\n", "one column"),
            ("a,b\nx,y\n", "no cell"),
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
