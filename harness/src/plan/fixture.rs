//! Small plans for the tests of later stages.

use crate::plan::{Arm, Benchmark, Budget, BuildSettings, Plan, Role, Source, Variant, Workload};

pub(crate) fn arm(name: &str, role: Role) -> Arm {
    let variant = Variant {
        package: "p".into(),
        bin: "b".into(),
        features: Vec::new(),
        default_features: true,
        flagset: name.into(),
        profile: "release".into(),
        source: Source::Worktree,
        ffi: None,
        command: Vec::new(),
    };
    Arm { name: name.into(), variant, role, injected: 0.0, build: BuildSettings::default(), args: Vec::new() }
}

pub(crate) fn benchmark(name: &str) -> Benchmark {
    Benchmark { answer: 1, ..Benchmark::named(name) }
}

pub(crate) fn plan(launches: u32, arms: Vec<Arm>, benchmarks: &[&str]) -> Plan {
    Plan {
        suite: "s".into(),
        digest: String::new(),
        workload: Workload::Kernel,
        arms,
        benchmarks: benchmarks.iter().map(|name| benchmark(name)).collect(),
        budget: Budget::of(launches),
        noise_threshold: 0.01,
        claims: Vec::new(),
        seed: 1,
        python: None,
        calls: Vec::new(),
    }
}
