//! The types that a class names for its fields.

use std::collections::BTreeSet;

use mcp_source::Language;
use mcp_source::symbols::Kind;
use mcp_source::tree_sitter::Node;

use super::decide::{Judge, Place, Verdict};
use super::occurrence::text_of;
use super::{locals, types};
use crate::index::{Def, last_part};
use crate::resolve::Meaning;

/// How many fields one behind the other are followed.
const MOST_FIELDS: usize = 6;

impl Judge<'_> {
    /// A member behind several fields: `self.a.b.name`, by the types that the classes on the way name for them. `None`
    /// where one of them is not known.
    pub(super) fn behind_fields(&self, place: &Place<'_>, node: &Node<'_>) -> Option<Verdict> {
        let of = object(&node.parent()?).filter(|of| object(of).is_some())?;
        let owners = self.types_of(place, &of, MOST_FIELDS);
        let found: Vec<Verdict> = owners.iter().map(|owner| self.member_of(owner)).collect();
        let is_use = |found: &&Verdict| matches!(found, Verdict::Use(..));
        found.iter().find(is_use).copied().or_else(|| {
            let is_other = !found.is_empty() && found.iter().all(|found| *found == Verdict::Other);
            is_other.then_some(Verdict::Other)
        })
    }

    /// The types of the root that a value has; empty where they are not known.
    fn types_of(&self, place: &Place<'_>, node: &Node<'_>, steps: usize) -> BTreeSet<Meaning> {
        let named = |place: &Place<'_>, written: &str| {
            let name = last_part(written);
            let prefix = written[..written.len() - name.len()].trim_end_matches(['.', ':']);
            self.types(place, prefix, name).unwrap_or_default()
        };
        let own = || place.type_around(node.start_byte()).map(|own| named(place, &own)).unwrap_or_default();
        let text = text_of(node, place.text);
        match node.kind() {
            "self" | "this" => own(),
            "identifier" if place.language == Language::Python && matches!(text, "self" | "cls") => own(),
            "identifier" => {
                let local = locals::local(node, text, place.language, place.text)
                    .or_else(|| locals::global(node, text, place.language, place.text));
                local.and_then(|local| local.of).map(|of| named(place, &of)).unwrap_or_default()
            }
            "parenthesized_expression" | "reference_expression" | "try_expression" | "await_expression" => {
                node.named_child(0).map(|inner| self.types_of(place, &inner, steps)).unwrap_or_default()
            }
            _ => {
                let (Some(of), Some(field)) = (object(node), field(node)) else { return BTreeSet::new() };
                let field = text_of(&field, place.text);
                let owners = if steps > 0 { self.types_of(place, &of, steps - 1) } else { BTreeSet::new() };
                let typed = |there: &Place<'_>, owner: &Meaning| {
                    field_type_in(there, &owner.name, field).map(|of| named(there, &of))
                };
                let of_owner = |owner: &Meaning| {
                    if owner.file == place.file {
                        return typed(place, owner);
                    }
                    self.with_text(owner.file, |there| typed(there, owner))
                };
                owners.iter().filter_map(of_owner).flatten().collect()
            }
        }
    }
}

/// What a member is asked of.
fn object<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    let fields: &[&str] = match node.kind() {
        "field_expression" => &["value", "argument"],
        "attribute" | "member_expression" | "field_access" | "method_invocation" => &["object"],
        "selector_expression" => &["operand"],
        _ => return None,
    };
    fields.iter().find_map(|field| node.child_by_field_name(field))
}

fn field<'t>(node: &Node<'t>) -> Option<Node<'t>> {
    ["field", "attribute", "property"].iter().find_map(|field| node.child_by_field_name(field))
}

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
