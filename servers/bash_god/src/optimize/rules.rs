//! The rules.

mod files;
mod filters;
mod shell;
mod stages;

use crate::optimize::Edit;
use crate::optimize::source::{Pipe, Source, Stage};

/// A rule, tried at each stage of each pipeline.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// What is gained.
    pub(crate) why: &'static str,
    /// What the text does not show.
    pub(crate) assumes: &'static [&'static str],
    /// What it does to how the pipeline ends.
    pub(crate) status: Status,
    pub(crate) apply: fn(&Source<'_>, &Pipe, usize) -> Option<Edit>,
}

/// What a rule does to the exit codes of a pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nothing.
    Kept,
    /// A stage is gone, which only who looks at all stages sees.
    FewerStages,
    /// The code itself may be another one.
    Changed,
}

impl Rule {
    /// Whether nothing in the text sees what the rule does to exit codes.
    pub(crate) fn may_apply(&self, source: &Source<'_>, pipe: &Pipe) -> bool {
        match self.status {
            Status::Kept => true,
            Status::FewerStages => !source.sees_stages,
            Status::Changed => !source.sees_stages && !pipe.is_judged,
        }
    }
}

const READABLE: &str = "the file can be read; if not, the command fails instead of seeing no input";
const TEXT: &str = "the input is text";
const NO_MATCH: &str = "the exit code is 1 where nothing matches (it was 0)";

/// All of them, in the order in which they are tried.
pub(crate) const ALL: &[Rule] = &[
    stages::NO_OP,
    stages::CAT_INTO,
    stages::ECHO_INTO,
    stages::HEAD_TWICE,
    filters::GREP_COUNT,
    filters::GREP_HEAD,
    filters::GREP_AWK,
    filters::SORT_UNIQUE,
    filters::UNIQUE_TWICE,
    filters::SED_CHAIN,
    filters::WC_NUMBER,
    files::SED_HEAD,
    files::SED_QUIT,
    files::AWK_QUIT,
    files::EXEC_PLUS,
    files::XARGS_ZERO,
    files::XARGS_EXEC,
    shell::OLD_GREP,
    shell::BACKQUOTES,
];

/// Programs that only read their input and print: they take it from a file as from a pipe, and stopping them early
/// loses nothing.
const FILTERS: &[&str] = &[
    "awk",
    "base64",
    "cat",
    "cut",
    "egrep",
    "expand",
    "fgrep",
    "fold",
    "gawk",
    "grep",
    "head",
    "jq",
    "mawk",
    "md5sum",
    "nl",
    "od",
    "paste",
    "rev",
    "sed",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sort",
    "tac",
    "tail",
    "tr",
    "unexpand",
    "uniq",
    "wc",
    "xxd",
];

/// Programs that only print, whatever becomes of their output.
const SOURCES: &[&str] = &["cat", "echo", "find", "ls", "printf", "ps", "seq", "df", "du", "stat"];

/// Whether nothing is lost when the stages before `at` are stopped early.
fn may_stop_early(pipe: &Pipe, at: usize) -> bool {
    pipe.stages[..at].iter().all(|stage| {
        let name = stage.name();
        let only_prints = FILTERS.contains(&name) || SOURCES.contains(&name);
        stage.is_plain && only_prints && !acts(stage)
    })
}

/// Whether a filter does more than print.
fn acts(stage: &Stage) -> bool {
    let words = || stage.arguments().iter();
    match stage.name() {
        // What a program of sed or awk does is not looked into here: `w` and `system` would be effects.
        "sed" | "awk" | "gawk" | "mawk" => true,
        "find" => words().any(|word| {
            ["-exec", "-ok", "-delete", "-fprint", "-fls"].iter().any(|action| word.raw.starts_with(action))
        }),
        "sort" | "uniq" | "xxd" => {
            words().any(|word| word.raw.starts_with("-o") || word.raw.starts_with("--output"))
        }
        _ => false,
    }
}

/// Two neighbours that are replaced by one: what stands for both, with the input of the first one and the
/// redirections of the second one.
fn joined(source: &Source<'_>, first: &Stage, second: &Stage, text: &str) -> Option<Edit> {
    if !(first.is_plain || first.only_reads) || second.reads_elsewhere {
        return None;
    }
    let rest = |stage: &Stage| &source.text[stage.words_end()..stage.span.end];
    let text = format!("{text}{}{}", rest(first), rest(second));
    Some(Edit { span: first.span.start..second.span.end, text })
}

/// The stage after `at`, if both are simple commands.
fn pair(pipe: &Pipe, at: usize) -> Option<(&Stage, &Stage)> {
    let (first, second) = (&pipe.stages[at], pipe.stages.get(at + 1)?);
    (!first.words.is_empty() && !second.words.is_empty()).then_some((first, second))
}

/// The words of a command as they were written.
fn written(source: &Source<'_>, stage: &Stage) -> String {
    stage
        .words
        .first()
        .map_or_else(String::new, |first| source.text[first.span.start..stage.words_end()].to_owned())
}

/// The words of a command with `option` after its name.
fn with_option(source: &Source<'_>, stage: &Stage, option: &str) -> String {
    let name = &stage.words[0];
    let rest = &source.text[name.span.end..stage.words_end()];
    format!("{} {option}{rest}", name.raw)
}
