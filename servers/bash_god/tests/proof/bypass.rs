//! Every command of the corpora is really run: in the sandbox nothing of the canaries may change, without it they
//! must.

use std::collections::BTreeMap;
use std::fs;

use crate::INSIDE;
use crate::corpus::{Case, parse};
use crate::inside::{Finding, View, is_present};
use crate::namespaces::{self, Etc};

const DANGEROUS: &str = include_str!("../corpus/dangerous.tsv");
const ESCAPES: &str = include_str!("../corpus/escapes.tsv");

/// What this program said in the namespaces, or `None` with a line that says why nothing was run.
pub fn inside(how: &str, cases: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let given = folder.path().join("given");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("cases"), cases).unwrap();
    fs::copy(std::env::current_exe().unwrap(), given.join("proof")).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_bash-god-mcp"), given.join("bash-god-mcp")).unwrap();
    let program = ["/given/proof", INSIDE, how, "/given/cases"];
    match namespaces::output(&mut namespaces::command(folder.path(), &given, Etc::Own, &program)) {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(why) => {
            println!("skipped, nothing was executed: {why}");
            None
        }
    }
}

fn findings(how: &str, cases: &str) -> Option<Vec<Finding>> {
    Some(inside(how, cases)?.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn present(case: &Case) -> bool {
    case.programs.iter().all(|program| is_present(program))
}

fn described(cases: &[Case], finding: &Finding) -> String {
    let case = &cases[finding.case];
    format!("{:?} {} ({}): {:?}", finding.view, case.command, finding.end, finding.effects)
}

/// Whatever a policy allows: the sandbox alone has to hold.
pub fn nothing_leaves_the_sandbox() {
    let text = format!("{DANGEROUS}\n{ESCAPES}");
    assert!(parse(&text).len() >= 900, "{} commands", parse(&text).len());
    if let Some(findings) = findings("changing", &text) {
        assert!(findings.iter().any(|finding| finding.view == View::LandlockAlone));
        no_effects(&parse(&text), &findings);
    }
}

/// Nor does it where nothing may be changed, and where connections may be made.
pub fn nothing_leaves_the_sandbox_in_other_profiles() {
    if let Some(findings) = findings("profiles", ESCAPES) {
        no_effects(&parse(ESCAPES), &findings);
    }
}

/// Nor by way of the server, with a policy that allows everything and a person who agrees to everything. What is not
/// understood, or denied in any case, is refused.
pub fn nothing_leaves_the_server() {
    if let Some(findings) = findings("served", ESCAPES) {
        no_effects(&parse(ESCAPES), &findings);
    }
}

fn no_effects(cases: &[Case], findings: &[Finding]) {
    let mut counts: BTreeMap<View, BTreeMap<&str, usize>> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.view).or_default().entry(&finding.end).or_insert(0) += 1;
    }
    println!("{} commands: {counts:?}", cases.len());
    for (view, ends) in &counts {
        assert_eq!(ends.values().sum::<usize>(), cases.len(), "{view:?}: every case was run once");
        let exited = ends.get("Exited").copied().unwrap_or(0);
        assert!(exited >= 300, "{view:?}: too few commands came to their own end: {ends:?}");
    }
    let usual = ["Exited", "TimedOut", "Limits", "refused"];
    let bad: Vec<String> = findings
        .iter()
        .filter(|finding| !finding.effects.is_empty() || !usual.contains(&finding.end.as_str()))
        .map(|finding| described(cases, finding))
        .collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), findings.len(), bad.join("\n"));
}

/// The same look sees what the commands do where nothing holds them back.
pub fn without_the_sandbox_the_canaries_die() {
    let cases = parse(ESCAPES);
    assert!(cases.len() >= 300, "{} cases", cases.len());
    let Some(findings) = findings("plain", ESCAPES) else { return };
    assert_eq!(findings.len(), cases.len());
    let (with, without): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| !finding.effects.is_empty());
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &with {
        *classes.entry(&cases[finding.case].class).or_insert(0) += 1;
    }
    let absent = without.iter().filter(|finding| !present(&cases[finding.case])).count();
    println!("{} of {} commands have effects: {classes:?}; {absent} lack a program", with.len(), cases.len());
    let idle: Vec<String> = without
        .iter()
        .filter(|finding| present(&cases[finding.case]))
        .map(|finding| described(&cases, finding))
        .collect();
    assert!(idle.is_empty(), "{} would show no hole in the sandbox:\n{}", idle.len(), idle.join("\n"));
    assert!(with.len() >= 200, "too few to say anything: {}", with.len());
}
