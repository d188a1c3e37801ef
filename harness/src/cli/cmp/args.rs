//! What `cmp` can be asked for: two commands, or two records.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};

use crate::called::{program, typed};
use crate::cli::args::ExportArgs;
use crate::cli::values::duration;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CmpArgs {
    #[command(subcommand)]
    pub verb: Option<CmpVerb>,
    #[command(flatten)]
    pub old: OldArgs,
}

#[derive(Subcommand)]
pub(crate) enum CmpVerb {
    /// Run two commands in turns, many launches, and judge how long they take and how much memory they hold.
    Commands(Box<CommandsArgs>),
    /// Compare two records: sizes and features are judged, times of different runs are shown and not judged.
    Records(RecordsArgs),
}

#[derive(Args)]
#[command(after_help = typed(
    "cmp commands 'sort a.txt' 'sort --parallel=1 a.txt'\n\
    No shell takes part: to measure one, write sh -c '…'."
))]
pub(crate) struct CommandsArgs {
    /// The first command, as one argument.
    #[arg(value_name = "A")]
    pub a: String,
    /// The second command.
    #[arg(value_name = "B")]
    pub b: String,
    #[command(flatten)]
    pub how: HowArgs,
}

#[derive(Args)]
pub(crate) struct RecordsArgs {
    /// The first record's directory.
    #[arg(value_name = "RECORD")]
    pub left: PathBuf,
    /// The second record's directory.
    #[arg(value_name = "RECORD")]
    pub right: PathBuf,
}

/// How two commands are compared.
#[derive(Args, Clone)]
pub(crate) struct HowArgs {
    /// So many launches: each runs A, B and A again, in random order.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub launches: Option<u32>,
    /// As many launches as fit into this time (10s, 5m), at least 6 and at most 1000 [default: 10s].
    #[arg(long, value_name = "TIME", conflicts_with = "launches", value_parser = duration)]
    pub budget: Option<Duration>,
    /// Untimed runs of each command before the first launch; at least one shows how long it takes.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub warmup: u32,
    /// Count runs that end with another exit code than 0, or by a signal.
    #[arg(long)]
    pub ignore_failure: bool,
    /// Keep stdout, and fail a command whose output is not that of A's first run.
    #[arg(long)]
    pub check_output: bool,
    /// The longest that one run may take.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub patience: Duration,
    /// The smallest change worth a name, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = noise_threshold)]
    pub noise_threshold: f64,
    /// The seed of the orders [default: from the clock].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Keep a record with its report in this directory.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub export: ExportArgs,
}

fn noise_threshold(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if (0.0..=50.0).contains(&percent) => Ok(percent),
        _ => Err("write a number of percent from 0 to 50, as in 0.5".to_owned()),
    }
}

/// The options that chose between the two before they were verbs of their own.
#[derive(Args)]
#[command(mut_args = |arg| arg.hide(true))]
pub(crate) struct OldArgs {
    #[arg(required_unless_present = "commands")]
    left: Option<PathBuf>,
    #[arg(required_unless_present = "commands")]
    right: Option<PathBuf>,
    #[arg(long, num_args = 2, conflicts_with_all = ["left", "right"])]
    commands: Vec<String>,
    #[command(flatten)]
    how: HowArgs,
}

impl OldArgs {
    /// The verb that is meant, with the words that it is written by.
    ///
    /// # Errors
    /// `--export` of records.
    pub(crate) fn verb(self) -> anyhow::Result<(CmpVerb, &'static str)> {
        if let [a, b] = &*self.commands {
            let args = CommandsArgs { a: a.clone(), b: b.clone(), how: self.how };
            return Ok((CmpVerb::Commands(Box::new(args)), "cmp commands A B"));
        }
        if !self.how.export.exports.is_empty() {
            bail!(
                "--export writes the rows of one run: use it with cmp commands, or with {} report RECORD",
                program()
            );
        }
        match (self.left, self.right) {
            (Some(left), Some(right)) => {
                Ok((CmpVerb::Records(RecordsArgs { left, right }), "cmp records RECORD RECORD"))
            }
            _ => bail!("name two records ({0} cmp records), or two commands ({0} cmp commands)", program()),
        }
    }
}
