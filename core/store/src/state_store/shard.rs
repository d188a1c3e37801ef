//! One shard: a table, a list by recency, and the order of what expires. Nothing here is concurrent.
//!
//! Entries lie in the table itself, so that a read meets the entry where its hash points, without an index in
//! between. Lists name entries by their place in the table. A table moves its entries only when it is out of
//! room, and [`Shard::grow`] does that before the table would, so that the lists move along.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

use crate::state_store::ENTRY_OVERHEAD;

/// A time that does not come: no entry is used or expires then.
pub const NEVER: u64 = u64::MAX;

/// Where a list ends.
const NONE: u32 = u32::MAX;

/// What an entry of this key and value costs, in bytes.
pub fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_OVERHEAD
}

/// A key with its value: a cache line, and never parts of two.
#[repr(align(64))]
pub struct Entry {
    pub key: Box<str>,
    pub value: Arc<[u8]>,
    pub version: u64,
    /// The number of writes to the store when it was last used.
    pub used: u64,
    /// When it expires, in nanoseconds of the store's clock; [`NEVER`] where it does not.
    pub expires: u64,
    newer: u32,
    older: u32,
}

impl Entry {
    pub fn new(key: &str, value: Arc<[u8]>, version: u64, expires: u64) -> Self {
        Self { key: key.into(), value, version, used: version, expires, newer: NONE, older: NONE }
    }

    pub fn cost(&self) -> usize {
        cost(&self.key, &self.value)
    }
}

/// Entries in places of a table that they keep while nothing is added, so that lists can name them.
///
/// What every read writes comes first and in this order, because it then shares one cache line with the lock
/// before it, and the rest stays in the caches of all cores while nobody writes.
#[repr(C)]
pub struct Shard {
    pub hits: u64,
    pub misses: u64,
    table: HashTable<Entry>,
    newest: u32,
    oldest: u32,
    expiries: BTreeSet<(u64, u32)>,
    pub evictions: u64,
    pub expirations: u64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            hits: 0,
            misses: 0,
            table: HashTable::new(),
            newest: NONE,
            oldest: NONE,
            expiries: BTreeSet::new(),
            evictions: 0,
            expirations: 0,
        }
    }
}

impl Shard {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// How many places its table has.
    #[cfg(test)]
    pub fn places(&self) -> usize {
        self.table.num_buckets()
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.iter().map(|entry| &*entry.key)
    }

    /// The place of a key's entry.
    pub fn find(&self, hash: u64, key: &str) -> Option<u32> {
        // `insert` lets no place beyond `u32` come into being.
        self.table.find_bucket_index(hash, |entry| &*entry.key == key).map(|place| place as u32)
    }

    /// A key's entry. What only looks at it is spared the way over its place.
    #[inline]
    pub fn find_entry(&mut self, hash: u64, key: &str) -> Option<OccupiedEntry<'_, Entry>> {
        self.table.find_entry(hash, |entry| &*entry.key == key).ok()
    }

    pub fn entry(&self, slot: u32) -> &Entry {
        self.table.get_bucket(slot as usize).expect("the lists name living entries only")
    }

    fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        self.table.get_bucket_mut(slot as usize).expect("the lists name living entries only")
    }

    /// The least recently used entry.
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// When the least recently used entry was used; [`NEVER`] when there is none.
    pub fn oldest_use(&self) -> u64 {
        self.oldest().map_or(NEVER, |slot| self.entry(slot).used)
    }

    /// When the first entry expires; [`NEVER`] when none does.
    pub fn soonest(&self) -> u64 {
        self.expiries.first().map_or(NEVER, |(expires, _)| *expires)
    }

    /// An entry that has expired by `now`.
    pub fn first_expired(&self, now: u64) -> Option<u32> {
        self.expiries.first().filter(|(expires, _)| *expires <= now).map(|(_, slot)| *slot)
    }

    /// Notes a use at `time`, which is no earlier than any use before; whether the least recently used
    /// entry is another one or was used at another time since.
    pub fn touch(&mut self, slot: u32, time: u64) -> bool {
        if self.entry(slot).used == time {
            return false;
        }
        let was_oldest = self.oldest == slot;
        self.entry_mut(slot).used = time;
        if self.newest != slot {
            self.unlink(slot);
            self.link_newest(slot);
        }
        was_oldest
    }

    /// Adds an entry whose key is absent.
    pub fn insert(&mut self, hash: u64, entry: Entry, hasher: impl Fn(&str) -> u64) {
        if self.table.len() == self.table.capacity() {
            self.grow(&hasher);
        }
        let expires = entry.expires;
        let slot = self.add(hash, entry);
        if expires != NEVER {
            self.expiries.insert((expires, slot));
        }
    }

    /// Adds an entry as the most recently used one; there is room for it.
    fn add(&mut self, hash: u64, entry: Entry) -> u32 {
        let added = self.table.insert_unique(hash, entry, |_| unreachable!("there is room"));
        let slot = u32::try_from(added.bucket_index())
            .ok()
            .filter(|slot| *slot != NONE)
            .expect("2^32 entries cost more than 512 GiB in one shard");
        self.link_newest(slot);
        slot
    }

    /// Moves all entries to a table with room for more, from the least to the most recently used one. The new
    /// table is twice as large, or as large where the old one was short of room for its removed entries alone.
    #[cold]
    fn grow(&mut self, hasher: &impl Fn(&str) -> u64) {
        // hashbrown fills seven places of eight.
        let room = self.table.num_buckets() / 8 * 7;
        let room = if self.len() > room / 2 { room + 1 } else { room };
        let grown = HashTable::with_capacity(room.max(self.len() + 1));
        let mut old = mem::replace(&mut self.table, grown);
        self.expiries.clear();
        let mut next = mem::replace(&mut self.oldest, NONE);
        self.newest = NONE;
        while let Ok(found) = old.get_bucket_entry(next as usize) {
            let (entry, _) = found.remove();
            let expires = entry.expires;
            next = entry.newer;
            let slot = self.add(hasher(&entry.key), entry);
            if expires != NEVER {
                self.expiries.insert((expires, slot));
            }
        }
    }

    /// Gives an entry another value, as a use; returns the old value.
    pub fn replace(&mut self, slot: u32, value: Arc<[u8]>, version: u64, expires: u64) -> Arc<[u8]> {
        self.touch(slot, version);
        let entry = self.entry_mut(slot);
        let before = mem::replace(&mut entry.expires, expires);
        entry.version = version;
        let old = mem::replace(&mut entry.value, value);
        if before != expires {
            self.expiries.remove(&(before, slot));
            if expires != NEVER {
                self.expiries.insert((expires, slot));
            }
        }
        old
    }

    pub fn remove(&mut self, slot: u32) -> Entry {
        self.unlink(slot);
        let found = self.table.get_bucket_entry(slot as usize).ok();
        let (entry, _) = found.expect("the lists name living entries only").remove();
        if entry.expires != NEVER {
            self.expiries.remove(&(entry.expires, slot));
        }
        entry
    }

    /// Removes everything; the entries and what they cost together.
    pub fn drain(&mut self) -> (HashTable<Entry>, usize) {
        let entries = mem::take(&mut self.table);
        self.expiries.clear();
        self.newest = NONE;
        self.oldest = NONE;
        let bytes = entries.iter().map(Entry::cost).sum();
        (entries, bytes)
    }

    fn link_newest(&mut self, slot: u32) {
        let before = mem::replace(&mut self.newest, slot);
        let entry = self.entry_mut(slot);
        entry.newer = NONE;
        entry.older = before;
        match before {
            NONE => self.oldest = slot,
            before => self.entry_mut(before).newer = slot,
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Entry { newer, older, .. } = *self.entry(slot);
        match newer {
            NONE => self.newest = older,
            newer => self.entry_mut(newer).older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entry_mut(older).newer = newer,
        }
    }
}
