//! Compares what code needs with what its flags allowed and what this CPU has.

use std::collections::BTreeMap;

use crate::census::{Census, FeatureUse};
use crate::machine::features::{Feature, Features};

/// A feature that stands between an artifact and this CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFeature {
    /// The feature that the flag set enabled and this CPU lacks.
    pub feature: Feature,
    /// How many instructions need it.
    pub instructions: u64,
    /// Functions that hold them (see [`FeatureUse::functions`]).
    pub examples: Vec<String>,
}

/// Why an artifact must not run here: the features which its flag set enabled, which `host` lacks, and
/// which its instructions use. Empty when it may run.
///
/// Both conditions are needed. A feature that is enabled and missing but never used harms nothing; and
/// an instruction beyond the flag set was written by someone who asks the CPU first (see
/// [`dispatched`]), so that refusing it would refuse every build that holds memchr.
pub fn refusal(census: &Census, enabled: &Features, host: &Features) -> Vec<MissingFeature> {
    let used = |feature: &Feature| {
        let mut used = census.features.get(feature).cloned().unwrap_or_default();
        if feature.name() == "bmi1" {
            used.instructions += census.tzcnt.instructions;
            used.name(census.tzcnt.functions.iter());
        }
        (used.instructions > 0).then(|| MissingFeature {
            feature: feature.clone(),
            instructions: used.instructions,
            examples: used.functions,
        })
    };
    enabled.missing_from(host).iter().filter_map(used).collect()
}

/// The features in use which the flag set did not enable: code that is reached, if it is correct, only
/// after the program asked the CPU (memchr, blake3, hand-written kernels), and foreign code.
///
/// TZCNT never counts here, because compilers write it for CPUs without BMI1 too.
pub fn dispatched(census: &Census, enabled: &Features) -> BTreeMap<Feature, FeatureUse> {
    let beyond = census.features.iter().filter(|(feature, _)| !enabled.contains(feature.name()));
    beyond.map(|(feature, used)| (feature.clone(), used.clone())).collect()
}
