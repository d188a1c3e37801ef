//! Following equal text from a seed in both directions, over a few tokens that differ.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::duplicates::lex::Class;
use crate::duplicates::{CloneType, Options};

/// The most tokens that may differ between two runs of equal ones.
const LONGEST_GAP: usize = 12;

/// So many tokens have to be equal behind a gap for it to be one.
const BEHIND_GAP: usize = 4;

/// The least share of equal tokens in a copy with gaps.
const LEAST_EQUAL: f64 = 0.75;

/// The least share of names and values that are renamed the same way each time. Texts that a program repeats, such as
/// tables, have the form of one another and nothing else in common.
const LEAST_CONSISTENT: f64 = 0.6;

/// The fewest different tokens without names and values: a list of numbers has three.
const LEAST_VARIETY: usize = 8;

/// The tokens of a file.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub plain: &'a [u32],
    pub exact: &'a [u32],
    pub classes: &'a [Class],
}

/// Two runs of tokens, and which of them are equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub one: (u32, u32),
    pub other: (u32, u32),
    /// Runs of equal tokens: place in the one, in the other, length.
    runs: Vec<(u32, u32, u32)>,
}

/// Follows the text from two places where `length` tokens are equal by their fingerprint. In one file the two do not
/// run into each other.
pub(super) fn follow(sides: (Side<'_>, Side<'_>), at: (u32, u32), length: usize, is_same: bool) -> Found {
    let (one, other) = (sides.0.plain, sides.1.plain);
    let (a, b) = (at.0 as usize, at.1 as usize);
    let equal = (0..length).take_while(|step| one.get(a + step) == other.get(b + step)).count();
    // In one file the first is the earlier one.
    let ends = (if is_same { b } else { one.len() }, other.len());
    let starts = (0, if is_same { a } else { 0 });
    let mut runs = vec![(a, b, equal)];
    ahead(one, other, ends, &mut runs);
    back(one, other, starts, &mut runs);
    let narrow = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let runs: Vec<(u32, u32, u32)> =
        runs.iter().map(|run| (narrow(run.0), narrow(run.1), narrow(run.2))).collect();
    let first = runs.first().copied().unwrap_or((at.0, at.1, 0));
    let last = runs.last().copied().unwrap_or(first);
    Found { one: (first.0, last.0 + last.2), other: (first.1, last.1 + last.2), runs }
}

fn ahead(one: &[u32], other: &[u32], ends: (usize, usize), runs: &mut Vec<(usize, usize, usize)>) {
    loop {
        let Some(run) = runs.last_mut() else { return };
        while run.0 + run.2 < ends.0 && run.1 + run.2 < ends.1 && one[run.0 + run.2] == other[run.1 + run.2] {
            run.2 += 1;
        }
        let (a, b) = (run.0 + run.2, run.1 + run.2);
        let gap = gaps().find(|(left, right)| {
            let (a, b) = (a + left, b + right);
            a + BEHIND_GAP <= ends.0
                && b + BEHIND_GAP <= ends.1
                && one[a..a + BEHIND_GAP] == other[b..b + BEHIND_GAP]
        });
        let Some((left, right)) = gap else { return };
        runs.push((a + left, b + right, BEHIND_GAP));
    }
}

fn back(one: &[u32], other: &[u32], starts: (usize, usize), runs: &mut Vec<(usize, usize, usize)>) {
    let mut before: Vec<(usize, usize, usize)> = Vec::new();
    while let Some(run) = before.last_mut().or(runs.first_mut()) {
        while run.0 > starts.0 && run.1 > starts.1 && one[run.0 - 1] == other[run.1 - 1] {
            *run = (run.0 - 1, run.1 - 1, run.2 + 1);
        }
        let (a, b) = (run.0, run.1);
        let gap = gaps().find(|(left, right)| {
            a >= starts.0 + left + BEHIND_GAP
                && b >= starts.1 + right + BEHIND_GAP
                && one[a - left - BEHIND_GAP..a - left] == other[b - right - BEHIND_GAP..b - right]
        });
        let Some((left, right)) = gap else { break };
        before.push((a - left - BEHIND_GAP, b - right - BEHIND_GAP, BEHIND_GAP));
    }
    before.reverse();
    runs.splice(0..0, before);
}

/// Gaps, the shortest first: changed tokens, and then added or left out ones.
fn gaps() -> impl Iterator<Item = (usize, usize)> {
    (1..=LONGEST_GAP).flat_map(|longer| {
        std::iter::once((longer, longer))
            .chain((0..longer).flat_map(move |shorter| [(longer, shorter), (shorter, longer)]))
    })
}

impl Found {
    /// What kind of copy it is, and how many tokens are equal; `None` where it is none.
    pub(super) fn judge(&self, sides: (Side<'_>, Side<'_>), options: Options) -> Option<(CloneType, u32)> {
        let equal: u32 = self.runs.iter().map(|run| run.2).sum();
        if (equal as usize) < options.tokens {
            return None;
        }
        let length = (self.one.1 - self.one.0).max(self.other.1 - self.other.0);
        if f64::from(equal) < LEAST_EQUAL * f64::from(length) {
            return None;
        }
        let pairs = || {
            self.runs.iter().flat_map(|(a, b, length)| {
                (0..*length).map(move |step| ((a + step) as usize, (b + step) as usize))
            })
        };
        let variety: FxHashSet<u32> = pairs().map(|(a, _)| sides.0.plain[a]).collect();
        if variety.len() < LEAST_VARIETY {
            return None;
        }
        let has_gaps = self.runs.len() > 1;
        if !has_gaps && pairs().all(|(a, b)| sides.0.exact[a] == sides.1.exact[b]) {
            return Some((CloneType::Exact, equal));
        }
        let values = pairs().filter(|(a, _)| !matches!(sides.0.classes[*a], Class::Word | Class::Sign));
        let mut renamed: FxHashMap<u32, FxHashMap<u32, u32>> = FxHashMap::default();
        let mut count = 0_u32;
        for (a, b) in values {
            count += 1;
            *renamed.entry(sides.0.exact[a]).or_default().entry(sides.1.exact[b]).or_default() += 1;
        }
        // Of each name the new name that it has most often.
        let consistent: u32 = renamed.values().filter_map(|names| names.values().max()).sum();
        // A name that stands there once is renamed the same way each time whatever it is called: it proves nothing.
        let single = renamed.values().filter(|names| names.values().sum::<u32>() == 1);
        let unproven = u32::try_from(single.count()).unwrap_or(u32::MAX);
        let same = pairs().filter(|(a, b)| sides.0.exact[*a] == sides.1.exact[*b]).count();
        let proven = f64::from(consistent - unproven) / f64::from((count - unproven).max(1));
        #[expect(clippy::cast_precision_loss, reason = "counts of tokens are far below 2^52")]
        let share = same as f64 / f64::from(equal);
        // Without any name that stands there twice, most of the text has to be the same as it is written.
        let holds = if count == unproven { share >= LEAST_EQUAL } else { proven >= LEAST_CONSISTENT };
        holds.then_some((if has_gaps { CloneType::Edited } else { CloneType::Renamed }, equal))
    }
}
