//! The variables that a command sees: fixed ones, and few others.

/// Where programs are looked for, after directories that the operator named.
pub const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// What a caller may set for one job: names that change how output looks, not what is executed.
const HARMLESS: [&str; 14] = [
    "CI",
    "CLICOLOR",
    "COLUMNS",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LINES",
    "NO_COLOR",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "RUST_LOG_STYLE",
    "SOURCE_DATE_EPOCH",
    "TERM",
    "TZ",
];

/// What is taken from the server's own environment.
const INHERITED: [&str; 3] = ["LANG", "LANGUAGE", "TZ"];

/// Beginnings of names that make a loader, a shell, an interpreter or a tool run or read something else. Not even
/// the operator sets them.
const NEVER: [&str; 46] = [
    "BASHOPTS",
    "BASH_",
    "CDPATH",
    "DOTNET_STARTUP_HOOKS",
    "DYLD_",
    "EDITOR",
    "ENV",
    "GCONV_PATH",
    "GIT_",
    "GLIBC_TUNABLES",
    "GLOBIGNORE",
    "HOSTALIASES",
    "IFS",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "LD_",
    "LESSCLOSE",
    "LESSOPEN",
    "LOCALDOMAIN",
    "LOCPATH",
    "LUA_",
    "MAKEFLAGS",
    "MALLOC_",
    "MANPAGER",
    "NIS_PATH",
    "NLSPATH",
    "NODE_OPTIONS",
    "NODE_PATH",
    "PAGER",
    "PERL",
    "PHPRC",
    "PROMPT_COMMAND",
    "PS4",
    "PYTHON",
    "RESOLV_",
    "RES_OPTIONS",
    "RUBY",
    "SHELLOPTS",
    "SSH_",
    "TCL",
    "TERMINFO",
    "TZDIR",
    "VISUAL",
    "ZDOTDIR",
    "_JAVA_OPTIONS",
    "npm_config_",
];

/// Set here for every command; nobody else sets them.
const FIXED: [&str; 6] = ["HOME", "LOGNAME", "PATH", "SHELL", "TMPDIR", "USER"];

fn harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || name.strip_prefix("LC_").is_some_and(|rest| !rest.is_empty())
}

fn well_formed(name: &str, value: &str) -> bool {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !value.contains('\0')
}

/// Says why a caller may not set `name` to `value` for a job.
pub(crate) fn refuse_caller(name: &str, value: &str) -> Result<(), String> {
    if well_formed(name, value) && harmless(name) {
        return Ok(());
    }
    Err(format!("the variable {name:?} may not be set: allowed are {} and LC_*", HARMLESS.join(", ")))
}

/// Says why the operator may not set `name` to `value` for all jobs.
pub(crate) fn refuse_operator(name: &str, value: &str) -> Result<(), String> {
    if !well_formed(name, value) {
        return Err(format!("{name:?} is not a variable's name, or its value holds a NUL"));
    }
    if FIXED.contains(&name) || NEVER.iter().any(|start| name.starts_with(start)) {
        return Err(format!(
            "the variable {name:?} is never passed to a command: it decides what is executed"
        ));
    }
    Ok(())
}

/// The whole environment of a command. Later ones replace earlier ones: the server's, the operator's, the caller's.
pub(crate) fn variables(
    own: impl IntoIterator<Item = (String, String)>,
    operator: &[(String, String)],
    caller: &[(String, String)],
    programs: &[String],
) -> Vec<(String, String)> {
    let mut all: std::collections::BTreeMap<String, String> = own
        .into_iter()
        .filter(|(name, value)| {
            well_formed(name, value) && (INHERITED.contains(&name.as_str()) || name.starts_with("LC_"))
        })
        .collect();
    all.entry("LANG".to_owned()).or_insert_with(|| "C.UTF-8".to_owned());
    all.insert("TERM".to_owned(), "dumb".to_owned());
    all.extend(operator.iter().cloned());
    all.extend(caller.iter().cloned());
    let path: Vec<&str> = programs.iter().map(String::as_str).chain(PATH).collect();
    all.insert("PATH".to_owned(), path.join(":"));
    all.insert("USER".to_owned(), "sandbox".to_owned());
    all.insert("LOGNAME".to_owned(), "sandbox".to_owned());
    all.insert("SHELL".to_owned(), "/bin/sh".to_owned());
    // `git status` would refresh the index, which it calls optional, and hold a lock that others wait for.
    all.insert("GIT_OPTIONAL_LOCKS".to_owned(), "0".to_owned());
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_what_is_executed_never_passes() {
        let dangerous = [
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "LD_AUDIT",
            "BASH_ENV",
            "BASH_FUNC_ls%%",
            "ENV",
            "GIT_SSH_COMMAND",
            "GIT_CONFIG_COUNT",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "NODE_OPTIONS",
            "PERL5OPT",
            "RUBYOPT",
            "IFS",
            "PATH",
            "HOME",
            "TMPDIR",
            "SSH_AUTH_SOCK",
            "GLIBC_TUNABLES",
            "PAGER",
            "LESSOPEN",
            "PROMPT_COMMAND",
            "SHELLOPTS",
            "",
            "A=B",
            "1A",
            "A B",
        ];
        for name in dangerous {
            assert!(refuse_caller(name, "x").is_err(), "caller: {name}");
            assert!(refuse_operator(name, "x").is_err(), "operator: {name}");
        }
        assert!(refuse_caller("CARGO_HOME", "/x").is_err());
        assert!(refuse_operator("CARGO_HOME", "/x").is_ok());
        assert!(refuse_operator("CARGO_HOME", "a\0b").is_err());
        assert!(refuse_caller("TZ", "UTC").is_ok());
        assert!(refuse_caller("LC_ALL", "C").is_ok());
        assert!(refuse_caller("LC_", "C").is_err());
    }

    #[test]
    fn of_the_servers_environment_only_language_and_zone_are_kept() {
        let own = [
            "LANG=de_DE.UTF-8",
            "LC_ALL=C",
            "AWS_SECRET_ACCESS_KEY=k",
            "LD_PRELOAD=x",
            "PATH=/evil",
            "HOME=/h",
        ]
        .map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap());
        let found = variables(own, &[], &[], &["/opt/tool/bin".to_owned()]);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["GIT_OPTIONAL_LOCKS", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "USER"]
        );
        let path = &found.iter().find(|(name, _)| name == "PATH").unwrap().1;
        assert_eq!(path, "/opt/tool/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    }
}
