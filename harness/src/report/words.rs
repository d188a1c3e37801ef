//! Numbers as words: one place for signs, units and digits.
//!
//! A number and its unit are joined by a no-break space, so that wrapping never parts them.

use crate::plan::{Margin, Unit};
use crate::stats::Interval;

/// The space that lines are not broken at.
pub(crate) const NBSP: char = '\u{a0}';

/// A text in which control characters can be seen and do nothing: the pictures of those that ASCII has, and a mark in
/// place of the others, of signs that turn the direction of writing, and of what XML has no place for.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(visible_letter).collect()
}

/// As [`visible`], of one letter.
pub(crate) fn visible_letter(letter: char) -> char {
    match letter {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or(char::REPLACEMENT_CHARACTER),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{fffe}'
        | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
        letter => letter,
    }
}

/// A word of a command as a person would type it.
pub(crate) fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// A change as a signed percentage with one decimal, from a ratio: 0.877 is `−12.3 %`.
pub(crate) fn change(ratio: f64) -> String {
    format!("{}{NBSP}%", signed(ratio - 1.0))
}

/// A fraction in percent with its sign, without the unit.
pub(crate) fn signed(fraction: f64) -> String {
    let tenths = (fraction * 1000.0).round() / 10.0;
    if tenths < 0.0 { format!("−{:.1}", -tenths) } else { format!("+{:.1}", tenths.abs()) }
}

/// Half the width of a ratio's interval, in percentage points. Rounded up, so that no more is promised
/// than is known.
pub(crate) fn half_width(interval: Interval) -> String {
    let tenths = (interval.hi - interval.lo) * 500.0;
    // An exact value such as 0.4 must not become 0.5 by the last bit of a product; + 0.0 drops a zero's sign.
    format!("{:.1}", (tenths - 1e-9).ceil().max(0.0) / 10.0 + 0.0)
}

/// A ratio's change with half its interval: `−12.3 % ± 0.4`.
pub(crate) fn change_with(ratio: f64, interval: Interval) -> String {
    format!("{}{NBSP}±{NBSP}{}", change(ratio), half_width(interval))
}

/// The interval of a ratio as an interval of its change, in percent: `[−12.9, −11.8]`.
pub(crate) fn change_interval(interval: Interval) -> String {
    format!("[{},{NBSP}{}]", signed(interval.lo - 1.0), signed(interval.hi - 1.0))
}

/// A factor such as a speed-up, with two decimals.
pub(crate) fn factor(value: f64) -> String {
    format!("{value:.2}")
}

/// A factor with its interval: `1.05 [1.02, 1.08]`.
pub(crate) fn factor_with(value: f64, interval: Option<Interval>) -> String {
    match interval {
        Some(interval) => {
            format!("{}{NBSP}[{},{NBSP}{}]", factor(value), factor(interval.lo), factor(interval.hi))
        }
        None => factor(value),
    }
}

/// A fraction as a percentage without trailing zeros: 0.01 is `1 %`, 0.0025 is `0.25 %`.
pub(crate) fn percent(fraction: f64) -> String {
    format!("{}{NBSP}%", trimmed(fraction * 100.0))
}

fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}").replace('-', "−");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share of a whole in full percent.
pub(crate) fn share(fraction: f64) -> String {
    format!("{:.0}{NBSP}%", fraction * 100.0)
}

/// A small fraction with one decimal, rounded up: what can be seen is never flattered.
pub(crate) fn detectable(fraction: f64) -> String {
    format!("{:.1}{NBSP}%", (fraction * 1000.0 - 1e-9).ceil() / 10.0 + 0.0)
}

/// A range of speed-ups as "so much faster": `10–30 %`, or `at least 10 %`.
pub(crate) fn margin(margin: Margin) -> String {
    let lo = trimmed((margin.lo - 1.0) * 100.0);
    if margin.hi.is_finite() {
        let hi = trimmed((margin.hi - 1.0) * 100.0);
        let join = if lo.starts_with('−') { " to " } else { "–" };
        format!("{lo}{join}{hi}{NBSP}%").replace(' ', &NBSP.to_string())
    } else {
        format!("at least {lo}{NBSP}%")
    }
}

/// A value in its unit, scaled, with three significant digits.
pub(crate) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Nanos => nanos(value),
        Unit::Bytes => bytes(value),
        Unit::Instructions => thousands(value.max(0.0).round() as u64),
    }
}

/// An interval of a value, both ends in their units: `[25.1 ns, 25.9 ns]`.
pub(crate) fn value_interval(unit: Unit, interval: Interval) -> String {
    format!("[{},{NBSP}{}]", value(unit, interval.lo), value(unit, interval.hi))
}

/// How many times as long, with half the interval rounded up: `×1.42 ± 0.02`.
pub(crate) fn times_with(ratio: f64, interval: Interval) -> String {
    let digits = if ratio < 9.995 { 2 } else { 1 };
    let step = 10f64.powi(digits);
    let half = ((interval.hi - interval.lo) / 2.0 * step - 1e-9).ceil().max(0.0) / step + 0.0;
    let digits = digits.unsigned_abs() as usize;
    format!("×{ratio:.digits$}{NBSP}±{NBSP}{half:.digits$}")
}

/// A time given in ns: `3.21 µs`.
pub(crate) fn nanos(value: f64) -> String {
    scaled(value, &[("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)])
}

/// A round time given in ns, without needless digits: `200 ns`, `5 µs`.
pub(crate) fn round_nanos(value: f64) -> String {
    let units = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    let (name, size) = units.into_iter().rev().find(|(_, size)| value >= *size).unwrap_or(units[0]);
    format!("{}{NBSP}{name}", trimmed(value / size))
}

/// A round rate given in bytes a second: `5 GB/s`.
pub(crate) fn rate(value: f64) -> String {
    let units = [("B/s", 1.0), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12)];
    let (name, size) = units.into_iter().rev().find(|(_, size)| value >= *size).unwrap_or(units[0]);
    format!("{}{NBSP}{name}", trimmed(value / size))
}

/// Two times given in ns, in the unit of a third and without it: `3.19–3.24`.
pub(crate) fn nanos_range(lo: f64, hi: f64, like: f64) -> String {
    let size = [1.0, 1e3, 1e6].into_iter().find(|size| like / size < 999.5).unwrap_or(1e9);
    format!("{}–{}", three_digits(lo / size), three_digits(hi / size))
}

/// A size given in bytes: `2.41 MiB`.
pub(crate) fn bytes(value: f64) -> String {
    const KIB: f64 = 1024.0;
    if value < 1000.0 {
        return format!("{value:.0}{NBSP}B");
    }
    scaled(value, &[("KiB", KIB), ("MiB", KIB * KIB), ("GiB", KIB * KIB * KIB)])
}

/// The first unit in which a value has at most three digits before the point.
fn scaled(value: f64, units: &[(&str, f64)]) -> String {
    let fits = |(_, size): &&(&str, f64)| value.abs() / size < 999.5;
    let (name, size) = units.iter().find(fits).or(units.last()).copied().unwrap_or(("", 1.0));
    format!("{}{NBSP}{name}", three_digits(value / size))
}

/// Three significant digits, or all digits before the point where there are more.
pub(crate) fn three_digits(value: f64) -> String {
    match value.abs() {
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// Seconds of a build: one decimal below 100.
pub(crate) fn seconds(value: f64) -> String {
    if value < 99.95 { format!("{value:.1}{NBSP}s") } else { format!("{value:.0}{NBSP}s") }
}

/// A length of time on a clock: `1:31`, `2:03:04`.
pub(crate) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// A count with a comma before each group of three digits.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun, in the plural where it is not one.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{}{NBSP}{noun}{plural}", thousands(count as u64))
}

/// The same for messages, which are read by line and searched: with an ordinary space.
pub(crate) fn number_of(count: usize, noun: &str) -> String {
    counted(count, noun).replace(NBSP, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        text.replace(NBSP, " ")
    }

    #[test]
    fn changes_carry_a_true_minus_and_no_negative_zero() {
        assert_eq!(plain(&change(0.877)), "−12.3 %");
        assert_eq!(plain(&change(1.0)), "+0.0 %");
        assert_eq!(plain(&change(0.99996)), "+0.0 %");
        assert_eq!(plain(&change(72.4)), "+7140.0 %");
    }

    #[test]
    fn half_widths_round_up_but_keep_exact_tenths() {
        assert_eq!(half_width(Interval { lo: 0.873, hi: 0.881 }), "0.4");
        assert_eq!(half_width(Interval { lo: 0.8729, hi: 0.8811 }), "0.5");
        assert_eq!(half_width(Interval { lo: 1.0, hi: 1.0 }), "0.0");
        assert_eq!(plain(&detectable(0.0301)), "3.1 %");
    }

    #[test]
    fn values_have_three_digits_and_a_unit() {
        assert_eq!(plain(&nanos(0.4)), "0.40 ns");
        assert_eq!(plain(&nanos(999.6)), "1.00 µs");
        assert_eq!(plain(&nanos(12_345.0)), "12.3 µs");
        assert_eq!(plain(&nanos(123_456_789.0)), "123 ms");
        assert_eq!(plain(&nanos(4.71e9)), "4.71 s");
        assert_eq!(plain(&nanos(9.0e13)), "90000 s");
        assert_eq!(plain(&round_nanos(200.0)), "200 ns");
        assert_eq!(plain(&round_nanos(0.5)), "0.5 ns");
        assert_eq!(plain(&round_nanos(5e4)), "50 µs");
        assert_eq!(plain(&rate(2e10)), "20 GB/s");
        assert_eq!(nanos_range(980.0, 1040.0, 1010.0), "0.98–1.04");
        assert_eq!(nanos_range(9.6e5, 1.2e6, 9.9e5), "960–1200");
        assert_eq!(plain(&bytes(512.0)), "512 B");
        assert_eq!(plain(&bytes(2_527_068.0)), "2.41 MiB");
    }

    #[test]
    fn factors_carry_their_interval_rounded_up() {
        assert_eq!(plain(&times_with(1.42, Interval { lo: 1.4, hi: 1.44 })), "×1.42 ± 0.02");
        assert_eq!(plain(&times_with(1.42, Interval { lo: 1.4199, hi: 1.4421 })), "×1.42 ± 0.02");
        assert_eq!(plain(&times_with(25.04, Interval { lo: 25.0, hi: 25.1 })), "×25.0 ± 0.1");
        let interval = Interval { lo: 25.14, hi: 1250.0 };
        assert_eq!(plain(&value_interval(Unit::Nanos, interval)), "[25.1 ns, 1.25 µs]");
    }

    #[test]
    fn margins_read_as_the_claim_says_them() {
        assert_eq!(plain(&margin(Margin { lo: 1.1, hi: 1.3 })), "10–30 %");
        assert_eq!(plain(&margin(Margin { lo: 1.1, hi: f64::INFINITY })), "at least 10 %");
        assert_eq!(plain(&margin(Margin { lo: 0.95, hi: 1.05 })), "−5 to 5 %");
    }

    #[test]
    fn clocks_and_counts() {
        assert_eq!(clock(91.4), "1:31");
        assert_eq!(clock(7384.0), "2:03:04");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(100), "100");
        assert_eq!(plain(&counted(1, "launch")), "1 launch");
        assert_eq!(plain(&counted(64, "launch")), "64 launches");
        assert_eq!(plain(&counted(2, "core")), "2 cores");
    }

    proptest! {
        #[test]
        fn three_digits_lose_at_most_half_a_percent(value in 1e-2f64..999.0) {
            let read: f64 = three_digits(value).parse().expect("digits");
            prop_assert!((read - value).abs() <= value * 0.0051 + 0.005);
        }

        #[test]
        fn scaled_times_stay_short(value in 0.01f64..9e11) {
            prop_assert!(nanos(value).chars().count() <= 7, "{}", nanos(value));
        }
    }
}
