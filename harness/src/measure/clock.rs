//! Two clocks that part when a machine sleeps.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A gap that no preemption between two readings explains.
const ASLEEP: Duration = Duration::from_millis(250);

/// One reading of the monotonic clock, which stands still while the machine sleeps, and of the clock since boot,
/// which does not. Neither moves when somebody sets the time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    monotonic: Duration,
    boot: Duration,
}

impl Clocks {
    /// Reads both.
    #[must_use]
    pub fn now() -> Self {
        let read = |clock| {
            let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
            Duration::from_secs(tv_sec.try_into().unwrap_or(0))
                + Duration::from_nanos(tv_nsec.try_into().unwrap_or(0))
        };
        Self { monotonic: read(ClockId::Monotonic), boot: read(ClockId::Boottime) }
    }

    /// How long the machine slept between this reading and a later one; `None` where it did not.
    #[must_use]
    pub fn slept_until(self, later: Self) -> Option<Duration> {
        let running = later.monotonic.saturating_sub(self.monotonic);
        let asleep = later.boot.saturating_sub(self.boot).saturating_sub(running);
        (asleep > ASLEEP).then_some(asleep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(monotonic: u64, boot: u64) -> Clocks {
        Clocks { monotonic: Duration::from_millis(monotonic), boot: Duration::from_millis(boot) }
    }

    #[test]
    fn a_machine_that_slept_is_told_from_one_that_was_busy() {
        let before = reading(1_000, 50_000);
        assert_eq!(before.slept_until(reading(61_000, 110_000)), None, "a minute of work");
        assert_eq!(before.slept_until(reading(61_000, 110_200)), None, "preempted between the two readings");
        let slept = before.slept_until(reading(1_100, 3_650_100));
        assert_eq!(slept, Some(Duration::from_secs(3_600)));
        assert_eq!(before.slept_until(reading(900, 49_000)), None, "no clock runs backwards");
    }

    #[test]
    fn this_machine_is_awake() {
        let before = Clocks::now();
        std::thread::sleep(Duration::from_millis(2));
        let after = Clocks::now();
        assert!(after.monotonic > before.monotonic && after.boot >= after.monotonic);
        assert_eq!(before.slept_until(after), None);
    }
}
