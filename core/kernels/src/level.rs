//! Which instructions the running CPU has, and functions compiled once for each such level.
//!
//! A dispatched kernel is one body that is inlined into several functions, each compiled with the
//! features of one level of the x86-64 psABI. The levels are those of the flag sets `x86-64-v2`,
//! `x86-64-v3` and `x86-64-v4`, so that a dispatching binary can be compared with a binary built for
//! one level. Floating-point results do not depend on the level: Rust never fuses a multiplication with
//! an addition by itself, and the bodies fix the order of their sums.

use std::sync::OnceLock;

/// A level of the x86-64 psABI that the running CPU has.
///
/// A value can only come from [`Level::detected`] or [`Level::available`], so holding one proves that
/// the CPU runs its instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(Rung);

/// The levels, from the one that every 64-bit x86 CPU has upwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rung {
    Baseline,
    V2,
    V3,
    V4,
}

impl Level {
    /// The highest level of this CPU. CPUID is asked once in the life of the process; later calls read
    /// one atomic.
    #[inline]
    pub fn detected() -> Self {
        static DETECTED: OnceLock<Level> = OnceLock::new();
        *DETECTED.get_or_init(|| Self(detect()))
    }

    /// Every level of this CPU, lowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        let highest = Self::detected();
        [Rung::Baseline, Rung::V2, Rung::V3, Rung::V4]
            .into_iter()
            .map(Self)
            .filter(move |level| *level <= highest)
    }

    /// The name of the flag set with the same instructions.
    pub fn name(self) -> &'static str {
        match self.0 {
            Rung::Baseline => "x86-64",
            Rung::V2 => "x86-64-v2",
            Rung::V3 => "x86-64-v3",
            Rung::V4 => "x86-64-v4",
        }
    }

    pub(crate) fn rung(self) -> Rung {
        self.0
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Rung {
    macro_rules! all {
        ($($feature:tt),+) => { $(std::arch::is_x86_feature_detected!($feature))&&+ };
    }
    let v2 = all!("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cmpxchg16b");
    let v3 = all!("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe");
    let v4 = all!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");
    highest([v2, v3, v4])
}

/// The highest level whose instructions, and those of every level below it, are there.
#[cfg(target_arch = "x86_64")]
fn highest([v2, v3, v4]: [bool; 3]) -> Rung {
    match (v2, v2 && v3, v2 && v3 && v4) {
        (_, _, true) => Rung::V4,
        (_, true, false) => Rung::V3,
        (true, false, false) => Rung::V2,
        (false, false, false) => Rung::Baseline,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Rung {
    Rung::Baseline
}

/// Defines `pub fn NAME(level: Level, …)`, which runs `BODY` compiled for that level.
///
/// `BODY` and every function it is meant to widen must be `#[inline(always)]`: code that is called
/// instead of inlined keeps the features of the whole crate.
macro_rules! dispatched {
    (
        $(#[$attribute:meta])*
        pub fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $output:ty)? = $body:path;
    ) => {
        $(#[$attribute])*
        pub fn $name(level: $crate::level::Level, $($argument: $type),*) $(-> $output)? {
            #[inline(never)]
            fn baseline($($argument: $type),*) $(-> $output)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(never)]
            #[target_feature(enable = "sse3,ssse3,sse4.1,sse4.2,popcnt,cmpxchg16b")]
            fn v2($($argument: $type),*) $(-> $output)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(never)]
            #[target_feature(enable = "sse3,ssse3,sse4.1,sse4.2,popcnt,cmpxchg16b")]
            #[target_feature(enable = "avx,avx2,bmi1,bmi2,f16c,fma,lzcnt,movbe")]
            fn v3($($argument: $type),*) $(-> $output)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(never)]
            #[target_feature(enable = "sse3,ssse3,sse4.1,sse4.2,popcnt,cmpxchg16b")]
            #[target_feature(enable = "avx,avx2,bmi1,bmi2,f16c,fma,lzcnt,movbe")]
            #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl")]
            fn v4($($argument: $type),*) $(-> $output)? {
                $body($($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            match level.rung() {
                $crate::level::Rung::Baseline => baseline($($argument),*),
                // SAFETY: a `Level` exists only for levels that this CPU was found to have.
                $crate::level::Rung::V2 => unsafe { v2($($argument),*) },
                // SAFETY: as above.
                $crate::level::Rung::V3 => unsafe { v3($($argument),*) },
                // SAFETY: as above.
                $crate::level::Rung::V4 => unsafe { v4($($argument),*) },
            }
            #[cfg(not(target_arch = "x86_64"))]
            match level.rung() {
                $crate::level::Rung::Baseline
                | $crate::level::Rung::V2
                | $crate::level::Rung::V3
                | $crate::level::Rung::V4 => baseline($($argument),*),
            }
        }
    };
}
pub(crate) use dispatched;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_go_up_to_the_detected_one() {
        let levels: Vec<_> = Level::available().collect();
        assert!(levels.is_sorted());
        assert_eq!(levels[0].name(), "x86-64");
        assert_eq!(levels.last().copied(), Some(Level::detected()));
        assert_eq!(levels.len(), Level::detected().rung() as usize + 1);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_level_needs_those_below_it() {
        assert_eq!(highest([false, false, false]), Rung::Baseline);
        assert_eq!(highest([true, false, false]), Rung::V2);
        assert_eq!(highest([true, true, false]), Rung::V3);
        assert_eq!(highest([true, true, true]), Rung::V4);
        assert_eq!(highest([false, true, true]), Rung::Baseline);
        assert_eq!(highest([true, false, true]), Rung::V2);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_level_is_not_above_what_the_cpu_reports() {
        assert_eq!(
            Level::detected().rung() == Rung::V4,
            std::arch::is_x86_feature_detected!("avx512vl")
                && std::arch::is_x86_feature_detected!("avx512bw")
                && std::arch::is_x86_feature_detected!("avx2")
        );
        assert_eq!(Level::detected().rung() >= Rung::V3, std::arch::is_x86_feature_detected!("avx2"));
    }
}
