//! Two filters that are one.

use crate::optimize::options::Options;
use crate::optimize::rules::stages::{head, owns_input};
use crate::optimize::rules::{NO_MATCH, READABLE, Rule, Status, TEXT, joined, pair, with_option, written};
use crate::optimize::source::Stage;

/// How a `grep` of one input is called.
struct Grep {
    /// Whether what it prints is just the lines that match.
    prints_lines: bool,
    /// Its file, as it was written.
    file: Option<String>,
    /// Its pattern, if it is given as an operand and no option changes its meaning.
    plain_pattern: Option<String>,
}

const LONG: &[&str] = &[
    "ignore-case",
    "invert-match",
    "word-regexp",
    "line-regexp",
    "fixed-strings",
    "extended-regexp",
    "basic-regexp",
    "perl-regexp",
    "no-messages",
    "text",
    "line-number",
    "no-filename",
    "regexp=",
    "max-count=",
];

fn grep(stage: &Stage) -> Option<Grep> {
    if !matches!(stage.name(), "grep" | "egrep" | "fgrep") {
        return None;
    }
    let options = Options::read(stage.arguments(), "EFGPivwxhsane:m:", LONG)?;
    let mut operands = options.operands.as_slice();
    let mut pattern = None;
    if !options.has(&["e", "regexp"]) {
        let (first, rest) = operands.split_first()?;
        (pattern, operands) = (first.literal.clone(), rest);
    }
    let file = match operands {
        [] => None,
        // A dash is the standard input.
        [file] if file.literal.as_deref() != Some("-") => Some(file.raw.clone()),
        _ => return None,
    };
    let is_plain = stage.name() == "grep" && options.given.is_empty();
    Some(Grep {
        prints_lines: !options.has(&["m", "max-count"]),
        file,
        plain_pattern: pattern.filter(|_| is_plain),
    })
}

/// `grep x file | wc -l`
pub(crate) const GREP_COUNT: Rule = Rule {
    name: "grep-count",
    why: "one process less, and no line is copied",
    assumes: &[TEXT, NO_MATCH],
    status: Status::Changed,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let counts = second.name() == "wc" && matches!(second.literals()?.as_slice(), ["-l"] | ["--lines"]);
        grep(first).filter(|_| counts)?;
        joined(source, first, second, &with_option(source, first, "-c"))
    },
};

/// `grep x file | head -n 5`
pub(crate) const GREP_HEAD: Rule = Rule {
    name: "grep-head",
    why: "one process less, and the rest of the input is not read",
    assumes: &[TEXT, NO_MATCH],
    status: Status::Changed,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let (count, none) = head(second)?;
        let found = grep(first)?;
        let is_first_lines = none.is_none() && count > 0 && found.prints_lines;
        if !is_first_lines || !owns_input(pipe, at, found.file.as_deref()) {
            return None;
        }
        joined(source, first, second, &with_option(source, first, &format!("-m {count}")))
    },
};

/// `grep word file | awk '{ … }'`
pub(crate) const GREP_AWK: Rule = Rule {
    name: "grep-into-awk",
    why: "one process less",
    assumes: &[TEXT, READABLE],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let found = grep(first)?;
        let pattern = found.plain_pattern?;
        // Letters that mean themselves in both kinds of expression.
        let means_itself = |c: char| c.is_ascii_alphanumeric() || " _@%,:=-".contains(c);
        if pattern.is_empty() || pattern.starts_with('-') || !pattern.chars().all(means_itself) {
            return None;
        }
        // awk takes an operand with `=` for an assignment.
        if found.file.as_deref().is_some_and(|file| file.contains('=')) {
            return None;
        }
        let program = awk_action(second)?;
        let before = &source.text[second.span.start..program.span.start];
        let action = program.raw.strip_prefix('\'')?;
        let file = found.file.map(|file| format!(" {file}")).unwrap_or_default();
        joined(source, first, second, &format!("{before}'/{pattern}/{action}{file}"))
    },
};

/// The program of an `awk` that reads its input line by line and does one thing with each.
fn awk_action(stage: &Stage) -> Option<&crate::optimize::source::Word> {
    if !matches!(stage.name(), "awk" | "gawk" | "mawk") {
        return None;
    }
    let options = Options::read(stage.arguments(), "F:", &[])?;
    let [program] = options.operands.as_slice() else { return None };
    let text = program.literal.as_deref()?;
    let is_quoted = program.raw.starts_with('\'') && program.raw.ends_with('\'');
    let counts = [
        "NR", "FNR", "FILENAME", "RS", "getline", "BEGIN", "END", "function", "system", "close", "ARG",
        "next",
    ];
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_one_action = !inner.contains(['{', '}']);
    (is_quoted && is_one_action && !counts.iter().any(|word| text.contains(word))).then_some(*program)
}

/// `sort | uniq`
pub(crate) const SORT_UNIQUE: Rule = Rule {
    name: "sort-unique",
    why: "one process less, and repeated lines are dropped while sorting",
    assumes: &[],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let sorts = first.name() == "sort" && sorts_whole_lines(first, "ru", &["reverse", "unique"]);
        let is_unique = second.name() == "uniq" && second.arguments().is_empty();
        if !sorts || !is_unique || !source.locale.by_bytes || sets_locale(source.text) {
            return None;
        }
        joined(source, first, second, &with_option(source, first, "-u"))
    },
};

/// Without keys, lines are equal only where they are the same.
fn sorts_whole_lines(stage: &Stage, short: &str, long: &[&str]) -> bool {
    Options::read(stage.arguments(), short, long).is_some()
}

/// Whether the text sets the locale of its commands.
fn sets_locale(text: &str) -> bool {
    text.contains("LC_") || text.contains("LANG")
}

/// `sort -u | uniq` and `uniq | uniq`
pub(crate) const UNIQUE_TWICE: Rule = Rule {
    name: "unique-twice",
    why: "one process less",
    assumes: &[],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let is_unique = |stage: &Stage| stage.name() == "uniq" && stage.arguments().is_empty();
        if !is_unique(first) || !is_unique(second) {
            return None;
        }
        joined(source, first, second, &written(source, first))
    },
};

/// `sed s/a/b/ | sed s/c/d/`
pub(crate) const SED_CHAIN: Rule = Rule {
    name: "sed-chain",
    why: "one process less",
    assumes: &[],
    status: Status::FewerStages,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at)?;
        let (one, other) = (Substitution::read(first)?, Substitution::read(second)?);
        if one.is_extended != other.is_extended || !other.files.is_empty() {
            return None;
        }
        let kind = if one.is_extended { " -E" } else { "" };
        let mut text = format!("sed{kind}");
        for script in one.scripts.iter().chain(&other.scripts) {
            text.push_str(" -e ");
            text.push_str(script);
        }
        for file in &one.files {
            text.push(' ');
            text.push_str(file);
        }
        joined(source, first, second, &text)
    },
};

/// A `sed` that only substitutes in each line.
struct Substitution {
    is_extended: bool,
    scripts: Vec<String>,
    files: Vec<String>,
}

impl Substitution {
    fn read(stage: &Stage) -> Option<Self> {
        if stage.name() != "sed" {
            return None;
        }
        let options = Options::read(stage.arguments(), "Ere:", &["regexp-extended", "expression="])?;
        let is_extended = options.has(&["E", "r", "regexp-extended"]);
        let mut operands = options.operands.iter();
        let given: Vec<&str> = options.given.iter().filter_map(|(_, value)| value.as_deref()).collect();
        let scripts = if given.is_empty() {
            let script = operands.next()?;
            is_substitution(script.literal.as_deref()?).then(|| vec![script.raw.clone()])?
        } else {
            given.iter().all(|script| is_substitution(script)).then_some(())?;
            given.iter().map(|script| crate::catalogue::quoted(script)).collect()
        };
        Some(Self { is_extended, scripts, files: operands.map(|file| file.raw.clone()).collect() })
    }
}

/// Whether a script is one `s` command on every line, which makes no new lines and runs nothing.
fn is_substitution(script: &str) -> bool {
    let Some(rest) = script.strip_prefix('s') else { return false };
    let Some(delimiter) = rest.chars().next().filter(|c| "/|#,:@!_".contains(*c)) else { return false };
    let mut parts = vec![String::new()];
    let mut letters = rest[delimiter.len_utf8()..].chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let Some(escaped) = letters.next() else { return false };
                // A line break in the replacement would be two lines for the next sed.
                if escaped == 'n' || escaped == '\n' {
                    return false;
                }
                if let Some(part) = parts.last_mut() {
                    part.extend(['\\', escaped]);
                }
            }
            '\n' => return false,
            // A delimiter between brackets means itself to some and not to others.
            '[' if parts.len() == 1 => return false,
            _ if letter == delimiter => parts.push(String::new()),
            _ => {
                if let Some(part) = parts.last_mut() {
                    part.push(letter);
                }
            }
        }
    }
    let [pattern, _, flags] = parts.as_slice() else { return false };
    // An empty pattern stands for the last one that was used.
    !pattern.is_empty()
        && flags.chars().all(|flag| flag == 'g' || flag == 'i' || flag == 'I' || flag.is_ascii_digit())
}

/// `wc -l file | awk '{print $1}'`
pub(crate) const WC_NUMBER: Rule = Rule {
    name: "wc-number",
    why: "one process less",
    assumes: &[READABLE],
    status: Status::Changed,
    apply: |source, pipe, at| {
        let (first, second) = pair(pipe, at).filter(|_| at == 0)?;
        let [flag, file] = first.arguments() else { return None };
        let counts = matches!(flag.literal.as_deref()?, "-l" | "-w" | "-c" | "-m");
        let is_file = file.literal.as_deref().is_some_and(|name| !name.is_empty() && !name.starts_with('-'));
        let words = second.literals()?;
        let takes_first = match second.name() {
            "awk" | "gawk" | "mawk" => {
                matches!(words.as_slice(), ["{print $1}" | "{ print $1 }" | "{print $1;}"])
            }
            "cut" => matches!(
                words.as_slice(),
                ["-d", " ", "-f", "1"] | ["-d ", "-f1"] | ["-d ", "-f", "1"] | ["-f1", "-d "]
            ),
            _ => false,
        };
        if first.name() != "wc" || !counts || !is_file || !takes_first {
            return None;
        }
        joined(source, first, second, &format!("wc {} < {}", flag.raw, file.raw))
    },
};
