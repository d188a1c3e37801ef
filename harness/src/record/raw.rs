//! `raw.csv`: one row a sample.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::measure::{Launch, Slice, Turn};
use crate::plan::Plan;
use crate::record::RecordError;

/// The first line of `raw.csv`. `wall` is in ns, but in `build` suites in the benchmark's own unit.
pub const RAW_HEADER: &str = "launch,benchmark,block,position,arm,slice,iters,wall,cpu_ns,loop_ns\n";

#[derive(Deserialize)]
struct Sample {
    launch: u32,
    benchmark: String,
    block: u32,
    position: u32,
    arm: String,
    #[expect(dead_code, reason = "the order of the lines tells it; the column is for other readers")]
    slice: u32,
    iters: u64,
    wall: u64,
    cpu_ns: u64,
    /// Records from before calls from Python were measured have none.
    #[serde(default)]
    loop_ns: u64,
}

/// The rows of one launch.
#[must_use]
pub fn raw_rows(plan: &Plan, launch: &Launch) -> String {
    let mut text = String::new();
    for turn in &launch.turns {
        let (benchmark, arm) =
            (field(&plan.benchmarks[turn.benchmark].name), field(&plan.arms[turn.arm].name));
        for (index, slice) in turn.slices.iter().enumerate() {
            let _ = writeln!(
                text,
                "{},{benchmark},{},{},{arm},{index},{},{},{},{}",
                launch.index, turn.block, turn.position, slice.iters, slice.wall, slice.cpu, slice.empty
            );
        }
    }
    text
}

/// A field as RFC 4180 quotes it.
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Fills `launches` with their turns. Rows of launches that are not among them were cut off by a kill, and
/// are left out, as is a last line without its end.
///
/// # Errors
/// [`RecordError::Raw`] with the line.
pub fn read_raw(text: &str, plan: &Plan, launches: &mut [Launch]) -> Result<(), RecordError> {
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let fault = |line, wrong: String| RecordError::Raw { line, wrong };
    let benchmarks: BTreeMap<&str, usize> =
        index(plan.benchmarks.iter().map(|benchmark| benchmark.name.as_str()));
    let arms: BTreeMap<&str, usize> = index(plan.arms.iter().map(|arm| arm.name.as_str()));
    let position: BTreeMap<u32, usize> =
        launches.iter().enumerate().map(|(at, launch)| (launch.index, at)).collect();
    let mut reader = csv::Reader::from_reader(whole.as_bytes());
    let headers = reader.headers().map_err(|error| fault(1, error.to_string()))?.clone();
    for record in reader.into_records() {
        let record = record
            .map_err(|error| fault(error.position().map_or(1, csv::Position::line), error.to_string()))?;
        let line = record.position().map_or(1, csv::Position::line);
        let sample: Sample =
            record.deserialize(Some(&headers)).map_err(|error| fault(line, error.to_string()))?;
        let Some(&at) = position.get(&sample.launch) else {
            continue;
        };
        let (Some(&benchmark), Some(&arm)) =
            (benchmarks.get(sample.benchmark.as_str()), arms.get(sample.arm.as_str()))
        else {
            let wrong =
                format!("the plan has no benchmark \"{}\" in arm \"{}\"", sample.benchmark, sample.arm);
            return Err(fault(line, wrong));
        };
        let slice =
            Slice { iters: sample.iters, wall: sample.wall, cpu: sample.cpu_ns, empty: sample.loop_ns };
        let turns = &mut launches[at].turns;
        let same =
            |turn: &&mut Turn| turn.benchmark == benchmark && turn.block == sample.block && turn.arm == arm;
        match turns.last_mut().filter(same) {
            Some(turn) => turn.slices.push(slice),
            None => turns.push(Turn {
                benchmark,
                block: sample.block,
                position: sample.position,
                arm,
                slices: vec![slice],
            }),
        }
    }
    Ok(())
}

fn index<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    names.enumerate().map(|(at, name)| (name, at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Role;
    use crate::plan::fixture::{self, arm};
    use proptest::prelude::*;

    fn plan() -> Plan {
        let arms = vec![arm("base", Role::Baseline), arm("odd, \"name\"", Role::Candidate)];
        fixture::plan(2, arms, &["a/b", "c"])
    }

    fn launch(index: u32, walls: &[u64]) -> Launch {
        let turn = |at: usize, &wall: &u64| Turn {
            benchmark: at % 2,
            block: u32::try_from(at / 4).unwrap(),
            position: u32::try_from(at / 2 % 2).unwrap(),
            arm: at / 2 % 2,
            slices: vec![
                Slice { iters: 3, wall, cpu: wall / 2, empty: wall / 3 },
                Slice { iters: 3, wall: wall + 1, cpu: wall, empty: 0 },
            ],
        };
        Launch {
            index,
            arms: vec![],
            turns: walls.iter().enumerate().map(|(at, wall)| turn(at, wall)).collect(),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(walls in prop::collection::vec(0..u64::MAX / 2, 0..40)) {
            let (plan, launch) = (plan(), launch(7, &walls));
            let text = RAW_HEADER.to_owned() + &raw_rows(&plan, &launch);
            let mut read = vec![Launch { turns: vec![], ..launch.clone() }];
            read_raw(&text, &plan, &mut read).unwrap();
            prop_assert_eq!(&read[0], &launch);
        }

        #[test]
        fn a_text_cut_anywhere_is_still_read(cut in 0_usize..2000) {
            let plan = plan();
            let text = RAW_HEADER.to_owned() + &raw_rows(&plan, &launch(0, &[5; 12])) + &raw_rows(&plan, &launch(1, &[6; 12]));
            let mut finished = vec![launch(0, &[])];
            let cut = cut.min(text.len());
            read_raw(&text[..cut], &plan, &mut finished).unwrap();
            prop_assert!(finished[0].turns.len() <= 12);
        }
    }

    #[test]
    fn a_record_without_empty_loops_is_read() {
        let mut launches = vec![launch(0, &[])];
        let old = "launch,benchmark,block,position,arm,slice,iters,wall,cpu_ns\n0,c,0,0,base,0,3,7,6\n";
        read_raw(old, &plan(), &mut launches).unwrap();
        assert_eq!(launches[0].turns[0].slices, [Slice { iters: 3, wall: 7, cpu: 6, empty: 0 }]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut launches = vec![launch(0, &[])];
        let error =
            read_raw(&format!("{RAW_HEADER}0,c,0,0,base,0,1,x,1,0\n"), &plan(), &mut launches).unwrap_err();
        assert!(error.to_string().starts_with("raw.csv, line 2"), "{error}");
        let error =
            read_raw(&format!("{RAW_HEADER}0,zzz,0,0,base,0,1,1,1,0\n"), &plan(), &mut launches).unwrap_err();
        assert!(error.to_string().contains("no benchmark \"zzz\""), "{error}");
    }
}
