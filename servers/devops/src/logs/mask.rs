//! What looks like a value in a log line.

use std::borrow::Cow;

use crate::logs::time::stamp;

/// What stands in place of a value.
pub const VALUE: &str = "<*>";

/// Keys whose number is a kind, not a value: few of them are different, and they are what goes wrong.
const KINDS: [&str; 8] =
    ["status", "status_code", "statuscode", "code", "level", "severity", "errno", "signal"];

/// A line without its time: its words, values masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked {
    /// The time, in milliseconds since 1970, where the line has one.
    pub time_ms: Option<i64>,
    /// The words.
    pub words: Vec<String>,
}

/// Reads a line: takes colours and its time off, divides it at blanks, masks numbers, hexadecimal numbers, UUIDs, addresses
/// and paths. With the clock at `now_ms` times are known that name no year.
#[must_use]
pub fn masked(line: &str, now_ms: Option<i64>) -> Masked {
    let line = without_colours(line.trim_start());
    let Some(stamp) = stamp(&line, now_ms) else { return Masked { time_ms: None, words: words(&line) } };
    let (before, after) = (&line[..stamp.place.start], &line[stamp.place.end..]);
    if before.is_empty() {
        let after = after.trim_start_matches([']', ',', ':']);
        return Masked { time_ms: stamp.time_ms, words: words(after) };
    }
    Masked { time_ms: stamp.time_ms, words: words(&format!("{before}{VALUE}{after}")) }
}

/// The line without the sequences by which terminals show colours (ECMA-48, "Control Functions", CSI).
fn without_colours(line: &str) -> Cow<'_, str> {
    if !line.contains('\u{1b}') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        let end = rest.find(|c: char| ('@'..='~').contains(&c)).map_or(rest.len(), |end| end + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn words(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before = "";
    for text in line.split_whitespace() {
        // The status behind the request of an access log, or behind its key.
        let is_kind = before.ends_with('"') && before.contains("HTTP/")
            || before.ends_with([':', '=']) && is_kind(before);
        found.push(if is_kind && leading_number(text).is_some() { text.to_owned() } else { word(text) });
        before = text;
    }
    found
}

/// Whether a text ends with a key whose number is a kind.
fn is_kind(text: &str) -> bool {
    let key = text.trim_end_matches(['"', '\'', ':', '=']);
    let key = key.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    KINDS.iter().any(|kind| key.eq_ignore_ascii_case(kind))
}

/// The length of a number of up to three digits at the start of a text, with nothing but marks behind it.
fn leading_number(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let is_alone = !text[digits..].starts_with(|c: char| c.is_alphanumeric() || c == '.' || c == '-');
    ((1..=3).contains(&digits) && is_alone).then_some(digits)
}

/// A word with its values masked: what stands around and between them stays.
fn word(word: &str) -> String {
    if !word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/') {
        // A word of hexadecimal letters alone is a word, such as `added` and `facade`.
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while !rest.is_empty() {
        let part = rest.find(is_separator).unwrap_or(rest.len());
        if part == 0 {
            let width = rest.chars().next().map_or(1, char::len_utf8);
            out.push_str(&rest[..width]);
            rest = &rest[width..];
            continue;
        }
        let is_kept = leading_number(rest) == Some(part) && out.ends_with(['=', ':', '"']) && is_kind(&out);
        out.push_str(if is_value(&rest[..part]) && !is_kept { VALUE } else { &rest[..part] });
        rest = &rest[part..];
    }
    // Versions, ranges and addresses with ports are one value: `<*>:<*>` says no more than `<*>`.
    out.replace("<*>:<*>", VALUE)
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        '=' | ',' | ';' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '"' | '\'' | '|' | ':' | '#' | '@'
    )
}

/// Whether a part of a word is a value by its look.
fn is_value(part: &str) -> bool {
    let bytes = part.as_bytes();
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if bytes.first() == Some(&b'/') && part.len() > 1 || part.matches('/').count() >= 2 {
        return true;
    }
    if digits == 0 {
        return false;
    }
    let body = part.trim_start_matches(['-', '+']).trim_end_matches(['.', '%']);
    let is_hexadecimal =
        |text: &str| text.len() >= 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if body.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return true;
    }
    if is_hexadecimal(body) {
        return true;
    }
    // A number, with a unit of up to three letters: 12, 1.5s, 300ms, 10.0.0.1, 2014-02-14, 12/34.
    let number = body.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == 'µ');
    let unit = body.len() - number.len();
    let is_number = !number.is_empty()
        && number
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'/' | b'_' | b'T' | b'+'))
        && number.as_bytes()[0].is_ascii_digit();
    // A name with more digits than letters, such as an identifier, is a value as well.
    is_number && unit <= 3 || digits * 2 > part.len() && digits >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &str) -> String {
        masked(line, None).words.join(" ")
    }

    #[test]
    fn values_are_masked_by_their_look() {
        for (line, known) in [
            ("took 12 ms", "took <*> ms"),
            ("took 1.5s and -3%", "took <*> and <*>"),
            ("from 10.0.0.1:8080 to [::1]:22", "from <*> to [::<*>]:<*>"),
            ("id=7f3c2a1b-aa00-4c1d-9e2f-000000000001 ok", "id=<*> ok"),
            ("ptr 0xdeadbeef sha 9f86d081884c7d65", "ptr <*> sha <*>"),
            ("open /var/lib/x.db failed", "open <*> failed"),
            ("worker-3 added facade to http2 v1", "worker-3 added facade to http2 v1"),
            ("GET /a/b?c=1 200", "GET <*>=<*> <*>"),
            ("user=alice state=started", "user=alice state=started"),
        ] {
            assert_eq!(text(line), known, "{line}");
        }
    }

    #[test]
    fn time_and_colours_are_taken_off() {
        for line in [
            "2014-02-14 14:30:00 x failed",
            "\u{1b}[2m2014-02-14T14:30:00Z\u{1b}[0m \u{1b}[31mx\u{1b}[0m failed",
        ] {
            let found = masked(line, None);
            assert_eq!(
                (found.time_ms, found.words.join(" ").as_str()),
                (Some(1_392_388_200_000), "x failed"),
                "{line:?}"
            );
        }
        let found = masked("Nov  3 14:02:11 host sshd: failed", None);
        assert_eq!((found.time_ms, found.words.join(" ").as_str()), (None, "host sshd: failed"));
        assert_eq!(masked("1392388200 x", None).time_ms, None, "a bare number may be anything");
        assert_eq!(text("x\u{1b}[ \u{1b}"), "x");
        assert_eq!(text(""), "");
        assert_eq!(text("é 漢字 2014-02-30 x"), "é 漢字 <*> x");
    }

    #[test]
    fn a_status_is_a_kind() {
        for (line, known) in [
            ("\"GET /a/b HTTP/1.1\" 500 12", "\"GET <*> HTTP/1.1\" 500 <*>"),
            ("{\"status\":503,\"ms\":12}", "{\"status\":503,\"ms\":<*>}"),
            ("{\"status\": 503, \"ms\": 12}", "{\"status\": 503, \"ms\": <*>}"),
            ("status=200 size=200 code=12345", "status=200 size=<*> code=<*>"),
            ("decode=7 level: 30", "decode=<*> level: 30"),
        ] {
            assert_eq!(text(line), known, "{line}");
        }
    }
}
