//! stdin and stdout without a thread between them and the runtime.
//!
//! Pipes are opened once more through `/proc/self/fd`, so that they are non-blocking here and stay as they are for
//! whoever inherits them. Clients on Node.js give their children sockets instead. Everything else (files,
//! terminals) goes through threads of the runtime.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, Stdin, Stdout};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

/// stdin.
pub(crate) enum Input {
    Pipe(pipe::Receiver),
    Socket(UnixStream),
    Other(Stdin),
}

/// stdout.
pub(crate) enum Output {
    Pipe(pipe::Sender),
    Socket(UnixStream),
    Other(Stdout),
}

/// The ways around the runtime, for when it has nothing to do: a read that waits in the thread itself, and writes
/// that do not ask whether they may.
pub(crate) struct Direct {
    pub input: Option<Waiting>,
    pub output: Option<OwnedFd>,
}

/// stdin, to wait for in this thread.
pub(crate) struct Waiting {
    descriptor: OwnedFd,
    is_blocking: bool,
}

/// The two streams of this process.
pub(crate) fn open() -> (Input, Output, Direct) {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let (input, waiting) = match (socket(stdin.as_fd()), reopened(&stdin, false)) {
        (Some((stream, descriptor)), _) => {
            (Input::Socket(stream), Some(Waiting { descriptor, is_blocking: false }))
        }
        (None, Some(descriptor)) => {
            let own = stdin.as_fd().try_clone_to_owned().ok();
            let waiting = own.map(|descriptor| Waiting { descriptor, is_blocking: true });
            match pipe::Receiver::from_owned_fd(descriptor) {
                Ok(receiver) => (Input::Pipe(receiver), waiting),
                Err(_) => (Input::Other(tokio::io::stdin()), None),
            }
        }
        (None, None) => (Input::Other(tokio::io::stdin()), None),
    };
    let (output, direct) = match (socket(stdout.as_fd()), reopened(&stdout, true)) {
        (Some((stream, descriptor)), _) => (Output::Socket(stream), Some(descriptor)),
        (None, Some(descriptor)) => {
            let direct = descriptor.try_clone().ok();
            match pipe::Sender::from_owned_fd(descriptor) {
                Ok(sender) => (Output::Pipe(sender), direct),
                Err(_) => (Output::Other(tokio::io::stdout()), None),
            }
        }
        (None, None) => (Output::Other(tokio::io::stdout()), None),
    };
    (input, output, Direct { input: waiting, output: direct })
}

/// A pipe on an open file of its own, non-blocking; `None` when it is something else.
fn reopened(stream: &(impl AsFd + AsRawFd), is_output: bool) -> Option<OwnedFd> {
    let kind = File::from(stream.as_fd().try_clone_to_owned().ok()?).metadata().ok()?.file_type();
    if !kind.is_fifo() {
        return None;
    }
    let mut options = OpenOptions::new();
    options.read(!is_output).write(is_output).custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    options.open(format!("/proc/self/fd/{}", stream.as_raw_fd())).ok().map(OwnedFd::from)
}

/// A descriptor as a socket of the runtime, and once more as itself; `None` when it is something else.
fn socket(descriptor: std::os::fd::BorrowedFd<'_>) -> Option<(UnixStream, OwnedFd)> {
    let own = File::from(descriptor.try_clone_to_owned().ok()?);
    if !own.metadata().ok()?.file_type().is_socket() {
        return None;
    }
    let stream = std::os::unix::net::UnixStream::from(OwnedFd::from(own));
    // The other end belongs to the client and is an open file of its own: its flags do not change.
    stream.set_nonblocking(true).ok()?;
    let direct = OwnedFd::from(stream.try_clone().ok()?);
    Some((UnixStream::from_std(stream).ok()?, direct))
}

impl Waiting {
    /// Appends what comes next, and waits for it in this thread.
    pub fn read(&self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut must_wait = !self.is_blocking;
        loop {
            if must_wait {
                match poll(&mut [PollFd::new(&self.descriptor, PollFlags::IN)], None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            match rustix::io::read(&self.descriptor, spare_capacity(buffer)) {
                Err(Errno::INTR) => {}
                // Whoever started this process made stdin non-blocking.
                Err(Errno::AGAIN) => must_wait = true,
                read => return Ok(read?),
            }
        }
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(reader) => Pin::new(reader).poll_read(context, buffer),
            Self::Socket(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Other(reader) => Pin::new(reader).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Pipe(writer) => Pin::new(writer).poll_write(context, bytes),
            Self::Socket(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Other(writer) => Pin::new(writer).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(writer) => Pin::new(writer).poll_flush(context),
            Self::Socket(stream) => Pin::new(stream).poll_flush(context),
            Self::Other(writer) => Pin::new(writer).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(writer) => Pin::new(writer).poll_shutdown(context),
            Self::Socket(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Other(writer) => Pin::new(writer).poll_shutdown(context),
        }
    }
}
