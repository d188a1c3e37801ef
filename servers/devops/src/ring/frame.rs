//! Records in a file: length, checksum, bytes. A record that is not whole ends the file.

use xxhash_rust::xxh3::xxh3_64;

/// Bytes in front of each record.
const HEADER: usize = 12;
/// A longer record is none.
const LONGEST: usize = 16 << 20;

/// A record as it stands in a file.
#[must_use]
pub(super) fn framed(record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + record.len());
    bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(record).to_le_bytes());
    bytes.extend_from_slice(record);
    bytes
}

/// The whole records at the start of a file, and how many bytes they take.
#[must_use]
pub(super) fn records(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(record) = record(&bytes[at..]) {
        found.push(record);
        at += HEADER + record.len();
    }
    (found, at)
}

fn record(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let sum = u64::from_le_bytes(bytes.get(4..HEADER)?.try_into().ok()?);
    let record = bytes.get(HEADER..HEADER + length).filter(|_| (1..=LONGEST).contains(&length))?;
    (xxh3_64(record) == sum).then_some(record)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_file_cut_or_changed_anywhere_keeps_what_is_whole_before(
            all in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..8), cut in any::<prop::sample::Index>(), change in any::<bool>()
        ) {
            let mut bytes: Vec<u8> = all.iter().flat_map(|record| framed(record)).collect();
            let at = cut.index(bytes.len());
            if change {
                bytes[at] ^= 1;
            } else {
                bytes.truncate(at);
            }
            let (found, length) = records(&bytes);
            prop_assert!(length <= at);
            let mut end = 0;
            for (found, known) in found.iter().zip(&all) {
                prop_assert_eq!(*found, known.as_slice());
                end += HEADER + known.len();
            }
            prop_assert_eq!(length, end);
            // Every record that ends before the fault is there.
            let mut whole = 0;
            let mut end = 0;
            for record in &all {
                end += HEADER + record.len();
                whole += usize::from(end <= at);
            }
            prop_assert_eq!(found.len(), whole);
        }
    }
}
