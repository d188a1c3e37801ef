//! `calibrate`: the lab measures itself.

mod print;

use crate::cli::Exit;
use crate::cli::args::{CalibrateArgs, Format, Shared};
use crate::cli::context::open;
use crate::experiment::calibrate::{self, CalibrateOptions};

impl CalibrateArgs {
    fn options(&self) -> anyhow::Result<CalibrateOptions> {
        Ok(CalibrateOptions {
            suite: self.suite.clone(),
            benchmarks: self.benchmarks.clone(),
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
    fn command(&self) -> String {
        let mut words = vec!["cargo lab calibrate".to_owned()];
        words.extend(self.suite.iter().map(|suite| format!("--suite {}", suite.display())));
        words.extend(self.launches.map(|launches| format!("--launches {launches}")));
        let shares: Vec<String> = self.inject.iter().map(f64::to_string).collect();
        words.push(format!("--inject {}", shares.join(",")).trim_end().to_owned());
        words.extend(self.noise_threshold.map(|percent| format!("--noise-threshold {percent}")));
        if !self.benchmarks.is_empty() {
            words.push(format!("--benchmarks {}", self.benchmarks.join(",")));
        }
        words.join(" ")
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
