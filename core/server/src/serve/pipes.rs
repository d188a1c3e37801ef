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

/// The two streams of this process, and stdout once more past the runtime: a write there need not ask whether it
/// may. `None` where stdout is neither a pipe nor a socket.
pub(crate) fn open() -> (Input, Output, Option<OwnedFd>) {
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let input = match (socket(stdin.as_fd()), reopened(&stdin, false)) {
        (Some(stream), _) => Input::Socket(stream),
        (None, Some(descriptor)) => pipe::Receiver::from_owned_fd(descriptor)
            .map_or_else(|_| Input::Other(tokio::io::stdin()), Input::Pipe),
        (None, None) => Input::Other(tokio::io::stdin()),
    };
    let (output, direct) = match (socket(stdout.as_fd()), reopened(&stdout, true)) {
        (Some(stream), _) => {
            let direct = stream.as_fd().try_clone_to_owned().ok();
            (Output::Socket(stream), direct)
        }
        (None, Some(descriptor)) => {
            let direct = descriptor.try_clone().ok();
            match pipe::Sender::from_owned_fd(descriptor) {
                Ok(sender) => (Output::Pipe(sender), direct),
                Err(_) => (Output::Other(tokio::io::stdout()), None),
            }
        }
        (None, None) => (Output::Other(tokio::io::stdout()), None),
    };
    (input, output, direct)
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

/// A descriptor as a socket of the runtime; `None` when it is something else.
fn socket(descriptor: std::os::fd::BorrowedFd<'_>) -> Option<UnixStream> {
    let own = File::from(descriptor.try_clone_to_owned().ok()?);
    if !own.metadata().ok()?.file_type().is_socket() {
        return None;
    }
    let stream = std::os::unix::net::UnixStream::from(OwnedFd::from(own));
    // The other end belongs to the client and is an open file of its own: its flags do not change.
    stream.set_nonblocking(true).ok()?;
    UnixStream::from_std(stream).ok()
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
