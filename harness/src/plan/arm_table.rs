//! The arms of a suite file, and what each kind of suite demands of them.

use serde::Deserialize;
use toml::Spanned;

use crate::plan::suite::{Check, File};
use crate::plan::{Arm, BuildSettings, Ffi, Library, PlanError, Role, Shape, Source, Variant, Workload};

/// The module of the C source that comes with the lab.
const FLOOR: &str = "perflab_floor";

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
        if let (Workload::Ffi, Some(first)) = (parsed.workload, parsed.flagsets.first()) {
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
        Ok(arms)
    }

    fn arm(&self, parsed: &File, table: &ArmTable) -> Result<Arm, PlanError> {
        let variant = if parsed.workload == Workload::Ffi {
            self.library(parsed, table)?
        } else {
            self.program(parsed, table)?
        };
        Ok(Arm {
            name: table.name.as_ref().clone(),
            variant,
            role: Role::Candidate,
            injected: 0.0,
            build: table.build.clone(),
            args: table.args.as_ref().unwrap_or(&parsed.args).clone(),
        })
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
        let calls = parsed.workload == Workload::ToolCall;
        if !calls && (table.args.is_some() || table.bin.is_some()) {
            return Err(self
                .fault(table.name.span(), "bin and args of an arm belong to tool_call suites")
                .right("there an arm is a server; here the suite's bin is the subject of all arms"));
        }
        let flagset = self.flagset_of(table)?;
        let package = table.package.as_ref().or(parsed.package.as_ref());
        let (Some(package), Some(bin)) = (package, table.bin.as_ref().or(parsed.bin.as_ref())) else {
            return Err(self
                .fault(parsed.baseline.span(), "the suite does not say what to build")
                .right("package = \"NAME\" and bin = \"NAME\" name a binary target"));
        };
        Ok(variant(parsed, table, package, bin, flagset, None))
    }

    /// The variant of a suite whose subjects are libraries.
    fn library(&self, parsed: &File, table: &ArmTable) -> Result<Variant, PlanError> {
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
        let ffi = Some(Ffi { shape, library: library.clone() });
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
            return Ok(variant(parsed, table, "", module, String::new(), ffi));
        }
        let flagset = self.flagset_of(table)?;
        let package = table.package.as_ref().or(parsed.package.as_ref());
        let (Some(package), Some(library)) = (package, table.library.as_ref().or(parsed.library.as_ref()))
        else {
            return Err(self
                .fault(
                    table.name.span(),
                    format!("nothing says what to build for arm \"{}\"", table.name.as_ref()),
                )
                .right("package = \"NAME\" and library = \"NAME\" name a cdylib target"));
        };
        Ok(variant(parsed, table, package, library, flagset, ffi))
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

fn variant(
    parsed: &File,
    table: &ArmTable,
    package: &str,
    bin: &str,
    flagset: String,
    ffi: Option<Ffi>,
) -> Variant {
    Variant {
        package: package.to_owned(),
        bin: bin.to_owned(),
        features: table.features.clone(),
        default_features: table.default_features.unwrap_or(true),
        flagset,
        profile: table.profile.as_ref().unwrap_or(&parsed.profile).clone(),
        source: Source::Worktree,
        ffi,
        command: Vec::new(),
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
        assert_eq!((suite.workload, suite.python.as_str()), (Workload::Ffi, "python3.12"));
        let told: Vec<_> = suite
            .arms
            .iter()
            .map(|arm| (arm.variant.bin.as_str(), arm.variant.ffi.clone().unwrap().library))
            .collect();
        assert_eq!(
            told,
            [
                ("perflab_floor", Library::Floor),
                ("l", Library::Cdylib),
                ("pure", Library::Nothing),
                ("ours", Library::Source("a.c".into())),
            ]
        );
        assert!(!suite.arms[1].variant.default_features && suite.arms[0].variant.default_features);
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
