//! The types that a class names for its fields.

use mcp_source::Language;
use mcp_source::symbols::Kind;

use super::decide::Place;
use super::types;
use crate::index::{Def, last_part};

/// The type of a field of a type that is defined in a file.
pub(super) fn field_type_in(place: &Place<'_>, owner: &str, field: &str) -> Option<String> {
    let own =
        place.defs.iter().find(|def| def.name == field && def.kind == Kind::Field && def.owner() == owner);
    let written = own.and_then(|def| written_type(place, def));
    written.or_else(|| assigned_type(place, owner, field))
}

/// A field's type as it is written beside its name.
fn written_type(place: &Place<'_>, def: &Def<'_>) -> Option<String> {
    let text = |range: std::ops::Range<usize>| std::str::from_utf8(place.text.get(range)?).ok();
    let end = def.name_start + def.name.len();
    match place.language {
        Language::C | Language::Cpp | Language::Java => {
            let before = text(def.range.start..def.name_start)?;
            let mut words: Vec<&str> = before.split_whitespace().collect();
            while words.first().is_some_and(|word| {
                matches!(
                    *word,
                    "private"
                        | "public"
                        | "protected"
                        | "static"
                        | "final"
                        | "const"
                        | "volatile"
                        | "transient"
                ) || word.starts_with('@')
            }) {
                words.remove(0);
            }
            types::base(&words.join(" "))
        }
        _ => {
            let after = text(end..def.range.end)?;
            let after = after.trim_start().trim_start_matches('?');
            match place.language {
                Language::Go => types::base(after.split('`').next()?),
                _ => types::base(after.strip_prefix(':')?.split(['=', ';', ',']).next()?),
            }
        }
    }
}

/// `self.field = Type(…)` in the methods of a class.
fn assigned_type(place: &Place<'_>, around: &str, field: &str) -> Option<String> {
    let class = place.defs.iter().find(|def| def.name == around && def.kind.is_type())?;
    let text = std::str::from_utf8(place.text.get(class.range.clone())?).ok()?;
    let mut found: Option<String> = None;
    for own in ["self.", "this."] {
        let sign = format!("{own}{field}");
        for (at, _) in text.match_indices(&sign) {
            let rest = text[at + sign.len()..].trim_start();
            let written =
                rest.strip_prefix(':').and_then(|rest| types::base(rest.split(['=', '\n']).next()?));
            let value = rest
                .strip_prefix('=')
                .filter(|rest| !rest.starts_with('='))
                .map(|rest| rest.trim_start().trim_start_matches("new "));
            let made = value.and_then(|value| {
                let name = &value[..value.find('(')?];
                let is_name =
                    name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'));
                (is_name && types::looks_like_type(last_part(name))).then(|| name.to_owned())
            });
            let of = match (written, made, value) {
                (Some(of), ..) | (None, Some(of), _) => of,
                // Another value that is not understood.
                (None, None, Some(_)) => return None,
                (None, None, None) => continue,
            };
            if found.as_ref().is_some_and(|known| *known != of) {
                return None;
            }
            found = Some(of);
        }
    }
    found
}
