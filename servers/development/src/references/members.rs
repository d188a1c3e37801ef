//! Decides about members: what a name behind a value, a class or a module means.

use std::collections::BTreeSet;

use mcp_source::Language;
use mcp_source::symbols::Kind;
use mcp_source::tree_sitter::Node;

use super::decide::{Judge, Place, Verdict, likely, resolved};
use super::fields::field_type_in;
use super::occurrence::{Receiver, text_of};
use super::{Target, locals, types};
use crate::facts::Form;
use crate::index::{Def, last_part};
use crate::resolve::{FileId, Meaning, Resolution};

/// How many types above a type are looked at.
const MOST_ABOVE: usize = 6;

/// What a type has from the types above it.
enum Above {
    Target(usize),
    /// A member of the name that is none of the targets.
    Another,
    Nothing,
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80))
}

impl Judge<'_> {
    /// A member of a type that is known by its written name.
    pub(super) fn of_type(&self, place: &Place<'_>, written: &str, at: usize) -> Verdict {
        let name = last_part(written);
        if name == "Self" {
            return place.type_around(at).map_or(Verdict::Unknown, |around| self.in_type(place, &around, at));
        }
        let prefix = written[..written.len() - name.len()].trim_end_matches(['.', ':']);
        let meanings = self.types(place, prefix, name);
        let Some(meanings) = meanings else {
            // Of another package.
            return Verdict::Other;
        };
        if meanings.is_empty() {
            return self.by_owner_alone(place, name);
        }
        let mut is_other = false;
        for meaning in &meanings {
            match self.member_of(meaning) {
                found @ Verdict::Use(..) => return found,
                Verdict::Other => is_other = true,
                _ => {}
            }
        }
        if is_other { Verdict::Other } else { Verdict::Unknown }
    }

    /// A type whose definition is not found: a macro may make it, or it is a parameter.
    fn by_owner_alone(&self, place: &Place<'_>, name: &str) -> Verdict {
        let fits: Vec<usize> =
            (0..self.targets.len()).filter(|target| self.targets[*target].owner == name).collect();
        match fits[..] {
            [target] => likely(target),
            // Of the language's own, as nothing in the file binds it; one letter is a parameter.
            [] if name.len() > 1 && !self.has_unknown_wildcard(place) => Verdict::Other,
            _ => Verdict::Unknown,
        }
    }

    /// Where the type of a name is defined, as seen from a file; `None` for one of another package, empty where it is not
    /// found.
    pub(super) fn types(&self, place: &Place<'_>, prefix: &str, name: &str) -> Option<BTreeSet<Meaning>> {
        if !prefix.is_empty() {
            let resolution = match place.language {
                Language::Rust => self.resolver.behind(place.file, prefix, name),
                Language::C | Language::Cpp => return self.types(place, "", name),
                _ => return self.behind_module(place, prefix, name),
            };
            return match resolution {
                Resolution::Known(meanings) => Some(meanings),
                Resolution::External => None,
                Resolution::Module(_) | Resolution::Unresolved => Some(BTreeSet::new()),
            };
        }
        if place.defs.iter().any(|def| {
            def.name == name && (def.kind.is_type() && !def.is_declaration || def.kind == Kind::Module)
        }) {
            return Some([Meaning { file: place.file, name: name.to_owned() }].into());
        }
        match self.resolver.imported(place.file, name) {
            Some(Resolution::Known(meanings)) => return Some(meanings),
            Some(Resolution::External) => return None,
            Some(_) => return Some(BTreeSet::new()),
            None => {}
        }
        Some(self.resolver.by_wildcard(place.file, name))
    }

    /// A type of a module or package that a name stands for.
    fn behind_module(&self, place: &Place<'_>, module: &str, name: &str) -> Option<BTreeSet<Meaning>> {
        match self.resolver.imported(place.file, module)? {
            Resolution::Known(meanings) => {
                let modules = meanings.iter().filter(|meaning| meaning.name.is_empty());
                Some(modules.flat_map(|meaning| self.resolver.member(meaning.file, name)).collect())
            }
            Resolution::External => None,
            _ => Some(BTreeSet::new()),
        }
    }

    /// The target that is a member of a type that is defined in a file.
    pub(super) fn member_of(&self, of: &Meaning) -> Verdict {
        let is_it =
            |target: &Target| target.is_member && target.owner == of.name && self.is_same_type(target, of);
        if let Some(target) = self.targets.iter().position(is_it) {
            return resolved(target);
        }
        let Some(entry) = self.resolver.entry(of.file) else { return Verdict::Unknown };
        // What a namespace of TypeScript holds is reached through it like a member.
        let is_module = || entry.named(&of.name).iter().any(|def| def.kind == Kind::Module);
        let lies_in = |target: &Target| target.file == of.file && target.owner == of.name;
        if let Some(target) = self.targets.iter().position(lies_in).filter(|_| is_module()) {
            return resolved(target);
        }
        let own = entry.named(self.name());
        if own.iter().any(|def| def.owner() == of.name) {
            return Verdict::Other;
        }
        match self.inherited(of, MOST_ABOVE) {
            Above::Target(target) => resolved(target),
            Above::Another => Verdict::Other,
            Above::Nothing if self.is_open(of) => Verdict::Unknown,
            Above::Nothing => Verdict::Other,
        }
    }

    /// Whether a type's own code may give members that are not seen in it: what it extends is not known.
    fn is_open(&self, of: &Meaning) -> bool {
        // A type of Rust has what traits give it, one of Python and JavaScript what is put into it.
        !matches!(self.resolver.modules.language(of.file), Language::C)
    }

    /// A method may stand in another file than its type: `impl` in a module below, a method of Go, a definition of C++.
    fn is_same_type(&self, target: &Target, of: &Meaning) -> bool {
        if target.file == of.file {
            return true;
        }
        let modules = self.resolver.modules;
        let entry = self.resolver.entry(target.file);
        let defines = entry.is_some_and(|entry| {
            entry.named(&target.owner).iter().any(|def| def.kind.is_type() && !def.is_declaration)
        });
        if defines {
            return false;
        }
        match modules.language(target.file) {
            Language::Go => modules.beside(target.file).contains(&of.file),
            _ => {
                let imported = self.resolver.imported(target.file, &target.owner);
                let by_import =
                    matches!(imported, Some(Resolution::Known(meanings)) if meanings.contains(of));
                by_import || self.resolver.by_wildcard(target.file, &target.owner).contains(of)
            }
        }
    }

    /// What a type has from what its head names.
    fn inherited(&self, of: &Meaning, steps: usize) -> Above {
        for above in self.above_of(of) {
            let is_it = |target: &Target| {
                target.is_member && target.owner == above.name && self.is_same_type(target, &above)
            };
            if let Some(target) = self.targets.iter().position(is_it) {
                return Above::Target(target);
            }
            let own =
                self.resolver.entry(above.file).map(|entry| entry.named(self.name())).unwrap_or_default();
            if own.iter().any(|def| def.owner() == above.name) {
                return Above::Another;
            }
            if steps > 0 && above != *of {
                match self.inherited(&above, steps - 1) {
                    Above::Nothing => {}
                    found => return found,
                }
            }
        }
        Above::Nothing
    }

    /// The types that the head of a type names.
    fn above_of(&self, of: &Meaning) -> Vec<Meaning> {
        let found = self.with_text(of.file, |place| {
            let head = place.defs.iter().find(|def| def.name == of.name && def.kind.is_type())?;
            let end = head.body.unwrap_or(head.range.end).min(head.range.end);
            let line = place.text.get(head.name_start + head.name.len()..end)?;
            let names = words(line).filter_map(|word| std::str::from_utf8(word).ok());
            let names = names.filter(|word| types::looks_like_type(word));
            Some(names.flat_map(|name| self.types(place, "", name).unwrap_or_default()).collect())
        });
        found.unwrap_or_default()
    }

    /// Looks at a file with its text.
    pub(super) fn with_text<T>(&self, file: FileId, look: impl FnOnce(&Place<'_>) -> Option<T>) -> Option<T> {
        let entry = self.resolver.entry(file)?;
        let defs = entry.defs();
        let text =
            mcp_source::read(self.resolver.root?, std::path::Path::new(entry.path()), &crate::index::LIMITS)
                .ok()?;
        look(&Place { file, language: entry.language(), text: &text, defs: &defs })
    }

    /// A member of the type around the place.
    pub(super) fn in_type(&self, place: &Place<'_>, around: &str, at: usize) -> Verdict {
        let own: Vec<&Def<'_>> =
            place.defs.iter().filter(|def| def.name == self.name() && def.owner() == around).collect();
        let is_here = |target: &Target| {
            target.file == place.file && own.iter().any(|def| def.name_start == target.name_start)
        };
        if let Some(target) = self.targets.iter().position(is_here) {
            return resolved(target);
        }
        if !own.is_empty() && !own.iter().all(|def| def.is_declaration) {
            return Verdict::Other;
        }
        let _ = at;
        self.of_type(place, around, usize::MAX)
    }

    /// A name behind a receiver.
    pub(super) fn member(&self, place: &Place<'_>, receiver: &Receiver<'_>, node: &Node<'_>) -> Verdict {
        let at = node.start_byte();
        if let Some(found) = self.dotted(place, node) {
            return found;
        }
        match receiver {
            Receiver::This => match place.type_around(at) {
                Some(around) => self.in_type(place, &around, at),
                None => self.unknown_type(),
            },
            Receiver::Super => match place.type_around(at) {
                Some(around) => self.above(place, &around),
                None => Verdict::Unknown,
            },
            Receiver::Made(of) => self.of_type(place, of, at),
            Receiver::OwnField(field) => match self.field_type(place, field, at) {
                Some(of) => self.of_type(place, &of, at),
                None => self.unknown_type(),
            },
            Receiver::Name(name) => self.named_receiver(place, name, at),
            Receiver::FieldOf(name, field) => self.field_of(place, name, field, at),
            Receiver::Other => self.behind_fields(place, node).unwrap_or_else(|| self.unknown_type()),
        }
    }

    fn above(&self, place: &Place<'_>, around: &str) -> Verdict {
        let of = Meaning { file: place.file, name: around.to_owned() };
        match self.inherited(&of, MOST_ABOVE) {
            Above::Target(target) => resolved(target),
            Above::Another => Verdict::Other,
            Above::Nothing => Verdict::Unknown,
        }
    }

    fn named_receiver(&self, place: &Place<'_>, node: &Node<'_>, at: usize) -> Verdict {
        let name = text_of(node, place.text);
        let local = locals::local(node, name, place.language, place.text)
            .or_else(|| locals::global(node, name, place.language, place.text));
        if let Some(local) = local {
            return match local.of {
                Some(of) => self.of_type(place, &of, at),
                None => self.unknown_type(),
            };
        }
        if place.language == Language::Rust && !types::looks_like_type(name) {
            return self.unknown_type();
        }
        match self.resolver.imported(place.file, name) {
            Some(Resolution::Known(meanings)) => self.behind_meanings(&meanings),
            Some(Resolution::External) => Verdict::Other,
            Some(Resolution::Module(_) | Resolution::Unresolved) => self.unknown_type(),
            None if types::looks_like_type(name)
                || place.defs.iter().any(|def| def.name == name && def.kind.is_type()) =>
            {
                self.of_type(place, name, at)
            }
            None => self.unknown_type(),
        }
    }

    /// A member of a field of a value whose type is known.
    fn field_of(&self, place: &Place<'_>, node: &Node<'_>, field: &str, at: usize) -> Verdict {
        let name = text_of(node, place.text);
        let of = locals::local(node, name, place.language, place.text).and_then(|local| local.of);
        let owner = of.as_deref().map(last_part).unwrap_or_default();
        let prefix = of.as_deref().map_or("", |of| of[..of.len() - owner.len()].trim_end_matches(['.', ':']));
        if owner.is_empty() {
            return self.unknown_type();
        }
        let owners = self.types(place, prefix, owner).unwrap_or_default();
        for meaning in owners {
            if meaning.file == place.file {
                if let Some(of) = field_type_in(place, &meaning.name, field) {
                    return self.of_type(place, &of, at);
                }
            } else if let Some(found) = self.with_text(meaning.file, |there| {
                let of = field_type_in(there, &meaning.name, field)?;
                Some(self.of_type(there, &of, at))
            }) {
                return found;
            }
        }
        self.unknown_type()
    }

    /// What stands behind a module or a class that was imported.
    fn behind_meanings(&self, meanings: &BTreeSet<Meaning>) -> Verdict {
        let mut is_unknown = false;
        for meaning in meanings {
            let found = if meaning.name.is_empty() {
                match self.among(&self.resolver.member(meaning.file, self.name())) {
                    Some(target) => resolved(target),
                    None => Verdict::Other,
                }
            } else {
                self.member_of(meaning)
            };
            match found {
                Verdict::Use(..) => return found,
                Verdict::Unknown => is_unknown = true,
                Verdict::Other | Verdict::Definition => {}
            }
        }
        if is_unknown { self.unknown_type() } else { Verdict::Other }
    }

    /// `a.b.name` of Python, where `import a.b` or `import a` binds `a`: the module before the name.
    fn dotted(&self, place: &Place<'_>, node: &Node<'_>) -> Option<Verdict> {
        let around = node.parent().filter(|around| around.kind() == "attribute")?;
        let before = around.child_by_field_name("object").filter(|_| place.language == Language::Python)?;
        let module = text_of(&before, place.text);
        let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.');
        let (head, _) = module.split_once('.').filter(|_| module.chars().all(is_path))?;
        let mut imports = self.resolver.modules.imports(place.file).iter();
        let binds = |import: &crate::facts::Import| {
            import.form == Form::Module && import.local.split('.').next() == Some(head)
        };
        if !imports.any(binds) || locals::local(&before, head, place.language, place.text).is_some() {
            return None;
        }
        match self.resolver.behind(place.file, module, self.name()) {
            Resolution::Known(meanings) => Some(self.among(&meanings).map_or(Verdict::Other, resolved)),
            // It is a class or a value of the module.
            _ => None,
        }
    }

    /// A member of a value whose type the text does not name.
    fn unknown_type(&self) -> Verdict {
        let Some(target) = self.targets.first() else { return Verdict::Unknown };
        if !self.targets.iter().any(|target| target.is_member) {
            // A function of a module is not reached through a value, but a module may be passed around.
            return Verdict::Other;
        }
        if self.is_only && is_telling(&target.name) { likely(0) } else { Verdict::Unknown }
    }

    /// The type that the class around a place names for one of its own fields.
    fn field_type(&self, place: &Place<'_>, field: &str, at: usize) -> Option<String> {
        field_type_in(place, &place.type_around(at)?, field)
    }
}

/// Whether a name says enough to stand for itself: words of several parts, or long ones. `get`, `new`, `parse`, `take`,
/// `load` are names that values of any package have.
fn is_telling(name: &str) -> bool {
    let name = name.trim_matches('_');
    let parts = name.split('_').filter(|part| !part.is_empty()).count();
    let humps = name.chars().skip(1).filter(|letter| letter.is_uppercase()).count();
    (parts >= 2 || humps >= 1) && name.len() >= 8 || name.len() >= 12
}
