//! The `build` workload: what is timed is Cargo itself, on a target directory that starts empty.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::build::{BuildError, Builder};
use crate::measure::arm::Arm as Subject;
use crate::measure::{ArmProgram, FailureReason, Sample, Slice};
use crate::plan::{Benchmark, CargoBuild, FlagSet, Measure};
use crate::process::RunError;

/// How long a fresh executable may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where and what a `build` suite builds.
pub struct BuildBench<'a> {
    /// The builder; its supervisor ends Cargo with the lab.
    pub builder: &'a Builder,
    /// A directory on a disk for target directories.
    pub disk: &'a Path,
    /// A directory on a tmpfs.
    pub tmpfs: &'a Path,
    /// The source file that is touched before a rebuild.
    pub edited: PathBuf,
}

impl BuildBench<'_> {
    /// One turn of one arm, a value for each of `rows`: a clean build; where a row asks for it the executable's size,
    /// the most memory that it holds with every benchmark prepared, and a rebuild after an edit. The target directory is
    /// removed before and after.
    ///
    /// # Errors
    /// Why there are no numbers; a stop is [`FailureReason::TimedOut`] after 0 ms.
    pub fn measure(
        &self,
        build: &CargoBuild,
        flagset: &FlagSet,
        rows: &[Benchmark],
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Slice>, FailureReason> {
        let folder = if build.settings.tmpfs { self.tmpfs } else { self.disk };
        let target = folder.join("timed-build");
        let not_built = |error: BuildError| match error {
            BuildError::Run(RunError::Stopped) => FailureReason::TimedOut { after_ms: 0 },
            other => FailureReason::of_build(other),
        };
        remove(&target).map_err(|error| FailureReason::not_built(error.to_string()))?;
        let built = || self.builder.time(build, flagset, &target, stop).map_err(not_built);
        let is_asked = |measure| rows.iter().any(|row| row.measure == measure);
        let clean = built()?;
        // Before a rebuild replaces it.
        let size = fs::metadata(&clean.executable).map_or(0, |metadata| metadata.len());
        let memory = if is_asked(Measure::Memory) { self.memory_in_use(&clean.executable)? } else { 0 };
        let mut rebuilt = Duration::ZERO;
        if is_asked(Measure::Rebuild) {
            touch(&self.edited).map_err(|error| FailureReason::not_built(error.to_string()))?;
            rebuilt = built()?.wall;
        }
        remove(&target).map_err(|error| FailureReason::not_built(error.to_string()))?;
        let value = |row: &Benchmark| match row.measure {
            Measure::CleanBuild => nanos(clean.wall),
            Measure::Rebuild => nanos(rebuilt),
            Measure::FileSize => size,
            _ => memory,
        };
        Ok(rows.iter().map(|row| Slice::once(Sample { value: value(row), unit: row.unit })).collect())
    }

    fn memory_in_use(&self, executable: &Path) -> Result<u64, FailureReason> {
        let program = ArmProgram {
            path: executable.to_owned(),
            directory: Some(self.builder.root.clone()),
            starter: self.builder.supervisor.clone(),
            ..ArmProgram::default()
        };
        let mut subject = Subject::start(&program)?;
        for benchmark in subject.list(PATIENCE)?.benchmarks {
            subject.prepare(&benchmark.common.name, PATIENCE)?;
        }
        let unknown = || FailureReason::said("the system does not tell its memory");
        subject.peak_rss().ok_or_else(unknown)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a file newer without changing it, as Cargo's freshness goes by the time.
fn touch(file: &Path) -> io::Result<()> {
    fs::File::options().append(true).open(file)?.set_modified(std::time::SystemTime::now())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
