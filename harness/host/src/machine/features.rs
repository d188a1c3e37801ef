//! CPU features under rustc's names: what this machine has, what a flag set enables, what code needs.
//!
//! One vocabulary serves all three, so that "enabled by the flags and missing here" is a set
//! difference. The names are those of `rustc --print target-features` ("avx512f", "sse4a", "lzcnt");
//! a feature for which rustc has no name keeps its lower-case name in the disassembler ("rdtscp").

mod host;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use iced_x86::CpuidFeature;
use serde::{Deserialize, Serialize};

/// One CPU feature by rustc's `target_feature` name, for example `avx512vl`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Feature(Cow<'static, str>);

impl Feature {
    /// The feature of that name. Names are compared as written, so they must be rustc's.
    pub fn new(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }

    /// The name, as rustc spells it.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The feature that an instruction of iced-x86's group `group` needs, or `None` where no CPU that
    /// runs 64-bit user code lacks it.
    ///
    /// `None` stands for three kinds of groups: what x86-64 itself guarantees (SSE2, CMOV, SYSCALL,
    /// CPUID, RDTSC, …), system instructions of that base set, and encodings in the space of hints,
    /// which an older CPU runs as a no-operation (ENDBR64, PAUSE, CLDEMOTE, PREFETCHW). The groups are
    /// those of Intel's SDM volume 2 and AMD's APM volume 3, as iced-x86 lists them.
    pub fn from_group(group: CpuidFeature) -> Option<Self> {
        if is_guaranteed(group) || is_hint(group) {
            return None;
        }
        Some(match rustc_name(group) {
            Some(name) => Self(Cow::Borrowed(name)),
            None => Self(Cow::Owned(format!("{group:?}").to_lowercase())),
        })
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Groups that every CPU has which runs 64-bit code (System V x86-64 psABI, level `x86-64`), and
/// system instructions that are as old.
fn is_guaranteed(group: CpuidFeature) -> bool {
    use CpuidFeature as C;
    let before_64_bit = matches!(
        group,
        C::INTEL8086
            | C::INTEL8086_ONLY
            | C::INTEL186
            | C::INTEL286
            | C::INTEL286_ONLY
            | C::INTEL386
            | C::INTEL386_ONLY
            | C::INTEL486
            | C::FPU
            | C::FPU287
            | C::FPU387
            | C::CPUID
            | C::TSC
            | C::MSR
            | C::RDPMC
            | C::CX8
            | C::CMOV
            | C::SEP
            | C::MMX
    );
    let with_64_bit =
        matches!(group, C::X64 | C::SYSCALL | C::FXSR | C::SSE | C::SSE2 | C::CLFSH | C::MULTIBYTENOP);
    before_64_bit || with_64_bit
}

/// Groups whose encodings an older CPU runs as a no-operation.
fn is_hint(group: CpuidFeature) -> bool {
    use CpuidFeature as C;
    matches!(group, C::PAUSE | C::CET_IBT | C::CLDEMOTE | C::PREFETCHITI | C::PREFETCHW | C::PREFETCHWT1)
}

/// rustc's name of a group, where it has one (`rustc --print target-features`, 1.95).
fn rustc_name(group: CpuidFeature) -> Option<&'static str> {
    avx512_name(group).or_else(|| vector_name(group)).or_else(|| scalar_name(group))
}

fn avx512_name(group: CpuidFeature) -> Option<&'static str> {
    use CpuidFeature as C;
    Some(match group {
        C::AVX512F => "avx512f",
        C::AVX512BW => "avx512bw",
        C::AVX512CD => "avx512cd",
        C::AVX512DQ => "avx512dq",
        C::AVX512VL => "avx512vl",
        C::AVX512_BF16 => "avx512bf16",
        C::AVX512_BITALG => "avx512bitalg",
        C::AVX512_FP16 => "avx512fp16",
        C::AVX512_IFMA => "avx512ifma",
        C::AVX512_VBMI => "avx512vbmi",
        C::AVX512_VBMI2 => "avx512vbmi2",
        C::AVX512_VNNI => "avx512vnni",
        C::AVX512_VP2INTERSECT => "avx512vp2intersect",
        C::AVX512_VPOPCNTDQ => "avx512vpopcntdq",
        _ => return None,
    })
}

fn vector_name(group: CpuidFeature) -> Option<&'static str> {
    use CpuidFeature as C;
    Some(match group {
        C::SSE3 => "sse3",
        C::SSSE3 => "ssse3",
        C::SSE4_1 => "sse4.1",
        C::SSE4_2 => "sse4.2",
        C::SSE4A => "sse4a",
        C::AES => "aes",
        C::PCLMULQDQ => "pclmulqdq",
        C::SHA => "sha",
        C::GFNI => "gfni",
        C::AVX => "avx",
        C::AVX2 => "avx2",
        C::FMA => "fma",
        C::FMA4 => "fma4",
        C::F16C => "f16c",
        C::XOP => "xop",
        C::VAES => "vaes",
        C::VPCLMULQDQ => "vpclmulqdq",
        C::AVX_IFMA => "avxifma",
        C::AVX_NE_CONVERT => "avxneconvert",
        C::AVX_VNNI => "avxvnni",
        C::AVX_VNNI_INT8 => "avxvnniint8",
        C::AVX_VNNI_INT16 => "avxvnniint16",
        C::SHA512 => "sha512",
        C::SM3 => "sm3",
        C::SM4 => "sm4",
        C::AMX_BF16 => "amx-bf16",
        C::AMX_COMPLEX => "amx-complex",
        C::AMX_FP16 => "amx-fp16",
        C::AMX_INT8 => "amx-int8",
        C::AMX_TILE => "amx-tile",
        _ => return None,
    })
}

fn scalar_name(group: CpuidFeature) -> Option<&'static str> {
    use CpuidFeature as C;
    Some(match group {
        C::POPCNT => "popcnt",
        C::LZCNT => "lzcnt",
        C::BMI1 => "bmi1",
        C::BMI2 => "bmi2",
        C::TBM => "tbm",
        C::ADX => "adx",
        C::MOVBE => "movbe",
        C::CMPXCHG16B => "cmpxchg16b",
        C::CMPCCXADD => "cmpccxadd",
        C::RDRAND => "rdrand",
        C::RDSEED => "rdseed",
        C::RTM | C::HLE_or_RTM => "rtm",
        C::XSAVE => "xsave",
        C::XSAVEC => "xsavec",
        C::XSAVEOPT => "xsaveopt",
        C::XSAVES => "xsaves",
        C::CET_SS => "shstk",
        C::KL | C::AESKLE => "kl",
        C::WIDE_KL => "widekl",
        _ => return None,
    })
}

/// A set of CPU features, ordered by name; in JSON a list of strings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Features(BTreeSet<Feature>);

impl Features {
    /// What this CPU offers *and* the operating system lets a program use.
    ///
    /// The bits are CPUID's (through raw-cpuid). A CPU may announce AVX or AVX-512 while the system
    /// does not save those registers (XCR0); the standard library's detection reads XCR0, and its
    /// answers for `avx` and `avx512f` gate every feature that needs the wide registers. AMX is never
    /// listed: a process must ask the kernel before it may use the tiles.
    pub fn host() -> Self {
        host::features().map(|name| Feature(Cow::Borrowed(name))).collect()
    }

    /// What a flag set enables: the `target_feature="…"` lines of `rustc --print cfg` under its flags.
    ///
    /// Other lines are ignored, as is `crt-static`, which is about linking and not about the CPU. A
    /// stable rustc prints no unstable feature, so a flag set may enable more than is listed here.
    pub fn from_rustc_cfg(cfg: &str) -> Self {
        cfg.lines()
            .filter_map(|line| line.trim().strip_prefix("target_feature=\"")?.strip_suffix('"'))
            .filter(|name| !name.is_empty() && *name != "crt-static")
            .map(Feature::new)
            .collect()
    }

    /// Whether the set holds the feature of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|feature| feature.name() == name)
    }

    /// The features of this set that `host` lacks.
    pub fn missing_from(&self, host: &Self) -> Self {
        Self(self.0.difference(&host.0).cloned().collect())
    }

    /// The features in order of name.
    pub fn iter(&self) -> impl Iterator<Item = &Feature> {
        self.0.iter()
    }

    /// How many features the set holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set holds no feature.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Feature> for Features {
    fn from_iter<I: IntoIterator<Item = Feature>>(features: I) -> Self {
        Self(features.into_iter().collect())
    }
}

impl fmt::Display for Features {
    /// The names in order, separated by one space.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, feature) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{feature}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Features {
        names.iter().map(|name| Feature::new(name)).collect()
    }

    #[test]
    fn cfg_lines_become_features() {
        let cfg = "panic=\"unwind\"\ntarget_arch=\"x86_64\"\ntarget_feature=\"sse4.1\"\n  target_feature=\"avx2\"\r\n\
                   target_feature=\"crt-static\"\ntarget_feature=\"avx2\"\ntarget_feature\nunix\n";
        assert_eq!(Features::from_rustc_cfg(cfg), set(&["avx2", "sse4.1"]));
        assert!(Features::from_rustc_cfg("").is_empty());
    }

    #[test]
    fn sets_print_in_order_and_subtract() {
        let enabled = set(&["sse4a", "avx512f", "bmi2"]);
        assert_eq!(enabled.to_string(), "avx512f bmi2 sse4a");
        assert_eq!(enabled.missing_from(&set(&["bmi2", "avx512f", "fma"])), set(&["sse4a"]));
        assert_eq!(enabled.len(), 3);
        assert_eq!(serde_json::to_string(&enabled).unwrap(), r#"["avx512f","bmi2","sse4a"]"#);
        assert_eq!(serde_json::from_str::<Features>(r#"["sse4a","bmi2","avx512f"]"#).unwrap(), enabled);
    }

    #[test]
    fn groups_have_rustc_names_or_none() {
        let name = |group| Feature::from_group(group).map(|feature| feature.to_string());
        assert_eq!(name(CpuidFeature::SSE4_1).as_deref(), Some("sse4.1"));
        assert_eq!(name(CpuidFeature::AVX512_VPOPCNTDQ).as_deref(), Some("avx512vpopcntdq"));
        assert_eq!(name(CpuidFeature::RDTSCP).as_deref(), Some("rdtscp"));
        for group in [CpuidFeature::SSE2, CpuidFeature::CET_IBT, CpuidFeature::PAUSE, CpuidFeature::SYSCALL] {
            assert_eq!(name(group), None);
        }
    }
}
