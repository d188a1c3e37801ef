//! Reads this CPU's features.

use std::arch::is_x86_feature_detected;

use raw_cpuid::{CpuId, CpuIdReader};

/// The names of the features that this CPU has and the operating system supports.
pub(super) fn features() -> impl Iterator<Item = &'static str> {
    let state =
        RegisterState { ymm: is_x86_feature_detected!("avx"), zmm: is_x86_feature_detected!("avx512f") };
    let cpuid = CpuId::new();
    // The psABI's x86-64 level guarantees these; they are here so that a set difference with a
    // compiler's list, which names them, is empty.
    let mut found = vec![("x87", true), ("fxsr", true), ("sse", true), ("sse2", true)];
    found.extend(first_leaf(&cpuid, state));
    found.extend(seventh_leaf(&cpuid, state));
    found.extend(seventh_leaf_avx512(&cpuid, state));
    found.extend(extended_leaves(&cpuid, state));
    found.extend(detected_by_std());
    found.into_iter().filter(|(_, present)| *present).map(|(name, _)| name)
}

/// Which vector registers the operating system saves for a program (XCR0).
#[derive(Debug, Clone, Copy)]
struct RegisterState {
    ymm: bool,
    zmm: bool,
}

/// CPUID leaf 1.
fn first_leaf<R: CpuIdReader>(cpuid: &CpuId<R>, state: RegisterState) -> Vec<(&'static str, bool)> {
    let Some(leaf) = cpuid.get_feature_info() else {
        return Vec::new();
    };
    vec![
        ("sse3", leaf.has_sse3()),
        ("ssse3", leaf.has_ssse3()),
        ("sse4.1", leaf.has_sse41()),
        ("sse4.2", leaf.has_sse42()),
        ("popcnt", leaf.has_popcnt()),
        ("movbe", leaf.has_movbe()),
        ("cmpxchg16b", leaf.has_cmpxchg16b()),
        ("aes", leaf.has_aesni()),
        ("pclmulqdq", leaf.has_pclmulqdq()),
        ("rdrand", leaf.has_rdrand()),
        ("xsave", leaf.has_xsave() && leaf.has_oxsave()),
        ("avx", leaf.has_avx() && state.ymm),
        ("f16c", leaf.has_f16c() && state.ymm),
        ("fma", leaf.has_fma() && state.ymm),
    ]
}

/// CPUID leaf 7 without AVX-512.
fn seventh_leaf<R: CpuIdReader>(cpuid: &CpuId<R>, state: RegisterState) -> Vec<(&'static str, bool)> {
    let Some(leaf) = cpuid.get_extended_feature_info() else {
        return Vec::new();
    };
    vec![
        ("bmi1", leaf.has_bmi1()),
        ("bmi2", leaf.has_bmi2()),
        ("adx", leaf.has_adx()),
        ("rdseed", leaf.has_rdseed()),
        ("rtm", leaf.has_rtm()),
        ("sha", leaf.has_sha()),
        ("gfni", leaf.has_gfni()),
        ("ermsb", leaf.has_rep_movsb_stosb()),
        ("fsgsbase", leaf.has_fsgsbase()),
        ("clflushopt", leaf.has_clflushopt()),
        ("clwb", leaf.has_clwb()),
        ("rdpid", leaf.has_rdpid()),
        ("waitpkg", leaf.has_waitpkg()),
        ("avx2", leaf.has_avx2() && state.ymm),
        ("vaes", leaf.has_vaes() && state.ymm),
        ("vpclmulqdq", leaf.has_vpclmulqdq() && state.ymm),
        ("avxvnni", leaf.has_avx_vnni() && state.ymm),
        ("avxifma", leaf.has_avx_ifma() && state.ymm),
        ("avxneconvert", leaf.has_avx_ne_convert() && state.ymm),
        ("avxvnniint8", leaf.has_avx_vnni_int8() && state.ymm),
        ("avxvnniint16", leaf.has_avx_vnni_int16() && state.ymm),
    ]
}

/// The AVX-512 bits of CPUID leaf 7.
fn seventh_leaf_avx512<R: CpuIdReader>(cpuid: &CpuId<R>, state: RegisterState) -> Vec<(&'static str, bool)> {
    let Some(leaf) = cpuid.get_extended_feature_info().filter(|_| state.zmm) else {
        return Vec::new();
    };
    vec![
        ("avx512f", leaf.has_avx512f()),
        ("avx512bw", leaf.has_avx512bw()),
        ("avx512cd", leaf.has_avx512cd()),
        ("avx512dq", leaf.has_avx512dq()),
        ("avx512vl", leaf.has_avx512vl()),
        ("avx512bf16", leaf.has_avx512_bf16()),
        ("avx512bitalg", leaf.has_avx512bitalg()),
        ("avx512fp16", leaf.has_avx512_fp16()),
        ("avx512ifma", leaf.has_avx512_ifma()),
        ("avx512vbmi", leaf.has_avx512vbmi()),
        ("avx512vbmi2", leaf.has_avx512vbmi2()),
        ("avx512vnni", leaf.has_avx512vnni()),
        ("avx512vp2intersect", leaf.has_avx512_vp2intersect()),
        ("avx512vpopcntdq", leaf.has_avx512vpopcntdq()),
    ]
}

/// CPUID leaves 0xD and 0x80000001.
fn extended_leaves<R: CpuIdReader + Clone>(
    cpuid: &CpuId<R>,
    state: RegisterState,
) -> Vec<(&'static str, bool)> {
    let mut found = Vec::new();
    if let Some(leaf) = cpuid.get_extended_state_info() {
        found.extend([
            ("xsaveopt", leaf.has_xsaveopt()),
            ("xsavec", leaf.has_xsavec()),
            ("xsaves", leaf.has_xsaves_xrstors()),
        ]);
    }
    if let Some(leaf) = cpuid.get_extended_processor_and_feature_identifiers() {
        found.extend([
            ("lzcnt", leaf.has_lzcnt()),
            ("lahfsahf", leaf.has_lahf_sahf()),
            ("prfchw", leaf.has_prefetchw()),
            ("rdtscp", leaf.has_rdtscp()),
            ("fma4", leaf.has_fma4() && state.ymm),
            ("xop", leaf.has_xop() && state.ymm),
        ]);
    }
    found
}

/// Features that raw-cpuid does not name, or names for one vendor only (SSE4a, which Hygon has too).
fn detected_by_std() -> [(&'static str, bool); 7] {
    [
        ("sse4a", is_x86_feature_detected!("sse4a")),
        ("tbm", is_x86_feature_detected!("tbm")),
        ("sha512", is_x86_feature_detected!("sha512")),
        ("sm3", is_x86_feature_detected!("sm3")),
        ("sm4", is_x86_feature_detected!("sm4")),
        ("kl", is_x86_feature_detected!("kl")),
        ("widekl", is_x86_feature_detected!("widekl")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::features::{Feature, Features};

    /// Compares one feature with the standard library's own detection.
    macro_rules! same_as_std {
        ($host:expr, $($name:tt),+) => {
            $(assert_eq!($host.contains($name), is_x86_feature_detected!($name), $name);)+
        };
    }

    #[test]
    #[expect(clippy::cognitive_complexity, reason = "the macro writes one comparison a feature")]
    fn the_host_agrees_with_the_standard_library() {
        let host = Features::host();
        same_as_std!(
            host,
            "sse2",
            "sse3",
            "ssse3",
            "sse4.1",
            "sse4.2",
            "popcnt",
            "movbe",
            "cmpxchg16b",
            "aes",
            "pclmulqdq",
            "rdrand",
            "rdseed",
            "xsave",
            "xsavec",
            "xsaveopt",
            "xsaves",
            "avx",
            "f16c",
            "fma",
            "bmi1",
            "bmi2",
            "adx",
            "rtm",
            "sha",
            "gfni",
            "avx2",
            "vaes",
            "vpclmulqdq",
            "avxvnni",
            "avxifma",
            "avxneconvert",
            "avxvnniint8",
            "avxvnniint16",
            "avx512f",
            "avx512bw",
            "avx512cd",
            "avx512dq",
            "avx512vl",
            "avx512bf16",
            "avx512bitalg",
            "avx512fp16",
            "avx512ifma",
            "avx512vbmi",
            "avx512vbmi2",
            "avx512vnni",
            "avx512vp2intersect",
            "avx512vpopcntdq",
            "lzcnt"
        );
    }

    #[test]
    fn wide_registers_that_the_system_does_not_save_are_no_features() {
        let cpuid = CpuId::new();
        let none = RegisterState { ymm: false, zmm: false };
        let all = RegisterState { ymm: true, zmm: true };
        let names = |found: Vec<(&'static str, bool)>| -> Features {
            found.into_iter().filter(|(_, present)| *present).map(|(name, _)| Feature::new(name)).collect()
        };
        assert!(seventh_leaf_avx512(&cpuid, none).is_empty());
        for (without, with) in [
            (names(first_leaf(&cpuid, none)), names(first_leaf(&cpuid, all))),
            (names(seventh_leaf(&cpuid, none)), names(seventh_leaf(&cpuid, all))),
        ] {
            assert!(without.missing_from(&with).is_empty());
            assert!(
                !without
                    .iter()
                    .any(|feature| ["avx", "avx2", "fma", "f16c", "vaes"].contains(&feature.name()))
            );
        }
    }
}
