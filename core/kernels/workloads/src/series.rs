//! Telemetry: scores, moving statistics, smoothing, latencies.

use mcp_kernels::histogram::{self, record};
use mcp_kernels::input;
use mcp_kernels::level::Level;
use mcp_kernels::moving::{self, window_count};
use mcp_kernels::robust::{self, Spread};
use mcp_kernels::smoothing;
use perflab_subject::Benchmark;
use perflab_subject::answer::mix;

use crate::answers::fold;
use crate::benchmarks::{benchmark, form};

/// The benchmarks of `mcp_kernels::{robust, moving, smoothing, histogram}`.
pub fn benchmarks() -> Vec<Benchmark> {
    vec![
        benchmark(
            "robust/z_score",
            &["mcp_kernels::robust", "core::slice::sort::select", "core::slice::sort::unstable"],
            |size| {
                let series = input::series(size);
                let mut scores = vec![0.0; series.len()];
                move || {
                    let spread = robust::z_scores(&series, &mut scores);
                    deviations(spread, &scores)
                }
            },
        ),
        benchmark(
            "moving/mean_sd",
            &[form("mcp_kernels::moving::mean_sd", "mcp_kernels::moving::dispatched")],
            |size| {
                let series = input::series(size);
                let mut means = vec![0.0; window_count(series.len(), input::WINDOW)];
                let mut deviations = means.clone();
                move || {
                    if cfg!(feature = "dispatch") {
                        moving::dispatched(
                            Level::detected(),
                            &series,
                            input::WINDOW,
                            &mut means,
                            &mut deviations,
                        );
                    } else {
                        moving::mean_sd(&series, input::WINDOW, &mut means, &mut deviations);
                    }
                    mix(fold(&means), fold(&deviations))
                }
            },
        ),
        benchmark(
            "smoothing/holt",
            &[form("mcp_kernels::smoothing::holt", "mcp_kernels::smoothing::dispatched")],
            |size| {
                let series = input::series(size);
                let (alphas, betas) = input::weights();
                let mut errors = vec![0.0; alphas.len()];
                move || {
                    if cfg!(feature = "dispatch") {
                        smoothing::dispatched(Level::detected(), &series, &alphas, &betas, &mut errors);
                    } else {
                        smoothing::holt(&series, &alphas, &betas, &mut errors);
                    }
                    fold(&errors)
                }
            },
        ),
        benchmark("histogram/record", &["mcp_kernels::histogram::record", "hdrhistogram::"], |size| {
            let latencies = input::latencies(size);
            let mut histogram = histogram::latencies();
            move || fold(&record(&mut histogram, &latencies))
        }),
    ]
}

fn deviations(spread: Option<Spread>, scores: &[f64]) -> u64 {
    spread.map_or(0, |spread| mix(fold(&[spread.median, spread.deviation]), fold(scores)))
}

#[cfg(test)]
pub mod plain {
    //! The same answers by the plain forms.

    use crate::benchmarks::Plain;
    use crate::series::*;

    pub const ALL: &[Plain] = &[
        ("robust/z_score", |size| {
            let series = input::series(size);
            let mut scores = vec![0.0; series.len()];
            let spread = robust::plain(&series, &mut scores);
            deviations(spread, &scores)
        }),
        ("moving/mean_sd", |size| {
            let series = input::series(size);
            let mut means = vec![0.0; window_count(series.len(), input::WINDOW)];
            let mut deviations = means.clone();
            moving::plain(&series, input::WINDOW, &mut means, &mut deviations);
            mix(fold(&means), fold(&deviations))
        }),
        ("smoothing/holt", |size| {
            let (alphas, betas) = input::weights();
            let mut errors = vec![0.0; alphas.len()];
            smoothing::plain(&input::series(size), &alphas, &betas, &mut errors);
            fold(&errors)
        }),
        ("histogram/record", |size| fold(&histogram::plain(&input::latencies(size)))),
    ];
}
