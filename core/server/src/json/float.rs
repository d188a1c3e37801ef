//! Decimal fractions, rounded exactly as IEEE 754 wants it.

/// The most digits behind the point that are divided by: 10^19 is the largest power of ten below 2^64.
pub(crate) const MOST_PLACES: usize = 19;

/// 10^0 to 10^19.
const TENS: [u64; MOST_PLACES + 1] = {
    let mut tens = [1; MOST_PLACES + 1];
    let mut place = 1;
    while place <= MOST_PLACES {
        tens[place] = tens[place - 1] * 10;
        place += 1;
    }
    tens
};

/// The most significant bits that a float holds.
const DIGITS: u32 = f64::MANTISSA_DIGITS;

/// The float next to `digits / 10^places`, ties to even. `places` is at most [`MOST_PLACES`].
pub(crate) fn fraction(digits: u64, places: usize) -> f64 {
    let divisor = TENS[places];
    // Powers of ten up to 10^22 are floats without rounding, as is what is below 2^53, and a division of floats
    // rounds once.
    if digits < 1 << DIGITS {
        #[expect(clippy::cast_precision_loss, reason = "nothing is lost")]
        return digits as f64 / divisor as f64;
    }
    quotient(digits, divisor)
}

/// `digits / divisor` by whole numbers: a quotient of 64 bits, and whether anything is left over.
fn quotient(digits: u64, divisor: u64) -> f64 {
    let (shifted, by) = (digits << digits.leading_zeros(), digits.leading_zeros());
    let (denominator, down) = (divisor << divisor.leading_zeros(), divisor.leading_zeros());
    // The quotient then lies in 2^63..2^64.
    let scale = if shifted >= denominator { 63 } else { 64 };
    let numerator = u128::from(shifted) << scale;
    #[expect(clippy::cast_possible_truncation, reason = "the quotient is below 2^64, see `scale`")]
    let whole = (numerator / u128::from(denominator)) as u64;
    let is_exact = u128::from(whole) * u128::from(denominator) == numerator;
    let spare = u64::BITS - DIGITS;
    let (kept, rest, half) = (whole >> spare, whole & ((1 << spare) - 1), 1 << (spare - 1));
    let is_up = rest > half || (rest == half && (!is_exact || kept & 1 == 1));
    // The value is kept · 2^exponent. It is far from the ends of the range: 10^-19 and 2^64.
    let exponent = i64::from(spare + down) - i64::from(by + scale);
    let biased = (exponent + i64::from(DIGITS) - 2 + 1023).cast_unsigned();
    // `kept` has its leading bit, which adds one to the exponent; rounding up to the next power adds another.
    f64::from_bits((biased << (DIGITS - 1)) + kept + u64::from(is_up))
}
