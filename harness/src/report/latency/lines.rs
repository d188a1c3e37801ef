//! The sentences of a latency report.

use crate::judge::LatencyJudgement;
use crate::latency::{Cancellation, Capacity, LatencyFile, LatencyState, Memory};
use crate::report::Style;
use crate::report::grid::wrap;
use crate::report::latency::{load_words, member_words, note};
use crate::report::sheet::Tone;
use crate::report::words::{self, NBSP};

/// Who was measured, and how.
pub(crate) fn head(file: &LatencyFile, style: &Style) -> String {
    let mut text = String::new();
    for facts in &file.servers {
        let mut parts = vec![facts.command.clone()];
        parts.extend(facts.name.clone());
        parts.extend(
            facts.version.as_ref().map(|version| format!("revision {version} over {}", facts.transport)),
        );
        parts.push(words::counted(facts.tools, "tool").replace(NBSP, " "));
        parts.push(format!("calls {}", facts.called.join(", ")));
        text += &note(member_words(facts.member), &parts.join(" · "), Tone::Plain, style);
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

/// Everything that is no table.
pub(crate) fn paragraphs(file: &LatencyFile, judgement: &LatencyJudgement, style: &Style) -> String {
    let mut text = String::new();
    let mut say = |label: &str, words: &str, tone: Tone| text += &note(label, words, tone, style);
    for capacity in &file.capacities {
        say("capacity", &capacity_words(capacity), Tone::Plain);
    }
    for memory in &file.memories {
        say("memory", &memory_words(memory), Tone::Plain);
    }
    for cancellation in &file.cancellations {
        say("cancelling", &cancellation_words(cancellation), Tone::Plain);
    }
    if judgement.void {
        say(
            "void",
            "the A/A control differs from itself: something else disturbs this machine, and no verdict is given",
            Tone::Failed,
        );
    }
    for (versus, verdicts) in file.versus.iter().zip(&judgement.verdicts) {
        for (row, verdict) in versus.rows.iter().zip(verdicts) {
            if let crate::judge::Verdict::Inconclusive { reason } = verdict {
                let who = member_words(versus.member);
                let q = crate::latency::quantile_name(row.q);
                say("undecided", &format!("{q} of {who}: {reason}"), Tone::Open);
            }
        }
    }
    if let Some(void) = &file.void {
        say("void", void, Tone::Failed);
    }
    for failed in &file.faults {
        let who = member_words(failed.member);
        say(
            "failed",
            &format!("{who}, launch {}: {} ({})", failed.launch, failed.says, failed.fault.name()),
            Tone::Failed,
        );
    }
    if !file.faults.is_empty() && !file.series.is_empty() {
        say("", "What is shown was measured before.", Tone::Plain);
    }
    if file.state == LatencyState::Stopped {
        say("stopped", "by the user: what is shown was finished before", Tone::Failed);
    }
    for words in &file.notes {
        say("note", words, Tone::Plain);
    }
    text
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
        "{} calls were taken back, {} of them while they ran: {obeyed} got no answer any more, {} were answered all \
         the same; a request sent right behind was answered after p50 {}, p99 {}{cpu}",
        cancellation.cancelled,
        running,
        cancellation.answered_after,
        at(0.5),
        at(0.99)
    )
}
