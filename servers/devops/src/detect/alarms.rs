//! When an alarm is one alarm: at the onset of something unusual, again for each four hours that it lasts; what
//! follows within an hour belongs to it.

use crate::season::HOUR_MS;

/// What comes within this time after something unusual is part of it, in milliseconds.
pub const JOINED_MS: i64 = HOUR_MS;
/// What lasts is reported again after this time, in milliseconds.
pub const REPEATED_MS: i64 = 4 * HOUR_MS;

/// What an exceedance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Onset {
    /// Something new begins.
    pub is_new: bool,
    /// There is an alarm now.
    pub is_alarm: bool,
}

/// The rule, over the steps of a series in order.
#[derive(Clone, Debug)]
pub struct Onsets {
    step_ms: i64,
    last: Option<usize>,
    alarmed: usize,
}

impl Onsets {
    /// The rule for values at this distance.
    #[must_use]
    pub fn new(step_ms: i64) -> Self {
        Self { step_ms, last: None, alarmed: 0 }
    }

    /// The value at `at` is beyond the threshold.
    pub fn exceeded(&mut self, at: usize) -> Onset {
        let since = |before: usize| self.step_ms.saturating_mul((at - before) as i64);
        let is_new = self.last.is_none_or(|last| since(last) > JOINED_MS);
        let is_alarm = is_new || since(self.alarmed) >= REPEATED_MS;
        self.last = Some(at);
        if is_alarm {
            self.alarmed = at;
        }
        Onset { is_new, is_alarm }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarms(exceeded: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut onsets = Onsets::new(300_000);
        exceeded.into_iter().filter(|at| onsets.exceeded(*at).is_alarm).collect()
    }

    #[test]
    fn an_alarm_is_an_onset_and_repeats_while_it_lasts() {
        // Steps of five minutes: 12 are an hour, 48 are four.
        assert_eq!(alarms([10, 11, 22, 34]), [10], "each within an hour of the one before");
        assert_eq!(alarms([10, 23]), [10, 23]);
        assert_eq!(alarms(10..130), [10, 58, 106], "one that lasts");
        assert_eq!(alarms([]), [0_usize; 0]);
    }
}
