//! Programs that start another one with what they are given.

use crate::analysis::effects::xargs::open;
use crate::analysis::effects::{Call, environment, interpreters};
use crate::analysis::expand::Arg;
use crate::analysis::types::{CommandEffects, Risk};
use crate::analysis::walk::{Input, Walker};

/// `env [OPTION] [NAME=VALUE] [COMMAND]`
pub(crate) fn env(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let mut args = call.args.iter().enumerate();
    while let Some((at, arg)) = args.next() {
        match arg.as_literal() {
            Some("-i" | "-" | "-0" | "--ignore-environment" | "--null" | "--") => {}
            Some("-u" | "--unset") => {
                args.next();
            }
            Some(text) if text.starts_with("-u") || text.starts_with("--unset=") => {}
            Some(text) if text.starts_with('-') => {
                effects.touches_anything();
                return effects.doubt(format!("The option `{text}` of env changes what runs."));
            }
            _ if arg.prefix.contains('=') => {
                environment::passed(arg.prefix.split('=').next().unwrap_or(""), effects);
            }
            _ => {
                effects.doubt("`env` starts another program.");
                return walker.run_inner(&call.args[at..], effects, call.input);
            }
        }
    }
}

/// Splits options with and without values from the command that follows.
fn command_after<'a>(args: &'a [Arg], with_value: &[&str]) -> (&'a [Arg], &'a [Arg]) {
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        if !arg.prefix.starts_with('-') {
            break;
        }
        at += if with_value.contains(&arg.text.as_str()) { 2 } else { 1 };
        if arg.text == "--" {
            break;
        }
    }
    args.split_at(at.min(args.len()))
}

/// GNU parallel gives every line to a shell.
pub(crate) fn parallel(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    effects.touches_anything();
    effects.doubt("`parallel` runs each line that it reads in a shell.");
    effects.find(Risk::High, "File names or lines run as commands where they are not quoted.");
    let (_, command) =
        command_after(call.args, &["-j", "-P", "-n", "-N", "-I", "-a", "--jobs", "--colsep", "-C", "-S"]);
    let end = command.iter().position(|arg| arg.text.starts_with(":::")).unwrap_or(command.len());
    if !command[..end].is_empty() {
        let mut inner = command[..end].to_vec();
        inner.iter_mut().for_each(|arg| open(arg, "{"));
        inner.push(Arg::unknown("…"));
        walker.run_inner(&inner, effects, &Input::Inherited);
    }
}

/// `watch` joins its arguments and gives them to a shell.
pub(crate) fn watch(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let (_, command) = command_after(call.args, &["-n", "--interval", "-q", "--equexit"]);
    let words: Option<Vec<&str>> = command.iter().map(Arg::as_literal).collect();
    let joined = words.map_or_else(|| Arg::unknown("…"), |words| Arg::literal(words.join(" ")));
    interpreters::run_as_script(walker, &joined, effects);
    effects.doubt("`watch` runs its words in a shell, again and again.");
}

/// `su [-] [USER] [-c COMMAND]`
pub(crate) fn su(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    effects.privilege = true;
    effects.find(Risk::High, "It runs another command as somebody else.");
    effects.doubt("`su` starts a shell.");
    let text = call.args.iter().position(|arg| matches!(arg.text.as_str(), "-c" | "--command"));
    match text.and_then(|at| call.args.get(at + 1)) {
        Some(text) => interpreters::run_as_script(walker, text, effects),
        None => effects.touches_anything(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_with_rules_of_their_own_are_not_in_the_table_too() {
        for name in ["env", "xargs", "parallel", "watch", "su", "sed", "awk", "find", "tar", "sh", "python3"]
        {
            assert!(crate::analysis::effects::table::find(name).is_none(), "{name}");
            assert!(crate::analysis::effects::special(name).is_some(), "{name}");
        }
    }

    #[test]
    fn options_end_where_the_command_starts() {
        let args: Vec<Arg> = ["-0", "-n", "1", "rm", "-f"].into_iter().map(Arg::literal).collect();
        let (options, command) = command_after(&args, &["-n"]);
        assert_eq!((options.len(), command[0].text.as_str()), (3, "rm"));
    }
}
