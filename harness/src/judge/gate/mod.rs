//! The rule of the gate: when a row has been measured enough, and what it is then called.
//!
//! A row is *screened* at rising numbers of launches. It leaves as soon as its slow-down is bounded (it passes), or
//! as soon as it looks regressed; then a fresh experiment *confirms* it or does not, and only that one counts. So
//! screening may be quick to suspect: it costs time and no false alarm.

mod fold;
mod replay;

#[cfg(test)]
mod simulations;
#[cfg(test)]
mod tests;

pub use fold::{
    Allowed, Confirmation, Fold, GateReport, GateRow, GateVerdict, Paired, Unmatched, gate_report,
};

pub use replay::{Launches, Replayed, replay};

use serde::{Deserialize, Serialize};

use crate::plan::Bounds;
use crate::stats::{Estimate, Interval, Sequential, Spending, launches_to_decide, mean, sd};

/// The numbers of launches at which rows are looked at.
pub const LOOKS: [usize; 5] = [16, 32, 64, 128, 256];

/// One-sided error of suspecting a row whose slow-down is within the noise threshold, over all looks. A suspicion
/// costs a confirmation and nothing else, so it is spent evenly (Pocock) and not corrected for the number of rows.
pub const SUSPECT_ALPHA: f64 = 0.05;

/// One-sided error of letting a slow-down beyond the bound pass, over all looks; evenly spent, since what passes
/// early need not be measured.
pub const PASS_ALPHA: f64 = 0.01;

/// One-sided error of confirming any row whose slow-down is within the noise threshold, over all looks and all
/// rows of a gate (Holm); spent by O'Brien and Fleming's shape.
pub const CONFIRM_ALPHA: f64 = 0.025;

/// While a gate still measures, a row passes only below this many noise thresholds: between the threshold and the
/// tolerance lie the slow-downs that more launches would find.
pub const EARLY: f64 = 2.0;

/// One-sided error of voiding a gate whose A/A controls are sound, over all looks and rows.
pub const VOID_ALPHA: f64 = 0.0005;

/// Where a row stands after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// More launches are needed.
    Open,
    /// Its slow-down is bounded.
    Passed,
    /// While screening: it looks regressed, and has to be confirmed. While confirming: it is.
    Regressed,
    /// There will be no more launches, and it is neither.
    Undecided,
}

/// The boundaries of one gate.
#[derive(Clone, Debug)]
pub struct GateRule {
    suspect: Option<Sequential>,
    pass: Option<Sequential>,
    void: Option<Sequential>,
    /// By how many rows are still to be rejected, from one up.
    confirm: Vec<Option<Sequential>>,
}

impl GateRule {
    /// The rule with the looks of [`LOOKS`], for controls of `controls` rows in all.
    #[must_use]
    pub fn new(controls: usize) -> Self {
        let pocock = |alpha| plan(alpha, Spending::Pocock);
        Self {
            suspect: pocock(SUSPECT_ALPHA),
            pass: pocock(PASS_ALPHA),
            void: pocock(VOID_ALPHA / controls.max(1) as f64),
            confirm: Vec::new(),
        }
    }

    /// Where a row stands while it is screened, with one log ratio a launch, exactly as many as one of the
    /// [`LOOKS`]. `last` says that it will not be measured further.
    #[must_use]
    pub fn screen(&self, values: &[f64], bounds: Bounds, last: bool) -> Standing {
        if beyond(self.suspect.as_ref(), values, bounds.noise_threshold) {
            return Standing::Regressed;
        }
        self.bounded(values, bounds, last)
    }

    /// Where rows stand while they are confirmed together. `rows` holds every row of the confirmation, so that
    /// Holm's correction counts those that are decided already.
    pub fn confirm(&mut self, rows: &mut [Confirming<'_>], last: bool) {
        while self.confirm.len() < rows.len() {
            let alpha = CONFIRM_ALPHA / (self.confirm.len() + 1) as f64;
            self.confirm.push(plan(alpha, Spending::OBrienFleming));
        }
        // Step down: each rejection makes the next one cheaper.
        loop {
            let left = rows.iter().filter(|row| row.standing != Standing::Regressed).count();
            let Some(plan) = left.checked_sub(1).map(|at| self.confirm[at].as_ref()) else { break };
            let rejected = rows.iter_mut().find(|row| {
                row.standing == Standing::Open && beyond(plan, row.values, row.bounds.noise_threshold)
            });
            let Some(row) = rejected else { break };
            row.standing = Standing::Regressed;
        }
        for row in rows.iter_mut().filter(|row| row.standing == Standing::Open) {
            row.standing = self.bounded(row.values, row.bounds, last);
        }
    }

    /// Whether the upper end of the interval bounds a slow-down enough.
    fn bounded(&self, values: &[f64], bounds: Bounds, last: bool) -> Standing {
        let early = (EARLY * bounds.noise_threshold).min(bounds.tolerance);
        let ends = interval_at(self.pass.as_ref(), values).map(|estimate| estimate.interval.hi);
        let below = |bound: f64| ends.is_some_and(|end| end < bound.ln_1p());
        match last {
            _ if below(early) => Standing::Passed,
            true if below(bounds.tolerance) => Standing::Passed,
            true => Standing::Undecided,
            false => Standing::Open,
        }
    }

    /// Whether a control row differs from itself: its interval excludes no change, and its estimate lies beyond the
    /// noise threshold.
    #[must_use]
    pub fn voids(&self, values: &[f64], bounds: Bounds) -> bool {
        let threshold = bounds.noise_threshold.ln_1p();
        interval_at(self.void.as_ref(), values)
            .is_some_and(|log| !log.interval.contains(0.0) && log.mean.abs() > threshold)
    }

    /// The ratio with the interval that bounds it from above at the level of passing, and from below at that of
    /// suspecting: what screening decides by.
    #[must_use]
    pub fn screened(&self, values: &[f64]) -> Option<Shown> {
        let lo = interval_at(self.suspect.as_ref(), values)?.interval.lo;
        self.shown(values, lo)
    }

    /// The same for a confirmation of `rows` rows, of which the lower end is corrected for all.
    #[must_use]
    pub fn confirmed(&self, values: &[f64], rows: usize) -> Option<Shown> {
        let plan = self.confirm.get(rows.checked_sub(1)?)?;
        let lo = interval_at(plan.as_ref(), values).map_or(f64::NEG_INFINITY, |log| log.interval.lo);
        self.shown(values, lo)
    }

    fn shown(&self, values: &[f64], lo: f64) -> Option<Shown> {
        let log = interval_at(self.pass.as_ref(), values)?;
        Some(Shown {
            ratio: log.mean.exp(),
            interval: Interval { lo: lo.exp(), hi: log.interval.hi.exp() },
            launch_sd: log.sd,
            launches: log.n,
        })
    }
}

/// A row that is being confirmed.
#[derive(Clone, Copy, Debug)]
pub struct Confirming<'a> {
    /// One log ratio a launch of the fresh experiment.
    pub values: &'a [f64],
    /// Its bounds.
    pub bounds: Bounds,
    /// Where it stands.
    pub standing: Standing,
}

/// What a table shows of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Candidate / reference: the exponential of the mean log ratio.
    pub ratio: f64,
    /// The interval that it was judged by.
    pub interval: Interval,
    /// The standard deviation of the log ratio over launches.
    pub launch_sd: f64,
    /// How many launches.
    pub launches: usize,
}

/// Launches after which the upper end would lie below the bound of passing, if mean and spread stay; `None` where
/// none would do.
#[must_use]
pub fn launches_to_pass(values: &[f64], bounds: Bounds) -> Option<usize> {
    let (mean, sd) = (mean(values)?, sd(values)?);
    let tolerance = bounds.tolerance.ln_1p();
    if mean >= tolerance {
        return None;
    }
    launches_to_decide(mean.max(0.0), sd, tolerance, 1.0 - 2.0 * PASS_ALPHA)
}

/// The plan over [`LOOKS`]. There always is one: the looks rise, and the errors are between 0 and 1/2.
fn plan(alpha: f64, spending: Spending) -> Option<Sequential> {
    Sequential::spending(&LOOKS, LOOKS[LOOKS.len() - 1], alpha, spending)
}

fn interval_at(plan: Option<&Sequential>, values: &[f64]) -> Option<Estimate> {
    plan?.repeated_interval(values, plan?.look_at(values.len())?)
}

fn beyond(plan: Option<&Sequential>, values: &[f64], threshold: f64) -> bool {
    interval_at(plan, values).is_some_and(|log| log.interval.lo > threshold.ln_1p())
}
