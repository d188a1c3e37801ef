//! Small invented runs for the tests of this module.

use crate::analyse::{
    Analysis, ArmSummary, FailureReason, GeometricMean, Row, RowEstimate, RunFailure, Warning,
};
use crate::judge::{
    Answer, ClaimAnswer, ControlResult, Crosstalk, Experiments, FalseAlarms, JudgedRow, Judgement, Policy,
    RowCount, Verdict,
};
use crate::machine::{Cpu, Environment, Python, Toolchain};
use crate::plan::{
    Arm, Benchmark, Budget, Claim, Ffi, Library, Margin, Plan, Role, Shape, Source, Unit, Variant, Workload,
};
use crate::report::{Meta, Report};
use crate::stats::Interval;

/// Everything that a report borrows.
pub(crate) struct Fixture {
    pub plan: Plan,
    pub environment: Environment,
    pub analysis: Analysis,
    pub judgement: Judgement,
    pub meta: Meta,
}

/// Numbers that look random and never change.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, by the sum of twelve.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

impl Fixture {
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            plan: &self.plan,
            environment: &self.environment,
            analysis: &self.analysis,
            judgement: &self.judgement,
            meta: &self.meta,
        }
    }

    /// Five benchmarks, six arms, one of everything that can go wrong.
    pub(crate) fn small() -> Self {
        let arms = [
            ("x86-64", Role::Baseline),
            ("v3", Role::Candidate),
            ("znver4", Role::Candidate),
            ("znver4-no-sse4a", Role::Candidate),
            ("seed", Role::Candidate),
            ("A/A", Role::Control),
        ];
        let benchmarks = ["json_rpc/parse", "cosine/top_k", "sort/u32", "hash/sip <13>", "regex/ip"];
        let mut fixture = Self::empty(&arms, &benchmarks);
        fixture.row("json_rpc/parse", "v3", 1.006, 0.03, 0.031);
        fixture.row("json_rpc/parse", "znver4-no-sse4a", 1.034, 0.016, 0.018);
        fixture.row("json_rpc/parse", "A/A", 1.0004, 0.012, 0.015);
        fixture.row("cosine/top_k", "v3", 0.544, 0.004, 0.011);
        fixture.row("cosine/top_k", "znver4-no-sse4a", 0.296, 0.004, 0.011);
        fixture.row("cosine/top_k", "A/A", 1.0, 0.001, 0.01);
        fixture.row("sort/u32", "v3", 0.998, 0.007, 0.013);
        fixture.row("sort/u32", "znver4-no-sse4a", 0.962, 0.008, 0.013);
        fixture.row("sort/u32", "A/A", 1.001, 0.007, 0.013);
        fixture.row("hash/sip <13>", "znver4-no-sse4a", 1.041, 0.002, 0.011);
        fixture.row("hash/sip <13>", "A/A", 0.999, 0.002, 0.011);
        for row in fixture.analysis.rows.iter_mut().filter(|row| row.benchmark == "hash/sip <13>") {
            row.estimate.as_mut().expect("an estimate").layout_share = None;
        }
        fixture.analysis.failures = vec![
            failure(
                "znver4",
                None,
                None,
                FailureReason::MissingFeatures { features: vec!["sse4a".to_owned()] },
            ),
            failure(
                "v3",
                Some("hash/sip <13>"),
                Some(0),
                FailureReason::WrongAnswer { expected: 7, found: 9 },
            ),
            failure("x86-64", Some("regex/ip"), Some(0), FailureReason::TimedOut { after_ms: 30_000 }),
        ];
        fixture.analysis.warnings = vec![Warning::Preempted { share: 0.034 }];
        let seed = &mut fixture.analysis.arms[4];
        seed.facts.identical_to = Some("znver4".to_owned());
        seed.facts.build_seconds = None;
        seed.geometric_mean = None;
        fixture.analysis.arms[2].geometric_mean = None;
        fixture.analysis.arms[2].peak_rss = None;
        fixture
    }

    /// Seventeen benchmarks, ten candidates and a control: what charts must bear.
    pub(crate) fn large() -> Self {
        let arms = [
            ("x86-64", Role::Baseline),
            ("x86-64-v2", Role::Candidate),
            ("x86-64-v3", Role::Candidate),
            ("x86-64-v4", Role::Candidate),
            ("x86-64-v4-512", Role::Candidate),
            ("native", Role::Candidate),
            ("znver2", Role::Candidate),
            ("znver3", Role::Candidate),
            ("znver4-no-sse4a", Role::Candidate),
            ("znver4-no-sse4a-lto", Role::Candidate),
            ("skylake-avx512", Role::Candidate),
            ("A/A", Role::Control),
        ];
        let benchmarks = [
            "json_rpc/parse",
            "json_rpc/write",
            "json_rpc/typed_deserialize",
            "cosine/top_k",
            "cosine/dot_f32",
            "hash/sip13",
            "hash/xxh3_64",
            "hash/map_lookup",
            "sort/u32",
            "sort/strings",
            "search/memchr",
            "search/regex_ip",
            "bits/popcount",
            "text/levenshtein",
            "text/utf8_validate",
            "stats/naive_sum",
            "compress/lz_match",
        ];
        let mut fixture = Self::empty(&arms, &benchmarks);
        let mut noise = Noise(7);
        for (index, benchmark) in benchmarks.iter().enumerate() {
            for (rank, (arm, role)) in arms.iter().enumerate().skip(1) {
                let gain = if index % 5 == 3 { 0.16 * rank as f64 } else { 0.02 * noise.normal() };
                let log = if *role == Role::Control { 0.001 * noise.normal() } else { -gain };
                let sd = 0.002 + 0.03 * noise.next() * (index % 3) as f64 / 2.0;
                if !(index == 8 && rank == 5) {
                    fixture.row(benchmark, arm, log.clamp(-1.6, 0.26).exp(), sd, 0.009 + sd / 2.0);
                }
            }
        }
        fixture.analysis.failures =
            vec![failure("native", Some("sort/u32"), Some(3), FailureReason::Signal { signal: 11 })];
        fixture
    }

    /// Calls from Python: four ways to call, payloads of two sizes, one way that lacks some, one that is absent.
    pub(crate) fn calls() -> Self {
        let arms = [
            ("c-api", Shape::CApi, Role::Baseline),
            ("pyo3", Shape::Pyo3, Role::Candidate),
            ("ctypes", Shape::Ctypes, Role::Candidate),
            ("pure", Shape::Pure, Role::Candidate),
            ("cython", Shape::Cython, Role::Candidate),
            ("c-api (A/A)", Shape::CApi, Role::Control),
        ];
        let names = arms.map(|(name, _, role)| (name, role));
        let benchmarks = ["ffi/nothing", "ffi/add", "ffi/echo_bytes/1KiB", "ffi/echo_bytes/1MiB"];
        let mut fixture = Self::empty(&names, &benchmarks);
        for (arm, (_, shape, _)) in fixture.plan.arms.iter_mut().zip(arms) {
            let python = "python3".to_owned();
            arm.workload =
                Workload::Ffi(Ffi { variant: variant(&arm.name), shape, library: Library::Cdylib, python });
        }
        let values = [
            ("ffi/nothing", 12.0, [Some(1.5), Some(4.9), Some(1.1)]),
            ("ffi/add", 20.0, [Some(1.35), Some(14.2), Some(1.2)]),
            ("ffi/echo_bytes/1KiB", 33.0, [Some(1.25), None, Some(4.6)]),
            ("ffi/echo_bytes/1MiB", 20_100.0, [Some(1.002), None, Some(1.03)]),
        ];
        for (benchmark, floor, ratios) in values {
            for (arm, ratio) in ["pyo3", "ctypes", "pure"].into_iter().zip(ratios) {
                if let Some(ratio) = ratio {
                    fixture.row(benchmark, arm, ratio, 0.02, 0.02);
                }
            }
            fixture.row(benchmark, "c-api (A/A)", 1.0005, 0.01, 0.015);
            for row in fixture.analysis.rows.iter_mut().filter(|row| row.benchmark == benchmark) {
                row.value *= floor / row.baseline_value;
                row.baseline_value = floor;
                row.baseline_interval = Some(Interval { lo: floor - 0.1, hi: floor + 0.1 });
                row.value_interval = Some(Interval { lo: row.value * 0.99, hi: row.value * 1.01 });
            }
        }
        fixture.analysis.rows[0].value_interval = Some(Interval { lo: 11.9, hi: 12.1 });
        for (benchmark, payload) in fixture.plan.benchmarks.iter_mut().skip(2).zip([1 << 10, 1 << 20]) {
            benchmark.payload = Some(payload);
        }
        let why = || FailureReason::NotOffered { why: "there is no plain C function".to_owned() };
        fixture.analysis.failures =
            benchmarks[2..].iter().map(|benchmark| failure("ctypes", Some(benchmark), None, why())).collect();
        let absent = FailureReason::MissingTool {
            what: "there is no cython_calls.so".to_owned(),
            remedy: "build it first".to_owned(),
        };
        fixture.analysis.failures.push(failure("cython", None, None, absent));
        fixture.environment.python = Some(Python {
            implementation: "CPython".to_owned(),
            version: "3.11.7".to_owned(),
            compiler: "GCC 12.2.0".to_owned(),
            options: vec!["--enable-optimizations".to_owned()],
            optimisation: "-DNDEBUG -O3".to_owned(),
            gil: true,
            debug: false,
        });
        fixture
    }

    /// Nothing could be built.
    pub(crate) fn failed() -> Self {
        let arms = [("x86-64", Role::Baseline), ("v3", Role::Candidate)];
        let mut fixture = Self::empty(&arms, &["json_rpc/parse"]);
        fixture.analysis.launches = 0;
        let error = || FailureReason::not_built("error: linker `cc` not found".to_owned());
        fixture.analysis.failures =
            vec![failure("x86-64", None, None, error()), failure("v3", None, None, error())];
        for arm in &mut fixture.analysis.arms {
            arm.facts = Default::default();
            arm.geometric_mean = None;
            arm.peak_rss = None;
        }
        let claim = &mut fixture.judgement.claims[0];
        *claim = ClaimAnswer {
            answer: Answer::CannotTell,
            speed_up: None,
            interval: None,
            code_like_this: None,
            rows: RowCount::default(),
            ..claim.clone()
        };
        fixture.judgement.controls.clear();
        fixture
    }

    fn empty(arms: &[(&str, Role)], benchmarks: &[&str]) -> Self {
        let plan = plan(arms, benchmarks);
        let summaries: Vec<ArmSummary> =
            arms.iter().enumerate().map(|(rank, arm)| summary(rank, *arm)).collect();
        let analysis = Analysis {
            launches: 64,
            rows: Vec::new(),
            arms: summaries,
            failures: Vec::new(),
            warnings: Vec::new(),
        };
        let judgement = judgement(&plan);
        Self { plan, environment: environment(), analysis, judgement, meta: meta() }
    }

    /// Adds a measured row with its verdict.
    fn row(&mut self, benchmark: &str, arm: &str, ratio: f64, sd: f64, smallest: f64) {
        let seed = benchmark.len() as u64 * 131 + arm.len() as u64 + (ratio * 1e6) as u64;
        let mut noise = Noise(seed);
        let half = 2.0 * sd / 8.0;
        let interval = Interval { lo: ratio * (-half).exp(), hi: ratio * half.exp() };
        let verdict = match interval {
            Interval { hi, .. } if hi < 0.99 => Verdict::Improved,
            Interval { lo, .. } if lo > 1.01 => Verdict::Regressed,
            Interval { lo, hi } if lo > 0.99 && hi < 1.01 => Verdict::NoChange,
            Interval { .. } => Verdict::Inconclusive { reason: "the interval crosses 1 %".to_owned() },
        };
        let undecided = matches!(verdict, Verdict::Inconclusive { .. });
        let role = self.plan.arms.iter().find(|known| known.name == arm).expect("an arm").role;
        let baseline_value = 900.0 * benchmark.len() as f64;
        self.analysis.rows.push(Row {
            benchmark: benchmark.to_owned(),
            arm: arm.to_owned(),
            role,
            unit: Unit::Nanos,
            baseline_value,
            value: baseline_value * ratio,
            baseline_interval: None,
            value_interval: None,
            launches: (0..64).map(|_| ratio.ln() + sd * noise.normal()).collect(),
            estimate: Some(RowEstimate {
                ratio,
                interval,
                launch_sd: sd,
                layout_share: Some((sd * 25.0).min(0.97)),
                minimum_detectable: Some(smallest),
                launches_to_decide: undecided.then_some(128),
            }),
            measured_as: None,
        });
        self.judgement.rows.push(JudgedRow { benchmark: benchmark.to_owned(), arm: arm.to_owned(), verdict });
    }
}

fn failure(arm: &str, benchmark: Option<&str>, launch: Option<u32>, reason: FailureReason) -> RunFailure {
    RunFailure { arm: arm.to_owned(), benchmark: benchmark.map(str::to_owned), launch, reason }
}

fn variant(flagset: &str) -> Variant {
    Variant {
        package: "my-subject".to_owned(),
        bin: "workloads".to_owned(),
        bench: None,
        features: Vec::new(),
        default_features: true,
        flagset: flagset.to_owned(),
        profile: "release".to_owned(),
        source: Source::Worktree,
    }
}

fn plan(arms: &[(&str, Role)], benchmarks: &[&str]) -> Plan {
    let arm = |(name, role): &(&str, Role)| Arm {
        name: (*name).to_owned(),
        workload: Workload::Kernel(variant(name)),
        role: *role,
        injected: 0.0,
    };
    let benchmark = |name: &&str| Benchmark { answer: 7, ..Benchmark::named(name) };
    Plan {
        suite: "quick".to_owned(),
        digest: "3f5a9c0d1e2b3a4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b".to_owned(),
        arms: arms.iter().map(arm).collect(),
        benchmarks: benchmarks.iter().map(benchmark).collect(),
        budget: Budget::of(64),
        noise_threshold: 0.01,
        claims: vec![Claim {
            id: "zen4".to_owned(),
            text: "znver4 is 10–30 % faster than x86-64".to_owned(),
            baseline: "x86-64".to_owned(),
            candidate: arms.last().map_or("", |(name, _)| name).to_owned(),
            margin: Margin { lo: 1.1, hi: 1.3 },
            benchmarks: Vec::new(),
            cpu: Some("znver4".to_owned()),
        }],
        seed: 42,
    }
}

fn summary(rank: usize, (arm, role): (&str, Role)) -> ArmSummary {
    let wide = if rank == 0 { vec![] } else { vec!["avx2".to_owned(), "bmi2".to_owned()] };
    let mut required = vec!["sse".to_owned(), "sse2".to_owned()];
    required.extend(wide);
    let ratio = 1.0 - 0.02 * rank as f64;
    ArmSummary {
        arm: arm.to_owned(),
        role,
        // By way of its written form: this module does not name the module that the type comes from.
        facts: serde_json::from_value(serde_json::json!({
            "arm": arm,
            "flags": [format!("-Ctarget-cpu={arm}")],
            "digest": format!("{rank:064x}"),
            "file_bytes": 2_400_000 + 61_000 * rank,
            "text_bytes": 1_100_000 + 40_000 * rank,
            "build_seconds": 38.4 + 1.7 * rank as f64,
            "required": required,
            "dispatched": [],
            "widths": { "scalar": 240_000, "xmm": 31_000, "ymm": 9_000 * rank },
            "benchmark_widths": {},
            "identical_to": null,
            "foreign_code": [],
        }))
        .expect("the facts of an arm"),
        geometric_mean: (role == Role::Candidate).then_some(GeometricMean {
            ratio,
            suite: Interval { lo: ratio - 0.006, hi: ratio + 0.007 },
            code_like_this: Some(Interval { lo: ratio - 0.21, hi: ratio + 0.2 }),
            benchmarks: 4,
        }),
        peak_rss: Some(9_437_184.0 + 65_536.0 * rank as f64),
        measured_seconds: 12.5,
    }
}

fn judgement(plan: &Plan) -> Judgement {
    Judgement {
        policy: Policy { noise_threshold: 0.01 },
        rows: Vec::new(),
        claims: vec![ClaimAnswer {
            claim: plan.claims[0].clone(),
            answer: Answer::Below,
            reservation: Some("no such CPU here".to_owned()),
            speed_up: Some(1.054),
            interval: Some(Interval { lo: 1.046, hi: 1.061 }),
            code_like_this: Some(Interval { lo: 0.87, hi: 1.36 }),
            rows: RowCount { inside: 0, above: 1, below: 1, no_change: 0, slower: 2, undecided: 0 },
        }],
        controls: vec![ControlResult {
            arm: "A/A".to_owned(),
            ratio: 1.0003,
            interval: Interval { lo: 0.9985, hi: 1.0021 },
            false_alarms: 0,
            rows: 4,
            voids: false,
        }],
        false_alarms: Some(FalseAlarms {
            comparisons: 3000,
            alarms: 1,
            bound: 0.00158,
            experiments: Experiments { count: 300, alarmed: 1 },
            experiments_bound: 0.0157,
            machine: "Example CPU".to_owned(),
            same_machine: true,
        }),
        crosstalk: Some(Crosstalk { ratio: 1.002, interval: Interval { lo: 0.999, hi: 1.005 } }),
    }
}

fn environment() -> Environment {
    Environment {
        cpu: Cpu {
            brand: "Example Xeon 8481C".to_owned(),
            vendor: "GenuineIntel".to_owned(),
            family: 6,
            model: 143,
            stepping: 8,
            microarchitecture: Some("Sapphire Rapids".to_owned()),
            features: vec!["sse2".to_owned(), "avx2".to_owned()],
            hypervisor: Some("KVM".to_owned()),
        },
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "Linux 6.1.0".to_owned(),
        os: "Debian GNU/Linux 12".to_owned(),
        quota: None,
        toolchain: Toolchain {
            rustc: "rustc 1.95.0 (0a1b2c3d4 2026-04-14)".to_owned(),
            commit: "0a1b2c3d4".to_owned(),
            llvm: "22.1.0".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
            cargo: "cargo 1.95.0".to_owned(),
            linker: Some("LLD 22.1.0".to_owned()),
            native: "rocketlake".to_owned(),
        },
        load: Some(0.4),
        governor: None,
        pinned_to: Some(1),
        nice: Some(-5),
        python: None,
    }
}

fn meta() -> Meta {
    Meta {
        name: "2026-11-23T0226-vm".to_owned(),
        started: "2026-11-23T02:26:00Z".to_owned(),
        seconds: 131.0,
        command: "perflab run --suite quick".to_owned(),
        perflab: "0.1.0".to_owned(),
    }
}
