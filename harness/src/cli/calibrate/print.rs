//! A calibration for a person.

use std::path::Path;

use crate::judge::{Calibration, DetectableRow, Experiments, GateCalibration};

/// Everything that a calibration found.
pub(crate) fn print(calibration: &Calibration, file: &Path) {
    outln!("noise threshold {}", percent(calibration.noise_threshold));
    outln!(
        "\nA/A                        launches  comparisons  alarms  95 % covers  median error  launch sd"
    );
    for row in &calibration.aa {
        outln!(
            "{:<26} {:>8} {:>12} {:>7} {:>12} {:>13} {:>10}",
            row.benchmark,
            row.launches,
            row.comparisons,
            row.alarms,
            percent(row.covered as f64 / row.comparisons.max(1) as f64),
            percent(row.median_error),
            percent(row.launch_sd)
        );
    }
    if !calibration.injected.is_empty() {
        outln!(
            "\ninjected                   launches  nominal    truth  found of trials  95 % covers  seconds"
        );
    }
    for row in &calibration.injected {
        outln!(
            "{:<26} {:>8} {:>8} {:>8} {:>8} of {:<5} {:>11} {:>8.1}",
            row.benchmark,
            row.launches,
            percent(row.nominal),
            percent(row.truth),
            row.found,
            row.trials,
            percent(row.covered as f64 / row.trials.max(1) as f64),
            row.seconds
        );
    }
    let (alarms, comparisons) = (calibration.alarms(), calibration.comparisons());
    outln!(
        "\nfalse alarms  {alarms} in {comparisons} comparisons: at most {} (95 % confidence)",
        upper(alarms, comparisons)
    );
    let Experiments { count, alarmed } = calibration.experiments;
    outln!("              {alarmed} of {count} experiments had one: at most {}", upper(alarmed, count));
    if let Some(gate) = &calibration.gate {
        print_gate(gate);
    }
    if let Some(coverage) = calibration.coverage {
        outln!("coverage      between {} and {}", percent(coverage.lo), percent(coverage.hi));
    }
    if let Some(crosstalk) = &calibration.crosstalk {
        outln!(
            "crosstalk     {:+.2} % [{:+.2}, {:+.2}]: a scalar arm after a wide one, against after itself",
            (crosstalk.ratio - 1.0) * 100.0,
            (crosstalk.interval.lo - 1.0) * 100.0,
            (crosstalk.interval.hi - 1.0) * 100.0
        );
    }
    outln!("one layout    {:.3} s to link", calibration.relink_seconds);
    outln!("kept in       {}", file.display());
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn upper(alarms: u64, all: u64) -> String {
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    percent(crate::stats::clopper_pearson_upper(count(alarms), count(all), 0.95).unwrap_or(1.0))
}

/// What the gate's rule said.
fn print_gate(gate: &GateCalibration) {
    let GateCalibration { comparisons, failed, suspected, undecided, experiments, load, .. } = gate;
    outln!(
        "\ngate          {failed} of {comparisons} A/A comparisons failed: at most {}",
        upper(*failed, *comparisons)
    );
    outln!(
        "              {} of {} gates failed: at most {}",
        experiments.alarmed,
        experiments.count,
        upper(experiments.alarmed, experiments.count)
    );
    outln!(
        "              {suspected} suspected and measured afresh, {undecided} undecided{}",
        load.map_or(String::new(), |load| format!("; load {:.1} to {:.1} when begun", load.lo, load.hi))
    );
    outln!("\nlaunch sd   threshold  injected    truth    fails of trials   passes   seconds  19 of 20 in");
    for row in &gate.power {
        let class = row.most_sd.map_or("above".to_owned(), |most| format!("≤ {}", percent(most)));
        outln!(
            "{class:<11} {:>9} {:>9} {:>8} {:>8} of {:<6} {:>8} {:>9.1} {:>12.1}",
            percent(row.noise_threshold),
            percent(row.nominal),
            percent(row.truth),
            row.failed,
            row.trials,
            row.passed,
            row.seconds,
            row.seconds_p95
        );
    }
    let times = |row: &DetectableRow| {
        let heads = row.within.iter().map(|(time, _)| format!("{:>9}", format!("{time} s")));
        heads.collect::<String>()
    };
    let Some(first) = gate.detectable.first() else { return };
    outln!(
        "\nfound within                launch sd  threshold{}   (95 % power, by the spread)",
        times(first)
    );
    for row in &gate.detectable {
        let effects =
            row.within.iter().map(|(_, effect)| format!("{:>9}", effect.map_or("–".into(), percent)));
        outln!(
            "{:<28} {:>8} {:>10}{}",
            row.benchmark,
            percent(row.launch_sd),
            percent(row.noise_threshold),
            effects.collect::<String>()
        );
    }
}
