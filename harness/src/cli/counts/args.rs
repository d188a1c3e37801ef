//! What `counts` can be asked for: three ways to count, and a record of counts again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};

use crate::called::program;
use crate::cli::project::ProjectArgs;
use crate::cli::values::{Names, duration_or_seconds, names};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CountsArgs {
    #[command(subcommand)]
    pub verb: Option<CountsVerb>,
    #[command(flatten)]
    pub old: OldArgs,
}

#[derive(Subcommand)]
pub(crate) enum CountsVerb {
    /// Count one call of every benchmark of a suite under every flag set that runs here, AVX-512 included.
    Steps(StepsVerb),
    /// Run a gungraun bench under Callgrind, a flag set at a time.
    Callgrind(CallgrindArgs),
    /// Show what gungraun and iai-callgrind saved.
    Summaries(SummariesArgs),
    /// Show a record of counts again, accept it, or gate it.
    Record(RecordOfCountsArgs),
}

#[derive(Args)]
pub(crate) struct StepsArgs {
    /// The suite [default: the one that Cargo.toml names].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// Only these arms besides the baseline, by name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub flagsets: Vec<Names>,
    /// Only these benchmarks, by name; `\,` is a comma in a name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub benchmarks: Vec<Names>,
    /// A Cargo profile in place of the suite's.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub counting: CountingArgs,
    #[command(flatten)]
    pub accepting: AcceptingArgs,
    /// Where records go [default: results].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// [`StepsArgs`], also of the bench targets of a project.
#[derive(Args)]
pub(crate) struct StepsVerb {
    #[command(flatten)]
    pub steps: StepsArgs,
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// By what is counted, and how far.
#[derive(Args)]
pub(crate) struct CountingArgs {
    /// By what is counted: single steps are exact, the processor's counter is fast.
    #[arg(long, value_enum, default_value_t = CounterChoice::Step)]
    pub counter: CounterChoice,
    /// In how many processes each call is counted; counts that differ are reported.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub processes: u32,
    /// The most instructions of a call.
    #[arg(long, value_name = "N", default_value_t = 50_000)]
    pub limit: u64,
    /// The longest that one call may take.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration_or_seconds)]
    pub patience: Duration,
}

/// What is done with counts besides showing them.
#[derive(Args, Clone)]
pub(crate) struct AcceptingArgs {
    /// Fail where a call executes more instructions than was accepted.
    #[arg(long, conflicts_with = "accept")]
    pub gate: bool,
    /// Accept these counts; review the difference and commit it.
    #[arg(long)]
    pub accept: bool,
    /// Where accepted counts lie [default: baselines/counts].
    #[arg(long, value_name = "DIR")]
    pub accepted: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CallgrindArgs {
    /// The package of the bench [default: the one that Cargo.toml names].
    #[arg(long, value_name = "NAME")]
    pub package: Option<String>,
    /// The bench.
    #[arg(long, value_name = "NAME", default_value = "counts")]
    pub bench: String,
    /// Only these flag sets, by name [default: x86-64 to x86-64-v3, which Valgrind can run].
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub flagsets: Vec<Names>,
    #[command(flatten)]
    pub accepting: AcceptingArgs,
    /// Where records go [default: results].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SummariesArgs {
    /// Summaries, or directories with them [default: gungraun and iai in the target directory].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RecordOfCountsArgs {
    /// The record's directory, or its counts.json.
    #[arg(value_name = "RECORD")]
    pub record: PathBuf,
    #[command(flatten)]
    pub accepting: AcceptingArgs,
}

/// What counts.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum CounterChoice {
    Step,
    Hardware,
}

/// The options that chose among the ways before these were verbs of their own.
#[derive(Args)]
#[command(mut_args = |arg| arg.hide(true))]
pub(crate) struct OldArgs {
    #[arg(conflicts_with_all = ["suite", "callgrind", "flagsets", "benchmarks", "profile"])]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    steps: StepsArgs,
    #[arg(long, conflicts_with_all = ["suite", "benchmarks", "profile"])]
    callgrind: bool,
    #[arg(long, requires = "callgrind")]
    package: Option<String>,
    #[arg(long, default_value = "counts", requires = "callgrind")]
    bench: String,
}

impl OldArgs {
    /// The verb that is meant, with the words that it is written by.
    ///
    /// # Errors
    /// `--gate` or `--accept`, and nothing that could be counted.
    pub(crate) fn verb(self) -> anyhow::Result<(CountsVerb, &'static str)> {
        let Self { paths, steps, callgrind, package, bench } = self;
        if let [record] = &*paths
            && is_record(record)
        {
            let record = RecordOfCountsArgs { record: record.clone(), accepting: steps.accepting };
            return Ok((CountsVerb::Record(record), "counts record RECORD"));
        }
        if callgrind {
            let StepsArgs { flagsets, accepting, out, .. } = steps;
            let args = CallgrindArgs { package, bench, flagsets, accepting, out };
            return Ok((CountsVerb::Callgrind(args), "counts callgrind"));
        }
        if steps.suite.is_some() || !steps.flagsets.is_empty() || !steps.benchmarks.is_empty() {
            let project = ProjectArgs::default();
            return Ok((CountsVerb::Steps(StepsVerb { steps, project }), "counts steps"));
        }
        if steps.accepting.gate || steps.accepting.accept {
            bail!(
                "name what is to be counted ({0} counts steps, or callgrind), or a record of counts ({0} counts record RECORD)",
                program()
            );
        }
        Ok((CountsVerb::Summaries(SummariesArgs { paths }), "counts summaries"))
    }
}

fn is_record(path: &Path) -> bool {
    crate::experiment::counts::record(path).is_some()
}
