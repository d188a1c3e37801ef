//! The pattern of a search, as ripgrep takes it.

use grep_regex::{RegexMatcher, RegexMatcherBuilder};

use super::{Query, Refused};

/// The most bytes of a pattern.
pub const LONGEST_PATTERN: usize = 10_000;

/// The most bytes of a compiled pattern: that of the regex crate, a tenth of what ripgrep takes.
const LARGEST: usize = 10 << 20;
/// The most bytes that a search keeps of its automaton, in each thread.
const LARGEST_CACHE: usize = 16 << 20;

/// What a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The text itself.
    Text,
    /// A regular expression.
    Regex,
}

/// The matcher of a query.
///
/// # Errors
/// The pattern is not one: a sentence with the place.
pub fn matcher(query: &Query) -> Result<RegexMatcher, Refused> {
    if query.pattern.is_empty() {
        return Err(Refused("pattern is empty: give what to look for".to_owned()));
    }
    if query.pattern.len() > LONGEST_PATTERN {
        let length = query.pattern.len();
        return Err(Refused(format!(
            "pattern has {length} bytes, {LONGEST_PATTERN} are taken at most: shorten it"
        )));
    }
    let mut builder = RegexMatcherBuilder::new();
    builder
        .multi_line(true)
        .case_insensitive(query.ignore_case)
        .word(query.word)
        .fixed_strings(query.mode == Mode::Text)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST_CACHE)
        .ban_byte(Some(0));
    if !query.multiline {
        builder.line_terminator(Some(b'\n'));
    }
    builder.build_many(&[&query.pattern]).map_err(|error| {
        // As part of a larger expression a pattern has another place than by itself.
        let alone = regex::Regex::new(&query.pattern).err();
        refused(&query.pattern, &alone.map_or_else(|| error.to_string(), |alone| alone.to_string()))
    })
}

/// One sentence for what a parser says in several lines with a mark below the place.
fn refused(pattern: &str, said: &str) -> Refused {
    let lines: Vec<&str> = said.lines().collect();
    let reason = lines.iter().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or(lines[0]);
    let mark =
        lines.iter().position(|line| line.trim_start().starts_with('^') && line.trim_end().ends_with('^'));
    let place = mark.and_then(|mark| {
        let shown = lines.get(mark.checked_sub(1)?)?;
        let start = shown.find(pattern)?;
        let at = lines[mark].find('^')?.checked_sub(start)?;
        Some(format!(" at character {}", at + 1))
    });
    let place = place.unwrap_or_default();
    if reason.contains("\\n") && !reason.contains("unclosed") {
        return Refused(format!(
            "the pattern cannot match ({reason}): set multiline to look over the ends of lines"
        ));
    }
    Refused(format!(
        "the pattern is not a regular expression{place} ({reason}): correct it, or set mode to text to look for these very characters"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pattern: &str) -> String {
        matcher(&Query::new(pattern, Mode::Regex)).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said_with_its_place() {
        assert!(said("foo(bar").contains("at character 4 (unclosed group)"), "{}", said("foo(bar"));
        assert!(said("a\\nb").contains("set multiline"), "{}", said("a\\nb"));
        assert!(said("(?<n>a)\\k<n>").contains("set mode to text"), "{}", said("(?<n>a)\\k<n>"));
        assert!(said("(a{1000}){1000}").contains("size limit"), "{}", said("(a{1000}){1000}"));
        assert!(said("").contains("is empty") && said(&"a".repeat(20_000)).contains("20000 bytes"));
        for pattern in ["foo(bar", "[z-a]", "a**{2", "(?P<1>)", "\\p{None}"] {
            assert!(!said(pattern).contains('\n'), "{}", said(pattern));
            assert!(matcher(&Query::new(pattern, Mode::Text)).is_ok());
        }
    }
}
