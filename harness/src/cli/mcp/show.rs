//! What a latency record shows: table or JSON, a page, charts.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::style;
use crate::cli::mcp::collect::put;
use crate::judge::{Policy, judge_latency};
use crate::latency::{LATENCY_SCHEMA, LatencyFile, LatencyState};
use crate::report;

/// Whether a folder holds a latency record.
pub(crate) fn is_record(folder: &Path) -> bool {
    folder.join("latency.json").is_file()
}

/// Shows a record again, without measuring.
pub(crate) fn again(shared: &Shared, folder: &Path) -> anyhow::Result<Exit> {
    let path = folder.join("latency.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let value: serde_json::Value = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    if value["schema"] != LATENCY_SCHEMA {
        bail!(
            "{} has schema {}, and this perflab reads {LATENCY_SCHEMA}: use the perflab that wrote it ({})",
            path.display(),
            value["schema"],
            value["perflab"].as_str().unwrap_or("unknown")
        );
    }
    let file: LatencyFile = serde_json::from_value(value).with_context(|| path.display().to_string())?;
    show(shared, &file, folder)
}

/// Writes page and charts into the record, prints what it says, and tells the exit code.
pub(crate) fn show(shared: &Shared, file: &LatencyFile, folder: &Path) -> anyhow::Result<Exit> {
    let judgement = judge_latency(&file.versus, Policy { noise_threshold: file.noise_threshold });
    let charts = report::latency_charts(file)?;
    for chart in &charts {
        put(folder, &format!("charts/{}.svg", chart.name), chart.svg.as_bytes())?;
        put(folder, &format!("charts/{}.png", chart.name), &chart.png)?;
    }
    let titles: Vec<(&str, String)> = charts.iter().map(|chart| (chart.name, chart.title.clone())).collect();
    put(folder, "report.md", report::latency_markdown(file, &judgement, &titles).as_bytes())?;
    match shared.format {
        Format::Table => {
            out!("{}", report::latency_table(file, &judgement, &style(shared)));
            let shown = folder.display();
            outln!("record  {shown}/    charts  {shown}/charts/    again  cargo lab report {shown}");
        }
        Format::Json => {
            let value = serde_json::json!({ "record": folder, "latency": file, "judgement": judgement });
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
