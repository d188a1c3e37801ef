//! Decides what a place with the name of a target means.

use std::collections::BTreeSet;

use mcp_source::Language;
use mcp_source::symbols::Kind;
use mcp_source::tree_sitter::Node;

use super::occurrence::{Occurrence, Role};
use super::{Confidence, Target, family, locals};
use crate::facts::Form;
use crate::index::{Def, last_part};
use crate::resolve::{FileId, Meaning, Resolution, Resolver};

/// What a place means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Use(usize, Confidence),
    /// It may be a use.
    Unknown,
    /// It is none.
    Other,
    /// It is where something of that name is defined.
    Definition,
}

/// The file that a place lies in.
pub(super) struct Place<'p> {
    pub file: FileId,
    pub language: Language,
    pub text: &'p [u8],
    pub defs: &'p [Def<'p>],
}

impl Place<'_> {
    /// The innermost type around a byte: by its own definition, or by what a function in it says that it belongs to.
    pub fn type_around(&self, at: usize) -> Option<String> {
        self.types_around(at).into_iter().next()
    }

    /// The types around a byte, the innermost first.
    pub fn types_around(&self, at: usize) -> Vec<String> {
        let holding = self.defs.iter().filter(|def| def.range.contains(&at));
        let mut holding: Vec<&Def<'_>> = holding.collect();
        holding.sort_by_key(|def| def.range.len());
        let of = |def: &&Def<'_>| match def.kind {
            kind if kind.is_type() => Some(def.name.to_owned()),
            Kind::Method if !def.container.is_empty() => Some(def.owner().to_owned()),
            _ => None,
        };
        let mut names: Vec<String> = holding.iter().filter_map(of).collect();
        names.dedup();
        names
    }
}

/// Decides for one name.
pub(super) struct Judge<'j> {
    pub(super) resolver: &'j Resolver<'j>,
    pub(super) targets: &'j [Target],
    /// The name that is looked for: the targets' own, or another one under which a file knows them.
    spelled: &'j str,
    /// How many definitions of the name there are in the languages of the targets, with the same thing's declarations.
    pub(super) is_only: bool,
    /// Whether a target is a fixture of pytest, which parameters of its name get.
    is_fixture: bool,
}

pub(super) fn resolved(target: usize) -> Verdict {
    Verdict::Use(target, Confidence::Resolved)
}

pub(super) fn likely(target: usize) -> Verdict {
    Verdict::Use(target, Confidence::Likely)
}

impl<'j> Judge<'j> {
    pub fn new(resolver: &'j Resolver<'j>, targets: &'j [Target]) -> Self {
        let known = targets.first().map_or(0, |target| {
            let own = family(resolver.modules.language(target.file));
            let named = resolver.live.named(&target.name);
            named.iter().filter(|(entry, _)| family(entry.language()) == own).count()
        });
        let spelled = targets.first().map_or("", |target| target.name.as_str());
        let is_fixture = targets.iter().any(|target| is_fixture(resolver, target));
        Self { resolver, targets, spelled, is_only: known == 1 && targets.len() == 1, is_fixture }
    }

    /// The same for another name of the targets, which nothing but an import makes one.
    pub fn spelled(&self, alias: &'j str) -> Self {
        Self { spelled: alias, is_only: false, ..*self }
    }

    pub fn name(&self) -> &'j str {
        self.spelled
    }

    fn is_alias(&self) -> bool {
        self.targets.first().is_some_and(|target| target.name != self.spelled)
    }

    pub fn verdict(&self, place: &Place<'_>, occurrence: &Occurrence<'_>) -> Verdict {
        let at = occurrence.node.start_byte();
        if place.defs.iter().any(|def| def.name_start == at) {
            return Verdict::Definition;
        }
        match &occurrence.role {
            Role::Import => self.import(place, &occurrence.node),
            Role::Bare => self.bare(place, &occurrence.node),
            Role::Path(path) => self.path(place, path, at),
            Role::Member(receiver) => self.member(place, receiver, &occurrence.node),
            Role::Key(Some(of)) => self.of_type(place, of, at),
            Role::Key(None) => {
                let is_field = |target: &Target| matches!(target.kind, Kind::Field | Kind::Method);
                if self.targets.iter().any(is_field) { Verdict::Unknown } else { Verdict::Other }
            }
        }
    }

    /// The target that meanings name, if any.
    pub(super) fn among(&self, meanings: &BTreeSet<Meaning>) -> Option<usize> {
        let is = |target: &Target| {
            let is_named = |meaning: &Meaning| meaning.file == target.file && meaning.name == target.name;
            !target.is_member && meanings.iter().any(is_named)
        };
        self.targets.iter().position(is)
    }

    fn by_resolution(&self, resolution: &Resolution) -> Verdict {
        match resolution {
            Resolution::Known(meanings) => self.among(meanings).map_or(Verdict::Other, resolved),
            Resolution::External => Verdict::Other,
            Resolution::Module(files) => {
                let target = self.targets.iter().position(|target| files.contains(&target.file));
                target.map_or(Verdict::Unknown, likely)
            }
            Resolution::Unresolved => Verdict::Unknown,
        }
    }

    fn import(&self, place: &Place<'_>, node: &Node<'_>) -> Verdict {
        let line = u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX);
        let name = self.name();
        let imports = self.resolver.modules.imports(place.file).iter();
        let mut near: Vec<_> = imports.filter(|import| import.item == name || import.local == name).collect();
        // One statement may reach over several lines.
        near.sort_by_key(|import| import.line.abs_diff(line));
        match near.first() {
            // `pub use` of a variant, a module of that name, or a part of a path.
            None => Verdict::Other,
            Some(import) if import.form == Form::Item && import.module == "." => {
                match self.own_names(place, usize::MAX) {
                    Some(usize::MAX) => Verdict::Other,
                    Some(target) => resolved(target),
                    // It passes on what it imported itself.
                    None => self
                        .resolver
                        .imported(place.file, &import.item)
                        .map_or(Verdict::Unknown, |resolution| self.by_resolution(&resolution)),
                }
            }
            Some(import) if import.item == name || import.item.is_empty() || self.is_alias() => {
                self.by_resolution(&self.resolver.import(place.file, import))
            }
            Some(_) => Verdict::Other,
        }
    }

    /// A name that stands alone.
    fn bare(&self, place: &Place<'_>, node: &Node<'_>) -> Verdict {
        let at = node.start_byte();
        let name = self.name();
        if let Some(in_type) = self.implicit_member(place, at) {
            return in_type;
        }
        let is_type_name = matches!(node.kind(), "type_identifier" | "namespace_identifier");
        if !is_type_name && locals::local(node, name, place.language, place.text).is_some() {
            return if self.is_fixture { Verdict::Unknown } else { Verdict::Other };
        }
        if let Some(found) = self.own_names(place, at) {
            return if found == usize::MAX { Verdict::Other } else { resolved(found) };
        }
        if let Some(resolution) = self.resolver.imported(place.file, name) {
            return self.by_resolution(&resolution);
        }
        let wild = self.resolver.by_wildcard(place.file, name);
        match (self.among(&wild), wild.len()) {
            (Some(target), 1) => resolved(target),
            // Declared in a header and defined in a file: one thing.
            (Some(target), _) if self.is_one_thing(&wild) => resolved(target),
            (Some(target), _) => likely(target),
            (None, 0) => self.unbound(place),
            // The header that is included declares what another file defines.
            (None, _) if family(place.language) == 4 => {
                self.declared_by(&wild).map_or(Verdict::Other, resolved)
            }
            (None, _) => Verdict::Other,
        }
    }

    /// The target whose own file includes one of the declarations that are meant.
    fn declared_by(&self, wild: &BTreeSet<Meaning>) -> Option<usize> {
        let includes = |target: &Target| {
            !target.is_member && !self.resolver.by_wildcard(target.file, &target.name).is_disjoint(wild)
        };
        self.targets.iter().position(includes)
    }

    /// Whether all meanings are declarations of a thing that is defined at most once.
    fn is_one_thing(&self, meanings: &BTreeSet<Meaning>) -> bool {
        if family(
            self.targets.first().map_or(Language::Rust, |target| self.resolver.modules.language(target.file)),
        ) != 4
        {
            return false;
        }
        let declares = |meaning: &Meaning| {
            let defs =
                self.resolver.entry(meaning.file).map(|entry| entry.named(&meaning.name)).unwrap_or_default();
            defs.iter().all(|def| def.is_declaration || def.kind == Kind::Macro)
        };
        let definitions = self.resolver.live.named(self.name());
        let defined =
            definitions.iter().filter(|(_, def)| !def.is_declaration && def.container.is_empty()).count();
        meanings.iter().filter(|meaning| !declares(meaning)).count() <= 1 && defined <= 1
    }

    /// A name that nothing in its file binds.
    fn unbound(&self, place: &Place<'_>) -> Verdict {
        let only = self.is_only.then_some(0).filter(|target| !self.targets[*target].is_member);
        match (place.language, only) {
            // A macro that is exported is visible without an import; what C links is found by its name.
            (Language::Rust, Some(target)) if self.targets[target].kind == Kind::Macro => likely(target),
            (Language::C | Language::Cpp, Some(target)) => likely(target),
            (Language::Rust | Language::Python, _) if self.has_unknown_wildcard(place) => Verdict::Unknown,
            (Language::C | Language::Cpp, None) => Verdict::Unknown,
            // Scripts of a page share what none of them imports.
            (Language::JavaScript, Some(_)) => Verdict::Unknown,
            _ => Verdict::Other,
        }
    }

    pub(super) fn has_unknown_wildcard(&self, place: &Place<'_>) -> bool {
        let mut imports = self.resolver.modules.imports(place.file).iter();
        imports.any(|import| {
            import.form == Form::Wildcard
                && matches!(
                    self.resolver.import(place.file, import),
                    Resolution::Unresolved | Resolution::Module(_)
                )
        })
    }

    /// In Java and C++ a member is reached from inside of its type by its name alone.
    fn implicit_member(&self, place: &Place<'_>, at: usize) -> Option<Verdict> {
        let members = self.targets.iter().any(|target| target.is_member);
        if !members {
            return None;
        }
        let has_implicit = matches!(place.language, Language::Java | Language::Cpp);
        if !has_implicit {
            // A variant that is imported, and enumerators of C, are names of their own.
            let is_free = |target: &Target| target.kind == Kind::Variant;
            return if self.targets.iter().any(is_free) { self.variant(place) } else { self.all_members() };
        }
        let around = place.types_around(at);
        let inside = around.iter().map(|around| self.in_type(place, around, at));
        let found = inside.into_iter().find(|found| matches!(found, Verdict::Use(..)));
        found.or_else(|| self.statically_imported(place))
    }

    /// `import static a.B.name;` and `import static a.B.*;` of Java.
    fn statically_imported(&self, place: &Place<'_>) -> Option<Verdict> {
        if place.language != Language::Java {
            return None;
        }
        let imports = self.resolver.modules.imports(place.file).iter();
        let fits = |import: &&crate::facts::Import| {
            import.form == Form::Wildcard || import.form == Form::Item && import.item == self.name()
        };
        imports.filter(fits).find_map(|import| {
            let is_of = |target: &Target| target.is_member && target.owner == last_part(&import.module);
            let target = self.targets.iter().position(is_of)?;
            let found = self.resolver.behind(place.file, &import.module, self.name());
            let is_there = |meanings: &BTreeSet<Meaning>| {
                meanings.iter().any(|meaning| meaning.file == self.targets[target].file)
            };
            matches!(&found, Resolution::Known(meanings) if is_there(meanings)).then(|| resolved(target))
        })
    }

    fn all_members(&self) -> Option<Verdict> {
        self.targets.iter().all(|target| target.is_member).then_some(Verdict::Other)
    }

    fn variant(&self, place: &Place<'_>) -> Option<Verdict> {
        let is_here = |target: &Target| target.kind == Kind::Variant && target.file == place.file;
        let target = self.targets.iter().position(is_here);
        match place.language {
            // Enumerators of C belong to the file, or to whoever includes it.
            Language::C => target.map(resolved).or_else(|| {
                let wild = self.resolver.by_wildcard(place.file, self.name());
                let is_meant = |target: &Target| wild.iter().any(|meaning| meaning.file == target.file);
                self.targets.iter().position(is_meant).map(resolved)
            }),
            _ => self.all_members().map(|_| Verdict::Unknown),
        }
    }

    /// The target that a name means by the definitions of its own file: the one whose scope is the innermost around the
    /// place; `usize::MAX` for another definition than the targets.
    fn own_names(&self, place: &Place<'_>, at: usize) -> Option<usize> {
        let name = self.name();
        let own = place.defs.iter().filter(|def| def.name == name);
        let scopes = own.filter_map(|def| {
            let target = self
                .targets
                .iter()
                .position(|target| target.file == place.file && target.name_start == def.name_start);
            let scoped = Scoped::of(place.defs, def);
            let is_visible = !scoped.is_member && (at == usize::MAX || scoped.range.contains(&at));
            // A prototype of C stands for what another file defines.
            let is_only_said = def.is_declaration && target.is_none();
            (is_visible && !is_only_said).then_some((scoped.range.len(), target))
        });
        let found = scopes.min_by_key(|(length, target)| (*length, target.is_none()))?;
        Some(found.1.unwrap_or(usize::MAX))
    }

    /// A name behind a path of Rust or C++.
    fn path(&self, place: &Place<'_>, path: &str, at: usize) -> Verdict {
        let last = last_part(path);
        if self.targets.iter().any(|target| target.is_member) {
            let found = match last {
                "Self" => {
                    place.type_around(at).map_or(Verdict::Unknown, |around| self.in_type(place, &around, at))
                }
                _ => self.of_type(place, path, at),
            };
            if matches!(found, Verdict::Use(..)) || self.targets.iter().all(|target| target.is_member) {
                return found;
            }
        }
        if matches!(place.language, Language::Cpp | Language::C) {
            return self.namespaced(place, path);
        }
        self.by_resolution(&self.resolver.behind(place.file, path, self.name()))
    }

    /// A name of a namespace of C++.
    fn namespaced(&self, place: &Place<'_>, path: &str) -> Verdict {
        let last = last_part(path);
        let fits: Vec<usize> =
            (0..self.targets.len()).filter(|target| self.targets[*target].owner == last).collect();
        let wild = self.resolver.by_wildcard(place.file, self.name());
        let is_seen = |target: &Target| {
            target.file == place.file || wild.iter().any(|meaning| meaning.file == target.file)
        };
        match fits[..] {
            [] => Verdict::Other,
            [target] if is_seen(&self.targets[target]) => resolved(target),
            [target] => likely(target),
            _ => fits
                .iter()
                .find(|target| is_seen(&self.targets[**target]))
                .map_or(Verdict::Unknown, |target| resolved(*target)),
        }
    }
}

/// Whether a function of Python has a decorator that makes it a fixture: pytest hands it to parameters by their name.
fn is_fixture(resolver: &Resolver<'_>, target: &Target) -> bool {
    let is_function = target.kind == Kind::Function && !target.is_member;
    let python = |entry: &crate::index::Entry<'_>| entry.language() == Language::Python && is_function;
    let (Some(entry), Some(root)) = (resolver.entry(target.file).filter(python), resolver.root) else {
        return false;
    };
    let defs = entry.defs();
    let Some(def) = defs.iter().find(|def| def.name_start == target.name_start) else { return false };
    let text = mcp_source::read(root, std::path::Path::new(entry.path()), &crate::index::LIMITS);
    let head = text.ok().and_then(|text| text.get(def.range.start..def.name_start).map(<[u8]>::to_vec));
    head.is_some_and(|head| String::from_utf8_lossy(&head).contains("fixture"))
}

/// Where a definition is visible by its name alone.
struct Scoped {
    range: std::ops::Range<usize>,
    is_member: bool,
}

impl Scoped {
    fn of(defs: &[Def<'_>], def: &Def<'_>) -> Self {
        let around = super::around(defs, def);
        let is_member = match &around {
            Some(around) => around.kind.is_type(),
            None => matches!(def.kind, Kind::Method | Kind::Field),
        };
        Self {
            range: around.map_or(0..usize::MAX, |around| around.range),
            is_member: is_member || matches!(def.kind, Kind::Method | Kind::Field | Kind::Variant),
        }
    }
}
