//! A concurrent map from names to bytes that never holds more bytes than it was given.
//!
//! # Policy
//!
//! - An entry costs the bytes of its key and value plus [`ENTRY_OVERHEAD`]. The cap counts these costs over
//!   the whole store, so a single entry may cost as much as the whole capacity: the largest value for a key
//!   is `capacity - key.len() - ENTRY_OVERHEAD` bytes. A larger one is refused and evicts nothing.
//! - Where room is needed, expired entries go first, then the least recently used one of the whole store,
//!   one after the other, until the new entry fits. Successful reads and all writes are uses;
//!   [`StateStore::contains`], [`StateStore::keys`] and refused writes are not.
//! - Recency is counted in writes (sets and swaps): the uses of an entry between one write to the store and
//!   the next are one use. Of entries that were last used between the same two writes, those of one shard go
//!   in the order of their first use in that time, and shards go one after the other.
//! - An expired entry is never returned. It is counted as an expiration when its room is reclaimed: on the
//!   next access to its key, when room is needed, or when statistics or keys are asked for.
//! - Versions come from one counter of the store, so that a version is never given twice, even for a key
//!   that was removed in between.

mod shard;
#[cfg(test)]
mod tests;

use std::hash::BuildHasher as _;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hashbrown::DefaultHashBuilder;
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;

use crate::state_store::shard::{Entry, NEVER, Shard};

/// What an entry costs besides its key and value, in bytes, as a round figure: a place of 65 in a table that
/// is between 44 and 88 % full, so about 100, 16 of reference counts, and what the allocator adds to two
/// allocations.
pub const ENTRY_OVERHEAD: usize = 128;

/// Locks are taken by shard, and more threads than cores do not run at once: with this many shards for each core
/// they seldom meet.
const SHARDS_PER_CORE: usize = 4;

/// The fewest and the most shards. A process may see fewer cores than it later runs on; and many shards spread few
/// entries over more memory than a core's first cache holds.
const SHARDS: RangeInclusive<usize> = 16..=64;

/// How many shards a store gets: a power of two.
static COUNT: LazyLock<usize> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    (cores * SHARDS_PER_CORE).next_power_of_two().clamp(*SHARDS.start(), *SHARDS.end())
});

/// A concurrent map from names to bytes with a cap on its bytes; see the [module](self) for the policy.
pub struct StateStore {
    /// A power of two.
    shards: Box<[Line<Mutex<Shard>>]>,
    /// By shard, when its least recently used entry was used; [`NEVER`] where it is empty.
    oldest: Box<[AtomicU64]>,
    /// By shard, when the first of its entries expires; [`NEVER`] where none does.
    soonest: Box<[AtomicU64]>,
    /// What all entries cost together.
    bytes: Line<AtomicUsize>,
    /// The number of writes so far: the last version, and the clock of recency.
    writes: Line<AtomicU64>,
    capacity: usize,
    hasher: DefaultHashBuilder,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
}

/// Keeps what several threads write apart: a pair of cache lines, which prefetchers take together.
#[repr(align(128))]
struct Line<T>(T);

/// A value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The bytes that were set.
    pub value: Arc<[u8]>,
    /// The number that the write returned.
    pub version: u64,
}

/// What a store holds and what happened to it. Exact when no other call runs meanwhile; otherwise each
/// shard's share is exact at some moment of the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreStatistics {
    /// How many entries it holds.
    pub entries: u64,
    /// What they cost together, in bytes.
    pub bytes: u64,
    /// The most that they may cost, in bytes.
    pub capacity_bytes: u64,
    /// How many calls of `get` found a value.
    pub hits: u64,
    /// How many calls of `get` found none.
    pub misses: u64,
    /// How many entries had to go for others.
    pub evictions: u64,
    /// How many entries went because their time was up.
    pub expirations: u64,
}

/// Why a write was refused. The store is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The entry alone costs more than the store may hold.
    #[error("the entry costs {bytes} bytes with its key, and the store holds {capacity}: store less")]
    TooLarge {
        /// What the entry would cost.
        bytes: usize,
        /// What the store may hold.
        capacity: usize,
    },
    /// Somebody else wrote or removed the key meanwhile.
    #[error("expected {}, found {}: read it again", version(*expected), version(*found))]
    Conflict {
        /// The version that the caller expected; `None` for an absent key.
        expected: Option<u64>,
        /// The version that is there; `None` for an absent key.
        found: Option<u64>,
    },
}

fn version(version: Option<u64>) -> String {
    version.map_or_else(|| "no value".to_owned(), |version| format!("version {version}"))
}

/// Which versions a write may replace.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    Exactly(Option<u64>),
}

impl StateStore {
    /// An empty store whose entries may cost `capacity_bytes` together.
    #[must_use]
    pub fn new(capacity_bytes: usize) -> Self {
        let start = Instant::now();
        Self::with_clock(capacity_bytes, move || start.elapsed())
    }

    /// The same with a clock of its own, for tests of what expires: the time since any fixed moment, never
    /// running backwards. It is asked only where a time to live is set.
    #[must_use]
    pub fn with_clock(capacity_bytes: usize, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let shards = *COUNT;
        Self {
            shards: (0..shards).map(|_| Line(Mutex::default())).collect(),
            oldest: (0..shards).map(|_| AtomicU64::new(NEVER)).collect(),
            soonest: (0..shards).map(|_| AtomicU64::new(NEVER)).collect(),
            bytes: Line(AtomicUsize::new(0)),
            writes: Line(AtomicU64::new(0)),
            capacity: capacity_bytes,
            hasher: DefaultHashBuilder::default(),
            clock: Box::new(clock),
        }
    }

    /// The value of a key and its version; this is a use of the entry.
    // Inlined where it is called, as a generic map's would be.
    #[inline]
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Versioned> {
        let (hash, place) = self.place(key);
        let mut shard = self.shards[place].0.lock();
        let Some(found) = shard.find_entry(hash, key) else {
            shard.misses += 1;
            return None;
        };
        let entry = found.get();
        if self.is_expired(entry) {
            let slot = found.bucket_index() as u32;
            self.miss(place, shard, slot);
            return None;
        }
        let value = Versioned { value: Arc::clone(&entry.value), version: entry.version };
        let time = self.writes.0.load(Ordering::Relaxed);
        if entry.used != time {
            let slot = found.bucket_index() as u32;
            self.touch(place, &mut shard, slot, time);
        }
        shard.hits += 1;
        Some(value)
    }

    /// An entry that was asked for has expired.
    #[cold]
    fn miss(&self, place: usize, mut shard: MutexGuard<'_, Shard>, slot: u32) {
        shard.misses += 1;
        let expired = self.expire(place, &mut shard, slot);
        drop(shard);
        drop(expired);
    }

    /// Notes a use at `time`.
    fn touch(&self, place: usize, shard: &mut Shard, slot: u32, time: u64) {
        if shard.touch(slot, time) {
            self.publish(place, shard);
        }
    }

    /// Sets the value of a key, whatever was there, and returns its version. With `ttl` it is gone when
    /// that much time has passed; without it stays until it is evicted.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`], and the old value stays.
    pub fn set(
        &self,
        key: &str,
        value: impl Into<Arc<[u8]>>,
        ttl: Option<Duration>,
    ) -> Result<u64, StoreError> {
        self.write(key, value.into(), ttl, Expected::Anything)
    }

    /// Sets the value of a key if its version is `expected` (`None`: if there is none), in one step that no
    /// other write can come between, and returns the new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another version is there, [`StoreError::TooLarge`].
    pub fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<u64>,
        value: impl Into<Arc<[u8]>>,
        ttl: Option<Duration>,
    ) -> Result<u64, StoreError> {
        self.write(key, value.into(), ttl, Expected::Exactly(expected))
    }

    /// Removes a key; whether there was a value.
    pub fn remove(&self, key: &str) -> bool {
        self.pop(key).is_some()
    }

    /// Removes a key and gives its value and version; of several callers one gets them.
    pub fn pop(&self, key: &str) -> Option<Versioned> {
        let (hash, place) = self.place(key);
        let mut shard = self.shards[place].0.lock();
        let slot = shard.find(hash, key)?;
        let expired = self.is_expired(shard.entry(slot));
        let removed =
            if expired { self.expire(place, &mut shard, slot) } else { self.take(place, &mut shard, slot) };
        drop(shard);
        let Entry { value, version, .. } = removed;
        (!expired).then_some(Versioned { value, version })
    }

    /// Whether a key has a value. Neither a use nor a hit or a miss.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        let (hash, place) = self.place(key);
        let shard = self.shards[place].0.lock();
        shard.find(hash, key).is_some_and(|slot| !self.is_expired(shard.entry(slot)))
    }

    /// Removes everything that is there when its shard is reached. Statistics of the past stay.
    pub fn clear(&self) {
        self.purge();
        for place in 0..self.shards.len() {
            let mut shard = self.shards[place].0.lock();
            let (entries, bytes) = shard.drain();
            self.bytes.0.fetch_sub(bytes, Ordering::Relaxed);
            self.publish(place, &shard);
            drop(shard);
            drop(entries);
        }
    }

    /// All keys, in no order. Each was there at some moment of the call.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.purge();
        let mut keys = Vec::new();
        for shard in self.shards.iter() {
            keys.extend(shard.0.lock().keys().map(str::to_owned));
        }
        keys
    }

    /// What the store holds and what happened to it.
    #[must_use]
    pub fn statistics(&self) -> StoreStatistics {
        self.purge();
        let mut sum = StoreStatistics { capacity_bytes: self.capacity as u64, ..StoreStatistics::default() };
        for shard in self.shards.iter() {
            let shard = shard.0.lock();
            sum.entries += shard.len() as u64;
            sum.hits += shard.hits;
            sum.misses += shard.misses;
            sum.evictions += shard.evictions;
            sum.expirations += shard.expirations;
        }
        sum.bytes = self.bytes.0.load(Ordering::Relaxed) as u64;
        sum
    }

    fn write(
        &self,
        key: &str,
        value: Arc<[u8]>,
        ttl: Option<Duration>,
        expected: Expected,
    ) -> Result<u64, StoreError> {
        let cost = shard::cost(key, &value);
        if cost > self.capacity {
            return Err(StoreError::TooLarge { bytes: cost, capacity: self.capacity });
        }
        let expires = ttl.map_or(NEVER, |ttl| nanos((self.clock)().saturating_add(ttl)));
        let (hash, place) = self.place(key);
        loop {
            let mut shard = self.shards[place].0.lock();
            let found = shard.find(hash, key);
            if let Some(slot) = found
                && self.is_expired(shard.entry(slot))
            {
                let expired = self.expire(place, &mut shard, slot);
                drop(shard);
                drop(expired);
                continue;
            }
            check(expected, found.map(|slot| shard.entry(slot).version))?;
            let freed = found.map_or(0, |slot| shard.entry(slot).cost());
            if self.reserve(cost, freed) {
                let version = self.tick();
                let replaced = match found {
                    Some(slot) => Some(shard.replace(slot, value, version, expires)),
                    None => {
                        shard.insert(hash, Entry::new(key, value, version, expires), |key| self.hash(key));
                        None
                    }
                };
                self.publish(place, &shard);
                drop(shard);
                drop(replaced);
                return Ok(version);
            }
            // What is about to be replaced is in use: others go before it.
            if let Some(slot) = found
                && shard.touch(slot, self.tick())
            {
                self.publish(place, &shard);
            }
            drop(shard);
            self.make_room(cost - freed);
        }
    }

    /// Takes the bytes of an entry that replaces one of `freed` bytes, if the store then is not over its
    /// capacity. The shard of the entry is locked, so that its entries are counted as they change.
    fn reserve(&self, cost: usize, freed: usize) -> bool {
        if cost == freed {
            return true;
        }
        if cost < freed {
            self.bytes.0.fetch_sub(freed - cost, Ordering::Relaxed);
            return true;
        }
        let more = cost - freed;
        let fits = |bytes: usize| bytes.checked_add(more).filter(|sum| *sum <= self.capacity);
        self.bytes.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }

    /// Removes expired entries, then least recently used ones, until `more` bytes fit. No lock is held by
    /// the caller, because any shard may have to give.
    fn make_room(&self, more: usize) {
        let is_full = || self.bytes.0.load(Ordering::Relaxed).saturating_add(more) > self.capacity;
        if is_full() {
            self.purge();
        }
        while is_full() {
            let ages = self.oldest.iter().map(|used| used.load(Ordering::Relaxed));
            let Some((place, _)) =
                ages.enumerate().filter(|(_, used)| *used != NEVER).min_by_key(|(_, used)| *used)
            else {
                return;
            };
            let mut shard = self.shards[place].0.lock();
            let Some(slot) = shard.oldest() else {
                continue;
            };
            let evicted = self.take(place, &mut shard, slot);
            shard.evictions += 1;
            drop(shard);
            drop(evicted);
        }
    }

    /// Removes all expired entries.
    fn purge(&self) {
        if self.soonest.iter().all(|expires| expires.load(Ordering::Relaxed) == NEVER) {
            return;
        }
        let now = nanos((self.clock)());
        for place in 0..self.shards.len() {
            if self.soonest[place].load(Ordering::Relaxed) > now {
                continue;
            }
            let mut shard = self.shards[place].0.lock();
            while let Some(slot) = shard.first_expired(now) {
                self.expire(place, &mut shard, slot);
            }
        }
    }

    fn expire(&self, place: usize, shard: &mut Shard, slot: u32) -> Entry {
        shard.expirations += 1;
        self.take(place, shard, slot)
    }

    fn take(&self, place: usize, shard: &mut Shard, slot: u32) -> Entry {
        let entry = shard.remove(slot);
        self.bytes.0.fetch_sub(entry.cost(), Ordering::Relaxed);
        self.publish(place, shard);
        entry
    }

    #[inline]
    fn is_expired(&self, entry: &Entry) -> bool {
        entry.expires != NEVER && entry.expires <= nanos((self.clock)())
    }

    /// Counts a write. Its number is larger than every number before.
    fn tick(&self) -> u64 {
        self.writes.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    #[inline]
    fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    /// A key's hash and the shard that it belongs to, by bits that the shard's own table uses last.
    #[inline]
    fn place(&self, key: &str) -> (u64, usize) {
        let hash = self.hash(key);
        (hash, (hash >> 32) as usize & (self.shards.len() - 1))
    }

    /// Tells the other shards' writers how old the entries of this one are.
    fn publish(&self, place: usize, shard: &Shard) {
        for (published, now) in
            [(&self.oldest[place], shard.oldest_use()), (&self.soonest[place], shard.soonest())]
        {
            if published.load(Ordering::Relaxed) != now {
                published.store(now, Ordering::Relaxed);
            }
        }
    }
}

fn check(expected: Expected, found: Option<u64>) -> Result<(), StoreError> {
    match expected {
        Expected::Exactly(expected) if expected != found => Err(StoreError::Conflict { expected, found }),
        _ => Ok(()),
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}
