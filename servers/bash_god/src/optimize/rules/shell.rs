//! Older ways to write the same.

use crate::optimize::Edit;
use crate::optimize::rules::{Rule, Status};

/// `egrep`, `fgrep`
pub(crate) const OLD_GREP: Rule = Rule {
    name: "old-grep-names",
    why: "no script in between, and no warning that the name is obsolescent",
    assumes: &[],
    status: Status::Kept,
    apply: |_source, pipe, at| {
        let name = pipe.stages[at].words.first()?;
        let text = match name.literal.as_deref()? {
            "egrep" => "grep -E",
            "fgrep" => "grep -F",
            _ => return None,
        };
        Some(Edit { span: name.span.clone(), text: text.to_owned() })
    },
};

/// Backquotes
pub(crate) const BACKQUOTES: Rule = Rule {
    name: "backquotes",
    why: "it nests, and its quotes are its own: nothing is faster",
    assumes: &[],
    status: Status::Kept,
    apply: |source, pipe, at| {
        for word in &pipe.stages[at].words {
            let Some(start) = word.raw.find('`') else { continue };
            // In backquotes a backslash takes another one's meaning away, and quotes are those of the word around.
            let is_alone = word.raw.matches('`').count() == 2 && !word.raw.contains(['\\', '\'']);
            let end = word.raw[start + 1..].find('`').map(|length| start + 1 + length)?;
            let inner = &word.raw[start + 1..end];
            if !is_alone || inner.contains('"') || inner.trim().is_empty() {
                continue;
            }
            // `$((` would be arithmetic.
            let gap = if inner.starts_with('(') { " " } else { "" };
            let span = word.span.start + start..word.span.start + end + 1;
            debug_assert_eq!(
                &source.text[span.clone()],
                &word.raw[start..=end],
                "spans are those of the text"
            );
            return Some(Edit { span, text: format!("$({gap}{inner})") });
        }
        None
    },
};
