//! `sed`: its scripts can write files and run commands.
//!
//! Written against the GNU sed 4.9 manual, "sed scripts" and "Command-line options".

use crate::analysis::effects::{Access, Call, runs_code, touch, touch_pattern};
use crate::analysis::expand::Arg;
use crate::analysis::paths;
use crate::analysis::types::{CommandEffects, PathPattern, Risk};
use crate::analysis::walk::Walker;

/// What a script does besides printing.
#[derive(Debug, Default, PartialEq)]
struct Script {
    reads: Vec<String>,
    writes: Vec<String>,
    executes: bool,
}

/// Adds what `sed` does.
pub(crate) fn apply(walker: &mut Walker<'_>, call: &Call<'_>, effects: &mut CommandEffects) {
    if call.asks_about_itself() {
        return;
    }
    let (mut scripts, mut files, mut in_place) = (Vec::new(), Vec::new(), None);
    let mut from_option = false;
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        if arg.may_be_option() {
            effects.touches_anything();
            effects.doubt(format!("`{}` may be an option or a script.", arg.text));
            files.push(arg.clone());
            continue;
        }
        match arg.prefix.as_str() {
            "--" => {}
            "-e" | "--expression" => {
                scripts.extend(args.next().cloned());
                from_option = true;
            }
            "-f" | "--file" => {
                if let Some(file) = args.next() {
                    runs_code(effects, &format!("the sed script `{}`", file.text));
                    touch(walker, effects, Access::Read, file);
                    effects.touches_anything();
                    effects.doubt("A sed script can write files and run commands.");
                }
                from_option = true;
            }
            "-l" | "--line-length" => {
                args.next();
            }
            text if text.starts_with("--expression=") => {
                scripts.extend(arg.strip("--expression="));
                from_option = true;
            }
            text if text.starts_with("--in-place") => {
                in_place = arg.strip("--in-place=").or_else(|| Some(Arg::literal("")));
            }
            "--quiet" | "--silent" | "--regexp-extended" | "--separate" | "--unbuffered" | "--null-data"
            | "--posix" | "--debug" | "--sandbox" | "--follow-symlinks" => {}
            text if text.starts_with('-') && !text.starts_with("--") && text.len() > 1 => {
                let flags = &text[1..];
                let stop = flags.find(|c: char| !"nErsuz".contains(c)).unwrap_or(flags.len());
                match flags[stop..].chars().next() {
                    None => {}
                    Some('i') => in_place = arg.strip(&text[..stop + 2]),
                    Some('e') => {
                        let rest = arg.strip(&text[..stop + 2]).filter(|rest| !rest.text.is_empty());
                        scripts.extend(rest.or_else(|| args.next().cloned()));
                        from_option = true;
                    }
                    Some(other) => effects.doubt(format!("The option `-{other}` is not described.")),
                }
            }
            text if text.starts_with("--") => effects.doubt(format!("The option `{text}` is not described.")),
            _ => files.push(arg.clone()),
        }
    }
    if !from_option && !files.is_empty() {
        scripts.push(files.remove(0));
    }
    for script in &scripts {
        apply_script(walker, script, effects);
    }
    for file in &files {
        touch(walker, effects, if in_place.is_some() { Access::Change } else { Access::Read }, file);
        if let Some(suffix) = in_place.as_ref().filter(|suffix| !suffix.text.is_empty()) {
            backup(walker, file, suffix, effects);
        }
    }
}

/// The copy that `-i` keeps of a file: its name and the suffix, or the suffix with the name for each star in it.
fn backup(walker: &Walker<'_>, file: &Arg, suffix: &Arg, effects: &mut CommandEffects) {
    let mut path = walker.path(file);
    let below = path.0.ends_with("/**");
    match suffix.as_literal() {
        Some(known) if !known.contains(['*', '/']) => {
            if !path.is_anything() && !below {
                path.0.push_str(&paths::escape(known));
            }
        }
        // With a slash it names another directory.
        Some(known) if !known.contains('/') && !path.is_anything() => {
            let folder = path.0.rfind('/').map_or(0, |at| at + 1);
            if !below {
                path.0.truncate(folder);
                path.0.push('*');
            }
        }
        _ => path = PathPattern::anything(),
    }
    touch_pattern(effects, Access::Write, path);
}

fn apply_script(walker: &Walker<'_>, script: &Arg, effects: &mut CommandEffects) {
    match script.as_literal().and_then(read) {
        Some(known) => {
            for file in &known.reads {
                touch(walker, effects, Access::Read, &Arg::literal(file.as_str()));
            }
            for file in &known.writes {
                touch(walker, effects, Access::Write, &Arg::literal(file.as_str()));
            }
            if known.executes {
                effects.touches_anything();
                runs_code(effects, "commands of the sed script");
                effects.doubt("The sed script runs commands.");
                effects.find(Risk::High, "Text runs as a command.");
            }
        }
        None => {
            effects.touches_anything();
            effects.doubt(format!(
                "The sed script `{}` is not understood; it may write or run anything.",
                script.text
            ));
        }
    }
}

/// Reads a script; `None` if any part of it is not understood.
fn read(script: &str) -> Option<Script> {
    let mut out = Script::default();
    let mut rest = script;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', ';', '}']);
        if rest.is_empty() {
            return Some(out);
        }
        rest = addresses(rest)?.trim_start().trim_start_matches('!').trim_start();
        let command = rest.chars().next()?;
        rest = &rest[command.len_utf8()..];
        rest = match command {
            '{' | '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z' | 'F' => rest,
            '#' => line(rest).1,
            'q' | 'Q' | 'l' | 'L' => rest.trim_start_matches(|c: char| c == ' ' || c.is_ascii_digit()),
            ':' | 'b' | 't' | 'T' => {
                let end = rest.find(['\n', ';', '}']).unwrap_or(rest.len());
                &rest[end..]
            }
            'a' | 'i' | 'c' => text(rest),
            'r' | 'R' => file(rest, &mut out.reads),
            'w' | 'W' => file(rest, &mut out.writes),
            'e' => {
                out.executes = true;
                line(rest).1
            }
            's' => substitute(rest, &mut out)?,
            'y' => {
                let (_, after) = delimited(rest)?;
                after
            }
            _ => return None,
        };
    }
}

fn line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

fn file<'a>(rest: &'a str, files: &mut Vec<String>) -> &'a str {
    let (name, after) = line(rest);
    files.push(name.trim_start().to_owned());
    after
}

/// The text of `a`, `i` and `c`: to the end of the line, on which a backslash joins the next one.
fn text(mut rest: &str) -> &str {
    loop {
        let (first, after) = line(rest);
        if !first.ends_with('\\') || after.is_empty() {
            return after;
        }
        rest = after;
    }
}

fn addresses(mut rest: &str) -> Option<&str> {
    loop {
        rest = match rest.chars().next()? {
            c if c.is_ascii_digit() || "$,~+ \t".contains(c) => &rest[1..],
            '/' => delimited_once(&rest[1..], '/')?.1.trim_start_matches(['I', 'M']),
            '\\' => {
                let mark = rest[1..].chars().next()?;
                delimited_once(&rest[1 + mark.len_utf8()..], mark)?.1.trim_start_matches(['I', 'M'])
            }
            _ => return Some(rest),
        };
        if rest.is_empty() {
            return None;
        }
    }
}

/// Up to a delimiter that is neither escaped nor in a bracket expression.
fn delimited_once(text: &str, mark: char) -> Option<(&str, &str)> {
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            _ if c == mark => return Some((&text[..at], &text[at + c.len_utf8()..])),
            _ => {}
        }
    }
    None
}

/// Two parts between three delimiters.
fn delimited(rest: &str) -> Option<(char, &str)> {
    let mark = rest.chars().next().filter(|mark| *mark != '\\' && *mark != '\n')?;
    let (_, rest) = delimited_once(&rest[mark.len_utf8()..], mark)?;
    let (_, rest) = delimited_once(rest, mark)?;
    Some((mark, rest))
}

fn substitute<'a>(rest: &'a str, out: &mut Script) -> Option<&'a str> {
    // A delimiter in a bracket expression ends the pattern for some programs and not for others.
    let mark = rest.chars().next()?;
    let (pattern, _) = delimited_once(&rest[mark.len_utf8()..], mark)?;
    if pattern.contains('[') && !pattern.contains(']') {
        return None;
    }
    let (_, mut rest) = delimited(rest)?;
    loop {
        match rest.chars().next() {
            Some('g' | 'p' | 'i' | 'I' | 'm' | 'M' | '0'..='9') => rest = &rest[1..],
            Some('e') => {
                out.executes = true;
                rest = &rest[1..];
            }
            Some('w') => return Some(file(&rest[1..], &mut out.writes)),
            Some(' ' | '\t' | '\n' | ';' | '}' | '#') | None => return Some(rest),
            Some(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_scripts_are_told_from_others() {
        for script in [
            "s/a/b/g",
            "1,10p",
            "/x/d",
            "$!N;P;D",
            "s|a|b|;s#c#d#2",
            "/a/,/b/{s/x/y/;p}",
            "5q",
            "y/abc/xyz/",
            "1!G;h;$!d",
            ":a;N;$!ba;s/\\n/ /g",
            "\\,x,d",
            "/foo/I!p",
            "s/e/w/",
            "a\\ text w e",
            "0~3d",
            "s/[w]/e/",
        ] {
            assert_eq!(read(script), Some(Script::default()), "{script}");
        }
    }

    #[test]
    fn scripts_that_write_or_run_say_so() {
        for script in ["e", "1e id", "s/a/id/e", "s/a/b/ge", "s/a/b/eg;p", "/x/{s/a/id/e}"] {
            assert!(read(script).unwrap().executes, "{script}");
        }
        for script in ["w out", "s/a/b/w out", "1,3w out", "/x/W out", "s/a/b/gw out"] {
            assert_eq!(read(script).unwrap().writes, ["out"], "{script}");
        }
        assert_eq!(read("r /etc/passwd").unwrap().reads, ["/etc/passwd"]);
        for script in ["s/a/b", "k", "s/a/b/x", "s/[/e;id/", "M"] {
            assert_eq!(read(script), None, "{script}");
        }
    }
}
