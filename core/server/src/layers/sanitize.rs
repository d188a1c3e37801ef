//! Text from files and programs can hold characters that change what a reader sees: escape sequences of
//! terminals, characters that turn the direction of writing, characters without width. They are left out of
//! answers, so that what a model reads and what its user sees are the same.

use std::borrow::Cow;

use memchr::{memchr_iter, memchr3};
use serde_json::Value;

use crate::content::{Block, Content, Reply};

/// Removes what a reader does not see. Tab, line feed and carriage return stay; so do the joiners that
/// scripts and emoji need between two letters that are not ASCII.
#[must_use]
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !is_suspicious(text) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => skip_escape(&mut rest),
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut rest),
            '\u{200c}' | '\u{200d}' => {
                let joins = |letter: Option<char>| {
                    letter.is_some_and(|letter| !letter.is_ascii() && !is_hidden(letter))
                };
                if joins(clean.chars().next_back()) && joins(rest.clone().next()) {
                    clean.push(letter);
                }
            }
            _ if is_hidden(letter) => {}
            _ => clean.push(letter),
        }
    }
    Cow::Owned(clean)
}

/// Cleans an answer in place. Most answers have nothing to clean, which is found out without a copy.
pub(crate) fn reply(reply: &mut Reply) {
    if let Some(structured) = &mut reply.structured
        && may_hide(structured)
        && let Ok(mut value) = serde_json::from_str::<Value>(structured)
        && strings(&mut value)
    {
        *structured = value.to_string();
    }
    match &mut reply.content {
        Content::Text(text) => in_place(text),
        Content::Blocks(blocks) => {
            for block in blocks {
                match block {
                    Block::Text { text } => in_place(text),
                    Block::Resource { resource } => in_place(&mut resource.text),
                    Block::Image { .. } | Block::Audio { .. } => {}
                }
            }
        }
    }
}

fn in_place(text: &mut String) {
    if let Cow::Owned(clean) = sanitize(text) {
        *text = clean;
    }
}

/// Cleans all strings of a value, also the names of members; tells whether one changed.
fn strings(value: &mut Value) -> bool {
    match value {
        Value::String(text) => match sanitize(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(clean) => {
                *text = clean;
                true
            }
        },
        // All of them, not only the first that changes.
        Value::Array(items) => items.iter_mut().filter_map(|item| strings(item).then_some(())).count() > 0,
        Value::Object(members) => {
            let mut changed =
                members.values_mut().filter_map(|member| strings(member).then_some(())).count() > 0;
            if members.keys().any(|name| is_suspicious(name)) {
                let cleaned = std::mem::take(members).into_iter();
                *members = cleaned.map(|(name, member)| (sanitize(&name).into_owned(), member)).collect();
                changed = true;
            }
            changed
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether JSON text may hold something to clean: control characters stand there as escapes, and all other
/// hidden characters begin with one of few bytes.
fn may_hide(json: &str) -> bool {
    let bytes = json.as_bytes();
    memchr3(0xe2, 0xef, 0xc2, bytes).is_some()
        || memchr3(0xd8, 0xf3, 0x7f, bytes).is_some()
        || memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1), Some(b'u' | b'b' | b'f')))
}

fn is_suspicious(text: &str) -> bool {
    text.bytes()
        .any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0x7f || byte >= 0xc2)
        && text.chars().any(|letter| is_hidden(letter) || matches!(letter, '\u{200c}' | '\u{200d}'))
}

/// Characters that are never shown as themselves. Joiners are looked at in their context.
fn is_hidden(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// After ESC: a control sequence, a string, or an escape of two or three characters (ECMA-48).
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            *rest = ahead;
            skip_string(rest);
        }
        Some(' '..='/') => {
            while let Some(' '..='/') = ahead.clone().next() {
                ahead.next();
            }
            if let Some('0'..='~') = ahead.clone().next() {
                ahead.next();
            }
            *rest = ahead;
        }
        Some('0'..='~') => *rest = ahead,
        _ => {}
    }
}

/// Parameters and intermediates up to the final character. Text that is not a sequence stays.
fn skip_control_sequence(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    while let Some(letter) = ahead.next() {
        match letter {
            ' '..='?' => {}
            '@'..='~' => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// A string, such as a title or a link, up to its terminator. One without an end is not taken for a string:
/// the text after it stays.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    while let Some(letter) = ahead.next() {
        match letter {
            '\u{7}' | '\u{9c}' => {
                *rest = ahead;
                return;
            }
            '\u{1b}' if ahead.clone().next() == Some('\\') => {
                ahead.next();
                *rest = ahead;
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        for text in ["", "plain\ttext\r\n", "größe – naïve 中文 🎉", "a\\u001b"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn what_is_not_seen_is_gone() {
        for (dirty, clean) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]8;;https://evil\u{1b}\\link\u{1b}]8;;\u{7}", "link"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}Pdevice\u{1b}\\x", "x"),
            ("\u{9b}2Jx", "x"),
            ("\u{9d}0;title\u{9c}x", "x"),
            ("\u{1b}(Bx\u{1b}cy", "xy"),
            ("\u{1b}]no end", "no end"),
            ("a\u{202e}cba\u{202c}", "acba"),
            ("in\u{200b}visible\u{feff}", "invisible"),
            ("pass\u{200d}word", "password"),
            ("tag\u{e0041}\u{e007f}", "tag"),
            ("bell\u{7}\u{8}\0", "bell"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(sanitize(dirty), clean, "{dirty:?}");
        }
    }

    #[test]
    fn joiners_stay_where_writing_needs_them() {
        let family = "👩\u{200d}👩\u{200d}👧";
        assert_eq!(sanitize(family), family);
        let persian = "می\u{200c}خواهم";
        assert_eq!(sanitize(persian), persian);
    }

    #[test]
    fn structured_content_is_cleaned_in_values_and_names() {
        let dirty = json!({"na\u{200b}me": ["\u{1b}[1mbold\u{1b}[0m", {"x": "ok\u{202e}"}], "n": 1.5});
        let mut dirty = Reply { structured: Some(dirty.to_string()), ..Reply::error("te\u{7}xt") };
        reply(&mut dirty);
        assert_eq!(dirty.structured.as_deref(), Some(r#"{"n":1.5,"name":["bold",{"x":"ok"}]}"#));
        assert_eq!(dirty.content, Content::Text("text".into()));
    }

    #[test]
    fn every_hidden_character_is_noticed_in_json() {
        for letter in ('\0'..=char::MAX).filter(|letter| is_hidden(*letter)) {
            let json = json!(letter.to_string()).to_string();
            assert!(may_hide(&json), "{letter:?}");
            assert_eq!(sanitize(&letter.to_string()), "", "{letter:?}");
        }
    }
}
