//! What the values of a row count, and in which unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The unit of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds; of calls, a call.
    #[default]
    #[serde(alias = "ns")]
    Nanos,
    /// Bytes.
    #[serde(alias = "B")]
    Bytes,
    /// Instructions a call.
    Instructions,
}

impl Unit {
    /// Its symbol.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Nanos => "ns",
            Self::Bytes => "B",
            Self::Instructions => "instructions",
        }
    }
}

/// What is measured. Its name is the one in suites, records, references and tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Measure {
    /// Wall clock of a call, or of the whole run of a command.
    #[default]
    Time,
    /// Time on CPUs, of a command and its children.
    CpuTime,
    /// Wall clock of a build from an empty target directory.
    CleanBuild,
    /// Wall clock of a rebuild after an edit.
    Rebuild,
    /// A quantile of the response times of a tool call.
    Latency(Quantile),
    /// The most memory in use.
    Memory,
    /// Size of the file.
    FileSize,
    /// Size of its code.
    CodeSize,
    /// Instructions of a call on the small input.
    Instructions,
}

impl Measure {
    /// The median response time.
    pub const P50: Self = Self::Latency(Quantile(500));
    /// The 99th percentile of response times.
    pub const P99: Self = Self::Latency(Quantile(990));

    /// Those that are one value each; latencies come on top, one a quantile.
    const PLAIN: [Self; 8] = [
        Self::Time,
        Self::CpuTime,
        Self::CleanBuild,
        Self::Rebuild,
        Self::Memory,
        Self::FileSize,
        Self::CodeSize,
        Self::Instructions,
    ];

    /// Whether it is a time: never judged by a stored value alone.
    #[must_use]
    pub fn is_time(self) -> bool {
        self.unit() == Unit::Nanos
    }

    /// The unit of its values.
    #[must_use]
    pub fn unit(self) -> Unit {
        match self {
            Self::Time | Self::CpuTime | Self::CleanBuild | Self::Rebuild | Self::Latency(_) => Unit::Nanos,
            Self::Memory | Self::FileSize | Self::CodeSize => Unit::Bytes,
            Self::Instructions => Unit::Instructions,
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Time => "time",
            Self::CpuTime => "cpu_time",
            Self::CleanBuild => "clean_build",
            Self::Rebuild => "rebuild",
            Self::Latency(quantile) => return quantile.fmt(formatter),
            Self::Memory => "memory",
            Self::FileSize => "file_size",
            Self::CodeSize => "code_size",
            Self::Instructions => "instructions",
        })
    }
}

impl FromStr for Measure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = Self::PLAIN.into_iter().find(|measure| measure.to_string() == text);
        let names = || Self::PLAIN.map(|measure| measure.to_string()).join(", ");
        plain
            .or_else(|| Quantile::read(text).map(Self::Latency))
            .ok_or_else(|| format!("unknown measure \"{text}\"; known: {}, p50, p99, p99.9", names()))
    }
}

impl TryFrom<String> for Measure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Measure> for String {
    fn from(measure: Measure) -> Self {
        measure.to_string()
    }
}

/// A quantile, in thousandths: 990 is p99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantile(u16);

impl Quantile {
    /// `p50`, `p99.9`: a percentage with at most one decimal, above 0 and below 100.
    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('p')?;
        let (whole, tenth) = digits.split_once('.').unwrap_or((digits, "0"));
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok());
        let (whole, tenth) = (number(whole)??, number(tenth).filter(|_| tenth.len() == 1)??);
        let quantile = Self(whole.checked_mul(10)?.checked_add(tenth)?);
        // One spelling each: `p050` and `p50.0` would be further names of the same row.
        Some(quantile).filter(|q| (1..1000).contains(&q.0) && q.to_string() == text)
    }

    /// From 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&match (self.0 / 10, self.0 % 10) {
            (whole, 0) => format!("p{whole}"),
            (whole, tenth) => format!("p{whole}.{tenth}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_read_by_the_name_that_it_is_written_by() {
        let latencies = ["p50", "p90", "p99", "p99.9", "p0.1"].map(|name| name.parse().unwrap());
        for measure in Measure::PLAIN.into_iter().chain(latencies) {
            assert_eq!(measure.to_string().parse(), Ok(measure));
            let json = serde_json::to_string(&measure).unwrap();
            assert_eq!(serde_json::from_str::<Measure>(&json).unwrap(), measure);
        }
        assert_eq!("p99".parse(), Ok(Measure::P99));
        assert_eq!(Measure::P99.to_string(), "p99");
        let Ok(Measure::Latency(tail)) = "p99.9".parse() else { panic!("a quantile") };
        assert!((tail.fraction() - 0.999).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_measure_is_told_with_those_that_are() {
        for wrong in ["", "p", "p0", "p100", "p050", "p50.0", "p99.99", "p-1", "p+5", "wall", "50"] {
            let said = wrong.parse::<Measure>().unwrap_err();
            assert!(said.starts_with("unknown measure") && said.contains("clean_build"), "{said}");
        }
    }

    #[test]
    fn only_times_are_times() {
        let times: Vec<_> = Measure::PLAIN.into_iter().filter(|measure| measure.is_time()).collect();
        assert_eq!(times, [Measure::Time, Measure::CpuTime, Measure::CleanBuild, Measure::Rebuild]);
        assert!(Measure::P50.is_time());
        assert_eq!(Measure::FileSize.unit().symbol(), "B");
    }
}
