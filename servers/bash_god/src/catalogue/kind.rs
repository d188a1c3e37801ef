//! The types of parameters: which values each takes, and how they are written.

use serde::Deserialize;

use crate::catalogue::quote::{sed_pattern, sed_replacement};

/// The longest value of a parameter, in bytes.
pub const LONGEST_VALUE: usize = 4_096;

/// The type of a parameter.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file or directory.
    Path,
    /// A file.
    File,
    /// A directory.
    Folder,
    /// A file or directory that the command makes.
    Output,
    /// A pattern of file names, without a slash.
    Glob,
    /// The ending of a file name, without its dot.
    Extension,
    /// A whole number, 0 or more.
    Integer,
    /// A number with or without a fraction.
    Decimal,
    /// A number of bytes with a unit: `10M`.
    Size,
    /// A time with a unit as coreutils write it: `30s`, `5m`, `2h`.
    Duration,
    /// A number of days.
    Days,
    /// A number of minutes.
    Minutes,
    /// Any line of text.
    Text,
    /// A regular expression.
    Regex,
    /// Text that sed finds as it is.
    SedPattern,
    /// Text that sed puts in as it is.
    SedReplacement,
    /// The name or address of a machine.
    Host,
    /// A machine with or without a user: `user@host`.
    Address,
    /// A TCP or UDP port.
    Port,
    /// The name of a user.
    User,
    /// The name of a group.
    Group,
    /// The number of a process.
    Pid,
    /// A signal by name or number.
    Signal,
    /// The address of something on the web, or of a repository.
    Url,
    /// A branch or tag of git.
    Branch,
    /// A revision of git.
    Commit,
    /// Permission bits: `644` or `u+x`.
    Mode,
    /// A word of letters, digits, `.`, `_`, `+` and `-`.
    Name,
    /// The name of a variable.
    Variable,
    /// A package.
    Package,
    /// A service of the system.
    Service,
    /// A container.
    Container,
    /// The image of a container.
    Image,
    /// A list of columns: `1,3-5`.
    Fields,
    /// A date or time in words or digits.
    Date,
    /// A network interface.
    Interface,
    /// A program.
    Program,
    /// A single character between fields.
    Delimiter,
    /// A path into a JSON document: `.items[0].name`.
    Key,
}

impl Kind {
    /// What a value of the type is called in a sentence.
    pub fn name(self) -> &'static str {
        self.rule().0
    }

    /// What the type is called, and what is right for it.
    fn rule(self) -> (&'static str, &'static str) {
        match self {
            Self::Path => ("path", "a file or directory"),
            Self::File => ("file", "the name of a file"),
            Self::Folder => ("folder", "the name of a directory"),
            Self::Output => ("path", "the name of a file or directory to make"),
            Self::Glob => ("pattern of names", "a pattern such as *.txt, without a slash"),
            Self::Extension => ("file ending", "letters and digits such as txt"),
            Self::Integer => ("number", "digits only"),
            Self::Decimal => ("number", "digits with at most one point"),
            Self::Size => ("size", "a number with k, M, G or T such as 10M"),
            Self::Duration => ("time", "a number with s, m, h or d such as 30s"),
            Self::Days => ("number of days", "digits only"),
            Self::Minutes => ("number of minutes", "digits only"),
            Self::Text | Self::SedPattern | Self::SedReplacement => ("text", "one line that is not empty"),
            Self::Regex => ("regular expression", "one that can be compiled, such as ^error"),
            Self::Host => ("host", "a name or address such as example.org"),
            Self::Address => ("address", "a host with or without a user such as me@example.org"),
            Self::Port => ("port", "a number from 1 to 65535"),
            Self::User => ("user", "a login name such as alice"),
            Self::Group => ("group", "a group name such as staff"),
            Self::Pid => ("process number", "a number from 1"),
            Self::Signal => ("signal", "a name such as TERM or a number from 1 to 64"),
            Self::Url => ("web address", "one that begins with http://, https://, ssh://, git:// or ftp://"),
            Self::Branch => ("branch", "a name of git such as feature/login"),
            Self::Commit => ("revision", "a hash, tag or HEAD~1"),
            Self::Mode => ("mode", "octal digits such as 644 or letters such as u+x"),
            Self::Name => ("name", "letters, digits, `.`, `_`, `+` and `-`"),
            Self::Variable => ("variable", "letters, digits and `_`, not beginning with a digit"),
            Self::Package => ("package", "a package name such as curl"),
            Self::Service => ("service", "a unit name such as nginx"),
            Self::Container => ("container", "a container name or id"),
            Self::Image => ("image", "an image such as debian:12"),
            Self::Fields => ("list of columns", "numbers and ranges such as 1,3-5"),
            Self::Date => ("date", "a date such as 2026-01-31 or yesterday"),
            Self::Interface => ("network interface", "a name such as eth0"),
            Self::Program => ("program", "the name of a program"),
            Self::Delimiter => ("separator", "a single character"),
            Self::Key => ("path into a document", "dots and names such as .items[0].name"),
        }
    }

    /// The value as the type writes it.
    ///
    /// # Errors
    /// If it is none of the type; the sentence says what would be right.
    pub fn accept(self, value: &str) -> Result<String, String> {
        let (name, right) = self.rule();
        if value.is_empty() {
            return Err(format!("a {name} is needed: {right}"));
        }
        if value.len() > LONGEST_VALUE {
            return Err(format!("the {name} has more than {LONGEST_VALUE} bytes"));
        }
        if value.contains(['\0', '\n', '\r']) {
            return Err(format!("the {name} holds a NUL or a line break: {right}"));
        }
        self.checked(value).ok_or_else(|| format!("`{value}` is no {name}: {right}"))
    }

    fn checked(self, value: &str) -> Option<String> {
        match self {
            Self::Size => return size(value),
            Self::Duration => return duration(value),
            Self::Signal => return signal(value),
            Self::Extension => {
                return word(value.trim_start_matches('.'), "")
                    .then(|| value.trim_start_matches('.').to_owned());
            }
            _ => {}
        }
        self.fits(value).then(|| value.to_owned())
    }

    fn fits(self, value: &str) -> bool {
        let digits = || value.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Path | Self::File | Self::Folder | Self::Output | Self::Text => true,
            Self::SedPattern | Self::SedReplacement => true,
            Self::Glob => !value.contains('/'),
            Self::Integer | Self::Days | Self::Minutes => digits() && value.len() <= 18,
            Self::Decimal => value.len() <= 18 && is_decimal(value),
            Self::Regex => {
                value.len() <= 500 && regex::RegexBuilder::new(value).size_limit(1 << 20).build().is_ok()
            }
            Self::Host => word(value, ".-:") && value.len() <= 253,
            Self::Address => is_address(value),
            Self::Port => value.parse::<u16>().is_ok_and(|port| port > 0 && digits()),
            Self::Pid => value.parse::<u32>().is_ok_and(|pid| pid > 0 && digits()),
            Self::User | Self::Group => word(value, "_.-") && !digits() && value.len() <= 32,
            Self::Url => is_url(value),
            Self::Branch | Self::Commit => is_revision(value),
            Self::Mode => is_mode(value),
            Self::Name => word(value, "._+-"),
            Self::Variable => word(value, "_") && !value.starts_with(|c: char| c.is_ascii_digit()),
            Self::Package => word(value, "._+-@/:=~"),
            Self::Service => word(value, "._-@:"),
            Self::Container => word(value, "._-"),
            Self::Image => word(value, "._-/:@"),
            Self::Program => word(value, "._+-/"),
            Self::Interface => word(value, "._-:@") && value.len() <= 15,
            Self::Fields => word(value, ",-") && value.bytes().all(|b| !b.is_ascii_alphabetic()),
            Self::Date => word(value, " -:./+TZ@,"),
            Self::Delimiter => value.chars().count() == 1,
            Self::Key => value.starts_with('.') && word(value, "._[]-"),
            Self::Size | Self::Duration | Self::Signal | Self::Extension => self.checked(value).is_some(),
        }
    }

    /// Whether a value can stand inside single quotes, in a program of sed, awk or jq, without changing it:
    /// it has only letters, digits and harmless marks, or is escaped for sed.
    pub(crate) fn fits_in_quotes(self) -> bool {
        matches!(
            self,
            Self::Integer
                | Self::Decimal
                | Self::Days
                | Self::Minutes
                | Self::Port
                | Self::Pid
                | Self::Extension
                | Self::Variable
                | Self::Key
                | Self::SedPattern
                | Self::SedReplacement
        )
    }

    /// The value as it is written into the command, before it is quoted.
    pub(crate) fn escaped(self, value: &str) -> String {
        match self {
            Self::SedPattern => sed_pattern(value),
            Self::SedReplacement => sed_replacement(value),
            _ => value.to_owned(),
        }
    }

    pub(crate) fn is_path(self) -> bool {
        matches!(self, Self::Path | Self::File | Self::Folder | Self::Output)
    }

    /// What is wrong with a value that begins with `-`.
    pub(crate) fn option_like(self, value: &str) -> String {
        let (name, right) = self.rule();
        if self.is_path() {
            format!("`{value}` would be read as an option; write ./{value}")
        } else {
            format!("`{value}` would be read as an option, a {name} does not begin with `-` here: {right}")
        }
    }
}

/// Letters, digits (of any script) and the characters of `others`, at least one.
fn word(value: &str, others: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn is_decimal(value: &str) -> bool {
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn is_address(value: &str) -> bool {
    match value.split_once('@') {
        Some((user, host)) => Kind::User.fits(user) && !user.is_empty() && Kind::Host.fits(host),
        None => Kind::Host.fits(value),
    }
}

fn is_url(value: &str) -> bool {
    let known = ["http", "https", "ssh", "git", "ftp", "sftp", "file"];
    let blank = value.chars().any(|c| c.is_whitespace() || c.is_control());
    value.split_once("://").is_some_and(|(scheme, rest)| known.contains(&scheme) && !rest.is_empty())
        && !blank
}

/// The rules of `git check-ref-format`, with what a revision may add.
fn is_revision(value: &str) -> bool {
    word(value, "._-/~^@{}+#")
        && !value.contains("..")
        && !value.ends_with(['/', '.'])
        && !value.ends_with(".lock")
}

fn is_mode(value: &str) -> bool {
    let octal = (3..=4).contains(&value.len()) && value.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let clause = |clause: &str| {
        let who = clause.trim_start_matches(['u', 'g', 'o', 'a']);
        who.starts_with(['+', '-', '=']) && who[1..].bytes().all(|b| b"rwxXst".contains(&b))
    };
    octal || value.split(',').all(clause)
}

/// Splits off the digits that `value` begins with.
fn digits_and_unit(value: &str) -> Option<(&str, &str)> {
    let end = value.bytes().take_while(u8::is_ascii_digit).count();
    (1..=15).contains(&end).then(|| value.split_at(end))
}

fn size(value: &str) -> Option<String> {
    let (number, unit) = digits_and_unit(value)?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => "k",
        "m" | "mb" | "mib" => "M",
        "g" | "gb" | "gib" => "G",
        "t" | "tb" | "tib" => "T",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

fn duration(value: &str) -> Option<String> {
    let (number, unit) = digits_and_unit(value)?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => "s",
        "m" | "min" | "minute" | "minutes" => "m",
        "h" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}

/// The names that kill(1) knows on Linux.
const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
];

fn signal(value: &str) -> Option<String> {
    let upper = value.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = name.parse::<u8>().is_ok_and(|number| (1..=64).contains(&number));
    (number || SIGNALS.contains(&name)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_each_type() {
        for (kind, good, bad) in [
            (Kind::Glob, "*.txt", "a/*.txt"),
            (Kind::Extension, "txt", "t x"),
            (Kind::Integer, "12", "-1"),
            (Kind::Decimal, "0.5", "1."),
            (Kind::Size, "10M", "10X"),
            (Kind::Duration, "2h", "2y"),
            (Kind::Regex, "^a+$", "("),
            (Kind::Host, "example.org", "a b"),
            (Kind::Host, "::1", "$(id)"),
            (Kind::Address, "me@example.org", "me@@x"),
            (Kind::Port, "65535", "65536"),
            (Kind::Port, "1", "0"),
            (Kind::User, "alice", "a;b"),
            (Kind::Pid, "1", "+1"),
            (Kind::Signal, "HUP", "BOOM"),
            (Kind::Url, "https://a.b/c?d=e", "javascript:alert(1)"),
            (Kind::Branch, "feature/x", "a..b"),
            (Kind::Commit, "HEAD~2", "x y"),
            (Kind::Mode, "0755", "999"),
            (Kind::Mode, "u+x,g-w", "u*x"),
            (Kind::Variable, "PATH", "1A"),
            (Kind::Fields, "1,3-5", "a"),
            (Kind::Date, "2 days ago", "$(x)"),
            (Kind::Delimiter, ",", ",,"),
            (Kind::Key, ".a[0].b", "a | b"),
            (Kind::Text, "it's $HOME", "two\nlines"),
            (Kind::Path, "a b", "a\0b"),
        ] {
            assert_eq!(kind.accept(good).as_deref(), Ok(good), "{kind:?}");
            let sentence = kind.accept(bad).unwrap_err();
            assert!(sentence.contains(kind.rule().1), "{sentence}");
            assert!(kind.accept("").is_err());
        }
    }

    #[test]
    fn units_are_brought_to_one_form() {
        for (kind, value, expected) in [
            (Kind::Size, "100MB", "100M"),
            (Kind::Size, "5 KiB", "5k"),
            (Kind::Duration, "10", "10s"),
            (Kind::Duration, "3hours", "3h"),
            (Kind::Signal, "sigterm", "TERM"),
            (Kind::Extension, ".rs", "rs"),
        ] {
            assert_eq!(kind.accept(value).unwrap(), expected);
        }
    }
}
