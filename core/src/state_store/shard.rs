//! One shard: a table, a list by recency, and the order of what expires. Nothing here is concurrent.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::state_store::ENTRY_OVERHEAD;

/// A time that does not come: no entry is used or expires then.
pub const NEVER: u64 = u64::MAX;

/// Where a list ends.
const NONE: u32 = u32::MAX;

/// What an entry of this key and value costs, in bytes.
pub fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_OVERHEAD
}

/// A key with its value: a cache line.
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

/// Entries in slots that keep their number while they live, so that lists can name them.
///
/// What every read writes comes first and in this order, because it then shares one cache line with the lock
/// before it, and the rest stays in the caches of all cores while nobody writes.
#[repr(C)]
pub struct Shard {
    pub hits: u64,
    pub misses: u64,
    index: HashTable<u32>,
    slots: Vec<Option<Entry>>,
    newest: u32,
    oldest: u32,
    free: Vec<u32>,
    expiries: BTreeSet<(u64, u32)>,
    pub evictions: u64,
    pub expirations: u64,
}

impl Default for Shard {
    fn default() -> Self {
        Self {
            hits: 0,
            misses: 0,
            index: HashTable::new(),
            slots: Vec::new(),
            newest: NONE,
            oldest: NONE,
            free: Vec::new(),
            expiries: BTreeSet::new(),
            evictions: 0,
            expirations: 0,
        }
    }
}

impl Shard {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// How many entries it has place for without growing.
    #[cfg(test)]
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.slots.iter().flatten().map(|entry| &*entry.key)
    }

    pub fn find(&self, hash: u64, key: &str) -> Option<u32> {
        self.index.find(hash, |slot| &*self.entry(*slot).key == key).copied()
    }

    pub fn entry(&self, slot: u32) -> &Entry {
        self.slots[slot as usize].as_ref().expect("the index and the lists name living slots only")
    }

    fn entry_mut(&mut self, slot: u32) -> &mut Entry {
        self.slots[slot as usize].as_mut().expect("the index and the lists name living slots only")
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
        let expires = entry.expires;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(entry);
                slot
            }
            None => {
                let slot = u32::try_from(self.slots.len())
                    .ok()
                    .filter(|slot| *slot != NONE)
                    .expect("2^32 entries cost more than 512 GiB in one shard");
                self.slots.push(Some(entry));
                slot
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, slot, |slot| {
            hasher(&slots[*slot as usize].as_ref().expect("the index names living slots only").key)
        });
        self.link_newest(slot);
        if expires != NEVER {
            self.expiries.insert((expires, slot));
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

    /// Removes an entry whose key has this hash.
    pub fn remove(&mut self, hash: u64, slot: u32) -> Entry {
        self.unlink(slot);
        if let Ok(indexed) = self.index.find_entry(hash, |found| *found == slot) {
            indexed.remove();
        }
        let entry = self.slots[slot as usize].take().expect("the index and the lists name living slots only");
        if entry.expires != NEVER {
            self.expiries.remove(&(entry.expires, slot));
        }
        self.free.push(slot);
        entry
    }

    /// Removes everything; the entries and what they cost together.
    pub fn drain(&mut self) -> (Vec<Option<Entry>>, usize) {
        let slots = mem::take(&mut self.slots);
        self.index.clear();
        self.free.clear();
        self.expiries.clear();
        self.newest = NONE;
        self.oldest = NONE;
        let bytes = slots.iter().flatten().map(Entry::cost).sum();
        (slots, bytes)
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
