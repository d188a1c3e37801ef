//! What a verb starts with: the workspace, who waits, and how text is written for this terminal.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cli::args::{Color, Shared};
use crate::cli::progress::Terminal;
use crate::experiment::context::Context;
use crate::experiment::progress::Watcher;
use crate::report::Style;

/// The workspace that this process was started in.
pub(crate) fn open() -> anyhow::Result<Context> {
    Context::open(&std::env::current_dir()?, watcher()?)
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

/// How text is written for the stdout of this process.
pub(crate) fn style(shared: &Shared) -> Style {
    let terminal = std::io::stdout().is_terminal();
    let color = match shared.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = columns.or_else(|| terminal.then(terminal_width).flatten()).unwrap_or(100);
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    let ascii = locale.is_some_and(|locale| !locale.to_ascii_lowercase().contains("utf") && terminal);
    Style { width: width.clamp(60, 200), color, unicode: !ascii }
}

fn terminal_width() -> Option<usize> {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|&width| width > 0)
}
