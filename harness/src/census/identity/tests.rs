use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope, elf,
};

use super::*;
use crate::census::tests::archive;

/// One object under construction, each function in a section of its own as rustc writes them.
struct Builder(Object<'static>);

impl Builder {
    fn new() -> Self {
        Self(Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little))
    }

    fn section(&mut self, name: &str, kind: SectionKind, bytes: &[u8]) -> SectionId {
        let section = self.0.add_section(Vec::new(), name.as_bytes().to_vec(), kind);
        self.0.append_section_data(section, bytes, 1);
        section
    }

    fn symbol(&mut self, name: &str, section: SymbolSection, scope: SymbolScope) -> SymbolId {
        self.0.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: 0,
            size: 0,
            kind: SymbolKind::Text,
            scope,
            weak: false,
            section,
            flags: SymbolFlags::None,
        })
    }

    /// A global function whose body calls each of `callees`, by name, after `body`.
    fn function(mut self, name: &str, body: &[u8], callees: &[&str]) -> Self {
        let code = [body, &[0xe8, 0, 0, 0, 0].repeat(callees.len())].concat();
        let section = self.section(&format!(".text.{name}"), SectionKind::Text, &code);
        self.symbol(name, SymbolSection::Section(section), SymbolScope::Linkage);
        for (index, callee) in callees.iter().enumerate() {
            let symbol = self.symbol(callee, SymbolSection::Undefined, SymbolScope::Unknown);
            self.relocate(section, (body.len() + 5 * index + 1) as u64, symbol, elf::R_X86_64_PLT32, -4);
        }
        self
    }

    /// A function that loads a constant of its own through a local symbol.
    fn with_constant(mut self, local: &str, constant: &[u8], addend: i64, kind: elf::RelocationType) -> Self {
        let data = self.section(&format!(".rodata.{local}"), SectionKind::ReadOnlyData, constant);
        let code = self.section(".text.loads", SectionKind::Text, &[0x48, 0x8d, 0x05, 0, 0, 0, 0, 0xc3]);
        let symbol = self.symbol(local, SymbolSection::Section(data), SymbolScope::Compilation);
        self.relocate(code, 3, symbol, kind, addend);
        self
    }

    fn relocate(
        &mut self,
        section: SectionId,
        offset: u64,
        symbol: SymbolId,
        kind: elf::RelocationType,
        addend: i64,
    ) {
        let flags = RelocationFlags::Elf { r_type: kind };
        self.0.add_relocation(section, Relocation { offset, symbol, addend, flags }).unwrap();
    }

    fn done(self) -> Vec<u8> {
        self.0.write().unwrap()
    }
}

fn digest(inputs: &[&[u8]]) -> CodeDigest {
    identity(inputs.iter().map(|bytes| ("input", bytes))).unwrap()
}

fn legacy(path: &str, hash: char) -> String {
    format!("_ZN{}{path}17h{}E", path.len(), String::from(hash).repeat(16))
}

#[test]
fn a_digest_is_sha_256_in_hexadecimal() {
    let digest = digest(&[&Builder::new().function("main", &[0xc3], &[]).done()]);
    assert_eq!(digest.as_str().len(), 64);
    assert!(digest.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(digest.to_string(), digest.as_str());
}

#[test]
fn order_does_not_matter() {
    let one = Builder::new().function("main", &[0x90], &["callee"]).done();
    let two = Builder::new().function("callee", &[0xc3], &["main"]).done();
    assert_eq!(digest(&[&one, &two]), digest(&[&two, &one]));
    let together =
        Builder::new().function("callee", &[0xc3], &["main"]).function("main", &[0x90], &["callee"]);
    assert_eq!(digest(&[&one, &two]), digest(&[&together.done()]), "nor which object holds what");
}

#[test]
fn hashes_in_names_do_not_matter() {
    let build = |hash, module: &str| {
        let (callee, anonymous) =
            (legacy("callee", hash), format!(".Lanon.{}.1", String::from(hash).repeat(32)));
        let callee = format!("{callee}.llvm.{module}");
        Builder::new()
            .function(&legacy("caller", hash), &[0x90], &[&callee])
            .function(&callee, &[0xc3], &[])
            .with_constant(&anonymous, b"constant", -4, elf::R_X86_64_PC32)
            .done()
    };
    assert_eq!(digest(&[&build('a', "17")]), digest(&[&build('b', "9000")]));
}

#[test]
fn names_without_hashes_matter() {
    let named = |name| digest(&[&Builder::new().function(name, &[0xc3], &[]).done()]);
    assert_ne!(named("memcpy"), named("memmove"));
    let calling = |name| digest(&[&Builder::new().function("main", &[0xc3], &[name]).done()]);
    assert_ne!(calling("memcpy"), calling("memmove"));
}

#[test]
fn contents_and_relocations_matter() {
    let build = |constant: &[u8], addend, kind| {
        digest(&[&Builder::new().with_constant(".Lanon.1", constant, addend, kind).done()])
    };
    let plain = build(b"constant", -4, elf::R_X86_64_PC32);
    assert_eq!(plain, build(b"constant", -4, elf::R_X86_64_PC32));
    assert_ne!(plain, build(b"Constant", -4, elf::R_X86_64_PC32));
    assert_ne!(plain, build(b"constant", -3, elf::R_X86_64_PC32));
    assert_ne!(plain, build(b"constant", -4, elf::R_X86_64_GOTPCREL));
}

#[test]
fn where_a_relocation_stands_and_points_matters() {
    /// Two loads at `sites` from one table of two constants, by local symbols at `places`.
    fn build(sites: [u64; 2], places: [u64; 2], table: &[u8]) -> CodeDigest {
        let mut builder = Builder::new();
        let data = builder.section(".rodata.table", SectionKind::ReadOnlyData, table);
        let code = builder.section(".text.loads", SectionKind::Text, &[0; 32]);
        for (site, place) in sites.into_iter().zip(places) {
            let symbol = builder.symbol(".Lentry", SymbolSection::Section(data), SymbolScope::Compilation);
            builder.0.symbol_mut(symbol).value = place;
            builder.relocate(code, site, symbol, elf::R_X86_64_PC32, -4);
        }
        digest(&[&builder.done()])
    }
    let plain = build([3, 10], [0, 8], b"one     two     ");
    assert_eq!(
        plain,
        build([10, 3], [8, 0], b"one     two     "),
        "the order of the table's entries is none"
    );
    assert_ne!(plain, build([3, 11], [0, 8], b"one     two     "));
    assert_ne!(plain, build([3, 10], [8, 0], b"one     two     "));
    assert_ne!(plain, build([3, 10], [0, 8], b"two     one     "));
}

#[test]
fn which_constant_a_function_loads_matters() {
    let build = |first: &[u8], second: &[u8]| {
        let mut builder = Builder::new();
        for (opcode, constant) in [(0x90, first), (0x91, second)] {
            let data = builder.section(".rodata..Lanon", SectionKind::ReadOnlyData, constant);
            let code = builder.section(".text.loads", SectionKind::Text, &[opcode, 0, 0, 0, 0]);
            let symbol = builder.symbol(".Lanon", SymbolSection::Section(data), SymbolScope::Compilation);
            builder.relocate(code, 1, symbol, elf::R_X86_64_PC32, -4);
        }
        digest(&[&builder.done()])
    };
    assert_ne!(build(b"one", b"two"), build(b"two", b"one"));
}

#[test]
fn several_definitions_of_one_name_have_no_order() {
    let caller = Builder::new().function("main", &[0x90], &["callee"]).done();
    let one = Builder::new().function("callee", &[0xc3], &[]).done();
    let two = Builder::new().function("callee", &[0xcb], &[]).done();
    assert_eq!(digest(&[&caller, &one, &two]), digest(&[&two, &one, &caller]));
}

#[test]
fn tables_derived_from_the_code_do_not_matter() {
    let build = |frames: &[u8]| {
        let mut builder = Builder::new().function("main", &[0xc3], &[]);
        builder.section(".eh_frame", SectionKind::ReadOnlyData, frames);
        builder.section(".debug_info", SectionKind::Debug, frames);
        digest(&[&builder.done()])
    };
    assert_eq!(build(b"frames"), build(b"other frames"));
}

#[test]
fn instances_that_differ_in_nothing_but_a_hash_are_told_apart() {
    // Two callers and two instances of one generic function: who calls which is all that differs.
    let (one, two) = (legacy("generic", 'a'), legacy("generic", 'b'));
    let build = |first: &str, second: &str| {
        digest(&[&Builder::new()
            .function("x", &[0x90], &[first])
            .function("y", &[0x91], &[second])
            .function(&one, &[0xc3], &[])
            .function(&two, &[0x90, 0xc3], &[])
            .done()])
    };
    assert_eq!(build(&one, &two), build(&one, &two));
    assert_ne!(build(&one, &two), build(&two, &one));
    assert_ne!(build(&one, &two), build(&one, &one));
}

#[test]
fn differences_far_down_the_call_chain_are_found() {
    // The instances are equal byte by byte; only what they call, through two more, differs.
    let name = |path: &str, hash| legacy(path, hash);
    let build = |first, second| {
        let mut builder = Builder::new().function("x", &[0x90], &[&name("a", first)]).function(
            "y",
            &[0x91],
            &[&name("a", second)],
        );
        for (hash, leaf) in [('1', [0xc3]), ('2', [0xcb])] {
            builder = builder
                .function(&name("a", hash), &[0x90], &[&name("b", hash)])
                .function(&name("b", hash), &[0x90], &[&name("c", hash)])
                .function(&name("c", hash), &leaf, &[]);
        }
        digest(&[&builder.done()])
    };
    assert_ne!(build('1', '2'), build('2', '1'));
}

#[test]
fn archives_count_as_their_members() {
    let one = Builder::new().function("main", &[0x90], &["callee"]).done();
    let two = Builder::new().function("callee", &[0xc3], &[]).done();
    let plain = digest(&[&one, &two]);
    let library = archive(&[("one.o", &one), ("lib.rmeta", b"rust\0with a hash"), ("two.o", &two)]);
    assert_eq!(digest(&[&library]), plain);
    assert_eq!(digest(&[&library, b"GROUP ( libc.so.6 )"]), plain, "a linker script adds no code");
    assert_ne!(digest(&[&library, b"BC\xc0\xde"]), plain, "bitcode does");
    assert_ne!(digest(&[&library, b"BC\xc0\xde"]), digest(&[&library, b"BC\xc0\xdf"]));
    assert_ne!(digest(&[&one]), plain);
    assert_ne!(digest(&[&one, &two, &two]), plain, "a multiset");
}

#[test]
fn damage_is_reported_with_the_name() {
    let good = Builder::new().function("main", &[0xc3], &[]).done();
    let library = archive(&[("whole.o", &good), ("cut.o", &good[..good.len() - 8])]);
    let error = identity([("libx.rlib", library)]).unwrap_err();
    assert!(
        error.to_string().starts_with("libx.rlib: cut.o: this ELF file or archive is truncated"),
        "{error}"
    );
}
