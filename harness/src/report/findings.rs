//! What is said beside the tables: answers to claims, controls, failures, what would decide the rest.

use crate::analyse::{FailureReason, RunFailure};
use crate::called::typed;
use crate::judge::{Answer, ClaimAnswer, ControlResult, Verdict};
use crate::plan::Role;
use crate::report::Report;
use crate::report::details::features_of;
use crate::report::reasons;
use crate::report::sheet::Tone;
use crate::report::view::{Judged, View};
use crate::report::words::{self, NBSP};

/// Digits of the suite's digest that are enough to tell two apart by eye.
const DIGEST: usize = 12;

/// One statement with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// What it is about, in a word or two.
    pub label: &'static str,
    /// The statement.
    pub text: String,
    /// Statements that hang on it.
    pub more: Vec<String>,
    /// How it is shown.
    pub tone: Tone,
}

impl Note {
    fn of(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into(), more: Vec::new(), tone: Tone::Plain }
    }

    fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

/// The run in one line: tool, machine, compiler, suite, record. Parts may go on lines of their own.
pub(crate) fn head(report: &Report<'_>) -> Vec<String> {
    let Report { plan, environment, analysis, meta, .. } = report;
    let short = |rustc: &str| rustc.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    // What compiled, where that is known; the one on PATH may be another.
    let rustc = match &analysis.compilers()[..] {
        [] => short(&environment.toolchain.rustc),
        [one] => short(one),
        // Of one version there may be two builds.
        several => format!("DIFFERENT COMPILERS: {}", several.join(" and ")),
    };
    let mut facts = vec![
        format!("perflab {}", meta.perflab),
        environment.class(),
        words::counted(environment.cores, "core"),
        rustc,
        format!("suite {}", plan.suite),
        words::counted(analysis.launches as usize, "launch"),
        format!("record {}", meta.name),
    ];
    if meta.name.is_empty() {
        // Nothing was kept.
        facts.pop();
    }
    if environment.toolchain.is_absent() {
        facts.remove(3);
    }
    if let Some(python) = &environment.python {
        facts.insert(4, python.name());
    }
    facts
}

/// Arms without a column of their own: identical code, or nothing that could run.
pub(crate) fn arms(view: &View<'_>) -> Vec<Note> {
    let identical = view.identical.iter().map(|identical| {
        let text = format!("{} = {} (identical code, measured once)", identical.arm, identical.measured);
        Note::of("identical", text)
    });
    let built = view.report.plan.traits().built;
    let absent = view.absent.iter().map(|arm| {
        let failures = &view.report.analysis.failures;
        let failure = failures.iter().find(|failure| failure.arm == arm.name && failure.benchmark.is_none());
        let mut text = match failure {
            Some(failure) => format!("{}: {}", arm.name, reasons::sentence_for(built, &failure.reason)),
            None if view.report.analysis.launches == 0 => {
                format!("{}: not measured, for want of {} to compare it with", arm.name, view.baseline)
            }
            None => format!("{}: it has no numbers; each of its failures is listed", arm.name),
        };
        if let Some(standing_in) = stand_in(view, &arm.name) {
            text.push_str(&format!("; {standing_in} stands in for it here"));
        }
        Note::of(absence(failure), text).toned(Tone::Failed)
    });
    identical.chain(absent).collect()
}

/// What keeps a whole arm out of the table, in a word or two.
fn absence(failure: Option<&RunFailure>) -> &'static str {
    match failure.map(|failure| &failure.reason) {
        Some(FailureReason::MissingFeatures { .. } | FailureReason::IllegalInstruction) => "cannot run",
        Some(FailureReason::NotBuilt { .. }) => "not built",
        Some(FailureReason::MissingTool { .. }) => "not here",
        _ => "failed",
    }
}

/// The column that is the same flag set without a feature: `znver4-no-sse4a` for `znver4`.
fn stand_in<'a>(view: &View<'a>, arm: &str) -> Option<&'a str> {
    let prefix = format!("{arm}-no-");
    view.columns.iter().map(|column| column.name.as_str()).find(|name| name.starts_with(&prefix))
}

/// Failures that leave a gap in a column, each with its sentence. Equal ones are given once.
pub(crate) fn failures(view: &View<'_>) -> Vec<Note> {
    let told = |failure: &&RunFailure| {
        failure.benchmark.is_some() || !view.absent.iter().any(|arm| arm.name == failure.arm)
    };
    let mut notes: Vec<(&RunFailure, usize)> = Vec::new();
    let (absent, failed): (Vec<_>, Vec<_>) = view
        .report
        .analysis
        .failures
        .iter()
        .filter(told)
        .partition(|failure| matches!(failure.reason, FailureReason::NotOffered { .. }));
    for failure in failed {
        let same = |other: &RunFailure| {
            (&other.arm, &other.benchmark, &other.reason)
                == (&failure.arm, &failure.benchmark, &failure.reason)
        };
        match notes.iter_mut().find(|(other, _)| same(other)) {
            Some((_, times)) => *times += 1,
            None => notes.push((failure, 1)),
        }
    }
    let built = view.report.plan.traits().built;
    let notes = notes.into_iter().map(|(failure, times)| {
        let what = match &failure.benchmark {
            Some(benchmark) => format!("{benchmark} under {}", failure.arm),
            None => failure.arm.clone(),
        };
        let when = match (failure.launch, times) {
            (Some(launch), 1) => format!(" (launch {launch})"),
            (Some(launch), times) => format!(" ({times} times, first in launch {launch})"),
            (None, _) => String::new(),
        };
        Note::of("failed", format!("{what}{when}: {}", reasons::sentence_for(built, &failure.reason)))
            .toned(Tone::Failed)
    });
    notes.chain(not_offered(view, &absent)).collect()
}

/// What arms of a kind do not offer: one note for all arms that lack the same for the same reason.
fn not_offered(view: &View<'_>, absent: &[&RunFailure]) -> Vec<Note> {
    let mut by_arm: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for failure in absent {
        let FailureReason::NotOffered { why } = &failure.reason else { continue };
        if view.controls.iter().any(|control| control.name == failure.arm) {
            continue;
        }
        let name = failure.benchmark.as_deref().unwrap_or_default();
        match by_arm.iter_mut().find(|(arm, other, _)| *arm == failure.arm && *other == why) {
            Some((_, _, names)) => names.push(name),
            None => by_arm.push((&failure.arm, why, vec![name])),
        }
    }
    let mut told: Vec<(Vec<&str>, &str, Vec<&str>)> = Vec::new();
    for (arm, why, names) in by_arm {
        match told.iter_mut().find(|(_, other, others)| *other == why && *others == names) {
            Some((arms, _, _)) => arms.push(arm),
            None => told.push((vec![arm], why, names)),
        }
    }
    let note = |(arms, why, names): (Vec<&str>, &str, Vec<&str>)| {
        Note::of("not offered", format!("{} under {}: {why}", names.join(", "), arms.join(", ")))
    };
    told.into_iter().map(note).collect()
}

/// Budgets that undecided rows are counted against.
const BUDGETS: [u32; 3] = [64, 256, 1024];

/// How many rows are undecided, and how many of them each budget would decide. Every row's own number is in
/// the long table.
pub(crate) fn undecided(view: &View<'_>) -> Vec<Note> {
    let open = |judged: &Judged<'_>| {
        let candidate = judged.row.role == Role::Candidate && judged.row.measured_as.is_none();
        candidate && matches!(judged.verdict, Verdict::Inconclusive { .. })
    };
    let needs: Vec<Option<u32>> = view
        .judged()
        .filter(open)
        .map(|judged| judged.row.estimate.and_then(|estimate| estimate.launches_to_decide))
        .collect();
    if needs.is_empty() {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for budget in BUDGETS.into_iter().filter(|budget| *budget > view.report.analysis.launches) {
        let decided = needs.iter().flatten().filter(|need| **need <= budget).count();
        let cost =
            more_time(view.report, budget).map_or(String::new(), |cost| format!(" (about {cost} more)"));
        parts.push(format!(
            "{} launches would decide {decided} of them{cost}",
            words::thousands(u64::from(budget))
        ));
        if decided == needs.len() {
            break;
        }
    }
    let text = format!("{}: {}", words::counted(needs.len(), "row"), parts.join("; "));
    vec![Note::of("undecided", text).toned(Tone::Open)]
}

/// The time that further launches take: what the finished ones measured, and settling before every turn.
fn more_time(report: &Report<'_>, launches: u32) -> Option<String> {
    let Report { plan, analysis, .. } = report;
    let more = f64::from(launches.checked_sub(analysis.launches).filter(|more| *more > 0)?);
    let measured: f64 = analysis.arms.iter().map(|arm| arm.measured_seconds).sum();
    let turns = plan.budget.blocks as usize * plan.benchmarks.len() * analysis.arms.len();
    let settled = turns as f64 * plan.budget.settle_ns as f64 / 1e9;
    let done = f64::from(analysis.launches);
    (done > 0.0 && measured > 0.0).then(|| words::clock((measured / done + settled) * more))
}

/// What the baseline against itself showed, and what wide arms do to their neighbours.
pub(crate) fn controls(report: &Report<'_>) -> Vec<Note> {
    let judgement = report.judgement;
    let mut notes: Vec<Note> = judgement.controls.iter().map(control).collect();
    if notes.is_empty() {
        let text = "none in this suite: nothing shows that its verdicts are sound";
        notes.push(Note::of("A/A control", text).toned(Tone::Open));
    }
    notes.push(match &judgement.crosstalk {
        Some(crosstalk) => Note::of(
            "crosstalk",
            format!(
                "{} (baseline beside a wide arm / baseline alone)",
                words::change_with(crosstalk.ratio, crosstalk.interval)
            ),
        ),
        None => {
            Note::of("crosstalk", format!("not calibrated on this machine class (`{}`)", typed("calibrate")))
        }
    });
    notes
}

fn control(control: &ControlResult) -> Note {
    let change = words::change_with(control.ratio, control.interval);
    let alarms = format!(
        "{} in {} (must be neither ▲ nor ▼)",
        words::counted(control.false_alarms, "false alarm"),
        words::counted(control.rows, "row")
    );
    if control.voids {
        let text = format!(
            "{change}: VOID, the baseline differs from itself, so no verdict of this run counts; {alarms}"
        );
        return Note::of("A/A control", text).toned(Tone::Worse);
    }
    let tone = if control.false_alarms > 0 { Tone::Open } else { Tone::Plain };
    Note::of("A/A control", format!("{change}; {alarms}")).toned(tone)
}

/// Every claim with its answer.
pub(crate) fn claims(report: &Report<'_>) -> Vec<Note> {
    report.judgement.claims.iter().map(|answer| claim(report, answer)).collect()
}

fn claim(report: &Report<'_>, answer: &ClaimAnswer) -> Note {
    let digest: String = report.plan.digest.chars().take(DIGEST).collect();
    let text = format!("“{}” (fixed before the run, sha256 {digest}…)", answer.claim.text);
    let mut more = vec![headline(report, answer)];
    if answer.total() > 0 {
        more.push(spread(report, answer));
    }
    Note { label: "claim", text, more, tone: Tone::Plain }
}

/// The answer in a line. A claim about another CPU is not answered here, whatever was measured.
pub(crate) fn headline(report: &Report<'_>, answer: &ClaimAnswer) -> String {
    let elsewhere = answer.claim.cpu.as_deref().filter(|cpu| !report.environment.is_cpu(cpu));
    let here = answer_words(answer);
    match (elsewhere, &answer.reservation) {
        (Some(cpu), Some(why)) => format!("NOT ANSWERED for {cpu} ({why}); on this CPU: {here}"),
        (Some(cpu), None) => format!("NOT ANSWERED for {cpu} (this is another CPU); on this CPU: {here}"),
        (None, Some(why)) => format!("{here}; {why}"),
        (None, None) => here,
    }
}

fn answer_words(answer: &ClaimAnswer) -> String {
    let (word, meaning) = match answer.answer {
        Answer::Below => ("BELOW", "less than claimed"),
        Answer::Inside => ("INSIDE", "as claimed"),
        Answer::Above => ("ABOVE", "faster than claimed"),
        Answer::Negative => ("NEGATIVE", "slower"),
        Answer::CannotTell => ("CANNOT TELL", "the interval crosses a border of the claim"),
    };
    match answer.speed_up {
        Some(speed_up) => {
            let speed_up = words::factor_with(speed_up, answer.interval);
            format!("{word} for the suite (speed-up {speed_up}: {meaning})")
        }
        None => format!("{word} (nothing was measured)"),
    }
}

/// Where the benchmarks of a claim fall.
pub(crate) fn spread(report: &Report<'_>, answer: &ClaimAnswer) -> String {
    let rows = &answer.rows;
    let mut text = format!(
        "of {}: {} inside {}, {} above, {} faster but below, {} within ±{NBSP}{}, {} slower, {} undecided",
        words::counted(answer.total(), "benchmark"),
        rows.inside,
        words::margin(answer.claim.margin),
        rows.above,
        rows.below,
        rows.no_change,
        words::percent(report.judgement.policy.noise_threshold),
        rows.slower,
        rows.undecided
    );
    if let (Some(speed_up), Some(interval)) = (answer.speed_up, answer.code_like_this) {
        text.push_str(&format!("; code like this: {}", words::factor_with(speed_up, Some(interval))));
    }
    text
}

/// The signs' meaning.
pub(crate) fn legend(report: &Report<'_>) -> String {
    let threshold = words::percent(report.judgement.policy.noise_threshold);
    let (less, more) = View::of(report).directions();
    format!("▼{NBSP}{less}, ▲{NBSP}{more}, ≈{NBSP}no change within ±{NBSP}{threshold}, ?{NBSP}cannot tell")
}

/// How often the lab calls an unchanged program changed.
pub(crate) fn false_alarms(report: &Report<'_>) -> Note {
    let Some(stored) = &report.judgement.false_alarms else {
        let text = format!(
            "unknown: no calibration is stored for this machine class and kind of task (`{}`)",
            typed("calibrate")
        );
        return Note::of("false alarms", text).toned(Tone::Open);
    };
    let machine = if stored.same_machine {
        "on this machine class".to_owned()
    } else {
        format!("on another machine class, {}: a hint only; calibrate here for a bound", stored.machine)
    };
    let text = format!(
        "at most {} per comparison (calibration of {} A/A comparisons, {} called changed) and {} per experiment \
         ({} experiments, {} with such a row), {machine}",
        rounded_up(stored.bound),
        words::thousands(stored.comparisons),
        words::thousands(stored.alarms),
        rounded_up(stored.experiments_bound),
        words::thousands(stored.experiments.count),
        words::thousands(stored.experiments.alarmed),
    );
    Note::of("false alarms", text)
}

/// A bound in percent, never rounded to less than it is.
fn rounded_up(bound: f64) -> String {
    words::percent((bound * 10_000.0).ceil() / 10_000.0)
}

/// What limits the numbers.
pub(crate) fn warnings(report: &Report<'_>) -> Vec<Note> {
    let notes = report.analysis.warnings.iter();
    let built = report.plan.traits().built;
    let said = |warning| reasons::warning_under(report.environment.quota, built, warning);
    notes.map(|warning| Note::of("warning", said(warning)).toned(Tone::Open)).collect()
}

/// What the artifacts need of a CPU, and which of their code no flag set reaches. Arms that need the same
/// are given together.
pub(crate) fn needs(view: &View<'_>) -> Vec<Note> {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    let twin = |arm: &str| view.identical.iter().any(|identical| identical.arm == arm);
    for summary in &view.report.analysis.arms {
        let facts = &summary.facts;
        if summary.role == Role::Control || facts.required.is_empty() || twin(&summary.arm) {
            continue;
        }
        let mut text = features_of(view, summary);
        if !facts.dispatched.is_empty() {
            text.push_str(&format!("; behind run-time checks: {}", facts.dispatched.join(" ")));
        }
        match told.iter_mut().find(|(same, _)| *same == text) {
            Some((_, arms)) => arms.push(&summary.arm),
            None => told.push((text, vec![&summary.arm])),
        }
    }
    told.into_iter()
        .map(|(text, arms)| Note::of("CPU features", format!("{}: {text}", arms.join(", "))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn a_claim_about_another_cpu_is_not_answered() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let line = headline(&report, &fixture.judgement.claims[0]);
        assert!(line.starts_with("NOT ANSWERED for znver4 (no such CPU here)"), "{line}");
        assert!(line.contains("on this CPU: BELOW"), "{line}");
    }

    #[test]
    fn the_same_claim_is_answered_on_its_own_cpu() {
        let mut fixture = Fixture::small();
        fixture.environment.cpu.microarchitecture = Some("Zen 4".to_owned());
        fixture.judgement.claims[0].reservation = None;
        let line = headline(&fixture.report(), &fixture.judgement.claims[0]);
        assert!(line.starts_with("BELOW"), "{line}");
    }

    #[test]
    fn a_void_control_is_said_loudly() {
        let mut fixture = Fixture::small();
        fixture.judgement.controls[0].voids = true;
        let notes = controls(&fixture.report());
        assert!(notes[0].text.contains("VOID"), "{notes:?}");
        assert_eq!(notes[0].tone, Tone::Worse);
    }

    #[test]
    fn the_headline_names_what_compiled() {
        let mut fixture = Fixture::small();
        let compiler = |fixture: &Fixture| head(&fixture.report())[3].clone();
        assert!(compiler(&fixture).starts_with("rustc 1."), "of a record that does not say");
        fixture.analysis.arms[0].facts.compiler = "rustc 1.94.0 (a 2026-01-01)".to_owned();
        assert_eq!(compiler(&fixture), "rustc 1.94.0");
        fixture.analysis.arms[1].facts.compiler = "rustc 1.94.0 (b 2026-01-02)".to_owned();
        assert_eq!(
            compiler(&fixture),
            "DIFFERENT COMPILERS: rustc 1.94.0 (a 2026-01-01) and rustc 1.94.0 (b 2026-01-02)"
        );
    }

    #[test]
    fn equal_failures_are_told_once() {
        let mut fixture = Fixture::small();
        let mut again = fixture.analysis.failures[1].clone();
        again.launch = Some(9);
        fixture.analysis.failures.push(again);
        let report = fixture.report();
        let notes = failures(&View::of(&report));
        let told: Vec<_> = notes.iter().filter(|note| note.text.contains("hash/sip")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].text.contains("2 times, first in launch 0"), "{told:?}");
    }

    #[test]
    fn what_a_kind_of_arm_does_not_offer_is_told_once_an_arm() {
        let fixture = Fixture::calls();
        let report = fixture.report();
        let notes = failures(&View::of(&report));
        let told: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(
            told,
            ["ffi/echo_bytes/1KiB, ffi/echo_bytes/1MiB under ctypes: there is no plain C function"]
        );
        assert!(
            arms(&View::of(&report)).iter().any(|note| note.label == "not here"),
            "{:?}",
            arms(&View::of(&report))
        );
    }

    #[test]
    fn an_absent_arm_names_its_stand_in() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let notes = arms(&View::of(&report));
        let absent = notes.iter().find(|note| note.label == "cannot run").expect("a note");
        assert!(absent.text.contains("sse4a"), "{absent:?}");
        assert!(absent.text.ends_with("znver4-no-sse4a stands in for it here"), "{absent:?}");
    }

    #[test]
    fn a_missing_calibration_is_not_silent() {
        let mut fixture = Fixture::small();
        fixture.judgement.false_alarms = None;
        fixture.judgement.crosstalk = None;
        fixture.judgement.controls.clear();
        let report = fixture.report();
        assert!(false_alarms(&report).text.starts_with("unknown"));
        assert!(controls(&report).iter().any(|note| note.text.contains("not calibrated")));
        assert!(controls(&report).iter().any(|note| note.text.starts_with("none in this suite")));
    }
}
