//! Records that were written before stay readable, to the last of their calls.

use std::path::Path;

use perflab_load::latency::{QUANTILES, Times, read_hlog};
use perflab_load::load_test::Record;

#[test]
fn the_records_that_this_project_shows_are_read_with_their_histogram_logs() {
    for (name, series, logs) in [("2026-11-27T1845-vm", 43, 43), ("2026-11-27T1849-vm", 21, 21)] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results").join(name);
        assert!(Record::is_in(&directory), "{name}");
        let record = Record::read(&directory).unwrap();
        assert_eq!((record.file.series.len(), record.logs.len()), (series, logs), "{name}");
        for (series, (log, text)) in record.file.series.iter().zip(&record.logs) {
            assert_eq!(series.hlog, std::slice::from_ref(log));
            let mut all = Times::default();
            for (launch, found) in series.launches.iter().zip(read_hlog(text).unwrap()) {
                assert!((found.length.as_secs_f64() - launch.seconds).abs() < 0.002, "{log}");
                let quantiles: Vec<u64> = QUANTILES.iter().filter_map(|&q| found.times.quantile(q)).collect();
                assert_eq!(quantiles, launch.quantiles_ns, "{log}");
                all.merge(&found.times);
            }
            let (all, kept) = (all.distribution(), &series.response);
            assert_eq!((all.count, all.max_ns), (kept.count, kept.max_ns), "{log}");
            assert_eq!(all.percentiles, kept.percentiles, "{log}");
        }
    }
}
