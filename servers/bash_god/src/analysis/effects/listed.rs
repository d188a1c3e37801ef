//! Programs that the table describes.

use crate::analysis::effects::arguments::{self, Arguments};
use crate::analysis::effects::table::{self, Operands, Role, Spec};
use crate::analysis::effects::{
    Access, Call, runs_code, touch, touch_below, touch_pattern, unknown_arguments,
};
use crate::analysis::expand::{Arg, Form};
use crate::analysis::paths;
use crate::analysis::types::{Certainty, CommandEffects, PathPattern, Risk, push_new};
use crate::analysis::walk::Walker;

const READS_OPTIONS: &[&str] =
    &["nm", "size", "readelf", "objdump", "c++filt", "addr2line", "strings", "ar", "strip"];

/// Adds what a described program does.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, spec: &Spec, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    if spec.operands.sub {
        return with_sub_command(walker, call, call.name, spec, effects);
    }
    if spec.operands.first.contains(&Role::Rest) {
        return starts_another(walker, call, spec, effects);
    }
    let arguments = arguments::read(call.args, spec, false);
    traits(spec, effects);
    options(walker, call, spec, &arguments, effects);
    operands(walker, call, spec, &arguments, effects);
}

fn traits(spec: &Spec, effects: &mut CommandEffects) {
    effects.network |= spec.network;
    effects.privilege |= spec.privilege;
    if spec.code {
        runs_code(effects, "code of the project or of plug-ins");
    }
    if spec.anything {
        effects.touches_anything();
    }
    if spec.opaque {
        effects.touches_anything();
        effects.doubt("What it does is not shown by its arguments.");
    }
    if let Some(other) = spec.other {
        push_new(&mut effects.other, other.to_owned());
        effects.find(Risk::Medium, format!("It {other}."));
    }
}

fn with_sub_command(
    walker: &mut Walker<'_>,
    call: &Call<'_>,
    path: &str,
    spec: &Spec,
    effects: &mut CommandEffects,
) {
    let arguments = arguments::read(call.args, spec, true);
    for doubt in &arguments.doubts {
        effects.touches_anything();
        effects.doubt(doubt.clone());
    }
    let Some(sub) = arguments.operands.first() else {
        // A program alone prints its usage; a sub-command alone does what its traits say.
        if path.contains(':') {
            traits(spec, effects);
        }
        return;
    };
    options(walker, call, spec, &Arguments { doubts: Vec::new(), ..arguments.clone() }, effects);
    let rest = &call.args[arguments.read..];
    let inner = sub.as_literal().and_then(|sub| {
        let name = format!("{path}:{sub}");
        table::find(&name).map(|spec| (name, spec))
    });
    match inner {
        Some((name, inner)) => {
            let args = git_directory(walker, path, &arguments);
            let call = Call { name: call.name, args: rest, input: call.input };
            if inner.operands.sub {
                with_sub_command(walker, &call, &name, inner, effects);
            } else {
                apply(walker, &call, inner, effects);
            }
            walker.scope.directory = args;
        }
        None => {
            traits(spec, effects);
            unknown_arguments(call.args, effects);
            if !(spec.anything || spec.code || spec.network) {
                effects.touches_anything();
                effects.certainty = effects.certainty.max(Certainty::Unlisted);
                effects.find(Risk::Medium, format!("The sub-command `{}` is not described.", sub.text));
            }
        }
    }
}

/// Moves to where `-C` says, for programs that have it; returns the directory to go back to.
fn git_directory(walker: &mut Walker<'_>, path: &str, arguments: &Arguments) -> Option<String> {
    let before = walker.scope.directory.clone();
    if path != "git" && path != "cargo" && path != "go" {
        return before;
    }
    for option in arguments.options.iter().filter(|option| option.name == "-C") {
        let target = option.value.as_ref().and_then(Arg::as_literal);
        walker.scope.directory =
            target.and_then(|target| paths::literal(target, walker.scope.directory.as_deref()));
    }
    before
}

fn starts_another(walker: &mut Walker<'_>, call: &Call<'_>, spec: &Spec, effects: &mut CommandEffects) {
    let arguments = arguments::read(call.args, spec, true);
    traits(spec, effects);
    options(walker, call, spec, &arguments, effects);
    let before = spec.operands.first.len() - 1;
    let start = arguments.read.saturating_sub(usize::from(!arguments.operands.is_empty()));
    let skipped = start..(start + before).min(call.args.len());
    for (arg, role) in call.args[skipped.clone()].iter().zip(&spec.operands.first) {
        by_role(walker, call, spec, *role, arg, effects);
    }
    let mut inner = call.args.get(skipped.end..).unwrap_or_default();
    if spec.privilege {
        effects.find(Risk::High, "It runs another command with more rights.");
        // `sudo NAME=VALUE command`
        while inner.first().is_some_and(|arg| arg.prefix.contains('=')) {
            effects.doubt("It changes the environment of a command with more rights.");
            inner = &inner[1..];
        }
    }
    if inner.is_empty() {
        effects.touches_anything();
        effects.doubt("It starts a program that the text does not name.");
    } else {
        walker.run_inner(inner, effects, call.input);
    }
}

fn options(
    walker: &mut Walker<'_>,
    call: &Call<'_>,
    spec: &Spec,
    arguments: &Arguments,
    effects: &mut CommandEffects,
) {
    for doubt in &arguments.doubts {
        effects.touches_anything();
        effects.doubt(doubt.clone());
    }
    for option in &arguments.options {
        match &option.value {
            Some(value) => by_role(walker, call, spec, option.role, value, effects),
            None if option.role == Role::Repository => repository(walker, effects),
            None => {}
        }
    }
}

fn operands(
    walker: &mut Walker<'_>,
    call: &Call<'_>,
    spec: &Spec,
    arguments: &Arguments,
    effects: &mut CommandEffects,
) {
    let mut given: &[Arg] = &arguments.operands;
    // The programs of binutils read more options from a file that is named so.
    if READS_OPTIONS.contains(&call.name) && given.iter().any(|arg| arg.prefix.starts_with('@')) {
        effects.touches_anything();
        effects.doubt("An operand with an at sign names a file of options.");
    }
    let mut roles = spec.operands.clone();
    if spec.pattern && arguments.has(&["-e", "-f", "--regexp", "--file", "--from-file", "--files"]) {
        roles.first = roles.first.get(1..).unwrap_or_default().to_vec();
    }
    if roles.last.is_some() && arguments.has(&["-t", "--target-directory"]) {
        roles.last = None;
    } else if roles.last == Some(Role::Write) && given.len() == 1 && !given[0].splits {
        // `ln -s TARGET` makes a link of the same name here.
        touch_below(walker, effects, Access::Write, &Arg::literal("."));
    }
    let named = given.len() > roles.first.len() - usize::from(roles.first.first() == Some(&Role::Read));
    if spec.reads_directory && !named {
        touch(walker, effects, Access::Read, &Arg::literal("."));
    }
    if let (Some(last), [start @ .., end]) = (roles.last, given) {
        let alone = start.is_empty() && !end.splits;
        if !alone {
            by_role(walker, call, spec, last, end, effects);
            if !end.splits {
                given = start;
            }
        }
    }
    for (at, arg) in given.iter().enumerate() {
        match operand_role(&roles, at) {
            Some(role) => by_role(walker, call, spec, role, arg, effects),
            None => {
                effects.touches_anything();
                effects.doubt(format!("The operand `{}` is more than is described.", arg.text));
            }
        }
    }
    if spec.tree {
        deepen(effects);
    }
    if spec.into && arguments.has(&["-b", "--backup", "-S", "--suffix"]) {
        backups(effects);
    }
    compressed(arguments, given, walker, spec, effects);
}

/// What was there before is kept beside it, under its name and a suffix.
fn backups(effects: &mut CommandEffects) {
    let beside: Vec<PathPattern> = effects
        .writes
        .iter()
        .filter(|path| !path.is_anything() && !path.0.ends_with("/**"))
        .map(|path| PathPattern(format!("{}*", path.0)))
        .collect();
    for path in beside {
        push_new(&mut effects.writes, path);
    }
}

fn operand_role(roles: &Operands, at: usize) -> Option<Role> {
    roles.first.get(at).copied().or(roles.repeated)
}

fn by_role(
    walker: &mut Walker<'_>,
    call: &Call<'_>,
    spec: &Spec,
    role: Role,
    arg: &Arg,
    effects: &mut CommandEffects,
) {
    let access = match role {
        Role::Flag | Role::Ignored | Role::Attached | Role::TwoIgnored | Role::Compress | Role::Rest => {
            return;
        }
        Role::Danger => return effects.doubt(format!("`{}` can run or change anything.", arg.text)),
        Role::Command => return walker.run_text(&arg.text, effects, call.input),
        Role::Host => return host(arg, effects),
        Role::Repository => return repository(walker, effects),
        Role::Format if arg.prefix.starts_with('+') => return,
        Role::Format => {
            push_new(&mut effects.other, "may change the clock".to_owned());
            return effects.doubt(format!("`{}` is not a format.", arg.text));
        }
        Role::Revision => return revision(walker, arg, effects),
        Role::Index => {
            repository(walker, effects);
            Access::Read
        }
        Role::Read => Access::Read,
        Role::Write => Access::Write,
        Role::Change => Access::Change,
        Role::Delete => Access::Delete,
        Role::Move => Access::Move,
    };
    // A single dash is the standard input or output.
    if arg.text == "-" && !matches!(role, Role::Delete | Role::Move) {
        return;
    }
    touch(walker, effects, access, arg);
    if (spec.tree || spec.into) && access == Access::Write {
        touch_below(walker, effects, Access::Write, arg);
    }
}

/// What is moved, copied or removed as a tree is read below as well.
fn deepen(effects: &mut CommandEffects) {
    let below: Vec<PathPattern> = effects
        .reads
        .iter()
        .filter(|path| !path.is_anything() && !path.0.ends_with("/**"))
        .map(|path| PathPattern(format!("{}/**", path.0.trim_end_matches('/'))))
        .collect();
    for path in below {
        push_new(&mut effects.reads, path);
    }
}

fn host(arg: &Arg, effects: &mut CommandEffects) {
    let text = arg.prefix.as_str();
    if let Some(path) = text.strip_prefix("file://") {
        touch_pattern(effects, Access::Read, PathPattern(paths::escape(path)));
    }
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?', '#']).next().unwrap_or("");
    if arg.form == Form::Dynamic && host == rest {
        return;
    }
    if !host.is_empty() {
        push_new(&mut effects.hosts, host.to_owned());
    }
}

fn repository(walker: &Walker<'_>, effects: &mut CommandEffects) {
    touch(walker, effects, Access::Read, &Arg::literal(".git"));
    touch_below(walker, effects, Access::Write, &Arg::literal(".git"));
    effects.find(Risk::Low, "It changes the git repository.");
}

/// A revision or a path of the repository; anything outside is a file that git reads.
fn revision(walker: &Walker<'_>, arg: &Arg, effects: &mut CommandEffects) {
    let outside = arg.text.starts_with(['/', '~']) || arg.text.split('/').any(|part| part == "..");
    if outside || arg.form == Form::Dynamic {
        touch(walker, effects, Access::Read, arg);
    }
}

/// Compressors put a new file in the place of the old one unless they only print.
fn compressed(
    arguments: &Arguments,
    given: &[Arg],
    walker: &Walker<'_>,
    spec: &Spec,
    effects: &mut CommandEffects,
) {
    if spec.operands.repeated != Some(Role::Compress) {
        return;
    }
    let prints = arguments.has(&["-c", "-l", "-t", "--stdout", "--to-stdout", "--list", "--test"]);
    for arg in given.iter().filter(|arg| arg.text != "-") {
        touch(walker, effects, Access::Read, arg);
        if prints {
            continue;
        }
        let mut path = walker.path(arg);
        if !arguments.has(&["-k", "--keep"]) {
            push_new(&mut effects.deletes, path.clone());
        }
        // The new file has the old one's name and an ending.
        if !path.is_anything() && !path.0.ends_with("/**") {
            path.0.push('*');
        }
        push_new(&mut effects.writes, path);
    }
}
