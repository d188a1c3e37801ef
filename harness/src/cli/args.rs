//! What can be asked for.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::mcp::McpArgs;

/// A benchmark-driven performance lab: builds crates under CPU flag sets, proves that a flag changed the
/// code, measures over many launches and layouts, and answers claims honestly.
#[derive(Parser)]
#[command(name = "perflab", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 fine, 1 an arm failed or a document differs, 2 usage or set-up, 3 the A/A control\n\
    voids the run, 130 stopped.\n\
    Without a verb, `run` is meant: `cargo lab --quick`."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub shared: Shared,
    #[command(subcommand)]
    pub verb: Option<Verb>,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Options of every verb.
#[derive(Args, Clone)]
pub(crate) struct Shared {
    /// How results are printed on stdout; progress goes to stderr.
    #[arg(long, value_enum, default_value_t = Format::Table, global = true)]
    pub format: Format,
    /// Colours: on a terminal without NO_COLOR, always, or never.
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Build, prove, measure, judge, and write a record with charts (the default).
    Run(RunArgs),
    /// What this machine can do and what disturbs it, each with the remedy.
    Doctor,
    /// One call of every benchmark under every flag set that runs here: answers only, no times.
    Verify(RunArgs),
    /// Show what a run would do.
    Plan(RunArgs),
    /// Build every variant and take the census of its instructions.
    Build(RunArgs),
    /// Build and measure into a record, without a report.
    Measure(RunArgs),
    /// Analyse and judge a record again, without measuring.
    Analyse(RecordArgs),
    /// Write the report and charts of a record again; splice its table into a document, or check it.
    Report(ReportArgs),
    /// Instructions by register width, and the CPU features that they need, of any x86-64 ELF file.
    Census(CensusArgs),
    /// Measure the lab itself on this machine: false alarms, injected slow-downs, crosstalk.
    Calibrate(CalibrateArgs),
    /// Compare two records: sizes and features are judged, times of different runs are not.
    Cmp(CmpArgs),
    /// Latency of tool calls of any MCP server, or of two, paired.
    Mcp(Box<McpArgs>),
    /// Instruction counts that gungraun or iai-callgrind saved, and how they changed.
    Counts(CountsArgs),
    #[command(name = "__calls", hide = true)]
    Calls(CallsArgs),
    #[command(name = "__exec", hide = true)]
    Exec(ExecArgs),
    #[command(name = "__supervise", hide = true)]
    Supervise(SuperviseArgs),
}

#[derive(Args, Clone, Default)]
pub(crate) struct RunArgs {
    /// The suite: what is measured, as data [default: harness/suites/kernels.toml].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// The suite's quick budget (the default).
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// The suite's full budget.
    #[arg(long)]
    pub full: bool,
    /// Only these arms besides the baseline, by name.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub flagsets: Vec<String>,
    /// Only these benchmarks, by name.
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub benchmarks: Vec<String>,
    /// A Cargo profile in place of the suite's.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The Python interpreter of an ffi suite in place of its own: a name on PATH, or a path.
    #[arg(long, value_name = "PATH")]
    pub python: Option<String>,
    /// So many launches in place of the budget's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub launches: Option<u32>,
    /// The seed of every random choice [default: from the clock].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where records go [default: results].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with a record that was stopped.
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["suite", "quick", "full", "flagsets", "benchmarks", "profile", "python", "launches", "seed", "out"])]
    pub resume: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// The record's folder.
    pub record: PathBuf,
}

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The record's folder.
    pub record: PathBuf,
    /// Put the record's table and chart between the markers of this document: those named after the suite, else
    /// `record`.
    #[arg(long, value_name = "FILE")]
    pub splice: Option<PathBuf>,
    /// Do not write: exit with 1 unless this document says what the record says.
    #[arg(long, value_name = "FILE", conflicts_with = "splice")]
    pub check: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CensusArgs {
    /// ELF executables, libraries, objects or archives.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Only functions under these paths (`my_crate::module`).
    #[arg(long, value_delimiter = ',', value_name = "PATH,…")]
    pub functions: Vec<String>,
}

#[derive(Args)]
pub(crate) struct CalibrateArgs {
    /// Launches an experiment.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(4..))]
    pub launches: u32,
    /// Experiments, each on layouts of its own.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub experiments: u32,
    /// Stop after so many minutes, with what is finished.
    #[arg(long)]
    pub minutes: Option<f64>,
    /// Slow-downs to inject, in percent of a call's time; without a value, A/A alone.
    #[arg(long, value_delimiter = ',', num_args = 0.., value_name = "P,…", default_value = "2,5")]
    pub inject: Vec<f64>,
    /// The suite whose baseline is measured [default: harness/suites/kernels.toml].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// Only these benchmarks [default: all that are not long].
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub benchmarks: Vec<String>,
    /// Where the calibration is kept; what is there from the same machine is added to [default:
    /// baselines/calibration].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CmpArgs {
    /// The first record's folder.
    pub left: PathBuf,
    /// The second record's folder.
    pub right: PathBuf,
}

#[derive(Args)]
pub(crate) struct CountsArgs {
    /// Summaries, or folders with them [default: gungraun and iai in the target folder].
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ExecArgs {
    #[arg(long)]
    pub cpu: Option<usize>,
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub priority: i32,
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct CallsArgs {
    #[arg(long)]
    pub calls: PathBuf,
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct SuperviseArgs {
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}
