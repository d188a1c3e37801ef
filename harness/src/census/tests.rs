use std::ops::Range;

use object::write::{Object, Symbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use proptest::prelude::*;

use super::*;
use crate::machine::features::Features;

const INSERTQ: &[u8] = &[0xf2, 0x0f, 0x78, 0xc1, 0x08, 0x10];
const VADDPS_ZMM: &[u8] = &[0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2];
const VADDPS_ZMM_MASKED: &[u8] = &[0x62, 0xf1, 0x74, 0x49, 0x58, 0xc2];
const VPADDD_YMM: &[u8] = &[0xc5, 0xf5, 0xfe, 0xc2];
const POPCNT: &[u8] = &[0xf3, 0x48, 0x0f, 0xb8, 0xc1];
const LZCNT: &[u8] = &[0xf3, 0x48, 0x0f, 0xbd, 0xc1];
const TZCNT: &[u8] = &[0xf3, 0x48, 0x0f, 0xbc, 0xc1];
const KMOVW: &[u8] = &[0xc5, 0xf8, 0x92, 0xc8];
const ADDSS: &[u8] = &[0xf3, 0x0f, 0x58, 0xc1];
/// `vgatherqps ymm0{k1}, [rax + zmm1]`: its index is wider than its destination.
const GATHER: &[u8] = &[0x62, 0xf2, 0x7d, 0x49, 0x93, 0x04, 0x08];
const RET: &[u8] = &[0xc3];
const NOPS: &[u8] = &[0x90, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00, 0xcc];
/// PUSH ES does not exist in 64-bit code.
const UNDEFINED: &[u8] = &[0x06];

const LEGACY: &str = "_ZN8my_crate3dot4simd17h0123456789abcdefE";
const V0: &str = "_RNvNtCs1234_8my_crate4hash5mixed";

/// An x86-64 object whose `.text` holds `code`, with symbols for parts of it.
fn object(code: &[u8], symbols: &[(&str, Range<u64>, SymbolKind)]) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
    let text = object.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    object.append_section_data(text, code, 16);
    let comment = object.add_section(Vec::new(), b".comment".to_vec(), SectionKind::OtherString);
    object.append_section_data(comment, b"\0rustc version 1.95.0\0Linker: LLD 22\0GCC: 12.2\0GCC: 12.2\0", 1);
    for (name, range, kind) in symbols {
        object.add_symbol(Symbol {
            name: name.as_bytes().to_vec(),
            value: range.start,
            size: range.end - range.start,
            kind: *kind,
            scope: SymbolScope::Linkage,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
    }
    object.write().unwrap()
}

/// An `ar` archive in the System V form, without an index.
pub(super) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, data) in members {
        let header =
            format!("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", format!("{name}/"), 0, 0, 0, 644, data.len());
        bytes.extend(header.as_bytes());
        bytes.extend(*data);
        if data.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

fn census(code: &[&[u8]]) -> Census {
    Census::of(&object(&code.concat(), &[])).unwrap()
}

fn needs(census: &Census) -> Vec<(&str, u64)> {
    census.features.iter().map(|(feature, used)| (feature.name(), used.instructions)).collect()
}

fn set(names: &[&str]) -> Features {
    names.iter().map(|name| Feature::new(name)).collect()
}

#[test]
fn known_instructions_have_known_counts() {
    let census = census(&[INSERTQ, VADDPS_ZMM, VPADDD_YMM, POPCNT, LZCNT, LZCNT, KMOVW, TZCNT, ADDSS, RET]);
    let expected = [("avx2", 1), ("avx512f", 2), ("lzcnt", 2), ("popcnt", 1), ("sse4a", 1)];
    assert_eq!(needs(&census), expected);
    assert_eq!(census.tzcnt.instructions, 1);
    assert_eq!(census.width, Width { scalar: 5, xmm: 2, ymm: 1, zmm: 1, mask: 1 });
    assert_eq!(census.instructions, 10);
    assert_eq!((census.text_bytes, census.undecoded_bytes, census.functions), (45, 0, 0));
    assert!(!census.symbols_present);
    assert_eq!(census.producers, ["GCC: 12.2", "rustc version 1.95.0"]);
}

#[test]
fn a_mask_counts_beside_its_vector() {
    let census = census(&[VADDPS_ZMM_MASKED, GATHER]);
    assert_eq!(census.width, Width { zmm: 2, mask: 2, ..Width::default() });
}

#[test]
fn what_no_cpu_lacks_is_no_requirement() {
    let endbr64_pause_rdtsc_cpuid_syscall =
        [0xf3, 0x0f, 0x1e, 0xfa, 0xf3, 0x90, 0x0f, 0x31, 0x0f, 0xa2, 0x0f, 0x05];
    let rdsspq_rax_and_prefetchw = [0xf3, 0x48, 0x0f, 0x1e, 0xc8, 0x0f, 0x0d, 0x08];
    let census = census(&[&endbr64_pause_rdtsc_cpuid_syscall, &rdsspq_rax_and_prefetchw, ADDSS, RET]);
    assert_eq!(needs(&census), []);
    assert_eq!(census.instructions, 9);
}

#[test]
fn padding_and_rubbish_are_no_instructions() {
    let census = census(&[RET, NOPS, UNDEFINED, POPCNT, &[0x0f]]);
    assert_eq!((census.instructions, census.undecoded_bytes), (2, 2));
    assert_eq!(needs(&census), [("popcnt", 1)]);
    assert_eq!(census.text_bytes, 16);
}

#[test]
fn functions_are_attributed_in_both_manglings() {
    let code = [VADDPS_ZMM, RET, NOPS, VPADDD_YMM, RET, POPCNT].concat();
    let functions = [(LEGACY, 0..7, SymbolKind::Text), (V0, 15..20, SymbolKind::Text)];
    let disassembly = Disassembly::of(&object(&code, &functions)).unwrap();
    let all = disassembly.census();
    assert!(all.symbols_present);
    assert_eq!((all.functions, all.instructions), (2, 5));
    assert_eq!(all.features[&Feature::new("avx512f")].functions, ["my_crate::dot::simd"]);
    assert_eq!(all.features[&Feature::new("avx2")].functions, ["my_crate::hash::mixed"]);
    assert!(all.features[&Feature::new("popcnt")].functions.is_empty(), "no symbol covers it");

    let dot = disassembly.of_functions(&["my_crate::dot"]);
    assert_eq!((dot.functions, dot.instructions, dot.text_bytes), (1, 2, 7));
    assert_eq!(needs(&dot), [("avx512f", 1)]);
    let both = disassembly.of_functions(&["my_crate::dot::simd", "my_crate::hash"]);
    assert_eq!(needs(&both), [("avx2", 1), ("avx512f", 1)]);
    assert_eq!(disassembly.of_functions(&["my_crate::do"]).instructions, 0);
}

#[test]
fn symbols_without_a_size_end_at_the_next_and_data_is_no_code() {
    let code = [POPCNT, RET, VADDPS_ZMM, LZCNT, RET].concat();
    let symbols = [
        ("first", 0..0, SymbolKind::Text),
        ("table", 6..12, SymbolKind::Data),
        ("last", 12..100, SymbolKind::Text),
        ("alias_of_last", 12..18, SymbolKind::Text),
    ];
    let disassembly = Disassembly::of(&object(&code, &symbols)).unwrap();
    let all = disassembly.census();
    assert_eq!(needs(&all), [("lzcnt", 1), ("popcnt", 1)]);
    assert_eq!((all.functions, all.text_bytes), (2, 12));
    assert_eq!(disassembly.of_functions(&["first"]).instructions, 2);
    assert_eq!(disassembly.of_functions(&["last"]), disassembly.of_functions(&["alias_of_last"]));
    assert_eq!(disassembly.of_functions(&["last"]).instructions, 2);
}

#[test]
fn examples_are_few_distinct_and_the_heaviest_first() {
    // Two instances of one generic function are the heaviest, and have one name.
    let instances = ["a", "b"].map(|hash| format!("_ZN7generic17h{}E", hash.repeat(16)));
    let names: Vec<String> = (0..5).map(|n| format!("f{n}")).chain(instances).collect();
    let mut code = Vec::new();
    let mut symbols = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let start = code.len() as u64;
        code.extend(POPCNT.repeat(index + 1));
        symbols.push((name.as_str(), start..code.len() as u64, SymbolKind::Text));
    }
    let used = &Census::of(&object(&code, &symbols)).unwrap().features[&Feature::new("popcnt")];
    assert_eq!(used.instructions, 28);
    assert_eq!(used.functions, ["generic", "f4", "f3", "f2", "f1"]);
}

#[test]
fn only_enabled_used_and_missing_features_refuse() {
    let code = [INSERTQ, TZCNT, POPCNT, VPADDD_YMM].concat();
    let census = Census::of(&object(&code, &[("kernel", 0..20, SymbolKind::Text)])).unwrap();
    let host = set(&["popcnt"]);
    let refused = refusal(&census, &set(&["sse4a", "popcnt", "avx512f"]), &host);
    let insertq = MissingFeature {
        feature: Feature::new("sse4a"),
        instructions: 1,
        examples: vec!["kernel".to_owned()],
    };
    assert_eq!(refused, [insertq]);
    assert_eq!(refusal(&census, &set(&[]), &host), [], "guarded code beyond the flag set may stay");
    let bmi1 = refusal(&census, &set(&["bmi1"]), &host);
    assert_eq!((bmi1[0].feature.name(), bmi1[0].instructions), ("bmi1", 1), "TZCNT is BSF without it");
    assert_eq!(bmi1[0].examples, ["kernel"]);
    let beyond: Vec<String> = dispatched(&census, &set(&["sse4a"])).keys().map(Feature::to_string).collect();
    assert_eq!(beyond, ["avx2", "popcnt"]);
}

#[test]
fn a_summary_holds_shares() {
    let summary = census(&[VADDPS_ZMM, ADDSS, RET, RET]).summary();
    assert_eq!((summary.zmm, summary.xmm, summary.ymm, summary.mask), (0.25, 0.25, 0.0, 0.0));
    assert_eq!(summary.features, [(Feature::new("avx512f"), 1)]);
}

#[test]
fn a_census_survives_json() {
    let census = census(&[VADDPS_ZMM, TZCNT]);
    let json = serde_json::to_string(&census).unwrap();
    assert!(json.contains(r#""avx512f":{"instructions":1,"functions":[]}"#), "{json}");
    assert_eq!(serde_json::from_str::<Census>(&json).unwrap(), census);
}

#[test]
fn an_archive_is_the_sum_of_its_objects() {
    let one = object(POPCNT, &[]);
    let two = object(&[LZCNT, RET].concat(), &[]);
    let bytes = archive(&[("one.o", &one), ("lib.rmeta", b"rust\0\0metadata"), ("two.o", &two)]);
    let census = Census::of(&bytes).unwrap();
    assert_eq!(needs(&census), [("lzcnt", 1), ("popcnt", 1)]);
    assert_eq!((census.instructions, census.file_bytes), (3, bytes.len() as u64));
}

#[test]
fn what_cannot_be_read_is_said_in_a_sentence() {
    let good = object(RET, &[]);
    assert_eq!(Census::of(b"#!/bin/sh\n"), Err(CensusError::NotElf));
    assert_eq!(Census::of(b""), Err(CensusError::NotElf));
    assert_eq!(Census::of(&object(&[], &[])), Err(CensusError::NoCode));
    let mut arm = good.clone();
    arm[18] = 183;
    let error = Census::of(&arm).unwrap_err();
    assert_eq!(error.to_string(), "this ELF file is not 64-bit x86-64 code (class 2, machine 183)");
    let mut narrow = good.clone();
    narrow[4] = 1;
    assert_eq!(Census::of(&narrow), Err(CensusError::NotX86_64 { class: 1, machine: 62 }));
    for length in [4, 19, 63, good.len() - 1] {
        let error = Census::of(&good[..length]).unwrap_err();
        assert!(matches!(error, CensusError::Damaged { .. }), "{length}: {error}");
    }
    assert!(matches!(Census::of(b"!<arch>\nnonsense"), Err(CensusError::Damaged { .. })));
    assert!(matches!(Census::of(b"!<thin>\n"), Err(CensusError::Damaged { .. })));
}

#[test]
fn this_executable_can_be_read() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let disassembly = Disassembly::of(&bytes).unwrap();
    let all = disassembly.census();
    assert!(all.symbols_present);
    assert!(all.functions > 1000 && all.instructions > 100_000, "{:?}", all.summary());
    assert!(all.width.xmm > 0 && all.undecoded_bytes * 1000 < all.text_bytes, "{:?}", all.width);
    assert!(
        all.producers.iter().any(|producer| producer.starts_with("rustc version")),
        "{:?}",
        all.producers
    );
    let module = module_path!();
    let here = disassembly.of_functions(&[module]);
    assert!(here.functions > 10 && here.functions < all.functions, "{module}: {}", here.functions);
    let refused = refusal(&all, &set(&["avx2", "sse2"]), &set(&["sse2"]));
    assert_eq!(refused.iter().map(|missing| missing.feature.name()).collect::<Vec<_>>(), ["avx2"]);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Census::of(&bytes);
        let _ = Census::of(&[b"\x7fELF\x02\x01\x01".as_slice(), &bytes].concat());
        let _ = Census::of(&[b"!<arch>\n".as_slice(), &bytes].concat());
        let _ = identity([("input", &bytes)]);
        let census = Census::of(&object(&[RET, &bytes].concat(), &[])).unwrap();
        prop_assert_eq!(census.text_bytes, bytes.len() as u64 + 1);
        prop_assert!(census.instructions + census.undecoded_bytes <= census.text_bytes);
        let width = census.width;
        let vectors = width.xmm + width.ymm + width.zmm;
        prop_assert!(width.scalar + vectors <= census.instructions);
        prop_assert!(width.scalar + vectors + width.mask >= census.instructions);
    }

    #[test]
    fn no_damage_makes_it_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let functions = [(LEGACY, 0..7, SymbolKind::Text), (V0, 7..11, SymbolKind::Text)];
        let mut bytes = object(&[VADDPS_ZMM, RET, VPADDD_YMM].concat(), &functions);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Census::of(&bytes);
        let _ = identity([("input", &bytes)]);
    }
}
