//! The arms of a suite file, and what each kind of suite demands of them.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use crate::called::program;
use crate::plan::suite::{Check, File};
use crate::plan::{
    Arm, Bench, BuildSettings, CargoBuild, Ffi, Library, Measure, PlanError, Role, Server, Shape, Source,
    ToolCall, Variant, Workload, WorkloadKind,
};

/// The module of the C source that comes with the lab.
const FLOOR: &str = "perflab_floor";

/// The interpreter that `ffi` suites use where they name none.
const PYTHON: &str = "python3";

/// What a suite says of one arm.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArmTable {
    name: Spanned<String>,
    flagset: Option<Spanned<String>>,
    profile: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    default_features: Option<bool>,
    #[serde(default)]
    build: BuildSettings,
    shape: Option<Spanned<Shape>>,
    package: Option<String>,
    library: Option<String>,
    source: Option<Spanned<String>>,
    file: Option<Spanned<String>>,
    bin: Option<String>,
    args: Option<Vec<String>>,
}

impl ArmTable {
    /// The arm that a flag set makes by its name alone.
    fn of_flagset(name: &Spanned<String>) -> Self {
        Self {
            name: name.clone(),
            flagset: Some(name.clone()),
            profile: None,
            features: Vec::new(),
            default_features: None,
            build: BuildSettings::default(),
            shape: None,
            package: None,
            library: None,
            source: None,
            file: None,
            bin: None,
            args: None,
        }
    }
}

impl Check<'_> {
    /// All arms, the baseline first.
    pub(crate) fn arms(&self, parsed: &File) -> Result<Vec<Arm>, PlanError> {
        let mut arms: Vec<Arm> = Vec::new();
        if let (WorkloadKind::Ffi, Some(first)) = (parsed.workload, parsed.flagsets.first()) {
            return Err(self
                .fault(first.span(), "flagsets in an ffi suite")
                .right("each of its arms is an [[arm]] with a shape"));
        }
        let of_flagsets: Vec<ArmTable> = parsed.flagsets.iter().map(ArmTable::of_flagset).collect();
        for table in of_flagsets.iter().chain(&parsed.arms) {
            if arms.iter().any(|arm| &arm.name == table.name.as_ref()) {
                let wrong = format!("a second arm \"{}\"", table.name.as_ref());
                return Err(self.fault(table.name.span(), wrong));
            }
            arms.push(self.arm(parsed, table)?);
        }
        let wanted = parsed.baseline.as_ref();
        let Some(index) = arms.iter().position(|arm| &arm.name == wanted) else {
            let known: Vec<_> = arms.iter().map(|arm| arm.name.as_str()).collect();
            return Err(self.fault(parsed.baseline.span(), "").unknown("arm", wanted, &known));
        };
        let mut baseline = arms.remove(index);
        baseline.role = Role::Baseline;
        arms.insert(0, baseline);
        self.keys_of_the_kind(parsed)?;
        Ok(arms)
    }

    /// Keys of the suite that belong to one kind of workload stand in no other.
    fn keys_of_the_kind(&self, parsed: &File) -> Result<(), PlanError> {
        if let (false, Some(python)) = (parsed.workload == WorkloadKind::Ffi, &parsed.python) {
            return Err(self
                .fault(python.span(), "python in a suite that calls from none")
                .right("only ffi suites have the key"));
        }
        self.calls(parsed)
    }

    /// Calls belong to a `tool_call` suite, which has at least one, each with a name of its own.
    fn calls(&self, parsed: &File) -> Result<(), PlanError> {
        if parsed.workload != WorkloadKind::ToolCall {
            let Some(call) = parsed.calls.first() else { return Ok(()) };
            let fault = self.fault(call.span(), "a call in a suite that calls no tools");
            return Err(fault.right("workload = \"tool_call\" measures the calls of a server"));
        }
        if parsed.calls.is_empty() {
            let fault = self.fault(parsed.baseline.span(), "a tool_call suite without calls");
            return Err(fault.right("[[call]] tables with name, tool and arguments are its benchmarks"));
        }
        for (index, call) in parsed.calls.iter().enumerate() {
            let ToolCall { name, in_flight, .. } = call.as_ref();
            if parsed.calls[..index].iter().any(|earlier| earlier.as_ref().name == *name) {
                return Err(self.fault(call.span(), format!("a second call \"{name}\"")));
            }
            if !(1..=1024).contains(in_flight) {
                return Err(self.fault(call.span(), format!("in_flight = {in_flight}")).right("1 to 1024"));
            }
            self.measures(call)?;
        }
        let mut names = BTreeSet::new();
        for call in &parsed.calls {
            let of_call = |measure: &Measure| call.as_ref().row_name(*measure);
            for name in call.as_ref().measures.iter().map(of_call) {
                if !names.insert(name.clone()) {
                    return Err(self.fault(call.span(), format!("two rows \"{name}\"")));
                }
            }
        }
        Ok(())
    }

    /// What a call measures are quantiles, each once.
    fn measures(&self, call: &Spanned<ToolCall>) -> Result<(), PlanError> {
        let ToolCall { name, measures, .. } = call.as_ref();
        let right = "measures = [\"p50\", \"p99\"]";
        if measures.is_empty() {
            let wrong = format!("call \"{name}\" measures nothing");
            return Err(self.fault(call.span(), wrong).right(right));
        }
        for (index, measure) in measures.iter().enumerate() {
            if !matches!(measure, Measure::Latency(_)) {
                let wrong = format!("call \"{name}\": {measure} is not a quantile");
                return Err(self.fault(call.span(), wrong).right(right));
            }
            if measures[..index].contains(measure) {
                return Err(self.fault(call.span(), format!("call \"{name}\" measures {measure} twice")));
            }
        }
        Ok(())
    }

    fn arm(&self, parsed: &File, table: &ArmTable) -> Result<Arm, PlanError> {
        let workload = match parsed.workload {
            WorkloadKind::Kernel => Workload::Kernel(self.program(parsed, table)?),
            WorkloadKind::Build => Workload::Build(CargoBuild {
                variant: self.program(parsed, table)?,
                settings: table.build.clone(),
            }),
            WorkloadKind::Ffi => Workload::Ffi(self.library(parsed, table)?),
            WorkloadKind::ToolCall => Workload::ToolCall(Server {
                variant: self.program(parsed, table)?,
                args: table.args.as_ref().unwrap_or(&parsed.args).clone(),
                calls: parsed.calls.iter().map(|call| call.as_ref().clone()).collect(),
            }),
            WorkloadKind::Command => {
                let at = self.text.find("workload").unwrap_or(0);
                return Err(self
                    .fault(at..at + "workload".len(), "commands are not suite")
                    .right(format!("compare them with {} cmp commands A B", program())));
            }
        };
        Ok(Arm { name: table.name.as_ref().clone(), workload, role: Role::Candidate, injected: 0.0 })
    }

    /// The variant of a suite whose subjects are executables.
    fn program(&self, parsed: &File, table: &ArmTable) -> Result<Variant, PlanError> {
        let foreign = table.shape.is_some()
            || table.library.is_some()
            || table.source.is_some()
            || table.file.is_some();
        if foreign {
            return Err(self
                .fault(table.name.span(), "shape, library, source and file belong to ffi suites")
                .right("this suite has bin, and its arms have flagset, profile and features"));
        }
        let calls = parsed.workload == WorkloadKind::ToolCall;
        if !calls && (table.args.is_some() || table.bin.is_some()) {
            return Err(self
                .fault(table.name.span(), "bin and args of an arm belong to tool_call suites")
                .right("there an arm is a server; here the suite's bin is the subject of all arms"));
        }
        let flagset = self.flagset_of(table)?;
        let bench = self.bench(parsed)?;
        let package = table.package.as_ref().or(parsed.package.as_ref());
        let named = bench.map(|(name, _)| name).or(table.bin.as_ref()).or(parsed.bin.as_ref());
        let (Some(package), Some(bin)) = (package, named) else {
            return Err(self.fault(parsed.baseline.span(), "the suite does not say what to build").right(
                "package = \"NAME\" and bin = \"NAME\" name a binary target, bench = \"NAME\" a bench target",
            ));
        };
        let variant = variant(parsed, table, package, bin, flagset);
        Ok(Variant { bench: bench.map(|(_, bench)| bench), ..variant })
    }

    /// The bench target of a suite, and how it is measured.
    fn bench<'a>(&self, parsed: &'a File) -> Result<Option<(&'a String, Bench)>, PlanError> {
        let Some(bench) = &parsed.bench else {
            return match &parsed.harness {
                Some(harness) => Err(self
                    .fault(harness.span(), "harness in a suite without a bench target")
                    .right("bench = \"NAME\" names the target")),
                None => Ok(None),
            };
        };
        if parsed.bin.is_some() || parsed.workload != WorkloadKind::Kernel {
            return Err(self
                .fault(bench.span(), "bench beside bin, or in a suite that measures something else")
                .right("a suite of a bench target has package and bench, and no workload"));
        }
        let harness = parsed.harness.as_ref().map(|harness| *harness.as_ref());
        Ok(Some((bench.as_ref(), harness.unwrap_or_default())))
    }

    /// The library of an arm whose suite calls from Python.
    fn library(&self, parsed: &File, table: &ArmTable) -> Result<Ffi, PlanError> {
        let Some(shape) = &table.shape else {
            return Err(self
                .fault(table.name.span(), format!("arm \"{}\" has no shape", table.name.as_ref()))
                .right("shape = \"pyo3\", \"direct\", \"c-api\", \"cython\", \"nanobind\", \"ctypes\" or \"pure\""));
        };
        let shape = *shape.as_ref();
        let library = match (&table.source, &table.file, shape) {
            (Some(source), Some(_), _) => {
                return Err(self
                    .fault(source.span(), "an arm with both a source and a file")
                    .right("source is compiled by the lab, file is there already"));
            }
            (Some(source), None, _) => Library::Source(source.as_ref().clone()),
            (None, Some(file), _) => Library::File(file.as_ref().clone()),
            (None, None, Shape::Pure) => Library::Nothing,
            (None, None, Shape::CApi) => Library::Floor,
            (None, None, Shape::Pyo3 | Shape::Direct | Shape::Cython | Shape::Nanobind | Shape::Ctypes) => {
                Library::Cdylib
            }
        };
        let python = parsed.python.as_ref().map_or(PYTHON, |python| python.as_ref()).to_owned();
        if library != Library::Cdylib {
            if let Some(flagset) = &table.flagset {
                return Err(self
                    .fault(flagset.span(), "a flag set for what Cargo does not build")
                    .right("flag sets are rustc's: leave the key out"));
            }
            let module = table.library.as_deref().or(match library {
                Library::Floor => Some(FLOOR),
                Library::Nothing => Some("pure"),
                _ => None,
            });
            let Some(module) = module else {
                return Err(self
                    .fault(table.name.span(), format!("arm \"{}\" names no library", table.name.as_ref()))
                    .right("library = \"NAME\" is the module's name in its PyInit_NAME"));
            };
            let variant = variant(parsed, table, "", module, String::new());
            return Ok(Ffi { variant, shape, library, python });
        }
        let flagset = self.flagset_of(table)?;
        let package = table.package.as_ref().or(parsed.package.as_ref());
        let (Some(package), Some(name)) = (package, table.library.as_ref().or(parsed.library.as_ref()))
        else {
            return Err(self
                .fault(
                    table.name.span(),
                    format!("nothing says what to build for arm \"{}\"", table.name.as_ref()),
                )
                .right("package = \"NAME\" and library = \"NAME\" name a cdylib target"));
        };
        let variant = variant(parsed, table, package, name, flagset);
        Ok(Ffi { variant, shape, library, python })
    }

    fn flagset_of(&self, table: &ArmTable) -> Result<String, PlanError> {
        match &table.flagset {
            Some(name) => self.flagset(name),
            None => Err(self
                .fault(table.name.span(), format!("arm \"{}\" has no flag set", table.name.as_ref()))
                .right("flagset = \"x86-64\" is the plainest")),
        }
    }
}

fn variant(parsed: &File, table: &ArmTable, package: &str, bin: &str, flagset: String) -> Variant {
    Variant {
        package: package.to_owned(),
        bin: bin.to_owned(),
        bench: None,
        features: table.features.clone(),
        default_features: table.default_features.unwrap_or(true),
        flagset,
        profile: table.profile.as_ref().unwrap_or(&parsed.profile).clone(),
        source: Source::Worktree,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FlagSet, FlagSets, parse_suite};

    const GOOD: &str = r#"name = "s"
workload = "ffi"
package = "p"
library = "l"
baseline = "c-api"
python = "python3.12"

[[arm]]
name = "c-api"
shape = "c-api"

[[arm]]
name = "pyo3"
shape = "pyo3"
flagset = "x86-64"
default_features = false

[[arm]]
name = "pure"
shape = "pure"

[[arm]]
name = "ours"
shape = "c-api"
source = "a.c"
library = "ours"

[budget]
quick = { launches = 16 }
full = { launches = 64 }
"#;

    fn parsed(text: &str) -> Result<crate::plan::Suite, PlanError> {
        let flags = "[build]\ntarget = \"t\"\n[target.t]\nrustflags = []\n";
        let sets = FlagSets([("x86-64".to_owned(), FlagSet::parse("x86-64", "f", flags).unwrap())].into());
        parse_suite("s.toml", text, &sets)
    }

    fn fault(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        parsed(&GOOD.replacen(from, to, 1)).unwrap_err().to_string()
    }

    #[test]
    fn each_shape_knows_where_its_library_comes_from() {
        let suite = parsed(GOOD).unwrap();
        assert_eq!(suite.kind(), WorkloadKind::Ffi);
        let ffi = |arm: &Arm| arm.workload.ffi().unwrap().clone();
        assert!(suite.arms.iter().all(|arm| ffi(arm).python == "python3.12"));
        let told: Vec<_> = suite.arms.iter().map(|arm| (ffi(arm).variant.bin, ffi(arm).library)).collect();
        assert_eq!(
            told,
            [
                ("perflab_floor".into(), Library::Floor),
                ("l".into(), Library::Cdylib),
                ("pure".into(), Library::Nothing),
                ("ours".into(), Library::Source("a.c".into())),
            ]
        );
        let defaults = |at: usize| ffi(&suite.arms[at]).variant.default_features;
        assert!(!defaults(1) && defaults(0));
    }

    #[test]
    fn a_bench_target_stands_in_place_of_a_program() {
        let text = "name = \"s\"\npackage = \"p\"\nbench = \"b\"\nbaseline = \"x86-64\"\nflagsets = [\"x86-64\"]\n\
                    [budget]\nquick = { launches = 1 }\nfull = { launches = 1 }\n";
        let variant = |text: &str| parsed(text).unwrap().arms[0].workload.variant().unwrap().clone();
        assert_eq!((variant(text).bin.as_str(), variant(text).bench), ("b", Some(Bench::Subject)));
        let own = text.replace("bench =", "harness = \"criterion\"\nbench =");
        assert_eq!(variant(&own).bench, Some(Bench::Criterion));
        let wrong = |from: &str, to: &str| parsed(&own.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(
            wrong("bench =", "bin =").starts_with("s.toml:3:11: harness in a suite without a bench target")
        );
        assert!(wrong("name =", "bin = \"x\"\nname =").contains("bench beside bin"));
        assert!(wrong("name =", "workload = \"build\"\nname =").contains("measures something else"));
        assert!(wrong("\"criterion\"", "\"criterio\"").contains("unknown variant `criterio`"));
    }

    #[test]
    fn what_does_not_belong_together_is_said() {
        assert!(fault("shape = \"pyo3\"\n", "").contains("arm \"pyo3\" has no shape"));
        assert!(
            fault("shape = \"pyo3\"", "shape = \"pyo\"").starts_with("s.toml:14:9: unknown variant `pyo`")
        );
        assert!(
            fault("shape = \"pyo3\"\nflagset = \"x86-64\"", "shape = \"pyo3\"").contains("has no flag set")
        );
        assert!(fault("library = \"l\"\n", "").contains("nothing says what to build for arm \"pyo3\""));
        assert!(fault("library = \"ours\"\n", "").contains("arm \"ours\" names no library"));
        assert!(
            fault("source = \"a.c\"", "source = \"a.c\"\nfile = \"b\"").contains("both a source and a file")
        );
        assert!(
            fault("shape = \"pure\"", "shape = \"pure\"\nflagset = \"x86-64\"")
                .contains("a flag set for what Cargo does not build")
        );
        assert!(fault("baseline", "flagsets = [\"x86-64\"]\nbaseline").contains("flagsets in an ffi suite"));
        assert!(fault("workload = \"ffi\"\n", "bin = \"b\"\n").contains("belong to ffi suites"));
    }
}
