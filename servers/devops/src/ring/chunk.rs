//! Rows and chunks as bytes.

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};

/// What was measured at one time: one value for each name of its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Milliseconds since 1970.
    pub time_ms: i64,
    /// The values, NaN where nothing was measured.
    pub values: Vec<f64>,
}

/// Rows of one schema, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The times of the rows.
    pub times: Vec<i64>,
    /// The columns, each as long as `times`.
    pub columns: Vec<Vec<f64>>,
}

/// Kinds of records in the head.
const NAMES: u8 = 1;
const ROW: u8 = 2;
/// The most names of a schema.
const MOST_NAMES: usize = 10_000;
/// The most rows of a chunk that is read.
const MOST_ROWS: usize = 1 << 20;

impl Chunk {
    /// Rows without any so far.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        let columns = vec![Vec::new(); names.len()];
        Self { names, times: Vec::new(), columns }
    }

    /// Adds a row; one with another number of values is not of this schema, and left out.
    pub fn push(&mut self, row: &Row) {
        if row.values.len() != self.names.len() {
            return;
        }
        self.times.push(row.time_ms);
        for (column, value) in self.columns.iter_mut().zip(&row.values) {
            column.push(*value);
        }
    }

    /// The chunk in as few bytes as `pco` makes of it.
    ///
    /// # Errors
    /// What the library says.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let config = ChunkConfig::default();
        let failed = |error: pco::errors::PcoError| error.to_string();
        let mut bytes = names_to_bytes(&self.names);
        let mut part = |part: Vec<u8>| {
            bytes.extend_from_slice(&(part.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&part);
        };
        part(simple_compress(&self.times, &config).map_err(failed)?);
        for column in &self.columns {
            part(simple_compress(column, &config).map_err(failed)?);
        }
        Ok(bytes)
    }

    /// The times and one column of a chunk of this many columns; `None` where it has none of this name, or is damaged.
    #[must_use]
    pub fn column(bytes: &[u8], wanted: &str) -> Option<Vec<(i64, f64)>> {
        let (names, mut rest) = names_of(bytes)?;
        let place = names.iter().position(|name| name == wanted)?;
        let times: Vec<i64> = simple_decompress(part(&mut rest)?).ok()?;
        for _ in 0..place {
            part(&mut rest)?;
        }
        let values: Vec<f64> = simple_decompress(part(&mut rest)?).ok()?;
        (times.len() == values.len() && times.len() <= MOST_ROWS)
            .then(|| times.into_iter().zip(values).collect())
    }

    /// The names and the first and last time of a chunk.
    #[must_use]
    pub fn outline(bytes: &[u8]) -> Option<(Vec<String>, i64, i64)> {
        let (names, mut rest) = names_of(bytes)?;
        let times: Vec<i64> = simple_decompress(part(&mut rest)?).ok()?;
        Some((names, *times.iter().min()?, *times.iter().max()?))
    }
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(rest.get(..4)?.try_into().ok()?) as usize;
    let part = rest.get(4..4 + length)?;
    *rest = &rest[4 + length..];
    Some(part)
}

fn names_to_bytes(names: &[String]) -> Vec<u8> {
    let mut bytes = (names.len() as u32).to_le_bytes().to_vec();
    for name in names {
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes
}

fn names_of(bytes: &[u8]) -> Option<(Vec<String>, &[u8])> {
    let count = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let mut rest = bytes.get(4..).filter(|_| count <= MOST_NAMES)?;
    let mut names = Vec::with_capacity(count);
    for _ in 0..count {
        let length = u16::from_le_bytes(rest.get(..2)?.try_into().ok()?) as usize;
        names.push(std::str::from_utf8(rest.get(2..2 + length)?).ok()?.to_owned());
        rest = &rest[2 + length..];
    }
    Some((names, rest))
}

/// The record of a schema in the head.
#[must_use]
pub(super) fn schema_record(names: &[String]) -> Vec<u8> {
    let mut bytes = vec![NAMES];
    bytes.extend(names_to_bytes(names));
    bytes
}

/// The record of a row in the head.
#[must_use]
pub(super) fn row_record(row: &Row) -> Vec<u8> {
    let mut bytes = vec![ROW];
    bytes.extend_from_slice(&row.time_ms.to_le_bytes());
    for value in &row.values {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// The rows of a head by its records. A schema stands before the rows that it is of.
#[must_use]
pub(super) fn head(records: &[&[u8]]) -> Chunk {
    let mut chunk = Chunk::default();
    for record in records {
        match record.split_first() {
            Some((&NAMES, rest)) => {
                if let Some((names, _)) = names_of(rest) {
                    chunk = Chunk::new(names);
                }
            }
            Some((&ROW, rest)) if rest.len() >= 8 => {
                let (time, values) = rest.split_at(8);
                let eight = |bytes: &[u8]| <[u8; 8]>::try_from(bytes).unwrap_or_default();
                let values = values.chunks_exact(8).map(|bytes| f64::from_le_bytes(eight(bytes))).collect();
                chunk.push(&Row { time_ms: i64::from_le_bytes(eight(time)), values });
            }
            _ => {}
        }
    }
    chunk
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(rows: usize) -> Chunk {
        let mut chunk = Chunk::new(vec!["a".to_owned(), "é b".to_owned()]);
        for at in 0..rows {
            let values = vec![at as f64 / 3.0, if at % 5 == 0 { f64::NAN } else { 1e12 + at as f64 }];
            chunk.push(&Row { time_ms: 1_700_000_000_000 + at as i64 * 1000, values });
        }
        chunk
    }

    #[test]
    fn a_chunk_is_read_back_to_the_bit() {
        let chunk = chunk(300);
        let bytes = chunk.to_bytes().unwrap();
        for (name, column) in chunk.names.iter().zip(&chunk.columns) {
            let found = Chunk::column(&bytes, name).unwrap();
            for ((time, value), (known_time, known)) in found.iter().zip(chunk.times.iter().zip(column)) {
                assert_eq!((time, value.to_bits()), (known_time, known.to_bits()));
            }
        }
        assert_eq!(Chunk::column(&bytes, "c"), None);
        assert_eq!(Chunk::outline(&bytes).unwrap().0, chunk.names);
        assert!(bytes.len() < 300 * 24, "{} bytes", bytes.len());
    }

    #[test]
    fn a_head_is_read_back() {
        let known = chunk(7);
        let mut records = vec![schema_record(&known.names)];
        for at in 0..7 {
            let values = known.columns.iter().map(|column| column[at]).collect();
            records.push(row_record(&Row { time_ms: known.times[at], values }));
        }
        records.push(row_record(&Row { time_ms: 5, values: vec![1.0] }));
        records.push(vec![9, 9]);
        let found = head(&records.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(
            (found.names, found.times, found.columns[0].clone()),
            (known.names, known.times, known.columns[0].clone())
        );
    }

    proptest! {
        #[test]
        fn bytes_of_chance_are_no_chunk(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Chunk::column(&bytes, "a"), Chunk::outline(&bytes), head(&[&bytes]));
        }
    }
}
