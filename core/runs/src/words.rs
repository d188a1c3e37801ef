//! Values as words of a shell.

/// Whether the shell leaves a character alone wherever it stands in a word.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_./:@%+,-=".contains(c)
}

/// `value` as one word: as it is if the shell would not touch it, else in single quotes.
#[must_use]
pub fn quoted(value: &str) -> String {
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", inside_single_quotes(value))
}

/// `value` for a place that is in single quotes already.
#[must_use]
pub fn inside_single_quotes(value: &str) -> String {
    value.replace('\'', r"'\''")
}

/// Programs with their arguments as a line of shell source, joined by pipes, in which every word means itself.
#[must_use]
pub fn line(stages: &[Vec<String>]) -> String {
    let words = |stage: &Vec<String>| stage.iter().map(|word| literal(word)).collect::<Vec<_>>().join(" ");
    stages.iter().map(words).collect::<Vec<_>>().join(" | ")
}

/// A word that the shell takes for itself: also at the start of a line, where `a=b` would be an assignment and a
/// reserved word a keyword.
fn literal(word: &str) -> String {
    const RESERVED: [&str; 18] = [
        "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in",
        "time", "function", "select", "coproc", "{",
    ];
    let plain = quoted(word);
    if plain == word && (word.contains('=') || RESERVED.contains(&word)) {
        return format!("'{word}'");
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn shell(script: &str) -> Vec<u8> {
        Command::new("bash").args(["--norc", "-c", script]).output().unwrap().stdout
    }

    #[test]
    fn plain_words_stay_readable() {
        for word in ["a.txt", "/usr/share", "10M", "a=b", "user@host:22", "2026-01-02"] {
            assert_eq!(quoted(word), word);
        }
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_line_means_the_same_words() {
        for (words, expected) in [
            (&["ls", "-la", "a b"][..], "ls -la 'a b'"),
            (&["a=b", "$(x)", ""], "'a=b' '$(x)' ''"),
            (&["time", "if", "it's"], r"'time' 'if' 'it'\''s'"),
            (&["echo", "\n", "~", "*"], "echo '\n' '~' '*'"),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(line(&[words]), expected);
        }
        assert_eq!(line(&[vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]]), "a | b c");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_shell_reads_back_every_value(value in "[ -~éß\n\t]{0,30}") {
            prop_assert_eq!(shell(&format!("printf %s {}", quoted(&value))), value.as_bytes());
            prop_assert_eq!(shell(&format!("printf %s 'a{}'", inside_single_quotes(&value))), format!("a{value}").into_bytes());
        }
    }
}
