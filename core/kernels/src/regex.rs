//! Secrets and addresses in text that leaves the machine, found with the `regex` crate.

use regex::bytes::Regex;

/// Access key ids of AWS, tokens of GitHub, bearer tokens, and IPv4 addresses.
pub const SENSITIVE: &str = concat!(
    "AKIA[0-9A-Z]{16}",
    "|gh[pos]_[0-9A-Za-z]{36}",
    "|[Bb]earer [0-9A-Za-z._~+/-]{16,}",
    r"|[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
);

/// Where a match starts and ends, in bytes.
pub type Span = (u32, u32);

/// The compiled form of [`SENSITIVE`].
#[derive(Clone, Debug)]
pub struct Scanner {
    pattern: Regex,
}

impl Scanner {
    /// Compiles the pattern, which takes about a tenth of a millisecond.
    pub fn new() -> Self {
        Self { pattern: Regex::new(SENSITIVE).expect("the pattern is a constant that a test compiles") }
    }
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes the span of each match in `text`, from left to right without overlap, to `spans`.
#[inline(never)]
pub fn scan(scanner: &Scanner, text: &[u8], spans: &mut Vec<Span>) {
    spans.clear();
    spans.extend(scanner.pattern.find_iter(text).map(|found| (found.start() as u32, found.end() as u32)));
}

/// [`scan`] by trying each alternative at each place by hand.
pub fn plain(text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let found = access_key(rest)
            .or_else(|| platform_token(rest))
            .or_else(|| bearer(rest))
            .or_else(|| address(rest));
        match found {
            Some(length) => {
                spans.push((start as u32, (start + length) as u32));
                start += length;
            }
            None => start += 1,
        }
    }
    spans
}

fn run(text: &[u8], most: usize, belongs: impl Fn(u8) -> bool) -> usize {
    text.iter().take(most).take_while(|byte| belongs(**byte)).count()
}

fn access_key(text: &[u8]) -> Option<usize> {
    let key = text.strip_prefix(b"AKIA")?;
    let length = run(key, 16, |byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    (length == 16).then_some(20)
}

fn platform_token(text: &[u8]) -> Option<usize> {
    let kinds: [&[u8]; 3] = [b"ghp_", b"gho_", b"ghs_"];
    let token = kinds.iter().find_map(|kind| text.strip_prefix(*kind))?;
    (run(token, 36, |byte| byte.is_ascii_alphanumeric()) == 36).then_some(40)
}

fn bearer(text: &[u8]) -> Option<usize> {
    let token = text.strip_prefix(b"bearer ").or_else(|| text.strip_prefix(b"Bearer "))?;
    let length = run(token, usize::MAX, |byte| byte.is_ascii_alphanumeric() || b"._~+/-".contains(&byte));
    (length >= 16).then_some(7 + length)
}

fn address(text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for part in 0..4 {
        if part > 0 {
            if text.get(length) != Some(&b'.') {
                return None;
            }
            length += 1;
        }
        let digits = run(&text[length..], 3, |byte| byte.is_ascii_digit());
        if digits == 0 {
            return None;
        }
        length += digits;
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fast(text: &[u8]) -> Vec<Span> {
        let mut spans = vec![(9, 9)];
        scan(&Scanner::new(), text, &mut spans);
        spans
    }

    #[test]
    fn known_matches() {
        let text = b"peer=10.0.0.1 key=AKIAIOSFODNN7EXAMPLE authorization: Bearer abcdef0123456789-_ done";
        for form in [fast, plain] {
            let found: Vec<_> =
                form(text).iter().map(|&(start, end)| &text[start as usize..end as usize]).collect();
            let expected: [&[u8]; 3] = [b"10.0.0.1", b"AKIAIOSFODNN7EXAMPLE", b"Bearer abcdef0123456789-_"];
            assert_eq!(found, expected);
            assert_eq!(form(b"12345.1.2.34567"), [(2, 13)]);
            assert!(form(b"1.2.3 AKIAshort bearer x ghp_").is_empty());
            assert_eq!(form(format!("ghs_{}", "a1".repeat(20)).as_bytes()), [(0, 40)]);
        }
    }

    proptest! {
        #[test]
        fn the_pattern_and_the_hand_agree(
            pieces in prop::collection::vec(
                prop_oneof![
                    "[0-9]{1,4}", Just(".".to_owned()), "AKIA[0-9A-Z]{14,17}", "gh[pos]_[0-9A-Za-z]{35,37}",
                    "[Bb]earer [0-9A-Za-z.+/]{14,20}", "[ a-z\u{e9}]{0,3}",
                ],
                0..30,
            )
        ) {
            let text = pieces.concat();
            let spans = fast(text.as_bytes());
            prop_assert_eq!(&spans, &plain(text.as_bytes()));
            prop_assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}
