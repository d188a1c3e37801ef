//! Makes the output of a command safe to show: to a person at a terminal and to a model that reads it.

use std::iter::Peekable;
use std::str::Chars;

const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// Bytes that are looked at to tell text from binary.
const SAMPLE: usize = 8 << 10;

/// True for output that is not text: a NUL byte in its first 8 KiB, or more than three in ten bytes of them that are
/// neither UTF-8 nor usual control characters.
pub fn is_binary(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if sample.contains(&0) {
        return true;
    }
    let odd: usize = sample
        .utf8_chunks()
        .map(|chunk| {
            let controls = chunk.valid().chars().filter(|letter| {
                letter.is_control() && !['\n', '\r', '\t', ESCAPE, BELL, '\u{8}', '\u{c}'].contains(letter)
            });
            chunk.invalid().len() + controls.count()
        })
        .sum();
    // The cut at the end of the sample may fall into a character.
    odd > 3 && odd * 10 > sample.len() * 3
}

/// Text without anything that moves a cursor, sets a title or a clipboard, reorders or hides letters.
///
/// Left out are: ANSI sequences (CSI, OSC, DCS and the like, in their 7 and 8 bit forms; what is not terminated ends
/// with its line), control characters other than newline and tab, marks and overrides of writing direction, characters
/// without width, variation selectors and tag characters. A carriage return, a line or a paragraph separator becomes a
/// newline; invalid UTF-8 becomes U+FFFD.
///
/// ```
/// assert_eq!(mcp_sandbox::clean(b"\x1b[31mred\x1b[0m\r\n"), "red\n");
/// ```
pub fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut letters = text.chars().peekable();
    let mut result = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        match letter {
            ESCAPE => escape(&mut letters),
            '\u{9b}' => control_sequence(&mut letters),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => control_string(&mut letters),
            '\r' => {
                // A carriage return and its newline are one end of line.
                letters.next_if_eq(&'\n');
                result.push('\n');
            }
            '\u{2028}' | '\u{2029}' => result.push('\n'),
            '\n' | '\t' => result.push(letter),
            _ if letter.is_control() || unseen(letter) => {}
            _ => result.push(letter),
        }
    }
    result
}

/// True for letters that are not seen, or that change how others are seen.
fn unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What follows an escape character.
fn escape(letters: &mut Peekable<Chars>) {
    match letters.peek() {
        Some('[') => {
            letters.next();
            control_sequence(letters);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            letters.next();
            control_string(letters);
        }
        _ => {
            // Intermediate bytes, then one final byte: character sets, cursor saving and so on.
            while letters.next_if(|letter| (' '..='/').contains(letter)).is_some() {}
            letters.next_if(|letter| ('0'..='~').contains(letter));
        }
    }
}

/// Parameters and intermediate bytes up to a final byte.
fn control_sequence(letters: &mut Peekable<Chars>) {
    while letters.next_if(|letter| (' '..='?').contains(letter)).is_some() {}
    letters.next_if(|letter| ('@'..='~').contains(letter));
}

/// A string up to its terminator, or to the end of its line.
fn control_string(letters: &mut Peekable<Chars>) {
    while let Some(letter) = letters.next_if(|letter| *letter != '\n' && *letter != '\r') {
        match letter {
            BELL | '\u{9c}' | '\u{18}' | '\u{1a}' => return,
            ESCAPE => {
                // ESC \ ends it; any other escape begins anew.
                if letters.next_if_eq(&'\\').is_none() {
                    escape(letters);
                }
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_and_hidden_letters_are_left_out() {
        let cases: &[(&str, &str)] = &[
            ("plain ä 漢 🙂\n\tend", "plain ä 漢 🙂\n\tend"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}[?25l\u{1b}[2Jx", "x"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;cGF5bG9hZA==\u{7}x", "x"),
            ("\u{9d}0;title\u{9c}x", "x"),
            ("\u{1b}]0;never ended\nnext", "\nnext"),
            ("\u{1b}Pq#0\u{1b}\\x", "x"),
            ("\u{1b}_Gf=100\u{1b}\\x", "x"),
            ("\u{1b}]0;a\u{1b}[31mred", "red"),
            ("\u{1b}(0lqk\u{1b}(B", "lqk"),
            ("\u{1b}7\u{1b}8\u{1b}cx", "x"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
            ("\u{1b}[31", ""),
            ("a\u{8}b\u{7}c\u{0}d", "abcd"),
            ("10%\r20%\r\n30%", "10%\n20%\n30%"),
            ("safe\u{202e}txt.exe\u{202c}", "safetxt.exe"),
            ("\u{2066}a\u{2069}\u{200e}b\u{61c}", "ab"),
            ("pass\u{200b}word\u{200d}\u{feff}\u{2060}", "password"),
            ("a\u{e0041}\u{e0042}b\u{fe0f}", "ab"),
            ("a\u{2028}b", "a\nb"),
            ("\u{ad}\u{3164}x", "x"),
        ];
        for (given, expected) in cases {
            assert_eq!(clean(given.as_bytes()), *expected, "{given:?}");
        }
        assert_eq!(clean(b"a\xff\xfeb"), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn binary_is_told_from_text() {
        assert!(is_binary(b"\x7fELF\x02\x01\x01\0\0"));
        assert!(is_binary(&[0x80, 0x81, 0x82, 0x90, 0xff, 0xfe]));
        assert!(!is_binary(b""));
        assert!(!is_binary("Grüße\n".as_bytes()));
        assert!(!is_binary(b"caf\xe9 latin one, mostly text"));
        assert!(!is_binary(b"\x1b[31mred\x1b[0m\r\n"));
        assert!(!is_binary("ä".repeat(5000).as_bytes()), "the sample ends within a letter");
    }

    fn forbidden(letter: char) -> bool {
        (letter.is_control() && letter != '\n' && letter != '\t') || unseen(letter)
    }

    proptest! {
        #[test]
        fn nothing_forbidden_is_left_of_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let found = clean(&bytes);
            prop_assert!(!found.chars().any(forbidden), "{found:?}");
            prop_assert_eq!(clean(found.as_bytes()), found);
        }

        #[test]
        fn nothing_forbidden_is_left_of_sequences(
            text in "([a-c\u{1b}\u{9b}\u{9d}\\[\\];0-9m\u{7}\\\\\r\n\u{202e}\u{200b}]){0,60}",
        ) {
            let found = clean(text.as_bytes());
            prop_assert!(!found.chars().any(forbidden), "{found:?}");
            prop_assert_eq!(clean(found.as_bytes()), found);
        }

        #[test]
        fn harmless_text_stays_as_it_is(text in "[ -~äöüß漢字\n\t]{0,200}") {
            prop_assert_eq!(clean(text.as_bytes()), text);
        }
    }
}
