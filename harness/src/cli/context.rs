//! What a verb starts with: the workspace, who waits, and how text is written for this terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;

use crate::cli::args::{Color, Shared};
use crate::cli::progress::Terminal;
use crate::cli::values::quoted;
use crate::experiment::context;
use crate::experiment::progress::Watcher;
use crate::experiment::surroundings::workspace_root;
use crate::report::Style;

/// The columns that tables are made for where a terminal has fewer: a name, and one number beside it.
pub(crate) const NARROWEST: usize = 40;
/// Beyond this many, lines are hard to follow.
const WIDEST: usize = 200;

/// The workspace that this process was started in.
pub(crate) fn open() -> anyhow::Result<context::Context> {
    context::Context::open(&current()?, watcher()?)
}

/// The person at this terminal: sees progress on stderr, and stops with Ctrl-C.
pub(crate) fn watcher() -> anyhow::Result<Watcher> {
    Ok(Watcher::new(stop_flag()?, Arc::new(Terminal)))
}

/// A flag that Ctrl-C and a termination signal set.
fn stop_flag() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // The second signal ends the lab at once: the first may be waiting for a hung child.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// The directory whose calibrations and references a verb takes that reads records: the workspace that this process was
/// started in, else its current directory. It needs neither a compiler nor a manifest.
pub(crate) fn reading_root() -> anyhow::Result<PathBuf> {
    let here = current()?;
    Ok(workspace_root(&here).unwrap_or(here))
}

/// The current directory.
pub(crate) fn current() -> anyhow::Result<PathBuf> {
    std::env::current_dir()
        .context("the current directory cannot be found: it may have been removed; cd to one that is there")
}

/// A path as it can be used from here: below the current directory without that.
pub(crate) fn from_here(path: &Path) -> PathBuf {
    let below =
        std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.filter(|below| !below.as_os_str().is_empty()).unwrap_or_else(|| path.to_owned())
}

/// As [`from_here`], as a word of a command.
pub(crate) fn word_from_here(path: &Path) -> String {
    quoted(&from_here(path).display().to_string())
}

/// How text is written for the stdout of this process.
pub(crate) fn style(shared: &Shared) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = match shared.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            terminal && !is_dumb() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal.then(terminal_width).flatten()).unwrap_or(100);
    Style { width: width.clamp(NARROWEST, WIDEST), color, unicode: unicode() }
}

/// Whether the terminal can do nothing but show letters: neither colours nor lines that are written again.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether the locale has signs beyond ASCII. Where nobody chose one, as in most containers, it has.
pub(crate) fn unicode() -> bool {
    let chosen = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    chosen.is_none_or(|locale| locale.to_ascii_lowercase().contains("utf"))
}

/// A line of prose in the signs of the locale.
pub(crate) fn plain(text: &str) -> String {
    Style { unicode: unicode(), ..Style::default() }.spelled(text)
}

fn terminal_width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|&width| width > 0)
}
