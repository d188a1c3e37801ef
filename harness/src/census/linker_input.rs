//! Enters the files of a link into a [`Graph`].

use std::collections::HashMap;

use object::elf::{SHF_ALLOC, SHF_EXCLUDE, SHT_NOTE, SHT_X86_64_UNWIND};
use object::{
    Object, ObjectKind, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget, SectionFlags,
    SectionIndex, SymbolIndex, SymbolSection,
};
use sha2::{Digest, Sha256};

use crate::census::elf::{self, Elf};
use crate::census::graph::{Graph, NodeId, Target, colour};
use crate::census::{CensusError, name};

/// Enters one file; an archive is entered member by member.
pub(crate) fn add(graph: &mut Graph, name: &str, bytes: &[u8]) -> Result<(), CensusError> {
    add_file(graph, bytes)
        .map_err(|error| CensusError::Input { name: name.to_owned(), error: Box::new(error) })
}

fn add_file(graph: &mut Graph, bytes: &[u8]) -> Result<(), CensusError> {
    if elf::is_archive(bytes) {
        for (name, data) in elf::members(bytes)? {
            // The metadata of a Rust library is read by the compiler, not by the linker.
            if name != "lib.rmeta" {
                add(graph, &name, data)?;
            }
        }
        return Ok(());
    }
    match elf::parse(bytes) {
        Ok(elf) if elf.kind() == ObjectKind::Relocatable => add_object(graph, &elf),
        Ok(_) => Ok(()),
        Err(CensusError::NotElf) => {
            // Code in an unknown form must not be left out: two artifacts that differ in nothing else
            // would be called identical. A linker script is text.
            if std::str::from_utf8(bytes).is_err() || bytes.contains(&0) {
                graph.leaf("opaque", bytes);
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The nodes of one object's sections.
type Nodes = HashMap<SectionIndex, NodeId>;

/// Enters the loaded sections of one object.
fn add_object(graph: &mut Graph, elf: &Elf<'_>) -> Result<(), CensusError> {
    let loaded: Vec<_> = elf.sections().filter(is_loaded).collect();
    let nodes: Nodes = loaded.iter().map(|section| (section.index(), graph.reserve())).collect();
    let names = define_globals(graph, elf, &nodes)?;
    for section in &loaded {
        let mut hash = Sha256::new();
        hash_contents(section, &mut hash)?;
        let names = names.get(&section.index()).map_or(&[][..], Vec::as_slice);
        hash.update((names.len() as u64).to_le_bytes());
        names.iter().for_each(|name| hash_text(name, &mut hash));
        let targets = hash_relocations(graph, elf, section, &nodes, &mut hash)?;
        graph.fill(nodes[&section.index()], colour(hash), targets);
    }
    Ok(())
}

/// Whether a section ends up in the memory of the process, and is not derived from others.
fn is_loaded<'data>(section: &impl ObjectSection<'data>) -> bool {
    let SectionFlags::Elf { sh_type, sh_flags } = section.flags() else {
        return false;
    };
    sh_flags.contains(SHF_ALLOC)
        && !sh_flags.contains(SHF_EXCLUDE)
        && sh_type != SHT_NOTE
        && sh_type != SHT_X86_64_UNWIND
        && section.size() > 0
        && section.name_bytes().is_ok_and(|name| name != b".eh_frame")
}

/// Enters an object's global definitions; the answer describes them, by section and in order.
fn define_globals(
    graph: &mut Graph,
    elf: &Elf<'_>,
    nodes: &Nodes,
) -> Result<HashMap<SectionIndex, Vec<String>>, CensusError> {
    let mut described: HashMap<SectionIndex, Vec<String>> = HashMap::new();
    for symbol in elf.symbols().filter(|symbol| symbol.is_global() && !symbol.is_undefined()) {
        let raw = String::from_utf8_lossy(symbol.name_bytes()?);
        let (offset, size) = (symbol.address(), symbol.size());
        let place = match symbol.section() {
            SymbolSection::Section(section) => nodes.get(&section).map(|node| (*node, offset)),
            SymbolSection::Common => Some((graph.leaf("common", format!("{size} {offset}").as_bytes()), 0)),
            _ => Some((graph.leaf("absolute", &offset.to_le_bytes()), 0)),
        };
        if let Some((node, offset)) = place {
            let global = graph.global(&raw);
            graph.define(global, node, offset);
        }
        if let Some(section) = symbol.section_index() {
            let (weak, kind, name) = (symbol.is_weak(), symbol.kind(), name::normalised(&raw));
            described.entry(section).or_default().push(format!("{offset} {size} {weak} {kind:?} {name}"));
        }
    }
    described.values_mut().for_each(|names| names.sort());
    Ok(described)
}

/// Hashes a section's kind, flags, alignment and bytes.
fn hash_contents<'data>(section: &impl ObjectSection<'data>, hash: &mut Sha256) -> Result<(), CensusError> {
    let SectionFlags::Elf { sh_type, sh_flags } = section.flags() else {
        return Ok(());
    };
    hash_text(&kind(section.name()?), hash);
    for number in [u64::from(sh_type.0), sh_flags.0, section.align(), section.size()] {
        hash.update(number.to_le_bytes());
    }
    // Zero-initialised data has a size and no bytes.
    hash.update(section.data()?);
    Ok(())
}

/// The part of a section's name that the linker goes by: `.text` of `.text._ZN3foo…`. The rest repeats
/// the symbol, with its hash. The number of `.init_array.00099` is an order, and names of other sections
/// mean something to someone: both stay.
fn kind(name: &str) -> String {
    const KINDS: [&str; 8] =
        [".text", ".rodata", ".data.rel.ro", ".data", ".bss", ".tdata", ".tbss", ".gcc_except_table"];
    let is_of =
        |kind: &&&str| name.strip_prefix(**kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    match KINDS.iter().find(is_of) {
        Some(kind) => (*kind).to_owned(),
        None => name::normalised(name).into_owned(),
    }
}

/// A relocation, as far as it is known without looking at its target.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Site {
    offset: u64,
    kind: u32,
    addend: i64,
    /// Where in the target the symbol points.
    place: u64,
}

/// Hashes what a section's relocations say by themselves, and finds where they point.
fn hash_relocations<'data>(
    graph: &mut Graph,
    elf: &Elf<'data>,
    section: &impl ObjectSection<'data>,
    nodes: &Nodes,
    hash: &mut Sha256,
) -> Result<Vec<Target>, CensusError> {
    let mut relocations = Vec::new();
    for (offset, relocation) in section.relocations() {
        let RelocationFlags::Elf { r_type } = relocation.flags() else {
            continue;
        };
        let (target, place) = match relocation.target() {
            RelocationTarget::Symbol(symbol) => target(graph, elf, symbol, nodes)?,
            _ => (Target::Node(graph.leaf("address", &[])), 0),
        };
        relocations.push((Site { offset, kind: r_type.0, addend: relocation.addend(), place }, target));
    }
    relocations.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (site, _) in &relocations {
        hash.update(site.offset.to_le_bytes());
        hash.update(site.kind.to_le_bytes());
        hash.update(site.addend.to_le_bytes());
        hash.update(site.place.to_le_bytes());
    }
    Ok(relocations.into_iter().map(|(_, target)| target).collect())
}

/// Where a symbol points: a node and a place in it, or a global name.
fn target(
    graph: &mut Graph,
    elf: &Elf<'_>,
    symbol: SymbolIndex,
    nodes: &Nodes,
) -> Result<(Target, u64), CensusError> {
    let symbol = elf.symbol_by_index(symbol)?;
    let raw = String::from_utf8_lossy(symbol.name_bytes()?);
    if symbol.is_undefined() || symbol.is_global() {
        return Ok((Target::Global(graph.global(&raw)), 0));
    }
    let node = symbol.section_index().and_then(|section| nodes.get(&section).copied());
    // A local symbol of a section that is not loaded, or is empty, is known by its name only.
    let node = node.unwrap_or_else(|| graph.leaf("local", raw.as_bytes()));
    Ok((Target::Node(node), symbol.address()))
}

/// Hashes a text so that no two lists of texts run together.
fn hash_text(text: &str, hash: &mut Sha256) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
