//! Texts in the signs that a terminal can show: without control characters, and in ASCII where it has nothing else.

use crate::report::Style;
use crate::report::words::{self, NBSP};

/// Signs and what stands for them where only ASCII can be shown.
const ASCII: [(char, &str); 16] = [
    ('−', "-"),
    ('–', "-"),
    ('±', "+/-"),
    ('µ', "u"),
    ('▼', "v"),
    ('▲', "^"),
    ('≈', "="),
    ('·', "|"),
    ('×', "x"),
    ('…', "..."),
    ('“', "\""),
    ('”', "\""),
    ('≥', ">="),
    ('→', "->"),
    ('≤', "<="),
    ('’', "'"),
];

impl Style {
    /// A text in the signs that this style allows, in which control characters do nothing.
    pub(crate) fn signs(&self, text: &str) -> String {
        let text = words::visible(text);
        if self.unicode { text } else { ascii(&text) }
    }

    /// Prose in the signs that this style allows, on lines that nobody wraps.
    pub(crate) fn spelled(&self, text: &str) -> String {
        let text = text.replace(NBSP, " ");
        if self.unicode { text } else { ascii(&text) }
    }
}

/// A text with its signs in ASCII; letters of other alphabets stay what they are.
fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match (ASCII.iter().find(|(sign, _)| *sign == letter), letter) {
            (Some((_, ascii)), _) => plain.push_str(ascii),
            // Pictures of control characters, as terminals have always written them: ^[ is Escape.
            (None, '\u{2400}'..='\u{241f}' | '\u{2421}') => {
                let control = if letter == '\u{2421}' { 0x7f } else { u32::from(letter) - 0x2400 };
                plain.extend(['^', char::from_u32(control ^ 0x40).unwrap_or('?')]);
            }
            (None, char::REPLACEMENT_CHARACTER) => plain.push('?'),
            (None, letter) => plain.push(letter),
        }
    }
    plain
}
