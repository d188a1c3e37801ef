//! Stages that a pipeline does not need.

use crate::optimize::Edit;
use crate::optimize::options::Options;
use crate::optimize::rules::{FILTERS, READABLE, Rule, Status, joined, pair, written};
use crate::optimize::source::{Pipe, Stage};

/// `a | cat | b`
pub(crate) const NO_OP: Rule = Rule {
    name: "no-op-stage",
    why: "one process and one copy of the data less",
    assumes: &[],
    status: Status::FewerStages,
    apply: |_source, pipe, at| {
        let stage = &pipe.stages[at];
        let (before, after) = (at.checked_sub(1).map(|at| &pipe.stages[at])?, pipe.stages.get(at + 1)?);
        let does_nothing = match stage.name() {
            "cat" => matches!(stage.literals()?.as_slice(), [] | ["-"]),
            "tail" => matches!(stage.literals()?.as_slice(), ["-n", "+1"] | ["-n+1"]),
            _ => false,
        };
        (does_nothing && stage.is_plain)
            .then(|| Edit { span: before.span.end..after.span.start, text: " | ".to_owned() })
    },
};

/// `cat file | filter`
pub(crate) const CAT_INTO: Rule = Rule {
    name: "cat-into-filter",
    why: "one process and one copy of the data less",
    assumes: &[READABLE],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (cat, filter) = pair(pipe, at).filter(|_| at == 0)?;
        let [file] = cat.arguments() else { return None };
        let name = file.literal.as_deref()?;
        let is_file = !name.is_empty() && !name.starts_with('-');
        // Devices and /proc give something else each time, and each way that they are opened.
        let is_plain_file = !["/dev/", "/proc/", "/sys/"].iter().any(|folder| name.starts_with(folder));
        // Named twice, it may be read and written at once.
        let writes = source.text.contains('>') || source.text.contains("tee");
        let is_named_once = !writes || source.text.matches(&file.raw).count() == 1;
        if cat.name() != "cat" || !is_file || !is_plain_file || !is_named_once || !takes_files(filter) {
            return None;
        }
        joined(source, cat, filter, &format!("{} < {}", written(source, filter), file.raw))
    },
};

/// Whether a filter prints the same from a file at its input as from a pipe.
fn takes_files(stage: &Stage) -> bool {
    let Some(words) = stage.literals() else { return false };
    match stage.name() {
        // The width of several counts depends on the size of the file.
        "wc" => matches!(
            words.as_slice(),
            ["-l" | "-w" | "-c" | "-m" | "-L" | "--lines" | "--words" | "--bytes" | "--chars"]
        ),
        // With -f it waits for more from a file.
        "tail" => !words.iter().any(|word| {
            word.starts_with("--f")
                || word.starts_with("--re")
                || short_has(word, 'f')
                || short_has(word, 'F')
        }),
        name => FILTERS.contains(&name),
    }
}

fn short_has(word: &str, letter: char) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains(letter)
}

/// `echo text | filter`
pub(crate) const ECHO_INTO: Rule = Rule {
    name: "echo-into-filter",
    why: "one process less",
    assumes: &["the shell is bash"],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (echo, filter) = pair(pipe, at).filter(|_| at == 0)?;
        let [text] = echo.arguments() else { return None };
        let value = text.literal.as_deref()?;
        // What begins with a dash may be an option; a backslash means other things to other shells.
        let is_simple = !value.starts_with('-') && !value.contains('\\');
        if echo.name() != "echo" || !is_simple || !takes_files(filter) {
            return None;
        }
        joined(source, echo, filter, &format!("{} <<< {}", written(source, filter), text.raw))
    },
};

/// `head -n 9 | head -n 5`
pub(crate) const HEAD_TWICE: Rule = Rule {
    name: "head-twice",
    why: "one process less",
    assumes: &[],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let (many, file) = head(first)?;
        let (few, none) = head(second)?;
        if none.is_some() {
            return None;
        }
        let file = file.map(|file| format!(" {file}")).unwrap_or_default();
        joined(source, first, second, &format!("head -n {}{file}", many.min(few)))
    },
};

/// The number of lines and the file of a `head` that prints the first lines of one input.
pub(crate) fn head(stage: &Stage) -> Option<(u64, Option<&str>)> {
    if stage.name() != "head" {
        return None;
    }
    // `-5` is the old way to say `-n 5`.
    let (count, rest) = match stage.arguments() {
        [first, rest @ ..] if first.literal.as_deref().is_some_and(is_old) => {
            (first.literal.as_deref()?[1..].parse().ok()?, rest)
        }
        words => {
            let options = Options::read(words, "n:", &["lines="])?;
            let value = options.given.last().and_then(|(_, value)| value.as_deref()).unwrap_or("10");
            // With a sign or a unit it means something else.
            let count = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())??;
            return match options.operands.as_slice() {
                [] => Some((count, None)),
                [file] => Some((count, Some(file.raw.as_str()))),
                _ => None,
            };
        }
    };
    match rest {
        [] => Some((count, None)),
        [file] if file.literal.as_deref().is_some_and(|name| !name.starts_with('-')) => {
            Some((count, Some(&file.raw)))
        }
        _ => None,
    }
}

fn is_old(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the stage before `at` is the start of the pipeline, or the input comes from a file: what is left of it
/// after the first lines is nobody else's.
pub(crate) fn owns_input(pipe: &Pipe, at: usize, file: Option<&str>) -> bool {
    (file.is_some() && pipe.stages[..at].is_empty())
        || at > 0 && crate::optimize::rules::may_stop_early(pipe, at)
}
