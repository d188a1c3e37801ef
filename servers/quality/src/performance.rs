//! The verdict of a record of the performance lab, repeated: `gate.json` of a gate, else `verdicts.json` of a run. The
//! files are read as the formats that the lab documents; nothing of the lab is linked, and nothing is judged again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most bytes of such a file.
pub const LARGEST: u64 = 256 << 20;

/// The files of a record, the one that says more first.
pub const FILES: [&str; 2] = ["gate.json", "verdicts.json"];

/// What a record says of performance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Nothing became slower or larger.
    Holds,
    /// Something did.
    Regressed,
    /// It cannot tell.
    Undecided,
}

/// A record's verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Performance {
    /// What it says.
    pub said: Said,
    /// The file that it was read from.
    pub file: &'static str,
    /// How many rows have which verdict, by the record's own words.
    pub rows: BTreeMap<String, u64>,
    /// The rows that regressed, at most ten.
    pub regressed: Vec<String>,
    /// What was measured: the commit or its name, where the record says so.
    pub of: Option<String>,
    /// Why it cannot tell, where it cannot.
    pub why: Option<String>,
}

#[derive(Deserialize)]
struct Gate {
    schema: u64,
    against_name: Option<String>,
    candidate: Option<Commit>,
    stopped: Option<bool>,
    report: Report,
}

#[derive(Deserialize)]
struct Commit {
    hash: String,
}

#[derive(Deserialize)]
struct Report {
    rows: Vec<JudgedRow>,
    /// All rows in one word.
    fold: String,
}

#[derive(Deserialize)]
struct Verdicts {
    judgement: Judgement,
}

#[derive(Deserialize)]
struct Judgement {
    rows: Vec<JudgedRow>,
    #[serde(default)]
    controls: Vec<Control>,
}

#[derive(Deserialize)]
struct JudgedRow {
    benchmark: String,
    arm: String,
    verdict: String,
}

#[derive(Deserialize)]
struct Control {
    voids: bool,
}

/// Reads the text of one of the [`FILES`].
///
/// # Errors
/// One sentence: it is malformed, or of another version.
pub fn read(file: &'static str, text: &[u8]) -> Result<Performance, String> {
    let malformed = |error: serde_json::Error| format!("the record's {file} cannot be read: {error}");
    match file {
        "gate.json" => gate(serde_json::from_slice(text).map_err(malformed)?),
        _ => Ok(verdicts(&serde_json::from_slice(text).map_err(malformed)?)),
    }
}

fn gate(gate: Gate) -> Result<Performance, String> {
    if gate.schema != 1 {
        return Err(format!("the record's gate.json has version {}, and version 1 is read", gate.schema));
    }
    let of = gate.candidate.map(|commit| commit.hash).or(gate.against_name);
    let mut performance = of_rows("gate.json", &rows(&gate.report.rows), of);
    // Its own word for all rows holds, whatever the rows look like.
    (performance.said, performance.why) = match gate.report.fold.as_str() {
        "passes" if gate.stopped == Some(true) => (Said::Undecided, Some("the gate was stopped".to_owned())),
        "passes" => (Said::Holds, None),
        "regressed" => (Said::Regressed, None),
        other => (Said::Undecided, Some(format!("the gate's own answer is `{other}`"))),
    };
    Ok(performance)
}

/// Name and verdict of each row.
fn rows(rows: &[JudgedRow]) -> Vec<(String, String)> {
    rows.iter().map(|row| (format!("{} ({})", row.benchmark, row.arm), row.verdict.clone())).collect()
}

fn verdicts(verdicts: &Verdicts) -> Performance {
    let judgement = &verdicts.judgement;
    let mut performance = of_rows("verdicts.json", &rows(&judgement.rows), None);
    if judgement.controls.iter().any(|control| control.voids) {
        performance.said = Said::Undecided;
        performance.why = Some("its own control voids the record".to_owned());
    }
    performance
}

fn of_rows(file: &'static str, rows: &[(String, String)], of: Option<String>) -> Performance {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, verdict) in rows {
        *counts.entry(verdict.clone()).or_default() += 1;
    }
    let is_worse = |verdict: &str| matches!(verdict, "regressed" | "failed");
    let is_fine = |verdict: &str| matches!(verdict, "improved" | "no_change" | "passed" | "identical");
    let regressed: Vec<String> =
        rows.iter().filter(|(_, verdict)| is_worse(verdict)).map(|(name, _)| name.clone()).collect();
    let open = rows.iter().filter(|(_, verdict)| !is_worse(verdict) && !is_fine(verdict)).count();
    let (said, why) = match (rows.len(), regressed.len(), open) {
        (0, ..) => (Said::Undecided, Some("it compares nothing".to_owned())),
        (_, 0, 0) => (Said::Holds, None),
        (_, 0, open) => (Said::Undecided, Some(format!("{open} of its {} rows are not decided", rows.len()))),
        _ => (Said::Regressed, None),
    };
    let regressed = regressed.into_iter().take(10).collect();
    Performance { said, file, rows: counts, regressed, of, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(file: &'static str, text: &str) -> Performance {
        read(file, text.as_bytes()).unwrap()
    }

    #[test]
    fn the_verdicts_of_a_run_are_repeated() {
        let row =
            |verdict: &str| format!(r#"{{"benchmark": "b/{verdict}", "arm": "v4", "verdict": "{verdict}"}}"#);
        let of = |rows: &[&str], voids: bool| {
            let rows: Vec<String> = rows.iter().map(|verdict| row(verdict)).collect();
            said(
                "verdicts.json",
                &format!(
                    r#"{{"judgement": {{"rows": [{}], "controls": [{{"voids": {voids}}}]}}}}"#,
                    rows.join(",")
                ),
            )
        };
        assert_eq!(of(&["improved", "no_change"], false).said, Said::Holds);
        let regressed = of(&["improved", "regressed", "inconclusive"], false);
        assert_eq!(
            (regressed.said, regressed.regressed.as_slice()),
            (Said::Regressed, &["b/regressed (v4)".to_owned()][..])
        );
        assert_eq!(regressed.rows["improved"], 1);
        let open = of(&["no_change", "inconclusive"], false);
        assert_eq!(
            (open.said, open.why.as_deref()),
            (Said::Undecided, Some("1 of its 2 rows are not decided"))
        );
        assert_eq!(of(&["no_change"], true).said, Said::Undecided);
        assert_eq!(of(&[], false).said, Said::Undecided);
    }

    #[test]
    fn the_word_of_a_gate_is_repeated() {
        let of = |fold: &str, stopped: bool| {
            said(
                "gate.json",
                &format!(
                    r#"{{"schema": 1, "against_name": "main", "candidate": {{"hash": "abc", "changed": 0}}, "stopped": {stopped},
                    "report": {{"rows": [{{"benchmark": "b", "arm": "v3", "verdict": "passed", "why": ""}}], "void": [],
                    "fold": "{fold}"}}}}"#
                ),
            )
        };
        assert_eq!((of("passes", false).said, of("passes", false).of.as_deref()), (Said::Holds, Some("abc")));
        assert_eq!(of("passes", true).said, Said::Undecided);
        assert_eq!(of("regressed", false).said, Said::Regressed);
        assert_eq!(of("broken", false).said, Said::Undecided);
    }

    #[test]
    fn what_is_malformed_is_said() {
        for (file, text, part) in [
            ("verdicts.json", "{}", "judgement"),
            ("gate.json", r#"{"schema": 9, "report": {"rows": [], "fold": "passes"}}"#, "version 9"),
            ("gate.json", "[", "cannot be read"),
        ] {
            let error = read(file, text.as_bytes()).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
