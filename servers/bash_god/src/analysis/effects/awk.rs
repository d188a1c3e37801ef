//! `awk`: its programs can run commands and write files.
//!
//! Written against POSIX.1-2024, awk, "Output Statements" and "Input/Output and General Functions", and the
//! gawk 5.3 manual for what it adds.

use crate::analysis::effects::{Access, Call, runs_code, touch};
use crate::analysis::expand::Arg;
use crate::analysis::types::{CommandEffects, Risk};
use crate::analysis::walk::Walker;

/// What an awk program does besides printing.
#[derive(Debug, Default, PartialEq)]
struct Program {
    writes: Vec<String>,
    /// It runs commands, or reads or writes files whose names are made while it runs.
    unclear: bool,
}

/// Adds what `awk` does.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let mut program = None;
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if program.is_none() {
            match arg.prefix.as_str() {
                "-F" | "-v" | "--field-separator" | "--assign" => {
                    args.next();
                    continue;
                }
                "--" => continue,
                text if text.starts_with("-F")
                    || text.starts_with("-v")
                    || text.starts_with("--field-separator=") =>
                {
                    continue;
                }
                "--posix" | "--traditional" | "-S" | "--sandbox" | "--re-interval" | "-P" | "-c" => continue,
                text if text.starts_with('-') => {
                    effects.touches_anything();
                    runs_code(effects, "an awk program from a file or an extension");
                    return effects.doubt(format!("The option `{text}` loads code or changes files."));
                }
                _ => {}
            }
            program = Some(arg);
            apply_program(walker, arg, effects);
        } else if !is_assignment(arg) {
            touch(walker, effects, Access::Read, arg);
        }
    }
}

fn is_assignment(arg: &Arg) -> bool {
    arg.prefix.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}

fn apply_program(walker: &Walker<'_>, arg: &Arg, effects: &mut CommandEffects) {
    let Some(text) = arg.as_literal() else {
        effects.touches_anything();
        effects.doubt(format!("The awk program `{}` is not known; it may run or write anything.", arg.text));
        return;
    };
    let program = read(text);
    for file in &program.writes {
        touch(walker, effects, Access::Write, &Arg::literal(file.as_str()));
    }
    if program.unclear {
        effects.touches_anything();
        runs_code(effects, "what the awk program makes up");
        effects.doubt("The awk program runs commands, or opens files whose names it makes up.");
        effects.find(Risk::High, "Text runs as a command.");
    }
}

/// A part of an awk program.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Regex,
    Mark(char),
    /// A new line, `;`, `{` or `}`.
    End,
}

fn read(text: &str) -> Program {
    let mut out = Program::default();
    let Some(tokens) = tokens(text) else { return Program { unclear: true, ..out } };
    let (mut printing, mut depth) = (false, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(word) => match word.as_str() {
                "system" | "getline" | "close" | "fflush" | "ENVIRON_RUN" | "eval" => out.unclear = true,
                "ARGV" | "ARGC" => out.unclear = true,
                "print" | "printf" => (printing, depth) = (true, 0),
                _ => {}
            },
            // `@f()` calls what a string names; `@load` and `@include` load code.
            Token::Mark('@') => out.unclear = true,
            Token::Mark('|') => {
                let double = tokens.get(at + 1) == Some(&Token::Mark('|'))
                    || at > 0 && tokens[at - 1] == Token::Mark('|');
                out.unclear |= !double;
            }
            Token::Mark('(') => depth += 1,
            Token::Mark(')') => depth = depth.saturating_sub(1),
            Token::Mark('>') if printing && depth == 0 => match (tokens.get(at + 1), tokens.get(at + 2)) {
                (Some(Token::Mark('>')), _) => {}
                (Some(Token::Text(file)), None | Some(Token::End)) => out.writes.push(file.clone()),
                _ => out.unclear = true,
            },
            Token::End => printing = false,
            Token::Mark(_) | Token::Text(_) | Token::Regex => {}
        }
    }
    out.writes.retain(|file| file != "/dev/stdout" && file != "/dev/stderr");
    out
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            '"' => {
                let (string, after) = string(&rest[1..])?;
                out.push(Token::Text(string));
                rest = after;
            }
            '/' if regex_may_start(out.last()) => {
                rest = regex(&rest[1..])?;
                out.push(Token::Regex);
            }
            '#' => rest = rest.split_once('\n').map_or("", |(_, after)| after),
            '\n' | ';' | '{' | '}' => {
                out.push(Token::End);
                rest = &rest[1..];
            }
            _ if c.is_whitespace() => rest = &rest[c.len_utf8()..],
            // Joined lines.
            '\\' => rest = rest[1..].strip_prefix('\n')?,
            _ if c.is_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                out.push(Token::Word(rest[..end].to_owned()));
                rest = &rest[end..];
            }
            _ => {
                out.push(Token::Mark(c));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Some(out)
}

/// A slash divides after a value, and opens a regular expression elsewhere.
fn regex_may_start(last: Option<&Token>) -> bool {
    match last {
        None | Some(Token::End) => true,
        Some(Token::Word(word)) => matches!(word.as_str(), "print" | "printf" | "return" | "in" | "case"),
        Some(Token::Text(_) | Token::Regex) => false,
        Some(Token::Mark(c)) => !matches!(c, ')' | ']' | '$'),
    }
}

fn string(rest: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((out, &rest[at + 1..])),
            '\\' => out.extend(characters.next().map(|(_, c)| c)),
            '\n' => return None,
            _ => out.push(c),
        }
    }
    None
}

fn regex(rest: &str) -> Option<&str> {
    let mut characters = rest.char_indices();
    let mut bracket = false;
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '[' => bracket = true,
            ']' => bracket = false,
            '\n' => return None,
            // Programs differ on a slash in brackets.
            '/' if bracket => return None,
            '/' => return Some(&rest[at + 1..]),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_only_print_are_harmless() {
        for text in [
            "{print $1}",
            "NR>5",
            "$3 > 10 {print $1, $2}",
            "/a|b/ {n++} END {print n}",
            "BEGIN{FS=\":\"} {print $NF}",
            "{ if ($1 > 3 || $2 < 4) print }",
            "{printf \"%s | %s\\n\", $1, $2}",
            "{s+=$1/2} END{print s/NR}",
            "!seen[$0]++",
            "{print ($1 > 2)}",
            "{print > \"/dev/stderr\"}",
            "{ x = $1 > 5 ? 1 : 0; print x }",
        ] {
            assert_eq!(read(text), Program::default(), "{text}");
        }
    }

    #[test]
    fn programs_that_run_or_write_say_so() {
        for text in [
            "BEGIN{system(\"id\")}",
            "{print | \"sh\"}",
            "BEGIN{\"id\" | getline x}",
            "{print > $1}",
            "@load \"x\"",
            "BEGIN{f=\"system\"; @f(\"id\")}",
            "{print > \"a\" $1}",
            "/[/]/ {system(1)}",
            "{while ((getline l < \"f\") > 0) n++}",
        ] {
            assert!(read(text).unclear, "{text}");
        }
        assert_eq!(read("{print $1 > \"out\"}").writes, ["out"]);
        assert_eq!(read("{print >> \"out\"}").writes, ["out"]);
    }
}
