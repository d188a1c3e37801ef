use super::*;
use crate::judge::{Policy, judge_latency};
use crate::latency::{
    Cancellation, Capacity, Failed, LATENCY_SCHEMA, LatencyState, LaunchOf, Memory, Rung, ServerFacts, Slope,
    Times, Versus, Window, compare,
};
use crate::mcp::{Era, Fault};
use crate::report::fixture::Fixture;
use crate::stats::Interval;

/// A record of everything that a run can hold.
pub(crate) fn full() -> LatencyFile {
    let pairs: Vec<(u64, u64)> =
        (0..16).map(|launch| (10_000 + launch % 3, 11_000 + launch % 5 * 40)).collect();
    let same: Vec<(u64, u64)> =
        (0..16).map(|launch| (10_000 + launch % 3, 10_000 + launch % 4 * 7)).collect();
    let rows =
        |pairs: &[(u64, u64)]| QUANTILES[..3].iter().filter_map(|&q| compare(q, pairs, 0.01)).collect();
    let closed = Load::Closed { in_flight: 1 };
    let open = Load::Open { rate: 2500.0, poisson: true };
    LatencyFile {
        schema: LATENCY_SCHEMA,
        perflab: "0.1.0".to_owned(),
        name: "2026-01-31T1200-here".to_owned(),
        started: "2026-01-31T12:00:00Z".to_owned(),
        seconds: 12.0,
        command: "perflab mcp -- ./server".to_owned(),
        state: LatencyState::Failed,
        mode: Mode::Latency,
        seed: 7,
        noise_threshold: 0.01,
        environment: Fixture::small().environment,
        field: None,
        instructions: Vec::new(),
        servers: vec![facts(Member::Server), facts(Member::NullServer)],
        series: vec![
            series(Member::Server, open, 9_000, 4000),
            series(Member::Against, open, 10_500, 4000),
            series(Member::NullServer, closed, 3_000, 5000),
            series(Member::Pipe, closed, 2_000, 900),
            Series { placement: Placement::Split, ..series(Member::Server, open, 90_000, 4000) },
        ],
        versus: vec![
            Versus {
                member: Member::Against,
                placement: Placement::Same,
                label: String::new(),
                rows: rows(&pairs),
            },
            Versus {
                member: Member::Control,
                placement: Placement::Same,
                label: String::new(),
                rows: rows(&same),
            },
        ],
        capacities: vec![capacity()],
        memories: vec![memory()],
        cancellations: vec![Cancellation {
            member: Member::Server,
            cancelled: 30,
            answered_before: 2,
            answered_after: 3,
            free_again: times(40_000, 30).distribution(),
            cpu_after_ns: Some(1_200_000),
            grace_ns: 40_000_000,
        }],
        faults: vec![failed()],
        notes: vec!["./server answers out of order, which JSON-RPC allows".to_owned()],
        void: None,
    }
}

fn times(base: u64, count: u64) -> Times {
    let mut times = Times::default();
    (0..count).for_each(|call| times.record(base + call * call % 977 * base / 1000));
    times
}

fn series(member: Member, load: Load, base: u64, count: u64) -> Series {
    let launch = |index: u64| LaunchOf {
        began: 1e9,
        seconds: 1.0,
        calls: count / 2,
        quantiles_ns: vec![base + index * 100; 4],
        max_ns: base * 2,
        ready_ns: (member != Member::Pipe).then_some(base * 200),
        first_call_ns: (member != Member::Pipe).then_some(base * 300),
        cpu_ns: Some(base as f64 / 2.0),
        own_cpu_ns: 1800.0,
        peak_rss: Some(base * 500),
    };
    let is_open = matches!(load, Load::Open { .. });
    Series {
        member,
        placement: Placement::Same,
        load,
        label: String::new(),
        launches: vec![launch(0), launch(1)],
        per_second: count as f64 / 2.0,
        response: times(base, count).distribution(),
        service: is_open.then(|| times(base - base / 10, count).distribution()),
        lag: is_open.then(|| times(700, count).distribution()),
        out_of_order: 0,
        given_up: 0,
        hlog: vec![format!("latency/{}-same-response.hlog", base)],
    }
}

fn facts(member: Member) -> ServerFacts {
    ServerFacts {
        member,
        label: None,
        details: None,
        floor: Some(Member::NullServer),
        command: "./server --quiet".to_owned(),
        name: Some("weather 1.2".to_owned()),
        era: Some(Era::Modern),
        version: Some("2026-07-28".to_owned()),
        transport: "stdio".to_owned(),
        tools: 3,
        called: vec!["echo".to_owned()],
    }
}

fn capacity() -> Capacity {
    let rung = |rate: f64, p99_ns: u64| Rung {
        rate,
        answered: rate,
        p50_ns: p99_ns / 3,
        p99_ns,
        lag_p50_ns: 300,
        lag_p99_ns: 900,
        held: p99_ns < 5_000_000,
    };
    let rungs =
        vec![rung(500.0, 90_000), rung(4000.0, 300_000), rung(8000.0, 2_000_000), rung(8600.0, 40_000_000)];
    Capacity {
        member: Member::Server,
        placement: Placement::Same,
        limit_ns: 5_000_000,
        held: 8000.0,
        failed: Some(8600.0),
        client_bound: true,
        rungs,
    }
}

fn memory() -> Memory {
    let window = |index: u32| Window {
        at: f64::from(index) + 0.5,
        calls: 1000,
        p50_ns: 9_000,
        p99_ns: 20_000 + u64::from(index) * 100,
        max_ns: 90_000,
        rss: 5_000_000 + u64::from(index) * 4096,
    };
    Memory {
        member: Member::Server,
        windows: (0..60).map(window).collect(),
        growth: Some(Slope { slope: 4096.0, interval: Interval { lo: 4000.0, hi: 4200.0 } }),
        bytes_a_call: Some(4.1),
    }
}

fn failed() -> Failed {
    let fault = Fault::Dropped { id: 17, after_ms: 10_000 };
    Failed { member: Member::Against, launch: 3, says: fault.to_string(), fault }
}

fn judged(file: &LatencyFile) -> LatencyJudgement {
    judge_latency(&file.versus, Policy { noise_threshold: file.noise_threshold })
}

#[test]
fn everything_in_a_hundred_characters() {
    let file = full();
    let text = latency_table(&file, &judged(&file), &Style::default());
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn narrow_lines_and_ascii_are_kept() {
    let file = full();
    let style = Style { width: 60, unicode: false, ..Style::default() };
    let text = latency_table(&file, &judged(&file), &style);
    assert!(text.is_ascii(), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
}

#[test]
fn a_page_shows_table_charts_and_logs() {
    let file = full();
    let page =
        latency_markdown(&file, &judged(&file), &[("percentiles", "Latency by percentile".to_owned())]);
    assert!(page.contains("![Latency by percentile](charts/percentiles.svg)"));
    assert!(page.contains("(latency/9000-same-response.hlog)"));
}
