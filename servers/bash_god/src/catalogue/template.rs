//! Templates: shell text with `{name}` where a parameter goes.
//!
//! `{}` and braces around anything but a lower-case name are text, as in `find -exec … {} +` and awk; `{{`
//! is a brace in any case.

use crate::ranking::shape;

/// Where a placeholder stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// Outside of quotes: the value is quoted as a word.
    Bare,
    /// Inside single quotes, in a program of sed, awk or jq.
    Quoted,
}

/// One piece of a template.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Segment {
    /// Text that stays as it is.
    Text(String),
    /// A parameter.
    Placeholder {
        /// The parameter's name.
        name: String,
        /// Where it stands.
        place: Place,
        /// Whether a value with a leading `-` cannot be read as an option there.
        dash_safe: bool,
    },
}

/// A template, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// If a quote stays open or a placeholder is inside double quotes; the sentence goes on after the
    /// entry's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut segments = Vec::new();
        let mut literal = String::new();
        let mut quote = None;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                rest = after;
                continue;
            }
            match placeholder(rest).filter(|_| c == '{') {
                Some(name) => {
                    let place = match quote {
                        None => Place::Bare,
                        Some('\'') => Place::Quoted,
                        Some(_) => {
                            return Err(format!("has {{{name}}} inside double quotes; leave it unquoted"));
                        }
                    };
                    let dash_safe = is_dash_safe(&segments, &literal);
                    if !literal.is_empty() {
                        segments.push(Segment::Text(std::mem::take(&mut literal)));
                    }
                    segments.push(Segment::Placeholder { name: name.to_owned(), place, dash_safe });
                    rest = &rest[name.len() + 2..];
                }
                None => {
                    quote = next_quote(quote, c);
                    literal.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        if quote.is_some() {
            return Err("has an open quote in its template".to_owned());
        }
        if !literal.is_empty() {
            segments.push(Segment::Text(literal));
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The template as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its pieces in order.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The names of the parameters in the order of their first use.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for segment in &self.segments {
            if let Segment::Placeholder { name, .. } = segment
                && !names.contains(&name.as_str())
            {
                names.push(name.as_str());
            }
        }
        names
    }

    /// The template without the names of its parameters and with single blanks, to compare it by.
    pub fn normalised(&self) -> String {
        let text: String = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.as_str(),
                Segment::Placeholder { .. } => "{}",
            })
            .collect();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The programs of its simple commands, the first one first; one that is a parameter is not among them.
    pub fn programs(&self) -> Vec<String> {
        let text: String = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Text(text) => text.as_str(),
                // Not the name of a program, wherever it stands.
                Segment::Placeholder { .. } => "-x",
            })
            .collect();
        shape::programs(&text)
    }
}

/// The name of the placeholder that `text` begins with.
fn placeholder(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    (starts && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()))
        .then_some(name)
}

fn next_quote(quote: Option<char>, c: char) -> Option<char> {
    match (quote, c) {
        (None, '\'' | '"') => Some(c),
        (Some(open), _) if open == c => None,
        _ => quote,
    }
}

/// A value may begin with `-` where it continues a word, where `--` has ended the options of its command,
/// and after `-e`, which always takes a pattern.
fn is_dash_safe(segments: &[Segment], literal: &str) -> bool {
    let before: String = segments
        .iter()
        .map(|segment| match segment {
            Segment::Text(text) => text.as_str(),
            Segment::Placeholder { .. } => "x",
        })
        .chain([literal])
        .collect();
    if !before.ends_with([' ', '|', ';', '&', '(']) {
        return !before.is_empty();
    }
    let command = before.rsplit(['|', ';', '&', '(']).next().unwrap_or_default();
    let mut words = command.split_whitespace();
    words.clone().any(|word| word == "--") || words.next_back() == Some("-e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_that_name_nothing_are_text() {
        let template = Template::parse("find {folder} -exec awk '{ print $1 }' {} + ${HOME}").unwrap();
        assert_eq!(template.names(), ["folder"]);
        assert_eq!(template.programs(), ["find", "awk"]);
        assert_eq!(template.normalised(), "find {} -exec awk '{ print $1 }' {} + ${HOME}");
    }

    #[test]
    fn a_doubled_brace_is_text() {
        let template = Template::parse("curl -w '%{{http_code}' {url}").unwrap();
        assert_eq!(
            (template.names(), template.normalised()),
            (vec!["url"], "curl -w '%{http_code}' {}".to_owned())
        );
    }

    #[test]
    fn places_are_known() {
        let template =
            Template::parse("cut -d{delimiter} '{a}' {b} -- {c} | grep -e {d} {e} --x={f}").unwrap();
        let placeholders = template.segments().iter().filter_map(|segment| match segment {
            Segment::Placeholder { name, place, dash_safe } => Some((name.as_str(), *place, *dash_safe)),
            Segment::Text(_) => None,
        });
        let expected = [
            ("delimiter", Place::Bare, true),
            ("a", Place::Quoted, true),
            ("b", Place::Bare, false),
            ("c", Place::Bare, true),
            ("d", Place::Bare, true),
            ("e", Place::Bare, false),
            ("f", Place::Bare, true),
        ];
        assert_eq!(placeholders.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn programs_of_all_stages_are_named() {
        let template = Template::parse("du -ah {folder} | sort -rh | head -n {count}").unwrap();
        assert_eq!(template.programs(), ["du", "sort", "head"]);
        assert_eq!(Template::parse("time {program}").unwrap().programs(), ["time"]);
        assert_eq!(Template::parse("TZ={zone} date").unwrap().programs(), ["date"]);
    }
}
