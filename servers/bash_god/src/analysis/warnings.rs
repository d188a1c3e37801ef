//! Habits of writing that go wrong with some input or some shell.

use crate::analysis::syntax::script::{Connector, Node, Redirect, Script, Simple, Unit, Word};
use crate::analysis::types::{CommandEffects, Warning};

/// Finds them in a script.
pub(crate) fn find(script: &Script, commands: &[CommandEffects]) -> Vec<Warning> {
    let mut out = Vec::new();
    list(script, &mut out);
    if commands.iter().any(|command| matches!(command.program(), "sh" | "dash")) {
        for command in commands.iter().filter(|command| matches!(command.program(), "sh" | "dash")) {
            bashisms(command, &mut out);
        }
    }
    out
}

fn warn(out: &mut Vec<Warning>, kind: &str, message: impl Into<String>) {
    let warning = Warning { kind: kind.to_owned(), message: message.into() };
    if !out.contains(&warning) {
        out.push(warning);
    }
}

fn list(script: &Script, out: &mut Vec<Warning>) {
    for (at, (item, connector)) in script.items.iter().enumerate() {
        let followed = at + 1 < script.items.len();
        if *connector == Connector::Sequence && followed && is_cd(item) {
            warn(
                out,
                "unchecked_cd",
                "If `cd` fails, the commands after it run in the wrong directory: write `cd … || exit` or `cd … && …`.",
            );
        }
        node(item, out);
    }
}

fn is_cd(node: &Node) -> bool {
    matches!(node, Node::Simple(simple) if simple.words.len() > 1 && name(simple).as_deref() == Some("cd"))
}

fn name(simple: &Simple) -> Option<String> {
    simple.words.first().and_then(Word::fixed)
}

fn node(item: &Node, out: &mut Vec<Warning>) {
    match item {
        Node::Simple(command) => simple(command, out),
        Node::Pipeline(parts) => {
            pipeline(parts, out);
            parts.iter().for_each(|part| node(part, out));
        }
        Node::Group(body) | Node::Subshell(body) => list(body, out),
        Node::If { condition, branches } => {
            list(condition, out);
            branches.iter().for_each(|branch| list(branch, out));
        }
        Node::Loop { condition, body } => {
            list(condition, out);
            list(body, out);
        }
        Node::For { values, body, .. } => {
            for value in values
                .iter()
                .flatten()
                .filter(|value| value.raw.starts_with("$(ls") || value.raw.starts_with("`ls"))
            {
                warn(
                    out,
                    "loop_over_ls",
                    format!(
                        "`{}` splits names at spaces: loop over a glob such as `./*` instead.",
                        value.raw
                    ),
                );
            }
            list(body, out);
        }
        Node::ArithmeticFor { body, .. } => list(body, out),
        Node::Case { branches, .. } => branches.iter().for_each(|(_, body)| list(body, out)),
        Node::Function { body, .. } | Node::Coprocess(body) | Node::Redirected(body, _) => node(body, out),
        Node::Test(_) | Node::Arithmetic(_) => {}
    }
}

fn pipeline(parts: &[Node], out: &mut Vec<Warning>) {
    for pair in parts.windows(2) {
        let [Node::Simple(first), Node::Simple(second)] = pair else { continue };
        let (Some(left), Some(right)) = (name(first), name(second)) else { continue };
        let zero = |simple: &Simple, flags: &[&str]| {
            simple.words.iter().any(|word| flags.contains(&word.raw.as_str()))
        };
        match (left.as_str(), right.as_str()) {
            ("ls", "xargs" | "grep") => warn(
                out,
                "parsed_ls",
                "The output of `ls` cannot be split safely: use a glob, or `find … -print0`.",
            ),
            ("find", "xargs")
                if !(zero(first, &["-print0"]) && zero(second, &["-0", "-r0", "-0r", "--null"])) =>
            {
                warn(
                    out,
                    "xargs_splits",
                    "`xargs` splits names at spaces and quotes: use `find … -print0 | xargs -0`.",
                )
            }
            ("cat", _)
                if first.words.len() == 2
                    && first.redirects.is_empty()
                    && !first.words[1].raw.starts_with('-') =>
            {
                warn(
                    out,
                    "useless_cat",
                    format!(
                        "`cat` only passes one file on: `{right} … < {}` does without it.",
                        first.words[1].raw
                    ),
                );
            }
            ("ps", "grep") => {
                warn(out, "ps_grep", "`ps | grep` finds itself: `pgrep` does not.");
            }
            ("grep", "wc") if zero(second, &["-l"]) && second.words.len() == 2 => {
                warn(out, "grep_count", "`grep -c` counts lines without `wc -l`.");
            }
            _ => {}
        }
    }
}

/// Programs for which a word that splits or vanishes does harm.
const CAREFUL: &[&str] =
    &["rm", "mv", "cp", "rmdir", "chmod", "chown", "ln", "tee", "dd", "truncate", "shred", "unlink"];

fn simple(command: &Simple, out: &mut Vec<Warning>) {
    let Some(program) = name(command) else { return };
    if CAREFUL.contains(&program.as_str()) {
        for word in &command.words[1..] {
            careful(&program, word, out);
        }
    }
    match program.as_str() {
        "[" | "test" => test(command, out),
        "read" if !command.words.iter().any(|word| word.raw.starts_with('-') && word.raw.contains('r')) => {
            warn(out, "read_without_r", "`read` without `-r` takes backslashes away.");
        }
        "echo" if command.words.get(1).is_some_and(|word| word.raw == "-e") => {
            warn(out, "echo_escapes", "`echo -e` differs between shells: `printf` does not.");
        }
        "which" => warn(out, "which", "`which` differs between systems: `command -v` does not."),
        "egrep" | "fgrep" => {
            warn(
                out,
                "obsolete_grep",
                format!("`{program}` is obsolete: `grep -E` or `grep -F` does the same."),
            );
        }
        "kill" if command.words.iter().any(|word| word.raw == "-9" || word.raw == "-KILL") => {
            warn(out, "kill_9", "`kill -9` leaves a process no time to save its work: try without it first.");
        }
        "chmod" if command.words.iter().any(|word| word.raw.ends_with("777")) => {
            warn(
                out,
                "world_writable",
                "Mode 777 lets everybody change the file: 755 or 644 is usually meant.",
            );
        }
        _ => {}
    }
    redirections(command, out);
}

fn careful(program: &str, word: &Word, out: &mut Vec<Warning>) {
    for unit in &word.units {
        let quoted = match unit {
            Unit::Parameter(parameter) => parameter.quoted,
            Unit::Command(_, quoted) => *quoted,
            Unit::Plain(_) | Unit::Quoted(_) | Unit::Process(_) | Unit::Arithmetic(_) => continue,
        };
        if !quoted {
            warn(
                out,
                "unquoted_variable",
                format!(
                    "`{}` splits at spaces and expands globs: write `\"{}\"`.",
                    word.raw,
                    word.raw.replace('"', "")
                ),
            );
        }
    }
    let empty_start = word.raw.trim_start_matches('"').starts_with('$')
        && word.raw.contains('/')
        && !word.raw.contains(":?");
    if program == "rm" && empty_start {
        warn(
            out,
            "root_if_empty",
            format!(
                "If the variable is empty, `{}` is a path from the root: write `${{NAME:?}}/…`.",
                word.raw
            ),
        );
    }
    if word.raw.starts_with(['*', '?']) {
        warn(
            out,
            "glob_may_be_option",
            format!(
                "A file whose name starts with a dash is taken for an option: write `./{}` or `--`.",
                word.raw
            ),
        );
    }
}

fn test(command: &Simple, out: &mut Vec<Warning>) {
    for word in &command.words[1..] {
        let open =
            word.units.iter().any(|unit| matches!(unit, Unit::Parameter(parameter) if !parameter.quoted));
        if open {
            warn(
                out,
                "unquoted_test",
                format!(
                    "`[` sees no argument, or several, where `{}` is empty or has spaces: quote it.",
                    word.raw
                ),
            );
        }
        if word.raw == "==" {
            warn(out, "test_equals", "`==` in `[` is an extension of bash: `=` works everywhere.");
        }
    }
}

fn redirections(command: &Simple, out: &mut Vec<Warning>) {
    use crate::analysis::syntax::script::RedirectKind::{Read, Write};
    let raw = |redirect: &Redirect| redirect.target.raw.clone();
    let written: Vec<String> = command.redirects.iter().filter(|r| r.kind == Write).map(raw).collect();
    let read = command.redirects.iter().filter(|r| r.kind == Read).map(raw);
    let named = command.words.iter().skip(1).map(|word| word.raw.clone());
    if read.chain(named).any(|file| written.contains(&file))
        && written.iter().all(|file| !file.starts_with("/dev/"))
    {
        warn(
            out,
            "clobbers_input",
            "The file is emptied before it is read: write to another one and rename it.",
        );
    }
}

fn bashisms(command: &CommandEffects, out: &mut Vec<Warning>) {
    for text in &command.argv {
        for (mark, instead) in [
            ("[[", "`[`"),
            ("<(", "a pipe or a file"),
            ("<<<", "a here-document"),
            ("=(", "words after `set --`"),
            ("function ", "`name()`"),
            ("source ", "`.`"),
            ("&>", "`>file 2>&1`"),
            ("$'", "`printf`"),
        ] {
            if text.contains(mark) {
                warn(out, "bashism", format!("`{}` works in bash only: `sh` needs {instead}.", mark.trim()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::analysis::{Context, analyse};

    fn kinds(command: &str) -> Vec<String> {
        let context = Context::new("/srv/project", "/home/user");
        analyse(command, &context).warnings.into_iter().map(|warning| warning.kind).collect()
    }

    #[test]
    fn habits_are_named() {
        for (command, kind) in [
            ("rm $file", "unquoted_variable"),
            ("rm -rf \"$X\"/", "root_if_empty"),
            ("rm *", "glob_may_be_option"),
            ("ls | xargs rm", "parsed_ls"),
            ("find . -name '*.o' | xargs rm", "xargs_splits"),
            ("cat file | grep x", "useless_cat"),
            ("cd build; make", "unchecked_cd"),
            ("[ $x = 1 ]", "unquoted_test"),
            ("[ \"$x\" == 1 ]", "test_equals"),
            ("sort f > f", "clobbers_input"),
            ("for f in $(ls); do echo \"$f\"; done", "loop_over_ls"),
            ("sh -c '[[ -f x ]]'", "bashism"),
            ("kill -9 12", "kill_9"),
        ] {
            assert!(kinds(command).iter().any(|found| found == kind), "{command}: {:?}", kinds(command));
        }
    }

    #[test]
    fn careful_writing_has_no_warnings() {
        for command in [
            "rm -- \"$file\"",
            "find . -name '*.o' -print0 | xargs -0 rm --",
            "cd build && make",
            "cd build || exit; make",
            "grep x < file",
            "[ \"$x\" = 1 ]",
            "ls -l | head",
        ] {
            assert!(kinds(command).is_empty(), "{command}: {:?}", kinds(command));
        }
    }
}
