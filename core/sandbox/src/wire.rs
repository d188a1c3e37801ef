//! What server and supervisor say to each other over their socket: length-prefixed JSON, raw bytes behind it.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::job::{Limits, Profile};
use crate::outcome::{Captured, Reason};
use crate::protection::Protection;

/// The argument by which a program knows that it is to be the supervisor.
pub(crate) const ARGUMENT: &str = "__sandbox";

/// Asks the supervisor for the output so far.
pub(crate) const SNAPSHOT: u8 = b's';
/// Asks the supervisor to kill the command.
pub(crate) const CANCEL: u8 = b'c';

/// More than any job or answer needs; a longer frame is refused unread.
const LONGEST: u32 = 64 << 20;

/// What the supervisor is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Only tries whether namespaces can be made.
    pub probe: bool,
    pub stages: Vec<Vec<OsString>>,
    pub script: Option<String>,
    pub environment: Vec<(String, String)>,
    pub profile: Profile,
    pub limits: Limits,
    pub protection: Protection,
    /// The roots; the descriptors that come with the message are theirs, in this order, then the working directory's.
    pub roots: Vec<PathBuf>,
    /// The working directory: which root, and the path below it.
    pub cwd: (usize, PathBuf),
    /// Further trees that may be read.
    pub reads: Vec<PathBuf>,
    /// Where the private temporary directory is made if it cannot be a file system of its own.
    pub scratch_base: PathBuf,
}

/// Why the command was not run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Failure {
    Refused { step: String, message: String },
    Program { program: String, message: String },
}

impl Failure {
    /// For `map_err`: the step that the system refused.
    pub(crate) fn at<E: std::fmt::Display>(step: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| Self::Refused { step: step.into(), message: error.to_string() }
    }
}

/// Lengths of the parts of a stream that follow a frame.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Lengths {
    pub head: u32,
    pub tail: u32,
    pub total: u64,
}

/// How a run ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct End {
    /// Wait statuses of the stages as `waitpid(2)` gives them; absent for one that did not end by itself.
    pub statuses: Vec<Option<i32>>,
    pub reason: Reason,
    pub nanos: u64,
    pub leftover: u32,
}

/// What the supervisor says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// The first program was started.
    Started,
    /// Nothing was started; the last word.
    Failed(Failure),
    /// The output so far: four parts follow.
    Snapshot(Lengths, Lengths),
    /// The last word: four parts follow.
    Finished(End, Lengths, Lengths),
    /// The last word of a probe: what went wrong.
    Probed(Option<String>),
}

pub(crate) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= LONGEST);
    let Some(length) = length else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the job is longer than 64 MiB"));
    };
    Ok([length.to_le_bytes().as_slice(), &body].concat())
}

pub(crate) fn read_frame<T: DeserializeOwned>(source: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    source.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame of more than 64 MiB"));
    }
    let mut body = vec![0; length as usize];
    source.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

impl Lengths {
    pub(crate) fn of(captured: &Captured) -> Self {
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX);
        Self { head: length(&captured.head), tail: length(&captured.tail), total: captured.total }
    }

    pub(crate) fn read(self, source: &mut impl Read) -> io::Result<Captured> {
        let mut part = |length: u32| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; length as usize];
            source.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        Ok(Captured { head: part(self.head)?, tail: part(self.tail)?, total: self.total })
    }
}

pub(crate) fn write_captured(sink: &mut impl Write, captured: &Captured) -> io::Result<()> {
    sink.write_all(&captured.head)?;
    sink.write_all(&captured.tail)
}
