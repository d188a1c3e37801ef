//! What a simple command does, by program.

mod arguments;
mod awk;
mod builtins;
pub(crate) mod environment;
mod find;
mod interpreters;
mod listed;
pub(crate) mod risk;
mod sed;
mod table;
mod tar;
mod wrappers;
mod xargs;

use crate::analysis::expand::{Arg, Form};
use crate::analysis::types::{Certainty, CommandEffects, PathPattern, Risk, push_new};
use crate::analysis::walk::{Input, Walker};

/// How a file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    /// Read and written.
    Change,
    Delete,
    /// Read and deleted.
    Move,
}

/// A program and what it was given.
pub(crate) struct Call<'a> {
    /// The name without its directory.
    pub(crate) name: &'a str,
    pub(crate) args: &'a [Arg],
    pub(crate) input: &'a Input,
}

impl Call<'_> {
    /// Whether the only argument asks for help or a version.
    pub(crate) fn asks_about_itself(&self) -> bool {
        let [only] = self.args else { return false };
        matches!(only.as_literal(), Some("--help" | "--version" | "-V"))
    }
}

/// What a program with rules of its own does.
type Rule = fn(&mut Walker<'_>, &Call<'_>, &mut CommandEffects);

/// Directories in which a program is what its name says.
pub(crate) const PROGRAM_FOLDERS: &[&str] =
    &["/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Adds a file to the effects.
pub(crate) fn touch(walker: &Walker<'_>, effects: &mut CommandEffects, access: Access, arg: &Arg) {
    for scheme in ["/dev/tcp/", "/dev/udp/"] {
        if let Some(rest) = arg.prefix.strip_prefix(scheme) {
            effects.network = true;
            effects.hosts.extend(rest.split('/').next().filter(|host| !host.is_empty()).map(str::to_owned));
            return;
        }
    }
    touch_pattern(effects, access, walker.path(arg));
}

/// Adds a file by its pattern.
pub(crate) fn touch_pattern(effects: &mut CommandEffects, access: Access, path: PathPattern) {
    match access {
        Access::Read => push_new(&mut effects.reads, path),
        Access::Write => push_new(&mut effects.writes, path),
        Access::Delete => push_new(&mut effects.deletes, path),
        Access::Change => {
            push_new(&mut effects.reads, path.clone());
            push_new(&mut effects.writes, path);
        }
        Access::Move => {
            push_new(&mut effects.reads, path.clone());
            push_new(&mut effects.deletes, path);
        }
    }
}

/// Adds all below a file.
pub(crate) fn touch_below(walker: &Walker<'_>, effects: &mut CommandEffects, access: Access, arg: &Arg) {
    let path = walker.path(arg);
    let below =
        if path.is_anything() { path } else { PathPattern(format!("{}/**", path.0.trim_end_matches('/'))) };
    touch_pattern(effects, access, below);
}

/// Adds the effects of a command to `effects`, and of what it starts to the walker.
pub(crate) fn apply(
    walker: &mut Walker<'_>,
    name: &Arg,
    args: &[Arg],
    input: &Input,
    effects: &mut CommandEffects,
) {
    let Some(text) = name.as_literal() else {
        effects.touches_anything();
        push_new(&mut effects.executes, name.text.clone());
        effects.doubt(format!("Which program `{}` names is not known.", name.text));
        return effects.find(Risk::High, "A program whose name is not known may do anything.");
    };
    if let Some(body) = walker.scope.functions.get(text).cloned() {
        return walker.call(&body, args, effects, input);
    }
    let base = match text.rsplit_once('/') {
        Some((folder, base)) if PROGRAM_FOLDERS.contains(&folder) => base,
        Some(_) => {
            unlisted_path(walker, name, effects);
            return unknown_arguments(args, effects);
        }
        None => text,
    };
    if walker.scope.names_changed && !text.contains('/') {
        effects.touches_anything();
        effects
            .doubt(format!("`{text}` may be another program than usual, because names were changed before."));
    }
    let call = Call { name: base, args, input };
    match special(base) {
        Some(rule) => rule(walker, &call, effects),
        None => match table::find(base) {
            Some(spec) => listed::apply(walker, &call, spec, effects),
            None => {
                unlisted(base, effects);
                unknown_arguments(args, effects);
            }
        },
    }
}

fn special(name: &str) -> Option<Rule> {
    if let Some(rule) = builtins::find(name) {
        return Some(rule);
    }
    match name {
        "sed" | "gsed" => Some(sed::apply),
        "awk" | "gawk" | "mawk" | "nawk" => Some(awk::apply),
        "find" | "gfind" => Some(find::apply),
        "tar" | "gtar" | "bsdtar" => Some(tar::apply),
        "dd" => Some(tar::dd),
        "env" => Some(wrappers::env),
        "xargs" => Some(xargs::apply),
        "parallel" => Some(wrappers::parallel),
        "watch" => Some(wrappers::watch),
        "su" => Some(wrappers::su),
        _ => interpreters::find(name),
    }
}

fn unlisted_path(walker: &Walker<'_>, name: &Arg, effects: &mut CommandEffects) {
    let path = walker.path(name);
    push_new(&mut effects.executes, path.0.clone());
    push_new(&mut effects.reads, path);
    effects.touches_anything();
    effects.certainty = effects.certainty.max(Certainty::Unlisted);
    effects
        .find(Risk::Medium, format!("`{}` is a program of this directory that may do anything.", name.text));
    if ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|folder| name.text.starts_with(folder)) {
        effects.find(Risk::High, "A program in a directory where everybody can write may be anybody's.");
    }
}

/// Arguments that are not known make the effects of a program unknown if its options are not described.
fn unknown_arguments(args: &[Arg], effects: &mut CommandEffects) {
    if let Some(arg) = args.iter().find(|arg| arg.form == Form::Dynamic || arg.may_be_option()) {
        effects.touches_anything();
        effects.doubt(format!("What `{}` stands for is not known.", arg.text));
    }
}

fn unlisted(name: &str, effects: &mut CommandEffects) {
    effects.touches_anything();
    effects.certainty = effects.certainty.max(Certainty::Unlisted);
    effects.find(Risk::Medium, format!("`{name}` is not described: it may read, write or delete anything."));
}

/// Marks that code runs which is not part of the line.
pub(crate) fn runs_code(effects: &mut CommandEffects, what: &str) {
    push_new(&mut effects.executes, what.to_owned());
    effects.find(Risk::Medium, format!("It runs {what}."));
}
