//! The store under 1, 2 and 4 threads: `cargo bench -p mcp-store --bench store`.

mod threads;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_store::StateStore;

/// How many keys there are.
const KEYS: usize = 4096;

/// The sizes of values, in bytes.
const SIZES: [usize; 2] = [64, 4096];

fn keys() -> Vec<String> {
    (0..KEYS).map(|number| format!("session/{number:08}/state")).collect()
}

/// The key of an operation: another one each time, in an order that no prefetcher knows.
fn index(thread: usize, number: u64) -> usize {
    (number.wrapping_add(thread as u64 * 0x5851).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % KEYS
}

fn filled(keys: &[String], value: &Arc<[u8]>, capacity: usize) -> StateStore {
    let store = StateStore::new(capacity);
    for key in keys {
        store.set(key, Arc::clone(value), None).expect("a value fits");
    }
    store
}

fn store(criterion: &mut Criterion) {
    let keys = keys();
    for size in SIZES {
        let value: Arc<[u8]> = vec![1; size].into();
        let roomy = filled(&keys, &value, 1 << 30);
        threads::bench(criterion, &format!("store/get/{size}"), |thread, number| {
            black_box(roomy.get(&keys[index(thread, number)]));
        });
        threads::bench(criterion, &format!("store/set/{size}"), |thread, number| {
            roomy.set(&keys[index(thread, number)], &*value, None).expect("a value fits");
        });
        // Room for half of the keys: half of the writes evict.
        let tight = filled(&keys, &value, (size + 160) * KEYS / 2);
        threads::bench(criterion, &format!("store/evict/{size}"), |thread, number| {
            tight.set(&keys[index(thread, number)], &*value, None).expect("a value fits");
        });
    }
    let one = filled(&keys[..1], &vec![1; 64].into(), 1 << 20);
    threads::bench(criterion, "store/get/one key", |_, _| {
        black_box(one.get(&keys[0]));
    });
    threads::bench(criterion, "store/compare_and_swap/one key", |_, number| {
        let version = one.get(&keys[0]).map(|seen| seen.version);
        black_box(one.compare_and_swap(&keys[0], version, number.to_le_bytes(), None).is_ok());
    });
}

criterion_group!(benches, store);
criterion_main!(benches);
