//! Small invented rows for tests.

use crate::judge::Verdict;
use crate::rows::{Change, Measure, Measured, Missing, Rows};
use crate::stats::Interval;

/// A row of three launches around a value.
pub(crate) fn measured(benchmark: &str, arm: &str, measure: Measure, value: f64) -> Measured {
    Measured {
        benchmark: benchmark.to_owned(),
        arm: arm.to_owned(),
        measure,
        value,
        interval: Some(Interval { lo: value - 0.5, hi: value + 1.0 }),
        launches: vec![value + 0.25, value, value - 0.25],
        change: None,
        build: format!("release -Ctarget-cpu={arm}"),
        throughput: None,
        exit_codes: Vec::new(),
    }
}

/// Two benchmarks under two flag sets, a size, a failure and an arm that cannot run, with marks that formats must
/// bear.
pub(crate) fn rows() -> Rows {
    let change = |ratio: f64, verdict| {
        let interval = Interval { lo: ratio - 0.01, hi: ratio + 0.01 };
        Some(Change { baseline: "x86-64".to_owned(), ratio, interval, verdict })
    };
    let slower = Measured {
        change: change(1.08, Verdict::Regressed),
        ..measured("json_rpc/parse", "x86-64-v3", Measure::Time, 1350.0)
    };
    let open = Verdict::Inconclusive { reason: "about 40 launches would decide".to_owned() };
    let odd = Measured {
        change: change(0.99, open),
        ..measured("hash/sip <13> & \"co\"", "x86-64-v3", Measure::Time, 12.5)
    };
    Rows {
        name: "2026-11-23T0226-vm".to_owned(),
        suite: "kernels".to_owned(),
        started: "2026-11-23T02:26:00Z".to_owned(),
        arms_are: "cpu".to_owned(),
        command: "perflab run --quick".to_owned(),
        made_by: "perflab 0.1.0".to_owned(),
        environment: None,
        rows: vec![
            measured("json_rpc/parse", "x86-64", Measure::Time, 1250.0),
            slower,
            measured("hash/sip <13> & \"co\"", "x86-64", Measure::Time, 12.625),
            odd,
            measured("file", "x86-64", Measure::FileSize, 3_000_000.0),
        ],
        missing: vec![
            Missing {
                benchmark: Some("sort/u32".to_owned()),
                arm: "x86-64-v3".to_owned(),
                reason: "expected 7, found 9".to_owned(),
                broken: true,
                identical: false,
            },
            Missing {
                benchmark: None,
                arm: "znver4".to_owned(),
                reason: "its code needs sse4a,\u{1b} which this CPU lacks".to_owned(),
                broken: false,
                identical: false,
            },
        ],
    }
}
