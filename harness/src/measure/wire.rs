//! The answers of subjects as the lab reads them: those of `perflab-subject`, and the optional fields that
//! subjects in other languages add.

use std::collections::BTreeSet;

use perflab_subject::protocol::BenchmarkInfo;
use serde::Deserialize;

use crate::measure::FailureReason;

/// What a subject can do, and what it says that it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Listing {
    /// The protocol version that it speaks.
    pub protocol: u32,
    /// Its benchmarks.
    pub benchmarks: Vec<Listed>,
    /// Benchmarks of its kind that it has no way to offer.
    #[serde(default)]
    pub not_offered: Vec<NotOffered>,
}

/// One benchmark of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Listed {
    /// What every subject says.
    #[serde(flatten)]
    pub common: BenchmarkInfo,
}

/// A benchmark that a subject names without having it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct NotOffered {
    /// Its name.
    pub name: String,
    /// Why, in a clause.
    pub why: String,
}

/// The answer to a turn.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Turned {
    /// The timed batches, in order.
    pub slices: Vec<TimedSlice>,
}

/// One timed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct TimedSlice {
    /// How many calls it holds.
    pub iters: u64,
    /// Wall clock, ns.
    pub wall_ns: u64,
    /// CPU time of the thread, ns; 0 where one thread's time says nothing.
    pub cpu_ns: u64,
    /// The wrapping sum of the calls' answers.
    pub checksum: u64,
    /// The time of the same loop without its calls, in ns.
    #[serde(default)]
    pub loop_ns: u64,
}

impl Turned {
    /// The batches, once they are as many as were asked for, each of `iters` calls.
    ///
    /// # Errors
    /// Another number of slices, or of calls in one: their times would be divided by the wrong number. Or calls that
    /// took no time, of which no ratio can be made.
    pub(crate) fn checked(self, slices: u32, iters: u64) -> Result<Vec<TimedSlice>, FailureReason> {
        if self.slices.len() != slices as usize {
            let found = self.slices.len();
            return Err(FailureReason::broken(format!("expected {slices} slices in a turn, found {found}")));
        }
        if let Some(TimedSlice { iters: found, .. }) = self.slices.iter().find(|slice| slice.iters != iters) {
            return Err(FailureReason::broken(format!("expected {iters} calls in a slice, found {found}")));
        }
        if self.slices.iter().any(|slice| slice.wall_ns == 0) {
            return Err(FailureReason::broken(format!(
                "a turn of {iters} calls took 0 ns: the subject's clock stands or its task is empty"
            )));
        }
        Ok(self.slices)
    }
}

impl Listing {
    /// Every name, those that are not offered last.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let offered = self.benchmarks.iter().map(|listed| listed.common.name.as_str());
        offered.chain(self.not_offered.iter().map(|absent| absent.name.as_str()))
    }

    /// A name that more than one benchmark has.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let mut seen = BTreeSet::new();
        self.names().find(|name| !seen.insert(*name))
    }

    /// What the subject says of a benchmark.
    ///
    /// # Errors
    /// It does not have it: why.
    pub(crate) fn named(&self, name: &str) -> Result<&Listed, FailureReason> {
        if let Some(listed) = self.benchmarks.iter().find(|listed| listed.common.name == name) {
            return Ok(listed);
        }
        let absent = self.not_offered.iter().find(|absent| absent.name == name);
        Err(absent.map_or(FailureReason::UnknownBenchmark, |absent| FailureReason::NotOffered {
            why: absent.why.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optional_fields_may_be_absent() {
        let plain = r#"{"protocol":1,"subject":"s","benchmarks":[{"name":"a","answer":7,"count_answer":7}]}"#;
        let listing: Listing = serde_json::from_str(plain).unwrap();
        assert_eq!((listing.benchmarks[0].common.payload, listing.benchmarks[0].common.answer), (None, 7));
        assert!(listing.named("a").is_ok_and(|listed| !listed.common.slow));
        assert_eq!(listing.named("b"), Err(FailureReason::UnknownBenchmark));
        let slice = r#"{"iters":1,"wall_ns":2,"cpu_ns":3,"checksum":4}"#;
        assert_eq!(serde_json::from_str::<TimedSlice>(slice).unwrap().loop_ns, 0);
    }

    #[test]
    fn a_turn_holds_the_calls_that_were_asked_for() {
        let slice = |iters| TimedSlice { iters, wall_ns: 9, cpu_ns: 9, checksum: 1, loop_ns: 0 };
        let turn = |all: &[u64]| Turned { slices: all.iter().copied().map(slice).collect() }.checked(2, 10);
        let broken = |how: &str| Err(FailureReason::broken(how));
        assert_eq!(turn(&[10, 10]).map(|slices| slices.len()), Ok(2));
        assert_eq!(turn(&[10, 20]), broken("expected 10 calls in a slice, found 20"));
        assert_eq!(turn(&[0, 10]), broken("expected 10 calls in a slice, found 0"));
        assert_eq!(turn(&[10]), broken("expected 2 slices in a turn, found 1"));
        assert_eq!(turn(&[10; 3]), broken("expected 2 slices in a turn, found 3"));
        let still = Turned { slices: vec![slice(10), TimedSlice { wall_ns: 0, ..slice(10) }] };
        assert_eq!(
            still.checked(2, 10),
            broken("a turn of 10 calls took 0 ns: the subject's clock stands or its task is empty")
        );
    }

    #[test]
    fn what_is_not_offered_says_why() {
        let text = r#"{"protocol":1,"subject":"s","not_offered":[{"name":"b","why":"no way"}],
            "benchmarks":[{"name":"a","answer":18446744073709551615,"count_answer":7,"payload":1024,"slow":true}]}"#;
        let listing: Listing = serde_json::from_str(text).unwrap();
        assert_eq!(listing.names().collect::<Vec<_>>(), ["a", "b"]);
        assert!(listing.named("a").is_ok_and(|listed| listed.common.slow));
        assert_eq!(listing.repeated(), None);
        let twice: Listing = serde_json::from_str(&text.replace("\"b\"", "\"a\"")).unwrap();
        assert_eq!(twice.repeated(), Some("a"));
        assert_eq!(listing.named("b"), Err(FailureReason::NotOffered { why: "no way".into() }));
        assert_eq!(
            (listing.benchmarks[0].common.payload, listing.benchmarks[0].common.answer),
            (Some(1024), u64::MAX)
        );
        let slice = r#"{"iters":1,"wall_ns":2,"cpu_ns":3,"loop_ns":5,"checksum":18446744073709551615}"#;
        let slice: TimedSlice = serde_json::from_str(slice).unwrap();
        assert_eq!((slice.loop_ns, slice.checksum), (5, u64::MAX));
    }

    #[test]
    fn what_subjects_write_themselves_is_what_the_lab_reads_and_the_other_way_round() {
        use perflab_subject::protocol::{Counted, Prepared, Refused, Request};

        let name = "a \"b\"\\\n\u{1}é".to_owned();
        let turn =
            Request::Turn { benchmark: name.clone(), settle_ns: 1, slices: 2, iters: u64::MAX, extra: 3 };
        let requests = [
            Request::List,
            Request::Prepare { benchmark: name.clone() },
            turn,
            Request::Count { benchmark: name.clone() },
        ];
        for request in requests {
            let line = serde_json::to_string(&request).unwrap();
            assert_eq!(Request::read(&line).as_ref(), Ok(&request), "{line}");
            assert_eq!(serde_json::from_str::<Request>(&request.to_string()).unwrap(), request);
        }
        let plain = BenchmarkInfo { name, answer: 7, count_answer: 8, ..BenchmarkInfo::default() };
        let full = BenchmarkInfo {
            long: true,
            code: vec!["x::y".to_owned()],
            slow: true,
            unchecked: true,
            payload: Some(1),
            elements: Some(2),
            ..plain.clone()
        };
        for info in [plain, full] {
            assert_eq!(serde_json::to_string(&info).unwrap(), info.to_string());
            let listing = perflab_subject::protocol::Listing {
                protocol: 1,
                subject: "s".to_owned(),
                benchmarks: vec![info.clone()],
            };
            let read: Listing = serde_json::from_str(&listing.to_string()).unwrap();
            assert_eq!(read.benchmarks[0].common, info);
        }
        for prepared in [
            Prepared { checksum: 1, call_ns: 2, ..Prepared::default() },
            Prepared { checksum: 1, call_ns: 2, whole_ns: 3, long: true },
        ] {
            assert_eq!(serde_json::to_string(&prepared).unwrap(), prepared.to_string());
        }
        let slice = perflab_subject::protocol::Slice { iters: 1, wall_ns: 2, cpu_ns: 3, checksum: 4 };
        let turned = perflab_subject::protocol::Turned { slices: vec![slice, slice] };
        assert_eq!(serde_json::to_string(&turned).unwrap(), turned.to_string());
        let counted = Counted { checksum: 5 };
        assert_eq!(serde_json::to_string(&counted).unwrap(), counted.to_string());
        let refused = Refused { error: "no \"x\"".to_owned() };
        assert_eq!(serde_json::to_string(&refused).unwrap(), refused.to_string());
    }
}
