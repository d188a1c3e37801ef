//! Progress on stderr: a bar with the time left on a terminal, one line a stage without.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::context::{from_here, is_dumb, plain, unicode};
use crate::experiment::progress;
use crate::machine::Environment;
use crate::report::visible;

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
        match &self.bar {
            Some(bar) => bar.suspend(|| errln!(" {:<9}{line}", self.name)),
            None => errln!(" {:<9}{line}", self.name),
        }
    }

    /// The stage is over; its line stays.
    pub(crate) fn end(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        errln!(" {:<9}{:<60} {}", self.name, self.what, clock(self.start.elapsed()));
    }
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
            None => errln!(" {:<9}{what:<60} {}", self.name, clock(took)),
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
        errln!(
            "perflab {} · {} · {} cores · rustc {} · suite {suite} · record {}",
            env!("CARGO_PKG_VERSION"),
            environment.class(),
            environment.cores,
            environment.toolchain.rustc.split_whitespace().nth(1).unwrap_or("?"),
            from_here(record).display()
        );
    }

    fn stage(&self, name: &'static str, what: &str, steps: u64) -> Box<dyn progress::Stage> {
        Box::new(Stage::start(name, what, steps))
    }

    fn say(&self, stage: &str, line: &str) {
        errln!(" {stage:<9}{line}");
    }

    fn note(&self, text: &str) {
        errln!("note: {text}");
    }
}
