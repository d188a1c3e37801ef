//! Records of schema 1, carried over: there a kind of workload was a word, and what belongs to it lay beside it.
//!
//! The schema is closed: what it could say is written down here, and nothing is added.

use serde::Deserialize;

use crate::plan::{
    Arm, Benchmark, Budget, BuildSettings, CargoBuild, Claim, Command, Ffi, Library, Measure, Plan, Role,
    Server, Shape, Source, ToolCall, Unit, Variant, Workload, WorkloadKind,
};

/// The plan of schema 1.
#[derive(Deserialize)]
pub(crate) struct PlanFile {
    suite: String,
    digest: String,
    workload: WorkloadKind,
    arms: Vec<ArmFile>,
    benchmarks: Vec<BenchmarkFile>,
    budget: Budget,
    noise_threshold: f64,
    claims: Vec<Claim>,
    seed: u64,
    #[serde(default)]
    python: Option<String>,
    #[serde(default)]
    calls: Vec<ToolCall>,
}

#[derive(Deserialize)]
struct BenchmarkFile {
    name: String,
    answer: u64,
    long: bool,
    code: Vec<String>,
    #[serde(default)]
    unit: Unit,
    #[serde(default)]
    payload: Option<u64>,
}

#[derive(Deserialize)]
struct ArmFile {
    name: String,
    variant: VariantFile,
    role: Role,
    #[serde(default)]
    injected: f64,
    #[serde(default)]
    build: BuildSettings,
    #[serde(default)]
    args: Vec<String>,
}

#[derive(Deserialize)]
struct VariantFile {
    package: String,
    bin: String,
    features: Vec<String>,
    #[serde(default = "yes")]
    default_features: bool,
    flagset: String,
    profile: String,
    source: Source,
    #[serde(default)]
    ffi: Option<FfiFile>,
    #[serde(default)]
    command: Vec<String>,
}

#[derive(Deserialize)]
struct FfiFile {
    shape: Shape,
    library: Library,
}

fn yes() -> bool {
    true
}

impl PlanFile {
    /// The plan as it is written today.
    ///
    /// # Errors
    /// A clause that says what the record lacks.
    pub(crate) fn carried_over(self) -> Result<Plan, String> {
        if self.arms.is_empty() {
            return Err("a plan without arms".to_owned());
        }
        let of_suite = OfSuite { kind: self.workload, python: self.python, calls: self.calls };
        let arms = self.arms.into_iter().map(|arm| of_suite.arm(arm)).collect::<Result<_, _>>()?;
        Ok(Plan {
            suite: self.suite,
            digest: self.digest,
            arms,
            benchmarks: self.benchmarks.into_iter().map(|row| of_suite.row(row)).collect(),
            budget: self.budget,
            noise_threshold: self.noise_threshold,
            claims: self.claims,
            seed: self.seed,
        })
    }
}

/// What lay beside the arms.
struct OfSuite {
    kind: WorkloadKind,
    python: Option<String>,
    calls: Vec<ToolCall>,
}

impl OfSuite {
    fn arm(&self, arm: ArmFile) -> Result<Arm, String> {
        let ArmFile { name, variant: old, role, injected, build, args } = arm;
        let variant = Variant {
            package: old.package,
            bin: old.bin,
            bench: None,
            features: old.features,
            default_features: old.default_features,
            flagset: old.flagset,
            profile: old.profile,
            source: old.source,
        };
        let workload = match self.kind {
            WorkloadKind::Kernel => Workload::Kernel(variant),
            WorkloadKind::Build => Workload::Build(CargoBuild { variant, settings: build }),
            WorkloadKind::Ffi => {
                let FfiFile { shape, library } =
                    old.ffi.ok_or_else(|| format!("arm \"{name}\" calls from Python, and has no shape"))?;
                let python = self.python.clone().unwrap_or_else(|| "python3".to_owned());
                Workload::Ffi(Ffi { variant, shape, library, python })
            }
            WorkloadKind::ToolCall => Workload::ToolCall(Server { variant, args, calls: self.calls.clone() }),
            WorkloadKind::Command => Workload::Command(Command { words: old.command }),
        };
        Ok(Arm { name, workload, role, injected })
    }

    fn row(&self, row: BenchmarkFile) -> Benchmark {
        let BenchmarkFile { name, answer, long, code, unit, payload } = row;
        let measure = measure(self.kind, &name, unit);
        Benchmark { name, answer, long, code, measure, unit, payload, elements: None, unchecked: false }
    }
}

/// What a row counts, by its name: nothing else said it.
fn measure(kind: WorkloadKind, name: &str, unit: Unit) -> Measure {
    match (kind, unit) {
        (WorkloadKind::Build, Unit::Nanos) if name.starts_with("clean") => Measure::CleanBuild,
        (WorkloadKind::Build, Unit::Nanos) => Measure::Rebuild,
        (WorkloadKind::Command, Unit::Nanos) if name.starts_with("CPU") => Measure::CpuTime,
        (WorkloadKind::ToolCall, Unit::Nanos) if name.ends_with("/p99") => Measure::P99,
        (WorkloadKind::ToolCall, Unit::Nanos) => Measure::P50,
        (_, Unit::Nanos) => Measure::Time,
        (_, Unit::Bytes) if name.contains("memory") => Measure::Memory,
        (_, Unit::Bytes) => Measure::FileSize,
        (_, Unit::Instructions) => Measure::Instructions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_have_their_own_measures() {
        assert_eq!(measure(WorkloadKind::Build, "clean build", Unit::Nanos), Measure::CleanBuild);
        assert_eq!(measure(WorkloadKind::Build, "rebuild after an edit", Unit::Nanos), Measure::Rebuild);
        assert_eq!(measure(WorkloadKind::Build, "executable size", Unit::Bytes), Measure::FileSize);
        assert_eq!(measure(WorkloadKind::Build, "memory in use", Unit::Bytes), Measure::Memory);
        assert_eq!(measure(WorkloadKind::Kernel, "memory/copy", Unit::Nanos), Measure::Time);
    }

    #[test]
    fn calls_have_a_median_and_a_tail() {
        assert_eq!(measure(WorkloadKind::ToolCall, "echo", Unit::Nanos), Measure::P50);
        assert_eq!(measure(WorkloadKind::ToolCall, "echo/p99", Unit::Nanos), Measure::P99);
        assert_eq!(measure(WorkloadKind::ToolCall, "memory", Unit::Bytes), Measure::Memory);
    }

    #[test]
    fn what_a_kind_of_workload_measures_today_had_the_same_name_and_measure_then() {
        let command = Workload::Command(Command { words: Vec::new() });
        let variant = crate::plan::fixture::variant("x86-64");
        let build =
            Workload::Build(CargoBuild { variant: variant.clone(), settings: BuildSettings::default() });
        let call: ToolCall = serde_json::from_str(r#"{"name":"echo","tool":"echo"}"#).unwrap();
        let server = Workload::ToolCall(Server { variant, args: Vec::new(), calls: vec![call] });
        for workload in [command, build, server] {
            let rows = workload.rows();
            assert!(!rows.is_empty());
            for row in rows {
                assert_eq!(measure(workload.kind(), &row.name, row.unit), row.measure, "{}", row.name);
            }
        }
    }

    #[test]
    fn arms_of_every_kind_are_carried_over() {
        let arm = |more: &str, variant: &str| {
            format!(
                r#"{{"name":"a","role":"baseline","variant":{{"package":"p","bin":"b","features":[],
                "flagset":"f","profile":"release","source":"worktree"{variant}}}{more}}}"#
            )
        };
        let plan = |kind: &str, suite: &str, arm: &str| {
            let text = format!(
                r#"{{"suite":"s","digest":"","workload":"{kind}","arms":[{arm}],"benchmarks":[],
                "budget":{{"launches":1}},"noise_threshold":0.01,"claims":[],"seed":1{suite}}}"#
            );
            let file: PlanFile = serde_json::from_str(&text).unwrap();
            file.carried_over().map(|plan| plan.arms[0].workload.clone())
        };
        let kernel = plan("kernel", "", &arm("", "")).unwrap();
        assert_eq!(kernel.variant().unwrap().package, "p");
        let build = plan("build", "", &arm(r#","build":{"jobs":3}"#, "")).unwrap();
        assert_eq!(build.build_settings().unwrap().jobs, Some(3));
        let ffi = r#","ffi":{"shape":"c-api","library":{"source":"a.c"}}"#;
        let called = plan("ffi", r#","python":"python3.12""#, &arm("", ffi)).unwrap();
        let called = called.ffi().unwrap();
        assert_eq!((called.shape, called.python.as_str()), (Shape::CApi, "python3.12"));
        assert_eq!(called.library, Library::Source("a.c".into()));
        let calls = r#","calls":[{"name":"echo","tool":"t"}]"#;
        let server = plan("tool_call", calls, &arm(r#","args":["--x"]"#, "")).unwrap();
        let server = server.server().unwrap();
        assert_eq!((server.args.as_slice(), server.calls[0].tool.as_str()), (&["--x".to_owned()][..], "t"));
        let command = plan("command", "", &arm("", r#","command":["sleep","1"]"#)).unwrap();
        assert_eq!(command.command(), ["sleep", "1"]);
        assert!(plan("ffi", "", &arm("", "")).unwrap_err().contains("has no shape"));
    }
}
