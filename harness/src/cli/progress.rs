//! Progress on stderr: a bar with the time left on a terminal, one line a stage without.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

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
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(steps);
            let template = " {prefix:<9}{msg:<34} {bar:20.cyan/dim} {pos}/{len} {elapsed}, about {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏·"));
            }
            bar.set_prefix(name);
            bar.set_message(what.clone());
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self { bar, name, what, start: Instant::now() }
    }

    /// A stage that shows nothing but what it is told to say.
    pub(crate) fn silent(name: &'static str) -> Self {
        Self { bar: None, name, what: String::new(), start: Instant::now() }
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
            bar.set_message(what.into());
        }
    }

    /// A line above the bar.
    pub(crate) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!(" {:<9}{line}", self.name)),
            None => eprintln!(" {:<9}{line}", self.name),
        }
    }

    /// The stage is over; its line stays.
    pub(crate) fn end(self) {
        let seconds = self.start.elapsed().as_secs();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        eprintln!(" {:<9}{:<60} {}:{:02}", self.name, self.what, seconds / 60, seconds % 60);
    }
}
