//! `calibrate`: the lab measures itself.

mod print;

use crate::cli::Exit;
use crate::cli::args::{CalibrateArgs, Format, Shared};
use crate::cli::context::open;
use crate::cli::typed::Typed;
use crate::cli::values::all_names;
use crate::experiment::calibrate::{self, CalibrateOptions};

impl CalibrateArgs {
    fn options(&self) -> anyhow::Result<CalibrateOptions> {
        Ok(CalibrateOptions {
            suite: self.suite.clone(),
            benchmarks: all_names(&self.benchmarks),
            launches: self.launches,
            experiments: self.experiments,
            budget: self.limit()?,
            noise_threshold: self.noise_threshold,
            inject: self.inject.clone(),
            out: self.out.clone(),
            command: self.command(),
        })
    }

    /// The command that makes the same calibration.
    pub(crate) fn command(&self) -> String {
        let shares: Vec<String> = self.inject.iter().map(f64::to_string).collect();
        let command = Typed::of("calibrate")
            .path("--suite", self.suite.as_ref())
            .option("--launches", self.launches)
            .option("--experiments", Some(self.experiments))
            .option("--noise-threshold", self.noise_threshold)
            .names("--benchmarks", &self.benchmarks);
        let command = match self.budget {
            Some(limit) => command.time("--budget", limit),
            None => command.option("--minutes", self.minutes),
        };
        match shares.is_empty() {
            // Without a value it is A/A alone.
            true => command.word("--inject").text(),
            false => command.words("--inject", &shares).text(),
        }
    }
}

/// Runs experiments, adds them to the stored ones, and prints the calibration.
pub(crate) fn calibrate(shared: &Shared, args: &CalibrateArgs) -> anyhow::Result<Exit> {
    let options = args.options()?;
    let calibrated = calibrate::calibrate(&open()?, &options)?;
    match shared.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&calibrated.calibration)?),
        Format::Table => print::print(&calibrated.calibration, &calibrated.file),
    }
    Ok(if calibrated.stopped { Exit::Stopped } else { Exit::Fine })
}
