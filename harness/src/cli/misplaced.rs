//! Options that another verb has: the error names that verb.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use crate::called::{self, program};
use crate::cli::args::Cli;
use crate::cli::mcp::verb_of;

/// The verbs of `parent` that have a long option, as a person would type them: "`perflab mcp open` and …".
pub(crate) fn verbs_with(parent: &str, option: &str) -> String {
    let mut cli = Cli::command();
    cli.build();
    let verbs = cli.find_subcommand(parent).map_or_else(Vec::new, |parent| having(parent, option));
    listed(&verbs.iter().map(|verb| format!("`{} {parent} {verb}`", program())).collect::<Vec<_>>())
}

/// An error of the command line, with the verb that was meant: for an option that only other verbs have, and for a verb
/// that is misspelt or follows an option.
pub(crate) fn explained(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    let word = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) if error.kind() == ErrorKind::UnknownArgument => word.clone(),
        _ => return error,
    };
    let mut cli = Cli::command();
    cli.build();
    // From the program down to the verb that was typed; the first word that is none ends the way.
    let mut way = vec![&cli];
    let mut words = words.iter().filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    while let Some(verb) = words.next().and_then(|word| way.last()?.find_subcommand(word)) {
        way.push(verb);
    }
    let tip = match word.strip_prefix("--") {
        Some(option) => of_option(&way, option),
        None => of_verb(&way, &word),
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// A way from the program to a verb as a person types it.
fn typed(way: &[&Command]) -> String {
    let names = way.iter().skip(1).map(|verb| verb.get_name());
    std::iter::once(program()).chain(names).collect::<Vec<_>>().join(" ")
}

/// Which verbs beside the typed one have an option, or are what it asked for once.
fn of_option(way: &[&Command], option: &str) -> Option<String> {
    let (_, above) = way.split_last()?;
    let path = typed(above);
    let verbs: Vec<String> =
        having(above.last()?, option).into_iter().map(|verb| format!("`{path} {verb}`")).collect();
    match verbs_of_old(&path, option) {
        Some(verb) if verbs.is_empty() => Some(format!("--{option} is now `{path} {verb}`")),
        _ if verbs.is_empty() => None,
        _ => Some(format!("--{option} is an option of {}", listed(&verbs))),
    }
}

/// The verb that replaced an option of `mcp`.
fn verbs_of_old(path: &str, option: &str) -> Option<&'static str> {
    (path == called::typed("mcp")).then(|| verb_of(option)).flatten()
}

/// The verb that a word was meant to be.
fn of_verb(way: &[&Command], word: &str) -> Option<String> {
    let (last, path) = (way.last()?, typed(way));
    if let Some(verb) = last.find_subcommand(word) {
        return Some(format!("write the verb before its options: `{path} {}`", verb.get_name()));
    }
    let near = |verb: &&Command| strsim::jaro_winkler(verb.get_name(), word) > 0.8 && !verb.is_hide_set();
    let verb = last.get_subcommands().find(near)?;
    Some(format!("there is a verb with a similar name: `{path} {}`", verb.get_name()))
}

/// The visible verbs of a command that have a long option.
fn having<'a>(parent: &'a Command, option: &str) -> Vec<&'a str> {
    let has = |verb: &&Command| {
        !verb.is_hide_set()
            && verb.get_arguments().any(|arg| arg.get_long() == Some(option) && !arg.is_hide_set())
    };
    parent.get_subcommands().filter(has).map(Command::get_name).collect()
}

fn listed(all: &[String]) -> String {
    match all {
        [] => "no verb".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn said(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let Err(error) = Cli::try_parse_from(std::iter::once("perflab".into()).chain(words.clone())) else {
            panic!("{line} is understood");
        };
        explained(error, &words).to_string()
    }

    #[test]
    fn an_option_of_another_verb_is_reported_with_that_verb() {
        for (line, tip) in [
            (
                "mcp capacity --rate 5 -- x",
                "tip: --rate is an option of `perflab mcp open` and `perflab mcp soak`",
            ),
            ("mcp open --rate 5 --p99 5ms -- x", "tip: --p99 is an option of `perflab mcp capacity`"),
            (
                "mcp field f.toml --against x",
                "`perflab mcp closed`, `perflab mcp open` and `perflab mcp cold-start`",
            ),
            ("mcp closed --servers f.toml -- x", "tip: --servers is now `perflab mcp field FILE`"),
            ("mcp cancel --sweep tools -- x", "tip: --sweep is now `perflab mcp sweep WHAT`"),
        ] {
            assert!(said(line).contains(tip), "{line}: {}", said(line));
        }
        assert!(!said("mcp open --no-such-option -- x").contains("is an option of"));
    }

    #[test]
    fn a_verb_that_is_misspelt_or_comes_too_late_is_found() {
        let tip = "tip: there is a verb with a similar name: `perflab mcp capacity`";
        assert!(said("mcp capcity -- x").contains(tip), "{}", said("mcp capcity -- x"));
        let late = said("mcp --format json capacity -- x");
        assert!(late.contains("tip: write the verb before its options: `perflab mcp capacity`"), "{late}");
    }

    #[test]
    fn verbs_are_listed_as_a_person_lists_them() {
        assert_eq!(verbs_with("mcp", "p99"), "`perflab mcp capacity`");
        assert_eq!(verbs_with("mcp", "no-such-option"), "no verb");
    }
}
