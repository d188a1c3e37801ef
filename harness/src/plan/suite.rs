//! Suites: what is measured, as data. Every fault is named with its line and column.

use std::fmt::Write as _;

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;

use crate::plan::arm_table::ArmTable;
use crate::plan::benchmark_table::BenchmarkTable;
use crate::plan::budget_table::BudgetTable;
use crate::plan::calibrate::CalibrateTable;
use crate::plan::gate::GateTable;
use crate::plan::{
    Arm, Bench, Benchmark, Budget, Claim, CrosstalkSettings, FlagSets, GateSettings, Margin, Plan, PlanError,
    Role, ToolCall, Traits, WorkloadKind,
};

/// A checked suite file.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The arms without controls, the baseline first.
    pub arms: Vec<Arm>,
    /// The benchmarks it names; empty means all that there are.
    pub benchmarks: Vec<String>,
    /// The rows that are known before anything was started.
    pub rows: Vec<Benchmark>,
    /// The budget of a quick run.
    pub quick: Budget,
    /// The budget of a full run.
    pub full: Budget,
    /// The smallest change worth a name.
    pub noise_threshold: f64,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// How the suite is gated.
    pub gate: GateSettings,
    /// What the crosstalk of its code is measured on; `None` where it names nothing.
    pub crosstalk: Option<CrosstalkSettings>,
    /// SHA-256 of the file, in hex.
    pub digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    name: String,
    #[serde(default)]
    pub(crate) workload: WorkloadKind,
    pub(crate) package: Option<String>,
    pub(crate) bin: Option<String>,
    pub(crate) bench: Option<Spanned<String>>,
    pub(crate) harness: Option<Spanned<Bench>>,
    pub(crate) library: Option<String>,
    pub(crate) python: Option<Spanned<String>>,
    #[serde(default = "release")]
    pub(crate) profile: String,
    pub(crate) baseline: Spanned<String>,
    #[serde(default)]
    pub(crate) flagsets: Vec<Spanned<String>>,
    #[serde(default, rename = "arm")]
    pub(crate) arms: Vec<ArmTable>,
    #[serde(default)]
    pub(crate) benchmarks: Vec<String>,
    #[serde(default, rename = "benchmark")]
    pub(crate) rows: Vec<Spanned<BenchmarkTable>>,
    #[serde(default = "one_percent")]
    noise_threshold: Spanned<f64>,
    budget: Budgets,
    #[serde(default, rename = "claim")]
    claims: Vec<Spanned<ClaimTable>>,
    #[serde(default)]
    pub(crate) args: Vec<String>,
    #[serde(default, rename = "call")]
    pub(crate) calls: Vec<Spanned<ToolCall>>,
    #[serde(default)]
    gate: GateTable,
    #[serde(default)]
    calibrate: CalibrateTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Budgets {
    quick: BudgetTable,
    full: BudgetTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimTable {
    id: String,
    text: String,
    baseline: Spanned<String>,
    candidate: Spanned<String>,
    speed_up: Option<Spanned<Vec<f64>>>,
    #[serde(default)]
    benchmarks: Vec<Spanned<String>>,
    cpu: Option<String>,
}

fn release() -> String {
    "release".to_owned()
}

fn one_percent() -> Spanned<f64> {
    Spanned::new(0..0, 0.01)
}

/// Reads a suite from the text of `file` and checks every name in it against `flagsets`.
///
/// # Errors
/// A [`PlanError`] with line and column: a typo, an unknown or repeated name, a claim without margins, a
/// budget of nothing or without end.
pub fn parse_suite(file: &str, text: &str, flagsets: &FlagSets) -> Result<Suite, PlanError> {
    let parsed: File = toml::from_str(text).map_err(|error| PlanError::toml(file, text, &error))?;
    let check = Check { file, text, flagsets };
    let arms = check.arms(&parsed)?;
    let (quick, full) = (check.budget(&parsed.budget.quick)?, check.budget(&parsed.budget.full)?);
    let threshold = *parsed.noise_threshold.as_ref();
    if !(threshold > 0.0 && threshold < 0.5) {
        return Err(check
            .fault(parsed.noise_threshold.span(), format!("noise_threshold = {threshold}"))
            .right("a fraction between 0 and 0.5, such as 0.01 for 1 %"));
    }
    let claims =
        parsed.claims.iter().map(|claim| check.claim(claim, &arms)).collect::<Result<Vec<_>, _>>()?;
    for (index, claim) in claims.iter().enumerate() {
        if claims[..index].iter().any(|earlier| earlier.id == claim.id) {
            return Err(check.fault(parsed.claims[index].span(), format!("a second claim \"{}\"", claim.id)));
        }
    }
    let (benchmarks, rows) = check.rows(&parsed, &arms)?;
    Ok(Suite {
        gate: check.gate(&parsed.gate, &arms)?,
        crosstalk: check.crosstalk(parsed.calibrate, &arms)?,
        name: parsed.name,
        arms,
        benchmarks,
        rows,
        quick,
        full,
        noise_threshold: threshold,
        claims,
        digest: hex(&Sha256::digest(text.as_bytes())),
    })
}

pub(crate) struct Check<'a> {
    file: &'a str,
    pub(crate) text: &'a str,
    flagsets: &'a FlagSets,
}

impl Check<'_> {
    pub(crate) fn fault(&self, span: std::ops::Range<usize>, wrong: impl Into<String>) -> PlanError {
        PlanError::at(self.file, self.text, Some(span), wrong)
    }

    pub(crate) fn flagset(&self, name: &Spanned<String>) -> Result<String, PlanError> {
        let known = self.flagsets.names();
        if known.contains(&name.as_ref().as_str()) {
            return Ok(name.as_ref().clone());
        }
        Err(self.fault(name.span(), "").unknown("flag set", name.as_ref(), &known))
    }

    fn claim(&self, table: &Spanned<ClaimTable>, arms: &[Arm]) -> Result<Claim, PlanError> {
        let claim = table.as_ref();
        let known: Vec<_> = arms.iter().map(|arm| arm.name.as_str()).collect();
        for name in [&claim.baseline, &claim.candidate] {
            if !known.contains(&name.as_ref().as_str()) {
                return Err(self.fault(name.span(), "").unknown("arm", name.as_ref(), &known));
            }
        }
        if claim.baseline.as_ref() != known[0] {
            return Err(self
                .fault(
                    claim.baseline.span(),
                    format!("claim \"{}\" compares with another arm than the suite", claim.id),
                )
                .right(format!("the suite's baseline is \"{}\"", known[0])));
        }
        Ok(Claim {
            id: claim.id.clone(),
            text: claim.text.clone(),
            baseline: claim.baseline.as_ref().clone(),
            candidate: claim.candidate.as_ref().clone(),
            margin: self.margin(table)?,
            benchmarks: claim.benchmarks.iter().map(|name| name.as_ref().clone()).collect(),
            cpu: claim.cpu.clone(),
        })
    }

    fn margin(&self, table: &Spanned<ClaimTable>) -> Result<Margin, PlanError> {
        let claim = table.as_ref();
        let right = "write speed_up = [1.10, 1.30] for \"10–30 % faster\", or [1.10] for \"at least 10 %\"";
        let Some(bounds) = &claim.speed_up else {
            return Err(self
                .fault(table.span(), format!("claim \"{}\" has no margins", claim.id))
                .right(right));
        };
        let margin = match bounds.as_ref()[..] {
            [lo] => Margin { lo, hi: f64::INFINITY },
            [lo, hi] => Margin { lo, hi },
            _ => Margin { lo: f64::NAN, hi: f64::NAN },
        };
        if margin.lo > 0.0 && margin.lo <= margin.hi {
            return Ok(margin);
        }
        let found = bounds.as_ref().iter().fold(String::new(), |mut list, bound| {
            let _ = write!(list, "{}{bound}", if list.is_empty() { "" } else { ", " });
            list
        });
        Err(self
            .fault(bounds.span(), format!("claim \"{}\" has speed_up = [{found}]", claim.id))
            .right(right))
    }
}

impl Suite {
    /// The kind of task that it measures.
    #[must_use]
    pub fn kind(&self) -> WorkloadKind {
        self.arms[0].workload.kind()
    }

    /// What is known of that kind.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.kind().traits()
    }

    /// The plan of one run: these arms (all, where `only` is empty) with one control, this budget and seed.
    ///
    /// # Errors
    /// An unknown arm in `only`, or one arm alone.
    pub fn plan(&self, only: &[String], budget: Budget, seed: u64) -> Result<Plan, PlanError> {
        let known: Vec<_> = self.arms.iter().map(|arm| arm.name.as_str()).collect();
        for name in only {
            if !known.contains(&name.as_str()) {
                let fault = PlanError {
                    file: "--flagsets".to_owned(),
                    place: None,
                    wrong: String::new(),
                    right: None,
                };
                return Err(fault.unknown("arm", name, &known));
            }
        }
        let baseline = &self.arms[0];
        let mut arms: Vec<Arm> = self
            .arms
            .iter()
            .filter(|arm| arm.role == Role::Baseline || only.is_empty() || only.contains(&arm.name))
            .cloned()
            .collect();
        arms.push(Arm { name: format!("{} (A/A)", baseline.name), role: Role::Control, ..baseline.clone() });
        Ok(Plan {
            suite: self.name.clone(),
            digest: self.digest.clone(),
            claims: self
                .claims
                .iter()
                .filter(|claim| arms.iter().any(|arm| arm.name == claim.candidate))
                .cloned()
                .collect(),
            arms,
            benchmarks: self.rows.clone(),
            budget,
            noise_threshold: self.noise_threshold,
            seed,
        })
    }
}

/// Bytes in lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FlagSet;

    const GOOD: &str = r#"name = "s"
package = "p"
bin = "b"
baseline = "x86-64"
flagsets = ["x86-64", "znver4"]

[[arm]]
name = "dispatch"
flagset = "x86-64"
features = ["dispatch"]

[budget]
quick = { launches = 16 }
full = { launches = 64 }

[[claim]]
id = "c"
text = "10-30 % faster"
baseline = "x86-64"
candidate = "znver4"
speed_up = [1.1, 1.3]
"#;

    fn flagsets() -> FlagSets {
        let set = |name: &str| {
            let text = "[build]\ntarget = \"t\"\n[target.t]\nrustflags = []\n";
            (name.to_owned(), FlagSet::parse(name, "f", text).unwrap())
        };
        FlagSets([set("x86-64"), set("znver4")].into())
    }

    fn fault(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        parse_suite("s.toml", &GOOD.replacen(from, to, 1), &flagsets()).unwrap_err().to_string()
    }

    #[test]
    fn a_plan_has_the_baseline_first_and_a_control_last() {
        let suite = parse_suite("s.toml", GOOD, &flagsets()).unwrap();
        let plan = suite.plan(&[], suite.quick, 1).unwrap();
        let names: Vec<_> = plan.arms.iter().map(|arm| (arm.name.as_str(), arm.role)).collect();
        assert_eq!(
            names,
            [
                ("x86-64", Role::Baseline),
                ("znver4", Role::Candidate),
                ("dispatch", Role::Candidate),
                ("x86-64 (A/A)", Role::Control),
            ]
        );
        assert_eq!(plan.arms[2].workload.variant().unwrap().features, ["dispatch"]);
        assert_eq!((plan.budget.launches, plan.budget.blocks), (16, 4));
        let chosen = suite.plan(&["dispatch".to_owned()], suite.quick, 1).unwrap();
        assert_eq!(chosen.arms.len(), 3);
        assert_eq!(chosen.claims.len(), 0, "a claim about an arm that does not run is not asked");
    }

    #[test]
    fn rows_of_a_gate_have_their_own_bounds_or_the_suites() {
        let table = "[gate]\ntolerance = 0.1\n[gate.rows.\"a/b\"]\nnoise_threshold = 0.2\n[budget]";
        let suite = parse_suite("s.toml", &GOOD.replacen("[budget]", table, 1), &flagsets()).unwrap();
        let bounds = |name: &str| {
            let bounds = suite.gate.bounds(name, suite.noise_threshold);
            (bounds.noise_threshold, bounds.tolerance)
        };
        assert_eq!(bounds("c"), (0.01, 0.1));
        assert_eq!(bounds("a/b"), (0.2, 0.2), "what may pass is never less than what is worth a name");
        assert_eq!(parse_suite("s.toml", GOOD, &flagsets()).unwrap().gate, GateSettings::default());
    }

    #[test]
    fn faults_have_a_place_and_say_what_is_right() {
        assert_eq!(
            fault("\"x86-64\", \"znver4\"]", "\"x86-64\", \"znver4x\"]"),
            "s.toml:5:23: unknown flag set \"znver4x\"\n       known: x86-64, znver4   (did you mean \"znver4\"?)"
        );
        let missing = fault("speed_up = [1.1, 1.3]\n", "");
        assert!(missing.starts_with("s.toml:16:1: claim \"c\" has no margins\n"), "{missing}");
        assert!(
            fault("speed_up = [1.1, 1.3]", "speed_up = [1.3, 1.1]")
                .contains("s.toml:21:12: claim \"c\" has speed_up = [1.3, 1.1]")
        );
        assert!(fault("bin = ", "bim = ").starts_with("s.toml:3:1: unknown field `bim`"));
        assert!(
            fault("name = \"dispatch\"", "name = \"znver4\"").contains("s.toml:8:8: a second arm \"znver4\"")
        );
        assert!(
            fault("baseline = \"x86-64\"\nflag", "baseline = \"x86\"\nflag").contains("unknown arm \"x86\"")
        );
        assert!(fault("[budget]", "noise_threshold = 1.0\n[budget]").contains("unknown field"));
        let gate = |text: &str| fault("[budget]", &format!("[gate]\n{text}\n[budget]"));
        assert!(gate("arms = [\"znver5\"]").contains("s.toml:13:9: unknown arm \"znver5\""));
        assert!(gate("tolerance = 5").contains("s.toml:13:13: tolerance = 5\n"), "{}", gate("tolerance = 5"));
        assert!(gate("tolerence = 0.05").contains("unknown field `tolerence`"));
        let tight = "[gate.rows.\"a\"]\ntolerance = 0.01\nnoise_threshold = 0.02";
        assert!(gate(tight).contains("tolerance = 0.01 below noise_threshold = 0.02"), "{}", gate(tight));
    }

    #[test]
    fn an_unknown_arm_on_the_command_line_is_named() {
        let suite = parse_suite("s.toml", GOOD, &flagsets()).unwrap();
        let error = suite.plan(&["znver5".to_owned()], suite.quick, 1).unwrap_err().to_string();
        assert!(
            error.contains("--flagsets: unknown arm \"znver5\"") && error.contains("\"znver4\""),
            "{error}"
        );
    }
}
