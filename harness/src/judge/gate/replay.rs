//! The rule on launches that are there already: a record that is judged again, a calibration, a simulation.

use crate::judge::gate::{Confirming, GateRule, LOOKS, Standing};
use crate::plan::Bounds;

/// The launches of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Launches {
    /// One log ratio a launch of the screening.
    pub screening: Vec<f64>,
    /// Of the confirmation; empty where there was none.
    pub confirmation: Vec<f64>,
    /// The row's bounds.
    pub bounds: Bounds,
}

/// What the rule says of a row, and after how many launches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replayed {
    /// Where screening left it.
    pub screening: Standing,
    /// At how many launches.
    pub screened_at: usize,
    /// Where the confirmation left it; `None` where there was none.
    pub confirmation: Option<Standing>,
    /// At how many launches of the confirmation.
    pub confirmed_at: usize,
}

impl Replayed {
    /// Whether the row fails its gate.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.confirmation == Some(Standing::Regressed)
    }

    /// Whether it passes.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.confirmation.unwrap_or(self.screening) == Standing::Passed
    }
}

/// Judges the rows of one gate together, as they were measured: look by look, as far as there are launches.
pub fn replay(rule: &mut GateRule, rows: &[Launches]) -> Vec<Replayed> {
    let mut replayed: Vec<Replayed> = rows.iter().map(|row| screened(rule, row)).collect();
    let suspects: Vec<usize> = (0..rows.len())
        .filter(|&at| {
            replayed[at].screening == Standing::Regressed && rows[at].confirmation.len() >= LOOKS[0]
        })
        .collect();
    let mut standings = vec![Standing::Open; suspects.len()];
    for (index, &look) in LOOKS.iter().enumerate() {
        let reaches = |at: usize, look: usize| rows[at].confirmation.len() >= look;
        let mut confirming: Vec<Confirming<'_>> = suspects
            .iter()
            .zip(&standings)
            .map(|(&at, &standing)| Confirming {
                values: &rows[at].confirmation[..look.min(rows[at].confirmation.len())],
                bounds: rows[at].bounds,
                standing,
            })
            .collect();
        rule.confirm(&mut confirming, false);
        for (slot, row) in confirming.iter_mut().enumerate() {
            let last = LOOKS.get(index + 1).is_none_or(|&next| !reaches(suspects[slot], next));
            if row.standing == Standing::Open && last {
                row.standing = rule.bounded(row.values, row.bounds, true);
            }
        }
        for (slot, row) in confirming.iter().enumerate() {
            if standings[slot] == Standing::Open {
                replayed[suspects[slot]].confirmed_at = row.values.len();
            }
        }
        let new: Vec<Standing> = confirming.iter().map(|row| row.standing).collect();
        standings = new;
    }
    for (&at, standing) in suspects.iter().zip(standings) {
        replayed[at].confirmation = Some(standing);
    }
    replayed
}

fn screened(rule: &GateRule, row: &Launches) -> Replayed {
    let mut replayed =
        Replayed { screening: Standing::Undecided, screened_at: 0, confirmation: None, confirmed_at: 0 };
    for (index, &look) in LOOKS.iter().enumerate() {
        let Some(values) = row.screening.get(..look) else { break };
        let last = LOOKS.get(index + 1).is_none_or(|&next| next > row.screening.len());
        replayed.screening = rule.screen(values, row.bounds, last);
        replayed.screened_at = look;
        if replayed.screening != Standing::Open {
            break;
        }
    }
    replayed
}
