//! The map that is measured, chosen by a feature. All have the store's hash function, so that what differs
//! is the map, and all hold keys and values in the same types.

use std::sync::Arc;

/// What every map holds.
pub type Value = Arc<[u8]>;

#[cfg(feature = "dashmap")]
mod chosen {
    //! `dashmap`: shards of `hashbrown` tables behind locks for readers and writers.

    use dashmap::DashMap;
    use hashbrown::DefaultHashBuilder;

    use crate::map::Value;

    pub const CODE: &[&str] = &["dashmap::"];

    #[derive(Default)]
    pub struct Map(DashMap<Box<str>, Value, DefaultHashBuilder>);

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.get(key).map(|value| Value::clone(&value))
        }

        pub fn set(&self, key: &str, value: Value) {
            self.0.insert(key.into(), value);
        }
    }
}

#[cfg(feature = "moka")]
mod chosen {
    //! `moka`: a cache that is capped by weight, here the bytes of the values, as the store is.

    use hashbrown::DefaultHashBuilder;
    use moka::sync::Cache;

    use crate::map::Value;

    pub const CODE: &[&str] = &["moka::"];

    pub struct Map(Cache<Box<str>, Value, DefaultHashBuilder>);

    impl Default for Map {
        fn default() -> Self {
            let builder = Cache::builder()
                .max_capacity(64 << 20)
                .weigher(|_, value: &Value| u32::try_from(value.len()).unwrap_or(u32::MAX));
            Self(builder.build_with_hasher(DefaultHashBuilder::default()))
        }
    }

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.get(key)
        }

        pub fn set(&self, key: &str, value: Value) {
            self.0.insert(key.into(), value);
        }
    }
}

#[cfg(feature = "parking_lot")]
mod chosen {
    //! One `hashbrown` map behind one `parking_lot` lock for readers and writers.

    use hashbrown::HashMap;
    use parking_lot::RwLock;

    use crate::map::Value;

    pub const CODE: &[&str] = &["hashbrown::", "parking_lot::", "lock_api::"];

    #[derive(Default)]
    pub struct Map(RwLock<HashMap<Box<str>, Value>>);

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.read().get(key).cloned()
        }

        pub fn set(&self, key: &str, value: Value) {
            // The old value is freed after the lock.
            let _old = self.0.write().insert(key.into(), value);
        }
    }
}

#[cfg(feature = "papaya")]
mod chosen {
    //! `papaya`: a table that readers walk without locks.

    use hashbrown::DefaultHashBuilder;
    use papaya::HashMap;

    use crate::map::Value;

    pub const CODE: &[&str] = &["papaya::", "seize::"];

    #[derive(Default)]
    pub struct Map(HashMap<Box<str>, Value, DefaultHashBuilder>);

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.pin().get(key).cloned()
        }

        pub fn set(&self, key: &str, value: Value) {
            self.0.pin().insert(key.into(), value);
        }
    }
}

#[cfg(feature = "scc")]
mod chosen {
    //! `scc`: a table whose buckets have locks of their own.

    use hashbrown::DefaultHashBuilder;
    use scc::HashMap;

    use crate::map::Value;

    pub const CODE: &[&str] = &["scc::", "sdd::", "saa::"];

    #[derive(Default)]
    pub struct Map(HashMap<Box<str>, Value, DefaultHashBuilder>);

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.read_sync(key, |_, value| Value::clone(value))
        }

        pub fn set(&self, key: &str, value: Value) {
            self.0.upsert_sync(key.into(), value);
        }
    }
}

#[cfg(not(any(
    feature = "dashmap",
    feature = "moka",
    feature = "parking_lot",
    feature = "papaya",
    feature = "scc"
)))]
mod chosen {
    //! The store itself, with its cap on bytes, versions, recency and statistics.

    use mcp_store::StateStore;

    use crate::map::Value;

    pub const CODE: &[&str] = &["mcp_store::state_store"];

    pub struct Map(StateStore);

    impl Default for Map {
        fn default() -> Self {
            Self(StateStore::new(64 << 20))
        }
    }

    impl Map {
        pub fn get(&self, key: &str) -> Option<Value> {
            self.0.get(key).map(|seen| seen.value)
        }

        pub fn set(&self, key: &str, value: Value) {
            self.0.set(key, value, None).expect("every value of the input is smaller than the capacity");
        }
    }
}

pub use chosen::{CODE, Map};
