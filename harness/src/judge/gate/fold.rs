//! All rows of a gate, folded into one answer.

use serde::{Deserialize, Serialize};

use crate::judge::gate::{EARLY, GateRule, Shown, Standing, launches_to_pass};
use crate::plan::{Bounds, Measure};

/// Why a row has nothing to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// The candidate has it and the reference does not.
    New,
    /// The reference has it and the candidate does not.
    Gone,
    /// Both have it, with different answers: it is not the same task.
    AnotherTask,
}

/// Which rows without a counterpart pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Allowed {
    /// None.
    #[default]
    Nothing,
    /// Those that only the candidate has.
    New,
    /// All.
    All,
}

/// [`Allowed`] as `gate.json` has it: `false`, `"new"`, `true`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    All(bool),
    Some(String),
}

impl From<Written> for Allowed {
    fn from(written: Written) -> Self {
        match written {
            Written::All(true) => Self::All,
            Written::Some(which) if which == "new" => Self::New,
            Written::All(false) | Written::Some(_) => Self::Nothing,
        }
    }
}

impl From<Allowed> for Written {
    fn from(allowed: Allowed) -> Self {
        match allowed {
            Allowed::Nothing => Self::All(false),
            Allowed::New => Self::Some("new".to_owned()),
            Allowed::All => Self::All(true),
        }
    }
}

impl Allowed {
    /// Whether a row may pass that has no counterpart in this way.
    #[must_use]
    pub fn lets(self, how: Unmatched) -> bool {
        match self {
            Self::Nothing => false,
            Self::New => how == Unmatched::New,
            Self::All => true,
        }
    }
}

/// What a gate says of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum GateVerdict {
    /// No slow-down beyond what may pass.
    Passed,
    /// The code is the reference's own: not measured.
    Identical,
    /// A slow-down beyond the noise threshold, confirmed; or growth beyond what may pass, of what is exact.
    Regressed,
    /// The candidate fails where the reference does not.
    Failed,
    /// There is no counterpart.
    Unmatched {
        /// Where it is missing.
        how: Unmatched,
    },
    /// Neither.
    Inconclusive,
}

/// The fresh experiment of a row that looked regressed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// What it found, its lower end corrected for all rows that were confirmed.
    pub shown: Shown,
    /// How many rows were confirmed together.
    pub rows: usize,
}

/// One row of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateRow {
    /// The benchmark.
    pub benchmark: String,
    /// The gated arm.
    pub arm: String,
    /// What it counts.
    pub measure: Measure,
    /// The reference's value, where there is one.
    pub reference: Option<f64>,
    /// The candidate's value.
    pub value: Option<f64>,
    /// What it is judged by.
    pub bounds: Bounds,
    /// What screening found; `None` where nothing was measured in pairs.
    pub screening: Option<Shown>,
    /// What the confirmation found, of rows that looked regressed.
    pub confirmation: Option<Confirmation>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: GateVerdict,
    /// Why, in a clause, and what would decide where nothing is decided.
    pub why: String,
}

/// All rows in one word: the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fold {
    /// Nothing to complain of: 0.
    Passes,
    /// A row regressed or failed: 1.
    Regressed,
    /// A row has no counterpart: 2.
    Broken,
    /// A row is undecided, or the environment spoiled the run: 3.
    Inconclusive,
}

/// Everything that a gate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// The rows.
    pub rows: Vec<GateRow>,
    /// The A/A control rows that differ from themselves, by benchmark and arm; any of them voids the gate.
    pub void: Vec<String>,
    /// The answer.
    pub fold: Fold,
}

/// Folds rows. A control that differs from itself voids every verdict that rests on paired times.
#[must_use]
pub fn gate_report(mut rows: Vec<GateRow>, void: Vec<String>, allowed: Allowed) -> GateReport {
    let judged = |row: &GateRow| {
        row.measure.is_time() && matches!(row.verdict, GateVerdict::Passed | GateVerdict::Regressed)
    };
    if !void.is_empty() {
        for row in rows.iter_mut().filter(|row| judged(row)) {
            row.verdict = GateVerdict::Inconclusive;
            row.why = "the A/A control differs from itself: something else disturbs this machine".to_owned();
        }
    }
    let any = |of: &dyn Fn(&GateVerdict) -> bool| rows.iter().any(|row| of(&row.verdict));
    let unmatched = any(&|verdict| matches!(verdict, GateVerdict::Unmatched { how } if !allowed.lets(*how)));
    let fold = if any(&|verdict| matches!(verdict, GateVerdict::Regressed | GateVerdict::Failed)) {
        Fold::Regressed
    } else if unmatched {
        Fold::Broken
    } else if !void.is_empty()
        || any(&|verdict| *verdict == GateVerdict::Inconclusive)
        || !any(&|verdict| matches!(verdict, GateVerdict::Passed | GateVerdict::Identical))
    {
        // Where nothing was compared, nothing passes either.
        Fold::Inconclusive
    } else {
        Fold::Passes
    };
    GateReport { rows, void, fold }
}

impl GateRow {
    /// A row that was measured in pairs: screened, and confirmed where it looked regressed.
    #[must_use]
    pub fn paired(self, rule: &GateRule, screened: &Paired<'_>, confirmed: Option<&Paired<'_>>) -> Self {
        let screening = rule.screened(screened.values);
        let confirmation = confirmed.and_then(|paired| {
            Some(Confirmation { shown: rule.confirmed(paired.values, paired.rows)?, rows: paired.rows })
        });
        let last = confirmed.unwrap_or(screened);
        let shown = confirmation.map(|confirmation| confirmation.shown).or(screening);
        let (verdict, why) = match last.standing {
            Standing::Regressed if confirmed.is_some() => {
                (GateVerdict::Regressed, regressed(shown, self.bounds))
            }
            Standing::Passed => (GateVerdict::Passed, passed(shown, self.bounds, confirmed.is_some())),
            Standing::Regressed => (
                GateVerdict::Inconclusive,
                "looks regressed, and the budget left no time to confirm it: give a longer --budget"
                    .to_owned(),
            ),
            Standing::Open | Standing::Undecided => {
                (GateVerdict::Inconclusive, undecided(last, self.bounds, shown))
            }
        };
        Self { screening, confirmation, verdict, why, ..self }
    }
}

/// The launches of a row in one phase, and where they left it.
#[derive(Clone, Copy, Debug)]
pub struct Paired<'a> {
    /// One log ratio a launch.
    pub values: &'a [f64],
    /// Where the row stands.
    pub standing: Standing,
    /// Rows that were confirmed together; 1 while screening.
    pub rows: usize,
    /// Seconds that a launch of this row took.
    pub launch_seconds: f64,
}

fn percent(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

fn regressed(shown: Option<Shown>, bounds: Bounds) -> String {
    let least = shown.map_or(f64::NAN, |shown| shown.interval.lo - 1.0);
    format!(
        "confirmed: at least {} slower, beyond the noise threshold of {:.2} %",
        percent(least).trim_start_matches('+'),
        bounds.noise_threshold * 100.0
    )
}

fn passed(shown: Option<Shown>, bounds: Bounds, confirmed: bool) -> String {
    let Some(shown) = shown else { return String::new() };
    let most = shown.interval.hi - 1.0;
    let not = if confirmed { "looked regressed, not confirmed; " } else { "" };
    if most < -bounds.noise_threshold {
        return format!("{not}faster");
    }
    let early = (EARLY * bounds.noise_threshold).min(bounds.tolerance);
    let bound = if most < early { early } else { bounds.tolerance };
    format!("{not}at most {} slower, below {:.1} %", percent(most).trim_start_matches('+'), bound * 100.0)
}

fn undecided(paired: &Paired<'_>, bounds: Bounds, shown: Option<Shown>) -> String {
    let range = shown.map_or(String::new(), |shown| {
        format!("between {} and {}: ", percent(shown.interval.lo - 1.0), percent(shown.interval.hi - 1.0))
    });
    let reason = format!("{range}may be slower than the tolerance of {:.1} %", bounds.tolerance * 100.0);
    match launches_to_pass(paired.values, bounds) {
        Some(launches) => format!(
            "{reason}; about {launches} launches ({:.0} s) would decide",
            (launches.saturating_sub(paired.values.len())) as f64 * paired.launch_seconds
        ),
        None => format!("{reason}, and looks it; no number of launches would let it pass"),
    }
}
