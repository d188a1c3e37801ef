//! Executors of asynchronous benchmarks.

use std::future::Future;

/// Runs a future to its end.
pub trait AsyncExecutor {
    /// Runs it on this thread, and returns what it returns.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;
}

mod parking {
    //! One future on one thread, which sleeps until it is woken.

    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Poll, Wake, Waker};
    use std::thread::{self, Thread};

    /// Wakes a thread, once however often it is asked to before the thread looks.
    struct Sleeper {
        thread: Thread,
        woken: AtomicBool,
    }

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        fn wake_by_ref(self: &Arc<Self>) {
            if !self.woken.swap(true, Ordering::Release) {
                self.thread.unpark();
            }
        }
    }

    pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let sleeper = Arc::new(Sleeper { thread: thread::current(), woken: AtomicBool::new(false) });
        let waker = Waker::from(Arc::clone(&sleeper));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            while !sleeper.woken.swap(false, Ordering::Acquire) {
                thread::park();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use std::future::poll_fn;
        use std::sync::Mutex;

        use super::*;

        #[test]
        fn a_future_is_polled_again_when_another_thread_wakes_it() {
            let polls = Mutex::new(0);
            let answer = block_on(poll_fn(|context| {
                let mut polls = polls.lock().unwrap();
                *polls += 1;
                match *polls {
                    1 => {
                        let waker = context.waker().clone();
                        thread::spawn(move || waker.wake());
                    }
                    2 => context.waker().wake_by_ref(),
                    _ => return Poll::Ready(7),
                }
                Poll::Pending
            }));
            assert_eq!((answer, *polls.lock().unwrap()), (7, 3));
        }
    }
}

/// Runs futures that need no runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesExecutor;

impl AsyncExecutor for FuturesExecutor {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        parking::block_on(future)
    }
}

/// Runs futures of async-std, whose own threads serve its timers and sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdExecutor;

impl AsyncExecutor for AsyncStdExecutor {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        parking::block_on(future)
    }
}

/// Runs futures of smol.
#[cfg(feature = "async_smol")]
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolExecutor;

#[cfg(feature = "async_smol")]
impl AsyncExecutor for SmolExecutor {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        smol::block_on(future)
    }
}

#[cfg(feature = "async_tokio")]
mod tokio_executors {
    use std::future::Future;

    use tokio::runtime::{Handle, Runtime};

    use super::AsyncExecutor;

    impl AsyncExecutor for Runtime {
        fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
            Self::block_on(self, future)
        }
    }

    impl AsyncExecutor for &Runtime {
        fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
            Runtime::block_on(self, future)
        }
    }

    impl AsyncExecutor for Handle {
        fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
            Self::block_on(self, future)
        }
    }

    impl AsyncExecutor for &Handle {
        fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
            Handle::block_on(self, future)
        }
    }
}
