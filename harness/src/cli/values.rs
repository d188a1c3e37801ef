//! How values are written on the command line: one grammar of durations, one of words.

use std::ffi::OsString;
use std::time::Duration;

/// No verb may take as long as this, somewhat more than eleven days.
const LONGEST: Duration = Duration::from_secs(1_000_000);

/// Reads a duration with its unit: `500us`, `100ms`, `90s`, `1.5m`, `1h 30m`.
///
/// # Errors
/// A sentence: it has no unit, is not a duration, is zero, or is longer than any verb may take.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    // `.5s` has always been accepted; humantime wants a digit before the point.
    let text = text.trim();
    let whole = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
    let duration = humantime::parse_duration(&whole).map_err(|wrong| {
        format!("write a number with its unit, as in 500us, 5ms, 90s, 5m or 1h ({wrong})")
    })?;
    if duration.is_zero() || duration >= LONGEST {
        return Err("a duration is above 0 and below 1000000s".to_owned());
    }
    Ok(duration)
}

/// As [`duration`], and a bare number is one of seconds, for options that have always taken those.
///
/// # Errors
/// The sentences of [`duration`].
pub(crate) fn duration_or_seconds(text: &str) -> Result<Duration, String> {
    let bare = text.trim().parse::<f64>().is_ok();
    duration(&if bare { format!("{}s", text.trim()) } else { text.to_owned() })
}

/// Splits a command into words as a POSIX shell does, without expanding anything.
///
/// # Errors
/// A sentence about an open quote, a comment, or an empty command.
pub(crate) fn words(text: &str) -> Result<Vec<String>, String> {
    if begins_comment(text) {
        return Err(format!("“{text}” has a # that begins a comment: write '#' between quotes"));
    }
    let words = shlex::split(text)
        .ok_or_else(|| format!("“{text}” has a quote that is not closed, or ends in a backslash"))?;
    if words.is_empty() { Err("the command is empty".to_owned()) } else { Ok(words) }
}

/// Whether a shell would leave the end of the text out as a comment: a `#` outside of quotes begins a word.
fn begins_comment(text: &str) -> bool {
    text.match_indices('#').any(|(at, _)| {
        let before = &text[..at];
        let begins = before.is_empty() || before.ends_with(char::is_whitespace);
        // Where a letter in its place would be a word of its own, the sign is not quoted.
        begins
            && shlex::split(&format!("{before}x"))
                .is_some_and(|words| words.last().is_some_and(|last| last == "x"))
    })
}

/// As [`words`], for programs and arguments that may hold any bytes.
///
/// # Errors
/// The sentences of [`words`].
pub(crate) fn command(text: &str) -> Result<Vec<OsString>, String> {
    Ok(words(text)?.into_iter().map(OsString::from).collect())
}

/// Names that are given in one value, with a comma between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(Vec<String>);

/// Reads names with a comma between them; `\,` is a comma of a name.
///
/// # Errors
/// A sentence about a name that is empty.
pub(crate) fn names(text: &str) -> Result<Names, String> {
    let mut names = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let last = names.len() - 1;
        match letter {
            '\\' if letters.next_if_eq(&',').is_some() => names[last].push(','),
            ',' => names.push(String::new()),
            letter => names[last].push(letter),
        }
    }
    if names.iter().any(String::is_empty) {
        return Err("a name is empty: write names with one comma between two, and \\, for a comma in a name"
            .to_owned());
    }
    Ok(Names(names))
}

/// The names of every time that an option was given, each once.
pub(crate) fn all_names(given: &[Names]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in given.iter().flat_map(|names| &names.0) {
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all
}

/// Names as [`names`] reads them.
pub(crate) fn listed(given: &[Names]) -> String {
    all_names(given).iter().map(|name| name.replace(',', "\\,")).collect::<Vec<_>>().join(",")
}

/// One word as a person would type it in a shell.
pub(crate) fn quoted(word: &str) -> String {
    // The one word that cannot be quoted holds a NUL, and no argument of a program does.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

/// Says that an option or a verb has another name by now. The old one goes on working.
pub(crate) fn renamed(old: &str, new: &str) {
    errln!("note: {old} is now {new}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let ms = Duration::from_millis;
        for (text, expected) in [
            ("5ms", ms(5)),
            ("200us", Duration::from_micros(200)),
            ("200µs", Duration::from_micros(200)),
            ("90s", ms(90_000)),
            ("1.5m", ms(90_000)),
            ("2min", ms(120_000)),
            ("1h 30m", ms(5_400_000)),
            (".5s", ms(500)),
            ("60 s", ms(60_000)),
        ] {
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
        for wrong in ["5", "ms", "-1s", "0s", "1e9s", "5 parsecs", "", "2M", "12days"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(duration("5").unwrap_err().contains("write a number with its unit"));
    }

    #[test]
    fn a_name_may_hold_a_comma() {
        let all =
            |texts: &[&str]| all_names(&texts.iter().map(|text| names(text).unwrap()).collect::<Vec<_>>());
        assert_eq!(all(&["a,b", "c"]), ["a", "b", "c"]);
        assert_eq!(all(&[r"f(1\,2),g", r"a\b", "g"]), ["f(1,2)", "g", r"a\b"], "each once");
        assert_eq!(listed(&[names(r"f(1\,2),g").unwrap()]), r"f(1\,2),g");
        for wrong in ["", "a,,b", "a,", ","] {
            assert!(names(wrong).unwrap_err().contains("empty"), "{wrong}");
        }
    }

    #[test]
    fn a_bare_number_is_one_of_seconds_where_it_always_was() {
        assert_eq!(duration_or_seconds("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration_or_seconds("2.5"), Ok(Duration::from_millis(2500)));
        assert_eq!(duration_or_seconds("5m"), Ok(Duration::from_secs(300)));
        for wrong in ["0", "-1", "NaN", "inf", "x"] {
            assert!(duration_or_seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn commands_are_split_as_a_shell_splits_them() {
        assert_eq!(words("a  'b c' \"d 'e\" f\\ g ''").unwrap(), ["a", "b c", "d 'e", "f g", ""]);
        assert_eq!(words(r#"printf "a\n\"b\"""#).unwrap(), ["printf", "a\\n\"b\""]);
        assert_eq!(words("a#b '#' \\# \"x #y\" z\\ #").unwrap(), ["a#b", "#", "#", "x #y", "z #"]);
        assert!(words("a 'b").unwrap_err().contains("not closed"));
        assert!(words("a \\").unwrap_err().contains("backslash"));
        assert!(words("a #b").unwrap_err().contains("comment"));
        assert!(words("  ").is_err());
        assert_eq!(words(&quoted("it's here; $x")).unwrap(), ["it's here; $x"]);
    }
}
