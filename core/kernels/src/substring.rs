//! Every place of a fixed string in a text, found with the `memchr` crate.
//!
//! The crate chooses vector instructions at run time in every build, so this kernel shows what compiler
//! flags add to a library that dispatches by itself.

use memchr::memmem::Finder;

/// Writes where `needle` starts in `text`, from left to right without overlap, to `places` (bytes).
#[inline(never)]
pub fn scan(needle: &Finder<'_>, text: &[u8], places: &mut Vec<u32>) {
    places.clear();
    places.extend(needle.find_iter(text).map(|place| place as u32));
}

/// [`scan`] by comparing at each place. An empty needle is at every place, and after the end.
pub fn plain(needle: &[u8], text: &[u8]) -> Vec<u32> {
    let mut places = Vec::new();
    let mut start = 0;
    while start + needle.len() <= text.len() {
        if text[start..].starts_with(needle) {
            places.push(start as u32);
            start += needle.len().max(1);
        } else {
            start += 1;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fast(needle: &[u8], text: &[u8]) -> Vec<u32> {
        let mut places = vec![7];
        scan(&Finder::new(needle), text, &mut places);
        places
    }

    #[test]
    fn known_places() {
        for form in [fast, plain] {
            assert_eq!(form(b"fn ", b"fn a() {} pub fn b() {}"), [0, 14]);
            assert_eq!(form(b"aa", b"aaaaa"), [0, 2], "matches do not overlap");
            assert_eq!(form(b"", b"ab"), [0, 1, 2]);
            assert!(form(b"abc", b"ab").is_empty());
        }
    }

    proptest! {
        #[test]
        fn both_forms_find_the_same_places(
            needle in prop::collection::vec(b'a'..=b'b', 0..5),
            text in prop::collection::vec(b'a'..=b'c', 0..200),
        ) {
            let places = fast(&needle, &text);
            prop_assert_eq!(&places, &plain(&needle, &text));
            prop_assert!(places.iter().all(|place| text[*place as usize..].starts_with(&needle)));
        }
    }
}
