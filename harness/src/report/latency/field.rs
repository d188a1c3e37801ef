//! Several servers side by side: a table for each kind of call, and one of all that a document shows.

use crate::judge::{LatencyJudgement, Verdict};
use crate::latency::{LatencyFile, LaunchOf, Load, Member, Placement, QUANTILES, Series, quantile_name};
use crate::report::Style;
use crate::report::grid::grid;
use crate::report::latency::{floor, middle, placement_words, who};
use crate::report::markdown::{escape, sheet_text};
use crate::report::sheet::{Entry, Head, Sheet, sign, tone};
use crate::report::words::{self, NBSP};
use crate::stats::{Interval, median};

/// The placements, loads and members of a field, each in the order of their first series.
fn distinct<T: PartialEq>(file: &LatencyFile, of: impl Fn(&Series) -> T) -> Vec<T> {
    let mut found = Vec::new();
    for series in &file.series {
        let value = of(series);
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn find<'a>(file: &'a LatencyFile, member: Member, placement: Placement, label: &str) -> Option<&'a Series> {
    let is =
        |series: &&Series| series.member == member && series.placement == placement && series.label == label;
    file.series.iter().find(is)
}

/// The members: servers by p50 of the first load, the floors last.
pub(crate) fn members(file: &LatencyFile, placement: Placement) -> Vec<Member> {
    let first = distinct(file, |series| series.label.clone()).into_iter().next().unwrap_or_default();
    let is_floor = |member: &Member| {
        matches!(member, Member::NullServer | Member::NullHttp | Member::Pipe | Member::InProcess)
    };
    let mut all = distinct(file, |series| series.member);
    let p50 = |member: &Member| find(file, *member, placement, &first).and_then(p50_of);
    all.sort_by(|one, other| {
        let key = |member: &Member| (is_floor(member), p50(member).unwrap_or(f64::INFINITY));
        let ((floor, time), (other_floor, other_time)) = (key(one), key(other));
        floor.cmp(&other_floor).then(time.total_cmp(&other_time))
    });
    all
}

fn p50_of(series: &Series) -> Option<f64> {
    series.response.at(0.5).map(|percentile| percentile.ns as f64)
}

/// The verdict on a percentile against the first server.
fn verdict<'a>(
    file: &LatencyFile,
    judgement: &'a LatencyJudgement,
    series: &Series,
    q: f64,
) -> Option<(&'a Verdict, f64, Interval)> {
    let place = file.versus.iter().position(|versus| {
        versus.member == series.member && versus.placement == series.placement && versus.label == series.label
    })?;
    let row = file.versus[place].rows.iter().position(|row| (row.q - q).abs() < 1e-9)?;
    let compared = &file.versus[place].rows[row];
    Some((judgement.verdicts.get(place)?.get(row)?, compared.ratio, compared.interval))
}

/// A percentile with the sign of its verdict.
fn timed(file: &LatencyFile, judgement: &LatencyJudgement, series: &Series, q: f64) -> Entry {
    let Some(percentile) = series.response.at(q) else { return Entry::or_dash(None) };
    let text = words::nanos(percentile.ns as f64);
    match verdict(file, judgement, series, q) {
        Some((verdict, ..)) => Entry { text: format!("{text}{NBSP}{}", sign(verdict)), tone: tone(verdict) },
        None => Entry::plain(text),
    }
}

fn over_floor(file: &LatencyFile, series: &Series) -> Entry {
    let over = floor(file, series).and_then(|floor| Some(p50_of(series)? / p50_of(floor)?));
    Entry::or_dash(over.map(words::factor))
}

/// Instructions of a call.
pub(crate) fn instructions(file: &LatencyFile, member: Member, label: &str) -> Entry {
    let found = file.instructions.iter().find(|counted| counted.member == member && counted.label == label);
    Entry::or_dash(
        found.and_then(|counted| counted.a_call).map(|count| words::thousands(count.round() as u64)),
    )
}

/// Whether more than one call is in flight, so that the rate says more than the time.
fn many(load: &Load) -> bool {
    matches!(load, Load::Closed { in_flight } if *in_flight > 1)
}

/// The sections of a field for a terminal.
pub(crate) fn sections(file: &LatencyFile, judgement: &LatencyJudgement, style: &Style) -> Vec<String> {
    let mut sections = Vec::new();
    for placement in distinct(file, |series| series.placement) {
        let members = members(file, placement);
        for (label, load) in distinct(file, |series| (series.label.clone(), series.load)) {
            let shown = members.iter().filter_map(|member| find(file, *member, placement, &label));
            let sheet = calls(file, judgement, &shown.collect::<Vec<_>>(), &load);
            let title = format!("{label}, {}", placement_words(placement));
            sections.push(format!("{title}\n{}", grid(&sheet, style)));
        }
        sections.push(grid(&starts(file, &members, placement), style));
    }
    sections
}

/// Calls under one load, a row a server.
fn calls(file: &LatencyFile, judgement: &LatencyJudgement, shown: &[&Series], load: &Load) -> Sheet {
    let counted = !file.instructions.is_empty() && !many(load);
    let mut heads = vec![Head::words("")];
    if many(load) {
        heads.push(Head::of("calls/s", ""));
    }
    heads.extend([Head::of("p50", ""), Head::of("p50", "× floor"), Head::of("p50 vs", "the first")]);
    heads.extend(QUANTILES[2..].iter().map(|&q| Head::of(quantile_name(q), "")));
    heads.push(Head::of("CPU", "a call"));
    if counted {
        heads.push(Head::of("instruc-", "tions"));
    }
    let mut rows = Vec::new();
    for &series in shown {
        let change = verdict(file, judgement, series, 0.5);
        let mut row = vec![Entry::plain(who(file, series.member))];
        if many(load) {
            row.push(Entry::plain(words::thousands(series.per_second.round() as u64)));
        }
        row.extend([timed(file, judgement, series, 0.5), over_floor(file, series)]);
        row.push(Entry::or_dash(change.map(|(_, ratio, interval)| words::times_with(ratio, interval))));
        row.extend(QUANTILES[2..].iter().map(|&q| timed(file, judgement, series, q)));
        row.push(Entry::or_dash(middle(series, |launch| launch.cpu_ns).map(words::nanos)));
        if counted {
            row.push(instructions(file, series.member, &series.label));
        }
        rows.push(row);
    }
    Sheet { heads, rows, summaries: 0 }
}

/// The quantities that belong to a process, and not to its calls.
fn process(file: &LatencyFile, member: Member, placement: Placement) -> [Entry; 3] {
    let launches: Vec<&LaunchOf> = file
        .series
        .iter()
        .filter(|series| series.member == member && series.placement == placement)
        .take(1)
        .flat_map(|series| &series.launches)
        .collect();
    let of = |value: fn(&LaunchOf) -> Option<u64>| {
        let values: Vec<f64> =
            launches.iter().filter_map(|launch| value(launch)).map(|ns| ns as f64).collect();
        median(&values)
    };
    [
        Entry::or_dash(of(|launch| launch.ready_ns).map(words::nanos)),
        Entry::or_dash(of(|launch| launch.first_call_ns).map(words::nanos)),
        Entry::or_dash(of(|launch| launch.peak_rss).map(words::bytes)),
    ]
}

fn starts(file: &LatencyFile, members: &[Member], placement: Placement) -> Sheet {
    let mut heads = vec![Head::words("")];
    heads.extend([Head::of("first", "answer"), Head::of("first", "tool call"), Head::of("most", "memory")]);
    heads.extend([Head::words("over"), Head::words("revision"), Head::words("made how")]);
    let row = |&member: &Member| {
        let facts = file.facts(member);
        let mut row = vec![Entry::plain(who(file, member))];
        row.extend(process(file, member, placement));
        row.push(Entry::plain(facts.map_or("", |facts| facts.transport.as_str())));
        row.push(Entry::plain(facts.and_then(|facts| facts.version.clone()).unwrap_or_default()));
        row.push(Entry::plain(facts.and_then(|facts| facts.details.clone()).unwrap_or_default()));
        row
    };
    Sheet { heads, rows: members.iter().map(row).collect(), summaries: 0 }
}

/// The one table that a document shows, a row a server.
pub(crate) fn document(file: &LatencyFile, judgement: &LatencyJudgement) -> String {
    let mut text = Vec::new();
    let placements = distinct(file, |series| series.placement);
    for placement in &placements {
        if placements.len() > 1 {
            text.push(format!("{}:\n", placement_words(*placement)));
        }
        text.push(sheet_text(&whole(file, judgement, *placement)) + "\n");
    }
    text.push("▼ faster than the first server, ▲ slower, ≈ no change, ? cannot tell\n".to_owned());
    let named = file.servers.iter().filter_map(|facts| {
        let details = facts.details.as_ref()?;
        let revision =
            facts.version.as_ref().map_or(String::new(), |version| format!("; revision {version}"));
        Some(format!("- {}: {}{}", escape(&who(file, facts.member)), escape(details), escape(&revision)))
    });
    text.extend(named);
    text.join("\n")
}

fn whole(file: &LatencyFile, judgement: &LatencyJudgement, placement: Placement) -> Sheet {
    let loads = distinct(file, |series| (series.label.clone(), series.load));
    let mut heads = vec![Head::words("server")];
    for (label, load) in &loads {
        if many(load) {
            heads.push(Head::of(label.clone(), "calls/s"));
        } else {
            let kinds = ["p50", "× floor", "p99", "p99.9", "CPU a call"];
            heads.extend(kinds.map(|kind| Head::of(label.clone(), kind)));
            if !file.instructions.is_empty() {
                heads.push(Head::of(label.clone(), "instructions"));
            }
        }
    }
    heads.extend([Head::of("first", "answer"), Head::of("memory", "")]);
    let mut rows = Vec::new();
    for member in members(file, placement) {
        let mut row = vec![Entry::plain(who(file, member))];
        for (label, load) in &loads {
            let series = find(file, member, placement, label);
            if many(load) {
                let rate = series.map(|series| words::thousands(series.per_second.round() as u64));
                row.push(Entry::or_dash(rate));
                continue;
            }
            let Some(series) = series else {
                row.extend((0..5 + usize::from(!file.instructions.is_empty())).map(|_| Entry::or_dash(None)));
                continue;
            };
            row.extend([timed(file, judgement, series, 0.5), over_floor(file, series)]);
            row.extend([timed(file, judgement, series, 0.99), timed(file, judgement, series, 0.999)]);
            row.push(Entry::or_dash(middle(series, |launch| launch.cpu_ns).map(words::nanos)));
            if !file.instructions.is_empty() {
                row.push(instructions(file, member, label));
            }
        }
        let [first, _, memory] = process(file, member, placement);
        row.extend([first, memory]);
        rows.push(row);
    }
    Sheet { heads, rows, summaries: 0 }
}
