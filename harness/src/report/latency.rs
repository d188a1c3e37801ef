//! What a latency record says, for a terminal and as Markdown.

pub(crate) mod field;
mod lines;

use crate::judge::LatencyJudgement;
use crate::latency::{LatencyFile, Load, Member, Mode, Placement, QUANTILES, Series, quantile_name};
use crate::report::Style;
use crate::report::grid::{grid, hanging};
use crate::report::sheet::{Entry, Head, Sheet, Tone};
use crate::report::words::{self, NBSP};
use crate::stats::median;

/// A member in words.
pub(crate) fn member_words(member: Member) -> &'static str {
    match member {
        Member::Server => "server",
        Member::Against => "against",
        Member::Control => "server (A/A)",
        Member::NullServer => "null server",
        Member::NullHttp => "null server, HTTP",
        Member::Pipe => "cat",
        Member::InProcess => "in process",
        Member::Peer(_) => "peer",
    }
}

/// What a member is called in a record: by its label, where it has one.
pub(crate) fn who(file: &LatencyFile, member: Member) -> String {
    let label = |member| file.facts(member).and_then(|facts| facts.label.clone());
    match member {
        Member::Control => match label(Member::Server) {
            Some(first) => format!("{first} (A/A)"),
            None => member_words(member).to_owned(),
        },
        _ => label(member).unwrap_or_else(|| member_words(member).to_owned()),
    }
}

/// A load in words.
pub(crate) fn load_words(load: &Load) -> String {
    match load {
        Load::Closed { in_flight: 1 } => "closed loop, one call in flight".to_owned(),
        Load::Closed { in_flight } => format!("closed loop, {in_flight} calls in flight"),
        Load::Open { rate, poisson: true } => format!("open loop, {rate} calls/s at random times"),
        Load::Open { rate, poisson: false } => format!("open loop, {rate} calls/s"),
    }
}

pub(crate) fn placement_words(placement: Placement) -> &'static str {
    match placement {
        Placement::Same => "same core",
        Placement::Split => "split cores",
    }
}

/// The whole output in lines of at most `style.width`.
#[must_use]
pub fn latency_table(file: &LatencyFile, judgement: &LatencyJudgement, style: &Style) -> String {
    let mut sections = vec![lines::head(file, style)];
    let plain = |series: &&Series| file.mode != Mode::Capacity || series.member != Member::Server;
    let mut series: Vec<&Series> = file.series.iter().filter(plain).collect();
    if file.mode == Mode::Field {
        sections.extend(field::sections(file, judgement, style));
        series.clear();
    }
    for placement in [Placement::Same, Placement::Split] {
        let here: Vec<&Series> =
            series.iter().filter(|series| series.placement == placement).copied().collect();
        if !here.is_empty() {
            sections.push(format!("{}\n{}", placement_words(placement), grid(&times(file, &here), style)));
        }
    }
    if !series.is_empty() {
        sections.push(grid(&costs(file, &series), style));
    }
    if !file.versus.is_empty() && file.mode != Mode::Field {
        sections.push(grid(&comparisons(file, judgement), style));
    }
    sections.push(lines::paragraphs(file, judgement, style));
    sections.retain(|section| !section.trim().is_empty());
    sections.join("\n")
}

/// A record's page: the table, the charts, where the numbers lie.
#[must_use]
pub fn latency_markdown(
    file: &LatencyFile,
    judgement: &LatencyJudgement,
    charts: &[(&str, String)],
) -> String {
    let table = latency_table(file, judgement, &Style::default());
    let mut page = format!("# Latency of tool calls: {}\n\n```text\n{table}```\n", file.name);
    for (name, title) in charts {
        page += &format!("\n![{title}](charts/{name}.svg)\n");
    }
    let logs: Vec<&String> = file.series.iter().flat_map(|series| &series.hlog).collect();
    if !logs.is_empty() {
        page += "\nHistogram logs, for any HdrHistogram tool:\n\n";
        for log in logs {
            page += &format!("- [{log}]({log})\n");
        }
    }
    page
}

/// What a document shows of a record: the servers of a field, or the table.
#[must_use]
pub fn latency_block(file: &LatencyFile, judgement: &LatencyJudgement, chart: &str) -> String {
    let head = format!(
        "perflab {} · {} · {} cores · {} launches · record {} · {}",
        file.perflab,
        file.environment.class(),
        file.environment.cores,
        file.series.first().map_or(0, |series| series.launches.len()),
        file.name,
        file.started
    );
    let table = match file.mode {
        Mode::Field => field::document(file, judgement),
        _ => format!("```text\n{}```", latency_table(file, judgement, &Style::default())),
    };
    let mut notes: Vec<String> =
        lines::sentences(file, judgement).iter().map(|note| format!("- {note}")).collect();
    notes.retain(|_| file.mode == Mode::Field);
    let notes = if notes.is_empty() { String::new() } else { format!("\n{}\n", notes.join("\n")) };
    format!("{head}\n\nMade by `{}`.\n\n{table}\n{notes}\n![Servers side by side]({chart})", file.command)
}

fn name(file: &LatencyFile, series: &Series) -> String {
    match (series.member, series.label.as_str()) {
        (member, "") => who(file, member),
        (Member::Server, label) => label.to_owned(),
        (member, label) => format!("{}, {label}", who(file, member)),
    }
}

/// The same measurement of a server's floor.
pub(crate) fn floor<'a>(file: &'a LatencyFile, series: &Series) -> Option<&'a Series> {
    let floor = file.facts(series.member).map_or(Some(Member::NullServer), |facts| facts.floor)?;
    let is_floor = |other: &&Series| {
        other.member == floor && other.placement == series.placement && other.label == series.label
    };
    file.series.iter().find(is_floor)
}

/// Percentiles, each with its interval below it.
fn times(file: &LatencyFile, all: &[&Series]) -> Sheet {
    let mut heads = vec![Head::words("")];
    heads.push(Head::of("calls", ""));
    heads.extend(QUANTILES.iter().map(|&q| Head::of(quantile_name(q), "")));
    heads.extend([Head::of("max", ""), Head::of("calls/s", ""), Head::of("p50", "× floor")]);
    let mut rows = Vec::new();
    for series in all {
        let open = matches!(series.load, Load::Open { .. });
        let response = &series.response;
        let mut row = vec![Entry::plain(name(file, series)), Entry::plain(words::thousands(response.count))];
        let mut below = vec![Entry::plain(if open { "response, 95 %" } else { "95 %" }), Entry::plain("")];
        for q in QUANTILES {
            let percentile = response.at(q);
            row.push(Entry::or_dash(percentile.map(|percentile| words::nanos(percentile.ns as f64))));
            let interval =
                percentile.and_then(|percentile| Some((percentile.ns as f64, percentile.interval?)));
            let interval = interval.map(|(ns, interval)| words::nanos_range(interval.lo, interval.hi, ns));
            below.push(Entry::plain(interval.unwrap_or_default()));
        }
        row.push(Entry::plain(words::nanos(response.max_ns as f64)));
        row.push(Entry::plain(words::thousands(series.per_second.round() as u64)));
        let p50 = |series: &Series| series.response.at(0.5).map(|percentile| percentile.ns as f64);
        let over = floor(file, series).and_then(|floor| Some(p50(series)? / p50(floor)?));
        row.push(Entry::or_dash(over.map(words::factor)));
        below.resize_with(heads.len(), || Entry::plain(""));
        rows.push(row);
        rows.push(below);
        for (what, distribution) in [("service", &series.service), ("client's lag", &series.lag)] {
            let Some(distribution) = distribution else { continue };
            let mut row = vec![Entry::plain(what), Entry::plain("")];
            row.extend(QUANTILES.iter().map(|&q| {
                Entry::or_dash(distribution.at(q).map(|percentile| words::nanos(percentile.ns as f64)))
            }));
            row.push(Entry::plain(words::nanos(distribution.max_ns as f64)));
            row.resize_with(heads.len(), || Entry::plain(""));
            rows.push(row);
        }
    }
    Sheet { heads, rows, summaries: 0 }
}

/// The unit in which a time is shown, with its space.
fn unit_of(ns: f64) -> String {
    words::nanos(ns).chars().skip_while(|letter| *letter != NBSP).collect()
}

pub(crate) fn middle(series: &Series, of: impl Fn(&crate::latency::LaunchOf) -> Option<f64>) -> Option<f64> {
    median(&series.launches.iter().filter_map(of).collect::<Vec<_>>())
}

/// What each server costs beside time.
fn costs(file: &LatencyFile, all: &[&Series]) -> Sheet {
    let mut heads = vec![
        Head::words(""),
        Head::of("launches", ""),
        Head::of("p50 over", "launches"),
        Head::of("CPU", "a call"),
        Head::of("lab's own", "CPU a call"),
    ];
    if !file.instructions.is_empty() {
        heads.push(Head::of("instruc-", "tions"));
    }
    heads.extend([Head::of("first", "answer"), Head::of("first", "tool call"), Head::of("most", "memory")]);
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let both = all.iter().any(|series| series.placement != all[0].placement);
    for series in all {
        let p50s: Vec<f64> = series
            .launches
            .iter()
            .filter_map(|launch| launch.quantiles_ns.first())
            .map(|&ns| ns as f64)
            .collect();
        let range =
            p50s.iter().copied().fold(f64::INFINITY, f64::min)..=p50s.iter().copied().fold(0.0, f64::max);
        let spread = match p50s.len() {
            0 | 1 => "–".to_owned(),
            _ => words::nanos_range(*range.start(), *range.end(), *range.end()) + &unit_of(*range.end()),
        };
        let time = |of: fn(&crate::latency::LaunchOf) -> Option<f64>| {
            Entry::or_dash(middle(series, of).map(words::nanos))
        };
        let place = if both { format!(", {}", placement_words(series.placement)) } else { String::new() };
        let mut row = vec![
            Entry::plain(name(file, series) + &place),
            Entry::plain(series.launches.len().to_string()),
            Entry::plain(spread),
            time(|launch| launch.cpu_ns),
            time(|launch| Some(launch.own_cpu_ns)),
        ];
        if !file.instructions.is_empty() {
            row.push(field::instructions(file, series.member, &series.label));
        }
        row.extend([
            time(|launch| launch.ready_ns.map(|ns| ns as f64)),
            time(|launch| launch.first_call_ns.map(|ns| ns as f64)),
            Entry::or_dash(
                middle(series, |launch| launch.peak_rss.map(|bytes| bytes as f64)).map(words::bytes),
            ),
        ]);
        rows.push(row);
    }
    Sheet { heads, rows, summaries: 0 }
}

/// The ratios of a comparison with their verdicts.
fn comparisons(file: &LatencyFile, judgement: &LatencyJudgement) -> Sheet {
    use crate::judge::Verdict;
    let mut heads = vec![Head::words("compared with the server")];
    heads.extend([Head::of("", ""), Head::of("change", ""), Head::of("95 %", "")]);
    heads.extend([Head::words("verdict"), Head::of("smallest", "effect seen")]);
    let mut rows = Vec::new();
    for (versus, verdicts) in file.versus.iter().zip(&judgement.verdicts) {
        for (index, (row, verdict)) in versus.rows.iter().zip(verdicts).enumerate() {
            let (sign, tone) = match verdict {
                Verdict::Improved => ("▼ faster", Tone::Better),
                Verdict::Regressed => ("▲ slower", Tone::Worse),
                Verdict::NoChange => ("≈ no change", Tone::Same),
                Verdict::Inconclusive { .. } => ("? cannot tell", Tone::Open),
            };
            let who = format!("{}, {}", who(file, versus.member), placement_words(versus.placement));
            rows.push(vec![
                Entry::plain(if index == 0 { who } else { String::new() }),
                Entry::plain(quantile_name(row.q)),
                Entry { text: words::change(row.ratio), tone },
                Entry::plain(words::change_interval(row.interval)),
                Entry { text: sign.to_owned(), tone },
                Entry::or_dash(row.minimum_detectable.map(words::detectable)),
            ]);
        }
    }
    Sheet { heads, rows, summaries: 0 }
}

/// A labelled paragraph.
fn note(label: &str, text: &str, tone: Tone, style: &Style) -> String {
    hanging(label, text, tone, style)
}

#[cfg(test)]
pub(crate) mod tests;
