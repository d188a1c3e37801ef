//! From a word to the arguments that a program receives, as far as the text shows them.

use crate::analysis::limits::{MAX_BRACES, MAX_VALUES};
use crate::analysis::scope::{Scope, Value};
use crate::analysis::syntax::script::{Parameter, Unit, Word};

/// How much of an argument is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of it.
    Literal,
    /// It is one or more names that match a pattern.
    Glob,
    /// Only its start, if anything.
    Dynamic,
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arg {
    /// The text, the pattern, or the source of what is not known.
    pub(crate) text: String,
    pub(crate) form: Form,
    /// The start that is certain: all of a literal, the part before the first unknown character otherwise.
    pub(crate) prefix: String,
    /// Whether it may become several arguments, or none.
    pub(crate) splits: bool,
}

impl Arg {
    /// An argument that is known.
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { prefix: text.clone(), text, form: Form::Literal, splits: false }
    }

    /// Any number of arguments of which nothing is known.
    pub(crate) fn unknown(source: &str) -> Self {
        Self { text: source.to_owned(), form: Form::Dynamic, prefix: String::new(), splits: true }
    }

    /// The text, if it is known.
    pub(crate) fn as_literal(&self) -> Option<&str> {
        (self.form == Form::Literal).then_some(self.text.as_str())
    }

    /// Whether a program may take it for an option although it does not look like one.
    pub(crate) fn may_be_option(&self) -> bool {
        match self.form {
            Form::Literal => false,
            Form::Glob | Form::Dynamic => self.prefix.is_empty(),
        }
    }

    /// The rest after a prefix that is certain, in the same form.
    pub(crate) fn strip(&self, prefix: &str) -> Option<Self> {
        let rest = self.prefix.strip_prefix(prefix)?;
        let text = self.text.strip_prefix(prefix).unwrap_or(&self.text);
        Some(Self { text: text.to_owned(), prefix: rest.to_owned(), ..self.clone() })
    }
}

/// A character on its way to an argument.
#[derive(Clone, Debug)]
enum Piece {
    /// May be a glob character.
    Open(char),
    /// Means itself.
    Closed(char),
    /// The end of an argument.
    Break,
    /// Text that is not known; whether it may hold breaks.
    Unknown(bool),
    /// A number.
    Number,
    /// Keeps an empty argument alive: `""`.
    Empty,
}

/// The arguments that a word becomes.
pub(crate) fn arguments(word: &Word, scope: &Scope) -> Vec<Arg> {
    if let Some(text) = simple(word) {
        return vec![Arg::literal(text)];
    }
    let Some(alternatives) = braces(&word.units, 0) else {
        return vec![Arg::unknown(&word.raw)];
    };
    let quotes = word.raw.contains(['"', '\'']);
    let mut out = Vec::new();
    for units in &alternatives {
        let mut pieces = if quotes { vec![Piece::Empty] } else { Vec::new() };
        resolve(units, scope, &mut pieces);
        split(&pieces, &word.raw, &mut out);
    }
    out
}

/// The value of an assignment, or the target of a redirection: never split; braces stay.
pub(crate) fn value(word: &Word, scope: &Scope) -> Arg {
    if let Some(text) = simple(word) {
        return Arg::literal(text);
    }
    let mut pieces = Vec::new();
    resolve(&word.units, scope, &mut pieces);
    let mut out = Vec::new();
    pieces.retain(|piece| !matches!(piece, Piece::Break));
    if pieces.is_empty() {
        return Arg::literal("");
    }
    split(&pieces, &word.raw, &mut out);
    out.pop().unwrap_or_else(|| Arg::unknown(&word.raw))
}

/// The text of a word on which the shell does nothing.
fn simple(word: &Word) -> Option<String> {
    let mut text = String::with_capacity(word.raw.len());
    for (at, unit) in word.units.iter().enumerate() {
        match unit {
            Unit::Quoted(c) => text.push(*c),
            Unit::Plain('~') if at == 0 => return None,
            Unit::Plain('*' | '?' | '{' | '(') => return None,
            Unit::Plain('[') if word.raw.contains(']') => return None,
            Unit::Plain(c) => text.push(*c),
            Unit::Parameter(_) | Unit::Command(..) | Unit::Process(_) | Unit::Arithmetic(_) => return None,
        }
    }
    Some(text)
}

fn resolve(units: &[Unit], scope: &Scope, out: &mut Vec<Piece>) {
    let mut units = tilde(units, scope, out).iter();
    for unit in units.by_ref() {
        match unit {
            Unit::Plain('(' | ')') => out.push(Piece::Unknown(true)),
            Unit::Plain(c) => out.push(Piece::Open(*c)),
            Unit::Quoted(c) => out.push(Piece::Closed(*c)),
            Unit::Parameter(parameter) => resolve_parameter(parameter, scope, out),
            Unit::Command(_, quoted) => out.push(Piece::Unknown(!quoted)),
            Unit::Process(_) => out.extend("/dev/fd/63".chars().map(Piece::Closed)),
            Unit::Arithmetic(_) => out.push(Piece::Number),
        }
    }
}

/// Expands a tilde at the start and returns the units after it.
fn tilde<'a>(units: &'a [Unit], scope: &Scope, out: &mut Vec<Piece>) -> &'a [Unit] {
    if !matches!(units.first(), Some(Unit::Plain('~'))) {
        return units;
    }
    let end = units.iter().position(|unit| matches!(unit, Unit::Plain('/'))).unwrap_or(units.len());
    match (end, scope.value("HOME")) {
        (1, Value::Known(home)) => out.extend(home.chars().map(Piece::Closed)),
        // Another user's home, or a directory of the stack.
        _ => out.push(Piece::Unknown(false)),
    }
    &units[end..]
}

fn resolve_parameter(parameter: &Parameter, scope: &Scope, out: &mut Vec<Piece>) {
    let Parameter { name, operator, quoted, .. } = parameter;
    let keeps_value = matches!(operator.as_str(), "" | ":-" | "-" | ":=" | ":?");
    if !keeps_value {
        return out.push(Piece::Unknown(!quoted));
    }
    if let Some(positional) = positional(name, scope) {
        return out.extend(positional);
    }
    match scope.value(name) {
        Value::Known(text) if operator.is_empty() || !text.is_empty() => known(&text, *quoted, scope, out),
        Value::Pattern(pattern) => out.extend(pattern.chars().map(Piece::Open)),
        Value::Known(_) | Value::Unknown => out.push(Piece::Unknown(!quoted)),
    }
}

/// An argument of the function that runs.
fn positional(name: &str, scope: &Scope) -> Option<Vec<Piece>> {
    let arguments = scope.arguments.as_ref()?;
    let index: usize = name.parse().ok()?;
    let arg = arguments.get(index.checked_sub(1)?)?;
    Some(match arg.form {
        Form::Literal => arg.text.chars().map(Piece::Closed).collect(),
        Form::Glob => arg.text.chars().map(Piece::Open).collect(),
        Form::Dynamic => vec![Piece::Unknown(true)],
    })
}

fn known(text: &str, quoted: bool, scope: &Scope, out: &mut Vec<Piece>) {
    if quoted {
        out.extend(text.chars().map(Piece::Closed));
        return;
    }
    // Other separators than the usual ones would cut the value elsewhere.
    if scope.variables.contains_key("IFS") {
        return out.push(Piece::Unknown(true));
    }
    out.extend(text.chars().map(|c| if c.is_whitespace() { Piece::Break } else { Piece::Open(c) }));
}

fn split(pieces: &[Piece], raw: &str, out: &mut Vec<Arg>) {
    for field in pieces.split(|piece| matches!(piece, Piece::Break)) {
        if !field.is_empty() {
            out.push(argument(field, raw));
        }
    }
}

fn argument(pieces: &[Piece], raw: &str) -> Arg {
    let (mut plain, mut pattern, mut prefix) = (String::new(), String::new(), None);
    let (mut form, mut splits) = (Form::Literal, false);
    // A bracket that nothing closes means itself, as in the name of the command `[`.
    let closed = pieces.iter().any(|piece| matches!(piece, Piece::Open(']')));
    for piece in pieces {
        match piece {
            Piece::Open('[') if !closed => {
                plain.push('[');
                pattern.push_str("\\[");
            }
            Piece::Open(c @ ('*' | '?' | '[')) => {
                prefix.get_or_insert_with(|| plain.clone());
                form = if form == Form::Dynamic { form } else { Form::Glob };
                splits = true;
                plain.push(*c);
                pattern.push(*c);
            }
            Piece::Open(c) => {
                plain.push(*c);
                pattern.push(*c);
            }
            Piece::Closed(c) => {
                plain.push(*c);
                if matches!(c, '*' | '?' | '[' | '\\') {
                    pattern.push('\\');
                }
                pattern.push(*c);
            }
            Piece::Number => {
                prefix.get_or_insert_with(|| plain.clone());
                form = if form == Form::Dynamic { form } else { Form::Glob };
                pattern.push('*');
            }
            Piece::Unknown(may_split) => {
                prefix.get_or_insert_with(|| plain.clone());
                form = Form::Dynamic;
                splits |= may_split;
            }
            Piece::Break | Piece::Empty => {}
        }
    }
    match form {
        Form::Literal => Arg::literal(plain),
        Form::Glob => Arg { text: pattern, form, prefix: prefix.unwrap_or_default(), splits },
        Form::Dynamic => Arg { text: raw.to_owned(), form, prefix: prefix.unwrap_or_default(), splits },
    }
}

/// The values that a loop variable takes one after the other; `None` if they are too many or not known.
pub(crate) fn loop_values(words: &[Word], scope: &Scope) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    for word in words {
        for arg in arguments(word, scope) {
            values.push(match arg.form {
                Form::Literal => Value::Known(arg.text),
                Form::Glob => Value::Pattern(arg.text),
                Form::Dynamic => return None,
            });
        }
    }
    (values.len() <= MAX_VALUES).then_some(values)
}

/// How deep braces are followed; a few levels already give more words than are kept.
const MAX_BRACE_DEPTH: usize = 24;

/// Brace expansion; `None` if it gives too many words.
fn braces(units: &[Unit], depth: usize) -> Option<Vec<Vec<Unit>>> {
    if !units.iter().any(|unit| matches!(unit, Unit::Plain('{'))) {
        return Some(vec![units.to_vec()]);
    }
    if depth > MAX_BRACE_DEPTH {
        return None;
    }
    let Some((start, end, members)) = first_group(units) else {
        return Some(vec![units.to_vec()]);
    };
    let tails = braces(&units[end + 1..], depth + 1)?;
    let mut out = Vec::new();
    for member in members? {
        for middle in braces(&member, depth + 1)? {
            for tail in &tails {
                if out.len() >= MAX_BRACES {
                    return None;
                }
                out.push(units[..start].iter().chain(&middle).chain(tail).cloned().collect());
            }
        }
    }
    Some(out)
}

/// The members of a group of braces, or `None` if they are too many.
type Members = Option<Vec<Vec<Unit>>>;

/// The first braces that expand: where they open and close, and their members.
fn first_group(units: &[Unit]) -> Option<(usize, usize, Members)> {
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut best: Option<(usize, usize, Members)> = None;
    for (at, unit) in units.iter().enumerate() {
        match unit {
            Unit::Plain('{') => open.push((at, Vec::new())),
            Unit::Plain(',') => {
                if let Some((_, commas)) = open.last_mut() {
                    commas.push(at);
                }
            }
            Unit::Plain('}') => {
                let Some((start, commas)) = open.pop() else { continue };
                if best.as_ref().is_some_and(|(first, ..)| *first < start) {
                    continue;
                }
                if let Some(members) = group(units, start, at, &commas) {
                    best = Some((start, at, members));
                }
                if open.is_empty() && best.is_some() {
                    break;
                }
            }
            _ => {}
        }
    }
    best
}

fn group(units: &[Unit], start: usize, end: usize, commas: &[usize]) -> Option<Members> {
    if commas.is_empty() {
        return sequence(&units[start + 1..end]);
    }
    if commas.len() >= MAX_BRACES {
        return Some(None);
    }
    let mut members = Vec::new();
    let mut from = start + 1;
    for &to in commas.iter().chain([&end]) {
        members.push(units[from..to].to_vec());
        from = to + 1;
    }
    Some(Some(members))
}

/// `{1..9}` and `{a..e}`; the outer `None` if it is not a sequence.
fn sequence(units: &[Unit]) -> Option<Members> {
    let text: String = units
        .iter()
        .map(|unit| if let Unit::Plain(c) = unit { Some(*c) } else { None })
        .collect::<Option<_>>()?;
    let parts: Vec<&str> = text.split("..").collect();
    let ([first, last] | [first, last, _]) = parts[..] else { return None };
    if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let count = last.abs_diff(first);
        if count >= MAX_BRACES as u64 {
            return Some(None);
        }
        let numbers = first.min(last)..=first.max(last);
        return Some(Some(numbers.map(|n| n.to_string().chars().map(Unit::Plain).collect()).collect()));
    }
    let (mut from, mut to) = (first.chars(), last.chars());
    match (from.next(), from.next(), to.next(), to.next()) {
        (Some(a), None, Some(b), None) if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Some(Some((a.min(b)..=a.max(b)).map(|c| vec![Unit::Plain(c)]).collect()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::syntax::script::Node;

    fn args(text: &str, scope: &Scope) -> Vec<Arg> {
        let script = crate::analysis::syntax::parse(&format!("echo {text}")).unwrap();
        let Node::Simple(simple) = &script.items[0].0 else { panic!("one command") };
        simple.words[1..].iter().flat_map(|word| arguments(word, scope)).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        let mut scope = Scope::new("/w", "/home/u");
        scope.set("X", Value::Known("rm -r".to_owned()));
        args(text, &scope).into_iter().map(|arg| arg.text).collect()
    }

    #[test]
    fn words_become_what_bash_makes_of_them() {
        assert_eq!(texts("a{b,c}d"), ["abd", "acd"]);
        assert_eq!(texts("{a,b}{1..3}"), ["a1", "a2", "a3", "b1", "b2", "b3"]);
        assert_eq!(texts("~/x"), ["/home/u/x"]);
        assert_eq!(texts("$X"), ["rm", "-r"]);
        assert_eq!(texts("\"$X\""), ["rm -r"]);
        assert_eq!(texts("a${IFS}b"), ["a", "b"]);
        assert_eq!(texts("'*'*"), ["\\**"]);
        assert_eq!(texts("''"), [""]);
        assert_eq!(texts("{a}"), ["{a}"]);
        assert_eq!(texts("$PWD/y"), ["/w/y"]);
    }

    #[test]
    fn what_is_not_known_says_so() {
        let scope = Scope::new("/w", "/home/u");
        for text in [
            "$Y",
            "$(a)",
            "~other/x",
            "${PWD:1}",
            "${PWD#/}",
            "${X:-rm}",
            "{1..9999}",
            "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
        ] {
            assert_eq!(args(text, &scope)[0].form, Form::Dynamic, "{text}");
        }
        let flag = &args("--out=$Y", &scope)[0];
        assert_eq!((flag.prefix.as_str(), flag.form), ("--out=", Form::Dynamic));
        assert_eq!(args("*.rs", &scope)[0].form, Form::Glob);
    }
}
