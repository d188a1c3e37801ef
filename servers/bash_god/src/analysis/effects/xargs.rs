//! `xargs`, which runs a command with arguments that it reads.

use crate::analysis::effects::{Access, Call, touch};
use crate::analysis::expand::{Arg, Form};
use crate::analysis::types::CommandEffects;
use crate::analysis::walk::{Input, Walker};

/// Letters whose value follows, attached or as the next argument (GNU findutils 4.9, and BSD's `-J`, `-R`, `-S`).
const WITH_VALUE: &str = "EIJLPRSadns";
/// Letters whose value is attached or absent.
const WITH_ATTACHED: &str = "eil";
/// Long options with the letter that means the same.
const LONG: &[(&str, char)] = &[
    ("arg-file", 'a'),
    ("delimiter", 'd'),
    ("eof", 'e'),
    ("max-args", 'n'),
    ("max-chars", 's'),
    ("max-lines", 'l'),
    ("max-procs", 'P'),
    // Its value is the name of a variable.
    ("process-slot-var", 'n'),
    ("replace", 'i'),
];

/// Options by their letters, with their values, and the command after them.
fn options(args: &[Arg]) -> (Vec<(char, Option<Arg>)>, &[Arg]) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.prefix.starts_with('-') && arg.text.len() > 1) {
        at += 1;
        if arg.text == "--" {
            break;
        }
        if let Some(long) = arg.text.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
            let Some((_, letter)) = LONG.iter().find(|(full, _)| full.starts_with(name)) else { continue };
            let mut value = value.map(Arg::literal);
            if value.is_none() && WITH_VALUE.contains(*letter) {
                value = args.get(at).cloned();
                at += 1;
            }
            found.push((*letter, value));
            continue;
        }
        let mut letters = arg.text[1..].chars();
        while let Some(letter) = letters.next() {
            let rest = letters.as_str();
            let attached = (!rest.is_empty()).then(|| Arg::literal(rest));
            if WITH_VALUE.contains(letter) {
                let value = attached.or_else(|| args.get(at).cloned());
                at += usize::from(rest.is_empty());
                found.push((letter, value));
                break;
            }
            if WITH_ATTACHED.contains(letter) {
                found.push((letter, attached));
                break;
            }
            found.push((letter, None));
        }
    }
    (found, args.get(at..).unwrap_or_default())
}

/// `xargs [OPTION] [COMMAND [ARGUMENT…]]`: the arguments that it adds are not known.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let (options, command) = options(call.args);
    let mut marks = Vec::new();
    for (letter, value) in &options {
        match (letter, value) {
            ('a', Some(file)) => touch(walker, effects, Access::Read, file),
            ('I' | 'J' | 'i', Some(mark)) if !mark.text.is_empty() => marks.push(mark.text.clone()),
            ('i', None) => marks.push("{}".to_owned()),
            _ => {}
        }
    }
    effects.doubt("`xargs` adds arguments that the text does not show.");
    let mut inner: Vec<Arg> = if command.is_empty() { vec![Arg::literal("echo")] } else { command.to_vec() };
    for mark in &marks {
        inner.iter_mut().for_each(|arg| open(arg, mark));
    }
    if marks.is_empty() {
        inner.push(Arg::unknown("…"));
    }
    walker.run_inner(&inner, effects, &Input::Inherited);
}

/// Makes an argument unknown from where a mark stands that is replaced.
pub(crate) fn open(arg: &mut Arg, mark: &str) {
    if let Some(at) = arg.text.find(mark) {
        let prefix = if arg.form == Form::Literal { arg.text[..at].to_owned() } else { String::new() };
        *arg = Arg { text: arg.text.clone(), form: Form::Dynamic, prefix, splits: false };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Context, analyse};

    #[test]
    fn options_end_where_the_command_begins() {
        for (line, letters, command) in [
            ("-0i sh", "0i", "sh"),
            ("-0I {} rm {}", "0I", "rm {}"),
            ("-rI% rm %", "rI", "rm %"),
            ("-n 1 -P4 rm", "nP", "rm"),
            ("--replace rm {}", "i", "rm {}"),
            ("--max-args 2 rm", "n", "rm"),
            ("--max-a=2 rm", "n", "rm"),
            ("--null -a list rm -f", "a", "rm -f"),
            ("-- rm", "", "rm"),
            ("-L", "L", ""),
            ("", "", ""),
        ] {
            let args: Vec<Arg> = line.split_whitespace().map(Arg::literal).collect();
            let (options, rest) = options(&args);
            assert_eq!(options.iter().map(|(letter, _)| *letter).collect::<String>(), letters, "{line}");
            assert_eq!(
                rest.iter().map(|arg| arg.text.as_str()).collect::<Vec<_>>().join(" "),
                command,
                "{line}"
            );
        }
    }

    #[test]
    fn a_mark_stands_for_anything_in_whatever_way_it_is_set() {
        for line in [
            "xargs -I{} rm {}",
            "xargs -0I {} rm {}",
            "xargs -0i rm {}",
            "xargs --replace rm {}",
            "xargs --replace=% rm %",
            "xargs -0i sh -c 'cat /dev/null > \"{}\"'",
            "xargs rm",
        ] {
            let analysis = analyse(line, &Context::new("/w", "/h"));
            let touched = |command: &CommandEffects| {
                command.writes.iter().chain(&command.deletes).any(|path| path.is_anything())
            };
            assert!(analysis.commands.iter().any(touched), "{line}: {:?}", analysis.commands);
        }
    }
}
