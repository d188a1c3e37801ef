//! Definitions of Rust are those that `syn` finds, on this repository's own sources: an exact oracle.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::collections::BTreeSet;
use std::path::Path;

use mcp_source::symbols::symbols;
use mcp_source::walk::{Rules, walk};
use mcp_source::{Language, Lines, parse};
// Named for its feature, which gives spans their lines.
use proc_macro2 as _;
use syn::visit::{self, Visit};

/// Kind, name, line of the name.
type Found = BTreeSet<(&'static str, String, usize)>;

#[derive(Default)]
struct Oracle(Found);

impl Oracle {
    fn add(&mut self, kind: &'static str, name: &syn::Ident) {
        self.0.insert((kind, name.to_string(), name.span().start().line));
    }
}

impl<'a> Visit<'a> for Oracle {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add("function", &item.sig.ident);
        visit::visit_item_fn(self, item);
    }
    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add("method", &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }
    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        self.add("method", &item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }
    fn visit_foreign_item_fn(&mut self, item: &'a syn::ForeignItemFn) {
        self.add("function", &item.sig.ident);
    }
    fn visit_foreign_item_static(&mut self, item: &'a syn::ForeignItemStatic) {
        self.add("variable", &item.ident);
    }
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.add("struct", &item.ident);
        visit::visit_item_struct(self, item);
    }
    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.add("enum", &item.ident);
        visit::visit_item_enum(self, item);
    }
    fn visit_item_union(&mut self, item: &'a syn::ItemUnion) {
        self.add("union", &item.ident);
        visit::visit_item_union(self, item);
    }
    fn visit_item_trait(&mut self, item: &'a syn::ItemTrait) {
        self.add("trait", &item.ident);
        visit::visit_item_trait(self, item);
    }
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        self.add("module", &item.ident);
        visit::visit_item_mod(self, item);
    }
    fn visit_item_type(&mut self, item: &'a syn::ItemType) {
        self.add("type", &item.ident);
        visit::visit_item_type(self, item);
    }
    fn visit_impl_item_type(&mut self, item: &'a syn::ImplItemType) {
        self.add("type", &item.ident);
    }
    fn visit_trait_item_type(&mut self, item: &'a syn::TraitItemType) {
        self.add("type", &item.ident);
    }
    fn visit_item_const(&mut self, item: &'a syn::ItemConst) {
        // `const _` has no name to be found by.
        if item.ident != "_" {
            self.add("constant", &item.ident);
        }
        visit::visit_item_const(self, item);
    }
    fn visit_impl_item_const(&mut self, item: &'a syn::ImplItemConst) {
        self.add("constant", &item.ident);
        visit::visit_impl_item_const(self, item);
    }
    fn visit_trait_item_const(&mut self, item: &'a syn::TraitItemConst) {
        self.add("constant", &item.ident);
        visit::visit_trait_item_const(self, item);
    }
    fn visit_item_static(&mut self, item: &'a syn::ItemStatic) {
        self.add("variable", &item.ident);
        visit::visit_item_static(self, item);
    }
    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        if let Some(name) = item.ident.as_ref().filter(|_| item.mac.path.is_ident("macro_rules")) {
            self.add("macro", name);
        }
    }
    fn visit_variant(&mut self, variant: &'a syn::Variant) {
        self.add("variant", &variant.ident);
        visit::visit_variant(self, variant);
    }
    fn visit_field(&mut self, field: &'a syn::Field) {
        if let Some(name) = &field.ident {
            self.add("field", name);
        }
        visit::visit_field(self, field);
    }
}

fn ours(text: &str) -> Found {
    let tree = parse::parse(Language::Rust, text.as_bytes(), parse::USUAL_TIME).unwrap();
    let lines = Lines::new(text.as_bytes());
    let found = symbols(Language::Rust, &tree, text.as_bytes());
    found
        .into_iter()
        .map(|symbol| (symbol.kind.name(), symbol.name, lines.line(symbol.name_range.start)))
        .collect()
}

/// `DEFINITIONS_ROOT` names another tree, whose numbers are printed.
#[test]
fn definitions_of_rust_are_those_of_syn() {
    let given = std::env::var("DEFINITIONS_ROOT").ok();
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).unwrap();
    let root = given.as_deref().map_or(own, Path::new);
    let (mut files, mut both, mut missing, mut more) = (0, 0, Vec::new(), Vec::new());
    for file in walk(root, &Rules::default()).files {
        if Language::of_path(Path::new(&file.path)) != Some(Language::Rust) {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(root.join(&file.path)) else { continue };
        let Ok(parsed) = syn::parse_file(&text) else { continue };
        let mut oracle = Oracle::default();
        oracle.visit_file(&parsed);
        let ours = ours(&text);
        files += 1;
        both += oracle.0.intersection(&ours).count();
        missing.extend(oracle.0.difference(&ours).map(|one| format!("{}: {one:?}", file.path)));
        more.extend(ours.difference(&oracle.0).map(|one| format!("{}: {one:?}", file.path)));
    }
    println!("{files} files, {both} definitions in both, {} missing, {} more", missing.len(), more.len());
    for (name, list) in [("missing", &missing), ("more", &more)] {
        list.iter().take(20).for_each(|one| println!("{name} {one}"));
    }
    let wrong = missing.len().max(more.len());
    assert!(files > 20 && both > 1_000, "too little was compared");
    assert!(wrong * 100 <= both, "more than one in a hundred differs");
    assert!(given.is_some() || wrong == 0, "own sources have no exception");
}
