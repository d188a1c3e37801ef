//! What criterion measures with. perflab measures wall clock time, whatever a benchmark names here.

use std::time::{Duration, Instant};

use crate::Throughput;

/// Turns values into text.
pub trait ValueFormatter {
    /// A value with its unit.
    fn format_value(&self, value: f64) -> String {
        let mut values = [value];
        let unit = self.scale_values(value, &mut values);
        format!("{:>6.4} {unit}", values[0])
    }

    /// A value as a rate, with its unit.
    fn format_throughput(&self, throughput: &Throughput, value: f64) -> String {
        let mut values = [value];
        let unit = self.scale_throughputs(value, throughput, &mut values);
        format!("{:>6.4} {unit}", values[0])
    }

    /// Scales values to a unit that suits a typical one, which it returns.
    fn scale_values(&self, typical_value: f64, values: &mut [f64]) -> &'static str;

    /// The same, of rates.
    fn scale_throughputs(
        &self,
        typical_value: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str;

    /// Scales values to the unit for files.
    fn scale_for_machines(&self, values: &mut [f64]) -> &'static str;
}

/// What is read before and after calls. Here it only names a type: its readings are not taken.
pub trait Measurement {
    /// What is read before.
    type Intermediate;
    /// What comes out.
    type Value;

    /// Reads before.
    fn start(&self) -> Self::Intermediate;
    /// Reads after.
    fn end(&self, i: Self::Intermediate) -> Self::Value;
    /// Adds two values.
    fn add(&self, v1: &Self::Value, v2: &Self::Value) -> Self::Value;
    /// The value that adds nothing.
    fn zero(&self) -> Self::Value;
    /// A value as a number.
    fn to_f64(&self, value: &Self::Value) -> f64;
    /// How values are shown.
    fn formatter(&self) -> &dyn ValueFormatter;

    /// A value as time, where it is one.
    #[doc(hidden)]
    fn __as_time(&self, _value: &Self::Value) -> Option<Duration> {
        None
    }
}

/// Wall clock time.
#[derive(Clone, Copy, Debug, Default)]
pub struct WallTime;

impl Measurement for WallTime {
    type Intermediate = Instant;
    type Value = Duration;

    fn start(&self) -> Instant {
        Instant::now()
    }

    fn end(&self, i: Instant) -> Duration {
        i.elapsed()
    }

    fn add(&self, v1: &Duration, v2: &Duration) -> Duration {
        *v1 + *v2
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &Times
    }

    fn __as_time(&self, value: &Duration) -> Option<Duration> {
        Some(*value)
    }
}

/// Formats nanoseconds.
struct Times;

fn scale(values: &mut [f64], factor: f64) {
    for value in values {
        *value *= factor;
    }
}

/// The unit of a rate a second.
fn scale_rates(
    values: &mut [f64],
    amount: u64,
    typical: f64,
    base: f64,
    units: [&'static str; 4],
) -> &'static str {
    let rate = |nanos: f64| amount as f64 * 1e9 / nanos;
    let mut size = 1.0;
    let mut unit = units[0];
    for larger in &units[1..] {
        if rate(typical) >= size * base {
            size *= base;
            unit = larger;
        }
    }
    for value in values {
        *value = rate(*value) / size;
    }
    unit
}

impl ValueFormatter for Times {
    fn scale_values(&self, typical_value: f64, values: &mut [f64]) -> &'static str {
        let (factor, unit) = match typical_value {
            ..1.0 => (1e3, "ps"),
            1.0..1e3 => (1.0, "ns"),
            1e3..1e6 => (1e-3, "µs"),
            1e6..1e9 => (1e-6, "ms"),
            _ => (1e-9, "s"),
        };
        scale(values, factor);
        unit
    }

    fn scale_throughputs(
        &self,
        typical_value: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let (amount, base, units) = match *throughput {
            Throughput::Bits(bits) => (bits, 1e3, ["b/s", "Kb/s", "Mb/s", "Gb/s"]),
            Throughput::Bytes(bytes) => (bytes, 1024.0, ["B/s", "KiB/s", "MiB/s", "GiB/s"]),
            Throughput::BytesDecimal(bytes) => (bytes, 1e3, ["B/s", "KB/s", "MB/s", "GB/s"]),
            Throughput::Elements(elements) | Throughput::ElementsAndBytes { elements, .. } => {
                (elements, 1e3, ["elem/s", "Kelem/s", "Melem/s", "Gelem/s"])
            }
        };
        scale_rates(values, amount, typical_value, base, units)
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "ns"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_have_a_unit_that_suits_them() {
        let formatter = WallTime.formatter();
        assert_eq!(formatter.format_value(0.5), "500.0000 ps");
        assert_eq!(formatter.format_value(1_500.0), "1.5000 µs");
        assert_eq!(formatter.format_value(2e9), "2.0000 s");
        assert_eq!(formatter.format_throughput(&Throughput::Bytes(2048), 1e9), "2.0000 KiB/s");
        assert_eq!(formatter.format_throughput(&Throughput::Elements(5), 1.0), "5.0000 Gelem/s");
        assert_eq!(formatter.format_throughput(&Throughput::Bits(5), 1e9), "5.0000 b/s");
        let mut values = [1.0];
        assert_eq!((formatter.scale_for_machines(&mut values), values), ("ns", [1.0]));
    }

    #[test]
    fn wall_time_is_a_time() {
        let (a, b) = (Duration::from_nanos(3), Duration::from_nanos(4));
        assert_eq!(WallTime.add(&a, &WallTime.add(&b, &WallTime.zero())), Duration::from_nanos(7));
        assert_eq!(WallTime.__as_time(&a), Some(a));
        assert!(WallTime.to_f64(&WallTime.end(WallTime.start())) >= 0.0);
    }
}
