//! Small plans for the tests of later stages.

use crate::plan::{Arm, Benchmark, Budget, Plan, Role, Source, Variant, Workload};

pub(crate) fn variant(flagset: &str) -> Variant {
    Variant {
        package: "p".into(),
        bin: "b".into(),
        bench: None,
        features: Vec::new(),
        default_features: true,
        flagset: flagset.into(),
        profile: "release".into(),
        source: Source::Worktree,
    }
}

pub(crate) fn arm(name: &str, role: Role) -> Arm {
    Arm { name: name.into(), workload: Workload::Kernel(variant(name)), role, injected: 0.0 }
}

pub(crate) fn benchmark(name: &str) -> Benchmark {
    Benchmark { answer: 1, ..Benchmark::named(name) }
}

pub(crate) fn plan(launches: u32, arms: Vec<Arm>, benchmarks: &[&str]) -> Plan {
    Plan {
        suite: "s".into(),
        digest: String::new(),
        arms,
        benchmarks: benchmarks.iter().map(|name| benchmark(name)).collect(),
        budget: Budget::of(launches),
        noise_threshold: 0.01,
        claims: Vec::new(),
        seed: 1,
    }
}
