//! `mcp --calibrate`: the comparison of servers measures itself. Servers against themselves, and against one whose times
//! are a tenth longer; experiments add up over several sittings.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::cli::args::{Format, Shared};
use crate::cli::context::open;
use crate::cli::mcp::args::McpArgs;
use crate::cli::mcp::collect::Collected;
use crate::cli::mcp::field::{CallsUnderLoad, Entry, Field};
use crate::cli::mcp::launches::{Task, side_by_side};
use crate::cli::mcp::members::{Known, Unknown};
use crate::cli::mcp::setup::Setup;
use crate::cli::mcp::{meet, modes::Members};
use crate::cli::{Exit, progress::Stage};
use crate::experiment::calibrations;
use crate::experiment::context::Context;
use crate::experiment::surroundings::clock_seed;
use crate::judge::{
    CALIBRATION_SCHEMA, Calibration, CalibrationRow, Experiments, InjectedRow, Policy, Verdict, judge_latency,
};
use crate::latency::{Comparison, Load, Member, Placement, QUANTILES, Versus, compare, quantile_name};
use crate::mcp::CallEntry;
use crate::plan::WorkloadKind;
use crate::stats::{Interval, clopper_pearson, clopper_pearson_upper, mean, median, sd};

/// Mean of the fixture's working times, in ns, and of the slower one's.
const WORK: (u64, u64) = (30_000, 33_000);
/// By how much the second is slower.
const SLOWER: f64 = 0.10;
/// The pairs of an experiment: name, baseline, candidate, slow-down.
const PAIRS: [(&str, Member, Member, f64); 3] = [
    ("work", Member::Server, Member::Control, 0.0),
    ("null server", Member::Peer(2), Member::Peer(3), 0.0),
    ("work", Member::Server, Member::Peer(1), SLOWER),
];

/// One percentile of one pair in one experiment: a line of the file that calibrations add up in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    seed: u64,
    pair: String,
    q: f64,
    slower: f64,
    launches: usize,
    mean_log: f64,
    sd_log: f64,
    lo: f64,
    hi: f64,
    /// Of measuring the pair.
    seconds: f64,
    /// CPU time of the lab's client, in ns a call.
    own_ns: f64,
    /// What the rows of the pair, judged together, say: below 0 improved, above 0 regressed. Not stored, so that a change
    /// of the rule is a change for all experiments.
    #[serde(skip)]
    called: i8,
}

/// Runs experiments, adds them to the stored ones, and writes the calibration.
pub(crate) fn calibrate(shared: &Shared, args: &McpArgs) -> anyhow::Result<Exit> {
    let context = open()?;
    let mut setup = Setup::of(args)?;
    setup.field = Some(field(&fixture(&setup)?, setup.floor.as_deref())?);
    let folder = calibrations::directory(&context.root);
    let file = calibrations::file(&folder, &context.environment, WorkloadKind::ToolCall);
    let log = file.with_extension("csv");
    setup.place_client(Placement::Same);
    let mut collected = Collected::new(&setup, String::new());
    let members = match meet(&setup, &mut collected) {
        Ok(members) => members,
        Err(Unknown::Misuse(error)) => return Err(error),
        Err(Unknown::Fault(fault)) => bail!("the fixture failed: {fault}"),
    };
    experiments(&mut setup, &members, &log)?;
    let mut lines = read(&log)?;
    let threshold = setup.args.threshold / 100.0;
    call(&mut lines, Policy { noise_threshold: threshold });
    let calibration = Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        command: "cargo lab mcp --calibrate".to_owned(),
        environment: context.environment.clone(),
        noise_threshold: threshold,
        // Gates of tool calls are calibrated by another verb.
        gate: calibrations::read(&file)?.and_then(|stored| stored.gate),
        ..summary(&lines, &context)
    };
    calibrations::write(&file, &calibration)?;
    match shared.format {
        Format::Json => outln!("{}", serde_json::to_string_pretty(&calibration)?),
        Format::Table => print(&calibration, &lines, &file),
    }
    Ok(if setup.stopped() { Exit::Stopped } else { Exit::Fine })
}

/// The fixture's program.
fn fixture(setup: &Setup) -> anyhow::Result<PathBuf> {
    let floor = setup.floor.as_ref().context("--calibrate needs the null server: leave --no-floors out")?;
    let server = floor.with_file_name("tool-server");
    if !server.is_file() {
        bail!("there is no tool-server beside {}: build the package perflab-fixtures", floor.display());
    }
    Ok(server)
}

/// The fixture, the slower one, and the null server twice.
fn field(server: &Path, null: Option<&Path>) -> anyhow::Result<Field> {
    let word = |path: &Path| path.to_str().map(str::to_owned).context("a path that is no text");
    let entry = |name: &str, command: Vec<String>| Entry {
        name: name.to_owned(),
        details: None,
        command,
        http: None,
        in_process: false,
    };
    let work = |mean: u64| Ok::<_, anyhow::Error>(vec![word(server)?, "tail".to_owned(), mean.to_string()]);
    let null = vec![word(null.context("no null server")?)?];
    let mut arguments = serde_json::Map::new();
    arguments.insert("text".to_owned(), "{payload:64}".into());
    let call = CallEntry {
        tool: "echo".to_owned(),
        weight: 1,
        arguments,
        expect: Some("{payload:64}".to_owned()),
        expect_structured: None,
    };
    Ok(Field {
        name: "calibration".to_owned(),
        servers: vec![
            entry("work", work(WORK.0)?),
            entry("slower", work(WORK.1)?),
            entry("null", null.clone()),
            entry("null again", null),
        ],
        loads: vec![CallsUnderLoad { name: "echo".to_owned(), in_flight: 1, calls: vec![call] }],
    })
}

fn experiments(setup: &mut Setup, members: &Members, log: &Path) -> anyhow::Result<()> {
    let all: Vec<&Known> = members.servers.iter().collect();
    let task = [Task { label: String::new(), load: Load::Closed { in_flight: 1 }, set: 0 }];
    let what = format!("{} experiments of {} launches", setup.args.experiments, setup.launches);
    let steps = u64::from(setup.args.experiments) * u64::from(setup.launches);
    let stage = Stage::start("calibrate", what, steps);
    for _ in 0..setup.args.experiments {
        setup.seed = clock_seed();
        let began = Instant::now();
        let mut collected = Collected::new(setup, String::new());
        for launch in 0..setup.launches {
            let failed = side_by_side(setup, &all, &task, Placement::Same, launch, &mut collected)?;
            if let Some(failed) = collected.file.faults.first().filter(|_| !failed.is_empty()) {
                bail!("the fixture failed: {}", failed.says);
            }
            if setup.stopped() {
                stage.end();
                return Ok(());
            }
            stage.step();
        }
        // A comparison has three servers, the control included.
        let seconds = began.elapsed().as_secs_f64() * 3.0 / all.len() as f64;
        append(log, &lines(setup, &collected, seconds))?;
    }
    stage.end();
    Ok(())
}

/// The pairs of one experiment.
fn lines(setup: &Setup, collected: &Collected, seconds: f64) -> Vec<Line> {
    let mut lines = Vec::new();
    for (pair, base, candidate, slower) in PAIRS {
        let (one, two) = (collected.quantiles(base), collected.quantiles(candidate));
        for (at, q) in QUANTILES.into_iter().enumerate() {
            let pairs: Vec<(u64, u64)> =
                one.iter().zip(&two).filter_map(|(one, two)| Some((*one.get(at)?, *two.get(at)?))).collect();
            let Some(row) = compare(q, &pairs, setup.args.threshold / 100.0) else { continue };
            lines.push(Line {
                seed: setup.seed,
                pair: pair.to_owned(),
                q,
                slower,
                launches: row.launches.len(),
                mean_log: row.ratio.ln(),
                sd_log: row.launch_sd,
                lo: row.interval.lo,
                hi: row.interval.hi,
                seconds,
                own_ns: collected.own_cpu(candidate).unwrap_or(f64::NAN),
                called: 0,
            });
        }
    }
    lines
}

/// Judges the rows of each pair together, as those of a run are.
fn call(lines: &mut [Line], policy: Policy) {
    let mut pairs: BTreeMap<(u64, String, bool), Vec<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        pairs.entry((line.seed, line.pair.clone(), line.slower > 0.0)).or_default().push(at);
    }
    for members in pairs.values() {
        let row = |&at: &usize| {
            let Line { q, mean_log, sd_log, lo, hi, launches, .. } = lines[at];
            Comparison {
                q,
                // Judging looks at their number, mean and spread alone.
                launches: vec![mean_log; launches],
                ratio: mean_log.exp(),
                interval: Interval { lo, hi },
                launch_sd: sd_log,
                minimum_detectable: None,
                launches_to_decide: None,
            }
        };
        let rows = members.iter().map(row).collect();
        let versus =
            Versus { member: Member::Against, placement: Placement::Same, label: String::new(), rows };
        let judged = judge_latency(&[versus], policy);
        for (&at, verdict) in members.iter().zip(&judged.verdicts[0]) {
            lines[at].called = match verdict {
                Verdict::Improved => -1,
                Verdict::Regressed => 1,
                _ => 0,
            };
        }
    }
}

fn summary(lines: &[Line], context: &Context) -> Calibration {
    // By pair, percentile and launches; quantiles in millionths, which order as floats do not.
    let mut groups: BTreeMap<(bool, &str, u64, usize), Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let key = (line.slower > 0.0, line.pair.as_str(), (line.q * 1e6) as u64, line.launches);
        groups.entry(key).or_default().push(line);
    }
    let same = groups.iter().filter(|((slower, ..), _)| !slower);
    let aa: Vec<CalibrationRow> = same.map(|(_, group)| aa_row(group)).collect();
    let slower = groups.iter().filter(|((slower, ..), _)| *slower);
    let injected = slower.filter_map(|(_, group)| injected_row(group)).collect();
    let mut alarmed: BTreeMap<u64, bool> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.slower == 0.0) {
        *alarmed.entry(line.seed).or_default() |= line.called != 0;
    }
    let (covered, all) =
        aa.iter().fold((0, 0), |(covered, all), row| (covered + row.covered, all + row.comparisons));
    Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: String::new(),
        command: String::new(),
        environment: context.environment.clone(),
        noise_threshold: 0.0,
        workload: WorkloadKind::ToolCall,
        experiments: Experiments {
            count: alarmed.len() as u64,
            alarmed: alarmed.values().filter(|alarmed| **alarmed).count() as u64,
        },
        coverage: clopper_pearson(count(covered), count(all), 0.95),
        aa,
        injected,
        crosstalk: None,
        relink_seconds: 0.0,
        gate: None,
    }
}

fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn row_name(lines: &[&Line]) -> String {
    format!("{} {}", lines[0].pair, quantile_name(lines[0].q))
}

fn launches_of(lines: &[&Line]) -> u32 {
    u32::try_from(lines[0].launches).unwrap_or(u32::MAX)
}

fn covers(lines: &[&Line], truth: f64) -> u64 {
    lines.iter().filter(|line| Interval { lo: line.lo, hi: line.hi }.contains(truth)).count() as u64
}

fn aa_row(lines: &[&Line]) -> CalibrationRow {
    let middle = |of: fn(&Line) -> f64| {
        median(&lines.iter().map(|line| of(line)).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    CalibrationRow {
        benchmark: row_name(lines),
        launches: launches_of(lines),
        comparisons: lines.len() as u64,
        alarms: lines.iter().filter(|line| line.called != 0).count() as u64,
        covered: covers(lines, 1.0),
        median_error: middle(|line| line.mean_log.exp_m1().abs()),
        launch_sd: middle(|line| line.sd_log),
    }
}

fn injected_row(lines: &[&Line]) -> Option<InjectedRow> {
    let logs: Vec<f64> = lines.iter().map(|line| line.mean_log).collect();
    let truth = mean(&logs)?;
    Some(InjectedRow {
        benchmark: row_name(lines),
        nominal: lines[0].slower,
        truth: truth.exp_m1(),
        truth_error: sd(&logs).map_or(f64::NAN, |sd| sd / (logs.len() as f64).sqrt()),
        launches: launches_of(lines),
        trials: lines.len() as u64,
        found: lines.iter().filter(|line| line.called > 0).count() as u64,
        covered: covers(lines, truth.exp()),
        seconds: median(&lines.iter().map(|line| line.seconds).collect::<Vec<_>>())?,
    })
}

/// Adds whole experiments: a kill in the middle of a line leaves a line that reading drops.
fn append(log: &Path, lines: &[Line]) -> anyhow::Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut writer = csv::WriterBuilder::new().has_headers(!log.exists()).from_writer(Vec::new());
    for line in lines {
        writer.serialize(line)?;
    }
    let bytes = writer.into_inner().map_err(|error| anyhow::anyhow!("{error}"))?;
    let mut file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    file.write_all(&bytes)?;
    Ok(file.sync_data()?)
}

fn read(log: &Path) -> anyhow::Result<Vec<Line>> {
    let Ok(text) = fs::read_to_string(log) else { return Ok(Vec::new()) };
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(whole.as_bytes());
    Ok(reader.deserialize::<Line>().filter_map(Result::ok).collect())
}

fn print(calibration: &Calibration, lines: &[Line], file: &Path) {
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
        percent(clopper_pearson_upper(count(alarms), count(all), 0.95).unwrap_or(1.0))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seed: u64, slower: f64, mean_log: f64) -> Line {
        let half = 0.004;
        Line {
            seed,
            pair: "work".to_owned(),
            q: 0.99,
            slower,
            launches: 12,
            mean_log,
            sd_log: 0.006,
            lo: (mean_log - half).exp(),
            hi: (mean_log + half).exp(),
            seconds: 4.0,
            own_ns: 2000.0,
            called: 0,
        }
    }

    #[test]
    fn lines_are_kept_and_judged_by_the_rule_of_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.csv");
        append(&log, &[line(1, 0.0, 0.001), line(1, 0.1, 0.09)]).unwrap();
        append(&log, &[line(2, 0.0, 0.05), line(2, 0.1, 0.012)]).unwrap();
        File::options().append(true).open(&log).unwrap().write_all(b"3,work,0.99,0.1,1").unwrap();
        let mut lines = read(&log).unwrap();
        assert_eq!(lines.len(), 4, "the line that was cut off is dropped");
        call(&mut lines, Policy { noise_threshold: 0.01 });
        let called: Vec<i8> = lines.iter().map(|line| line.called).collect();
        assert_eq!(called, [0, 1, 1, 0]);
        let all: Vec<&Line> = lines.iter().collect();
        let slower = injected_row(&[all[1], all[3]]).unwrap();
        assert_eq!((slower.found, slower.trials, slower.covered), (1, 2, 0));
        let same = aa_row(&[all[0], all[2]]);
        assert_eq!((same.alarms, same.comparisons, same.covered), (1, 2, 1));
    }
}
