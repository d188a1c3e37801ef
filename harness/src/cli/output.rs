//! What verbs print and write: reports, charts, tables.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::called::{neutral, program};
use crate::cli::args::{ExportArgs, Format, ReportArgs, Shared};
use crate::cli::context::{from_here, reading_root, style, word_from_here};
use crate::cli::{Exit, gate};
use crate::experiment::judged::Judged;
use crate::experiment::run::Built;
use crate::experiment::store;
use crate::machine::Environment;
use crate::plan::{Plan, Role};
use crate::report::{self, Style};

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
    /// Whether its lines end as those of Windows do.
    crlf: bool,
    name: &'a str,
    /// How much of the record the block shows.
    pub form: report::Form,
}

impl<'a> Document<'a> {
    /// Reads a document and finds the block of `record`, which is one of `suite`.
    pub(crate) fn open(path: &'a Path, record: &'a str, suite: &'a str) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let crlf = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
        let text = if crlf { text.replace("\r\n", "\n") } else { text };
        let name = marker(&text, record, suite);
        let form = report::form(&text, name).with_context(|| path.display().to_string())?;
        Ok(Self { path, text, crlf, name, form })
    }
}

/// The exit code of a record. That its run was stopped is another one, and not a fault of who reads it.
pub(crate) fn exit(judged: &Judged) -> Exit {
    if judged.failed() {
        Exit::Failed
    } else if judged.is_void() {
        Exit::Inconclusive
    } else {
        Exit::Fine
    }
}

/// Prints what a record says, and writes it for other tools.
pub(crate) fn print_record(shared: &Shared, judged: &Judged, export: &ExportArgs) -> anyhow::Result<()> {
    let directory = &judged.directory;
    print(shared, judged, export, Some(directory))?;
    if shared.format == Format::Table && !export.takes_stdout() {
        let (shown, word) = (from_here(directory), word_from_here(directory));
        let shown = shown.display();
        outln!(
            "report  {shown}/report.html    charts  {shown}/charts/    again  {} report {word}",
            program()
        );
    }
    Ok(())
}

/// Writes the report of a record that was just made, and prints it: also where it cannot be written.
pub(crate) fn print_new_record(shared: &Shared, judged: &Judged, export: &ExportArgs) -> anyhow::Result<()> {
    let written = judged.write_report();
    let printed = print_record(shared, judged, export);
    written.and(printed)
}

/// Prints what a record says that nobody keeps, and writes it for other tools.
pub(crate) fn print_passing(shared: &Shared, judged: &Judged, export: &ExportArgs) -> anyhow::Result<()> {
    print(shared, judged, export, None)
}

fn print(
    shared: &Shared,
    judged: &Judged,
    export: &ExportArgs,
    directory: Option<&Path>,
) -> anyhow::Result<()> {
    // What cannot be written for another tool keeps nobody from reading it here.
    let exported = export.write_record(judged);
    match shared.format {
        _ if export.takes_stdout() => {}
        Format::Table => out!("{}", report::table(&judged.report(), &style(shared))),
        Format::Json => {
            let value = serde_json::json!({
                // A path may hold what JSON cannot.
                "record": directory.map(|directory| directory.display().to_string()),
                "meta": judged.meta,
                "state": judged.file.state,
                "environment": judged.file.environment,
                "analysis": judged.analysis,
                "judgement": judged.judgement,
            });
            outln!("{}", serde_json::to_string_pretty(&value)?);
        }
    }
    exported
}

/// `report`: writes a record's report again, splices it, or checks a document against it.
pub(crate) fn report(shared: &Shared, args: &ReportArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let root = reading_root()?;
    let document = args.splice.as_ref().or(args.check.as_ref());
    if document.is_none()
        && let Some(exit) = gate::shown(shared, &args.record, &args.export)?
    {
        return Ok(exit);
    }
    let judged = Judged::read(&root, &args.record)?;
    if args.check.is_none() {
        judged.write_report()?;
    }
    if args.png {
        judged.write_pngs()?;
    }
    let Some(document) = document else {
        print_record(shared, &judged, &args.export)?;
        return Ok(exit(&judged));
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
    let &Document { path, ref text, crlf, name, .. } = document;
    let shown = path.display();
    if args.splice.is_some() {
        let spliced = report::splice(text, name, block).with_context(|| shown.to_string())?;
        let spliced = if crlf { spliced.replace('\n', "\r\n") } else { spliced };
        store::replace(path, spliced.as_bytes()).with_context(|| format!("cannot write {shown}"))?;
        errln!("{shown} now shows {record}");
        return Ok(Exit::Fine);
    }
    let standing = report::spliced(text, name).with_context(|| shown.to_string())?;
    // Whether the program was installed when the block was written says nothing of the record.
    let (standing, block) = (neutral(standing), neutral(block));
    if standing.trim() == block.trim() {
        outln!("{shown} says what {record} says");
        return Ok(Exit::Fine);
    }
    let line = standing.trim().lines().zip(block.trim().lines()).find(|(stands, says)| stands != says);
    outln!(
        "{shown} differs from {record}: splice it again with  {} report {} --splice {shown}",
        program(),
        args.record.display()
    );
    if let Some((stands, says)) = line {
        outln!("  stands: {stands}\n  record: {says}");
    }
    Ok(Exit::Failed)
}

/// The path of `file` as `document` has to name it. A document within the workspace may lie in a directory beside the
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
pub(crate) fn artifact_table(environment: &Environment, built: &Built, style: &Style) -> String {
    let unmeasured = built.unmeasured(environment);
    report::artifacts(&unmeasured.report(&built.plan, environment), style)
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
