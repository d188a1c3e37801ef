//! The flag sets that come with the lab.

use crate::plan::{FlagSet, FlagSets, PlanError};

/// Names and texts of the files in `flagsets/` of this package.
const FILES: [(&str, &str); 9] = [
    ("native", include_str!("../../flagsets/native.toml")),
    ("seed", include_str!("../../flagsets/seed.toml")),
    ("x86-64", include_str!("../../flagsets/x86-64.toml")),
    ("x86-64-v2", include_str!("../../flagsets/x86-64-v2.toml")),
    ("x86-64-v3", include_str!("../../flagsets/x86-64-v3.toml")),
    ("x86-64-v4", include_str!("../../flagsets/x86-64-v4.toml")),
    ("x86-64-v4-512", include_str!("../../flagsets/x86-64-v4-512.toml")),
    ("znver4", include_str!("../../flagsets/znver4.toml")),
    ("znver4-no-sse4a", include_str!("../../flagsets/znver4-no-sse4a.toml")),
];

impl FlagSets {
    /// The flag sets that come with the lab, for workspaces that have none of their own.
    ///
    /// # Errors
    /// A [`PlanError`] when one of the files cannot be read; a test reads them all.
    pub fn built_in() -> Result<Self, PlanError> {
        let read = |(name, text): (&str, &str)| Ok((name.to_owned(), FlagSet::parse(name, name, text)?));
        FILES.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}
