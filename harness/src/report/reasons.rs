//! Failures and warnings as sentences: what happened, and what to do about it.

use crate::analyse::{FailureReason, Warning};
use crate::called::program;
use crate::plan::Built;
use crate::report::words::{self, NBSP};

/// The most of a foreign tool's words that a sentence repeats, in characters.
const QUOTED: usize = 240;

/// What a table's cell says in place of a number.
pub(crate) fn label(reason: &FailureReason) -> String {
    match reason {
        FailureReason::MissingFeatures { .. } => "cannot run".to_owned(),
        FailureReason::IllegalInstruction => "illegal code".to_owned(),
        FailureReason::Signal { signal } => format!("signal{NBSP}{signal}"),
        FailureReason::Exited { code, .. } => format!("exit{NBSP}{code}"),
        FailureReason::TimedOut { .. } => "timed out".to_owned(),
        FailureReason::WrongAnswer { .. } => "wrong answer".to_owned(),
        FailureReason::OtherTask { .. } => "other task".to_owned(),
        FailureReason::OtherOutput => "other output".to_owned(),
        FailureReason::NotASubject { broken, .. } if !broken.is_empty() => "off protocol".to_owned(),
        FailureReason::NotASubject { .. } => "no subject".to_owned(),
        FailureReason::RepeatedName { .. } => "same names".to_owned(),
        FailureReason::UnknownBenchmark => "not there".to_owned(),
        FailureReason::NotOffered { .. } => "not offered".to_owned(),
        FailureReason::CannotBeMeasured { .. } => "unmeasurable".to_owned(),
        FailureReason::MissingTool { .. } => "not here".to_owned(),
        FailureReason::NotBuilt { .. } => "not built".to_owned(),
        FailureReason::NotCounted { .. } => "not counted".to_owned(),
        FailureReason::TooLong { .. } => "too long".to_owned(),
    }
    .replace(' ', &NBSP.to_string())
}

/// Why there is no number, and what to do.
pub fn sentence(reason: &FailureReason) -> String {
    match reason {
        FailureReason::MissingFeatures { features } => format!(
            "its code needs {}, which this CPU lacks; choose a flag set that `{} doctor` lists as \
             runnable, or measure on a CPU that has it",
            features.join(" "),
            program()
        ),
        FailureReason::IllegalInstruction => format!(
            "an illegal instruction ended the process in spite of the census; \
             it cannot run here, and `{} census FILE` lists what its code needs",
            program()
        ),
        FailureReason::Signal { signal } => {
            format!("signal {signal} ended the process; run its executable by hand to see where")
        }
        FailureReason::Exited { code, stderr } => {
            format!("the process ended by itself with code {code}: {}", quoted(stderr))
        }
        FailureReason::TimedOut { after_ms } => format!(
            "no answer within {}; mark the benchmark `long`, or make its task smaller",
            words::nanos(*after_ms as f64 * 1e6)
        ),
        FailureReason::WrongAnswer { expected, found } => format!(
            "expected {expected}, found {found}, so nothing was measured; fix the code, or the \
             known answer if the task has changed"
        ),
        FailureReason::OtherTask { expected, declared } => format!(
            "it declares the answer {declared} where the first arm declares {expected}, which is another task, so \
             nothing was measured; give all arms the same task"
        ),
        FailureReason::OtherOutput => {
            "its stdout is not that of the first run of A; fix the command, or leave out --check-output where \
             outputs may differ"
                .to_owned()
        }
        FailureReason::NotASubject { broken, .. } if !broken.is_empty() => {
            format!("the subject does not keep to the protocol: {broken}")
        }
        FailureReason::NotASubject { said, .. } => format!(
            "the executable does not speak the subject protocol, it said {}; link it with perflab-subject",
            quoted(said)
        ),
        FailureReason::RepeatedName { name } => {
            format!("the subject has several benchmarks named \"{name}\"; give each a name of its own")
        }
        FailureReason::UnknownBenchmark => {
            format!("the subject has no benchmark of that name; `{} verify` lists those that it has", program())
        }
        FailureReason::NotOffered { why } => format!("not offered: {why}"),
        FailureReason::CannotBeMeasured { why } => {
            format!("it cannot be measured: {}; run its bench target by hand to see all of it", quoted(why))
        }
        FailureReason::MissingTool { what, remedy } => format!("{what}: {remedy}"),
        FailureReason::NotBuilt { error, log } if log.is_empty() => {
            format!("it could not be built: {}", quoted(error))
        }
        FailureReason::NotBuilt { error, log } => {
            format!("it could not be built: {}; the whole log is {log}", quoted(error))
        }
        FailureReason::NotCounted { why } => format!("its instructions could not be counted: {why}"),
        FailureReason::TooLong { call_ns } => format!(
            "one call takes {}, longer than a slice may; mark the benchmark `long`, or make its task smaller",
            words::nanos(*call_ns as f64)
        ),
    }
}

/// As [`sentence`], in the words of what was measured: a command has neither a suite nor benchmarks.
pub fn sentence_for(built: Built, reason: &FailureReason) -> String {
    match (built, reason) {
        (Built::Once | Built::EveryTurn, _) => sentence(reason),
        (Built::Never, FailureReason::Signal { signal }) => format!(
            "signal {signal} ended it; run it by hand to see why, or count such runs with --ignore-failure"
        ),
        (Built::Never, FailureReason::Exited { code, stderr }) => {
            format!("it exited with code {code}: {}; --ignore-failure counts such runs", quoted(stderr))
        }
        (Built::Never, FailureReason::TimedOut { after_ms }) => format!(
            "it did not end within {} and was stopped; allow it more with --patience",
            words::nanos(*after_ms as f64 * 1e6)
        ),
        (Built::Never, _) => sentence(reason),
    }
}

/// The words of another program on one line, cut to a length that a report can hold. Its colours are left out.
fn quoted(text: &str) -> String {
    let line = without_colors(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "it left no message".to_owned();
    }
    let mut kept: String = line.chars().take(QUOTED).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    format!("“{kept}”")
}

/// A text without the sequences that set colours and the like (ECMA-48, CSI).
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| ('@'..='~').contains(&letter));
        plain.push_str(end.map_or("", |end| &part[end + 1..]));
    }
    plain
}

/// That slices were interrupted: by what else runs, or by the CPU quota, in cores, that the machine had then.
fn interrupted(share: f64, quota: Option<f64>) -> String {
    let share = words::share(share);
    match quota {
        None => format!(
            "{share} of the slices were interrupted by other work on the measuring core; stop it, or allow more launches"
        ),
        Some(cores) => format!(
            "{share} of the slices were interrupted: the control group has a CPU quota of {cores:.2} cores, and pauses what \
             exceeds it; lift it (cpu.max, CPUQuota=, docker --cpus), then stop other work on the measuring core, or allow more \
             launches"
        ),
    }
}

/// As [`warning`], on a machine that has this CPU quota, in cores.
pub(crate) fn warning_under(quota: Option<f64>, built: Built, said: &Warning) -> String {
    match said {
        Warning::Preempted { share } => interrupted(*share, quota),
        _ => warning(built, said),
    }
}

/// What limits the numbers, and what to do.
pub(crate) fn warning(built: Built, warning: &Warning) -> String {
    match warning {
        Warning::FewLaunches { finished } if built == Built::Never => format!(
            "{} cannot give an interval that can be trusted; compare again with more (`--launches`, `--budget`)",
            words::counted(*finished as usize, "launch")
        ),
        Warning::Preempted { share } => interrupted(*share, None),
        Warning::OneLayout => format!(
            "layouts could not be varied, so the intervals leave out what the place of code in \
             memory does; install the toolchain's lld (`{} doctor`)",
            program()
        ),
        Warning::OtherLinker { arms } => format!(
            "layouts of {} could not be varied, so the intervals leave out what the place of code in memory does: only \
             lld can link them anew, and a flag (-fuse-ld) or a Cargo config file (target.*.linker) names another linker",
            arms.join(", ")
        ),
        Warning::Overridden { what, arms } => {
            format!("{what}: a Cargo config file has it so, under {}", arms.join(", "))
        }
        Warning::Compilers { compilers } => format!(
            "arms were compiled by different compilers, so times tell of those too: {}",
            compilers.join("; ")
        ),
        Warning::Unchecked { benchmarks } => {
            let of = if benchmarks.is_empty() { "any benchmark".to_owned() } else { benchmarks.join(", ") };
            format!("what calls return was not checked: the subject knows no answer of {of}")
        }
        Warning::Interrupted { finished, planned } => format!(
            "the run ended after {finished} of {planned} launches; the intervals are those of the \
             finished ones"
        ),
        Warning::FewLaunches { finished } => format!(
            "{} cannot give an interval that can be trusted; run again with more (`--full`)",
            words::counted(*finished as usize, "launch")
        ),
        Warning::NoNumbers { benchmark, arm } if built == Built::Never => {
            format!("{benchmark} of {arm} has no numbers: what was measured is 0")
        }
        Warning::NoNumbers { benchmark, arm } => format!(
            "{benchmark} under {arm} has no numbers, and claims leave it out: nothing is left of its time once that of \
             the subject's empty loop is subtracted; make its task larger"
        ),
        Warning::Bimodal { benchmark, arm } => format!(
            "the values of {benchmark} under {arm} fall into two groups, so one ratio does not describe them; \
             look at the chart of launches"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<FailureReason> {
        vec![
            FailureReason::MissingFeatures { features: vec!["sse4a".to_owned(), "xop".to_owned()] },
            FailureReason::IllegalInstruction,
            FailureReason::Signal { signal: 11 },
            FailureReason::Exited { code: 3, stderr: "panicked at\n  main.rs".to_owned() },
            FailureReason::TimedOut { after_ms: 30_000 },
            FailureReason::WrongAnswer { expected: 7, found: 9 },
            FailureReason::OtherTask { expected: 7, declared: 9 },
            FailureReason::said(""),
            FailureReason::broken("expected 1000 calls in a slice, found 2000"),
            FailureReason::RepeatedName { name: "json/parse".to_owned() },
            FailureReason::UnknownBenchmark,
            FailureReason::NotOffered { why: "ctypes can call no such function".to_owned() },
            FailureReason::CannotBeMeasured { why: "it panicked: no data".to_owned() },
            FailureReason::MissingTool {
                what: "no C compiler is on PATH".to_owned(),
                remedy: "apt-get install gcc".to_owned(),
            },
            FailureReason::NotBuilt { error: "x".repeat(1000), log: "target/perflab/logs/a.log".to_owned() },
            FailureReason::NotCounted { why: "more than 50000 instructions".to_owned() },
            FailureReason::TooLong { call_ns: 2_500_000 },
        ]
    }

    #[test]
    fn every_reason_has_a_sentence() {
        let sentences: Vec<String> = all().iter().map(|reason| sentence(reason).replace(NBSP, " ")).collect();
        insta::assert_snapshot!(sentences.join("\n"));
    }

    #[test]
    fn of_a_command_nothing_is_said_that_only_benchmarks_have() {
        for reason in [
            FailureReason::Signal { signal: 15 },
            FailureReason::Exited { code: 3, stderr: String::new() },
            FailureReason::TimedOut { after_ms: 30_000 },
            FailureReason::OtherOutput,
        ] {
            let said = sentence_for(Built::Never, &reason);
            let foreign = ["`long`", "benchmark", "executable", "record", "suite"];
            assert!(foreign.iter().all(|word| !said.contains(word)), "{said}");
            assert_eq!(sentence_for(Built::Once, &reason), sentence(&reason));
        }
        let said = warning(Built::Never, &Warning::FewLaunches { finished: 2 });
        assert!(said.contains("--launches") && !said.contains("--full"), "{said}");
    }

    #[test]
    fn the_colours_of_another_program_are_left_out() {
        assert_eq!(quoted("\u{1b}[1;31merror\u{1b}[0m: \u{1b}[K\u{6e}o \u{1b}["), "“error: no”");
    }

    #[test]
    fn a_quota_is_named_as_what_interrupts() {
        let free = warning(Built::Once, &Warning::Preempted { share: 0.25 });
        assert!(free.contains("by other work") && !free.contains("quota"), "{free}");
        let told = warning_under(Some(0.5), Built::Once, &Warning::Preempted { share: 0.25 });
        assert!(told.starts_with(free.split(" by other").next().unwrap()), "{told}");
        assert!(told.contains("a CPU quota of 0.50 cores") && told.contains("CPUQuota="), "{told}");
    }

    #[test]
    fn another_linker_gets_advice_about_itself() {
        let told = warning(Built::Once, &Warning::OtherLinker { arms: vec!["a".to_owned(), "b".to_owned()] });
        assert!(told.starts_with("layouts of a, b could not be varied"), "{told}");
        assert!(told.contains("-fuse-ld") && !told.contains("install"), "{told}");
    }

    #[test]
    fn labels_fit_a_cell_and_differ() {
        let labels: std::collections::BTreeSet<String> = all().iter().map(label).collect();
        assert_eq!(labels.len(), all().len());
        assert!(labels.iter().all(|label| label.chars().count() <= 13), "{labels:?}");
    }

    #[test]
    fn long_words_of_tools_are_cut_with_a_mark() {
        let text = quoted(&"e".repeat(QUOTED + 1));
        assert_eq!(text.chars().count(), QUOTED + 3);
        assert!(text.ends_with("…”"));
        assert_eq!(quoted(&"e".repeat(QUOTED)).chars().count(), QUOTED + 2);
    }
}
