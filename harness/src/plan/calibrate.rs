//! What a suite says of its calibration: which code shows how much wide vectors slow what runs after them.

use serde::Deserialize;
use toml::Spanned;

use crate::plan::suite::Check;
use crate::plan::{Arm, PlanError};

/// `[calibrate.crosstalk]`: the arms and benchmarks of the crosstalk experiment. Each list is in order of
/// preference, since a CPU may lack an arm's features, and a calibration may leave benchmarks out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrosstalkSettings {
    /// Arms with wide vectors, the widest first.
    pub arms: Vec<String>,
    /// Benchmarks whose code is wide in those arms.
    pub wide: Vec<String>,
    /// Benchmarks whose code is scalar in the baseline.
    pub scalar: Vec<String>,
}

/// `[calibrate]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CalibrateTable {
    crosstalk: Option<CrosstalkTable>,
}

/// `[calibrate.crosstalk]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrosstalkTable {
    arms: Vec<Spanned<String>>,
    wide: Spanned<Vec<String>>,
    scalar: Spanned<Vec<String>>,
}

impl Check<'_> {
    /// Checks the table against the suite's arms; its benchmarks are known to the subject alone.
    pub(crate) fn crosstalk(
        &self,
        table: CalibrateTable,
        arms: &[Arm],
    ) -> Result<Option<CrosstalkSettings>, PlanError> {
        let Some(table) = table.crosstalk else { return Ok(None) };
        let known: Vec<_> = arms.iter().map(|arm| arm.name.as_str()).collect();
        for name in &table.arms {
            if !known.contains(&name.as_ref().as_str()) {
                return Err(self.fault(name.span(), "").unknown("arm", name.as_ref(), &known));
            }
        }
        for benchmarks in [&table.wide, &table.scalar] {
            if benchmarks.as_ref().is_empty() {
                return Err(self
                    .fault(benchmarks.span(), "no benchmark")
                    .right("name at least one; the first that is measured is taken"));
            }
        }
        Ok(Some(CrosstalkSettings {
            arms: table.arms.into_iter().map(Spanned::into_inner).collect(),
            wide: table.wide.into_inner(),
            scalar: table.scalar.into_inner(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{FlagSets, Suite, parse_suite};

    /// A suite that ends with this table, whose header stands in line 8.
    fn suite(table: &str) -> Result<Suite, String> {
        let text = format!(
            "name = \"s\"\npackage = \"p\"\nbin = \"b\"\nbaseline = \"x86-64\"\nflagsets = [\"x86-64\", \"znver4\"]\n\
             budget.quick = {{ launches = 1 }}\nbudget.full = {{ launches = 1 }}\n{table}"
        );
        parse_suite("s.toml", &text, &FlagSets::built_in().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_suite_names_the_code_of_the_crosstalk() {
        let table =
            "[calibrate.crosstalk]\narms = [\"znver4\"]\nwide = [\"dot\", \"sum\"]\nscalar = [\"sort\"]\n";
        let crosstalk = suite(table).unwrap().crosstalk.unwrap();
        assert_eq!(crosstalk.arms, ["znver4"]);
        assert_eq!(
            (crosstalk.wide, crosstalk.scalar),
            (vec!["dot".into(), "sum".into()], vec!["sort".into()])
        );
        assert_eq!(suite("").unwrap().crosstalk, None);
    }

    #[test]
    fn its_faults_have_their_place() {
        let fault = |arms: &str, wide: &str| {
            let table = format!("[calibrate.crosstalk]\narms = {arms}\nwide = {wide}\nscalar = [\"sort\"]\n");
            suite(&table).unwrap_err()
        };
        assert!(fault("[\"znver5\"]", "[\"dot\"]").starts_with("s.toml:9:9: unknown arm \"znver5\""));
        assert!(fault("[]", "[]").starts_with("s.toml:10:8: no benchmark"), "{}", fault("[]", "[]"));
        assert!(suite("[calibrate]\ncross = 1\n").unwrap_err().contains("unknown field `cross`"));
    }
}
