//! The variables that a command sees.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// Where programs are looked for, whatever the caller's own search path is.
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What passes from the caller's environment: who the user is, the language and the place for temporary
/// files. Names that end in `_` stand for all that begin so.
const PASSED: &[&str] =
    &["HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_", "TERM", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"];

/// What no caller may set either, because it makes the loader, a shell, an interpreter or git run or load
/// something else than the command says. Names that end in `_` or `*` stand for all that begin so.
const REFUSED: &[&str] = &[
    "PATH",
    "LD_",
    "DYLD_",
    "GLIBC_",
    "GCONV_PATH",
    "MALLOC_",
    "IFS",
    "ENV",
    "BASH*",
    "SHELLOPTS",
    "PS4",
    "PROMPT_COMMAND",
    "CDPATH",
    "GLOBIGNORE",
    "GIT_",
    "SSH_",
    "PYTHON*",
    "PERL*",
    "RUBY*",
    "GEM_",
    "NODE_",
    "NPM_",
    "npm_",
    "JAVA_",
    "JDK_",
    "_JAVA_",
    "CLASSPATH",
    "LUA_",
    "PHP*",
    "CARGO_",
    "RUST*",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "LESS*",
    "MANPAGER",
    "BROWSER",
    "TERMINFO*",
];

/// Whether `name` is one of `names`, or begins with one that stands for many.
fn is_among(name: &OsStr, names: &[&str]) -> bool {
    let name = name.as_bytes();
    names.iter().any(|listed| match listed.strip_suffix('*') {
        Some(start) => name.starts_with(start.as_bytes()),
        None if listed.ends_with('_') => name.starts_with(listed.as_bytes()),
        None => name == listed.as_bytes(),
    })
}

/// The variables of the caller's environment that a command may see.
pub fn passed() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| is_among(name, PASSED)).collect()
}

/// Whether a variable can be set for a command.
pub fn may_be_set(name: &OsStr, value: &OsStr) -> bool {
    let bytes = name.as_bytes();
    let is_name = !bytes.is_empty() && !bytes.iter().any(|byte| matches!(byte, b'=' | 0));
    is_name && !value.as_bytes().contains(&0) && !is_among(name, REFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(name: &str) -> bool {
        may_be_set(OsStr::new(name), OsStr::new("x"))
    }

    #[test]
    fn what_changes_the_program_is_refused() {
        for name in [
            "LD_PRELOAD",
            "BASH_ENV",
            "ENV",
            "GIT_SSH_COMMAND",
            "PYTHONPATH",
            "PATH",
            "IFS",
            "PERL5OPT",
            "",
            "A=B",
        ] {
            assert!(!may(name), "{name}");
        }
        for name in ["LANG", "MY_VARIABLE", "ENVIRONMENT", "LDAP", "GITHUB"] {
            assert!(may(name), "{name}");
        }
        assert!(!may_be_set(OsStr::new("A"), OsStr::new("x\0y")));
    }
}
