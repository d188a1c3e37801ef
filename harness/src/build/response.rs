//! lld's `response.txt`, which lld writes in one way and reads in another.
//!
//! It puts a word in quotes where that holds a space, and otherwise as it is; reading, it takes a backslash, an
//! apostrophe or a quotation mark as a shell does. A path that holds one would lead nowhere.

/// One line: an input, an option, or an option with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The option with what joins it to its value (`-o `, `--soname=`); empty for an input.
    pub option: String,
    /// The value, as it is meant: without quotes around it.
    pub value: String,
}

impl Line {
    /// Reads a line as lld writes it.
    pub(crate) fn read(line: &str) -> Self {
        let (option, value) = match line.starts_with('-') {
            false => ("", line),
            true => {
                let space = line.find(' ').map(|at| at + 1);
                // A joined value may hold spaces of its own.
                let joined = line.find("=\"").map(|at| at + 1).filter(|at| space.is_none_or(|end| *at < end));
                line.split_at(joined.or(space).unwrap_or(line.len()))
            }
        };
        Self { option: option.to_owned(), value: unquoted(value).to_owned() }
    }

    /// Whether it names a file that is linked.
    pub(crate) fn is_input(&self) -> bool {
        self.option.is_empty() && !self.value.is_empty()
    }

    /// The line as lld reads it.
    pub(crate) fn written(&self) -> String {
        let special = |c: char| c.is_whitespace() || matches!(c, '\\' | '\'' | '"');
        let mut text =
            if self.value.is_empty() { escaped(&self.option, special) } else { self.option.clone() };
        text += &escaped(&self.value, special);
        text
    }
}

fn escaped(text: &str, special: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// lld quotes what holds a space, and nothing else.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.filter(|inner| inner.contains(' ')).unwrap_or(value)
}

/// The whole file, so that lld reads what it wrote.
pub(crate) fn readable(response: &str) -> String {
    response.lines().map(|line| Line::read(line).written() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lld_writes_is_what_it_reads_afterwards() {
        for (written, read) in [
            ("tmp/it's \"so\"/a.o", "tmp/it\\'s\\ \\\"so\\\"/a.o"),
            ("\"tmp/a b/c.o\"", "tmp/a\\ b/c.o"),
            ("tmp/a\\b.rlib", "tmp/a\\\\b.rlib"),
            ("tmp/a,b.o", "tmp/a,b.o"),
            ("-o it's", "-o it\\'s"),
            ("-L \"tmp/a b\"", "-L tmp/a\\ b"),
            ("--soname=\"a b.so\"", "--soname=a\\ b.so"),
            ("--soname=it's", "--soname=it\\'s"),
            ("-dynamic-linker /lib64/ld.so", "-dynamic-linker /lib64/ld.so"),
            ("--gc-sections", "--gc-sections"),
            ("", ""),
        ] {
            assert_eq!(Line::read(written).written(), read);
        }
    }

    #[test]
    fn inputs_are_told_from_options() {
        assert!(Line::read("tmp/a.o").is_input());
        assert!(!Line::read("-lc").is_input() && !Line::read("").is_input());
        assert_eq!(Line::read("\"tmp/a b.o\"").value, "tmp/a b.o");
    }
}
