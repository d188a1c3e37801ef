//! Following equal text from a seed in both directions, over a few tokens that differ.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::duplicates::lex::Class;
use crate::duplicates::{CloneType, Options};

/// The most tokens that may differ between two runs of equal ones.
const LONGEST_GAP: usize = 12;

/// So many tokens have to be equal behind a gap for it to be one.
const BEHIND_GAP: usize = 3;

/// So many tokens are looked at behind a gap.
const LOOKED_AT: usize = 10;

/// The least share of equal tokens in a copy with gaps.
const LEAST_EQUAL: f64 = 0.65;

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
        trimmed(&runs).iter().map(|run| (narrow(run.0), narrow(run.1), narrow(run.2))).collect();
    let first = runs.first().copied().unwrap_or((at.0, at.1, 0));
    let last = runs.last().copied().unwrap_or(first);
    Found { one: (first.0, last.0 + last.2), other: (first.1, last.1 + last.2), runs }
}

/// A run of equal tokens: its place in the one, in the other, its length.
type Run = (usize, usize, usize);

/// The part of the runs in which most is equal for what differs. Behind the end of a copy a few tokens are equal by
/// chance, and would draw what follows into it.
fn trimmed(runs: &[Run]) -> &[Run] {
    let mut best = (0, 0..runs.len().min(1));
    let (mut sum, mut start) = (0, 0);
    for (place, run) in runs.iter().enumerate() {
        let gap = place.checked_sub(1).map_or(0, |before| lost(runs[before], *run));
        if gap >= sum {
            (sum, start) = (0, place);
        } else {
            sum -= gap;
        }
        sum += run.2;
        if sum > best.0 {
            best = (sum, start..place + 1);
        }
    }
    &runs[best.1]
}

/// How many tokens lie between two runs, on the side where it is more.
fn lost(before: Run, after: Run) -> usize {
    (after.0 - before.0 - before.2).max(after.1 - before.1 - before.2)
}

/// What is followed in vain: when so many tokens more were lost than found since the best place.
const DROP: usize = 24;

fn ahead(one: &[u32], other: &[u32], ends: (usize, usize), runs: &mut Vec<Run>) {
    let (mut sum, mut best) = (DROP, DROP);
    while let Some(run) = runs.last_mut() {
        while run.0 + run.2 < ends.0 && run.1 + run.2 < ends.1 && one[run.0 + run.2] == other[run.1 + run.2] {
            run.2 += 1;
        }
        let (a, b) = (run.0 + run.2, run.1 + run.2);
        let equal = |(left, right): (usize, usize)| {
            let (a, b) = (a + left, b + right);
            let rest = LOOKED_AT.min(ends.0.saturating_sub(a)).min(ends.1.saturating_sub(b));
            (0..rest).take_while(|step| one[a + step] == other[b + step]).count()
        };
        sum += run.2;
        best = best.max(sum);
        let Some(((left, right), length)) = best_gap(equal) else { return };
        sum = sum.saturating_sub(left.max(right));
        if sum + DROP <= best {
            return;
        }
        runs.push((a + left, b + right, length));
    }
}

fn back(one: &[u32], other: &[u32], starts: (usize, usize), runs: &mut Vec<Run>) {
    let mut before: Vec<Run> = Vec::new();
    let (mut sum, mut best) = (DROP, DROP);
    while let Some(run) = before.last_mut().or(runs.first_mut()) {
        while run.0 > starts.0 && run.1 > starts.1 && one[run.0 - 1] == other[run.1 - 1] {
            *run = (run.0 - 1, run.1 - 1, run.2 + 1);
        }
        let (a, b) = (run.0, run.1);
        let equal = |(left, right): (usize, usize)| {
            let (a, b) = (a.saturating_sub(left), b.saturating_sub(right));
            let rest = LOOKED_AT.min(a.saturating_sub(starts.0)).min(b.saturating_sub(starts.1));
            (0..rest).take_while(|step| one[a - 1 - step] == other[b - 1 - step]).count()
        };
        sum += run.2;
        best = best.max(sum);
        let Some(((left, right), length)) = best_gap(equal) else { break };
        sum = sum.saturating_sub(left.max(right));
        if sum + DROP <= best {
            break;
        }
        before.push((a - left - length, b - right - length, length));
    }
    before.reverse();
    runs.splice(0..0, before);
}

/// The gap behind which most is equal for its length, and how much is, of [`LOOKED_AT`] tokens. The first equal tokens
/// behind a change are often those of another place.
fn best_gap(equal: impl Fn((usize, usize)) -> usize) -> Option<((usize, usize), usize)> {
    let mut best: Option<((usize, usize), usize)> = None;
    let mut most = 0;
    for gap in gaps() {
        let length = equal(gap);
        // What is left out on both sides is lost to the copy.
        let worth = (2 * length).saturating_sub(gap.0.max(gap.1));
        if length >= BEHIND_GAP && worth > most {
            (best, most) = (Some((gap, length)), worth);
        }
        // Nothing longer is worth more.
        if most + gap.0.max(gap.1) >= 2 * LOOKED_AT {
            break;
        }
    }
    best
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
