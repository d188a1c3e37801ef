//! `gate`: all verdicts of a comparison folded into an exit code.

pub(crate) mod export;

use std::path::Path;

use anyhow::bail;

use crate::cli::Exit;
use crate::cli::args::{AllowedRows, Format, GateArgs, Shared};
use crate::cli::context::{open, style};
use crate::experiment::gate::{self, GateOptions, Gated, view};
use crate::experiment::surroundings::within;
use crate::judge::{Allowed, Fold};

impl GateArgs {
    fn options(&self) -> GateOptions {
        GateOptions {
            suite: self.suite.clone(),
            arms: self.flagsets.clone(),
            benchmarks: self.benchmarks.clone(),
            profile: self.profile.clone(),
            python: self.python.clone(),
            budget: self.budget,
            identity: !self.no_identity,
            allow_unmatched: self.allowed(),
            seed: self.seed,
            out: self.out.clone(),
            command: self.command(),
        }
    }

    /// Which rows without a counterpart pass.
    fn allowed(&self) -> Allowed {
        match self.allow_unmatched {
            None => Allowed::Nothing,
            Some(AllowedRows::New) => Allowed::New,
            Some(AllowedRows::All) => Allowed::All,
        }
    }

    /// The command as a person would type it again.
    fn command(&self) -> String {
        let Some(rev) = &self.against else { return self.command_by_references() };
        let mut words = vec![format!("cargo lab gate --against {rev}")];
        words.extend(self.suite.as_ref().map(|suite| format!("--suite {}", suite.display())));
        for (option, values) in [("--flagsets", &self.flagsets), ("--benchmarks", &self.benchmarks)] {
            if !values.is_empty() {
                words.push(format!("{option} {}", values.join(",")));
            }
        }
        words.extend(self.profile.as_ref().map(|profile| format!("--profile {profile}")));
        words.extend(self.python.as_ref().map(|python| format!("--python {python}")));
        words.push(format!("--budget {}s", self.budget.as_secs()));
        words.extend(self.no_identity.then(|| "--no-identity".to_owned()));
        words.extend(self.allow_unmatched.map(|which| match which {
            AllowedRows::New => "--allow-unmatched=new".to_owned(),
            AllowedRows::All => "--allow-unmatched".to_owned(),
        }));
        words.extend(self.seed.map(|seed| format!("--seed {seed}")));
        words.join(" ")
    }

    fn command_by_references(&self) -> String {
        let mut words = vec!["cargo lab gate".to_owned()];
        words.extend(self.record.as_ref().map(|record| record.display().to_string()));
        words.push("--references".to_owned());
        words.extend(self.references.iter().flatten().map(|directory| directory.display().to_string()));
        words.extend(self.suite.as_ref().map(|suite| format!("--suite {}", suite.display())));
        words.join(" ")
    }
}

/// Compares the work tree with a revision or with references, or judges a record.
pub(crate) fn gate(shared: &Shared, args: &GateArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    let options = args.options();
    let (root, gated, measured) = match (&args.against, &args.references, &args.record) {
        (Some(rev), None, None) => {
            let context = open()?;
            let gated = gate::against(&context, &options, rev)?;
            (context.root, gated, true)
        }
        (None, Some(directory), None) => {
            let context = open()?;
            let gated = gate::by_references(&context, &options, directory.as_deref())?;
            (context.root, gated, true)
        }
        (None, Some(directory), Some(record)) => {
            let context = open()?;
            let gated = gate::record_by_references(&context, &options, directory.as_deref(), record)?;
            (context.root, gated, false)
        }
        (None, None, Some(record)) => {
            let root = open()?.root;
            let gated = gate::again(&root, record, args.allowed())?;
            (root, gated, false)
        }
        _ => bail!(
            "what to compare with? --against REV measures a revision beside the work tree, --references what was accepted; a gate's RECORD is judged again"
        ),
    };
    tell(shared, args, &root, &gated)?;
    if let Some(directory) = gated.directory.as_ref().filter(|_| measured) {
        let shown = within(&root, directory).display();
        eprintln!(" record   {shown}    again  cargo lab gate {shown}");
    }
    Ok(if gated.file.stopped { Exit::Stopped } else { exit(gated.file.report.fold) })
}

/// The exit code of a gate.
fn exit(fold: Fold) -> Exit {
    match fold {
        Fold::Passes => Exit::Fine,
        Fold::Regressed => Exit::Failed,
        Fold::Broken => Exit::Broken,
        Fold::Inconclusive => Exit::Inconclusive,
    }
}

/// The gate on stdout, and for other tools.
fn tell(shared: &Shared, args: &GateArgs, root: &Path, gated: &Gated) -> anyhow::Result<()> {
    export::write(&args.export, root, gated)?;
    match shared.format {
        _ if args.export.takes_stdout() => {}
        Format::Table => out!("{}", view::table(&gated.file, &style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(&gated.file)?),
    }
    Ok(())
}
