//! Budgets as a suite writes them: every number between what measures something and what could never end.

use serde::Deserialize;
use toml::Spanned;

use crate::plan::suite::Check;
use crate::plan::{Budget, PlanError};

/// The most launches of a run: at a tenth of a second each, three hours.
pub const LAUNCH_LIMIT: u32 = 100_000;
/// The most blocks of a launch, and slices of a turn.
const MOST_PARTS: u32 = 10_000;
/// The longest slice, and the longest time to settle, in ns: a minute.
const LONGEST_NS: u64 = 60_000_000_000;
/// The longest patience, in ms: a day.
const LONGEST_PATIENCE_MS: u64 = 86_400_000;

/// `[budget]`'s `quick` or `full`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetTable {
    launches: Spanned<u32>,
    blocks: Option<Spanned<u32>>,
    slices: Option<Spanned<u32>>,
    slice_ns: Option<Spanned<u64>>,
    settle_ns: Option<Spanned<u64>>,
    patience_ms: Option<Spanned<u64>>,
}

impl Check<'_> {
    /// The budget of a table, with what it leaves out as it is by default.
    pub(crate) fn budget(&self, table: &BudgetTable) -> Result<Budget, PlanError> {
        let standard = Budget::of(self.within("launches", &table.launches, LAUNCH_LIMIT)?);
        let parts = |key: &str, value: &Option<Spanned<u32>>, otherwise: u32| match value {
            Some(value) => self.within(key, value, MOST_PARTS),
            None => Ok(otherwise),
        };
        Ok(Budget {
            blocks: parts("blocks", &table.blocks, standard.blocks)?,
            slices: parts("slices", &table.slices, standard.slices)?,
            slice_ns: match &table.slice_ns {
                Some(value) => self.within("slice_ns", value, LONGEST_NS)?,
                None => standard.slice_ns,
            },
            settle_ns: match &table.settle_ns {
                Some(value) => self.between("settle_ns", value, 0, LONGEST_NS)?,
                None => standard.settle_ns,
            },
            patience_ms: match &table.patience_ms {
                Some(value) => self.between("patience_ms", value, 0, LONGEST_PATIENCE_MS)?,
                None => standard.patience_ms,
            },
            ..standard
        })
    }

    fn within<T: Copy + PartialOrd + std::fmt::Display + From<u8>>(
        &self,
        key: &str,
        value: &Spanned<T>,
        most: T,
    ) -> Result<T, PlanError> {
        self.between(key, value, T::from(1), most)
    }

    fn between<T: Copy + PartialOrd + std::fmt::Display>(
        &self,
        key: &str,
        value: &Spanned<T>,
        least: T,
        most: T,
    ) -> Result<T, PlanError> {
        let number = *value.as_ref();
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        let fault = self.fault(value.span(), format!("{key} = {number}"));
        Err(fault.right(format!("a whole number from {least} to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Budget, FlagSets, parse_suite};

    /// The small budget of a suite that begins in line 5, column 22 of its file.
    fn budget(rest: &str) -> Result<Budget, String> {
        let text = format!(
            "name = \"s\"\npackage = \"p\"\nbin = \"b\"\nbaseline = \"x86-64\"\n\
             budget.quick = {{ {rest} }}\nbudget.full = {{ launches = 1 }}\nflagsets = [\"x86-64\"]\n"
        );
        let suite = parse_suite("s.toml", &text, &FlagSets::built_in().unwrap());
        suite.map(|suite| suite.quick).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_left_out_is_as_it_is_by_default() {
        assert_eq!(budget("launches = 16"), Ok(Budget::of(16)));
        let all = "launches = 100000, blocks = 10000, slices = 10000, slice_ns = 60000000000, \
                   settle_ns = 0, patience_ms = 0";
        let most = Budget {
            launches: 100_000,
            blocks: 10_000,
            slices: 10_000,
            slice_ns: 60_000_000_000,
            settle_ns: 0,
            patience_ms: 0,
        };
        assert_eq!(budget(all), Ok(most));
    }

    #[test]
    fn nothing_and_what_would_never_end_are_refused_where_they_stand() {
        for (key, number, most) in [
            ("blocks", 0, 10_000),
            ("blocks", u64::from(u32::MAX), 10_000),
            ("slices", 0, 10_000),
            ("slices", 10_001, 10_000),
            ("slice_ns", 0, 60_000_000_000_u64),
            ("slice_ns", i64::MAX.unsigned_abs(), 60_000_000_000),
        ] {
            let said = budget(&format!("launches = 1, {key} = {number}")).unwrap_err();
            let column = "budget.quick = { launches = 1, ".len() + key.len() + " = ".len() + 1;
            let right =
                format!("s.toml:5:{column}: {key} = {number}\n       a whole number from 1 to {most}");
            assert_eq!(said, right);
        }
        for launches in [0, 100_001, u64::from(u32::MAX)] {
            let said = budget(&format!("launches = {launches}")).unwrap_err();
            assert!(said.starts_with(&format!("s.toml:5:29: launches = {launches}\n")), "{said}");
        }
        for (key, most) in [("settle_ns", 60_000_000_000_u64), ("patience_ms", 86_400_000)] {
            let said = budget(&format!("launches = 1, {key} = {}", most + 1)).unwrap_err();
            assert!(said.ends_with(&format!("a whole number from 0 to {most}")), "{said}");
        }
    }
}
