//! The rows that a suite names, and what each of them measures.

use serde::Deserialize;
use toml::Spanned;

use crate::plan::suite::{Check, File};
use crate::plan::{Arm, Benchmark, Built, Measure, PlanError, Unit};

/// A row of the suite.
///
/// ```toml
/// [[benchmark]]
/// name = "clean build"       # as tables show it; in kernel and ffi suites the subject's own name
/// measure = "clean_build"    # time, clean_build, rebuild, file_size, memory: what the kind of workload has
/// unit = "ns"                # ns or B; may be left out, since a measure has one unit
/// ```
///
/// `benchmarks = ["NAME", …]` is the short form for rows whose measure needs no word. The rows of a `tool_call` suite
/// are its calls; `measures = ["p50", "p99"]` in a `[[call]]` names their quantiles.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenchmarkTable {
    name: Spanned<String>,
    measure: Option<Spanned<Measure>>,
    unit: Option<Spanned<Unit>>,
}

impl Check<'_> {
    /// The names that the suite asks for, and the rows that are known before anything was started.
    pub(crate) fn rows(
        &self,
        parsed: &File,
        arms: &[Arm],
    ) -> Result<(Vec<String>, Vec<Benchmark>), PlanError> {
        let workload = &arms[0].workload;
        let Some(first) = parsed.rows.first() else {
            return Ok((parsed.benchmarks.clone(), workload.rows()));
        };
        if !parsed.benchmarks.is_empty() {
            return Err(self
                .fault(first.span(), "both benchmarks = [...] and [[benchmark]] tables")
                .right("write every row as a table, or every row as a name"));
        }
        let measures = parsed.workload.traits().measures;
        if measures.is_empty() {
            return Err(self
                .fault(first.span(), "a [[benchmark]] in a suite whose rows are its calls")
                .right("measures = [\"p50\", \"p99\"] in a [[call]] names the quantiles that are measured"));
        }
        let mut rows: Vec<Benchmark> = Vec::new();
        for table in &parsed.rows {
            let row = self.row(table.as_ref(), measures)?;
            if rows.iter().any(|earlier| earlier.name == row.name) {
                let wrong = format!("a second benchmark \"{}\"", row.name);
                return Err(self.fault(table.as_ref().name.span(), wrong));
            }
            // Whether a call of a subject takes long is for the subject to say.
            let long = parsed.workload.traits().built != Built::Once;
            rows.push(Benchmark { long, ..row });
        }
        Ok((rows.iter().map(|row| row.name.clone()).collect(), rows))
    }

    fn row(&self, table: &BenchmarkTable, measures: &[Measure]) -> Result<Benchmark, PlanError> {
        let name = table.name.as_ref();
        let known = || {
            let known = measures.iter().map(|measure| format!("measure = \"{measure}\""));
            known.collect::<Vec<_>>().join(" or ")
        };
        let measure = match (&table.measure, measures) {
            (Some(measure), _) if measures.contains(measure.as_ref()) => *measure.as_ref(),
            (Some(measure), _) => {
                let wrong = format!("a suite of this workload cannot measure {}", measure.as_ref());
                return Err(self.fault(measure.span(), wrong).right(known()));
            }
            (None, [only]) => *only,
            (None, _) => {
                let wrong = format!("benchmark \"{name}\" does not say what it measures");
                return Err(self.fault(table.name.span(), wrong).right(known()));
            }
        };
        match &table.unit {
            Some(unit) if *unit.as_ref() != measure.unit() => {
                let wrong = format!("unit = \"{}\" for {measure}", unit.as_ref().symbol());
                let right = format!("{measure} is measured in {}", measure.unit().symbol());
                Err(self.fault(unit.span(), wrong).right(right))
            }
            _ => Ok(Benchmark::of(name, measure)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FlagSet, FlagSets, Suite, parse_suite};

    const BUILD: &str = r#"name = "s"
workload = "build"
package = "p"
bin = "b"
baseline = "x86-64"
flagsets = ["x86-64"]

[[benchmark]]
name = "from nothing"
measure = "clean_build"
unit = "ns"

[[benchmark]]
name = "size"
measure = "file_size"

[budget]
quick = { launches = 4 }
full = { launches = 8 }
"#;

    fn parsed(text: &str) -> Result<Suite, PlanError> {
        let flags = "[build]\ntarget = \"t\"\n[target.t]\nrustflags = []\n";
        let sets = FlagSets([("x86-64".to_owned(), FlagSet::parse("x86-64", "f", flags).unwrap())].into());
        parse_suite("s.toml", text, &sets)
    }

    fn fault(from: &str, to: &str) -> String {
        assert!(BUILD.contains(from));
        parsed(&BUILD.replacen(from, to, 1)).unwrap_err().to_string()
    }

    fn rows(suite: &Suite) -> Vec<(String, Measure, Unit)> {
        let plan = suite.plan(&[], suite.quick, 1).unwrap();
        plan.benchmarks.into_iter().map(|row| (row.name, row.measure, row.unit)).collect()
    }

    #[test]
    fn a_suite_says_what_its_rows_measure() {
        let suite = parsed(BUILD).unwrap();
        assert_eq!(suite.benchmarks, ["from nothing", "size"]);
        assert_eq!(
            rows(&suite),
            [
                ("from nothing".to_owned(), Measure::CleanBuild, Unit::Nanos),
                ("size".to_owned(), Measure::FileSize, Unit::Bytes)
            ]
        );
    }

    #[test]
    fn a_suite_that_names_no_rows_has_those_of_its_workload() {
        let (head, rest) = BUILD.split_once("[[benchmark]]").unwrap();
        let suite = parsed(&format!("{head}{}", &rest[rest.find("[budget]").unwrap()..])).unwrap();
        assert_eq!(suite.benchmarks, [""; 0]);
        let measures: Vec<_> = rows(&suite).into_iter().map(|(_, measure, _)| measure).collect();
        assert_eq!(measures, [Measure::CleanBuild, Measure::Rebuild, Measure::FileSize, Measure::Memory]);
    }

    #[test]
    fn what_a_row_cannot_measure_is_said_with_its_place() {
        let said = fault("\"clean_build\"", "\"p99\"");
        assert!(said.starts_with("s.toml:10:11: a suite of this workload cannot measure p99"), "{said}");
        assert!(said.contains("measure = \"rebuild\""), "{said}");
        let said = fault("\"clean_build\"", "\"clean\"");
        assert!(said.starts_with("s.toml:10:11: unknown measure \"clean\"; known: time, "), "{said}");
        assert!(
            fault("unit = \"ns\"", "unit = \"B\"").starts_with("s.toml:11:8: unit = \"B\" for clean_build")
        );
        assert!(fault("unit = \"ns\"", "unit = \"kB\"").starts_with("s.toml:11:8: unknown variant `kB`"));
        let said = fault("measure = \"file_size\"\n", "");
        assert!(said.starts_with("s.toml:14:8: benchmark \"size\" does not say what it measures"), "{said}");
        assert!(fault("\"size\"", "\"from nothing\"").starts_with("s.toml:14:8: a second benchmark"));
        let said = fault("flagsets", "benchmarks = [\"size\"]\nflagsets");
        assert!(said.starts_with("s.toml:9:1: both benchmarks"), "{said}");
    }

    #[test]
    fn the_rows_of_calls_stand_with_the_calls() {
        let text = BUILD.replace("\"build\"", "\"tool_call\"");
        let call = "[[call]]\nname = \"echo\"\ntool = \"echo\"\nmeasures = [\"p50\", \"p99.9\"]\n";
        let said = parsed(&format!("{text}{call}")).unwrap_err().to_string();
        assert!(
            said.starts_with("s.toml:8:1: a [[benchmark]] in a suite whose rows are its calls"),
            "{said}"
        );
        let (head, rest) = text.split_once("[[benchmark]]").unwrap();
        let calls = format!("{head}{}{call}", &rest[rest.find("[budget]").unwrap()..]);
        let names: Vec<_> = rows(&parsed(&calls).unwrap()).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["echo", "echo/p99.9"]);
        let wrong = |from: &str, to: &str| {
            assert!(calls.contains(from));
            parsed(&calls.replacen(from, to, 1)).unwrap_err().to_string()
        };
        assert!(wrong("\"p99.9\"", "\"time\"").contains("time is not a quantile"));
        assert!(wrong("\"p99.9\"", "\"p50\"").contains("p50 twice"));
        assert!(wrong("[\"p50\", \"p99.9\"]", "[]").contains("call \"echo\" measures nothing"));
        let twice = format!("{calls}[[call]]\nname = \"echo/p99.9\"\ntool = \"t\"\n");
        assert!(parsed(&twice).unwrap_err().to_string().contains("two rows \"echo/p99.9\""));
    }
}
