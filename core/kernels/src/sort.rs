//! Sorting small numbers: document ids, line numbers, ranks.

/// Sorts `values` from least to greatest, with the standard library's unstable sort.
#[inline(never)]
pub fn ascending(values: &mut [u32]) {
    values.sort_unstable();
}

/// [`ascending`] by insertion.
pub fn plain(values: &mut [u32]) {
    for end in 1..values.len() {
        let mut place = end;
        while place > 0 && values[place - 1] > values[place] {
            values.swap(place - 1, place);
            place -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(form: fn(&mut [u32]), values: &[u32]) -> Vec<u32> {
        let mut values = values.to_vec();
        form(&mut values);
        values
    }

    #[test]
    fn known_orders() {
        for form in [ascending, plain] {
            assert_eq!(sorted(form, &[3, 1, 2]), [1, 2, 3]);
            assert_eq!(sorted(form, &[u32::MAX, 0, 5, 0]), [0, 0, 5, u32::MAX]);
            assert!(sorted(form, &[]).is_empty());
        }
    }

    proptest! {
        #[test]
        fn both_forms_sort_alike(values in prop::collection::vec(prop_oneof![any::<u32>(), 0..9_u32], 0..150)) {
            let found = sorted(ascending, &values);
            prop_assert_eq!(&found, &sorted(plain, &values));
            prop_assert!(found.is_sorted());
        }
    }
}
