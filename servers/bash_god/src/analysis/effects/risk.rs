//! How much harm known effects can do, by where they fall.

use mcp_workspace::known::{is_secret, is_sink, is_system, is_trusted};
use mcp_workspace::pattern::{PathPattern, within};

use crate::analysis::Context;
use crate::analysis::types::{Certainty, CommandEffects, Risk};

/// Whether a pattern stands for all that lies below a directory.
fn is_broad(path: &PathPattern) -> bool {
    path.0.ends_with("/**")
}

/// Whether deleting a path takes a root, a home, or a directory above the working directory with it.
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
        effects.find(Risk::Medium, "What it does is not clear from its text.");
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
        } else if is_trusted(&path) && !is_broad(&path) {
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
