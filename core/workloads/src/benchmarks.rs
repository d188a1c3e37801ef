//! The list of benchmarks.

use std::sync::Arc;

use mcp_store::{LatencyHistogram, Order, Priority, PriorityQueue};
use perflab_subject::answer::mix;
use perflab_subject::{Benchmark, Input};

use crate::answers::{ANSWERS, found};
use crate::input::{Entries, Size, entries, order};
use crate::map::{CODE, Map};
use crate::pool::Pool;

/// How many threads share a map where several do.
const THREADS: usize = 4;

/// What a call does with the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Get,
    /// Writes a key with the value of the key after it, and reads two of them at the end.
    Set,
    /// Writes what is there already, so that it matters to no other thread.
    SetSame,
    /// Nine reads to a write.
    Mixed,
}

/// Operations on a map, in an order of keys that is drawn beforehand.
struct Work {
    kind: Kind,
    entries: Entries,
    order: Vec<usize>,
}

impl Work {
    fn new(input: Input, kind: Kind, size: Size, operations: usize, seed: u64) -> Self {
        let operations = if input == Input::Count { 16 } else { operations };
        let entries = entries(input, size);
        let order = order(seed, operations, entries.keys.len());
        Self { kind, entries, order }
    }

    /// A map with all entries.
    fn map(&self) -> Map {
        let map = Map::default();
        for (key, value) in self.entries.keys.iter().zip(&self.entries.values) {
            map.set(key, value.as_slice().into());
        }
        map
    }

    /// Does all operations. Calls leave a map as the call before left it. A write copies its bytes, as a
    /// caller's would be.
    fn run(&self, map: &Map) -> u64 {
        let read = |index: usize| map.get(&self.entries.keys[index]).map_or(0, |value| found(&value));
        let mut answer = 0;
        for (number, &index) in self.order.iter().enumerate() {
            if self.writes(number) {
                map.set(&self.entries.keys[index], self.written(number).into());
            } else {
                answer = mix(answer, read(index));
            }
        }
        self.read_at_the_end().fold(answer, |answer, index| mix(answer, read(index)))
    }

    /// The value that an operation writes.
    fn written(&self, number: usize) -> &[u8] {
        let value = if self.kind == Kind::Set { (number + 1) % self.order.len() } else { number };
        &self.entries.values[self.order[value]]
    }

    fn read_at_the_end(&self) -> impl Iterator<Item = usize> {
        let ends = [self.order.first(), self.order.last()].into_iter().flatten().copied();
        ends.filter(|_| self.kind == Kind::Set)
    }

    fn writes(&self, number: usize) -> bool {
        match self.kind {
            Kind::Get => false,
            Kind::Set | Kind::SetSame => true,
            Kind::Mixed => number % 10 == 9,
        }
    }
}

/// One row of the table of maps.
struct Row {
    name: &'static str,
    kind: Kind,
    size: Size,
    /// Operations a call, by each thread.
    operations: usize,
}

/// One thread. A call stays under 0.1 ms with the slowest of the maps.
const ALONE: &[Row] = &[
    Row { name: "store/get_64", kind: Kind::Get, size: Size::Small, operations: 256 },
    Row { name: "store/get_4096", kind: Kind::Get, size: Size::Large, operations: 256 },
    Row { name: "store/set_64", kind: Kind::Set, size: Size::Small, operations: 48 },
    Row { name: "store/set_4096", kind: Kind::Set, size: Size::Large, operations: 48 },
    Row { name: "store/mixed_64", kind: Kind::Mixed, size: Size::Small, operations: 160 },
];

/// Several threads. A call is long enough for waking them not to count.
const TOGETHER: &[Row] = &[
    Row { name: "store/get_64_4_threads", kind: Kind::Get, size: Size::Small, operations: 100_000 },
    Row { name: "store/set_64_4_threads", kind: Kind::SetSame, size: Size::Small, operations: 20_000 },
    Row { name: "store/mixed_64_4_threads", kind: Kind::Mixed, size: Size::Small, operations: 60_000 },
];

/// Every benchmark of this subject.
pub fn all() -> Vec<Benchmark> {
    let alone = ALONE.iter().map(|row| {
        benchmark(row.name, CODE, |input| {
            let work = Work::new(input, row.kind, row.size, row.operations, 1);
            let map = work.map();
            move || mix(work.run(&map), work.order.len() as u64)
        })
    });
    let together = TOGETHER.iter().map(|row| {
        benchmark(row.name, CODE, |input| {
            let seeds = 1..=THREADS as u64;
            let works: Vec<_> =
                seeds.map(|seed| Work::new(input, row.kind, row.size, row.operations, seed)).collect();
            let map = Arc::new(works[0].map());
            let pool = Pool::new(THREADS, move |thread| mix(works[thread].run(&map), thread as u64));
            move || pool.call()
        })
        .long()
    });
    alone.chain(together).chain([send_recv(), record()]).collect()
}

fn send_recv() -> Benchmark {
    benchmark("queue/send_recv", &["mcp_store::priority_queue"], |input| {
        let priorities = priorities(input);
        let queue = PriorityQueue::new(priorities.len(), Order::Strict);
        move || {
            for (number, &priority) in (0_u64..).zip(&priorities) {
                queue.try_send(number, priority).expect("the queue holds them all");
            }
            let received = std::iter::from_fn(|| queue.try_recv().ok());
            received.fold(0, |answer, (number, priority)| mix(answer, number * 4 + priority as u64))
        }
    })
}

/// The priorities of messages in the order in which they are sent.
fn priorities(input: Input) -> Vec<Priority> {
    let count = if input == Input::Count { 32 } else { 256 };
    order(7, count, 4).into_iter().map(|index| Priority::ALL[index]).collect()
}

/// The names of methods.
const METHODS: [&str; 8] = [
    "command_analyze",
    "command_suggest",
    "command_optimize",
    "command_run",
    "run_output",
    "history",
    "system_info",
    "resources/read",
];

fn record() -> Benchmark {
    benchmark("latency/record", &["mcp_store::latency", "hdrhistogram::"], |input| {
        let calls = latencies(input);
        let histogram = LatencyHistogram::new();
        let mut recorded = 0;
        move || {
            for (method, nanos) in &calls {
                histogram.record(method, *nanos);
            }
            recorded += 1;
            // Each call records the same latencies, so that the quantiles stay.
            let seen = histogram.summary(METHODS[0]).expect("the first method is among those called");
            mix(mix(mix(seen.count / recorded, seen.min), seen.p50), seen.max)
        }
    })
}

/// Methods and how long their calls take, in ns: below 2048, where the histogram keeps every value apart.
fn latencies(input: Input) -> Vec<(&'static str, u64)> {
    let count = if input == Input::Count { 32 } else { 1024 };
    let nanos = order(9, count, 2048).into_iter().map(|nanos| nanos as u64);
    order(8, count, METHODS.len()).into_iter().map(|index| METHODS[index]).zip(nanos).collect()
}

fn benchmark<F, S>(name: &'static str, code: &[&str], setup: S) -> Benchmark
where
    F: FnMut() -> u64 + 'static,
    S: Fn(Input) -> F + 'static,
{
    let answer = ANSWERS
        .iter()
        .find(|answer| answer.name == name)
        .expect("a test holds that every benchmark has answers");
    Benchmark::new(name, answer.measure, answer.count, setup).code(code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use super::*;
    use perflab_subject::answer::Answer;

    /// The same operations on an ordered map of the standard library.
    fn plain_map(row: &Row, input: Input, seed: u64) -> u64 {
        let work = Work::new(input, row.kind, row.size, row.operations, seed);
        let keys = &work.entries.keys;
        let mut map: BTreeMap<_, _> =
            keys.iter().zip(work.entries.values.iter().map(Vec::as_slice)).collect();
        let mut answer = 0;
        for (number, &index) in work.order.iter().enumerate() {
            if work.writes(number) {
                map.insert(&keys[index], work.written(number));
            } else {
                answer = mix(answer, found(map[&keys[index]]));
            }
        }
        work.read_at_the_end().fold(answer, |answer, index| mix(answer, found(map[&keys[index]])))
    }

    fn alone(row: &Row, input: Input) -> u64 {
        let operations = if input == Input::Count { 16 } else { row.operations };
        mix(plain_map(row, input, 1), operations as u64)
    }

    fn together(row: &Row, input: Input) -> u64 {
        let share = |thread: u64| mix(plain_map(row, input, thread + 1), thread);
        (0..THREADS as u64).map(share).fold(0, u64::wrapping_add)
    }

    /// A stable sort keeps the messages of a priority in their order.
    fn plain_queue(input: Input) -> u64 {
        let mut sent: Vec<_> = (0_u64..).zip(priorities(input)).collect();
        sent.sort_by_key(|(_, priority)| std::cmp::Reverse(*priority));
        sent.into_iter().fold(0, |answer, (number, priority)| mix(answer, number * 4 + priority as u64))
    }

    fn plain_latencies(input: Input) -> u64 {
        let first = |(method, nanos): (&str, u64)| (method == METHODS[0]).then_some(nanos);
        let mut nanos: Vec<_> = latencies(input).into_iter().filter_map(first).collect();
        nanos.sort_unstable();
        let count = nanos.len();
        mix(mix(mix(count as u64, nanos[0]), nanos[count.div_ceil(2) - 1]), nanos[count - 1])
    }

    fn computed() -> Vec<Answer> {
        let row = |name, answer: &dyn Fn(Input) -> u64| Answer {
            name,
            measure: answer(Input::Measure),
            count: answer(Input::Count),
        };
        let mut rows: Vec<_> = ALONE.iter().map(|each| row(each.name, &|input| alone(each, input))).collect();
        rows.extend(TOGETHER.iter().map(|each| row(each.name, &|input| together(each, input))));
        rows.push(row("queue/send_recv", &plain_queue));
        rows.push(row("latency/record", &plain_latencies));
        rows
    }

    #[test]
    fn the_plain_forms_give_the_answers() {
        let computed = computed();
        let mut table = String::new();
        for Answer { name, measure, count } in &computed {
            writeln!(table, "    Answer::new(\"{name}\", {measure:#018X}, {count:#018X}),").unwrap();
        }
        assert!(computed == ANSWERS, "the answers by the plain forms are\n{table}");
    }

    #[test]
    fn writing_leaves_what_reading_finds() {
        for row in ALONE {
            let work = Work::new(Input::Measure, Kind::SetSame, row.size, row.operations, 1);
            let map = work.map();
            work.run(&map);
            for (key, value) in work.entries.keys.iter().zip(&work.entries.values) {
                assert_eq!(map.get(key).as_deref(), Some(value.as_slice()));
            }
            assert_eq!(map.get("absent"), None);
        }
    }
}
