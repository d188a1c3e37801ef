//! Threads that stay, and do their share of a call on a signal.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{self, JoinHandle};

use rustix::thread::{CpuSet, sched_setaffinity};

/// Threads that do the same work at the same time. Dropping it ends them.
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    start: Barrier,
    end: Barrier,
    sum: AtomicU64,
    is_over: AtomicBool,
}

impl Pool {
    /// `count` threads; the work of each is `work(its number)`.
    pub fn new(count: usize, work: impl Fn(usize) -> u64 + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            start: Barrier::new(count + 1),
            end: Barrier::new(count + 1),
            sum: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let work = Arc::new(work);
        let threads = (0..count)
            .map(|number| {
                let (shared, work) = (Arc::clone(&shared), Arc::clone(&work));
                thread::spawn(move || {
                    spread();
                    serve(&shared, || work(number));
                })
            })
            .collect();
        Self { shared, threads }
    }

    /// Lets every thread do its work once; the wrapping sum of their answers.
    pub fn call(&self) -> u64 {
        self.shared.sum.store(0, Ordering::Relaxed);
        self.shared.start.wait();
        self.shared.end.wait();
        self.shared.sum.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.start.wait();
        for thread in self.threads.drain(..) {
            // One that panicked has said so, and its answer was wrong.
            thread.join().ok();
        }
    }
}

fn serve(shared: &Shared, work: impl Fn() -> u64) {
    loop {
        shared.start.wait();
        if shared.is_over.load(Ordering::Relaxed) {
            return;
        }
        shared.sum.fetch_add(work(), Ordering::Relaxed);
        shared.end.wait();
    }
}

/// Lets this thread run on every processor: the lab pins the process to one, on which threads would never
/// meet. Where the system refuses, they take turns there.
fn spread() {
    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|cpu| all.set(cpu));
    sched_setaffinity(None, &all).ok();
}
