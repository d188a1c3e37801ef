//! `mcp calibrate`: experiments on the comparison of servers, and what all of them say.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::open;
use crate::cli::mcp::args::CalibrateArgs;
use crate::cli::mcp::floor::null_server;
use crate::cli::mcp::options::{explained, share};
use crate::experiment::context::lock_place;
use crate::experiment::tool_calls::{Calibrated, calibrate as experiments};
use crate::judge::{Calibration, Experiments};
use crate::latency::{Load, PairLine};
use crate::load_test::{Floors, Options, Pairs, Question, Servers};
use crate::stats::{clopper_pearson_upper, median};

/// Makes the experiments, and prints the calibration that they are part of.
pub(crate) fn calibrate(shared: &Shared, args: &CalibrateArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let _lock = lock_place(Some(&context.root), context.watcher())?;
    let launcher = std::env::current_exe().context("cannot find the lab's own executable")?;
    let null = null_server(args.floor_server.as_deref(), &launcher, Some(&context.root))?
        .context("a calibration needs the null server: name it with --floor-server")?;
    let fixture = null.with_file_name("tool-server");
    if !fixture.is_file() {
        bail!("there is no tool-server beside {}: build the package perflab-fixtures", null.display());
    }
    let servers = Servers::Field { field: Pairs::field(&fixture, &null)?, without: Vec::new() };
    let question = Question::Latency { load: Load::Closed { in_flight: 1 } };
    let mut options = Options::new(question, servers, context.environment.clone());
    options.launches = args.launches;
    options.length = args.duration;
    options.warm_up = args.warm_up;
    options.patience = args.patience;
    options.noise_threshold = share(args.threshold)?;
    options.floors = Floors::Server(null);
    options.launcher = Some(launcher);
    options.check().map_err(explained)?;
    let Calibrated { calibration, lines, file } = experiments(&context, options, args.experiments)?;
    match shared.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&calibration)?),
        Format::Table => print(&calibration, &lines, &file),
    }
    Ok(if context.stopped() { Exit::Stopped } else { Exit::Fine })
}

fn whole(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn print(calibration: &Calibration, lines: &[PairLine], file: &Path) {
    let percent = |value: f64| format!("{:.2} %", value * 100.0);
    let share = |part: u64, all: u64| percent(part as f64 / all.max(1) as f64);
    outln!("{:<20} launches  comparisons  alarms  95 % covers  median error  launch sd", "A/A");
    for row in &calibration.aa {
        outln!(
            "{:<20} {:>8} {:>12} {:>7} {:>12} {:>13} {:>10}",
            row.benchmark,
            row.launches,
            row.comparisons,
            row.alarms,
            share(row.covered, row.comparisons),
            percent(row.median_error),
            percent(row.launch_sd)
        );
    }
    outln!("\n{:<20} launches  nominal    truth  found of trials  95 % covers  seconds", "slower");
    for row in &calibration.injected {
        outln!(
            "{:<20} {:>8} {:>8} {:>8} {:>8} of {:<5} {:>11} {:>8.1}",
            row.benchmark,
            row.launches,
            percent(row.nominal),
            percent(row.truth),
            row.found,
            row.trials,
            share(row.covered, row.trials),
            row.seconds
        );
    }
    let bound = |alarms: u64, all: u64| {
        percent(clopper_pearson_upper(whole(alarms), whole(all), 0.95).unwrap_or(1.0))
    };
    let (alarms, all) = (calibration.alarms(), calibration.comparisons());
    outln!("\nfalse alarms  {alarms} in {all} rows: at most {} (95 % confidence)", bound(alarms, all));
    let Experiments { count: experiments, alarmed } = calibration.experiments;
    outln!(
        "              {alarmed} of {experiments} experiments had one: at most {}",
        bound(alarmed, experiments)
    );
    let own: Vec<f64> =
        lines.iter().filter(|line| line.pair == "null server").map(|line| line.own_ns).collect();
    if let Some(own) = median(&own) {
        outln!("lab's own     {:.1} µs of CPU a call on stdio", own / 1e3);
    }
    outln!("kept in       {}", file.display());
}
