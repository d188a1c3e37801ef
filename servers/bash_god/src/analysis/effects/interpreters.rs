//! Programs that run text as code: shells, languages, editors and pagers.

use crate::analysis::effects::{Access, Call, Rule, touch};
use crate::analysis::expand::Arg;
use crate::analysis::types::{CommandEffects, Risk, push_new};
use crate::analysis::walk::{Input, Walker};

/// Shells.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh", "rbash"];

/// Languages whose programs come from a file, an option or the standard input.
const LANGUAGES: &[&str] = &[
    "python",
    "pypy",
    "perl",
    "node",
    "nodejs",
    "ruby",
    "php",
    "lua",
    "luajit",
    "tclsh",
    "wish",
    "Rscript",
    "R",
    "julia",
    "java",
    "groovy",
    "scala",
    "kotlin",
    "ghci",
    "runghc",
    "erl",
    "elixir",
    "iex",
    "irb",
    "guile",
    "racket",
    "sbcl",
    "clisp",
    "ocaml",
    "swipl",
    "octave",
    "gnuplot",
    "osascript",
    "pwsh",
    "powershell",
    "ts-node",
    "tsx",
    "jshell",
    "jrunscript",
    "jjs",
    "dart",
    "nu",
    "xonsh",
    "elvish",
    "ipython",
    "jupyter",
    "dc",
    "m4",
    "cscript",
    "bpftrace",
    "stap",
    "dtrace",
    "wine",
    "nim",
    "crystal",
    "zig",
];

/// Programs that start a shell or a script when asked inside of them, or by an option.
const INTERACTIVE: &[&str] = &[
    "vi",
    "vim",
    "nvim",
    "view",
    "gvim",
    "rvim",
    "vimdiff",
    "ex",
    "ed",
    "red",
    "nano",
    "pico",
    "emacs",
    "emacsclient",
    "joe",
    "micro",
    "code",
    "subl",
    "less",
    "more",
    "most",
    "pg",
    "man",
    "info",
    "top",
    "htop",
    "atop",
    "mc",
    "ranger",
    "fzf",
    "sk",
    "lynx",
    "w3m",
    "links",
    "elinks",
    "slsh",
    "pager",
    "zless",
    "zmore",
    "apropos",
    "whatis",
];

/// The rule of a program that runs code, if it is one.
pub(crate) fn find(name: &str) -> Option<Rule> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    if SHELLS.contains(&name) {
        Some(shell)
    } else if LANGUAGES.contains(&name) || LANGUAGES.contains(&stem) {
        Some(language)
    } else if INTERACTIVE.contains(&name) {
        Some(interactive)
    } else {
        None
    }
}

/// Runs an argument as a script of the shell.
pub(crate) fn run_as_script(walker: &mut Walker<'_>, text: &Arg, effects: &mut CommandEffects) {
    match text.as_literal() {
        Some(known) => walker.run_text(known, effects, &Input::Inherited),
        None => {
            push_new(&mut effects.executes, text.text.clone());
            effects.touches_anything();
            effects.doubt(format!("It runs `{}`, whose value is not known, as a script.", text.text));
            effects.find(Risk::High, "Text that is not known runs as a script.");
            if walker.statement_uses_network() {
                effects.find(Risk::Critical, "What a host on the network sends runs as a script.");
            }
        }
    }
}

/// Runs a script from a file.
pub(crate) fn run_file(walker: &mut Walker<'_>, script: &Arg, effects: &mut CommandEffects) {
    push_new(&mut effects.executes, script.text.clone());
    touch(walker, effects, Access::Read, script);
    effects.touches_anything();
    effects.doubt(format!("What the script `{}` does is not known.", script.text));
    if script.text.starts_with("/dev/fd/") && walker.statement_uses_network() {
        effects.find(Risk::Critical, "What a host on the network sends runs as a script.");
    }
}

/// Runs what comes from the standard input.
fn run_input(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects, shell: bool) {
    match call.input {
        Input::Text(text) if shell => walker.run_text(text, effects, &Input::Inherited),
        Input::File(file) => run_file(walker, file, effects),
        Input::Pipe { network: true } => {
            effects.touches_anything();
            effects.find(Risk::Critical, "What a host on the network sends runs as code.");
        }
        Input::Text(_) | Input::Pipe { network: false } => {
            effects.touches_anything();
            effects.find(Risk::High, "What another command prints runs as code.");
        }
        Input::Inherited => effects.touches_anything(),
    }
}

fn shell(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    effects.doubt(format!("`{}` runs text as a script.", call.name));
    let mut is_text = false;
    let mut reads_input = false;
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_literal() {
            Some("-" | "--") => {}
            Some("--rcfile" | "--init-file" | "-O" | "+O" | "-o" | "+o") => {
                args.next();
            }
            Some(option) if option.starts_with(['-', '+']) && option.len() > 1 => {
                let short = !option.starts_with("--");
                is_text |= short && option.contains('c');
                reads_input |= short && option.contains('s');
                if short && option.ends_with(['o', 'O']) {
                    args.next();
                }
            }
            Some(_) | None if is_text => {
                // More words are the arguments of the script.
                return run_as_script(walker, arg, effects);
            }
            Some(_) | None if reads_input => break,
            Some(_) | None => return run_file(walker, arg, effects),
        }
    }
    run_input(walker, call, effects, true);
}

fn language(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    let asks = [["-v"], ["-version"], ["--versions"]];
    let only: Vec<&str> = call.args.iter().filter_map(Arg::as_literal).collect();
    if call.asks_about_itself() || call.args.len() == 1 && asks.iter().any(|ask| only == ask) {
        // `php -v`, `node -v`; where `-v` means another thing, nothing runs without a script either, but the
        // standard input must not be one.
        if matches!(call.input, Input::Inherited) {
            return;
        }
    }
    effects.touches_anything();
    effects.doubt(format!("`{}` runs code whose effects its text does not show.", call.name));
    let first = call.args.iter().find(|arg| !arg.prefix.starts_with('-'));
    let code = call.args.iter().any(|arg| is_code_option(&arg.prefix));
    match first {
        Some(text) if code => {
            push_new(&mut effects.executes, text.text.clone());
            effects.find(Risk::High, "Text on the command line runs as code.");
            if walker.statement_uses_network() {
                effects.find(Risk::Critical, "What a host on the network sends runs as code.");
            }
        }
        Some(script) => run_file(walker, script, effects),
        None => run_input(walker, call, effects, false),
    }
}

fn is_code_option(text: &str) -> bool {
    text.starts_with('-') && !text.starts_with("--") && text.contains(['c', 'e', 'E', 'r', 'p', 'm'])
        || matches!(text, "--eval" | "--execute" | "--print" | "--command")
}

fn interactive(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    for arg in call.args.iter().filter(|arg| !arg.prefix.starts_with(['-', '+'])) {
        touch(walker, effects, Access::Change, arg);
    }
    effects.touches_anything();
    push_new(&mut effects.executes, "whatever is typed into it".to_owned());
    effects.doubt(format!("`{}` can start other programs.", call.name));
    if call.args.iter().any(|arg| arg.prefix.starts_with(['-', '+'])) {
        effects.find(Risk::High, "Its options can run commands.");
    }
}
