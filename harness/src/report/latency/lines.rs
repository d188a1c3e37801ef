//! The sentences of a latency report.

use crate::judge::{LatencyJudgement, Verdict};
use crate::latency::{
    Cancellation, Capacity, LatencyFile, LatencyState, Member, Memory, Mode, quantile_name,
};
use crate::report::Style;
use crate::report::grid::wrap;
use crate::report::latency::{load_words, note, who};
use crate::report::sheet::Tone;
use crate::report::words::{self, NBSP};

/// Who was measured, and how.
pub(crate) fn head(file: &LatencyFile, style: &Style) -> String {
    let mut text = String::new();
    for facts in &file.servers {
        if file.mode == Mode::Field && facts.member == Member::Control {
            continue;
        }
        let mut parts = vec![facts.command.clone()];
        parts.extend(facts.name.clone());
        parts.extend(
            facts.version.as_ref().map(|version| format!("revision {version} over {}", facts.transport)),
        );
        if facts.tools > 0 {
            parts.push(words::counted(facts.tools, "tool").replace(NBSP, " "));
        }
        parts.push(format!("calls {}", facts.called.join(", ")));
        text += &note(&who(file, facts.member), &parts.join(" · "), Tone::Plain, style);
    }
    let mut loads: Vec<String> = Vec::new();
    for series in &file.series {
        let words = load_words(&series.load);
        if !loads.contains(&words) && loads.len() < 3 {
            loads.push(words);
        }
    }
    if let (Some(load), 1) = (loads.first(), loads.len()) {
        text += &note("load", load, Tone::Plain, style);
    }
    let place =
        format!("{} · {} cores · seed {}", file.environment.class(), file.environment.cores, file.seed);
    for (index, line) in wrap(&style.signs(&place), style.width.saturating_sub(14)).iter().enumerate() {
        text += &format!("{:<14}{line}\n", if index == 0 { "machine" } else { "" });
    }
    text
}

/// Everything that is not a table.
pub(crate) fn paragraphs(file: &LatencyFile, judgement: &LatencyJudgement, style: &Style) -> String {
    said(file, judgement).into_iter().map(|(label, text, tone)| note(label, &text, tone, style)).collect()
}

/// The same for a document, a sentence each.
pub(crate) fn sentences(file: &LatencyFile, judgement: &LatencyJudgement) -> Vec<String> {
    let said = said(file, judgement).into_iter();
    said.map(|(label, text, _)| if label.is_empty() { text } else { format!("{label}: {text}") }).collect()
}

fn said(file: &LatencyFile, judgement: &LatencyJudgement) -> Vec<(&'static str, String, Tone)> {
    let mut all: Vec<(&'static str, String, Tone)> = Vec::new();
    let mut say = |label: &'static str, words: String, tone: Tone| all.push((label, words, tone));
    for capacity in &file.capacities {
        say("capacity", capacity_words(capacity), Tone::Plain);
    }
    for memory in &file.memories {
        say("memory", memory_words(memory), Tone::Plain);
    }
    for cancellation in &file.cancellations {
        say("cancelling", cancellation_words(cancellation), Tone::Plain);
    }
    if judgement.void {
        let words = "the A/A control differs from itself: something else disturbs this machine, and no verdict is given";
        say("void", words.to_owned(), Tone::Failed);
    }
    if file.mode == Mode::Field {
        say("A/A control", control_words(file, judgement), Tone::Plain);
    } else {
        for (who, reason) in undecided(file, judgement) {
            say("undecided", format!("{who}: {reason}"), Tone::Open);
        }
    }
    if let Some(void) = &file.void {
        say("void", void.clone(), Tone::Failed);
    }
    for failed in &file.faults {
        let who = who(file, failed.member);
        let words = format!("{who}, launch {}: {} ({})", failed.launch, failed.says, failed.fault.name());
        say("failed", words, Tone::Failed);
    }
    if !file.faults.is_empty() && !file.series.is_empty() && file.mode != Mode::Field {
        say("", "What is shown was measured before.".to_owned(), Tone::Plain);
    }
    if file.state == LatencyState::Stopped {
        say("stopped", "by the user: what is shown was finished before".to_owned(), Tone::Failed);
    }
    let mut hows: Vec<&str> = Vec::new();
    for counted in &file.instructions {
        if !hows.contains(&counted.how.as_str()) {
            hows.push(&counted.how);
            say("instructions", counted.how.clone(), Tone::Plain);
        }
    }
    for words in &file.notes {
        say("note", words.clone(), Tone::Plain);
    }
    all
}

/// The rows of which nothing is said, with the reasons.
fn undecided(file: &LatencyFile, judgement: &LatencyJudgement) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (versus, verdicts) in file.versus.iter().zip(&judgement.verdicts) {
        for (row, verdict) in versus.rows.iter().zip(verdicts) {
            if let Verdict::Inconclusive { reason } = verdict {
                let who = format!("{} of {}", quantile_name(row.q), who(file, versus.member));
                rows.push((who, reason.clone()));
            }
        }
    }
    rows
}

/// What the first server's second copy says of the run.
fn control_words(file: &LatencyFile, judgement: &LatencyJudgement) -> String {
    let controls = file.versus.iter().zip(&judgement.verdicts);
    let controls: Vec<_> = controls.filter(|(versus, _)| versus.member == Member::Control).collect();
    let rows: usize = controls.iter().map(|(versus, _)| versus.rows.len()).sum();
    let is_alarm = |verdict: &&Verdict| matches!(verdict, Verdict::Improved | Verdict::Regressed);
    let alarms = controls.iter().flat_map(|(_, verdicts)| verdicts.iter()).filter(is_alarm).count();
    let p50s: Vec<String> = controls
        .iter()
        .filter_map(|(versus, _)| {
            let row = versus.rows.first()?;
            Some(format!("{} p50 {}", versus.label, words::change_with(row.ratio, row.interval)))
        })
        .collect();
    format!("{}; {alarms} false alarms in {rows} rows (must be neither ▲ nor ▼)", p50s.join(", "))
}

fn capacity_words(capacity: &Capacity) -> String {
    let bound = words::nanos(capacity.limit_ns as f64);
    let rate = |rate: f64| format!("{}{NBSP}calls/s", words::thousands(rate.round() as u64));
    let mut text = match capacity.failed {
        _ if capacity.held == 0.0 => format!("no rate that was tried held p99 within {bound}"),
        Some(failed) => {
            format!("{} with p99 within {bound}; {} were too many", rate(capacity.held), rate(failed))
        }
        None => format!("at least {} with p99 within {bound}", rate(capacity.held)),
    };
    if capacity.client_bound {
        text += "; it is this client that could go no faster, so the server's capacity is higher or unknown";
    }
    text
}

fn memory_words(memory: &Memory) -> String {
    let (Some(first), Some(last)) = (memory.windows.first(), memory.windows.last()) else {
        return "nothing was measured".to_owned();
    };
    let from_to =
        format!("{} at first, {} at last", words::bytes(first.rss as f64), words::bytes(last.rss as f64));
    let Some(growth) = memory.growth else { return from_to };
    let signed = |bytes: f64| format!("{}{}", if bytes < 0.0 { "−" } else { "" }, words::bytes(bytes.abs()));
    let hour = |bytes: f64| signed(bytes * 3600.0);
    let verdict = if growth.interval.lo > 0.0 {
        let a_call = memory.bytes_a_call.map_or(String::new(), |bytes| format!(", {} a call", signed(bytes)));
        format!("it grows{a_call}")
    } else {
        "no growth is seen".to_owned()
    };
    format!(
        "{from_to}; {verdict} (slope {} an hour, 95{NBSP}% [{}, {}], the first quarter left out)",
        hour(growth.slope),
        hour(growth.interval.lo),
        hour(growth.interval.hi)
    )
}

fn cancellation_words(cancellation: &Cancellation) -> String {
    let running = cancellation.cancelled - cancellation.answered_before;
    let at = |q| cancellation.free_again.at(q).map_or("–".to_owned(), |p| words::nanos(p.ns as f64));
    let obeyed = running.saturating_sub(cancellation.answered_after);
    let cpu = cancellation.cpu_after_ns.map_or(String::new(), |ns| {
        format!(
            "; in the {} after it the server used {} of CPU (median)",
            words::nanos(cancellation.grace_ns as f64),
            words::nanos(ns as f64)
        )
    });
    format!(
        "{} calls were cancelled, {} of them while they ran: {obeyed} got no answer any more, {} were answered all \
         the same; a request sent right behind was answered after p50 {}, p99 {}{cpu}",
        cancellation.cancelled,
        running,
        cancellation.answered_after,
        at(0.5),
        at(0.99)
    )
}
