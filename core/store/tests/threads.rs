//! The store and the queue under threads: what must hold whatever the schedule.

use std::collections::HashSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use mcp_store::priority_queue::{FAIR_BOUND, RecvError, SendError};
use mcp_store::state_store::ENTRY_OVERHEAD;
use mcp_store::{Order, Priority, PriorityQueue, StateStore, StoreError};

const THREADS: usize = 4;

fn number(value: &[u8]) -> u64 {
    u64::from_le_bytes(value.try_into().expect("eight bytes were written"))
}

#[test]
fn no_increment_by_compare_and_swap_is_lost() {
    let store = StateStore::new(1 << 20);
    store.set("counter", 0_u64.to_le_bytes(), None).unwrap();
    let versions = Mutex::new(HashSet::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    loop {
                        let seen = store.get("counter").unwrap();
                        let next = (number(&seen.value) + 1).to_le_bytes();
                        match store.compare_and_swap("counter", Some(seen.version), next, None) {
                            Ok(version) => {
                                assert!(versions.lock().unwrap().insert(version), "a version is given once");
                                break;
                            }
                            Err(StoreError::Conflict { expected, found }) => {
                                assert!(found > expected, "versions of a key only grow");
                            }
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(number(&store.get("counter").unwrap().value), 2_000 * THREADS as u64);
}

/// What a thread did to one key, between two ticks of a clock that all threads share.
#[derive(Clone, Debug)]
struct Operation {
    start: u64,
    end: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Saw this version, or nothing.
    Get(Option<u64>),
    /// Wrote this version.
    Set(u64),
    /// Replaced the first by the second.
    Swapped(Option<u64>, u64),
    /// Expected the first and found the second.
    Conflict(Option<u64>, Option<u64>),
    /// Removed; whether there was a value.
    Remove(bool),
}

impl Operation {
    /// What a register that holds `version` holds afterwards; `None` when it could not have answered so.
    fn apply(&self, version: Option<u64>) -> Option<Option<u64>> {
        match self.kind {
            Kind::Get(seen) => (seen == version).then_some(version),
            Kind::Set(new) => Some(Some(new)),
            Kind::Swapped(expected, new) => (expected == version).then_some(Some(new)),
            Kind::Conflict(expected, found) => (found == version && expected != version).then_some(version),
            Kind::Remove(was_there) => (was_there == version.is_some()).then_some(None),
        }
    }
}

/// Whether the operations can be put in an order that keeps those that did not overlap in theirs and that
/// one register could have answered (the search of Wing and Gong, 1993, with the states seen remembered).
fn is_linearisable(history: &[Operation]) -> bool {
    let all = (1_u32 << history.len()) - 1;
    let mut stack = vec![(0_u32, None)];
    let mut seen = HashSet::new();
    while let Some((done, version)) = stack.pop() {
        if done == all {
            return true;
        }
        if !seen.insert((done, version)) {
            continue;
        }
        let open = || history.iter().enumerate().filter(|(index, _)| done & (1 << index) == 0);
        let first_end = open().map(|(_, operation)| operation.end).min().unwrap_or(u64::MAX);
        for (index, operation) in open().filter(|(_, operation)| operation.start <= first_end) {
            if let Some(after) = operation.apply(version) {
                stack.push((done | 1 << index, after));
            }
        }
    }
    false
}

fn operation(store: &StateStore, clock: &AtomicU64, choice: u64, last: &mut Option<u64>) -> Operation {
    let start = clock.fetch_add(1, Ordering::SeqCst);
    let kind = match choice % 5 {
        0 => {
            *last = store.get("register").map(|seen| seen.version);
            Kind::Get(*last)
        }
        1 => Kind::Set(store.set("register", choice.to_le_bytes(), None).expect("it fits")),
        2 => Kind::Remove(store.remove("register")),
        _ => match store.compare_and_swap("register", *last, choice.to_le_bytes(), None) {
            Ok(version) => Kind::Swapped(last.replace(version), version),
            Err(StoreError::Conflict { expected, found }) => {
                *last = found;
                Kind::Conflict(expected, found)
            }
            Err(other) => panic!("{other}"),
        },
    };
    Operation { start, end: clock.fetch_add(1, Ordering::SeqCst), kind }
}

/// The history of a few operations by each of several threads that start together.
fn history(round: u64) -> Vec<Operation> {
    let store = StateStore::new(1 << 16);
    let clock = AtomicU64::new(0);
    let barrier = Barrier::new(THREADS);
    let all = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for thread in 0..THREADS as u64 {
            let (store, clock, barrier, all) = (&store, &clock, &barrier, &all);
            scope.spawn(move || {
                let mut random =
                    round.wrapping_mul(31).wrapping_add(thread).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let mut last = None;
                barrier.wait();
                let own: Vec<_> = (0..6)
                    .map(|_| {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        operation(store, clock, random >> 33, &mut last)
                    })
                    .collect();
                all.lock().expect("no thread panics").extend(own);
            });
        }
    });
    all.into_inner().expect("no thread panics")
}

#[test]
fn recorded_histories_are_linearisable() {
    for round in 0..300 {
        let history = history(round);
        assert!(is_linearisable(&history), "{history:#?}");
    }
}

#[test]
fn the_checker_finds_what_no_register_could_answer() {
    let operation = |start, end, kind| Operation { start, end, kind };
    let written = operation(0, 1, Kind::Set(1));
    let late = operation(2, 3, Kind::Get(None));
    assert!(!is_linearisable(&[written.clone(), late]), "a read that misses a finished write");
    let early = operation(0, 1, Kind::Get(None));
    assert!(is_linearisable(&[written.clone(), early]), "at the same time, it may come before");
    let first = operation(2, 5, Kind::Swapped(Some(1), 2));
    let second = operation(3, 6, Kind::Swapped(Some(1), 3));
    assert!(!is_linearisable(&[written, first, second]), "two swaps of one version");
}

#[test]
fn the_cap_holds_while_threads_write() {
    let capacity = 40 * (8 + 100 + ENTRY_OVERHEAD);
    let store = StateStore::new(capacity);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let store = &store;
                scope.spawn(move || {
                    for round in 0..3_000_usize {
                        let key = format!("{:08}", (round * 7 + thread * 13) % 200);
                        store.set(&key, vec![0; round % 200], None).unwrap();
                        if let Some(seen) = store.get(&key) {
                            assert!(seen.value.len() < 200);
                        }
                        if round % 50 == 0 {
                            // Everything has to go for this one.
                            store.set("largest.", vec![0; capacity - 8 - ENTRY_OVERHEAD], None).unwrap();
                        }
                        if round % 300 == 0 {
                            store.clear();
                        }
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert!(store.statistics().bytes <= capacity as u64);
            }
        });
        let failed = writers.into_iter().any(|writer| writer.join().is_err());
        done.store(true, Ordering::Relaxed);
        assert!(!failed);
    });
    let keys = store.keys();
    let bytes: usize =
        keys.iter().map(|key| key.len() + store.get(key).unwrap().value.len() + ENTRY_OVERHEAD).sum();
    let seen = store.statistics();
    assert_eq!((seen.entries, seen.bytes), (keys.len() as u64, bytes as u64));
}

#[test]
fn expired_values_are_never_returned_under_threads() {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    let store = StateStore::with_clock(1 << 16, move || Duration::from_nanos(clock.load(Ordering::SeqCst)));
    thread::scope(|scope| {
        for key in ["a", "b", "c", "d"] {
            let (store, now) = (&store, &now);
            scope.spawn(move || {
                for _ in 0..500 {
                    store.set(key, [], Some(Duration::from_nanos(20))).unwrap();
                    // The store read its clock before this, so the value has expired by then at the latest.
                    let end = now.load(Ordering::SeqCst) + 20;
                    while now.fetch_add(1, Ordering::SeqCst) + 1 < end {
                        black_box(store.contains(key));
                    }
                    assert_eq!(store.get(key), None);
                }
            });
        }
    });
    let seen = store.statistics();
    assert_eq!((seen.entries, seen.bytes, seen.hits), (0, 0, 0));
    assert_eq!((seen.expirations, seen.misses), (2_000, 2_000));
}

/// Sends from some threads and receives in others; what every receiver got, in its order.
fn pass_through(
    queue: &PriorityQueue<(usize, u32)>,
    senders: usize,
    each: u32,
) -> Vec<Vec<(usize, u32, Priority)>> {
    thread::scope(|scope| {
        let receivers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut received = Vec::new();
                    loop {
                        match queue.recv_timeout(Duration::from_secs(60)) {
                            Ok(((sender, number), priority)) => received.push((sender, number, priority)),
                            Err(RecvError::Closed) => return received,
                            Err(other) => panic!("{other}"),
                        }
                    }
                })
            })
            .collect();
        let senders: Vec<_> = (0..senders)
            .map(|sender| {
                scope.spawn(move || {
                    for number in 0..each {
                        let priority = Priority::ALL[(number % 4) as usize];
                        let sent = queue.send_timeout((sender, number), priority, Duration::from_secs(60));
                        assert_eq!(sent, Ok(()));
                    }
                })
            })
            .collect();
        senders.into_iter().for_each(|sender| sender.join().expect("no sender panics"));
        queue.close();
        receivers.into_iter().map(|receiver| receiver.join().expect("no receiver panics")).collect()
    })
}

#[test]
fn nothing_is_lost_or_doubled_between_threads() {
    for order in [Order::Strict, Order::Fair] {
        let queue = PriorityQueue::new(5, order);
        let received = pass_through(&queue, 3, 2_000);
        let mut all: Vec<_> = received.iter().flatten().collect();
        all.sort();
        let expected: Vec<_> = (0..3)
            .flat_map(|sender| {
                (0..2_000).map(move |number| (sender, number, Priority::ALL[(number % 4) as usize]))
            })
            .collect();
        assert!(all.into_iter().eq(&expected));
        for one in received {
            for sender in 0..3 {
                for priority in Priority::ALL {
                    let own: Vec<_> =
                        one.iter().filter(|(from, _, with)| (*from, *with) == (sender, priority)).collect();
                    assert!(own.is_sorted(), "one sender's messages of one priority stay in order");
                }
            }
        }
        let seen = queue.statistics();
        assert_eq!((seen.sent, seen.sent.total(), seen.depth), (seen.received, 6_000, 0));
        assert!(seen.max_depth <= 5);
    }
}

#[test]
fn a_low_message_passes_a_flood() {
    let queue = PriorityQueue::new(16, Order::Fair);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for priority in [Priority::Urgent, Priority::High] {
            let (queue, done) = (&queue, &done);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    match queue.send_timeout((), priority, Duration::from_millis(5)) {
                        Ok(()) | Err(SendError::Full(())) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
        for _ in 0..20 {
            // Whoever frees a place may lose it to the flood; the message gets in at some time.
            while queue.try_send((), Priority::Low).is_err() {
                queue.try_recv().unwrap();
            }
            let passed = std::iter::from_fn(|| queue.recv_timeout(Duration::from_secs(60)).ok())
                .position(|((), priority)| priority == Priority::Low)
                .unwrap();
            assert!(passed <= FAIR_BOUND as usize, "{passed} went before");
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn closing_wakes_all_who_wait() {
    let queue = PriorityQueue::<()>::new(1, Order::Strict);
    let long = Duration::from_secs(600);
    thread::scope(|scope| {
        let receivers: Vec<_> = (0..3).map(|_| scope.spawn(|| queue.recv_timeout(long))).collect();
        thread::sleep(Duration::from_millis(20));
        queue.close();
        assert!(receivers.into_iter().all(|receiver| receiver.join().unwrap() == Err(RecvError::Closed)));
    });
    let full = PriorityQueue::new(1, Order::Strict);
    full.try_send((), Priority::Low).unwrap();
    thread::scope(|scope| {
        let senders: Vec<_> =
            (0..3).map(|_| scope.spawn(|| full.send_timeout((), Priority::High, long))).collect();
        thread::sleep(Duration::from_millis(20));
        full.close();
        assert!(senders.into_iter().all(|sender| sender.join().unwrap() == Err(SendError::Closed(()))));
    });
}
