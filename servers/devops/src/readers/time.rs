//! Moments as people and programs write them.

use jiff::Timestamp;
use jiff::civil::DateTime;

/// Seconds up to this are seconds, beyond it milliseconds, then micro- and nanoseconds: the year 5138.
const MOST_SECONDS: f64 = 1e11;

/// The moment that a text means, in milliseconds since 1970, UTC: RFC 3339, the same with a blank in place of the T or
/// without a zone (then UTC), a date, or a number of seconds, milli-, micro- or nanoseconds.
#[must_use]
pub fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number);
    }
    // Most texts have no zone.
    if let Ok(local) = text.parse::<DateTime>() {
        // The parser of local times passes over a zone that follows.
        let has_zone = text.ends_with('Z') || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
        if !has_zone {
            return jiff::tz::Offset::UTC.to_timestamp(local).ok().map(Timestamp::as_millisecond);
        }
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn of_number(number: f64) -> Option<i64> {
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    let mut milliseconds = number * 1000.0;
    while milliseconds > MOST_SECONDS * 1000.0 {
        milliseconds /= 1000.0;
    }
    Some(milliseconds.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_many_forms() {
        // date -u -d '2014-02-14 14:30:00' +%s
        let known = 1_392_388_200_000;
        for text in [
            "2014-02-14 14:30:00",
            "2014-02-14T14:30:00Z",
            "2014-02-14T15:30:00+01:00",
            "2014-02-14 14:30:00.000000",
            "1392388200",
            "1392388200000",
            "1392388200000000",
            "1392388200000000000",
            " 1392388200.0 ",
        ] {
            assert_eq!(moment(text), Some(known), "{text}");
        }
        assert_eq!(moment("2014-02-14"), Some(known - 52_200_000));
        for text in ["", "x", "NaN", "inf", "-5", "2014-02-30", "14:30", "2014-02-14T25:00:00Z"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
