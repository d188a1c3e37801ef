//! The same command in a form that fails more safely.
//!
//! Each change keeps what the command does in the cases that its writer had in mind: a quote keeps one word
//! one word, `--` ends the options, a NUL separates names that hold spaces.

use crate::analysis::syntax::script::{Node, Script, Simple, Unit, Word};

/// A safer form of a command, if one is known and it differs.
pub(crate) fn form(command: &str, script: &Script) -> Option<String> {
    // A form is built from the words, so it is offered only where nothing else stands between them.
    let [(only, _)] = script.items.as_slice() else { return None };
    let parts: Vec<&Simple> = match only {
        Node::Simple(simple) => vec![simple],
        Node::Pipeline(parts) => parts
            .iter()
            .map(|part| if let Node::Simple(simple) = part { Some(simple) } else { None })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    let written: Vec<String> = parts.iter().map(|simple| plain(simple)).collect::<Option<_>>()?;
    if written.join(" | ") != command.split_whitespace().collect::<Vec<_>>().join(" ") {
        return None;
    }
    let names: Vec<Option<String>> = parts.iter().map(|simple| simple.words[0].fixed()).collect();
    let mut out = Vec::new();
    for (at, simple) in parts.iter().enumerate() {
        let next = names.get(at + 1).cloned().flatten();
        let previous = at.checked_sub(1).and_then(|at| names[at].clone());
        out.push(safer(simple, previous.as_deref(), next.as_deref()));
    }
    let out = out.join(" | ");
    (out != written.join(" | ")).then_some(out)
}

/// A command as its words, if it has nothing else.
fn plain(simple: &Simple) -> Option<String> {
    let only_words = simple.assignments.is_empty() && simple.redirects.is_empty() && !simple.words.is_empty();
    let words: Vec<&str> = simple.words.iter().map(|word| word.raw.as_str()).collect();
    only_words.then(|| words.join(" "))
}

/// Programs whose operands are files, which understand `--`, and which lose data when a word splits.
const CAREFUL: &[&str] = &["rm", "mv", "cp", "rmdir", "chmod", "chown", "ln", "touch", "mkdir"];

fn safer(simple: &Simple, previous: Option<&str>, next: Option<&str>) -> String {
    let name = simple.words[0].fixed().unwrap_or_default();
    let mut words: Vec<String> = simple.words.iter().map(|word| word.raw.clone()).collect();
    if CAREFUL.contains(&name.as_str()) {
        let mut risky = false;
        for (raw, word) in words.iter_mut().zip(&simple.words).skip(1) {
            risky |= may_be_option(word);
            *raw = quoted(&name, word);
        }
        if risky && !words.iter().any(|word| word == "--") {
            let at = 1 + words[1..].iter().take_while(|word| word.starts_with('-')).count();
            words.insert(at, "--".to_owned());
        }
        let recursive = words[1..]
            .iter()
            .any(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R']));
        let dangerous = simple.words[1..]
            .iter()
            .any(|word| may_be_option(word) || word.raw.starts_with(['/', '~', '"', '$']));
        if name == "rm" && recursive && dangerous && !words.iter().any(|word| word.contains("preserve-root"))
        {
            words.insert(1, "--preserve-root".to_owned());
        }
    }
    if name == "find"
        && next == Some("xargs")
        && !words.iter().any(|word| word.starts_with("-print") || word.starts_with("-exec"))
    {
        words.push("-print0".to_owned());
    }
    let zero = |word: &String| {
        word.starts_with('-') && !word.starts_with("--") && word.contains('0') || word == "--null"
    };
    if name == "xargs" && previous == Some("find") && !words[1..].iter().any(zero) {
        words.insert(1, "-0".to_owned());
    }
    words.join(" ")
}

/// Whether a word may turn out to start with a dash.
fn may_be_option(word: &Word) -> bool {
    matches!(word.units.first(), Some(Unit::Plain('*' | '?' | '[') | Unit::Parameter(_) | Unit::Command(..)))
}

/// A word in double quotes, if it is one variable or substitution with plain text after it.
fn quoted(name: &str, word: &Word) -> String {
    let open = word.units.iter().any(|unit| match unit {
        Unit::Parameter(parameter) => !parameter.quoted,
        Unit::Command(_, quoted) => !quoted,
        Unit::Plain(_) | Unit::Quoted(_) | Unit::Process(_) | Unit::Arithmetic(_) => false,
    });
    let has_glob = word.units.iter().any(|unit| matches!(unit, Unit::Plain('*' | '?' | '[' | '{' | '~')));
    if !open && name != "rm" || word.raw.contains(['\'', '\\', '`']) || has_glob {
        return word.raw.clone();
    }
    let mut raw = word.raw.clone();
    if open && !raw.contains('"') {
        raw = format!("\"{raw}\"");
    }
    // An empty variable in front of a slash would make the path start at the root.
    if let (true, Some(Unit::Parameter(first))) = (name == "rm" && raw.contains('/'), word.units.first())
        && first.operator.is_empty()
        && first.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        let braced = format!("${{{}}}", first.name);
        let bare = format!("${}", first.name);
        let from = if raw.contains(&braced) { &braced } else { &bare };
        raw = raw.replacen(from.as_str(), &format!("${{{}:?}}", first.name), 1);
    }
    raw
}

#[cfg(test)]
mod tests {
    use crate::analysis::{Context, analyse};

    fn safer(command: &str) -> Option<String> {
        analyse(command, &Context::new("/srv/project", "/home/user")).safer
    }

    #[test]
    fn a_safer_form_keeps_the_meaning() {
        for (command, form) in [
            ("rm $file", "rm -- \"$file\""),
            ("rm *", "rm -- *"),
            ("rm -rf $X/", "rm --preserve-root -rf -- \"${X:?}/\""),
            ("cp $a $b", "cp -- \"$a\" \"$b\""),
            ("find . -name '*.o' | xargs rm", "find . -name '*.o' -print0 | xargs -0 rm"),
        ] {
            assert_eq!(safer(command).as_deref(), Some(form), "{command}");
        }
        for command in ["rm -- \"$file\"", "ls", "rm -r build", "find . -print0 | xargs -0 rm", "rm a; rm $b"]
        {
            assert_eq!(safer(command), None, "{command}");
        }
    }
}
