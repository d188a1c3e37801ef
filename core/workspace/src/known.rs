//! What well-known paths are: secrets, parts of the system, files that programs trust, sinks. Names only.

use crate::pattern::{PathPattern, may_match, within};

/// Writing to these changes nothing that stays.
const SINKS: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"];

/// Directories on which a running system depends.
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/var",
    "/opt", "/run",
];

/// Parts of those in which users have files.
const NOT_SYSTEM: &[&str] = &["/var/tmp", "/dev/shm", "/run/user", "/usr/local/share"];

/// Files that a shell, a tool or a service runs or trusts later, as globs.
const TRUSTED: &[&str] = &[
    "/**/.bashrc",
    "/**/.bash_profile",
    "/**/.bash_login",
    "/**/.bash_logout",
    "/**/.bash_aliases",
    "/**/.profile",
    "/**/.zshrc",
    "/**/.zshenv",
    "/**/.zprofile",
    "/**/.zlogin",
    "/**/.kshrc",
    "/**/.cshrc",
    "/**/.tcshrc",
    "/**/.inputrc",
    "/**/.config/fish/**",
    "/**/.git/hooks/**",
    "/**/.git/config",
    "/**/.gitconfig",
    "/**/.config/git/**",
    "/**/.gitattributes",
    "/**/.gitmodules",
    "/**/.husky/**",
    "/**/.ssh/**",
    "/**/authorized_keys",
    "/var/spool/cron/**",
    "/**/.config/autostart/**",
    "/**/.config/systemd/**",
    "/**/.envrc",
    "/**/.npmrc",
    "/**/.pypirc",
    "/**/.netrc",
    "/**/.vimrc",
    "/**/.vim/**",
    "/**/.config/nvim/**",
    "/**/.emacs",
    "/**/.emacs.d/**",
    "/**/.tmux.conf",
    "/**/.pythonrc",
    "/**/.cargo/**",
    "/**/.rustup/**",
    "/**/.local/bin/**",
    "/home/*/bin/**",
    "/root/bin/**",
    "/**/.vscode/**",
    "/**/.idea/**",
    "/**/.github/workflows/**",
    "/**/sitecustomize.py",
    "/**/usercustomize.py",
    "/**/conftest.py",
    "/**/.gnupg/**",
    "/**/.kube/**",
    "/**/.docker/**",
    "/**/.aws/**",
    "/**/.lesskey",
    "/**/.mailcap",
    "/**/.Xresources",
    "/**/.xinitrc",
];

/// Files that hold secrets, as globs.
const SECRET: &[&str] = &[
    "/**/.ssh/**",
    "/**/.gnupg/**",
    "/**/.aws/**",
    "/**/.kube/**",
    "/**/.docker/config.json",
    "/**/.netrc",
    "/**/.npmrc",
    "/**/.pypirc",
    "/**/.env",
    "/**/.env.local",
    "/**/.env.production",
    "/**/*.pem",
    "/**/*.key",
    "/**/id_rsa",
    "/**/id_ed25519",
    "/**/.git-credentials",
    "/**/.bash_history",
    "/**/.zsh_history",
    "/**/.config/gh/**",
    "/**/.config/gcloud/**",
    "/**/credentials.json",
    "/**/.vault-token",
    "/**/.pgpass",
    "/**/.my.cnf",
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d/**",
    "/proc/*/environ",
    "/proc/*/mem",
    "/dev/mem",
    "/dev/kmem",
    "/**/.mozilla/**",
    "/**/.config/google-chrome/**",
    "/**/.password-store/**",
    "/**/*.kdbx",
    "/**/*.p12",
    "/**/*.pfx",
];

/// Whether writing to a path leaves no trace.
#[must_use]
pub fn is_sink(path: &PathPattern) -> bool {
    SINKS.contains(&path.0.as_str()) || path.0.starts_with("/dev/fd/") || path.0.starts_with("/dev/pts/")
}

/// Whether a path may hold secrets. A pattern with a wildcard in the middle counts only if it says so itself.
#[must_use]
pub fn is_secret(path: &PathPattern) -> bool {
    if path.is_anything() {
        return false;
    }
    // `src/**` and `*.rs` match a key only by accident.
    let named = path.0.rsplit('/').next().is_some_and(|last| !last.starts_with('*'));
    named && SECRET.iter().any(|glob| may_match(path, glob)) && !is_broad(path)
}

fn is_broad(path: &PathPattern) -> bool {
    path.0.ends_with("/**")
}

/// Whether a running system depends on what lies at a path. Errs towards yes for a pattern.
#[must_use]
pub fn is_system(path: &PathPattern) -> bool {
    if path.is_anything() || NOT_SYSTEM.iter().any(|directory| within(path, directory)) {
        return false;
    }
    // A wildcard in the first part may stand for any of them.
    let first = path.0[1..].split('/').next().unwrap_or("");
    SYSTEM.iter().any(|directory| within(path, directory))
        || first.is_empty()
        || first.contains(['*', '?', '['])
}

/// Whether a path is one that a shell, a tool or a service runs or trusts later. Errs towards yes for a pattern.
#[must_use]
pub fn is_trusted(path: &PathPattern) -> bool {
    TRUSTED.iter().any(|glob| may_match(path, glob))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathPattern {
        PathPattern(text.to_owned())
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for (text, secret) in [
            ("/home/me/.ssh/id_ed25519", true),
            ("/srv/project/.env", true),
            ("/etc/shadow", true),
            ("/proc/1/environ", true),
            ("/srv/project/src/env.rs", false),
            // A wildcard at the end meets a key only by accident.
            ("/srv/project/**", false),
            ("/srv/project/*.key", false),
            ("**", false),
        ] {
            assert_eq!(is_secret(&path(text)), secret, "{text}");
        }
    }

    #[test]
    fn the_system_is_told_from_what_users_have_in_it() {
        for (text, system) in [
            ("/etc/hosts", true),
            ("/usr", true),
            ("/*", true),
            ("/e*/hosts", true),
            ("/var/tmp/x", false),
            ("/srv/project", false),
            ("**", false),
        ] {
            assert_eq!(is_system(&path(text)), system, "{text}");
        }
    }

    #[test]
    fn what_is_trusted_later_and_what_leaves_no_trace() {
        assert!(
            is_trusted(&path("/home/me/.bashrc")) && is_trusted(&path("/srv/project/.git/hooks/pre-commit"))
        );
        assert!(!is_trusted(&path("/srv/project/README.md")));
        assert!(is_sink(&path("/dev/null")) && is_sink(&path("/dev/fd/3")) && !is_sink(&path("/dev/sda")));
    }
}
