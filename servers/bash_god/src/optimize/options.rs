//! The options of a command, as `getopt_long(3)` reads them.

use crate::optimize::source::Word;

/// Options and operands of a command.
pub(crate) struct Options<'a> {
    /// Each option by its letter or long name, with its value.
    pub(crate) given: Vec<(String, Option<String>)>,
    pub(crate) operands: Vec<&'a Word>,
}

impl<'a> Options<'a> {
    /// Reads the arguments of a command whose options are `short` (a letter that takes a value has a colon after
    /// it) and `long` (a name that takes a value ends in `=`). `None` where a word is not known, or an option is
    /// none of these.
    pub(crate) fn read(words: &'a [Word], short: &str, long: &[&str]) -> Option<Self> {
        let mut found = Self { given: Vec::new(), operands: Vec::new() };
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let text = word.literal.as_deref()?;
            if text == "--" {
                found.operands.extend(rest.by_ref());
                found.operands.iter().all(|operand| operand.literal.is_some()).then_some(())?;
            } else if let Some(name) = text.strip_prefix("--") {
                found.long(name, long, &mut rest)?;
            } else if let Some(letters) = text.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                found.letters(letters, short, &mut rest)?;
            } else {
                found.operands.push(word);
            }
        }
        Some(found)
    }

    fn long(&mut self, name: &str, long: &[&str], rest: &mut std::slice::Iter<'_, Word>) -> Option<()> {
        let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
        if long.contains(&name) {
            return value.is_none().then(|| self.given.push((name.to_owned(), None)));
        }
        if !long.iter().any(|known| known.strip_suffix('=') == Some(name)) {
            return None;
        }
        let value = match value {
            Some(value) => value.to_owned(),
            None => rest.next()?.literal.clone()?,
        };
        self.given.push((name.to_owned(), Some(value)));
        Some(())
    }

    fn letters(&mut self, letters: &str, short: &str, rest: &mut std::slice::Iter<'_, Word>) -> Option<()> {
        let mut left = letters.chars();
        while let Some(letter) = left.next() {
            let at = short.find(letter).filter(|_| letter != ':')?;
            if short[at + letter.len_utf8()..].starts_with(':') {
                let joined = left.as_str();
                let value = if joined.is_empty() { rest.next()?.literal.clone()? } else { joined.to_owned() };
                self.given.push((letter.to_string(), Some(value)));
                return Some(());
            }
            self.given.push((letter.to_string(), None));
        }
        Some(())
    }

    /// Whether an option is given by one of these names.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        self.given.iter().any(|(name, _)| names.contains(&name.as_str()))
    }
}
