//! `raw.csv`: one row a sample.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::measure::{Launch, Sample, Slice, Turn};
use crate::plan::{Plan, Unit};
use crate::record::RecordError;

/// The first line of `raw.csv`.
pub const RAW_HEADER: &str = "launch,benchmark,block,position,arm,slice,iters,value,unit,cpu_ns,loop_ns\n";

#[derive(Deserialize)]
struct Line {
    launch: u32,
    benchmark: String,
    block: u32,
    position: u32,
    arm: String,
    #[expect(dead_code, reason = "the order of the lines tells it; the column is for other readers")]
    slice: u32,
    iters: u64,
    /// Called `wall` in records of schema 1, whatever it counted.
    #[serde(alias = "wall")]
    value: u64,
    /// Records of schema 1 have none: it is the row's.
    unit: Option<Unit>,
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
            let Slice { iters, sample, cpu_ns, loop_ns } = slice;
            let _ = writeln!(
                text,
                "{},{benchmark},{},{},{arm},{index},{iters},{},{},{cpu_ns},{loop_ns}",
                launch.index,
                turn.block,
                turn.position,
                sample.value,
                sample.unit.symbol(),
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
        let read: Line =
            record.deserialize(Some(&headers)).map_err(|error| fault(line, error.to_string()))?;
        let Some(&at) = position.get(&read.launch) else {
            continue;
        };
        let (Some(&benchmark), Some(&arm)) =
            (benchmarks.get(read.benchmark.as_str()), arms.get(read.arm.as_str()))
        else {
            let wrong = format!("the plan has no benchmark \"{}\" in arm \"{}\"", read.benchmark, read.arm);
            return Err(fault(line, wrong));
        };
        let unit = plan.benchmarks[benchmark].unit;
        if let Some(other) = read.unit.filter(|other| *other != unit) {
            let (found, expected) = (other.symbol(), unit.symbol());
            return Err(fault(line, format!("a value in {found}, where the row counts {expected}")));
        }
        let slice = Slice {
            iters: read.iters,
            sample: Sample { value: read.value, unit },
            cpu_ns: read.cpu_ns,
            loop_ns: read.loop_ns,
        };
        let turns = &mut launches[at].turns;
        let same =
            |turn: &&mut Turn| turn.benchmark == benchmark && turn.block == read.block && turn.arm == arm;
        match turns.last_mut().filter(same) {
            Some(turn) => turn.slices.push(slice),
            None => turns.push(Turn {
                benchmark,
                block: read.block,
                position: read.position,
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
    use crate::plan::fixture::{self, arm};
    use crate::plan::{Benchmark, Measure, Role};
    use proptest::prelude::*;

    fn plan() -> Plan {
        let arms = vec![arm("base", Role::Baseline), arm("odd, \"name\"", Role::Candidate)];
        let mut plan = fixture::plan(2, arms, &["a/b", "c"]);
        plan.benchmarks[0] = Benchmark::of("a/b", Measure::FileSize);
        plan
    }

    fn slice(benchmark: usize, value: u64, cpu_ns: u64, loop_ns: u64) -> Slice {
        let unit = plan().benchmarks[benchmark].unit;
        Slice { iters: 3, sample: Sample { value, unit }, cpu_ns, loop_ns }
    }

    fn launch(index: u32, walls: &[u64]) -> Launch {
        let turn = |at: usize, &wall: &u64| Turn {
            benchmark: at % 2,
            block: u32::try_from(at / 4).unwrap(),
            position: u32::try_from(at / 2 % 2).unwrap(),
            arm: at / 2 % 2,
            slices: vec![slice(at % 2, wall, wall / 2, wall / 3), slice(at % 2, wall + 1, wall, 0)],
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
        assert_eq!(launches[0].turns[0].slices, [slice(1, 7, 6, 0)]);
    }

    #[test]
    fn what_schema_1_calls_wall_has_the_unit_of_its_row() {
        let mut launches = vec![launch(0, &[])];
        let old =
            "launch,benchmark,block,position,arm,slice,iters,wall,cpu_ns,loop_ns\n0,a/b,0,0,base,0,3,7,0,0\n";
        read_raw(old, &plan(), &mut launches).unwrap();
        assert_eq!(launches[0].turns[0].slices, [slice(0, 7, 0, 0)]);
        assert_eq!(launches[0].turns[0].slices[0].sample, Sample { value: 7, unit: Unit::Bytes });
        assert!(raw_rows(&plan(), &launches[0]).ends_with(",3,7,B,0,0\n"));
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut launches = vec![launch(0, &[])];
        let error = read_raw(&format!("{RAW_HEADER}0,c,0,0,base,0,1,x,ns,1,0\n"), &plan(), &mut launches)
            .unwrap_err();
        assert!(error.to_string().starts_with("raw.csv, line 2"), "{error}");
        let error = read_raw(&format!("{RAW_HEADER}0,zzz,0,0,base,0,1,1,ns,1,0\n"), &plan(), &mut launches)
            .unwrap_err();
        assert!(error.to_string().contains("no benchmark \"zzz\""), "{error}");
        let bytes = format!("{RAW_HEADER}0,c,0,0,base,0,1,1,B,1,0\n");
        let error = read_raw(&bytes, &plan(), &mut launches).unwrap_err().to_string();
        assert!(error.ends_with("line 2: a value in B, where the row counts ns"), "{error}");
    }
}
