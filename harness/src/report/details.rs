//! The longer tables: every row with all that limits it, the artifacts, the machine.

use crate::analyse::ArmSummary;
use crate::judge::Verdict;
use crate::machine::Python;
use crate::plan::{Arm, Built, Role};
use crate::report::Report;
use crate::report::sheet::{Entry, Head, Sheet, sign, tone};
use crate::report::view::{Judged, View};
use crate::report::words;

/// Register widths in the census, from the narrowest.
const WIDTHS: [&str; 5] = ["scalar", "xmm", "ymm", "zmm", "mask"];

/// Every row: values, ratio, interval, spread, what could be seen, the verdict in words.
pub(crate) fn every_row(view: &View<'_>) -> Sheet {
    let mut heads = vec![
        Head::words("benchmark"),
        Head::words("arm"),
        Head::of(view.baseline, ""),
        Head::of("arm's value", ""),
        Head::of("change", ""),
        Head::of("95 % interval", ""),
        Head::of("sd over", "launches"),
        Head::of("layout", "share"),
        Head::of("smallest", "effect seen"),
        Head::of("launches", "to decide"),
        Head::words("verdict"),
    ];
    let mut rows: Vec<Vec<Entry>> = view.judged().map(detail).collect();
    if view.report.plan.traits().shows_values {
        heads.insert(4, Head::of("95 % interval", "of the arm's"));
        for (row, judged) in rows.iter_mut().zip(view.judged()) {
            let unit = judged.row.unit;
            let interval = judged.row.value_interval.map(|interval| words::value_interval(unit, interval));
            row.insert(4, Entry::or_dash(interval));
        }
    }
    Sheet { heads, rows, summaries: 0 }
}

fn detail(judged: Judged<'_>) -> Vec<Entry> {
    let Judged { row, verdict } = judged;
    let estimate = row.estimate.as_ref();
    let arm = match (&row.measured_as, row.role) {
        (Some(twin), _) => format!("{} (measured as {twin})", row.arm),
        (None, Role::Control) => format!("{} (control)", row.arm),
        (None, Role::Baseline | Role::Candidate) => row.arm.clone(),
    };
    let undecided = matches!(verdict, Verdict::Inconclusive { .. });
    let decide = estimate.filter(|_| undecided).map(|estimate| match estimate.launches_to_decide {
        Some(launches) => words::thousands(u64::from(launches)),
        None => "none would".to_owned(),
    });
    vec![
        Entry::plain(row.benchmark.as_str()),
        Entry::plain(arm),
        Entry::plain(words::value(row.unit, row.baseline_value)),
        Entry::plain(words::value(row.unit, row.value)),
        Entry::or_dash(estimate.map(|estimate| words::change(estimate.ratio))),
        Entry::or_dash(estimate.map(|estimate| words::change_interval(estimate.interval))),
        Entry::or_dash(estimate.map(|estimate| words::percent(estimate.launch_sd))),
        Entry::or_dash(estimate.and_then(|estimate| estimate.layout_share).map(words::share)),
        Entry::or_dash(estimate.and_then(|estimate| estimate.minimum_detectable).map(words::detectable)),
        Entry::or_dash(decide),
        Entry { text: format!("{} {}", sign(verdict), verdict_words(verdict)), tone: tone(verdict) },
    ]
}

/// A verdict in words.
pub(crate) fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Improved => "improved".to_owned(),
        Verdict::Regressed => "regressed".to_owned(),
        Verdict::NoChange => "no change".to_owned(),
        Verdict::Inconclusive { reason } => format!("inconclusive: {reason}"),
    }
}

/// The artifacts: what building cost, what came out. `features` adds the CPU features as a column.
pub(crate) fn artifacts(view: &View<'_>, features: bool) -> Sheet {
    if view.report.plan.traits().built == Built::Never {
        return commands(view);
    }
    let mut heads = vec![
        Head::words("artifact"),
        Head::of("clean build", ""),
        Head::of("file", ""),
        Head::of("code", ""),
        Head::of("peak memory", ""),
    ];
    if features {
        heads.push(Head::of("measured for", ""));
        heads.push(Head::words("CPU features that it needs"));
        heads.push(Head::words("behind run-time checks"));
        heads.push(Head::words("rustc flags"));
    }
    let rows = summaries(view).map(|summary| artifact(view, summary, features)).collect();
    Sheet { heads, rows, summaries: 0 }
}

/// What stands above them.
pub(crate) fn artifacts_heading(view: &View<'_>) -> &'static str {
    match view.report.plan.traits().built {
        Built::Never => "Commands",
        Built::Once | Built::EveryTurn => "Artifacts",
    }
}

/// Where nothing is built: what each arm runs.
fn commands(view: &View<'_>) -> Sheet {
    let arms = view.report.plan.arms.iter().filter(|arm| arm.role != Role::Control);
    let row = |arm: &Arm| {
        let words = arm.workload.command().iter().map(|word| words::shell_word(word));
        vec![Entry::plain(arm.name.as_str()), Entry::plain(words.collect::<Vec<_>>().join(" "))]
    };
    let heads = vec![Head::words("arm"), Head::words("command")];
    Sheet { heads, rows: arms.map(row).collect(), summaries: 0 }
}

/// The arms that have an artifact of their own; a control's is the baseline's.
fn summaries<'a>(view: &View<'a>) -> impl Iterator<Item = &'a ArmSummary> {
    view.report.analysis.arms.iter().filter(|summary| summary.role != Role::Control)
}

fn artifact(view: &View<'_>, summary: &ArmSummary, features: bool) -> Vec<Entry> {
    let facts = &summary.facts;
    let built = facts.file_bytes > 0;
    let size = |bytes: u64| {
        if built { Entry::plain(words::bytes(bytes as f64)) } else { Entry::plain("–") }
    };
    let build = match (built, facts.build_seconds) {
        (_, Some(seconds)) => Entry::plain(words::seconds(seconds)),
        (true, None) => Entry::plain("–"),
        (false, None) => Entry::failed("not built"),
    };
    let mut row = vec![
        Entry::plain(summary.arm.as_str()),
        build,
        size(facts.file_bytes),
        size(facts.text_bytes),
        Entry::or_dash(summary.peak_rss.map(words::bytes)),
    ];
    if features {
        row.push(Entry::plain(words::seconds(summary.measured_seconds)));
        row.push(Entry::plain(features_of(view, summary)));
        row.push(Entry::or_dash((!facts.dispatched.is_empty()).then(|| facts.dispatched.join(" "))));
        row.push(Entry::or_dash((!facts.flags.is_empty()).then(|| facts.flags.join(" "))));
    }
    row
}

/// The features that an arm needs beyond the run-time checked ones; for candidates, beyond the baseline's.
pub(crate) fn features_of(view: &View<'_>, summary: &ArmSummary) -> String {
    let dispatched = &summary.facts.dispatched;
    let needs = |feature: &&String| !dispatched.contains(feature);
    let base = view.summary(view.baseline).filter(|_| summary.role != Role::Baseline);
    let known: &[String] = base.map_or(&[], |base| &base.facts.required);
    let own: Vec<&str> = summary
        .facts
        .required
        .iter()
        .filter(needs)
        .filter(|feature| !known.contains(feature))
        .map(String::as_str)
        .collect();
    match (base, own.is_empty()) {
        (Some(base), true) => format!("no more than {}", base.arm),
        (Some(_), false) => format!("also {}", own.join(" ")),
        (None, true) => "none".to_owned(),
        (None, false) => own.join(" "),
    }
}

/// Instructions by the widest register that they use; `None` without a census.
pub(crate) fn instructions(view: &View<'_>) -> Option<Sheet> {
    let counted = || summaries(view).filter(|summary| !summary.facts.widths.is_empty());
    counted().next()?;
    let mut heads = vec![Head::words("artifact")];
    heads.extend(WIDTHS.map(|width| Head::of(width, "")));
    heads.push(Head::words("code by other compilers"));
    let rows = counted()
        .map(|summary| {
            let facts = &summary.facts;
            let count = |width: &str| facts.widths.get(width).copied().unwrap_or(0);
            let mut row = vec![Entry::plain(summary.arm.as_str())];
            row.extend(WIDTHS.map(|width| Entry::plain(words::thousands(count(width)))));
            row.push(Entry::or_dash((!facts.foreign_code.is_empty()).then(|| facts.foreign_code.join(", "))));
            row
        })
        .collect();
    Some(Sheet { heads, rows, summaries: 0 })
}

/// The machine and the run, a row a fact.
pub(crate) fn machine(report: &Report<'_>) -> Sheet {
    let Report { plan, environment, analysis, meta, .. } = report;
    let (cpu, tools) = (&environment.cpu, &environment.toolchain);
    let none = |text: Option<String>, without: &str| text.unwrap_or_else(|| without.to_owned());
    let python = environment.python.as_ref();
    let facts = [
        ("CPU", environment.class()),
        ("vendor, family, model, stepping", {
            format!("{}, {}, {}, {}", cpu.vendor, cpu.family, cpu.model, cpu.stepping)
        }),
        ("cores", environment.cores.to_string()),
        ("CPU quota", none(environment.quota.map(|cores| format!("{cores} cores")), "none")),
        ("memory", words::bytes(environment.memory_bytes as f64)),
        ("system", format!("{}, {}", environment.os, environment.kernel)),
        (
            "load when measuring began",
            none(environment.load.map(|load| format!("{load:.2}")), "not shown by the system"),
        ),
        ("frequency governor", none(environment.governor.clone(), "not shown by the system")),
        ("pinned to core", none(environment.pinned_to.map(|core| core.to_string()), "pinning was refused")),
        ("nice value", none(environment.nice.map(|nice| nice.to_string()), "unchanged")),
        ("compiler", format!("{}, LLVM {}, {}", tools.rustc, tools.llvm, tools.host)),
        ("linker", none(tools.linker.clone(), "no lld: layouts cannot be varied")),
        ("target-cpu=native is", tools.native.clone()),
        ("Python", none(python.map(Python::name), "none")),
        ("Python's build", none(python.map(Python::build), "none")),
        ("suite", format!("{} (sha256 {})", plan.suite, plan.digest)),
        ("launches", format!("{} of {}", analysis.launches, plan.budget.launches)),
        ("seed of all random choices", plan.seed.to_string()),
        ("started", meta.started.clone()),
        ("took", words::clock(meta.seconds)),
        ("command", meta.command.clone()),
        ("perflab", meta.perflab.clone()),
    ];
    let calls = plan.python().is_some();
    let facts = facts.into_iter().filter(|(name, _)| calls || !name.starts_with("Python"));
    let compiled = !tools.is_absent();
    let of_compilers = ["compiler", "linker", "target-cpu=native is"];
    let facts = facts.filter(|(name, _)| compiled || !of_compilers.contains(name));
    let rows = facts.map(|(name, fact)| vec![Entry::plain(name), Entry::plain(fact)]).collect();
    Sheet { heads: vec![Head::words("fact"), Head::words("value")], rows, summaries: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    fn column(sheet: &Sheet, index: usize) -> Vec<&str> {
        sheet.rows.iter().map(|row| row[index].text.as_str()).collect()
    }

    #[test]
    fn controls_are_rows_of_the_long_table_but_no_artifacts() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let view = View::of(&report);
        let rows = every_row(&view);
        assert_eq!(rows.rows.len(), fixture.analysis.rows.len());
        assert!(column(&rows, 1).contains(&"A/A (control)"));
        assert!(!column(&artifacts(&view, true), 0).contains(&"A/A"));
    }

    #[test]
    fn calls_have_an_interval_of_their_own_and_name_their_interpreter() {
        let fixture = Fixture::calls();
        let report = fixture.report();
        let sheet = every_row(&View::of(&report));
        assert!(sheet.rows.iter().all(|row| row.len() == sheet.heads.len()));
        assert_eq!(sheet.rows[0][4].text.replace(words::NBSP, " "), "[11.9 ns, 12.1 ns]");
        let facts = machine(&report);
        let python = facts.rows.iter().find(|row| row[0].text == "Python").expect("a row");
        assert_eq!(python[1].text, "CPython 3.11.7");
        assert!(!machine(&Fixture::small().report()).rows.iter().any(|row| row[0].text == "Python"));
    }

    #[test]
    fn only_undecided_rows_ask_for_launches() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let sheet = every_row(&View::of(&report));
        for row in &sheet.rows {
            let asks = row[9].text != "–";
            assert_eq!(asks, row[10].tone == crate::report::sheet::Tone::Open, "{row:?}");
        }
        assert!(column(&sheet, 9).contains(&"128"));
    }

    #[test]
    fn features_are_told_against_the_baseline() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let view = View::of(&report);
        let of = |arm: &str| features_of(&view, view.summary(arm).expect("an arm"));
        assert_eq!(of("x86-64"), "sse sse2");
        assert_eq!(of("v3"), "also avx2 bmi2");
    }
}
