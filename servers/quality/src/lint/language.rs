//! Languages as ast-grep wants them: how a pattern's variables are written so that the grammar takes them for names.

use std::borrow::Cow;

use ast_grep_core::language::Language as PatternLanguage;
use ast_grep_core::matcher::PatternBuilder;
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc, TSLanguage};
use ast_grep_core::{Pattern, PatternError};
use mcp_source::Language;

/// A letter that the grammars without `$` in names take for one, and that no program has.
const LETTER: char = 'µ';

/// A language of patterns.
#[derive(Clone, Copy)]
pub(super) struct Grammar(pub Language);

impl Grammar {
    fn has_dollar(self) -> bool {
        matches!(self.0, Language::JavaScript | Language::TypeScript | Language::Tsx | Language::Java)
    }
}

impl PatternLanguage for Grammar {
    fn pre_process_pattern<'q>(&self, query: &'q str) -> Cow<'q, str> {
        if self.has_dollar() {
            return Cow::Borrowed(query);
        }
        let mut written = String::with_capacity(query.len() + 8);
        let mut rest = query;
        while let Some(at) = rest.find('$') {
            written.push_str(&rest[..at]);
            let signs = rest[at..].bytes().take_while(|byte| *byte == b'$').count();
            let after = &rest[at + signs..];
            let is_variable = after.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
            let sign = if is_variable || signs == 3 { LETTER } else { '$' };
            written.extend(std::iter::repeat_n(sign, signs));
            rest = after;
        }
        written.push_str(rest);
        Cow::Owned(written)
    }

    fn expando_char(&self) -> char {
        if self.has_dollar() { '$' } else { LETTER }
    }

    fn kind_to_id(&self, kind: &str) -> u16 {
        self.0.grammar().id_for_node_kind(kind, true)
    }

    fn field_to_id(&self, field: &str) -> Option<u16> {
        self.0.grammar().field_id_for_name(field).map(|field| field.get())
    }

    fn build_pattern(&self, builder: &PatternBuilder<'_>) -> Result<Pattern, PatternError> {
        builder.build(|source| StrDoc::try_new(source, *self))
    }
}

impl LanguageExt for Grammar {
    fn get_ts_language(&self) -> TSLanguage {
        self.0.grammar()
    }
}
