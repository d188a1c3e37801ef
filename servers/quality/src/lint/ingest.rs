//! Reports of other tools: SARIF 2.1.0, and the JSON of clippy, ruff and eslint. Only the members that a finding
//! consists of are read.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value;

use crate::lint::{Finding, Severity};

/// The most bytes of a report.
pub const LARGEST: u64 = 256 << 20;

/// The most findings of a report.
const MOST: usize = 200_000;

/// A report that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ingested {
    /// What wrote it.
    pub format: &'static str,
    /// What it found.
    pub findings: Vec<Finding>,
    /// Results without a place, which concern no file.
    pub without_place: usize,
}

/// Reads a report of any of the formats, known by its content.
///
/// # Errors
/// One clause: it is none of them, malformed, or has too many findings.
pub fn read(input: impl BufRead) -> Result<Ingested, String> {
    let mut text = Vec::new();
    let count = input
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|error| format!("cannot be read ({error})"))?;
    if count as u64 > LARGEST {
        return Err(format!("has more than {} MiB", LARGEST >> 20));
    }
    let text = std::str::from_utf8(&text).map_err(|_| "is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let ingested = match text.as_bytes().first() {
        Some(b'[') => list(text)?,
        Some(b'{') => object(text)?,
        _ => return Err(UNKNOWN.to_owned()),
    };
    if ingested.findings.len() > MOST {
        return Err(format!("has more than {MOST} findings"));
    }
    Ok(ingested)
}

const UNKNOWN: &str = "is not a report of findings: give SARIF 2.1.0, or the JSON of clippy (--message-format json), ruff \
                       (--output-format json) or eslint (--format json)";

/// Ruff and eslint write lists.
fn list(text: &str) -> Result<Ingested, String> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(|error| format!("is malformed ({error})"))?;
    let Some(first) = values.first() else {
        return Ok(Ingested { format: "list", ..Ingested::default() });
    };
    if first.get("filePath").is_some() && first.get("messages").is_some() {
        return eslint(values);
    }
    if first.get("filename").is_some() && first.get("code").is_some() {
        return ruff(values);
    }
    Err(UNKNOWN.to_owned())
}

/// SARIF is one object, and Cargo writes one a line.
fn object(text: &str) -> Result<Ingested, String> {
    let first = text.lines().next().unwrap_or_default();
    let is_cargo =
        |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.get("reason").is_some());
    if is_cargo(first) {
        return clippy(text);
    }
    let log: Sarif = serde_json::from_str(text).map_err(|error| format!("is not SARIF ({error})"))?;
    if !log.version.starts_with("2.") {
        return Err(format!("is SARIF {}: 2.1.0 is read", log.version));
    }
    Ok(sarif(log))
}

#[derive(Deserialize)]
struct Sarif {
    version: String,
    runs: Vec<SarifRun>,
}

#[derive(Deserialize)]
struct SarifRun {
    tool: SarifTool,
    #[serde(default)]
    results: Option<Vec<SarifResult>>,
}

#[derive(Deserialize)]
struct SarifTool {
    driver: SarifDriver,
}

#[derive(Deserialize)]
struct SarifDriver {
    name: String,
    #[serde(default)]
    rules: Vec<SarifRule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifRule {
    #[serde(default)]
    id: String,
    default_configuration: Option<SarifConfiguration>,
}

#[derive(Deserialize)]
struct SarifConfiguration {
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    level: Option<String>,
    kind: Option<String>,
    message: SarifMessage,
    #[serde(default)]
    locations: Vec<SarifLocation>,
    #[serde(default)]
    suppressions: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct SarifMessage {
    text: Option<String>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifLocation {
    physical_location: Option<SarifPhysical>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifPhysical {
    artifact_location: Option<SarifArtifact>,
    region: Option<SarifRegion>,
}

#[derive(Deserialize)]
struct SarifArtifact {
    uri: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SarifRegion {
    start_line: Option<u32>,
    start_column: Option<u32>,
}

fn sarif(log: Sarif) -> Ingested {
    let mut ingested = Ingested { format: "sarif", ..Ingested::default() };
    for run in log.runs {
        let driver = run.tool.driver;
        for result in run.results.unwrap_or_default() {
            // What was accepted, and what says that all is well, is not a finding.
            let is_fine = matches!(result.kind.as_deref(), Some("pass" | "notApplicable" | "informational"));
            if is_fine || result.suppressions.is_some_and(|suppressions| !suppressions.is_empty()) {
                continue;
            }
            let rule = result
                .rule_index
                .and_then(|index| driver.rules.get(usize::try_from(index).ok()?))
                .or_else(|| driver.rules.iter().find(|rule| Some(&rule.id) == result.rule_id.as_ref()));
            let level = result
                .level
                .or_else(|| rule.and_then(|rule| rule.default_configuration.as_ref()?.level.clone()));
            let name = result.rule_id.or_else(|| rule.map(|rule| rule.id.clone())).unwrap_or_default();
            let message = result.message.text.or(result.message.id).unwrap_or_default();
            let place = result.locations.into_iter().find_map(|location| location.physical_location);
            let path = place.as_ref().and_then(|place| place.artifact_location.as_ref()?.uri.clone());
            let Some(path) = path else {
                ingested.without_place += 1;
                continue;
            };
            let region = place.and_then(|place| place.region).unwrap_or_default();
            ingested.findings.push(Finding {
                path: of_uri(&path),
                line: region.start_line.unwrap_or_default(),
                column: region.start_column.unwrap_or_default(),
                rule: name,
                severity: severity(level.as_deref().unwrap_or("warning")),
                message: first_line(&message),
                tool: driver.name.clone(),
            });
        }
    }
    ingested
}

/// The path of a URI: without `file://`, and with `%20` and its like resolved.
fn of_uri(uri: &str) -> String {
    let path = uri.strip_prefix("file://").map_or(uri, |rest| &rest[rest.find('/').unwrap_or(0)..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *byte == b'%')
            .and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn severity(level: &str) -> Severity {
    match level {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => Severity::Note,
    }
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(500).collect()
}

#[derive(Deserialize)]
struct CargoMessage {
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    message: String,
    code: Option<Code>,
    level: String,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

fn clippy(text: &str) -> Result<Ingested, String> {
    let mut ingested = Ingested { format: "clippy", ..Ingested::default() };
    for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with('{')) {
        let message: CargoMessage = serde_json::from_str(line)
            .map_err(|error| format!("has a line {} that is malformed ({error})", number + 1))?;
        let Some(diagnostic) = message.message else { continue };
        let Some(span) = diagnostic.spans.iter().find(|span| span.is_primary) else {
            // Sums such as "3 warnings emitted" have no place and no code.
            ingested.without_place += usize::from(diagnostic.code.is_some());
            continue;
        };
        let rule = diagnostic.code.map_or_else(|| "rustc".to_owned(), |code| code.code);
        let tool = if rule.starts_with("clippy::") { "clippy" } else { "rustc" };
        ingested.findings.push(Finding {
            path: span.file_name.clone(),
            line: span.line_start,
            column: span.column_start,
            rule,
            severity: severity(&diagnostic.level),
            message: first_line(&diagnostic.message),
            tool: tool.to_owned(),
        });
    }
    // One that is made for the library and its tests is said twice.
    ingested.findings.sort();
    ingested.findings.dedup();
    Ok(ingested)
}

#[derive(Deserialize)]
struct Ruff {
    filename: String,
    /// Absent where the file does not parse.
    code: Option<String>,
    message: String,
    location: Option<RuffPlace>,
}

#[derive(Deserialize)]
struct RuffPlace {
    row: u32,
    column: u32,
}

fn ruff(values: Vec<Value>) -> Result<Ingested, String> {
    let mut ingested = Ingested { format: "ruff", ..Ingested::default() };
    for value in values {
        let found: Ruff =
            serde_json::from_value(value).map_err(|error| format!("is not ruff's ({error})"))?;
        let place = found.location.unwrap_or(RuffPlace { row: 0, column: 0 });
        let severity = if found.code.is_none() { Severity::Error } else { Severity::Warning };
        ingested.findings.push(Finding {
            path: found.filename,
            line: place.row,
            column: place.column,
            rule: found.code.unwrap_or_else(|| "syntax-error".to_owned()),
            severity,
            message: first_line(&found.message),
            tool: "ruff".to_owned(),
        });
    }
    Ok(ingested)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EslintFile {
    file_path: String,
    messages: Vec<EslintMessage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EslintMessage {
    /// Absent where the file does not parse.
    rule_id: Option<String>,
    severity: u8,
    message: String,
    line: Option<u32>,
    column: Option<u32>,
}

fn eslint(values: Vec<Value>) -> Result<Ingested, String> {
    let mut ingested = Ingested { format: "eslint", ..Ingested::default() };
    for value in values {
        let file: EslintFile =
            serde_json::from_value(value).map_err(|error| format!("is not eslint's ({error})"))?;
        for message in file.messages {
            ingested.findings.push(Finding {
                path: file.file_path.clone(),
                line: message.line.unwrap_or_default(),
                column: message.column.unwrap_or_default(),
                rule: message.rule_id.unwrap_or_else(|| "parse-error".to_owned()),
                severity: if message.severity >= 2 { Severity::Error } else { Severity::Warning },
                message: first_line(&message.message),
                tool: "eslint".to_owned(),
            });
        }
    }
    Ok(ingested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Ingested, String> {
        read(text.as_bytes())
    }

    fn rows(ingested: &Ingested) -> Vec<(&str, u32, &str, Severity, &str)> {
        let row = |finding: &'_ Finding| (finding.line, finding.severity);
        ingested
            .findings
            .iter()
            .map(|finding| {
                let (line, severity) = row(finding);
                (finding.path.as_str(), line, finding.rule.as_str(), severity, finding.tool.as_str())
            })
            .collect()
    }

    #[test]
    fn sarif_is_read_with_the_levels_of_its_rules() {
        let ingested = of(r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": [
            {"id": "a", "defaultConfiguration": {"level": "error"}}, {"id": "b"}]}}, "results": [
            {"ruleId": "a", "message": {"text": "x\ny"}, "locations": [{"physicalLocation": {"artifactLocation":
             {"uri": "file:///p/a%20b.rs"}, "region": {"startLine": 3, "startColumn": 2}}}]},
            {"ruleIndex": 1, "level": "note", "message": {"id": "m"}, "locations": [{"physicalLocation":
             {"artifactLocation": {"uri": "c.rs"}}}]},
            {"ruleId": "a", "message": {"text": "z"}, "suppressions": [{"kind": "inSource"}], "locations": []},
            {"ruleId": "a", "kind": "pass", "message": {"text": "z"}},
            {"ruleId": "b", "message": {"text": "nowhere"}}]}]}"#)
        .unwrap();
        assert_eq!(
            rows(&ingested),
            [("/p/a b.rs", 3, "a", Severity::Error, "t"), ("c.rs", 0, "b", Severity::Note, "t")]
        );
        assert_eq!((ingested.without_place, ingested.findings[0].message.as_str()), (1, "x"));
    }

    #[test]
    fn clippy_ruff_and_eslint_are_read() {
        let clippy = "{\"reason\":\"compiler-artifact\",\"target\":{}}\n\
            {\"reason\":\"compiler-message\",\"message\":{\"message\":\"m\",\"code\":{\"code\":\"clippy::x\"},\"level\":\"warning\",\
            \"spans\":[{\"file_name\":\"src/a.rs\",\"line_start\":2,\"column_start\":3,\"is_primary\":true}]}}\n\
            {\"reason\":\"compiler-message\",\"message\":{\"message\":\"m\",\"code\":{\"code\":\"clippy::x\"},\"level\":\"warning\",\
            \"spans\":[{\"file_name\":\"src/a.rs\",\"line_start\":2,\"column_start\":3,\"is_primary\":true}]}}\n\
            {\"reason\":\"compiler-message\",\"message\":{\"message\":\"1 warning emitted\",\"code\":null,\"level\":\"warning\",\"spans\":[]}}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        let clippy = of(clippy).unwrap();
        assert_eq!(rows(&clippy), [("src/a.rs", 2, "clippy::x", Severity::Warning, "clippy")]);
        let ruff = of(r#"[{"filename": "/p/a.py", "code": "F401", "message": "m", "location": {"row": 1, "column": 8},
            "end_location": {"row": 1, "column": 9}, "fix": null, "url": "u"},
            {"filename": "/p/b.py", "code": null, "message": "SyntaxError", "location": {"row": 2, "column": 1}}]"#)
        .unwrap();
        assert_eq!(
            rows(&ruff),
            [
                ("/p/a.py", 1, "F401", Severity::Warning, "ruff"),
                ("/p/b.py", 2, "syntax-error", Severity::Error, "ruff")
            ]
        );
        let eslint =
            of(r#"[{"filePath": "/p/a.js", "messages": [{"ruleId": "eqeqeq", "severity": 2, "message": "m",
            "line": 4, "column": 5}, {"ruleId": null, "severity": 1, "message": "p"}], "errorCount": 1}]"#)
            .unwrap();
        assert_eq!(
            rows(&eslint),
            [
                ("/p/a.js", 4, "eqeqeq", Severity::Error, "eslint"),
                ("/p/a.js", 0, "parse-error", Severity::Warning, "eslint")
            ]
        );
        assert!(of("[]").unwrap().findings.is_empty());
    }

    #[test]
    fn what_is_no_report_is_refused() {
        for (text, part) in [
            ("", "is not a report of findings"),
            ("<a/>", "is not a report of findings"),
            ("[1]", "is not a report of findings"),
            ("[{\"a\": 1}]", "is not a report of findings"),
            ("{\"a\": 1}", "is not SARIF"),
            ("{\"version\": \"1.0.0\", \"runs\": []}", "is SARIF 1.0.0"),
            ("{\"version\": \"2.1.0\", \"runs\": [", "is not SARIF"),
            ("[{\"filename\": \"a\", \"code\": 1, \"message\": 2}]", "is not ruff's"),
            ("{\"reason\":\"x\"}\n{\"reason\"\n", "line 2"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(read(&b"[\xff]"[..]).unwrap_err().contains("not UTF-8"));
        assert!(of(&"[".repeat(100_000)).is_err());
    }
}
