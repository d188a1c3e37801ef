//! Cobertura (coverage-04.dtd) and JaCoCo (report.dtd 1.1). Both are told apart by their first element.

use std::io::BufRead;

use crate::coverage::read::ReadError;
use crate::coverage::report::{Count, Format, Report};
use crate::xml::{Element, Step, XmlError, walk};

/// Reads a report in XML.
pub(crate) fn read(input: impl BufRead) -> Result<Report, ReadError> {
    let mut reading = Reading { report: Report::new(Format::Cobertura), ..Reading::default() };
    let result = walk(input, |step| reading.step(&step));
    match result {
        Ok(()) => Ok(reading.report),
        Err(XmlError::Io(error)) if error.kind() != std::io::ErrorKind::InvalidData => {
            Err(ReadError::Io(error))
        }
        Err(error) => Err(ReadError::Malformed { format: reading.report.format, problem: error.to_string() }),
    }
}

struct Reading {
    report: Report,
    has_begun: bool,
    /// Cobertura: the file of the class; JaCoCo: of the source file.
    path: Option<String>,
    /// JaCoCo: the package, which is the directory.
    package: String,
    /// Whether the text is the name of a directory.
    in_source: bool,
    /// How deep the current element lies, the first being 1.
    depth: usize,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            report: Report::new(Format::Cobertura),
            has_begun: false,
            path: None,
            package: String::new(),
            in_source: false,
            depth: 0,
        }
    }
}

impl Reading {
    fn step(&mut self, step: &Step<'_>) -> Result<(), String> {
        match step {
            Step::Open(element) => {
                self.depth += 1;
                if !self.has_begun {
                    return self.begin(element);
                }
                match self.report.format {
                    Format::Jacoco => self.jacoco(element),
                    _ => self.cobertura(element),
                }
            }
            Step::Close(name) => {
                self.depth -= 1;
                match *name {
                    "class" | "sourcefile" => self.path = None,
                    "source" => self.in_source = false,
                    _ => {}
                }
                Ok(())
            }
            Step::Text(text) => {
                if self.in_source && !text.trim().is_empty() {
                    self.report.sources.push(text.trim().to_owned());
                }
                Ok(())
            }
        }
    }

    fn begin(&mut self, root: &Element<'_>) -> Result<(), String> {
        self.has_begun = true;
        match root.name() {
            "coverage" => {
                let stated = |name: &str| -> Result<Option<u64>, String> {
                    root.attribute(name)?.map_or(Ok(None), |_| root.number(name).map(Some))
                };
                if let (Some(found), Some(hit)) = (stated("lines-valid")?, stated("lines-covered")?) {
                    self.report.stated_lines = Some(Count { found, hit });
                }
                Ok(())
            }
            "report" => {
                self.report.format = Format::Jacoco;
                Ok(())
            }
            other => {
                Err(format!("begins with `{other}`: Cobertura begins with `coverage`, JaCoCo with `report`"))
            }
        }
    }

    fn cobertura(&mut self, element: &Element<'_>) -> Result<(), String> {
        match element.name() {
            "source" => self.in_source = true,
            "class" => {
                let path = element.needed("filename")?.into_owned();
                self.report.file(&path);
                self.path = Some(path);
            }
            "line" => {
                let Some(path) = &self.path else {
                    return Err("has a `line` outside of a `class`".to_owned());
                };
                let line = element.number("number")?;
                // Some tools write a count with a sign or beyond 64 bits.
                let hits = element.needed("hits")?;
                let is_hit =
                    is_positive(&hits).ok_or_else(|| format!("has a `line` whose `hits` is `{hits}`"))?;
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                let branches = match element.attribute("condition-coverage")? {
                    Some(text) => conditions(&text),
                    None => None,
                };
                let file = self.report.file(path);
                file.line(line, is_hit);
                if let Some(Count { found, hit }) = branches {
                    for place in 0..found {
                        file.branch(line, u32::try_from(place).unwrap_or(u32::MAX), place < hit);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn jacoco(&mut self, element: &Element<'_>) -> Result<(), String> {
        match element.name() {
            "package" => self.package = element.needed("name")?.into_owned(),
            "sourcefile" => {
                let name = element.needed("name")?;
                let path = if self.package.is_empty() {
                    name.into_owned()
                } else {
                    format!("{}/{name}", self.package)
                };
                self.report.file(&path);
                self.path = Some(path);
            }
            "line" => {
                let Some(path) = &self.path else {
                    return Err("has a `line` outside of a `sourcefile`".to_owned());
                };
                let line = u32::try_from(element.number("nr")?).unwrap_or(u32::MAX);
                let is_hit = element.number("ci")? > 0;
                let (missed, taken) = (element.number("mb")?, element.number("cb")?);
                let file = self.report.file(path);
                file.line(line, is_hit);
                for place in 0..missed.saturating_add(taken).min(MOST_BRANCHES) {
                    file.branch(line, u32::try_from(place).unwrap_or(u32::MAX), place < taken);
                }
            }
            "counter" => {
                let count = |missed: u64, hit: u64| Count { found: missed + hit, hit };
                match (element.needed("type")?.as_ref(), &self.path) {
                    ("METHOD", Some(path)) => {
                        let functions = count(element.number("missed")?, element.number("covered")?);
                        self.report.file(path).counted_functions(functions);
                    }
                    ("LINE", None) if self.depth == 2 => {
                        let lines = count(element.number("missed")?, element.number("covered")?);
                        self.report.stated_lines = Some(lines);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The most branches of a line that a report is believed to have.
const MOST_BRANCHES: u64 = 100_000;

/// `50% (1/2)`.
fn conditions(text: &str) -> Option<Count> {
    let inner = text.split_once('(')?.1.split_once(')')?.0;
    let (hit, found) = inner.split_once('/')?;
    let (hit, found): (u64, u64) = (hit.trim().parse().ok()?, found.trim().parse().ok()?);
    (hit <= found && found <= MOST_BRANCHES).then_some(Count { found, hit })
}

fn is_positive(text: &str) -> Option<bool> {
    let digits = text.trim();
    let (is_negative, digits) = match digits.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| !is_negative && digits.bytes().any(|byte| byte != b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Report, String> {
        read(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn cobertura_lists_lines_twice_and_they_count_once() {
        let report = of(
            "<coverage lines-valid=\"3\" lines-covered=\"1\"><sources><source>/home/ci/p</source></sources>\
            <packages><package><classes><class filename=\"src/a.py\"><methods><method><lines>\
            <line number=\"1\" hits=\"2\"/></lines></method></methods><lines><line number=\"1\" hits=\"2\"/>\
            <line number=\"2\" hits=\"0\" branch=\"true\" condition-coverage=\"50% (1/2)\"/>\
            <line number=\"4\" hits=\"0\"/></lines></class></classes></package></packages></coverage>",
        )
        .unwrap();
        assert_eq!(report.lines(), Count { found: 3, hit: 1 });
        assert_eq!(report.stated_lines, Some(report.lines()));
        assert_eq!(report.branches(), Count { found: 2, hit: 1 });
        assert_eq!(report.sources, ["/home/ci/p"]);
    }

    #[test]
    fn jacoco_counts_by_source_file() {
        let report = of("<!DOCTYPE report PUBLIC \"-//JACOCO//DTD Report 1.1//EN\" \"report.dtd\"><report name=\"x\">\
            <package name=\"org/x\"><class name=\"org/x/A\" sourcefilename=\"A.java\"><method name=\"f\" desc=\"()V\" line=\"3\">\
            <counter type=\"METHOD\" missed=\"0\" covered=\"1\"/></method></class>\
            <sourcefile name=\"A.java\"><line nr=\"3\" mi=\"0\" ci=\"4\" mb=\"1\" cb=\"1\"/>\
            <line nr=\"4\" mi=\"2\" ci=\"0\" mb=\"0\" cb=\"0\"/><counter type=\"METHOD\" missed=\"1\" covered=\"1\"/>\
            </sourcefile></package><counter type=\"LINE\" missed=\"1\" covered=\"1\"/></report>")
        .unwrap();
        assert_eq!(report.files.keys().collect::<Vec<_>>(), ["org/x/A.java"]);
        assert_eq!(report.lines(), Count { found: 2, hit: 1 });
        assert_eq!(report.stated_lines, Some(report.lines()));
        assert_eq!(report.branches(), Count { found: 2, hit: 1 });
        assert_eq!(report.functions(), Count { found: 2, hit: 1 });
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            (
                "<coverage><class filename=\"a\"><line number=\"x\" hits=\"1\"/></class></coverage>",
                "not a number",
            ),
            ("<coverage><class filename=\"a\"><line hits=\"1\"/></class></coverage>", "without `number`"),
            ("<coverage><line number=\"1\" hits=\"1\"/></coverage>", "outside of a `class`"),
            ("<coverage><class filename=\"a\"><line number=\"1\" hits=\"1\"/>", "cut off"),
            ("<coverage><class/></coverage>", "without `filename`"),
            ("<testsuites/>", "begins with `testsuites`"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
