//! Values as words of a shell.

pub use mcp_runs::words::{inside_single_quotes, quoted};

/// A path as one word. `~/` at its start stays bare, since a person means the home directory with it.
pub fn quoted_path(path: &str) -> String {
    match path.strip_prefix("~/") {
        Some("") => "~/".to_owned(),
        Some(rest) => format!("~/{}", quoted(rest)),
        None if path == "~" => "~".to_owned(),
        None => quoted(path),
    }
}

/// `text` as a basic regular expression of sed that matches just it, between slashes.
pub fn sed_pattern(text: &str) -> String {
    escaped(text, r"\/.*[]^$")
}

/// `text` as the replacement of sed's `s`, between slashes.
pub fn sed_replacement(text: &str) -> String {
    escaped(text, r"\/&")
}

fn escaped(text: &str, special: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    fn shell(script: &str) -> Vec<u8> {
        Command::new("bash").args(["--norc", "-c", script]).env("HOME", "/home/me").output().unwrap().stdout
    }

    #[test]
    fn a_home_stays_bare() {
        assert_eq!(quoted_path("~/a b"), "~/'a b'");
        assert_eq!(quoted_path("~root"), "'~root'");
        assert_eq!(shell(&format!("printf %s {}", quoted_path("~/a"))), b"/home/me/a");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn sed_replaces_just_the_text(from in "[ -~]{1,12}", to in "[ -~]{0,12}", around in "[a-z]{0,5}") {
            let script = quoted(&format!("s/{}/{}/", sed_pattern(&from), sed_replacement(&to)));
            let input = quoted(&format!("{around}{from}{around}"));
            let expected = format!("{around}{from}{around}").replacen(&from, &to, 1);
            let found = shell(&format!("printf %s {input} | sed -e {script}"));
            prop_assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
    }
}
