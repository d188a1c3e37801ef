//! The server: who it is, and what it is started with.

use std::path::{Path, PathBuf};

use clap::Args;
use mcp_server::doctor::{self, Fact};
use mcp_server::options::Options;
use mcp_server::serve::Purpose;
use mcp_server::server::{About, ServerBuilder};

use crate::state::{Development, too_large};
use crate::tools;

/// Who it is.
pub const ABOUT: About = About {
    name: "development-mcp",
    title: "Development",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Finds and explains code below the roots, without running any. Start with repo_map or search; use \
                   symbol, references and impact before changing something. `unresolved` counts what is not known.",
};

/// The options beside those of all servers.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Take a home directory or the whole file system for a root
    #[arg(long)]
    pub any_root: bool,
}

fn roots(options: &Options, flags: &Flags) -> Result<Vec<PathBuf>, String> {
    let roots = options.roots_or_current()?;
    match roots.iter().find_map(|root| too_large(root)).filter(|_| !flags.any_root) {
        Some(problem) => Err(problem),
        None => Ok(roots),
    }
}

fn offer(builder: ServerBuilder, options: &Options, flags: &Flags) -> Result<ServerBuilder, String> {
    let state = options.state_dir(ABOUT.name);
    if let Some(state) = &state {
        mcp_workspace::state::make(state).map_err(|error| {
            format!(
                "the state directory {} cannot be made ({error}): choose another with --state",
                state.display()
            )
        })?;
    }
    let development = Development::new(&roots(options, flags)?, state.as_deref())?;
    Ok(builder.tools(&std::sync::Arc::new(development), tools::all()))
}

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| offer(builder, options, flags),
        facts,
        act: |action, _options, _flags| match action {},
    }
}

/// What `doctor` finds out.
fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let languages: Vec<&str> = mcp_source::Language::ALL.iter().map(|language| language.name()).collect();
    let mut facts = vec![Fact::good("languages", languages.join(", "))];
    match roots(options, flags) {
        Ok(roots) => facts.extend(roots.iter().map(|root| repository(root))),
        Err(problem) => facts.push(Fact::missing("root", problem, "give --root DIR")),
    }
    let most = std::fs::read_to_string("/proc/sys/fs/inotify/max_user_watches").ok();
    facts.push(match most.and_then(|text| text.trim().parse::<usize>().ok()) {
        Some(most) if most >= crate::index::MOST_WATCHES => {
            Fact::good("watches", format!("{most} directories"))
        }
        Some(most) => {
            Fact::missing("watches", format!("{most} directories"), "raise fs.inotify.max_user_watches")
        }
        None => {
            Fact::missing("watches", "unknown", "mount /proc; changes are looked for once a second meanwhile")
        }
    });
    facts.push(doctor::program("rg", "not needed: search has its libraries inside"));
    facts
}

fn repository(root: &Path) -> Fact {
    let name = format!("git {}", root.display());
    match crate::history::History::new(root).commit() {
        Some(commit) => Fact::good(name, format!("at {commit}")),
        None => Fact::missing(name, "no commit", "without git there is no churn and no commit in answers"),
    }
}
