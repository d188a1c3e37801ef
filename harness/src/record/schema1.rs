//! Records of schema 1, carried over: there a kind of workload was a word, and what belongs to it lay beside it.
//!
//! The schema is closed: what it could say is written down here, and nothing is added.

use serde::Deserialize;

use crate::plan::{
    Arm, Benchmark, Budget, BuildSettings, CargoBuild, Claim, Command, Ffi, Library, Plan, Role, Server,
    Shape, Source, ToolCall, Variant, Workload, WorkloadKind,
};

/// The plan of schema 1.
#[derive(Deserialize)]
pub(crate) struct PlanFile {
    suite: String,
    digest: String,
    workload: WorkloadKind,
    arms: Vec<ArmFile>,
    benchmarks: Vec<Benchmark>,
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
            benchmarks: self.benchmarks,
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
}
