//! Instruction counts as rows.

use crate::record::counts::{CountRow, CountTool};
use crate::rows::{Measure, Measured};

/// The rows of the counts that gungraun or iai-callgrind saved. What they were compared with is not adopted: it is
/// another run's.
#[must_use]
pub fn of_counts(counts: &[CountRow]) -> Vec<Measured> {
    let row = |count: &CountRow| {
        let value = count.instructions.new as f64;
        Measured {
            benchmark: count.benchmark.clone(),
            arm: match count.tool {
                CountTool::Callgrind => "callgrind".to_owned(),
                CountTool::Cachegrind => "cachegrind".to_owned(),
            },
            measure: Measure::Instructions,
            value,
            interval: None,
            launches: vec![value],
            change: None,
            build: String::new(),
            throughput: None,
            exit_codes: Vec::new(),
        }
    };
    counts.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::counts::Count;

    #[test]
    fn a_count_is_one_exact_value() {
        let count = CountRow {
            benchmark: "bench::parse::short".to_owned(),
            tool: CountTool::Callgrind,
            instructions: Count { new: 1234, old: Some(1000) },
            cycles: None,
            l1_hits: None,
            ll_hits: None,
            ram_hits: None,
        };
        let row = &of_counts(&[count])[0];
        assert_eq!((row.value, row.measure, row.arm.as_str()), (1234.0, Measure::Instructions, "callgrind"));
        assert_eq!((&row.launches[..], &row.change), (&[1234.0][..], &None), "the old run is another's");
    }
}
