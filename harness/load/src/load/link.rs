//! A connection to a server, whatever carries it.

use std::io;
use std::time::Duration;

use rustix::event::Timespec;

use crate::load::Clock;
use crate::load::http::HttpLink;
use crate::load::stdio::StdioLink;
use crate::mcp::{Fault, Protocol};
use crate::process::Piped;

/// The longest message that is read.
pub(crate) const LONGEST_MESSAGE: usize = 16 << 20;
/// How much is read at once: what a pipe holds.
pub(crate) const READ: usize = 64 << 10;

/// A message to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outgoing<'a> {
    /// Its id; `None` for a notification or an answer.
    pub id: Option<u64>,
    /// Its method.
    pub method: &'a str,
    /// The tool that it calls.
    pub name: Option<&'a str>,
    /// Arguments that HTTP repeats in headers.
    pub mirrored: &'a [(String, String)],
    /// Its text.
    pub body: &'a [u8],
}

/// What takes a message in, with the time of its arrival.
pub(crate) type Intake<'a> = dyn FnMut(&[u8], u64) -> Result<(), Fault> + 'a;

/// A connection.
pub(crate) enum Link {
    /// Over stdin and stdout.
    Stdio(StdioLink),
    /// Over HTTP on the loopback device.
    Http(HttpLink),
}

impl Link {
    /// Whether a message could leave at once.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::Stdio(link) => link.has_room(),
            Self::Http(link) => link.has_room(),
        }
    }

    /// Sends a message, as much of it as can leave now; [`Link::wait`] sends the rest.
    pub(crate) fn send(&mut self, protocol: &Protocol, message: Outgoing<'_>) -> Result<(), Fault> {
        match self {
            Self::Stdio(link) => link.send(message.body),
            Self::Http(link) => link.send(protocol, message),
        }
    }

    /// Waits until something can be read, or written where something waits to be, or the time is over.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<(), Fault> {
        match self {
            Self::Stdio(link) => link.wait(timeout),
            Self::Http(link) => link.wait(timeout),
        }
    }

    /// Reads what is there.
    pub(crate) fn receive(&mut self, clock: Clock, each: &mut Intake<'_>) -> Result<(), Fault> {
        match self {
            Self::Stdio(link) => link.receive(clock, each),
            Self::Http(link) => link.receive(clock, each),
        }
    }

    /// Takes a request back as this carrier does it without a message: over HTTP its connection is closed.
    pub(crate) fn abandon(&mut self, id: u64) {
        if let Self::Http(link) = self {
            link.abandon(id);
        }
    }

    /// How many calls it can carry at a time.
    pub(crate) fn widen(&mut self, connections: usize) {
        if let Self::Http(link) = self {
            link.widen(connections);
        }
    }

    /// The server's process.
    pub(crate) fn child(&mut self) -> &mut Piped {
        match self {
            Self::Stdio(link) => &mut link.child,
            Self::Http(link) => &mut link.child,
        }
    }

    /// The session that an HTTP server gave.
    pub(crate) fn session(&self) -> Option<String> {
        match self {
            Self::Stdio(_) => None,
            Self::Http(link) => link.session.clone(),
        }
    }
}

/// A time-out as the system takes it.
pub(crate) fn timespec(timeout: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    }
}

/// How a child ended, as a fault.
pub(crate) fn exited(child: &mut Piped) -> Fault {
    let ended = child.end();
    let how = match (ended.code, ended.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "it closed its stdout and stayed".to_owned(),
    };
    Fault::Exited { how, stderr: ended.stderr }
}

/// Whether a system call only has to be made again, later.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
