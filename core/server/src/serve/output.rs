//! Where lines for the client are collected and written, by several tasks of one thread or more. A line is
//! never torn, whichever task is dropped meanwhile.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::AsyncWrite;
use tokio::sync::Notify;

/// The most bytes that wait for a client that does not read. Beyond them no further request is read.
pub(crate) const MOST_WAITING: usize = 8 * 1024 * 1024;

/// A writer for lines.
pub(crate) struct Output<W> {
    state: Mutex<State<W>>,
    /// Told whenever everything was written, or nothing can be written any more.
    drained: Notify,
}

struct State<W> {
    writer: W,
    /// The same stream, non-blocking, past the runtime: a write there need not ask whether it may.
    direct: Option<OwnedFd>,
    waiting: Vec<u8>,
    /// How many of the waiting bytes were written.
    written: usize,
    /// A task is writing.
    is_draining: bool,
    failure: Option<io::ErrorKind>,
}

impl<W: AsyncWrite + Unpin + Send + 'static> Output<W> {
    pub fn new(writer: W, direct: Option<OwnedFd>) -> Arc<Self> {
        let state =
            State { writer, direct, waiting: Vec::new(), written: 0, is_draining: false, failure: None };
        Arc::new(Self { state: Mutex::new(state), drained: Notify::new() })
    }

    /// Collects one or more lines without writing them.
    pub fn collect(&self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.state.lock().waiting);
    }

    /// Begins to write what was collected: at once as far as the pipe takes it, the rest in a task.
    pub fn flush(self: &Arc<Self>) {
        let mut state = self.state.lock();
        if state.is_draining || state.is_idle() {
            return;
        }
        if state.write_direct() {
            self.drained.notify_waiters();
            return;
        }
        // Nobody is woken by this attempt: where it stops, the task goes on.
        let attempt = state.write(&mut Context::from_waker(Waker::noop()));
        if attempt.is_pending() {
            state.is_draining = true;
            let output = Arc::clone(self);
            tokio::spawn(async move { output.drain().await });
        } else {
            self.drained.notify_waiters();
        }
    }

    async fn drain(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.state.lock();
            let done = state.write(context);
            if done.is_ready() {
                state.is_draining = false;
            }
            done
        })
        .await;
        self.drained.notify_waiters();
    }

    /// How many bytes wait.
    pub fn waiting(&self) -> usize {
        let state = self.state.lock();
        state.waiting.len() - state.written
    }

    /// Whether nobody will read what is written.
    pub fn is_closed(&self) -> bool {
        let state = self.state.lock();
        state.failure.is_some() || state.direct.as_ref().is_some_and(has_hung_up)
    }

    /// Waits until everything was written.
    ///
    /// # Errors
    ///
    /// When the client is gone.
    pub async fn written(self: &Arc<Self>) -> io::Result<()> {
        loop {
            let drained = self.drained.notified();
            {
                let state = self.state.lock();
                if let Some(failure) = state.failure {
                    return Err(failure.into());
                }
                if state.is_idle() {
                    return Ok(());
                }
            }
            self.flush();
            if self.state.lock().is_draining {
                drained.await;
            }
        }
    }
}

/// Whether the other end of a pipe or socket is closed.
fn has_hung_up(stream: &OwnedFd) -> bool {
    let mut polled = [PollFd::new(stream, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

impl<W: AsyncWrite + Unpin> State<W> {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_draining
    }

    /// Writes past the runtime; whether nothing waits any more. All else, failures too, is left to [`Self::write`].
    fn write_direct(&mut self) -> bool {
        let Some(direct) = &self.direct else { return false };
        match rustix::io::write(direct, &self.waiting[self.written..]) {
            Ok(count) if count == self.waiting.len() - self.written => {
                self.written_all();
                true
            }
            Ok(count) => {
                self.written += count;
                false
            }
            Err(_) => false,
        }
    }

    fn written_all(&mut self) {
        self.waiting.clear();
        self.written = 0;
        // A single large answer does not hold its memory for ever.
        self.waiting.shrink_to(64 * 1024);
    }

    /// Writes as much as there is. Ready when nothing waits any more: all is written, or the client is gone.
    fn write(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            match Pin::new(&mut self.writer).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return self.fail(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return self.fail(error.kind()),
                Poll::Pending => return Poll::Pending,
            }
        }
        match Pin::new(&mut self.writer).poll_flush(context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return self.fail(error.kind()),
            Poll::Pending => return Poll::Pending,
        }
        self.written_all();
        Poll::Ready(())
    }

    fn fail(&mut self, failure: io::ErrorKind) -> Poll<()> {
        self.failure = Some(failure);
        self.waiting = Vec::new();
        self.written = 0;
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn lines_are_whole_and_in_order_through_a_narrow_pipe() {
        runtime().block_on(async {
            let (writer, mut reader) = tokio::io::duplex(7);
            let output = Output::new(writer, None);
            let read = tokio::spawn(async move {
                let mut text = String::new();
                reader.read_to_string(&mut text).await.unwrap();
                text
            });
            for number in 0..100 {
                output.collect(|out| out.extend_from_slice(format!("line {number}\n").as_bytes()));
                output.flush();
                if number % 10 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            output.written().await.unwrap();
            assert_eq!(output.waiting(), 0);
            drop(output);
            let expected: String = (0..100).map(|number| format!("line {number}\n")).collect();
            assert_eq!(read.await.unwrap(), expected);
        });
    }

    #[test]
    fn a_client_that_is_gone_is_an_error_and_holds_no_memory() {
        runtime().block_on(async {
            let (writer, reader) = tokio::io::duplex(16);
            drop(reader);
            let output = Output::new(writer, None);
            output.collect(|out| out.extend_from_slice(&[b'x'; 1000]));
            assert_eq!(output.written().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(output.waiting(), 0);
        });
    }
}
