//! Names of symbols: as a person reads them, and as two builds of the same code agree on them.

use std::borrow::Cow;

/// The demangled name without rustc's hashes; a name that is not mangled comes back as it is.
pub(crate) fn demangled(raw: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(raw))
}

/// Whether `path` occurs in a demangled name as a whole path: as the item itself, as the start of a
/// longer path, or inside `<… as …>` and generic arguments; never as part of another identifier and
/// never as the tail of a longer path.
pub(crate) fn is_under(name: &str, path: &str) -> bool {
    let path = path.trim_end_matches("::");
    let continues = |c: char| c.is_alphanumeric() || c == '_';
    !path.is_empty()
        && name.match_indices(path).any(|(start, _)| {
            let before = name[..start].chars().next_back();
            let after = name[start + path.len()..].chars().next();
            !before.is_some_and(|c| continues(c) || c == ':') && !after.is_some_and(continues)
        })
}

/// The name of a linker symbol without what depends on where and how it was compiled and not on what:
///
/// - `.llvm.1234…`, which LLVM appends to a promoted local name (a hash of the module's path);
/// - `17h<16 hex>E`, the hash at the end of rustc's legacy mangling;
/// - `Cs<base 62>_`, a crate's disambiguator in v0 mangling (rustc RFC 2603);
/// - the hash in `anon.<32 hex>.N`, rustc's name of a constant without one.
pub(crate) fn normalised(raw: &str) -> Cow<'_, str> {
    let without_module = match raw.rsplit_once(".llvm.") {
        Some((name, digits)) if is_decimal(digits) => name,
        _ => raw,
    };
    if without_module.starts_with("_R") {
        return without_disambiguators(without_module);
    }
    if let Some(rest) = without_module.strip_prefix("_ZN") {
        return match rest.len().checked_sub(20).map(|at| (rest.get(..at), rest.get(at..))) {
            Some((Some(path), Some(tail))) if is_legacy_hash(tail) => Cow::Owned(format!("_ZN{path}17hE")),
            _ => Cow::Borrowed(without_module),
        };
    }
    for prefix in ["anon.", ".Lanon."] {
        let Some((hash, number)) = without_module.strip_prefix(prefix).and_then(|rest| rest.split_once('.'))
        else {
            continue;
        };
        if hash.len() == 32 && is_hex(hash) {
            return Cow::Owned(format!("anon.{number}"));
        }
    }
    Cow::Borrowed(without_module)
}

/// Drops each `s<base 62>_` that follows a crate root's `C` and precedes the crate's name.
fn without_disambiguators(name: &str) -> Cow<'_, str> {
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("Cs") {
        let (before, tail) = rest.split_at(at + 1);
        kept.push_str(before);
        let digits = tail[1..].bytes().take_while(u8::is_ascii_alphanumeric).count();
        let follows = tail.as_bytes().get(1 + digits..3 + digits);
        rest = match follows {
            Some([b'_', length]) if length.is_ascii_digit() => &tail[2 + digits..],
            _ => tail,
        };
    }
    if kept.is_empty() {
        return Cow::Borrowed(name);
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// `17h`, sixteen hexadecimal digits and `E`.
fn is_legacy_hash(tail: &str) -> bool {
    let digits = tail.strip_prefix("17h").and_then(|rest| rest.strip_suffix('E'));
    digits.is_some_and(|digits| digits.len() == 16 && is_hex(digits))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_manglings_are_demangled_without_hashes() {
        assert_eq!(demangled("_ZN8my_crate3dot4simd17h0123456789abcdefE"), "my_crate::dot::simd");
        assert_eq!(demangled("_ZN8my_crate3dot4simd17h0123456789abcdefE.llvm.77"), "my_crate::dot::simd");
        assert_eq!(demangled("_RNvNtCs1234_8my_crate3dot4simd"), "my_crate::dot::simd");
        assert_eq!(demangled("memcpy"), "memcpy");
    }

    #[test]
    fn a_path_covers_what_lies_under_it_and_nothing_else() {
        let path = "my_crate::dot";
        for inside in [
            "my_crate::dot",
            "my_crate::dot::simd::{closure#0}",
            "<my_crate::dot::X as core::iter::Iterator>::next",
            "<&mut my_crate::dot::X as Trait>::next",
            "<alloc::vec::Vec<u8> as my_crate::dot::Sum>::sum",
            "core::ptr::drop_in_place::<my_crate::dot::X>",
            "my_crate::dot::<f32>",
        ] {
            assert!(is_under(inside, path), "{inside}");
            assert!(is_under(inside, "my_crate::dot::"), "{inside}");
        }
        for outside in
            ["my_crate::dot_product", "other::my_crate::dot", "xmy_crate::dot::simd", "my_crate", ""]
        {
            assert!(!is_under(outside, path), "{outside}");
        }
        assert!(!is_under("anything", ""));
    }

    #[test]
    fn hashes_vanish_and_everything_else_stays() {
        for (raw, expected) in [
            ("_ZN3idt4main17h6e8f900933dc159eE", "_ZN3idt4main17hE"),
            ("_ZN3idt4main17h6e8f900933dc159eE.llvm.11889913388472929147", "_ZN3idt4main17hE"),
            ("_ZN3idt4main17h6e8f900933dc159gE", "_ZN3idt4main17h6e8f900933dc159gE"),
            ("_RNvNtCsjrHSEGnQ3l9_3std3env4args", "_RNvNtC3std3env4args"),
            ("_RINvCs1_3abcNtCs2Z_4core1XE", "_RINvC3abcNtC4core1XE"),
            ("_RNvC3abc7CssXyz_", "_RNvC3abc7CssXyz_"),
            ("anon.bea853ec886dd8df17c66acd5f903f70.2.llvm.118", "anon.2"),
            (".Lanon.bea853ec886dd8df17c66acd5f903f70.2", "anon.2"),
            ("anon.short.2", "anon.short.2"),
            ("memcpy", "memcpy"),
            ("a.llvm.", "a.llvm."),
            ("_ZNé", "_ZNé"),
        ] {
            assert_eq!(normalised(raw), expected, "{raw}");
        }
    }
}
