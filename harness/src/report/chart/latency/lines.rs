//! The charts that are lines in a frame.

use crate::latency::{Capacity, Distribution, LatencyFile, Member, Memory, Series};
use crate::report::chart::latency::frame::{Frame, Scale};
use crate::report::chart::latency::{MIB, mebibytes, name_of, subtitle};
use crate::report::chart::palette::{BETTER, CLAIM_EDGE, Color, INK, MUTED, SAME, WORSE, diverging};
use crate::report::chart::scene::{MARGIN, Scene};
use crate::report::words::{self, NBSP};

/// The colour of a member.
fn color_of(member: Member) -> Color {
    match member {
        Member::Server => BETTER,
        Member::Against => WORSE,
        Member::Control => SAME,
        Member::NullServer | Member::NullHttp => INK,
        Member::Pipe | Member::InProcess => MUTED,
        Member::Peer(place) => diverging(0.2 + 0.1 * f64::from(place % 8)),
    }
}

fn finish(frame: Frame) -> Scene {
    let (scene, bottom) = frame.end();
    let width = scene.text_end() + MARGIN;
    scene.finish(width.max(760.0), bottom + MARGIN)
}

/// log10(1 / (1 − q)): each nine is as wide as the one before it.
fn nines(q: f64) -> f64 {
    -(1.0 - q).max(1e-12).log10()
}

fn percent(q: f64) -> String {
    let text = format!("{:.5}", q * 100.0);
    format!("{}{NBSP}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn curve(distribution: &Distribution) -> Vec<(f64, f64)> {
    distribution.curve.iter().map(|&(q, ns)| (nines(q), ns as f64)).collect()
}

fn percentile_frame(scene: Scene, top: f64, shown: &[&Distribution]) -> Frame {
    let points = || shown.iter().flat_map(|distribution| curve(distribution));
    let most = points().map(|(nines, _)| nines).fold(1.0, f64::max);
    let marks = [0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999_999];
    let ticks = marks.iter().map(|&q| (nines(q), percent(q))).filter(|(nines, _)| *nines <= most).collect();
    let x = Scale::marked(0.0, most, ticks);
    let y = Scale::logarithmic(points().map(|(_, ns)| ns), words::nanos);
    Frame::new(
        scene,
        top,
        (x, "share of calls that took no longer, each nine as wide as the last"),
        (y, "time of a call"),
    )
}

/// Latency by percentile, a line a series.
pub(crate) fn percentiles(file: &LatencyFile, shown: &[&Series], title: &str) -> Scene {
    let mut scene = Scene::new();
    let top = scene.title(title, &subtitle(file));
    let distributions: Vec<&Distribution> = shown.iter().map(|series| &series.response).collect();
    let mut frame = percentile_frame(scene, top, &distributions);
    let labelled = shown.iter().filter(|series| !series.label.is_empty()).count().max(2);
    let mut place = 0;
    for series in shown {
        let color = if series.label.is_empty() {
            color_of(series.member)
        } else {
            // Along a parameter: from light to dark.
            place += 1;
            diverging(-0.3 - 0.7 * f64::from(place) / labelled as f64)
        };
        let dashed = matches!(series.member, Member::Control | Member::Pipe | Member::InProcess);
        frame.curve(&curve(&series.response), &name_of(file, series), color, dashed);
    }
    finish(frame)
}

/// Response time, service time and the client's own lag of an open loop.
pub(crate) fn response(file: &LatencyFile, series: &Series, title: &str) -> Scene {
    let mut scene = Scene::new();
    let mut lines = subtitle(file);
    lines.push(
        "Response counts from when a call was due, service from when it was sent, lag is the client's own lateness."
            .to_owned(),
    );
    let top = scene.title(title, &lines);
    let parts: Vec<(&str, &Distribution, Color)> = [
        ("response", Some(&series.response), WORSE),
        ("service", series.service.as_ref(), BETTER),
        ("lag", series.lag.as_ref(), SAME),
    ]
    .into_iter()
    .filter_map(|(name, distribution, color)| Some((name, distribution?, color)))
    .collect();
    let all: Vec<&Distribution> = parts.iter().map(|(_, distribution, _)| *distribution).collect();
    let mut frame = percentile_frame(scene, top, &all);
    for (name, distribution, color) in parts {
        frame.curve(&curve(distribution), name, color, name == "lag");
    }
    finish(frame)
}

fn rate(value: f64) -> String {
    if value >= 1000.0 { words::thousands(value.round() as u64) } else { format!("{value}") }
}

/// p50 and p99 of the response time by rate, with the bound and the capacity.
pub(crate) fn capacity(file: &LatencyFile, capacity: &Capacity, title: &str) -> Scene {
    let mut scene = Scene::new();
    let mut lines = subtitle(file);
    lines.push(
        "Filled: the rate was held; rings: it was not. From when a call was due to its answer.".to_owned(),
    );
    let top = scene.title(title, &lines);
    let rungs = &capacity.rungs;
    let x = Scale::logarithmic(rungs.iter().map(|rung| rung.rate), rate);
    let limit = capacity.limit_ns as f64;
    let times = rungs.iter().flat_map(|rung| [rung.p50_ns as f64, rung.p99_ns as f64]).chain([limit]);
    let y = Scale::logarithmic(times, words::nanos);
    let mut frame = Frame::new(scene, top, (x, "calls due a second"), (y, "response time"));
    frame.level(limit, &format!("bound {}", words::nanos(limit)), CLAIM_EDGE);
    if capacity.held > 0.0 {
        let most = words::thousands(capacity.held.round() as u64);
        frame.upright(capacity.held, &format!("{most}{NBSP}calls/s"), INK);
    }
    let line = |of: fn(&crate::latency::Rung) -> u64| -> Vec<(f64, f64)> {
        rungs.iter().map(|rung| (rung.rate, of(rung) as f64)).collect()
    };
    frame.curve(&line(|rung| rung.p50_ns), "p50", MUTED, false);
    frame.curve(&line(|rung| rung.p99_ns), "p99", BETTER, false);
    for rung in rungs {
        let color = if rung.held { BETTER } else { WORSE };
        frame.dot((rung.rate, rung.p99_ns as f64), color, rung.held);
    }
    finish(frame)
}

fn seconds(value: f64) -> String {
    format!("{value}{NBSP}s")
}

/// Percentiles and memory over time.
pub(crate) fn soak(file: &LatencyFile, memory: &Memory, title: &str) -> Scene {
    let mut scene = Scene::new();
    let top = scene.title(title, &subtitle(file));
    let windows = &memory.windows;
    let last = windows.last().map_or(1.0, |window| window.at);
    let over_time = || Scale::linear(last, seconds);
    let points = |of: fn(&crate::latency::Window) -> u64| -> Vec<(f64, f64)> {
        windows.iter().map(|window| (window.at, of(window) as f64)).collect()
    };
    let parts = [
        ("p50", points(|window| window.p50_ns), MUTED),
        ("p99", points(|window| window.p99_ns), BETTER),
        ("longest", points(|window| window.max_ns), WORSE),
    ];
    let y = Scale::logarithmic(
        parts.iter().flat_map(|(_, points, _)| points.iter().map(|point| point.1)),
        words::nanos,
    );
    let mut frame = Frame::new(scene, top, (over_time(), "since the beginning"), (y, "time of a call"));
    for (name, points, color) in &parts {
        frame.curve(points, name, *color, false);
    }
    let (scene, bottom) = frame.end();
    let rss: Vec<(f64, f64)> = windows.iter().map(|window| (window.at, window.rss as f64 / MIB)).collect();
    let most = rss.iter().map(|point| point.1).fold(0.0, f64::max);
    let y = Scale::linear(most, mebibytes);
    let mut frame =
        Frame::new(scene, bottom + 10.0, (over_time(), "since the beginning"), (y, "memory (RSS)"));
    frame.curve(&rss, "RSS", INK, false);
    finish(frame)
}
