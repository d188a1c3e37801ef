use proptest::prelude::*;

use super::*;

/// The least value of which at least a share `quantile` of `sorted` is no larger.
fn exact(sorted: &[u64], quantile: f64) -> u64 {
    sorted[((quantile * sorted.len() as f64).ceil() as usize).max(1) - 1]
}

/// Equal to [`DIGITS`] digits.
fn close(found: u64, exact: u64) -> bool {
    found.abs_diff(exact) as f64 <= exact as f64 / 1000.0
}

proptest! {
    #[test]
    fn a_summary_agrees_with_sorting(
        mut values in prop::collection::vec(prop_oneof![0..5000_u64, 0..2 * LONGEST], 1..400)
    ) {
        let latencies = LatencyHistogram::new();
        for value in &values {
            latencies.record("call", *value);
        }
        values.iter_mut().for_each(|value| *value = (*value).min(LONGEST));
        values.sort_unstable();
        let seen = latencies.summary("call").unwrap();
        prop_assert_eq!(seen.count, values.len() as u64);
        let found = [seen.min, seen.p50, seen.p90, seen.p99, seen.p999, seen.max];
        for (found, quantile) in found.into_iter().zip([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]) {
            let exact = exact(&values, quantile);
            prop_assert!(close(found, exact), "{found} at {quantile} is not {exact}");
        }
        let mean = values.iter().map(|value| *value as f64).sum::<f64>() / values.len() as f64;
        prop_assert!((seen.mean - mean).abs() <= mean / 1000.0 + 0.5);
    }
}

#[test]
fn methods_are_apart_and_merge() {
    let (one, other) = (LatencyHistogram::new(), LatencyHistogram::new());
    one.record("b", 10);
    one.record("a", 100);
    other.record("b", 30);
    other.record("c", LONGEST * 3);
    one.merge_from(&other);
    assert_eq!(one.methods(), ["a", "b", "c"]);
    let b = one.summary("b").unwrap();
    assert_eq!((b.count, b.min, b.p50, b.max, b.mean), (2, 10, 10, 30, 20.0));
    assert!(close(one.summary("c").unwrap().max, LONGEST));
    one.merge_from(&one);
    assert_eq!(one.summary("b").unwrap().count, 4);
    assert_eq!(other.summary("b").unwrap().count, 1, "the source stays");
    one.reset();
    assert_eq!((one.methods().len(), one.summary("b")), (0, None));
}

#[test]
fn callers_cannot_make_it_grow_without_end() {
    let latencies = LatencyHistogram::new();
    for number in 0..MOST_METHODS + 50 {
        latencies.record(&number.to_string(), 1);
    }
    assert_eq!(latencies.methods().len(), MOST_METHODS + 1);
    assert_eq!(latencies.summary(OTHER_METHODS).unwrap().count, 50);
    latencies.record("0", 1);
    assert_eq!(latencies.summary("0").unwrap().count, 2, "what is known stays known");
}

#[test]
fn threads_lose_no_call() {
    let latencies = LatencyHistogram::new();
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let latencies = &latencies;
            scope.spawn(move || {
                for value in 0..5_000 {
                    latencies.record("shared", value);
                    latencies.record(&thread.to_string(), value);
                }
            });
        }
    });
    assert_eq!(latencies.summary("shared").unwrap().count, 20_000);
    assert!((0..4).all(|thread| latencies.summary(&thread.to_string()).unwrap().count == 5_000));
}
