//! What the programs of `programs.txt` do with their arguments.

use std::collections::HashMap;
use std::sync::LazyLock;

/// What happens to the file, text or command that an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Ignored,
    Read,
    Write,
    Change,
    Delete,
    Move,
    Command,
    Host,
    Repository,
    Index,
    Revision,
    Compress,
    Format,
    Attached,
    TwoIgnored,
    /// The operands from here on are the command of another program.
    Rest,
    /// The option makes the effects unknown.
    Danger,
    /// The option has no value and no effect.
    Flag,
}

/// The roles of operands in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operands {
    pub(crate) first: Vec<Role>,
    pub(crate) repeated: Option<Role>,
    pub(crate) last: Option<Role>,
    /// The first operand is a sub-command.
    pub(crate) sub: bool,
}

/// A program, or one of its sub-commands: a line of `programs.txt`, whose head explains the columns.
///
/// The traits are single bools, not one kind out of several: a line has any number of them, and each is a question of
/// its own that the walk asks at another place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spec {
    pub(crate) operands: Operands,
    pub(crate) options: Vec<(&'static str, Role)>,
    /// Options that are not listed have no effect. Without it an option that nobody described makes the effects
    /// unknown, which is why only lines have it whose remaining options were looked through.
    pub(crate) open: bool,
    /// Without an operand the working directory is read, which no word of the line names: `ls`, `du`.
    pub(crate) reads_directory: bool,
    /// What is named stands for all below it, so that `rm -r a` deletes `a/**` and not just `a`.
    pub(crate) tree: bool,
    /// What is written may be a directory that files are put into; what is replaced may be kept beside it. Whether it
    /// is one does not show in the text, so both are said to be written.
    pub(crate) into: bool,
    /// A network is used, even where no operand is a host: `rustup update`.
    pub(crate) network: bool,
    /// More rights are needed or taken. A rule cannot see that from the files alone.
    pub(crate) privilege: bool,
    /// Code of the project or of plug-ins runs, whose effects are not those of the program: `make`, `cargo`.
    pub(crate) code: bool,
    /// It writes or deletes files that the text does not name; the ones that it does name are listed as well.
    pub(crate) anything: bool,
    /// Without `-e` or `-f` the first operand is a pattern and not a file: `grep`.
    pub(crate) pattern: bool,
    /// Options have one dash and a whole name, so that `-json` is not `-j -s -o -n`: `go env`.
    pub(crate) single: bool,
    /// Beyond `anything`: what happens is not shown by the arguments at all, so that no rule can allow it.
    pub(crate) opaque: bool,
    /// An effect that no file shows, such as ending a process.
    pub(crate) other: Option<&'static str>,
}

static TABLE: LazyLock<HashMap<&'static str, Spec>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for line in include_str!("programs.txt").lines() {
        if let Some((names, spec)) = parse(line) {
            table.extend(names.split_whitespace().map(|name| (name, spec.clone())));
        }
    }
    table
});

/// The description of a program, or of a sub-command as `program:sub`.
pub(crate) fn find(name: &str) -> Option<&'static Spec> {
    TABLE.get(name)
}

impl Spec {
    /// The role of an option that is spelled exactly so.
    pub(crate) fn option(&self, name: &str) -> Option<Role> {
        self.options.iter().find(|(option, _)| *option == name).map(|(_, role)| *role)
    }

    /// The role of a long option, which many programs accept shortened: the worst of those that it may mean.
    pub(crate) fn long_option(&self, name: &str) -> Option<Role> {
        if let Some(role) = self.option(name) {
            return Some(role);
        }
        let mut candidates =
            self.options.iter().filter(|(option, _)| option.starts_with(name)).map(|(_, role)| *role);
        let first = candidates.next()?;
        Some(if candidates.all(|role| role == first) { first } else { Role::Danger })
    }
}

fn parse(line: &'static str) -> Option<(&'static str, Spec)> {
    if line.starts_with('#') {
        return None;
    }
    let mut columns = line.splitn(4, '|').map(str::trim);
    let names = columns.next().filter(|names| !names.is_empty())?;
    let mut spec = Spec { operands: operands(columns.next()?), ..Spec::default() };
    for item in columns.next()?.split(';').map(str::trim) {
        match item {
            "cwd" => spec.reads_directory = true,
            "tree" => spec.tree = true,
            "into" => spec.into = true,
            "net" => spec.network = true,
            "priv" => spec.privilege = true,
            "code" => spec.code = true,
            "anything" => spec.anything = true,
            "pattern" => spec.pattern = true,
            "single" => spec.single = true,
            "opaque" => spec.opaque = true,
            _ => spec.other = item.strip_prefix("other=").or(spec.other),
        }
    }
    for item in columns.next()?.split_whitespace() {
        match item.split_once('=') {
            _ if item == "*" => spec.open = true,
            Some((name, role)) => spec.options.push((name, role_of(role))),
            None => match item.strip_suffix('!') {
                Some(name) => spec.options.push((name, Role::Danger)),
                None => spec.options.push((item, Role::Flag)),
            },
        }
    }
    Some((names, spec))
}

fn operands(text: &str) -> Operands {
    let mut out = Operands::default();
    for item in text.split_whitespace() {
        match item {
            "sub" => out.sub = true,
            "-" => {}
            _ => match item.strip_suffix('*') {
                Some(role) => out.repeated = Some(role_of(role)),
                None if out.repeated.is_some() => out.last = Some(role_of(item)),
                None => out.first.push(role_of(item)),
            },
        }
    }
    out
}

fn role_of(letter: &str) -> Role {
    match letter {
        "v" => Role::Ignored,
        "r" => Role::Read,
        "w" => Role::Write,
        "m" => Role::Change,
        "d" => Role::Delete,
        "c" => Role::Move,
        "x" => Role::Command,
        "h" => Role::Host,
        "g" => Role::Repository,
        "i" => Role::Index,
        "p" => Role::Revision,
        "z" => Role::Compress,
        "+" => Role::Format,
        "a" => Role::Attached,
        "V" => Role::TwoIgnored,
        "X" => Role::Rest,
        _ => Role::Danger,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        for line in include_str!("programs.txt").lines() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            assert_eq!(line.matches('|').count(), 3, "{line}");
            let (_, spec) = parse(line).unwrap();
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            for item in columns[1].split_whitespace().filter(|item| !matches!(*item, "sub" | "-")) {
                assert_ne!(role_of(item.trim_end_matches('*')), Role::Danger, "{line}");
            }
            for item in columns[3].split_whitespace() {
                let role = item.split_once('=').map(|(_, role)| role_of(role));
                assert_ne!(role, Some(Role::Danger), "{item} in {line}");
            }
            for item in columns[2].split(';').map(str::trim).filter(|item| !item.is_empty()) {
                let known =
                    ["cwd", "tree", "into", "net", "priv", "code", "anything", "pattern", "single", "opaque"];
                assert!(known.contains(&item) || item.starts_with("other="), "{item} in {line}");
            }
            assert!(!spec.options.iter().any(|(name, _)| name.is_empty()), "{line}");
        }
        assert!(TABLE.len() >= 150, "{} programs", TABLE.len());
    }

    #[test]
    fn a_shortened_option_means_the_worst_that_it_may_mean() {
        let sort = find("sort").unwrap();
        assert_eq!(sort.long_option("--compress-program"), Some(Role::Command));
        assert_eq!(sort.long_option("--comp"), Some(Role::Command));
        assert_eq!(sort.long_option("--o"), Some(Role::Write));
        assert_eq!(sort.long_option("--unique"), None);
    }
}
