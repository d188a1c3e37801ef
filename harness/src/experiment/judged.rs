//! A record with everything that follows from it: read once, analysed and judged once, and passed along.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::analyse::{Analysis, Values, analyse, launch_values};
use crate::experiment::{calibrations, store};
use crate::judge::{Judgement, judge};
use crate::machine::Environment;
use crate::measure::Run;
use crate::plan::Plan;
use crate::record::{RunFile, State};
use crate::report::{self, Meta, Report};
use crate::rows::{Rows, Source, of_record};

/// A record with everything that follows from it.
pub struct Judged {
    /// Where it is kept.
    pub directory: PathBuf,
    /// What `run.json` holds.
    pub file: RunFile,
    /// Its samples.
    pub run: Run,
    /// Estimates.
    pub analysis: Analysis,
    /// Verdicts.
    pub judgement: Judgement,
    /// The circumstances, for reports.
    pub meta: Meta,
    /// The value of every launch.
    pub values: Vec<Values>,
}

impl Judged {
    /// Reads, analyses and judges a record, with the stored calibration of the machine that made it. `root` is the
    /// workspace whose calibrations are taken.
    ///
    /// # Errors
    /// The record or the calibration cannot be read; the sentence names the place.
    pub fn read(root: &Path, directory: &Path) -> anyhow::Result<Self> {
        let (file, run) = store::read(directory)?;
        let analysis = analyse(&file.plan, &run);
        let calibration = calibrations::find(root, &file.environment, file.plan.kind())?;
        let judgement = judge(&file.plan, &file.environment, &analysis, calibration.as_ref());
        let meta = Meta {
            name: file.name.clone(),
            started: file.started.clone(),
            seconds: file.seconds,
            command: file.command.clone(),
            perflab: file.perflab.clone(),
        };
        let values = launch_values(&file.plan, &run);
        Ok(Self { directory: directory.to_owned(), file, run, analysis, judgement, meta, values })
    }

    /// What reports are made from.
    #[must_use]
    pub fn report(&self) -> Report<'_> {
        Report {
            plan: &self.file.plan,
            environment: &self.file.environment,
            analysis: &self.analysis,
            judgement: &self.judgement,
            meta: &self.meta,
        }
    }

    /// The rows that exports and histories take.
    #[must_use]
    pub fn rows(&self) -> Rows {
        let source = Source {
            name: &self.meta.name,
            started: &self.meta.started,
            command: &self.meta.command,
            perflab: &self.meta.perflab,
            plan: &self.file.plan,
            environment: &self.file.environment,
            analysis: &self.analysis,
            judgement: &self.judgement,
            values: &self.values,
        };
        let built = self.file.plan.traits().built;
        of_record(&source, &|reason| report::sentence_for(built, reason))
    }

    /// Writes `report.md`, `report.html`, the charts and the verdicts into the record.
    ///
    /// # Errors
    /// A chart cannot be drawn, or a file cannot be written.
    pub fn write_report(&self) -> anyhow::Result<()> {
        let report = self.report();
        let charts = report::charts(&report)?;
        let put = |name: String, bytes: &[u8]| {
            let path = self.directory.join(&name);
            store::replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
        };
        for chart in &charts {
            put(format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
        }
        put("report.md".into(), report::markdown(&report).as_bytes())?;
        put("report.html".into(), report::html(&report, &charts).as_bytes())?;
        let verdicts = serde_json::json!({ "analysis": self.analysis, "judgement": self.judgement });
        put("verdicts.json".into(), (serde_json::to_string_pretty(&verdicts)? + "\n").as_bytes())
    }

    /// Writes each chart of the report as PNG, beside its SVG.
    ///
    /// # Errors
    /// A chart cannot be drawn, or a file cannot be written.
    pub fn write_pngs(&self) -> anyhow::Result<()> {
        for chart in report::charts(&self.report())? {
            let path = self.directory.join(format!("charts/{}.png", chart.name));
            store::replace(&path, &chart.png()?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Whether something in it is broken. That the user stopped it is not.
    #[must_use]
    pub fn failed(&self) -> bool {
        store::failed(&self.file.plan, &self.file.failures)
    }

    /// Whether its A/A control differs from itself, so that none of its numbers counts.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.judgement.controls.iter().any(|control| control.voids)
    }

    /// Whether the user stopped it.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.file.state == State::Stopped
    }
}

/// The report of a plan that was only built: what its arms are, and nothing measured.
pub struct Unmeasured {
    /// Estimates of nothing.
    pub analysis: Analysis,
    /// Verdicts on nothing.
    pub judgement: Judgement,
    /// No circumstances.
    pub meta: Meta,
}

impl Unmeasured {
    /// What follows from a run without launches.
    #[must_use]
    pub fn of(plan: &Plan, environment: &Environment, run: &Run) -> Self {
        let analysis = analyse(plan, run);
        let judgement = judge(plan, environment, &analysis, None);
        let meta = Meta {
            name: String::new(),
            started: String::new(),
            seconds: 0.0,
            command: String::new(),
            perflab: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Self { analysis, judgement, meta }
    }

    /// What reports are made from.
    #[must_use]
    pub fn report<'a>(&'a self, plan: &'a Plan, environment: &'a Environment) -> Report<'a> {
        Report { plan, environment, analysis: &self.analysis, judgement: &self.judgement, meta: &self.meta }
    }
}
