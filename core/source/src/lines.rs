//! Bytes and positions.

use serde::Serialize;

/// A place in a text, as people count: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters of UTF-8; a byte that is none counts as one.
    pub column: usize,
}

/// Where the lines of a text begin. A line ends with `\n`, which belongs to it.
#[derive(Clone, Debug)]
pub struct Lines {
    starts: Vec<usize>,
    end: usize,
}

impl Lines {
    /// The lines of a text.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let ends = memchr::memchr_iter(b'\n', text).map(|at| at + 1).filter(|at| *at < text.len());
        Self { starts: std::iter::once(0).chain(ends).collect(), end: text.len() }
    }

    /// How many lines there are; none in an empty text.
    #[must_use]
    pub fn count(&self) -> usize {
        if self.end == 0 { 0 } else { self.starts.len() }
    }

    /// The number of the line that holds a byte, from 1.
    #[must_use]
    pub fn line(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }

    /// The position of a byte of the text that these lines are of.
    #[must_use]
    pub fn position(&self, text: &[u8], byte: usize) -> Position {
        let line = self.line(byte);
        let before = text.get(self.starts[line - 1]..byte).unwrap_or_default();
        Position { line, column: String::from_utf8_lossy(before).chars().count() + 1 }
    }

    /// The bytes of lines from one to another, both from 1 and included, with the last line's end; what lies beyond the
    /// text is left out.
    #[must_use]
    pub fn range(&self, first: usize, last: usize) -> std::ops::Range<usize> {
        let start = |line: usize| self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.end);
        let (from, to) = (start(first.max(1)), start(last.saturating_add(1)));
        from..to.max(from)
    }
}

/// The length of the longest line in bytes.
pub(crate) fn longest_line(text: &[u8]) -> usize {
    let mut longest = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain(std::iter::once(text.len())) {
        longest = longest.max(end - start);
        start = end + 1;
    }
    longest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn positions_are_those_that_editors_show() {
        let text = "aé漢\n\nx".as_bytes();
        let lines = Lines::new(text);
        let at = |byte| {
            let Position { line, column } = lines.position(text, byte);
            (line, column)
        };
        assert_eq!([0, 1, 3, 6, 7, 8].map(at), [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (3, 1)]);
        assert_eq!(lines.count(), 3);
        assert_eq!((lines.range(1, 1), lines.range(2, 9), lines.range(4, 4)), (0..7, 7..9, 9..9));
        assert_eq!(Lines::new(b"").count(), 0);
        assert_eq!(Lines::new(b"a\n").count(), 1);
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_standard_library(text in "[a\n\r]{0,60}") {
            let lines = Lines::new(text.as_bytes());
            let expected: Vec<&str> = text.split_inclusive('\n').collect();
            prop_assert_eq!(lines.count(), expected.len());
            for (place, line) in expected.iter().enumerate() {
                prop_assert_eq!(&text[lines.range(place + 1, place + 1)], *line);
            }
            let beyond = expected.len() + 1;
            prop_assert!(lines.range(beyond, beyond + 3).is_empty());
            prop_assert_eq!(longest_line(text.as_bytes()), text.split('\n').map(str::len).max().unwrap_or(0));
        }
    }
}
