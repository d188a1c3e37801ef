//! The store against a plain model that is obviously right, and edge cases by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;

use super::*;

/// A clock that tests set, in nanoseconds.
fn stopped() -> (Arc<AtomicU64>, impl Fn() -> Duration + Send + Sync + 'static) {
    let now = Arc::new(AtomicU64::new(0));
    let clock = Arc::clone(&now);
    (now, move || Duration::from_nanos(clock.load(Ordering::Relaxed)))
}

fn key(number: u8) -> String {
    // Keys of several lengths, because these count too.
    "k".repeat(usize::from(number % 3) + 1) + &number.to_string()
}

#[derive(Clone, Debug)]
enum Step {
    Get(u8),
    Contains(u8),
    Set {
        key: u8,
        size: usize,
        ttl: Option<u64>,
    },
    /// Swaps what has the right version (`0`), an old or wrong one (`1`), or nothing (`2`).
    Swap {
        key: u8,
        guess: u8,
        size: usize,
        ttl: Option<u64>,
    },
    Remove(u8),
    Wait(u64),
    Clear,
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || 0_u8..10;
    let size = || prop_oneof![4 => 0_usize..100, 2 => 100_usize..400, 1 => 400_usize..1300];
    let ttl = || prop::option::weighted(0.4, 0_u64..40);
    prop_oneof![
        8 => key().prop_map(Step::Get),
        1 => key().prop_map(Step::Contains),
        8 => (key(), size(), ttl()).prop_map(|(key, size, ttl)| Step::Set { key, size, ttl }),
        5 => (key(), 0_u8..3, size(), ttl())
            .prop_map(|(key, guess, size, ttl)| Step::Swap { key, guess, size, ttl }),
        2 => key().prop_map(Step::Remove),
        4 => (0_u64..20).prop_map(Step::Wait),
        1 => Just(Step::Clear),
        3 => Just(Step::Look),
    ]
}

struct Known {
    value: Arc<[u8]>,
    version: u64,
    expires: Option<u64>,
    /// The write it was last used after, its shard, and the order of first uses after that write.
    used: (u64, usize, u64),
}

/// The documented policy, with every expired entry removed before anything else happens.
struct Model {
    entries: HashMap<String, Known>,
    capacity: usize,
    now: u64,
    last_write: u64,
    uses: u64,
    statistics: StoreStatistics,
}

impl Model {
    fn new(capacity: usize) -> Self {
        let statistics = StoreStatistics { capacity_bytes: capacity as u64, ..StoreStatistics::default() };
        Self { entries: HashMap::new(), capacity, now: 0, last_write: 0, uses: 0, statistics }
    }

    fn wait(&mut self, nanos: u64) {
        self.now += nanos;
        self.expire();
    }

    fn expire(&mut self) {
        let before = self.entries.len();
        self.entries.retain(|_, known| known.expires.is_none_or(|expires| expires > self.now));
        self.statistics.expirations += (before - self.entries.len()) as u64;
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|(key, known)| key.len() + known.value.len() + ENTRY_OVERHEAD).sum()
    }

    fn get(&mut self, key: &str) -> Option<Versioned> {
        let Some(known) = self.entries.get_mut(key) else {
            self.statistics.misses += 1;
            return None;
        };
        self.statistics.hits += 1;
        if known.used.0 != self.last_write {
            self.uses += 1;
            known.used = (self.last_write, known.used.1, self.uses);
        }
        Some(Versioned { value: Arc::clone(&known.value), version: known.version })
    }

    /// Makes room and sets; `version` is the one that the store gave.
    fn set(&mut self, key: &str, value: Arc<[u8]>, ttl: Option<u64>, shard: usize, version: u64) {
        self.entries.remove(key);
        while self.bytes() + key.len() + value.len() + ENTRY_OVERHEAD > self.capacity {
            let victim = self.entries.iter().min_by_key(|(_, known)| known.used).unwrap().0.clone();
            self.entries.remove(&victim);
            self.statistics.evictions += 1;
        }
        self.last_write = version;
        self.uses += 1;
        let expires = ttl.map(|ttl| self.now + ttl);
        let used = (version, shard, self.uses);
        self.entries.insert(key.to_owned(), Known { value, version, expires, used });
        self.expire();
    }

    fn look(&mut self) -> StoreStatistics {
        StoreStatistics { entries: self.entries.len() as u64, bytes: self.bytes() as u64, ..self.statistics }
    }
}

struct Pair {
    store: StateStore,
    model: Model,
    clock: Arc<AtomicU64>,
    written: u8,
}

impl Pair {
    fn new(capacity: usize) -> Self {
        let (clock, read) = stopped();
        Self { store: StateStore::with_clock(capacity, read), model: Model::new(capacity), clock, written: 0 }
    }

    fn value(&mut self, size: usize) -> Arc<[u8]> {
        self.written = self.written.wrapping_add(1);
        vec![self.written; size].into()
    }

    fn write(
        &mut self,
        number: u8,
        size: usize,
        ttl: Option<u64>,
        expected: Option<Option<u64>>,
    ) -> Result<(), TestCaseError> {
        let (key, value) = (key(number), self.value(size));
        let time = ttl.map(Duration::from_nanos);
        let answer = match expected {
            None => self.store.set(&key, Arc::clone(&value), time),
            Some(expected) => self.store.compare_and_swap(&key, expected, Arc::clone(&value), time),
        };
        let cost = key.len() + size + ENTRY_OVERHEAD;
        let found = self.model.entries.get(&key).map(|known| known.version);
        if cost > self.model.capacity {
            prop_assert_eq!(answer, Err(StoreError::TooLarge { bytes: cost, capacity: self.model.capacity }));
        } else if expected.is_some_and(|expected| expected != found) {
            prop_assert_eq!(answer, Err(StoreError::Conflict { expected: expected.flatten(), found }));
        } else {
            let version = answer.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(version > self.model.last_write, "a version is given once");
            let shard = self.store.place(&key).1;
            self.model.set(&key, value, ttl, shard, version);
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Get(number) => {
                prop_assert_eq!(self.store.get(&key(number)), self.model.get(&key(number)));
            }
            Step::Contains(number) => {
                let key = key(number);
                prop_assert_eq!(self.store.contains(&key), self.model.entries.contains_key(&key));
            }
            Step::Set { key, size, ttl } => self.write(key, size, ttl, None)?,
            Step::Swap { key: number, guess, size, ttl } => {
                let found = self.model.entries.get(&key(number)).map(|known| known.version);
                let expected = match guess {
                    0 => found,
                    1 => Some(found.unwrap_or(2).wrapping_sub(1)),
                    _ => None,
                };
                self.write(number, size, ttl, Some(expected))?;
            }
            Step::Remove(number) => {
                let removed = self.model.entries.remove(&key(number)).is_some();
                prop_assert_eq!(self.store.remove(&key(number)), removed);
            }
            Step::Wait(nanos) => {
                self.model.wait(nanos);
                self.clock.store(self.model.now, Ordering::Relaxed);
            }
            Step::Clear => {
                self.store.clear();
                self.model.entries.clear();
            }
            Step::Look => self.look()?,
        }
        prop_assert!(self.store.bytes.0.load(Ordering::Relaxed) <= self.model.capacity);
        Ok(())
    }

    fn look(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.store.statistics(), self.model.look());
        let mut keys = self.store.keys();
        let mut known: Vec<_> = self.model.entries.keys().cloned().collect();
        keys.sort();
        known.sort();
        prop_assert_eq!(keys, known);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..120), capacity in 0_usize..1400) {
        let mut pair = Pair::new(capacity);
        for step in &steps {
            pair.step(step)?;
        }
        pair.look()?;
        for number in 0..10 {
            pair.step(&Step::Get(number))?;
        }
    }
}

#[test]
fn bytes_are_exact_and_the_least_recently_used_goes() {
    let size = |count: usize| count * (1 + 10 + ENTRY_OVERHEAD);
    let store = StateStore::new(size(3));
    for key in ["a", "b", "c"] {
        store.set(key, [0; 10], None).unwrap();
    }
    assert_eq!(store.statistics().bytes, size(3) as u64);
    assert_eq!(store.statistics().evictions, 0, "exactly full is not over");
    assert!(store.get("a").is_some());
    store.set("d", [0; 10], None).unwrap();
    assert!(store.contains("a") && !store.contains("b"));
    store.set("a", [0; 11], None).unwrap();
    assert!(!store.contains("c"), "one byte too many");
    let seen = store.statistics();
    assert_eq!((seen.entries, seen.bytes, seen.evictions), (2, size(2) as u64 + 1, 2));
}

#[test]
fn the_largest_value_fits_and_a_larger_one_evicts_nothing() {
    let store = StateStore::new(10_000);
    for number in 0..50 {
        store.set(&number.to_string(), [0; 10], None).unwrap();
    }
    let before = store.statistics();
    let largest = 10_000 - 3 - ENTRY_OVERHEAD;
    let refused = store.set("big", vec![0; largest + 1], None);
    assert_eq!(refused, Err(StoreError::TooLarge { bytes: 10_001, capacity: 10_000 }));
    assert_eq!(store.statistics(), before);
    store.set("big", vec![0; largest], None).unwrap();
    let after = store.statistics();
    assert_eq!((after.entries, after.bytes, after.evictions), (1, 10_000, 50));
    // What is replaced makes room for what replaces it.
    let version = store.get("big").unwrap().version;
    assert!(store.compare_and_swap("big", Some(version), vec![1; largest], None).is_ok());
    assert_eq!(store.statistics().evictions, 50);
}

#[test]
fn expired_entries_go_before_others_and_are_never_seen() {
    let (clock, read) = stopped();
    let store = StateStore::with_clock(3 * (1 + ENTRY_OVERHEAD), read);
    let second = Some(Duration::from_secs(1));
    store.set("a", [], None).unwrap();
    store.set("b", [], second).unwrap();
    store.set("c", [], second).unwrap();
    clock.store(999_999_999, Ordering::Relaxed);
    assert!(store.get("b").is_some() && store.contains("c"));
    clock.store(1_000_000_000, Ordering::Relaxed);
    assert!(store.get("b").is_none() && !store.contains("c"));
    assert_eq!(store.compare_and_swap("c", None, [], second).map(|_| ()), Ok(()), "expired is absent");
    clock.store(2_000_000_000, Ordering::Relaxed);
    store.set("d", [], None).unwrap();
    store.set("e", [], None).unwrap();
    assert!(store.contains("a"), "the oldest, but not expired");
    let seen = store.statistics();
    assert_eq!((seen.entries, seen.expirations, seen.evictions), (3, 3, 0));
    // A time beyond what the clock counts is not a limit.
    store.set("a", [], Some(Duration::MAX)).unwrap();
    clock.store(u64::MAX - 1, Ordering::Relaxed);
    assert!(store.contains("a"));
}

#[test]
fn versions_differ_after_a_removal() {
    let store = StateStore::new(1000);
    let first = store.set("a", [1], None).unwrap();
    assert!(store.remove("a") && !store.remove("a"));
    let second = store.compare_and_swap("a", None, [2], None).unwrap();
    assert_ne!(first, second);
    let conflict = store.compare_and_swap("a", Some(first), [3], None).unwrap_err();
    assert_eq!(conflict, StoreError::Conflict { expected: Some(first), found: Some(second) });
    assert_eq!(
        conflict.to_string(),
        format!("expected version {first}, found version {second}: read it again")
    );
    let absent = store.compare_and_swap("b", Some(7), [3], None).unwrap_err();
    assert_eq!(absent.to_string(), "expected version 7, found no value: read it again");
}

#[test]
fn places_are_used_again() {
    let store = StateStore::new(4 * (4 + ENTRY_OVERHEAD));
    for round in 0..10_000 {
        store.set(&format!("{round:04}"), [], None).unwrap();
    }
    assert_eq!(store.keys().len(), 4);
    let places: usize = store.shards.iter().map(|shard| shard.0.lock().places()).sum();
    assert!(places <= 8 * store.shards.len(), "{places} places for four entries");
}

#[test]
fn a_shard_that_grows_keeps_the_order_of_use_and_of_expiry() {
    let hasher = DefaultHashBuilder::default();
    let hash = |key: &str| hasher.hash_one(key);
    let mut shard = Shard::default();
    // Keys by their last use, the model: a few are used again, and some go, between insertions.
    let mut order: Vec<String> = Vec::new();
    for number in 0..3000_u64 {
        let key = format!("{number:04}");
        let expires = if number % 3 == 0 { 10_000 - number } else { NEVER };
        shard.insert(hash(&key), Entry::new(&key, Arc::from([]), number, expires), hash);
        order.push(key);
        if number % 5 == 0 {
            let again = order.remove(number as usize * 7 % order.len());
            let slot = shard.find(hash(&again), &again).unwrap();
            shard.touch(slot, number);
            order.push(again);
        }
        if number % 7 == 0 {
            let gone = order.remove(number as usize * 11 % order.len());
            let slot = shard.find(hash(&gone), &gone).unwrap();
            assert_eq!(*shard.remove(slot).key, *gone);
        }
    }
    let mut expiring: Vec<&String> =
        order.iter().filter(|key| key.parse::<u64>().unwrap() % 3 == 0).collect();
    expiring.sort_unstable_by(|one, other| other.cmp(one));
    for key in &expiring {
        let slot = shard.first_expired(10_000).unwrap();
        assert_eq!(*shard.remove(slot).key, ***key);
    }
    assert_eq!(shard.soonest(), NEVER);
    let left: Vec<String> = order.iter().filter(|key| !expiring.contains(key)).cloned().collect();
    let found = std::iter::from_fn(|| shard.oldest().map(|slot| shard.remove(slot).key.into_string()));
    assert_eq!(found.collect::<Vec<_>>(), left);
    assert_eq!(shard.len(), 0);
}

#[test]
fn an_entry_is_a_cache_line() {
    assert_eq!((size_of::<Entry>(), align_of::<Entry>()), (64, 64), "ENTRY_OVERHEAD counts on it");
}
