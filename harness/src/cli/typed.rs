//! A command as a person would type it again: what records keep, so that somebody else measures the same.
//!
//! It has every option that decides what is measured or how it is judged, whether it was given or is a default: defaults
//! may change. Where results go, and how they are shown, is not among them.

use std::ffi::OsStr;
use std::fmt::Display;
use std::time::Duration;

use crate::called;
use crate::cli::values::{Names, listed, quoted};

/// A command in the making.
pub(crate) struct Typed(String);

impl Typed {
    /// Begins with a verb.
    pub(crate) fn of(verb: &str) -> Self {
        Self(called::typed(verb))
    }

    /// A word by itself.
    pub(crate) fn word(mut self, word: impl AsRef<OsStr>) -> Self {
        self.0.push(' ');
        self.0.push_str(&quoted(&word.as_ref().to_string_lossy()));
        self
    }

    /// An option that has no value, where it is set.
    pub(crate) fn flag(self, name: &str, set: bool) -> Self {
        if set { self.word(name) } else { self }
    }

    /// An option with a value, where there is one.
    pub(crate) fn option<T: Display>(self, name: &str, value: Option<T>) -> Self {
        match value {
            Some(value) => self.word(name).word(value.to_string()),
            None => self,
        }
    }

    /// An option with a file or a directory, where there is one.
    pub(crate) fn path(self, name: &str, value: Option<impl AsRef<OsStr>>) -> Self {
        match value {
            Some(value) => self.word(name).word(value),
            None => self,
        }
    }

    /// An option with a time.
    pub(crate) fn time(self, name: &str, value: Duration) -> Self {
        self.option(name, Some(humantime::format_duration(value).to_string().replace(' ', "")))
    }

    /// An option with names, where there are any.
    pub(crate) fn names(self, name: &str, value: &[Names]) -> Self {
        self.option(name, (!value.is_empty()).then(|| listed(value)))
    }

    /// An option with words that hold no comma, where there are any.
    pub(crate) fn words(self, name: &str, value: &[String]) -> Self {
        self.option(name, (!value.is_empty()).then(|| value.join(",")))
    }

    /// The command.
    pub(crate) fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::args::{Cli, Verb};
    use crate::cli::cmp;

    /// What decides nothing, of any verb.
    const SHOWN: [&str; 8] = ["help", "format", "color", "out", "export", "accept", "accepted", "version"];

    /// The command that a verb with these words keeps.
    fn kept(words: &[&str]) -> String {
        let all = [&["cargo"], words].concat();
        match Cli::try_parse_from(all).unwrap().verb.unwrap() {
            Verb::Run(args) => args.command(),
            Verb::Gate(args) => args.command(),
            Verb::Calibrate(args) => args.command(),
            Verb::Cmp(args) => cmp::typed(&args, 7),
            _ => panic!("{words:?}"),
        }
    }

    /// Every option of a verb but those in `left_out` is kept, and what is kept means the same.
    fn holds_all(verb: &[&str], words: &[&str], left_out: &[&str]) {
        let given = [verb, words].concat();
        let text = kept(&given);
        let again: Vec<String> = shlex::split(&text).unwrap().into_iter().skip(1).collect();
        assert_eq!(kept(&again.iter().map(String::as_str).collect::<Vec<_>>()), text, "it means the same");
        let mut command = Cli::command();
        for name in verb {
            command = command.find_subcommand(name).unwrap().clone();
        }
        for option in command.get_opts().filter(|option| !option.is_hide_set()) {
            let name = option.get_long().unwrap();
            if SHOWN.contains(&name) || left_out.contains(&name) {
                continue;
            }
            assert!(again.contains(&format!("--{name}")), "--{name} is left out: {text}");
        }
    }

    #[test]
    fn every_option_that_decides_something_is_kept() {
        holds_all(
            &["run"],
            &[
                "--suite",
                "my suites/a.toml",
                "--full",
                "--flagsets",
                r"a\,b,c",
                "--benchmarks",
                r"x\,y,z",
                "--profile",
                "ship",
                "--python",
                "python3.12",
                "--launches",
                "9",
                "--seed",
                "4",
                "--manifest-path",
                "a b/Cargo.toml",
                "--package",
                "p",
                "--bench",
                "b",
                "--filter",
                "f g",
            ],
            // Excluded by the launches, tried below.
            &["resume", "quick", "plan", "budget"],
        );
        holds_all(
            &["cmp", "commands"],
            &[
                "sort a",
                "sort 'b c'",
                "--launches",
                "7",
                "--warmup",
                "3",
                "--ignore-failure",
                "--check-output",
                "--patience",
                "90s",
                "--noise-threshold",
                "2.5",
                "--seed",
                "4",
            ],
            // Becomes the number of launches that it came to.
            &["budget"],
        );
        holds_all(
            &["calibrate"],
            &[
                "--suite",
                "a b.toml",
                "--inject",
                "2,5",
                "--noise-threshold",
                "2",
                "--benchmarks",
                r"x\,y",
                "--experiments",
                "3",
                "--budget",
                "90m",
            ],
            &["launches"],
        );
        let text = kept(&["run", "--benchmarks", r"x\,y", "--benchmarks", "z"]);
        assert_eq!(text, r#"perflab run --quick --benchmarks "x\\,y,z""#);
        assert_eq!(kept(&["run", "--budget", "10m"]), "perflab run --quick --budget 10m");
        let text = kept(&["cmp", "commands", "a", "b"]);
        assert!(text.ends_with("--noise-threshold 1 --patience 10m"), "{text}");
    }

    #[test]
    fn gates_keep_theirs() {
        let common = [
            "--suite",
            "a b.toml",
            "--flagsets",
            "a",
            "--benchmarks",
            "x",
            "--profile",
            "ship",
            "--python",
            "p",
            "--budget",
            "90s",
            "--no-identity",
            "--allow-unmatched",
            "--seed",
            "4",
            "--manifest-path",
            "a b/Cargo.toml",
            "--package",
            "p",
            "--bench",
            "b",
            "--filter",
            "f g",
        ];
        let against: Vec<&str> = [&["--against", "HEAD~1"], &common[..]].concat();
        holds_all(&["gate"], &against, &["references"]);
        let references: Vec<&str> = [&["--references", "dir"], &common[..]].concat();
        holds_all(&["gate"], &references, &["against"]);
    }
}
