//! What looks like a value in a log line, and the time that the line begins with.

use std::borrow::Cow;

/// What stands in place of a value.
pub const VALUE: &str = "<*>";

/// A line without its time: its words, values masked.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked<'a> {
    /// The time, in milliseconds since 1970, where the line begins with one.
    pub time_ms: Option<i64>,
    /// The words.
    pub words: Vec<Cow<'a, str>>,
}

/// Reads a line: takes its time off, divides it at blanks, masks numbers, hexadecimal numbers, UUIDs, addresses and paths.
#[must_use]
pub fn masked(line: &str) -> Masked<'_> {
    let (time_ms, rest) = time(line);
    Masked { time_ms, words: rest.split_whitespace().map(word).collect() }
}

/// The time at the start of a line, and what follows it.
fn time(line: &str) -> (Option<i64>, &str) {
    let line = line.trim_start();
    let inner = line.strip_prefix('[').unwrap_or(line);
    // A date with a blank before the time of day needs both words.
    for words in [2, 1] {
        let Some(end) = end_of_words(inner, words) else { continue };
        let candidate = inner[..end].trim_end_matches([']', ',', ':']).replace(',', ".");
        // A bare number may be anything.
        let looks_like_a_date = candidate.get(4..5) == Some("-") && candidate.len() >= 10;
        if looks_like_a_date && let Some(time) = crate::readers::moment(&candidate) {
            return (Some(time), &inner[end..]);
        }
    }
    syslog(inner).map_or((None, line), |rest| (None, rest))
}

/// What follows a time in the manner of RFC 3164, such as `Nov  3 14:02:11`, which names no year.
fn syslog(line: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let end = end_of_words(line, 3)?;
    let mut words = line[..end].split_whitespace();
    let (month, day, clock) = (words.next()?, words.next()?, words.next()?);
    let is_clock = clock.len() >= 8 && clock.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.');
    let is_time = MONTHS.contains(&month) && day.parse::<u8>().is_ok_and(|day| day <= 31) && is_clock;
    is_time.then(|| &line[end..])
}

fn end_of_words(text: &str, count: usize) -> Option<usize> {
    let mut seen = 0;
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            if inside {
                seen += 1;
                if seen == count {
                    return Some(at);
                }
            }
            inside = false;
        } else {
            inside = true;
        }
    }
    (inside && seen + 1 == count).then_some(text.len())
}

/// A word with its values masked: what stands around and between them stays.
fn word(word: &str) -> Cow<'_, str> {
    if !word.bytes().any(|byte| byte.is_ascii_digit() || byte == b'/') {
        // A word of hexadecimal letters alone is a word, such as `added` and `facade`.
        return Cow::Borrowed(word);
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
        out.push_str(if is_value(&rest[..part]) { VALUE } else { &rest[..part] });
        rest = &rest[part..];
    }
    // Versions, ranges and addresses with ports are one value: `<*>:<*>` says no more than `<*>`.
    Cow::Owned(out.replace("<*>:<*>", VALUE))
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
        masked(line).words.join(" ")
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
    fn the_time_is_taken_off() {
        for line in [
            "2014-02-14 14:30:00 x failed",
            "2014-02-14T14:30:00Z x failed",
            "[2014-02-14T14:30:00.000Z] x failed",
            "2014-02-14 14:30:00,000 x failed",
        ] {
            let found = masked(line);
            assert_eq!(
                (found.time_ms, found.words.join(" ").as_str()),
                (Some(1_392_388_200_000), "x failed"),
                "{line}"
            );
        }
        let found = masked("Nov  3 14:02:11 host sshd: failed");
        assert_eq!((found.time_ms, found.words.join(" ").as_str()), (None, "host sshd: failed"));
        assert_eq!(masked("1392388200 x").time_ms, None, "a bare number may be anything");
        assert_eq!(text(""), "");
        assert_eq!(text("é 漢字 2014-02-30 x"), "é 漢字 <*> x");
    }
}
