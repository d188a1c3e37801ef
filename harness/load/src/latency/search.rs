//! The search for the highest rate that a server holds: doubled until it fails, then halved in on.

/// How close, as a ratio, the two ends have to come.
const CLOSE: f64 = 1.1;
/// The most rates that are tried.
const MOST: usize = 24;

/// Where a search stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The highest rate that was held; 0 before one was.
    pub held: f64,
    /// The lowest rate that was not; `None` before one was not.
    pub failed: Option<f64>,
    next: f64,
    tried: usize,
}

impl Search {
    /// Begins at a rate, which has to be above 0.
    #[must_use]
    pub fn from(rate: f64) -> Self {
        Self { held: 0.0, failed: None, next: rate, tried: 0 }
    }

    /// The next rate to try; `None` when the ends are close enough.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let close = self.failed.is_some_and(|failed| self.held > 0.0 && failed / self.held <= CLOSE);
        (!close && self.tried < MOST).then_some(self.next)
    }

    /// What came of the rate that was tried.
    pub fn tell(&mut self, held: bool) {
        self.tried += 1;
        if held {
            self.held = self.held.max(self.next);
        } else {
            self.failed = Some(self.failed.map_or(self.next, |failed| failed.min(self.next)));
        }
        self.next = match self.failed {
            None => self.next * 2.0,
            // Nothing was held yet: the first rate was too high.
            Some(failed) if self.held == 0.0 => failed / 4.0,
            Some(failed) => (failed * self.held).sqrt(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_true_capacity_lies_between_the_ends(capacity in 3.0f64..1e6, from in 1.0f64..1e5) {
            let mut search = Search::from(from);
            let mut tried = 0;
            while let Some(rate) = search.rate() {
                search.tell(rate <= capacity);
                tried += 1;
            }
            prop_assert!(tried <= MOST);
            prop_assert!(search.held <= capacity && search.failed.unwrap() > capacity);
            prop_assert!(search.failed.unwrap() / search.held <= CLOSE, "{:?}", search);
        }
    }

    #[test]
    fn a_server_that_holds_nothing_or_everything_ends_the_search() {
        for held in [true, false] {
            let mut search = Search::from(100.0);
            while search.rate().is_some() {
                search.tell(held);
            }
            assert_eq!(search.held > 0.0, held);
        }
    }
}
