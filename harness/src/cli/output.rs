//! What verbs print and write: reports, charts, tables.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::analyse::{Analysis, Values, analyse, launch_values};
use crate::cli::args::{ExportArgs, Format, ReportArgs, Shared};
use crate::cli::artifacts::Artifacts;
use crate::cli::context::{Context, style};
use crate::cli::{Exit, calibration_file, run, store};
use crate::judge::{Judgement, judge};
use crate::measure::Run;
use crate::plan::{Plan, Role};
use crate::record::RunFile;
use crate::report::{self, Meta, Report, Style};
use crate::rows::{Rows, Source, of_record};

/// The name of the markers of a document that shows one record.
const SPLICE: &str = "record";

/// The markers that a record belongs between: those of its own name where the document has them, else those of its
/// suite, else those of any record.
fn marker<'a>(document: &str, record: &'a str, suite: &'a str) -> &'a str {
    let has =
        |name: &&str| !matches!(report::spliced(document, name), Err(report::SpliceError::Missing { .. }));
    [record, suite].into_iter().find(has).unwrap_or(SPLICE)
}

/// A document that shows records, and the block in it that is this record's.
pub(crate) struct Document<'a> {
    path: &'a Path,
    text: String,
    name: &'a str,
    /// How much of the record the block shows.
    pub form: report::Form,
}

impl<'a> Document<'a> {
    /// Reads a document and finds the block of `record`, which is one of `suite`.
    pub(crate) fn open(path: &'a Path, record: &'a str, suite: &'a str) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = marker(&text, record, suite);
        let form = report::form(&text, name).with_context(|| path.display().to_string())?;
        Ok(Self { path, text, name, form })
    }
}

/// A record with everything that follows from it.
pub(crate) struct Judged {
    pub file: RunFile,
    pub analysis: Analysis,
    pub judgement: Judgement,
    pub meta: Meta,
    /// The value of every launch.
    pub values: Vec<Values>,
}

impl Judged {
    /// Reads, analyses and judges a record, with the stored calibration of the machine that made it.
    pub(crate) fn read(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        let (file, run) = store::read(folder)?;
        Ok(Self::of(root, file, &run))
    }

    pub(crate) fn of(root: &Path, file: RunFile, run: &Run) -> Self {
        let analysis = analyse(&file.plan, run);
        let calibration = calibration_file::find(root, &file.environment, file.plan.kind());
        let judgement = judge(&file.plan, &file.environment, &analysis, calibration.as_ref());
        let meta = Meta {
            name: file.name.clone(),
            started: file.started.clone(),
            seconds: file.seconds,
            command: file.command.clone(),
            perflab: file.perflab.clone(),
        };
        let values = launch_values(&file.plan, run);
        Self { file, analysis, judgement, meta, values }
    }

    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            plan: &self.file.plan,
            environment: &self.file.environment,
            analysis: &self.analysis,
            judgement: &self.judgement,
            meta: &self.meta,
        }
    }

    /// The rows that exports and histories take.
    pub(crate) fn rows(&self) -> Rows {
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
        of_record(&source, &report::sentence)
    }

    /// Everything that it says, with the folder where it is kept.
    fn json(&self, folder: Option<&Path>) -> serde_json::Value {
        serde_json::json!({
            "record": folder,
            "meta": self.meta,
            "state": self.file.state,
            "environment": self.file.environment,
            "analysis": self.analysis,
            "judgement": self.judgement,
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        // That the run was stopped is its own exit code and a warning here, not a fault of who reads it.
        let RunFile { plan, failures, .. } = &self.file;
        if failures.iter().any(run::is_broken) || run::lacks_baseline(plan, failures) {
            Exit::Failed
        } else if self.judgement.controls.iter().any(|control| control.voids) {
            Exit::Inconclusive
        } else {
            Exit::Fine
        }
    }
}

/// Writes `report.md`, `report.html`, the charts and the verdicts into the record.
pub(crate) fn write_report(root: &Path, folder: &Path) -> anyhow::Result<Judged> {
    let judged = Judged::read(root, folder)?;
    let report = judged.report();
    let charts = report::charts(&report)?;
    let put = |name: String, bytes: &[u8]| {
        let path = folder.join(&name);
        store::replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    for chart in &charts {
        put(format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
        put(format!("charts/{}.png", chart.name), &chart.png)?;
    }
    put("report.md".into(), report::markdown(&report).as_bytes())?;
    put("report.html".into(), report::html(&report, &charts).as_bytes())?;
    let verdicts = serde_json::json!({ "analysis": judged.analysis, "judgement": judged.judgement });
    put("verdicts.json".into(), (serde_json::to_string_pretty(&verdicts)? + "\n").as_bytes())?;
    Ok(judged)
}

/// Prints what a record says, and writes it for other tools.
pub(crate) fn print_record(
    shared: &Shared,
    root: &Path,
    folder: &Path,
    export: &ExportArgs,
) -> anyhow::Result<Exit> {
    let judged = Judged::read(root, folder)?;
    export.write_record(&judged)?;
    match shared.format {
        _ if export.takes_stdout() => {}
        Format::Table => {
            out!("{}", report::table(&judged.report(), &style(shared)));
            let shown = folder.strip_prefix(root).unwrap_or(folder).display();
            outln!(
                "report  {shown}/report.html    charts  {shown}/charts/    again  cargo lab report {shown}"
            );
        }
        Format::Json => {
            outln!("{}", serde_json::to_string_pretty(&judged.json(Some(folder)))?);
        }
    }
    Ok(judged.exit())
}

/// Prints what a comparison of commands says; its record is named where it is kept.
pub(crate) fn print_commands(
    shared: &Shared,
    root: &Path,
    folder: &Path,
    export: &ExportArgs,
    kept: bool,
) -> anyhow::Result<Exit> {
    if kept {
        return print_record(shared, root, folder, export);
    }
    let judged = Judged::read(root, folder)?;
    export.write_record(&judged)?;
    match shared.format {
        _ if export.takes_stdout() => {}
        Format::Table => out!("{}", report::table(&judged.report(), &style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&judged.json(None))?),
    }
    Ok(judged.exit())
}

/// `report`: writes a record's report again, splices it, or checks a document against it.
pub(crate) fn report(shared: &Shared, args: &ReportArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let root = Context::open()?.root;
    let document = args.splice.as_ref().or(args.check.as_ref());
    let Some(document) = document else {
        write_report(&root, &args.record)?;
        return print_record(shared, &root, &args.record, &args.export);
    };
    let judged = if args.check.is_some() {
        Judged::read(&root, &args.record)?
    } else {
        write_report(&root, &args.record)?
    };
    let shown =
        if judged.file.plan.traits().shows_values { "charts/calls.svg" } else { "charts/heatmap.svg" };
    let chart = relative(&root, document, &args.record.join(shown))?;
    let open = Document::open(document, &judged.meta.name, &judged.file.plan.suite)?;
    let block = report::block(&judged.report(), open.form, &chart);
    place(args, &open, &judged.meta.name, &block)
}

/// Writes a record's block into a document, or checks whether it stands there.
pub(crate) fn place(
    args: &ReportArgs,
    document: &Document<'_>,
    record: &str,
    block: &str,
) -> anyhow::Result<Exit> {
    let &Document { path, ref text, name, .. } = document;
    let shown = path.display();
    if args.splice.is_some() {
        let spliced = report::splice(text, name, block).with_context(|| shown.to_string())?;
        store::replace(path, spliced.as_bytes())?;
        eprintln!("{shown} now shows {record}");
        return Ok(Exit::Fine);
    }
    let standing = report::spliced(text, name).with_context(|| shown.to_string())?;
    if standing.trim() == block.trim() {
        outln!("{shown} says what {record} says");
        return Ok(Exit::Fine);
    }
    let line = standing.trim().lines().zip(block.trim().lines()).find(|(stands, says)| stands != says);
    outln!(
        "{shown} differs from {record}: splice it again with  cargo lab report {} --splice {shown}",
        args.record.display()
    );
    if let Some((stands, says)) = line {
        outln!("  stands: {stands}\n  record: {says}");
    }
    Ok(Exit::Failed)
}

/// The path of `file` as `document` has to name it. A document within the workspace may lie in a folder beside the
/// record's.
pub(crate) fn relative(root: &Path, document: &Path, file: &Path) -> anyhow::Result<String> {
    let folder = document.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (folder, file) = (folder.canonicalize()?, file.canonicalize().or_else(|_| absolute(file))?);
    let root = root.canonicalize()?;
    let mut up = PathBuf::new();
    for above in folder.ancestors() {
        if let Ok(below) = file.strip_prefix(above) {
            return Ok(up.join(below).display().to_string());
        }
        if above == root || !above.starts_with(&root) {
            break;
        }
        up.push("..");
    }
    bail!(
        "{} does not lie below {}: a document shows records of its own workspace",
        file.display(),
        folder.display()
    );
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}

/// The artifacts of a plan that was only built.
pub(crate) fn artifact_table(context: &Context, plan: &Plan, artifacts: &Artifacts, style: &Style) -> String {
    let run =
        Run { launches: Vec::new(), failures: artifacts.failures.clone(), facts: artifacts.facts.clone() };
    let analysis = analyse(plan, &run);
    let judgement = judge(plan, &context.environment, &analysis, None);
    let meta = Meta {
        name: String::new(),
        started: String::new(),
        seconds: 0.0,
        command: String::new(),
        perflab: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let environment = &context.environment;
    report::artifacts(
        &Report { plan, environment, analysis: &analysis, judgement: &judgement, meta: &meta },
        style,
    )
}

/// What a run would do, for a person.
pub(crate) fn plan_text(plan: &Plan) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let budget = &plan.budget;
    let _ = writeln!(text, "suite       {} (sha256 {})", plan.suite, &plan.digest[..12]);
    let _ = writeln!(
        text,
        "budget      {} launches × {} blocks × {} slices of at most {} µs, {} µs of settling",
        budget.launches,
        budget.blocks,
        budget.slices,
        budget.slice_ns / 1000,
        budget.settle_ns / 1000
    );
    for arm in &plan.arms {
        let role = match arm.role {
            Role::Baseline => "baseline",
            Role::Candidate => "candidate",
            Role::Control => "control",
        };
        let Some(variant) = arm.workload.variant() else { continue };
        let features = if variant.features.is_empty() {
            String::new()
        } else {
            format!(" + {}", variant.features.join(" "))
        };
        let _ = writeln!(
            text,
            "{role:<11} {}: {} ({}{features}), {}",
            arm.name, variant.package, variant.flagset, variant.profile
        );
    }
    let benchmarks: Vec<_> = plan.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
    let listed =
        if benchmarks.is_empty() { "all that the subject has".to_owned() } else { benchmarks.join(" ") };
    let _ = writeln!(text, "benchmarks  {listed}");
    for claim in &plan.claims {
        let _ = writeln!(text, "claim       {}: {}", claim.id, claim.text);
    }
    text
}
