//! How often a tool may be called: a bucket that fills at a constant rate and that each call takes from.

use std::time::Instant;

use parking_lot::Mutex;

/// A bucket.
pub(crate) struct Rate {
    per_second: f64,
    bucket: Mutex<Bucket>,
}

struct Bucket {
    calls: f64,
    at: Instant,
}

/// How many seconds' worth of calls a bucket holds.
const SECONDS: f64 = 2.0;

impl Rate {
    /// A full bucket.
    pub fn new(per_second: f64) -> Self {
        Self { per_second, bucket: Mutex::new(Bucket { calls: most(per_second), at: Instant::now() }) }
    }

    /// Takes one call out, or says how many seconds to wait for it.
    pub fn take(&self, now: Instant) -> Result<(), f64> {
        let mut bucket = self.bucket.lock();
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.calls = (bucket.calls + since * self.per_second).min(most(self.per_second));
        bucket.at = now;
        if bucket.calls < 1.0 {
            return Err((1.0 - bucket.calls) / self.per_second);
        }
        bucket.calls -= 1.0;
        Ok(())
    }
}

/// At least one call fits, however slow the rate is.
fn most(per_second: f64) -> f64 {
    (SECONDS * per_second).max(1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let rate = Rate::new(5.0);
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(rate.take(start), Ok(()));
        }
        let wait = rate.take(start).unwrap_err();
        assert!((0.19..=0.2).contains(&wait), "{wait}");
        assert_eq!(rate.take(start + Duration::from_millis(201)), Ok(()));
        assert!(rate.take(start + Duration::from_millis(201)).is_err());
        // It never holds more than a burst, however long nobody called.
        let later = start + Duration::from_secs(3600);
        assert_eq!((0..100).filter(|_| rate.take(later).is_ok()).count(), 10);
    }

    #[test]
    fn a_call_a_minute_is_possible() {
        let rate = Rate::new(1.0 / 60.0);
        let start = Instant::now();
        assert_eq!(rate.take(start), Ok(()));
        assert!(rate.take(start).unwrap_err() > 59.0);
    }
}
