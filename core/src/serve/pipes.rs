//! stdin and stdout without a thread between them and the runtime.
//!
//! The protocol library does this for pipes. Clients on Node.js give their children sockets instead, which
//! are taken here; everything else (files, terminals) goes through the library's threads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::transport::{StdioReader, StdioWriter, stdio_pipes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// stdin.
pub(crate) enum Input {
    Library(StdioReader),
    Socket(UnixStream),
}

/// stdout.
pub(crate) enum Output {
    Library(StdioWriter),
    Socket(UnixStream),
}

/// The two streams of this process.
pub(crate) fn open() -> (Input, Output) {
    let (reader, writer) = stdio_pipes();
    let input = socket(io::stdin().as_fd()).map_or(Input::Library(reader), Input::Socket);
    let output = socket(io::stdout().as_fd()).map_or(Output::Library(writer), Output::Socket);
    (input, output)
}

/// A descriptor as a socket of the runtime; `None` when it is something else.
fn socket(descriptor: BorrowedFd<'_>) -> Option<UnixStream> {
    let own = std::fs::File::from(descriptor.try_clone_to_owned().ok()?);
    if !own.metadata().ok()?.file_type().is_socket() {
        return None;
    }
    let stream = std::os::unix::net::UnixStream::from(std::os::fd::OwnedFd::from(own));
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
            Self::Library(reader) => Pin::new(reader).poll_read(context, buffer),
            Self::Socket(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Library(writer) => Pin::new(writer).poll_write(context, bytes),
            Self::Socket(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Library(writer) => Pin::new(writer).poll_flush(context),
            Self::Socket(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Library(writer) => Pin::new(writer).poll_shutdown(context),
            Self::Socket(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
