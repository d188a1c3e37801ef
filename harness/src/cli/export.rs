//! `--export KIND[=FILE]` of the verbs that have rows, and the verb `export` for files of other tools.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::args::{ExportArgs, ExportVerb};
use crate::cli::context::reading_root;
use crate::cli::{Exit, mcp};
use crate::experiment::foreign::{self, Foreign};
use crate::experiment::gate;
use crate::experiment::judged::Judged;
use crate::experiment::store;
use crate::report::{self, Foreign as Format, SUMMARY_LIMIT};
use crate::rows::Rows;

/// The variable in which GitHub names the file of a step's summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// The kinds by their names on the command line.
const KINDS: [(&str, Kind); 6] = [
    ("summary", Kind::Summary),
    ("go", Kind::Rows(Format::Go)),
    ("junit", Kind::Rows(Format::Junit)),
    ("github-action-benchmark", Kind::Rows(Format::Action)),
    ("bencher", Kind::Rows(Format::Bencher)),
    ("hyperfine", Kind::Rows(Format::Hyperfine)),
];

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Markdown for a step summary.
    Summary,
    /// Another tool's format.
    Rows(Format),
}

/// What `--export` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Export {
    kind: Kind,
    /// Where it goes; `None` is stdout.
    to: Option<PathBuf>,
    /// Whether what is there already is kept: a step's summary grows.
    append: bool,
}

impl Export {
    /// Reads `KIND` or `KIND=FILE`.
    ///
    /// # Errors
    /// A sentence about an unknown kind, an empty file, or a summary that has nowhere to go.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| (name, Some(file)));
        let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == name) else {
            return Err(format!(
                "unknown kind \"{name}\"; known: {}",
                KINDS.map(|(name, _)| name).join(", ")
            ));
        };
        let kind = *kind;
        match file {
            Some("") => Err(format!("{name}= names no file: write {name}=FILE, or {name} for stdout")),
            Some("-") => Ok(Self { kind, to: None, append: false }),
            Some(file) => Ok(Self { kind, to: Some(file.into()), append: false }),
            None if kind == Kind::Summary => {
                let file = std::env::var_os(STEP_SUMMARY).filter(|file| !file.is_empty());
                let file = file.ok_or_else(|| {
                    format!("{STEP_SUMMARY} is not set, as it is in a step of GitHub Actions: write summary=FILE, or summary=- for stdout")
                })?;
                Ok(Self { kind, to: Some(file.into()), append: true })
            }
            None => Ok(Self { kind, to: None, append: false }),
        }
    }
}

impl ExportArgs {
    /// Says before any work what could not be written after it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.exports.iter().filter(|export| export.to.is_none()).count() > 1 {
            bail!(
                "only one --export can go to stdout: give the others a file, as in --export junit=rows.xml"
            );
        }
        for export in &self.exports {
            if let Some(file) = &export.to
                && file.is_dir()
            {
                bail!("--export: {} is a directory: name a file in it", file.display());
            }
        }
        Ok(())
    }

    /// Records of tool calls are not written for other tools: their histogram logs are a format of their own.
    pub(crate) fn none_of_tool_calls(&self) -> anyhow::Result<()> {
        if self.exports.is_empty() {
            return Ok(());
        }
        bail!("a record of tool calls has no --export: any HdrHistogram tool reads its latency/*.hlog")
    }

    /// Whether one of them takes the place of what the verb would print.
    pub(crate) fn takes_stdout(&self) -> bool {
        self.exports.iter().any(|export| export.to.is_none())
    }

    /// Writes what was asked for. `summary` makes the Markdown of at most so many bytes.
    pub(crate) fn write(&self, rows: &Rows, summary: &dyn Fn(usize) -> String) -> anyhow::Result<()> {
        self.write_each(&|kind, limit| match kind {
            Kind::Summary => summary(limit),
            Kind::Rows(format) => report::foreign(format, rows),
        })
    }

    /// Writes the text of each kind that was asked for; a summary may have so many bytes.
    pub(crate) fn write_each(&self, text: &dyn Fn(Kind, usize) -> String) -> anyhow::Result<()> {
        for export in &self.exports {
            let limit = SUMMARY_LIMIT.saturating_sub(export.standing()?);
            export.put(&text(export.kind, limit))?;
        }
        Ok(())
    }

    /// Writes what was asked for of a record; of a gate's, with the gate's verdicts.
    pub(crate) fn write_record(&self, judged: &Judged) -> anyhow::Result<()> {
        if self.exports.is_empty() || self.write_gate(&judged.directory)? {
            return Ok(());
        }
        self.write(&judged.rows(), &|limit| report::summary(&judged.report(), limit))
    }
}

impl ExportArgs {
    /// The kinds that are asked for.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.exports.iter().map(|export| export.kind)
    }

    /// Writes what was asked for of the gate that a directory holds; `false` where it holds none.
    fn write_gate(&self, directory: &Path) -> anyhow::Result<bool> {
        let Some(gated) = gate::stored(directory)? else { return Ok(false) };
        crate::cli::gate::export::write(self, &reading_root()?, &gated)?;
        Ok(true)
    }
}

impl Export {
    /// Bytes that stand in a file which is added to.
    fn standing(&self) -> anyhow::Result<usize> {
        let Some(file) = self.to.as_ref().filter(|_| self.append) else { return Ok(0) };
        match std::fs::metadata(file) {
            Ok(metadata) => Ok(usize::try_from(metadata.len()).unwrap_or(usize::MAX)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    fn put(&self, text: &str) -> anyhow::Result<()> {
        let Some(file) = &self.to else {
            out!("{text}");
            return Ok(());
        };
        let written = if self.append {
            let open = std::fs::File::options().create(true).append(true).open(file);
            open.and_then(|mut open| open.write_all(text.as_bytes()))
        } else {
            store::replace(file, text.as_bytes())
        };
        written.with_context(|| format!("cannot write {}", file.display()))
    }
}

/// The verb: rows of records, criterion's and gungraun's results in another format.
pub(crate) fn export(args: &ExportVerb) -> anyhow::Result<Exit> {
    let export = Export::parse(&args.kind).map_err(|wrong| anyhow::anyhow!("{wrong}"))?;
    let exports = ExportArgs { exports: vec![export] };
    exports.check()?;
    if mcp::is_record(&args.path) {
        exports.none_of_tool_calls()?;
    }
    if exports.write_gate(&args.path)? {
        return Ok(Exit::Fine);
    }
    if args.path.join("run.json").is_file() {
        // A record can be read anywhere; its calibration lies in a workspace, where there is one.
        exports.write_record(&Judged::read(&reading_root()?, &args.path)?)?;
        return Ok(Exit::Fine);
    }
    let Foreign { rows, unreadable, .. } = foreign::read(&args.path)?;
    exports.write(&rows, &|limit| report::rows_summary(&rows, limit))?;
    for wrong in &unreadable {
        errln!("left out: {wrong}");
    }
    Ok(Exit::failed_if(!unreadable.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_with_or_without_a_file() {
        let go = Export::parse("go=a=b.txt").unwrap();
        assert_eq!((go.kind, go.to), (Kind::Rows(Format::Go), Some("a=b.txt".into())));
        assert_eq!(Export::parse("junit").unwrap().to, None);
        assert_eq!(Export::parse("summary=-").unwrap().to, None);
        assert!(Export::parse("go=").unwrap_err().contains("names no file"));
        let said = Export::parse("xunit").unwrap_err();
        assert!(said.starts_with("unknown kind \"xunit\"; known: summary, go, junit"), "{said}");
    }

    #[test]
    fn only_one_text_fits_on_stdout() {
        let args = |kinds: &[&str]| ExportArgs {
            exports: kinds.iter().map(|kind| Export::parse(kind).unwrap()).collect(),
        };
        assert!(args(&["go", "junit=x.xml"]).check().is_ok());
        assert!(args(&["go", "junit"]).check().unwrap_err().to_string().contains("only one"));
        assert!(args(&["go=/tmp"]).check().unwrap_err().to_string().contains("is a directory"));
    }
}
