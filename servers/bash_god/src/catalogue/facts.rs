//! What a task names: quoted text, paths, sizes, ages, numbers, addresses.

/// A piece of a task that may be the value of a parameter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// The text, without its quotes and the marks that end a sentence.
    pub text: String,
    /// Whether it was in quotes.
    pub quoted: bool,
    /// Whether a parameter has taken it.
    pub used: bool,
}

impl Token {
    /// The text in lower case, as a word that others refer to.
    pub fn word(&self) -> String {
        self.text.to_lowercase()
    }
}

/// The pieces of `task` in their order: quoted text as one, else the words between blanks. A number and the
/// unit after it ("100 MB") are two.
pub fn tokens(task: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = task;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { break };
        if let Some((text, after)) = quoted(rest, first) {
            tokens.push(Token { text: text.to_owned(), quoted: true, used: false });
            rest = after;
            continue;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let text = rest[..end].trim_matches([',', ';', '!', '?', '(', ')', '"', '\'', '`']);
        let text = text.strip_suffix(['.', ':']).unwrap_or(text);
        // A lone dot is the current directory.
        let text = if text.is_empty() && rest[..end].starts_with('.') { &rest[..end] } else { text };
        if !text.is_empty() {
            tokens.push(Token { text: text.to_owned(), quoted: false, used: false });
        }
        rest = &rest[end..];
    }
    tokens
}

/// The text in the quotes that `text` begins with, and what follows them. An apostrophe inside a word closes
/// nothing.
fn quoted(text: &str, first: char) -> Option<(&str, &str)> {
    let close = match first {
        '"' | '\'' | '`' => first,
        '“' => '”',
        '‘' => '’',
        _ => return None,
    };
    let inner = &text[first.len_utf8()..];
    let ends =
        |at: &usize| inner[at + close.len_utf8()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    let at = inner.match_indices(close).map(|(at, _)| at).find(ends)?;
    (at > 0).then(|| (&inner[..at], &inner[at + close.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_keep_text_together() {
        let text = |task| tokens(task).into_iter().map(|t| (t.text, t.quoted)).collect::<Vec<_>>();
        let bare = |text: &str| (text.to_owned(), false);
        assert_eq!(
            text("find \"disk full\" in don't.log, please."),
            [bare("find"), ("disk full".to_owned(), true), bare("in"), bare("don't.log"), bare("please")]
        );
        assert_eq!(
            text("show 'it's here' in ."),
            [bare("show"), ("it's here".to_owned(), true), bare("in"), bare(".")]
        );
        assert_eq!(text("an \"open quote"), [bare("an"), bare("open"), bare("quote")]);
    }

    proptest! {
        #[test]
        fn any_task_is_split(task in "[ -~“”‘’é日\n]{0,60}") {
            prop_assert!(tokens(&task).iter().all(|token| !token.text.is_empty()));
        }
    }
}
