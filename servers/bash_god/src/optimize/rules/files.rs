//! Less of a file is read, and fewer processes are started for many files.

use crate::optimize::Edit;
use crate::optimize::rules::stages::owns_input;
use crate::optimize::rules::{Rule, Status, joined, pair};
use crate::optimize::source::{Stage, Word};

/// The number in `before N after`, at least 1.
fn number(text: &str, before: &str, after: &str) -> Option<u64> {
    let digits = text.strip_prefix(before)?.strip_suffix(after)?;
    let is_number =
        !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// The script of `sed -n SCRIPT [FILE]`, and the file as it was written.
fn quiet_sed(stage: &Stage) -> Option<(&Word, Option<&str>)> {
    let [flag, script, rest @ ..] = stage.arguments() else { return None };
    let is_quiet =
        stage.name() == "sed" && matches!(flag.literal.as_deref(), Some("-n" | "--quiet" | "--silent"));
    let file = match rest {
        [] => None,
        [file] if file.literal.as_deref().is_some_and(|name| !name.starts_with('-')) => {
            Some(file.raw.as_str())
        }
        _ => return None,
    };
    is_quiet.then_some((script, file))
}

/// Other words for a command, its redirections kept.
fn replaced(stage: &Stage, text: String) -> Option<Edit> {
    let first = stage.words.first()?;
    Some(Edit { span: first.span.start..stage.words_end(), text })
}

/// `sed -n 1,10p file`
pub(crate) const SED_HEAD: Rule = Rule {
    name: "sed-head",
    why: "reading stops after the last line that is wanted",
    assumes: &[],
    status: Status::FewerStages,
    apply: |_source, pipe, at| {
        let stage = &pipe.stages[at];
        let (script, file) = quiet_sed(stage)?;
        let count = number(script.literal.as_deref()?, "1,", "p")?;
        if !owns_input(pipe, at, file) {
            return None;
        }
        let file = file.map(|file| format!(" {file}")).unwrap_or_default();
        replaced(stage, format!("head -n {count}{file}"))
    },
};

/// `sed -n 5p file`
pub(crate) const SED_QUIT: Rule = Rule {
    name: "sed-quit",
    why: "reading stops at the line that is wanted",
    assumes: &["sed is GNU's"],
    status: Status::FewerStages,
    apply: |_source, pipe, at| {
        let stage = &pipe.stages[at];
        let (script, file) = quiet_sed(stage)?;
        let line = number(script.literal.as_deref()?, "", "p")?;
        if !owns_input(pipe, at, file) {
            return None;
        }
        let file = file.map(|file| format!(" {file}")).unwrap_or_default();
        // `q` would end a last line that has no end; `Q`, of GNU's sed, leaves it as it is.
        replaced(stage, format!("sed -n '{line}{{p;Q}}'{file}"))
    },
};

/// `awk NR==5 file`
pub(crate) const AWK_QUIT: Rule = Rule {
    name: "awk-quit",
    why: "reading stops at the line that is wanted",
    assumes: &[],
    status: Status::FewerStages,
    apply: |_source, pipe, at| {
        let stage = &pipe.stages[at];
        let (program, file) = match stage.arguments() {
            [program] => (program, None),
            [program, file] if file.literal.as_deref().is_some_and(|name| !name.contains('=')) => {
                (program, Some(file.raw.as_str()))
            }
            _ => return None,
        };
        let text: String = program.literal.as_deref()?.split_whitespace().collect();
        let line = number(&text, "NR==", "").or_else(|| number(&text, "NR==", "{print}"))?;
        if !matches!(stage.name(), "awk" | "gawk" | "mawk") || !owns_input(pipe, at, file) {
            return None;
        }
        let file = file.map(|file| format!(" {file}")).unwrap_or_default();
        replaced(stage, format!("{} 'NR=={line}{{print;exit}}'{file}", stage.words[0].raw))
    },
};

/// Commands that do the same with many operands as with one after another, and read no input when they have any.
fn is_per_operand(words: &[&str], names_files: bool) -> bool {
    let only = |allowed: &[&str]| words[1..].iter().all(|word| allowed.contains(word));
    match words {
        ["cat", ..] => only(&["--"]),
        ["md5sum" | "sha1sum" | "sha256sum" | "sha512sum" | "cksum" | "b2sum", ..] => only(&["--", "-b"]),
        ["touch", ..] => only(&["-c", "-m", "-a", "--"]),
        ["chmod" | "chown" | "chgrp", mode] => !mode.starts_with('-'),
        ["rm", ..] => names_files && only(&["-f", "--"]),
        ["grep", rest @ ..] => greps_per_file(rest),
        _ => false,
    }
}

/// A `grep` that prints the same for each file whether or not there are others.
fn greps_per_file(words: &[&str]) -> bool {
    let mut names = false;
    let mut operands = 0;
    for word in words {
        match word.strip_prefix('-') {
            Some(letters)
                if !word.starts_with("--")
                    && letters.bytes().all(|letter| b"lLHhinvwxEFs".contains(&letter)) =>
            {
                names |= letters.contains(['l', 'L', 'H', 'h']);
            }
            Some(_) => return false,
            None => operands += 1,
        }
    }
    names && operands == 1
}

/// Whether the words before an action of `find` only test, so that nothing happens to a file but that action.
fn only_tests(words: &[&str]) -> bool {
    const STOP: [&str; 6] = ["-o", "-or", ",", "!", "-not", "("];
    const ACTS: [&str; 10] =
        ["-exec", "-execdir", "-ok", "-okdir", "-delete", "-print", "-print0", "-printf", "-ls", "-quit"];
    !words.iter().any(|word| {
        STOP.contains(word) || ACTS.contains(word) || word.starts_with("-fp") || word.starts_with("-fl")
    })
}

fn names_plain_files(words: &[&str]) -> bool {
    words.windows(2).any(|pair| pair == ["-type", "f"])
}

/// `find … -exec program {} \;`
pub(crate) const EXEC_PLUS: Rule = Rule {
    name: "exec-plus",
    why: "one process for many files instead of one for each",
    assumes: &["the exit code is that of the programs too: 1 where one of them fails (it was 0)"],
    status: Status::Changed,
    apply: |_source, pipe, at| {
        let stage = &pipe.stages[at];
        if stage.name() != "find" {
            return None;
        }
        let words = stage.literals()?;
        let exec = words.iter().position(|word| *word == "-exec")?;
        let [program @ .., "{}", ";"] = &words[exec + 1..] else { return None };
        if program.is_empty() || program.contains(&"{}") || !only_tests(&words[..exec]) {
            return None;
        }
        if !is_per_operand(program, names_plain_files(&words[..exec])) {
            return None;
        }
        let last = stage.words.last()?;
        Some(Edit { span: last.span.clone(), text: "+".to_owned() })
    },
};

/// `find … | xargs program`
pub(crate) const XARGS_ZERO: Rule = Rule {
    name: "xargs-zero",
    why: "names with blanks or quotes stay whole: nothing is faster",
    assumes: &["no name holds a blank, a quote or a backslash: the form before takes such names apart"],
    status: Status::Kept,
    apply: |source, pipe, at| {
        let (find, xargs) = pair(pipe, at)?;
        if find.name() != "find" || xargs.name() != "xargs" || !find.is_plain {
            return None;
        }
        let tests = find.literals()?;
        let options = leading_options(xargs)?;
        let splits = options.iter().any(|word| {
            matches!(
                word.as_bytes().get(1),
                Some(b'0' | b'd' | b'I' | b'i' | b'L' | b'l' | b'E' | b'e' | b'a' | b'-')
            )
        });
        if !only_tests(&tests) || splits {
            return None;
        }
        let (end, name) = (find.words_end(), &xargs.words[0].span);
        let between = &source.text[end..name.end];
        Some(Edit { span: end..name.end, text: format!(" -print0{between} -0") })
    },
};

/// The options of `xargs` before its program.
fn leading_options(stage: &Stage) -> Option<Vec<&str>> {
    let words = stage.arguments().iter().map(|word| word.literal.as_deref());
    words.take_while(|word| word.is_none_or(|word| word.starts_with('-'))).collect()
}

/// `find … -print0 | xargs -0 -r program`
pub(crate) const XARGS_EXEC: Rule = Rule {
    name: "xargs-exec",
    why: "one process less",
    assumes: &["the exit code is 1 where the program fails (it was 123)"],
    status: Status::Changed,
    apply: |source, pipe, at| {
        let (find, xargs) = pair(pipe, at)?;
        let words = find.literals()?;
        let (last, tests) = words.split_last()?;
        let is_find = find.name() == "find" && *last == "-print0" && only_tests(tests) && !tests.is_empty();
        let given = xargs.literals()?;
        let program = match given.as_slice() {
            ["-0r" | "-r0", program @ ..] => program,
            ["-0", "-r", program @ ..] | ["-r", "-0", program @ ..] => program,
            _ => return None,
        };
        let is_program = xargs.name() == "xargs" && !program.is_empty() && !program.contains(&"{}");
        if !is_find || !is_program || !is_per_operand(program, names_plain_files(tests)) {
            return None;
        }
        let print = find.words.last()?.span.start;
        let first = &xargs.words[xargs.words.len() - program.len()];
        let program = &source.text[first.span.start..xargs.words_end()];
        let find = &source.text[find.span.start..print];
        joined(source, &pipe.stages[at], xargs, &format!("{find}-exec {program} {{}} +"))
    },
};
