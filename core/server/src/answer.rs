//! Helps answers to fit: how long they are as JSON, texts cut in the middle, lists cut at the end, cursors.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// An answer, or a part of one, whose schema says no more than that it is an object.
pub type Object = Map<String, Value>;

/// In a schema: a number that is always there, and null where there is none.
pub struct IntegerOrNull;

impl JsonSchema for IntegerOrNull {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IntegerOrNull".into()
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"anyOf": [{"type": "integer"}, {"type": "null"}]})
    }
}

/// How many bytes a value has as JSON.
#[must_use]
pub fn length(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |text| text.len())
}

/// The name that a variant of an enumeration has in JSON.
#[must_use]
pub fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

/// How many items from the start of a list fit into `room` bytes together, where each needs as many as `needed` says.
#[must_use]
pub fn fitting<T>(
    items: impl IntoIterator<Item = T>,
    mut room: usize,
    needed: impl Fn(&T) -> usize,
) -> usize {
    let fits = |item: &T| {
        let left = room.checked_sub(needed(item));
        room = left.unwrap_or_default();
        left.is_some()
    };
    items.into_iter().take_while(fits).count()
}

/// A cursor: a word that says which list it is of, and a place in it.
#[must_use]
pub fn cursor(list: &str, place: u64) -> String {
    format!("{list}-{place}")
}

/// The place that a cursor of a list stands for; `None` for one of another list.
#[must_use]
pub fn place(list: &str, cursor: &str) -> Option<u64> {
    let place = cursor.strip_prefix(list)?.strip_prefix('-')?;
    // The parser also takes a sign, which no cursor has.
    place.bytes().all(|byte| byte.is_ascii_digit()).then(|| place.parse().ok())?
}

/// How many bytes a text has inside a string of JSON.
#[must_use]
pub fn json_length(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\t' | b'\r' | 8 | 12 => 2,
        0..=31 => 6,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

/// The start and the end of a text that is longer than `most` bytes of JSON, with a line in place of what is left
/// out; whether anything is.
#[must_use]
pub fn cut(text: &str, most: usize) -> (String, bool) {
    if json_length(text) <= most {
        return (text.to_owned(), false);
    }
    // The line in the middle.
    let room = most.saturating_sub(48);
    let head = prefix(text, room - room / 3);
    let rest = &text[head.len()..];
    let tail = suffix(rest, room / 3);
    let left_out = rest.len() - tail.len();
    if room == 0 {
        return (String::new(), true);
    }
    (format!("{head}\n[… {left_out} bytes left out …]\n{tail}"), true)
}

fn prefix(text: &str, most: usize) -> &str {
    let mut left = most;
    for (at, letter) in text.char_indices() {
        let needed = json_length(&text[at..at + letter.len_utf8()]);
        if needed > left {
            return &text[..at];
        }
        left -= needed;
    }
    text
}

fn suffix(text: &str, most: usize) -> &str {
    let mut left = most;
    for (at, letter) in text.char_indices().rev() {
        let needed = json_length(&text[at..at + letter.len_utf8()]);
        if needed > left {
            return &text[at + letter.len_utf8()..];
        }
        left -= needed;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cursors_are_read_back_by_their_own_list() {
        assert_eq!(place("before", &cursor("before", 4711)), Some(4711));
        for text in ["", "before", "before-", "before-x", "before--1", "before-+1", "after-1", "beforehand-1"]
        {
            assert_eq!(place("before", text), None, "{text}");
        }
    }

    #[test]
    fn a_list_is_cut_where_it_no_longer_fits() {
        let lengths = |room| fitting(["aa", "bbb", "c"], room, |item| item.len());
        assert_eq!([0, 1, 2, 4, 5, 6, 100].map(lengths), [0, 0, 1, 1, 2, 3, 3]);
    }

    #[test]
    fn a_long_text_keeps_its_ends() {
        let text: String = (1..=100).map(|number| format!("line {number}\n")).collect();
        let (short, is_cut) = cut(&text, 200);
        assert!(is_cut && short.starts_with("line 1\n") && short.ends_with("line 100\n"), "{short}");
        assert_eq!(cut("short", 200), ("short".to_owned(), false));
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "[a-zé漢\n\"\\\\]{0,300}", most in 60_usize..200) {
            let (short, is_cut) = cut(&text, most);
            prop_assert!(json_length(&short) <= most, "{} > {most}", json_length(&short));
            prop_assert_eq!(is_cut, json_length(&text) > most);
        }

        #[test]
        fn the_length_of_a_text_is_that_of_its_json(text in ".{0,40}") {
            prop_assert_eq!(json_length(&text) + 2, length(&text));
        }
    }
}
