//! What a latency record shows: table or JSON, a page, charts.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::called::program;
use crate::cli::Exit;
use crate::cli::args::{Format, ReportArgs, Shared};
use crate::cli::context::{reading_root, style};
use crate::cli::output::{Document, place, relative};
use crate::files::replace;
use crate::judge::{Policy, judge_latency};
use crate::latency::{LatencyFile, LatencyState, Mode};
use crate::load_test::Record;
use crate::report;

/// Whether a directory holds a latency record.
pub(crate) fn is_record(directory: &Path) -> bool {
    Record::is_in(directory)
}

/// Shows a record again, without measuring.
pub(crate) fn again(shared: &Shared, folder: &Path) -> anyhow::Result<Exit> {
    show(shared, &Record::read(folder)?.file, folder)
}

/// `report` of a latency record: shows it again, splices it into a document, or checks one against it.
pub(crate) fn report(shared: &Shared, args: &ReportArgs) -> anyhow::Result<Exit> {
    let file = Record::read(&args.record)?.file;
    if args.png {
        for chart in report::latency_charts(&file)? {
            put(&args.record, &format!("charts/{}.png", chart.name), &chart.png()?)?;
        }
    }
    let Some(document) = args.splice.as_ref().or(args.check.as_ref()) else {
        return show(shared, &file, &args.record);
    };
    let judgement = judge_latency(&file.versus, Policy { noise_threshold: file.noise_threshold });
    if args.splice.is_some() {
        charts(&file, &args.record)?;
    }
    let chart = if file.mode == Mode::Field { "charts/servers.svg" } else { "charts/percentiles.svg" };
    let root = reading_root()?;
    let chart = relative(&root, document, &args.record.join(chart))?;
    let open = Document::open(document, &file.name, file.field.as_deref().unwrap_or("mcp"))?;
    if open.form != report::Form::Whole {
        bail!(
            "{}: a record of tool calls is shown whole: leave the form out of its marker",
            document.display()
        );
    }
    let block = report::latency_block(&file, &judgement, &chart);
    place(args, &open, &file.name, &block)
}

/// Draws the charts into the record. Returns their names and titles.
fn charts(file: &LatencyFile, folder: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let charts = report::latency_charts(file)?;
    for chart in &charts {
        put(folder, &format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
    }
    Ok(charts.into_iter().map(|chart| (chart.name, chart.title)).collect())
}

/// Writes page and charts into the record, prints what it says, and tells the exit code.
pub(crate) fn show(shared: &Shared, file: &LatencyFile, folder: &Path) -> anyhow::Result<Exit> {
    let judgement = judge_latency(&file.versus, Policy { noise_threshold: file.noise_threshold });
    let titles = charts(file, folder)?;
    put(folder, "report.md", report::latency_markdown(file, &judgement, &titles).as_bytes())?;
    match shared.format {
        Format::Table => {
            out!("{}", report::latency_table(file, &judgement, &style(shared)));
            let shown = folder.display();
            outln!("record  {shown}/    charts  {shown}/charts/    again  {} report {shown}", program());
        }
        Format::Json => {
            let value = serde_json::json!({ "record": folder.display().to_string(), "latency": file, "judgement": judgement });
            outln!("{}", serde_json::to_string_pretty(&value)?);
        }
    }
    Ok(if file.state == LatencyState::Stopped {
        Exit::Stopped
    } else if !file.faults.is_empty() {
        Exit::Failed
    } else if file.void.is_some() || judgement.void {
        Exit::Inconclusive
    } else {
        Exit::Fine
    })
}

/// Writes a file of the record whole.
fn put(record: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = record.join(name);
    replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
