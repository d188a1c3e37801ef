//! Variables that change what programs do.

use crate::analysis::expand::{self, Form};
use crate::analysis::paths;
use crate::analysis::scope::Value;
use crate::analysis::syntax::script::Assignment;
use crate::analysis::types::{CommandEffects, Risk};
use crate::analysis::walk::Walker;

/// Names that a program may be given without a change of what it does to files.
const HARMLESS: &[&str] = &[
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "CI",
    "DEBUG",
    "VERBOSE",
    "NODE_ENV",
    "GOOS",
    "GOARCH",
    "CGO_ENABLED",
    "GIT_TERMINAL_PROMPT",
    "GIT_OPTIONAL_LOCKS",
    "DEBIAN_FRONTEND",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "RUST_TEST_THREADS",
    "QUOTING_STYLE",
    "BLOCKSIZE",
    "BLOCK_SIZE",
    "GREP_COLORS",
    "LS_COLORS",
    "CARGO_TERM_COLOR",
    "FOO",
    "BAR",
    "BAZ",
];

/// Names by which a shell or its programs are made to run something else, or from somewhere else.
const DANGEROUS: &[&str] = &[
    "PATH",
    "IFS",
    "ENV",
    "SHELL",
    "SHELLOPTS",
    "BASHOPTS",
    "PROMPT_COMMAND",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "CDPATH",
    "GLOBIGNORE",
    "HOME",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "BROWSER",
    "LESSOPEN",
    "LESSCLOSE",
    "TMPDIR",
    "CC",
    "CXX",
    "LD",
    "AR",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "MAKEFLAGS",
    "MAKE",
    "TAR_OPTIONS",
    "RIPGREP_CONFIG_PATH",
    "CLASSPATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "HISTFILE",
    "INPUTRC",
    "EXINIT",
    "VIMINIT",
    "TERMINFO",
    "FPATH",
    "ZDOTDIR",
    "OPENSSL_CONF",
    "GCONV_PATH",
    "NLSPATH",
    "LOCPATH",
    "HOSTALIASES",
    "RSYNC_RSH",
    "CVS_RSH",
    "SVN_SSH",
    "KUBECONFIG",
    "DOCKER_HOST",
    "XDG_CONFIG_HOME",
    "COMSPEC",
    "POSIXLY_CORRECT",
];

/// Starts of such names.
const DANGEROUS_STARTS: &[&str] = &[
    "LD_",
    "DYLD_",
    "GIT_",
    "BASH_",
    "PYTHON",
    "PERL",
    "RUBY",
    "LUA_",
    "JAVA_",
    "_JAVA",
    "JDK_",
    "MALLOC_",
    "GLIBC_",
    "SSH_",
    "SUDO_",
    "CARGO_",
    "npm_config_",
    "NPM_CONFIG_",
    "PIP_",
    "LESS",
    "GCC_",
    "COMPILER_PATH",
    "DBUS_",
];

fn is_dangerous(name: &str) -> bool {
    !is_harmless(name)
        && (DANGEROUS.contains(&name)
            || DANGEROUS_STARTS.iter().any(|start| name.starts_with(start))
            || name.to_ascii_lowercase().ends_with("_proxy"))
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || name.starts_with("LC_")
}

/// Notes what giving a value to an environment variable does to a command that starts with it.
pub(crate) fn passed(name: &str, effects: &mut CommandEffects) {
    if is_dangerous(name) {
        effects.touches_anything();
        effects.doubt(format!("The variable `{name}` can make a program run or load something else."));
        effects.find(Risk::High, "It changes what programs run.");
    } else if !is_harmless(name) {
        effects.doubt(format!("What the variable `{name}` does to the program is not known."));
    }
}

/// Sets a variable of the shell, and notes if that changes what later commands do.
pub(crate) fn set(walker: &mut Walker<'_>, name: &str, value: Value, effects: &mut CommandEffects) {
    if is_dangerous(name) {
        effects.doubt(format!("The variable `{name}` changes what later commands run."));
        effects.find(Risk::High, "It changes what programs run.");
        walker.scope.names_changed = true;
    }
    walker.scope.set(name, value);
}

/// Applies `NAME=VALUE`, in front of a command or alone.
pub(crate) fn assign(
    walker: &mut Walker<'_>,
    assignment: &Assignment,
    before_command: bool,
    effects: &mut CommandEffects,
) {
    let name = assignment.name.as_str();
    // A subscript is arithmetic, which can run commands.
    let subscript = assignment.raw.starts_with(&format!("{name}["));
    if subscript && assignment.elements.first().is_some_and(|index| index.raw.contains(['$', '`', '['])) {
        effects.doubt(format!("The subscript in `{}` is evaluated.", assignment.raw));
    }
    if before_command {
        return passed(name, effects);
    }
    let value = match &assignment.value {
        Some(word) if !subscript => {
            let arg = expand::value(word, &walker.scope);
            let old = walker.scope.value(name);
            match (arg.form, assignment.append, old) {
                (Form::Literal, false, _) => Value::Known(arg.text),
                (Form::Literal, true, Value::Known(old)) => Value::Known(format!("{old}{}", arg.text)),
                (Form::Glob, false, _) => Value::Pattern(arg.text),
                _ => Value::Unknown,
            }
        }
        Some(_) | None => Value::Unknown,
    };
    if name == "PWD" || name == "OLDPWD" {
        walker.scope.directory = None;
    }
    set(walker, name, value, effects);
}

/// The value in `NAME=VALUE` as an argument, for `export` and its like.
pub(crate) fn declare(walker: &mut Walker<'_>, text: &str, effects: &mut CommandEffects) {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let append = name.ends_with('+');
    let name = name.trim_end_matches('+');
    if name.contains('[') {
        return effects.doubt(format!("The subscript in `{text}` is evaluated."));
    }
    let value = match value {
        Some(value) if !append && !paths::has_wildcard(value) => Value::Known(value.to_owned()),
        Some(_) => Value::Unknown,
        None => walker.scope.value(name),
    };
    set(walker, name, value, effects);
}
