//! A symbol table: names get numbers in the order of their first occurrence, and are looked up again.

use rustc_hash::FxHashMap;

/// A table from names to numbers.
pub type Table<'a> = FxHashMap<&'a str, u32>;

/// What a name that is in no table is found as.
pub const ABSENT: u32 = u32::MAX;

/// Fills `table` with `names`, each numbered by its first place among them, then writes the number of
/// each of `queries`, or [`ABSENT`], to `numbers`. The hash is fixed, so a run repeats exactly.
///
/// # Panics
/// If `numbers` has another length than `queries`.
#[inline(never)]
pub fn lookup<'a>(table: &mut Table<'a>, names: &[&'a str], queries: &[&str], numbers: &mut [u32]) {
    assert_eq!(queries.len(), numbers.len(), "a number for each query");
    table.clear();
    for (number, name) in (0..).zip(names) {
        table.entry(name).or_insert(number);
    }
    for (query, number) in queries.iter().zip(numbers) {
        *number = table.get(query).copied().unwrap_or(ABSENT);
    }
}

/// [`lookup`] without a table: each query is compared with the names in order.
///
/// # Panics
/// If `numbers` has another length than `queries`.
pub fn plain(names: &[&str], queries: &[&str], numbers: &mut [u32]) {
    assert_eq!(queries.len(), numbers.len(), "a number for each query");
    for (query, number) in queries.iter().zip(numbers) {
        *number = (0..).zip(names).find(|(_, name)| *name == query).map_or(ABSENT, |(place, _)| place);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hashed(names: &[&str], queries: &[&str]) -> Vec<u32> {
        let mut table = Table::default();
        table.insert("left over", 99);
        let mut numbers = vec![7; queries.len()];
        lookup(&mut table, names, queries, &mut numbers);
        numbers
    }

    fn compared(names: &[&str], queries: &[&str]) -> Vec<u32> {
        let mut numbers = vec![7; queries.len()];
        plain(names, queries, &mut numbers);
        numbers
    }

    #[test]
    fn known_numbers() {
        for form in [hashed, compared] {
            let names = ["read", "write", "read", "seek"];
            assert_eq!(form(&names, &["seek", "read", "left over"]), [3, 0, ABSENT]);
            assert_eq!(form(&[], &["read"]), [ABSENT]);
        }
    }

    proptest! {
        #[test]
        fn both_forms_find_the_same_numbers(
            names in prop::collection::vec("[a-c]{0,3}", 0..40),
            queries in prop::collection::vec("[a-c]{0,3}", 0..40),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
            let numbers = hashed(&names, &queries);
            prop_assert_eq!(&numbers, &compared(&names, &queries));
            for (query, number) in queries.iter().zip(numbers) {
                prop_assert_eq!(names.contains(query), number != ABSENT);
            }
        }
    }
}
