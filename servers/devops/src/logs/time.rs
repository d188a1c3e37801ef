//! The time of a log line, in the forms that programs write.

use std::ops::Range;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use crate::readers::moment;

/// A time stands within so many bytes of the start of a line.
const WITHIN: usize = 160;
/// A time that names no year lies at most so far in front of the clock, in milliseconds: else it is of the year before.
const AHEAD_MS: i64 = 86_400_000;
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A time in a line: where it stands, and which it is, in milliseconds since 1970. One that names no year has no moment
/// where the clock is not known.
#[derive(Clone, Debug, PartialEq)]
pub struct Stamp {
    /// The bytes of the line that it takes.
    pub place: Range<usize>,
    /// The moment.
    pub time_ms: Option<i64>,
}

/// The first time in a line. Known are RFC 3339 and its relatives, also within JSON and `key=value` (`2014-02-14 14:30:00,123`,
/// `2014/02/14 14:30:00`), the common log format (`14/Feb/2014:14:30:00 +0100`), RFC 3164 (`Feb 14 14:30:00`), klog
/// (`I0214 14:30:00.123`), and seconds with a fraction. One without a zone is taken for UTC.
#[must_use]
pub fn stamp(line: &str, now_ms: Option<i64>) -> Option<Stamp> {
    let bytes = line.as_bytes();
    let end = bytes.len().min(WITHIN);
    for at in 0..end {
        let is_start = at == 0
            || !(bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'.' | b'-' | b'/'));
        if !is_start || !bytes[at].is_ascii_alphanumeric() {
            continue;
        }
        // A word may begin with what is not ASCII, but not here.
        let Some(rest) = line.get(at..) else { continue };
        if let Some((length, time_ms)) = at_start(rest, at, now_ms) {
            return Some(Stamp { place: with_brackets(line, at..at + length), time_ms });
        }
    }
    None
}

/// The length and the moment of a time at the start of a text that begins `at` bytes into its line.
fn at_start(text: &str, at: usize, now_ms: Option<i64>) -> Option<(usize, Option<i64>)> {
    let first = text.as_bytes()[0];
    if first.is_ascii_digit() {
        return date_first(text)
            .or_else(|| common(text))
            .or_else(|| seconds(text))
            .map(|(length, time_ms)| (length, Some(time_ms)));
    }
    // A month or a letter may be any word further on.
    let is_early = at == 0 || at <= 8;
    is_early.then(|| month_first(text, now_ms).or_else(|| klog(text, now_ms))).flatten()
}

/// `2014-02-14`, then a clock with or without fraction and zone; a date alone at the start of a word is one too.
fn date_first(text: &str) -> Option<(usize, i64)> {
    let date = text.get(..10)?;
    let is_date = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-' || byte == b'/',
        _ => byte.is_ascii_digit(),
    });
    if !is_date {
        return None;
    }
    let date = date.replace('/', "-");
    let Some(clock_length) =
        text.get(11..).filter(|_| matches!(text.as_bytes()[10], b' ' | b'T' | b't')).and_then(clock)
    else {
        let is_whole = text[10..].chars().next().is_none_or(char::is_whitespace);
        return is_whole.then(|| moment(&date)).flatten().map(|time| (10, time));
    };
    let clock = text[11..11 + clock_length].replace(',', ".");
    let (zone_length, zone) = zone(&text[11 + clock_length..]);
    let time = moment(&format!("{date}T{clock}{zone}"))?;
    Some((11 + clock_length + zone_length, time))
}

/// The length of a clock such as `14:30:00.123`.
fn clock(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_clock = bytes.len() >= 8
        && bytes[..8].iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            _ => byte.is_ascii_digit(),
        });
    if !is_clock {
        return None;
    }
    let fraction = bytes[8..].iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count();
    let has_fraction = matches!(bytes.get(8), Some(b'.' | b',')) && fraction > 0;
    Some(8 + if has_fraction { 1 + fraction } else { 0 })
}

/// The length of a zone at the start of a text, and the zone as it is parsed.
fn zone(text: &str) -> (usize, String) {
    let bytes = text.as_bytes();
    if matches!(bytes.first(), Some(b'Z' | b'z')) {
        return (1, "Z".to_owned());
    }
    let blank = usize::from(bytes.first() == Some(&b' '));
    let is_sign = matches!(bytes.get(blank), Some(b'+' | b'-'));
    let digits: String =
        text.get(blank + 1..).unwrap_or_default().chars().take(5).filter(|c| *c != ':').collect();
    let length = if text.get(blank + 3..blank + 4) == Some(":") { 6 } else { 5 };
    let is_zone = is_sign && digits.len() >= 4 && digits.bytes().take(4).all(|byte| byte.is_ascii_digit());
    if !is_zone || text.len() < blank + length {
        return (0, String::new());
    }
    (blank + length, format!("{}{}:{}", char::from(bytes[blank]), &digits[..2], &digits[2..4]))
}

/// `14/Feb/2014:14:30:00 +0100`.
fn common(text: &str) -> Option<(usize, i64)> {
    let parts = text.get(..20)?;
    let (day, rest) = parts.split_once('/')?;
    let (month, rest) = rest.split_once('/')?;
    let (year, _) = rest.split_once(':')?;
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let start = day.len() + 1 + 3 + 1 + year.len() + 1;
    let length = clock(text.get(start..)?)?;
    let (zone_length, zone) = zone(&text[start + length..]);
    let time = moment(&format!("{year:0>4}-{month:02}-{day:0>2}T{}{zone}", &text[start..start + length]))?;
    Some((start + length + zone_length, time))
}

/// Seconds since 1970 with a fraction: without one a number may be anything.
fn seconds(text: &str) -> Option<(usize, i64)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let fraction = text.get(whole + 1..).map_or(0, digits);
    let is_seconds = whole == 10 && text.as_bytes().get(whole) == Some(&b'.') && (1..=9).contains(&fraction);
    let length = whole + 1 + fraction;
    is_seconds.then(|| moment(&text[..length])).flatten().map(|time| (length, time))
}

/// `Feb 14 14:30:00`, `Feb  4 14:30:00`.
fn month_first(text: &str, now_ms: Option<i64>) -> Option<(usize, Option<i64>)> {
    let month = MONTHS.iter().position(|name| text.starts_with(name))? + 1;
    let rest = text.get(3..)?;
    let blanks = rest.len() - rest.trim_start_matches(' ').len();
    let rest = &rest[blanks..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let day: i8 = rest.get(..digits)?.parse().ok()?;
    if !(1..=2).contains(&blanks) || rest.as_bytes().get(digits) != Some(&b' ') {
        return None;
    }
    let clock_text = rest.get(digits + 1..)?;
    let length = clock(clock_text)?;
    let time = yearless(month as i8, day, &clock_text[..length], now_ms)?;
    Some((3 + blanks + digits + 1 + length, time))
}

/// `I0214 14:30:00.123456`: a letter for the severity, which is left in the line.
fn klog(text: &str, now_ms: Option<i64>) -> Option<(usize, Option<i64>)> {
    let is_one = matches!(text.as_bytes()[0], b'I' | b'W' | b'E' | b'F' | b'D')
        && text.get(1..5).is_some_and(|date| date.bytes().all(|byte| byte.is_ascii_digit()))
        && text.as_bytes().get(5) == Some(&b' ');
    if !is_one {
        return None;
    }
    let (month, day) = (text[1..3].parse().ok()?, text[3..5].parse().ok()?);
    let length = clock(&text[6..])?;
    let time = yearless(month, day, &text[6..6 + length], now_ms)?;
    Some((6 + length, time))
}

/// The moment of a date without a year: the last such before the clock. The outer `None` is not a date.
fn yearless(month: i8, day: i8, clock: &str, now_ms: Option<i64>) -> Option<Option<i64>> {
    let time: Time = clock.parse().ok()?;
    // A leap year has all days.
    Date::new(2024, month, day).ok()?;
    let Some(now_ms) = now_ms else { return Some(None) };
    let year = Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(now_ms).ok()?).year();
    let of = |year: i16| {
        let local = DateTime::from_parts(Date::new(year, month, day).ok()?, time);
        Offset::UTC.to_timestamp(local).ok().map(jiff::Timestamp::as_millisecond)
    };
    Some(of(year).filter(|time| *time <= now_ms + AHEAD_MS).or_else(|| of(year - 1)))
}

/// The place of a time with the brackets around it.
fn with_brackets(line: &str, place: Range<usize>) -> Range<usize> {
    let bytes = line.as_bytes();
    let is_open = place.start > 0 && bytes[place.start - 1] == b'[';
    let is_closed = bytes.get(place.end) == Some(&b']');
    if is_open && is_closed { place.start - 1..place.end + 1 } else { place }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// date -u -d '2014-02-14 14:30:00' +%s
    const KNOWN: i64 = 1_392_388_200_000;
    /// A week later.
    const NOW: i64 = KNOWN + 7 * 86_400_000;

    fn found(line: &str) -> Option<(Option<i64>, String)> {
        let stamp = stamp(line, Some(NOW))?;
        Some((stamp.time_ms, format!("{}~{}", &line[..stamp.place.start], &line[stamp.place.end..])))
    }

    #[test]
    fn times_are_found_in_the_forms_of_many_programs() {
        for (line, rest) in [
            ("2014-02-14 14:30:00 x", "~ x"),
            ("2014-02-14T14:30:00Z x", "~ x"),
            ("[2014-02-14T14:30:00.000Z] x", "~ x"),
            ("2014-02-14 14:30:00,000 x", "~ x"),
            ("2014-02-14T15:30:00+01:00 x", "~ x"),
            ("2014-02-14T15:30:00+0100 x", "~ x"),
            ("2014/02/14 14:30:00 [error] 1#1: x", "~ [error] 1#1: x"),
            (
                "{\"ts\": \"2014-02-14T14:30:00Z\", \"level\": \"info\"}",
                "{\"ts\": \"~\", \"level\": \"info\"}",
            ),
            ("{\"ts\":1392388200.0,\"msg\":\"x\"}", "{\"ts\":~,\"msg\":\"x\"}"),
            ("time=\"2014-02-14T14:30:00Z\" level=info", "time=\"~\" level=info"),
            (
                "10.0.0.7 - - [14/Feb/2014:15:30:00 +0100] \"GET / HTTP/1.1\" 200",
                "10.0.0.7 - - ~ \"GET / HTTP/1.1\" 200",
            ),
            ("Feb 14 14:30:00 host app[7]: x", "~ host app[7]: x"),
            ("<34>Feb 14 14:30:00 host x", "<34>~ host x"),
            ("<34>1 2014-02-14T14:30:00.000Z host su - ID47 - x", "<34>1 ~ host su - ID47 - x"),
            ("E0214 14:30:00.000000 1 main.go:12] x", "~ 1 main.go:12] x"),
            ("[1392388200.000] x", "~ x"),
        ] {
            assert_eq!(found(line), Some((Some(KNOWN), rest.to_owned())), "{line}");
        }
    }

    #[test]
    fn a_year_that_is_not_named_is_the_last_one() {
        let time = stamp("Dec 31 23:59:59 x", Some(NOW)).unwrap().time_ms.unwrap();
        assert_eq!(jiff::Timestamp::from_millisecond(time).unwrap().to_string(), "2013-12-31T23:59:59Z");
        assert_eq!(stamp("Feb 14 14:30:00 x", None).unwrap().time_ms, None);
        let day = stamp("Feb 29 14:30:00 x", Some(NOW)).unwrap();
        assert_eq!(day.time_ms, None, "neither 2014 nor 2013 has one");
    }

    #[test]
    fn what_is_not_a_time_stays() {
        for line in [
            "1392388200 x",
            "",
            "Feb 31 99:00:00 x",
            "Mayor 14 14:30:00",
            "build-2014-02-14 x 1.2.3",
            "E0214 x",
            "é 漢字 2014-02-30 x",
            "version 1234567890.1.2.3.4",
        ] {
            let stamp = stamp(line, Some(NOW));
            let is_version = line.starts_with("version");
            assert!(stamp.is_none() || is_version, "{line}: {stamp:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(line in "[ -~é0-9:/\\-\\[\\]TZ+.,]{0,80}") {
            if let Some(stamp) = stamp(&line, Some(NOW)) {
                prop_assert!(line.get(stamp.place).is_some());
            }
        }
    }
}
