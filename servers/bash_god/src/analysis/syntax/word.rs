//! The inside of a word: quotes, escapes and expansions.
//!
//! Written against "Quoting" and "Shell Expansions" of the Bash reference manual, sections 3.1.2 and 3.5.

use crate::analysis::syntax::ansi;
use crate::analysis::syntax::script::{Parameter, Script, Unit, Word};

/// Why a text is not analysed.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl Refusal {
    /// A refusal with its sentence.
    pub(crate) fn new(reason: &str) -> Self {
        Self(reason.to_owned())
    }
}

/// Reads the source between the marks of a substitution; `depth` counts how many enclose it.
pub(crate) trait ReadScript {
    /// The commands in `source`.
    fn read(&self, source: &str, depth: usize) -> Result<Script, Refusal>;
}

/// Whether every character of a word means itself wherever it stands.
pub(crate) fn is_plain(raw: &str) -> bool {
    raw.bytes().all(|b| b.is_ascii_alphanumeric() || b"_./:=@%+,-^".contains(&b))
}

/// Takes a word apart.
pub(crate) fn parse(raw: &str, reader: &dyn ReadScript, depth: usize) -> Result<Word, Refusal> {
    if is_plain(raw) {
        return Ok(Word { raw: raw.to_owned(), units: raw.chars().map(Unit::Plain).collect() });
    }
    let mut scanner = Scanner { text: raw, at: 0, reader, depth, units: Vec::with_capacity(raw.len()) };
    scanner.outside()?;
    Ok(Word { raw: raw.to_owned(), units: scanner.units })
}

/// Takes the body of a here-document apart, in which quotes mean themselves.
pub(crate) fn parse_body(raw: &str, reader: &dyn ReadScript, depth: usize) -> Result<Word, Refusal> {
    let mut scanner = Scanner { text: raw, at: 0, reader, depth, units: Vec::with_capacity(raw.len()) };
    while let Some(c) = scanner.peek() {
        match c {
            '$' => scanner.dollar(true)?,
            '`' => scanner.backquote(true)?,
            '\\' => scanner.escape_in_double("$`\\"),
            _ => scanner.push_quoted(c),
        }
    }
    Ok(Word { raw: raw.to_owned(), units: scanner.units })
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    reader: &'a dyn ReadScript,
    depth: usize,
    units: Vec<Unit>,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push_quoted(&mut self, c: char) {
        self.units.push(Unit::Quoted(c));
        self.at += c.len_utf8();
    }

    fn outside(&mut self) -> Result<(), Refusal> {
        while let Some(c) = self.peek() {
            match c {
                '\'' => self.single()?,
                '"' => {
                    self.at += 1;
                    self.double()?;
                }
                '\\' => self.escape_outside(),
                '$' => self.dollar(false)?,
                '`' => self.backquote(false)?,
                '<' | '>' if self.rest()[1..].starts_with('(') => self.process()?,
                _ => {
                    self.units.push(Unit::Plain(c));
                    self.at += c.len_utf8();
                }
            }
        }
        Ok(())
    }

    fn escape_outside(&mut self) {
        self.at += 1;
        match self.peek() {
            // A backslash before the end of a line joins the lines.
            Some('\n') => self.at += 1,
            Some(c) => self.push_quoted(c),
            None => self.units.push(Unit::Quoted('\\')),
        }
    }

    fn escape_in_double(&mut self, special: &str) {
        self.at += 1;
        match self.peek() {
            Some('\n') => self.at += 1,
            Some(c) if special.contains(c) => self.push_quoted(c),
            Some(_) | None => self.units.push(Unit::Quoted('\\')),
        }
    }

    fn single(&mut self) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 1..];
        let end = inner.find('\'').ok_or_else(|| Refusal::new("a single quote is not closed"))?;
        self.units.extend(inner[..end].chars().map(Unit::Quoted));
        self.at += end + 2;
        Ok(())
    }

    /// Reads up to and with the closing double quote.
    fn double(&mut self) -> Result<(), Refusal> {
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(());
                }
                '$' => self.dollar(true)?,
                '`' => self.backquote(true)?,
                '\\' => self.escape_in_double("$`\"\\"),
                _ => self.push_quoted(c),
            }
        }
        Err(Refusal::new("a double quote is not closed"))
    }

    fn dollar(&mut self, quoted: bool) -> Result<(), Refusal> {
        let after = &self.text[self.at + 1..];
        match after.chars().next() {
            Some('\'') if !quoted => {
                let (decoded, length) =
                    ansi::decode(&after[1..]).ok_or_else(|| Refusal::new("a $' quote is not closed"))?;
                self.units.extend(decoded.chars().map(Unit::Quoted));
                self.at += 2 + length;
                Ok(())
            }
            Some('"') if !quoted => {
                self.at += 2;
                self.double()
            }
            Some('(') if after.starts_with("((") => self.arithmetic_or_command(quoted),
            Some('(') => self.command(quoted),
            Some('{') => self.braced(quoted),
            Some('[') => {
                let inner = &after[1..];
                let end = inner.find(']').ok_or_else(|| Refusal::new("$[ is not closed"))?;
                self.push_arithmetic(&inner[..end])?;
                self.at += end + 3;
                Ok(())
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let length = name_length(after);
                self.push_parameter(&after[..length], quoted);
                self.at += 1 + length;
                Ok(())
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.push_parameter(&c.to_string(), quoted);
                self.at += 2;
                Ok(())
            }
            Some(_) | None => {
                self.push_quoted('$');
                Ok(())
            }
        }
    }

    fn push_parameter(&mut self, name: &str, quoted: bool) {
        let (operator, operand) = (String::new(), Word::default());
        self.units.push(Unit::Parameter(Box::new(Parameter {
            name: name.to_owned(),
            operator,
            operand,
            quoted,
        })));
    }

    fn push_arithmetic(&mut self, text: &str) -> Result<(), Refusal> {
        let expression = parse_body(text, self.reader, self.depth)?;
        self.units.push(Unit::Arithmetic(Box::new(expression)));
        Ok(())
    }

    fn arithmetic_or_command(&mut self, quoted: bool) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 2..];
        let end = closing(inner, '(', ')').ok_or_else(|| Refusal::new("$( is not closed"))?;
        let body = &inner[..end];
        // `$((` opens arithmetic only where `))` closes it; otherwise it is a subshell in a substitution.
        let arithmetic = body[1..].strip_suffix(')').filter(|text| balanced(text)).map(str::to_owned);
        match arithmetic {
            Some(text) => {
                self.push_arithmetic(&text)?;
                self.at += end + 3;
                Ok(())
            }
            None => self.command(quoted),
        }
    }

    fn command(&mut self, quoted: bool) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 2..];
        let end = closing(inner, '(', ')').ok_or_else(|| Refusal::new("$( is not closed"))?;
        let script = self.reader.read(&inner[..end], self.depth + 1)?;
        self.units.push(Unit::Command(Box::new(script), quoted));
        self.at += end + 3;
        Ok(())
    }

    fn process(&mut self) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 2..];
        let end = closing(inner, '(', ')').ok_or_else(|| Refusal::new("<( is not closed"))?;
        let script = self.reader.read(&inner[..end], self.depth + 1)?;
        self.units.push(Unit::Process(Box::new(script)));
        self.at += end + 3;
        Ok(())
    }

    fn backquote(&mut self, quoted: bool) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 1..];
        let mut source = String::new();
        let mut characters = inner.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                '`' => {
                    let script = self.reader.read(&source, self.depth + 1)?;
                    self.units.push(Unit::Command(Box::new(script), quoted));
                    self.at += at + 2;
                    return Ok(());
                }
                '\\' => match characters.next() {
                    Some((_, next))
                        if next == '`' || next == '\\' || next == '$' || (quoted && next == '"') =>
                    {
                        source.push(next);
                    }
                    Some((_, next)) => source.extend(['\\', next]),
                    None => break,
                },
                _ => source.push(c),
            }
        }
        Err(Refusal::new("a backquote is not closed"))
    }

    fn braced(&mut self, quoted: bool) -> Result<(), Refusal> {
        let inner = &self.text[self.at + 2..];
        let end = closing(inner, '{', '}').ok_or_else(|| Refusal::new("${ is not closed"))?;
        let body = &inner[..end];
        let unit = self.parameter(body, quoted)?;
        self.units.push(unit);
        self.at += end + 3;
        Ok(())
    }

    fn parameter(&self, body: &str, quoted: bool) -> Result<Unit, Refusal> {
        let (prefix, rest) = match body.chars().next() {
            Some(c @ ('#' | '!')) if body.len() > 1 => (c.to_string(), &body[1..]),
            Some(_) | None => (String::new(), body),
        };
        let length = match rest.chars().next() {
            Some(c) if c.is_ascii_digit() => rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()),
            Some(c) if "@*#?-$!".contains(c) => 1,
            Some(_) | None => name_length(rest),
        };
        if length == 0 {
            return Err(Refusal(format!("${{{body}}} names no parameter")));
        }
        let (name, rest) = rest.split_at(length);
        let operator_length = rest
            .find(|c: char| !":-=?+#%/^,@[".contains(c))
            .unwrap_or(rest.len())
            .min(if rest.starts_with([':', '#', '%', '/', '^', ',']) { 2 } else { 1 })
            .min(rest.len());
        let (operator, operand) = rest.split_at(operator_length);
        // Quotes inside the braces open and close as outside of them.
        let operand = parse(operand, self.reader, self.depth)?;
        let operator = format!("{prefix}{operator}");
        Ok(Unit::Parameter(Box::new(Parameter { name: name.to_owned(), operator, operand, quoted })))
    }
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
}

fn balanced(text: &str) -> bool {
    let mut open = 0_i32;
    for c in text.chars() {
        open += i32::from(c == '(') - i32::from(c == ')');
        if open < 0 {
            return false;
        }
    }
    open == 0
}

/// The place of the mark that closes a group whose opening mark stands before `text`. Quotes and nested
/// groups are skipped; the parsers that read the inside have to agree with where it ends.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 1_usize;
    let mut quote = None;
    let mut nested_quotes: Vec<Option<char>> = Vec::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match (quote, c) {
            (Some('\''), '\'') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                characters.next();
            }
            (Some('"'), '"') => quote = None,
            // A substitution inside double quotes has quotes of its own.
            (_, '$') if characters.peek().is_some_and(|(_, next)| *next == open) => {
                characters.next();
                depth += 1;
                nested_quotes.push(quote.take());
            }
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, _) if c == open => {
                depth += 1;
                nested_quotes.push(None);
            }
            (None, _) if c == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
                quote = nested_quotes.pop().flatten();
            }
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoScripts;
    impl ReadScript for NoScripts {
        fn read(&self, _: &str, _: usize) -> Result<Script, Refusal> {
            Ok(Script::default())
        }
    }

    fn fixed(raw: &str) -> Option<String> {
        parse(raw, &NoScripts, 0).unwrap().fixed()
    }

    #[test]
    fn quotes_and_escapes_are_taken_away() {
        for (raw, plain) in [
            ("r\"\"m", "rm"),
            ("'r'm", "rm"),
            ("\\rm", "rm"),
            ("$'\\x72m'", "rm"),
            ("\"a\\$b\\c\"", "a$b\\c"),
            ("a\\\nb", "ab"),
            ("$\"hi\"", "hi"),
            ("''", ""),
            ("100$", "100$"),
        ] {
            assert_eq!(fixed(raw).as_deref(), Some(plain), "{raw}");
        }
    }

    #[test]
    fn substitutions_end_where_the_shell_ends_them() {
        for raw in ["$(a)x", "\"$(a \")\")x\"", "${a:-$(b)}x", "$((1+(2)))x", "`a`x", "$( (a) )x", "<(a)x"] {
            let word = parse(raw, &NoScripts, 0).unwrap();
            let last = word.units.last().unwrap();
            assert!(matches!(last, Unit::Plain('x') | Unit::Quoted('x')), "{raw}: {last:?}");
            let characters =
                word.units.iter().filter(|unit| matches!(unit, Unit::Plain(_) | Unit::Quoted(_)));
            assert_eq!(characters.count(), 1, "{raw}");
        }
    }

    #[test]
    fn what_is_not_closed_is_refused() {
        for raw in ["$(a", "'a", "\"a", "`a", "${a", "$((1)", "$'a"] {
            assert!(parse(raw, &NoScripts, 0).is_err(), "{raw}");
        }
    }
}
