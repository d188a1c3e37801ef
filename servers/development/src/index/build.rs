//! Reading and parsing many files, on all cores.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcp_source::walk::{Found, Stamp};
use mcp_source::{Language, Limits, read};
use mcp_workspace::Root;
use parking_lot::Mutex;

use crate::facts::Facts;

/// Larger files are made by programs: a parser needs some ten times their size, on each core.
pub const MOST_BYTES: u64 = 2 << 20;
/// What is read as source.
pub const LIMITS: Limits = Limits { bytes: MOST_BYTES, line: 100_000 };
/// Several ticks of the clock that files are stamped by, which are 10 ms at most.
const TICK: Duration = Duration::from_millis(50);

/// The most threads.
const MOST_THREADS: usize = 8;

/// So few files are read by the caller itself.
const FEW: usize = 4;

/// What one file holds.
pub(super) fn facts(root: &Root, found: &Found) -> Option<Facts> {
    let path = Path::new(&found.path);
    let language = Language::of_path(path)?;
    let stamp = settled(found.stamp);
    Some(match read(root, path, &LIMITS) {
        Ok(text) => {
            let language = Language::of_file(path, &text).unwrap_or(language);
            Facts::of(found.path.clone(), language, stamp, &text)
        }
        Err(reason) => Facts::refused(found.path.clone(), language, stamp, reason),
    })
}

/// A stamp that says that a file did not change. One that was written a moment ago may be written again in the same tick
/// of the clock, so its stamp says nothing, and the file is read once more at the next look.
fn settled(stamp: Stamp) -> Stamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age = now.saturating_sub(Duration::from_nanos(stamp.changed));
    if age < TICK { Stamp { changed: 0, ..stamp } } else { stamp }
}

/// What files hold, in no order. `tell` hears how many are done, and says whether to go on; where it does not, what is
/// done so far is given.
pub(super) fn all(root: &Root, files: &[Found], tell: &(dyn Fn(usize) -> bool + Sync)) -> Vec<Facts> {
    if files.len() <= FEW {
        return files.iter().filter_map(|file| facts(root, file)).collect();
    }
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(files.len()));
    let work = || {
        let mut own = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(place) else { break };
            own.extend(facts(root, file));
            if place.is_multiple_of(64) && !tell(place) {
                break;
            }
        }
        done.lock().append(&mut own);
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    std::thread::scope(|scope| {
        for _ in 1..cores {
            scope.spawn(work);
        }
        work();
    });
    done.into_inner()
}
