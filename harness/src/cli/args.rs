//! What can be asked for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::called::program;
use crate::cli::cmp::CmpArgs;
use crate::cli::counts::CountsArgs;
use crate::cli::export::Export;
use crate::cli::init::InitArgs;
use crate::cli::mcp::McpArgs;
use crate::cli::project::ProjectArgs;
use crate::cli::values::{Names, duration, duration_or_seconds, names, renamed};
use crate::plan::LAUNCH_LIMIT;

/// A benchmark-driven performance lab: builds crates under CPU flag sets, proves that a flag changed the
/// code, measures over many launches and layouts, and answers claims honestly.
#[derive(Parser)]
#[command(name = "perflab", version, long_version = perflab_program::long_version(env!("CARGO_PKG_VERSION")), args_conflicts_with_subcommands = true)]
#[command(bin_name = program())]
#[command(after_help = format!(
    "Exit codes: 0 fine, 1 an arm failed, a document differs or a gate found a regression, 2 usage or set-up,\n\
    3 inconclusive (the A/A control voids the run, or a gate cannot tell), 130 stopped.\n\
    Without a verb, `run` is meant: `{} --quick`.",
    program()
))]
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
    /// References: accepted from records, shown.
    Baseline(BaselineArgs),
    /// Fail when the work tree is slower than a revision: built beside it, measured in one run, confirmed.
    Gate(Box<GateArgs>),
    /// Compare two commands, or two records: of records sizes and features are judged, times of different runs not.
    Cmp(Box<CmpArgs>),
    /// Latency of tool calls of any MCP server, or of two, paired.
    Mcp(Box<McpArgs>),
    /// Records over time: a series per benchmark, arm and machine, and where it changes.
    History(HistoryArgs),
    /// Write a record, criterion's results or gungraun's counts in another tool's format.
    Export(ExportVerb),
    /// Instructions a call: counted by single steps or Callgrind, gated; or as gungraun and iai-callgrind saved them.
    Counts(Box<CountsArgs>),
    /// Write perflab.toml, a suite with comments, for a project that has none; on wish a workflow too.
    Init(InitArgs),
    #[command(name = "__calls", hide = true)]
    Calls(CallsArgs),
    #[command(name = "__bench", hide = true)]
    Bench(BenchArgs),
    #[command(name = "__exec", hide = true)]
    Exec(ExecArgs),
    #[command(name = "__time", hide = true)]
    Time(TimeArgs),
    #[command(name = "__supervise", hide = true)]
    Supervise(SuperviseArgs),
    #[command(name = "__reference", hide = true)]
    Reference(ReferenceArgs),
    #[command(name = "__pages", hide = true)]
    Pages(PagesArgs),
}

#[derive(Args, Clone, Default)]
pub(crate) struct RunArgs {
    /// The suite: what is measured, as data [default: the one that Cargo.toml names].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// The suite's quick budget (the default).
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// The suite's full budget.
    #[arg(long)]
    pub full: bool,
    /// Only these arms besides the baseline, by name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub flagsets: Vec<Names>,
    /// Only these benchmarks, by name; `\,` is a comma in a name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub benchmarks: Vec<Names>,
    /// A Cargo profile in place of the suite's.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The Python interpreter of an ffi suite in place of its own: a name on PATH, or a path.
    #[arg(long, value_name = "PATH")]
    pub python: Option<String>,
    /// So many launches in place of the budget's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(LAUNCH_LIMIT)))]
    pub launches: Option<u32>,
    /// The seed of every random choice [default: from the clock].
    #[arg(long)]
    pub seed: Option<u64>,
    /// How long it may take, builds included: 90s, 5m, 1h. Decides the number of launches; what does not fit is left
    /// out, and said.
    #[arg(long, value_name = "TIME", value_parser = duration_or_seconds, conflicts_with = "launches")]
    pub budget: Option<Duration>,
    /// Only say what would be built and measured, and about how long it takes.
    #[arg(long = "plan")]
    pub plan_only: bool,
    /// Where records go [default: results; of bench targets of a project without a suite, the user's cache].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on with a record that was stopped.
    #[arg(long, value_name = "RECORD", conflicts_with_all = ["suite", "quick", "full", "flagsets", "benchmarks", "profile", "python", "launches", "budget", "seed", "out", "manifest_path", "packages", "benches", "filters"])]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub export: ExportArgs,
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// The rows in formats of other tools.
#[derive(Args, Clone, Default)]
pub(crate) struct ExportArgs {
    /// Also write the rows for another tool: summary (Markdown for GitHub's step summary), go (for benchstat), junit,
    /// github-action-benchmark, bencher, hyperfine. Without FILE, to stdout in place of the table (summary: to
    /// $GITHUB_STEP_SUMMARY). May be repeated.
    #[arg(long = "export", value_name = "KIND[=FILE]", value_parser = Export::parse)]
    pub exports: Vec<Export>,
}

#[derive(Args)]
pub(crate) struct RecordArgs {
    /// The record's directory.
    pub record: PathBuf,
    #[command(flatten)]
    pub export: ExportArgs,
}

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// The record's directory.
    pub record: PathBuf,
    /// Put the record's table and chart between the markers of this document: those named after the suite, else
    /// `record`.
    #[arg(long, value_name = "FILE")]
    pub splice: Option<PathBuf>,
    /// Do not write: exit with 1 unless this document says what the record says.
    #[arg(long, value_name = "FILE", conflicts_with = "splice")]
    pub check: Option<PathBuf>,
    /// Also write each chart as PNG, beside its SVG.
    #[arg(long, conflicts_with = "check")]
    pub png: bool,
    #[command(flatten)]
    pub export: ExportArgs,
}

#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// Records, directories that hold records, or directories of criterion's or gungraun's results [default: results].
    #[arg(value_name = "DIR")]
    pub folders: Vec<PathBuf>,
    /// Only these benchmarks, by name; `\,` is a comma in a name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub benchmarks: Vec<Names>,
    /// Only these arms, by name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub arms: Vec<Names>,
    /// Follow the ratio to the baseline of the same run in place of the value.
    #[arg(long)]
    pub ratios: bool,
    /// Draw the series: a file that ends in .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ExportVerb {
    /// The format, as in --export; `KIND=FILE` writes to a file.
    #[arg(value_name = "KIND[=FILE]")]
    pub kind: String,
    /// A record's directory, a directory of criterion's (target/criterion), or one with gungraun's summaries.
    pub path: PathBuf,
}

#[derive(Args)]
pub(crate) struct CensusArgs {
    /// ELF executables, libraries, objects or archives.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Only functions under these paths (`my_crate::module`).
    #[arg(long, value_name = "PATH,…", value_parser = names)]
    pub functions: Vec<Names>,
}

#[derive(Args)]
pub(crate) struct CalibrateArgs {
    /// A fixed number of launches an experiment, as a run has it; without, each experiment is a gate, whose rows
    /// are measured until they are decided.
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..=i64::from(LAUNCH_LIMIT)))]
    pub launches: Option<u32>,
    /// Experiments, each on layouts of its own.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    pub experiments: u32,
    /// Stop after this time (90m, 8h), with what is finished.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub budget: Option<Duration>,
    /// What --budget was, in minutes.
    #[arg(long, hide = true, conflicts_with = "budget")]
    pub minutes: Option<f64>,
    /// The noise threshold of the gates, in percent [default: the suite's].
    #[arg(long, value_name = "P", conflicts_with = "launches")]
    pub noise_threshold: Option<f64>,
    /// Slow-downs to inject, in percent of a call's time; without a value, A/A alone.
    #[arg(long, value_delimiter = ',', num_args = 0.., value_name = "P,…", default_value = "2,5")]
    pub inject: Vec<f64>,
    /// The suite whose baseline is measured [default: the one that Cargo.toml names].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// Only these benchmarks, by name, as in `run` [default: all that are not long].
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub benchmarks: Vec<Names>,
    /// Where the calibration is kept; what is there from the same machine is added to [default:
    /// baselines/calibration].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl CalibrateArgs {
    /// When to stop; `None` leaves it to the number of experiments.
    ///
    /// # Errors
    /// A number of minutes that is not a duration.
    pub(crate) fn limit(&self) -> anyhow::Result<Option<Duration>> {
        let Some(minutes) = self.minutes else { return Ok(self.budget) };
        renamed("--minutes", &format!("--budget {minutes}m"));
        let limit = Duration::try_from_secs_f64(minutes * 60.0);
        Ok(Some(limit.map_err(|_| anyhow::anyhow!("--minutes {minutes}: this is not a duration"))?))
    }
}

#[derive(Args)]
pub(crate) struct BaselineArgs {
    #[command(subcommand)]
    pub verb: BaselineVerb,
}

#[derive(Subcommand)]
pub(crate) enum BaselineVerb {
    /// Accept the rows of a record as the references of its suite on its machine class.
    Accept(AcceptArgs),
    /// The references that were accepted.
    Show(ShowArgs),
}

#[derive(Args)]
pub(crate) struct AcceptArgs {
    /// The record's directory.
    pub record: PathBuf,
    /// Where references lie [default: baselines/references].
    #[arg(long, value_name = "DIR")]
    pub references: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ShowArgs {
    /// Only this suite.
    #[arg(long, value_name = "NAME")]
    pub suite: Option<String>,
    /// Where references lie [default: baselines/references].
    #[arg(long, value_name = "DIR")]
    pub references: Option<PathBuf>,
}

#[derive(Args, Clone)]
pub(crate) struct GateArgs {
    /// A gate's record: judged again, without measuring.
    #[arg(conflicts_with = "against")]
    pub record: Option<PathBuf>,
    /// The commit, branch or tag to compare the work tree with.
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Compare with accepted references: times by building their commit beside the work tree, sizes and counts with
    /// what is stored [default directory: baselines/references].
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "against")]
    #[expect(clippy::option_option, reason = "absent, without a directory, with one")]
    pub references: Option<Option<PathBuf>>,
    /// The suite [default: the one that Cargo.toml names].
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// The arms to gate, by name [default: the suite's own choice, else its baseline].
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub flagsets: Vec<Names>,
    /// Only these benchmarks, by name; `\,` is a comma in a name.
    #[arg(long, value_name = "A,B", value_parser = names)]
    pub benchmarks: Vec<Names>,
    /// A Cargo profile in place of the suite's.
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The Python interpreter of an ffi suite in place of its own: a name on PATH, or a path.
    #[arg(long, value_name = "PATH")]
    pub python: Option<String>,
    /// How long it may take, builds included: 90s, 5m, 1h. What is not decided by then is inconclusive.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration_or_seconds)]
    pub budget: Duration,
    /// Measure code that is identical on both sides too.
    #[arg(long)]
    pub no_identity: bool,
    /// Let benchmarks that only one side has pass: all, or with =new those that the work tree adds.
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "all")]
    pub allow_unmatched: Option<AllowedRows>,
    /// The seed of every random choice [default: from the clock].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Where records go [default: results].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub export: ExportArgs,
    #[command(flatten)]
    pub project: ProjectArgs,
}

/// Which benchmarks that only one side has may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AllowedRows {
    /// Those that only the work tree has.
    New,
    /// All.
    All,
}

#[derive(Args)]
pub(crate) struct TimeArgs {
    #[arg(long)]
    pub cpu: Option<usize>,
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub priority: i32,
    #[arg(long)]
    pub stdout: Option<PathBuf>,
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct ExecArgs {
    #[arg(long)]
    pub cpu: Option<usize>,
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub priority: i32,
    #[arg(long)]
    pub still: bool,
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
pub(crate) struct BenchArgs {
    #[arg(long, value_enum)]
    pub harness: BenchHarness,
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

/// Harnesses that the lab drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchHarness {
    Criterion,
    Divan,
}

#[derive(Args)]
pub(crate) struct SuperviseArgs {
    #[arg(last = true, required = true)]
    pub command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct PagesArgs {
    /// Where manual pages and shell completions are written.
    pub directory: PathBuf,
}

#[derive(Args)]
pub(crate) struct ReferenceArgs {
    /// The page to write.
    pub file: PathBuf,
}
