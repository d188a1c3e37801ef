//! How much harm known effects can do, by where they fall.

use crate::analysis::Context;
use crate::analysis::paths::{may_match, within};
use crate::analysis::types::{Certainty, CommandEffects, PathPattern, Risk};

/// Writing to these changes nothing that stays.
const SINKS: &[&str] = &["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/zero", "/dev/full"];

/// Folders on which a running system depends.
const SYSTEM: &[&str] = &[
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/sbin", "/sys", "/usr", "/var",
    "/opt", "/run",
];

/// Parts of those in which users have files.
const NOT_SYSTEM: &[&str] = &["/var/tmp", "/dev/shm", "/run/user", "/usr/local/share"];

/// Files that a shell, a tool or a service runs or trusts later, as globs.
pub(crate) const TRUSTED: &[&str] = &[
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
pub(crate) const SECRET: &[&str] = &[
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
pub(crate) fn is_sink(path: &PathPattern) -> bool {
    SINKS.contains(&path.0.as_str()) || path.0.starts_with("/dev/fd/") || path.0.starts_with("/dev/pts/")
}

/// Whether a path may hold secrets. A pattern with a wildcard in the middle counts only if it says so itself.
pub(crate) fn is_secret(path: &PathPattern) -> bool {
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

fn is_system(path: &PathPattern) -> bool {
    if path.is_anything() || NOT_SYSTEM.iter().any(|folder| within(path, folder)) {
        return false;
    }
    // A wildcard in the first part may stand for any of them.
    let first = path.0[1..].split('/').next().unwrap_or("");
    SYSTEM.iter().any(|folder| within(path, folder)) || first.is_empty() || first.contains(['*', '?', '['])
}

/// Whether deleting a path takes a root, a home, or a folder above the working directory with it.
fn is_foundation(path: &PathPattern, context: &Context) -> bool {
    if path.is_anything() {
        return false;
    }
    let base = path.0.trim_end_matches("/**").trim_end_matches("/*").trim_end_matches('/');
    let contains =
        |inner: &str| inner == base || inner.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
    let whole = path.0 != "/" && base.is_empty();
    let above = contains(&context.home) || contains(&context.cwd) && base != context.cwd;
    path.0 == "/" || whole || base == "/home" || base == "/root" || above
}

/// Raises the risk of a command to what its effects ask for.
pub(crate) fn grade(effects: &mut CommandEffects, context: &Context) {
    effects.writes.retain(|path| !is_sink(path));
    if effects.privilege {
        effects.find(Risk::High, "It needs or takes more rights.");
    }
    if effects.network {
        effects.find(Risk::Medium, "It uses the network.");
    }
    deletes(effects, context);
    writes(effects, context);
    reads(effects, context);
    if effects.certainty == Certainty::Opaque {
        effects.find(Risk::Medium, "What it does cannot be told from its text.");
    }
}

fn deletes(effects: &mut CommandEffects, context: &Context) {
    for path in effects.deletes.clone() {
        if is_foundation(&path, context) {
            effects.find(Risk::Critical, format!("It deletes `{}`.", path.0));
        } else if is_system(&path) {
            effects.find(Risk::Critical, format!("It deletes `{}`, on which the system depends.", path.0));
        } else if path.is_anything() {
            let known = effects.certainty == Certainty::Known;
            if known {
                effects.find(Risk::High, "It deletes files that the text does not name.");
            }
        } else if !within(&path, &context.cwd) && !within(&path, "/tmp") {
            effects.find(Risk::High, format!("It deletes `{}`, outside of the working directory.", path.0));
        } else {
            effects.find(Risk::Medium, format!("It deletes `{}`.", path.0));
        }
    }
}

fn writes(effects: &mut CommandEffects, context: &Context) {
    for path in effects.writes.clone() {
        if is_system(&path) {
            effects.find(Risk::Critical, format!("It writes to `{}`, on which the system depends.", path.0));
        } else if path.is_anything() {
            if effects.certainty == Certainty::Known {
                effects.find(Risk::Medium, "It writes files that the text does not name.");
            }
        } else if TRUSTED.iter().any(|glob| may_match(&path, glob)) && !is_broad(&path) {
            effects
                .find(Risk::High, format!("It writes to `{}`, which programs run or trust later.", path.0));
        } else if !within(&path, &context.cwd) && !within(&path, "/tmp") {
            effects
                .find(Risk::Medium, format!("It writes to `{}`, outside of the working directory.", path.0));
        } else {
            effects.find(Risk::Low, format!("It writes to `{}`.", path.0));
        }
    }
}

fn reads(effects: &mut CommandEffects, context: &Context) {
    for path in effects.reads.clone() {
        if is_secret(&path) {
            effects.find(Risk::High, format!("It reads `{}`, which may hold secrets.", path.0));
        } else if path.is_anything() {
            if effects.certainty == Certainty::Known {
                effects.find(Risk::Low, "It reads files that the text does not name.");
            }
        } else if !within(&path, &context.cwd) {
            effects.find(Risk::Low, format!("It reads `{}`, outside of the working directory.", path.0));
        }
    }
}
