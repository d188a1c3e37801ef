//! Commands of the shell itself.

use crate::analysis::effects::{Access, Call, Rule, environment, interpreters, touch};
use crate::analysis::expand::{Arg, Form};
use crate::analysis::paths;
use crate::analysis::scope::Value;
use crate::analysis::types::{CommandEffects, Risk};
use crate::analysis::walk::Walker;

/// The rule of a command of the shell, if it has one of its own.
pub(crate) fn find(name: &str) -> Option<Rule> {
    Some(match name {
        "cd" | "pushd" | "popd" => directory,
        "export" | "declare" | "typeset" | "local" | "readonly" | "unset" => declare,
        "read" | "mapfile" | "readarray" | "getopts" | "let" => fills_variables,
        "printf" => printf,
        "set" | "shopt" | "alias" | "unalias" | "hash" | "enable" | "bind" | "complete" | "compgen" => {
            changes_shell
        }
        "trap" => trap,
        "eval" => eval,
        "source" | "." => source,
        "exec" => exec,
        "command" | "builtin" => command,
        "test" | "[" => test,
        "fc" | "history" => history,
        _ => return None,
    })
}

fn directory(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let operands: Vec<&Arg> =
        call.args.iter().filter(|arg| arg.text == "-" || !arg.prefix.starts_with('-')).collect();
    let start = walker.context.cwd.clone();
    let here = walker.scope.directory.clone();
    walker.scope.directory = match (call.name, operands.as_slice()) {
        ("cd", []) => Some(walker.context.home.clone()),
        ("cd" | "pushd", [only]) if only.text != "-" => match only.as_literal() {
            // If the change fails, what follows runs where the shell was before.
            Some(text) if here.as_deref().is_some_and(|here| within(here, &start)) => {
                paths::literal(text, here.as_deref())
            }
            Some(_) | None => None,
        },
        _ => None,
    };
    if let [only] = operands.as_slice() {
        touch(walker, effects, Access::Read, only);
        effects.reads.clear();
        if walker.scope.directory.is_none() {
            effects.find(Risk::Low, "Where it goes is not known, nor where later names are looked up.");
        }
    }
}

fn within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn declare(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    for arg in call.args {
        match arg.as_literal() {
            Some(option) if option.starts_with(['-', '+']) => {
                // `-n` makes a name stand for another one, `-i` evaluates what is assigned.
                if call.name != "unset" && call.name != "export" && option.contains(['n', 'i']) {
                    effects.doubt(format!("`{option}` changes how values are read."));
                }
            }
            Some(text) if call.name == "unset" => {
                if text.contains('[') {
                    effects.doubt(format!("The subscript in `{text}` is evaluated."));
                }
                environment::set(walker, text, Value::Unknown, effects);
            }
            Some(text) => {
                if let (true, Some((name, _))) = (exports(call), text.split_once('=')) {
                    environment::passed(name.trim_end_matches('+'), effects);
                }
                environment::declare(walker, text, effects);
            }
            None => match arg.prefix.split_once('=') {
                Some((name, _)) => {
                    environment::set(walker, name.trim_end_matches('+'), Value::Unknown, effects)
                }
                None => {
                    walker.scope.names_changed = true;
                    effects.doubt(format!("Which variable `{}` changes is not known.", arg.text));
                }
            },
        }
    }
}

/// Whether the values go to the programs that start later.
fn exports(call: &Call<'_>) -> bool {
    call.name == "export" || call.args.iter().any(|arg| arg.text.starts_with('-') && arg.text.contains('x'))
}

fn fills_variables(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    for arg in call.args {
        match arg.as_literal() {
            Some(option) if option.starts_with('-') => {
                // `-C` of mapfile runs a command for each line.
                if call.name != "read" && option.contains('C') {
                    effects.touches_anything();
                    effects.doubt("It runs a command for each line.");
                }
            }
            Some(text) if text.contains(['[', '$', '`']) => {
                effects.doubt(format!("The subscript in `{text}` is evaluated."));
            }
            Some(text) => {
                let name = text.split('=').next().unwrap_or(text);
                environment::set(walker, name, Value::Unknown, effects);
            }
            None => {
                walker.scope.names_changed = true;
                effects.doubt(format!("Which variable `{}` changes is not known.", arg.text));
            }
        }
    }
    if call.args.is_empty() {
        walker.scope.set("REPLY", Value::Unknown);
    }
}

fn printf(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let Some(first) = call.args.first() else { return };
    if first.prefix.starts_with("-v") {
        fills_variables(walker, &Call { args: &call.args[1..], ..*call }, effects);
    } else if first.may_be_option() {
        effects.doubt(format!("`{}` may be an option that sets a variable.", first.text));
    }
}

fn changes_shell(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let listing = call.args.is_empty()
        || matches!(call.name, "compgen" | "hash")
            && call.args.iter().all(|arg| matches!(arg.as_literal(), Some("-c" | "-b" | "-k" | "-r" | "-l")));
    if listing || call.name == "set" && call.args.iter().all(is_plain_option) {
        return;
    }
    walker.scope.names_changed = true;
    effects.doubt(format!("`{}` changes what later names and words mean.", call.name));
}

/// `set -e`, `set -euo pipefail` and their like change how errors end a script, not what its words mean.
fn is_plain_option(arg: &Arg) -> bool {
    arg.as_literal().is_some_and(|text| {
        text.strip_prefix(['-', '+']).is_some_and(|flags| flags.chars().all(|c| "euxoEvCTn".contains(c)))
            || matches!(text, "pipefail" | "errexit" | "nounset" | "xtrace" | "noclobber")
    })
}

fn trap(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    match call.args.first() {
        Some(first) if call.args.len() > 1 && !matches!(first.text.as_str(), "-" | "" | "-p" | "-l") => {
            interpreters::run_as_script(walker, first, effects);
            effects.doubt("It runs text later, when the shell ends or a signal comes.");
        }
        Some(_) | None => {}
    }
}

fn eval(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let known = call.args.iter().map(Arg::as_literal).collect::<Option<Vec<&str>>>();
    let joined = match known {
        Some(words) => Arg::literal(words.join(" ")),
        None => {
            let sources: Vec<&str> = call.args.iter().map(|arg| arg.text.as_str()).collect();
            Arg { form: Form::Dynamic, prefix: String::new(), splits: true, text: sources.join(" ") }
        }
    };
    interpreters::run_as_script(walker, &joined, effects);
    // What the text defines stays.
    walker.scope.names_changed = true;
    effects.doubt("`eval` reads its words a second time, as a script.");
}

fn source(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if let Some(script) = call.args.first() {
        interpreters::run_file(walker, script, effects);
    }
    walker.scope.names_changed = true;
    effects.doubt("A sourced script changes the shell itself.");
}

fn exec(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let inner = call.args.iter().position(|arg| !matches!(arg.as_literal(), Some("-c" | "-l" | "--")));
    if let Some(at) = inner {
        if call.args[at].prefix.starts_with('-') {
            return effects.doubt("What `exec` starts is not clear.");
        }
        walker.run_inner(&call.args[at..], effects, call.input);
    }
}

fn command(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    match call.args {
        [] => {}
        [first, ..] if call.name == "command" && matches!(first.as_literal(), Some("-v" | "-V")) => {}
        [first, rest @ ..] if matches!(first.as_literal(), Some("-p" | "--")) => {
            walker.run_inner(rest, effects, call.input);
        }
        args => walker.run_inner(args, effects, call.input),
    }
}

fn test(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let mut previous = "";
    for (at, arg) in call.args.iter().enumerate() {
        let next = call.args.get(at + 1).map_or("", |arg| arg.text.as_str());
        let file = previous.len() == 2
            && previous.starts_with('-')
            && "abcdefghkprsuwxGLNOS".contains(&previous[1..]);
        let compared = ["-nt", "-ot", "-ef"];
        if file && at > 0 || compared.contains(&previous) || compared.contains(&next) {
            touch(walker, effects, Access::Read, arg);
        }
        if matches!(previous, "-v" | "-R") && (arg.form != Form::Literal || arg.text.contains('[')) {
            effects.doubt(format!("The subscript in `{}` is evaluated.", arg.text));
        }
        previous = arg.text.as_str();
    }
    // Whether a file exists is known to whoever may list its directory.
    if effects.reads.iter().all(|path| !path.is_anything()) {
        effects.reads.clear();
    }
}

fn history(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.name == "fc" && !call.args.iter().any(|arg| arg.text.starts_with("-l")) {
        effects.touches_anything();
        effects.doubt("It runs an earlier command again.");
    }
    if call.name == "history" && call.args.iter().any(|arg| arg.text.starts_with('-')) {
        effects.doubt("It changes the history.");
        effects.other.push("changes the history of commands".to_owned());
        let named = call.args.iter().find(|arg| !arg.text.starts_with('-'));
        let home = paths::escape(&walker.context.home);
        let usual = Arg { form: Form::Glob, ..Arg::literal(format!("{home}/.*history")) };
        touch(walker, effects, Access::Change, named.unwrap_or(&usual));
    }
}
