//! Numbers and places in sentences.

/// A number with its noun: "1 file", "2 files".
#[must_use]
pub fn count(number: usize, one: &str, several: &str) -> String {
    let noun = if number == 1 { one } else { several };
    format!("{number} {noun}")
}

/// A number of files.
#[must_use]
pub fn files(number: usize) -> String {
    count(number, "file", "files")
}

/// A region of lines: its one line, or its first and last.
#[must_use]
pub fn lines((first, last): (u32, u32)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_several() {
        assert_eq!((files(1), files(0), files(2)), ("1 file".into(), "0 files".into(), "2 files".into()));
        assert_eq!((lines((3, 3)), lines((3, 5))), ("3".into(), "3-5".into()));
    }
}
