//! Progress on stderr: a bar with the time left on a terminal, one line a stage without.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::context::{NARROWEST, from_here, is_dumb, plain, unicode};
use crate::experiment::progress;
use crate::machine::Environment;
use crate::report::{visible, wrap};

/// One stage of work.
pub(crate) struct Stage {
    bar: Option<ProgressBar>,
    name: &'static str,
    what: String,
    start: Instant,
}

impl Stage {
    /// Starts a stage of `steps` steps.
    pub(crate) fn start(name: &'static str, what: impl Into<String>, steps: u64) -> Self {
        let what = what.into();
        let bar = (std::io::stderr().is_terminal() && !is_dumb()).then(|| {
            let bar = ProgressBar::new(steps);
            // Lines that are wider than the terminal are cut by the bar.
            let template = if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
                " {prefix:<9}{msg:<34} {bar:20} {pos}/{len} {elapsed}, about {eta} left"
            } else {
                " {prefix:<9}{msg:<34} {bar:20.cyan/dim} {pos}/{len} {elapsed}, about {eta} left"
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars(if unicode() {
                    "█▉▊▋▌▍▎▏·"
                } else {
                    "#-."
                }));
            }
            bar.set_prefix(name);
            bar.set_message(plain(&what));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, name, what, start: Instant::now() }
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// What is being done now.
    pub(crate) fn doing(&self, what: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(plain(&visible(&what.into())));
        }
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        let text = said_line(self.name, line, error_width());
        match &self.bar {
            Some(bar) => bar.suspend(|| errln!("{text}")),
            None => errln!("{text}"),
        }
    }

    /// The stage is over; its line stays.
    pub(crate) fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        errln!("{}", stage_line(self.name, &self.what, &clock(self.start.elapsed()), error_width()));
    }
}

/// Columns of a stage's name, with the space before it.
const NAME: usize = 10;
/// Columns of what a stage did, where there is room for them.
const WHAT: usize = 60;

/// What a stage did and how long it took, under each other where the terminal is too narrow for one line.
fn stage_line(name: &str, what: &str, took: &str, width: Option<usize>) -> String {
    let room = width.unwrap_or(usize::MAX).saturating_sub(NAME + 1 + took.len()).min(WHAT);
    if what.chars().count() <= room || width.is_none_or(|width| width > NAME + WHAT) {
        return format!(" {name:<9}{what:<room$} {took}");
    }
    let mut lines = wrap(what, room).into_iter();
    let mut text = format!(" {name:<9}{:<room$} {took}", lines.next().unwrap_or_default());
    for line in lines {
        text.push_str(&format!("\n{:NAME$}{line}", ""));
    }
    text
}

/// What a stage says: as it is, or under each other where the terminal is too narrow for most sentences.
fn said_line(name: &str, said: &str, width: Option<usize>) -> String {
    let Some(room) = width.filter(|&width| width <= NAME + WHAT).map(|width| width - NAME) else {
        return format!(" {name:<9}{said}");
    };
    let lines: Vec<String> = said.lines().flat_map(|line| wrap(line, room)).collect();
    format!(" {name:<9}{}", lines.join(&format!("\n{:NAME$}", "")))
}

/// The columns of the terminal that stderr is; `None` where nobody says.
fn error_width() -> Option<usize> {
    let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = named.or_else(|| {
        let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
        Some(usize::from(size.ws_col))
    });
    width.filter(|&width| width > 0).map(|width| width.max(NARROWEST))
}

/// Minutes and seconds.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl progress::Stage for Stage {
    fn step(&self) {
        Self::step(self);
    }

    fn finished(&self, what: &str, took: Duration) {
        match &self.bar {
            Some(_) => Self::step(self),
            None => errln!("{}", stage_line(self.name, what, &clock(took), error_width())),
        }
    }

    fn doing(&self, what: &str) {
        Self::doing(self, what);
    }

    fn say(&self, line: &str) {
        Self::say(self, line);
    }

    fn end(self: Box<Self>) {
        Self::end(*self);
    }
}

/// Progress of experiments, on stderr.
pub(crate) struct Terminal;

impl progress::Progress for Terminal {
    fn begins(&self, suite: &str, record: &Path, environment: &Environment) {
        let line = format!(
            "perflab {} · {} · {} cores · rustc {} · suite {suite} · record {}",
            env!("CARGO_PKG_VERSION"),
            environment.class(),
            environment.cores,
            environment.toolchain.rustc.split_whitespace().nth(1).unwrap_or("?"),
            from_here(record).display()
        );
        match error_width() {
            Some(width) => errln!("{}", wrap(&line, width).join("\n")),
            None => errln!("{line}"),
        }
    }

    fn stage(&self, name: &'static str, what: &str, steps: u64) -> Box<dyn progress::Stage> {
        Box::new(Stage::start(name, what, steps))
    }

    fn say(&self, stage: &str, line: &str) {
        errln!("{}", said_line(stage, line, error_width()));
    }

    fn note(&self, text: &str) {
        errln!("note: {text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_a_line_where_there_is_room_and_several_where_there_is_not() {
        let what = "3 launches of at most 2 benchmarks in the order of a seed";
        let wide = stage_line("measure", what, "0:07", Some(100));
        assert_eq!(wide, format!(" measure  {what:<60} 0:07"));
        assert_eq!(stage_line("measure", what, "0:07", None), wide);
        let narrow = stage_line("measure", what, "0:07", Some(40));
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        assert_eq!(narrow.lines().next(), Some(" measure  3 launches of at most 2   0:07"));
        let said: Vec<&str> = narrow.split_whitespace().filter(|word| *word != "0:07").collect();
        assert_eq!(said.join(" "), format!("measure {what}"), "{narrow}");
        assert_eq!(stage_line("build", "one", "0:07", Some(40)).chars().count(), 40);
        assert_eq!(said_line("build", what, Some(100)), format!(" build    {what}"));
        let narrow = said_line("build", &format!("{what}\n{what}"), Some(40));
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        assert_eq!(narrow.lines().nth(1), Some("          benchmarks in the order of a"));
    }
}
