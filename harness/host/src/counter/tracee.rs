//! A thread of another process, stopped and started by ptrace.
//!
//! All calls for one tracee come from the thread that seized it: the kernel refuses others.

use std::mem::offset_of;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use crate::counter::CountError;
use crate::counter::allowed::refused;

/// Why a tracee stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has executed one instruction.
    Step,
    /// This signal is about to be delivered to it.
    Signal(Signal),
    /// Something between tracer and kernel: it was interrupted, or has started a thread.
    Event,
}

/// Takes control of a thread, which runs on. It is killed when this thread ends first.
pub(crate) fn seize(thread: Pid, options: Options) -> Result<(), CountError> {
    ptrace::seize(thread, options | Options::PTRACE_O_EXITKILL).map_err(|error| refused(error, thread))
}

/// Waits for the next stop of one thread, or of any that this thread has seized. With `WNOHANG` in `more` it does
/// not wait.
///
/// The ends of processes are not asked for: whoever started them wants to read them.
pub(crate) fn next_stop(whom: Option<Pid>, more: WaitPidFlag) -> Result<Next, CountError> {
    loop {
        let (id, own) = match whom {
            Some(thread) => (Id::Pid(thread), WaitPidFlag::__WALL),
            None => (Id::All, WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD),
        };
        let status = match waitid(id, WaitPidFlag::WSTOPPED | own | more) {
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(Next::Ended),
            Err(error) => return Err(system("waiting for a traced process", error)),
        };
        return Ok(match status {
            WaitStatus::PtraceEvent(thread, Signal::SIGTRAP, 0) => Next::Stop(thread, Stop::Step),
            WaitStatus::PtraceEvent(thread, signal, 0) => Next::Stop(thread, Stop::Signal(signal)),
            WaitStatus::PtraceEvent(thread, ..) | WaitStatus::Stopped(thread, _) => {
                Next::Stop(thread, Stop::Event)
            }
            _ => Next::Nothing,
        });
    }
}

/// What waiting found.
pub(crate) enum Next {
    /// A thread has stopped.
    Stop(Pid, Stop),
    /// Nothing yet.
    Nothing,
    /// Nothing is left that could stop.
    Ended,
}

/// How a stopped thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// By one instruction.
    Step,
    /// Until something stops it.
    Run,
}

/// Lets a stopped thread go on, with the signal that it was stopped for. A thread that is gone is found by the next
/// wait.
pub(crate) fn resume(thread: Pid, pace: Pace, signal: Option<Signal>) -> Result<(), CountError> {
    let resumed = match pace {
        Pace::Step => ptrace::step(thread, signal),
        Pace::Run => ptrace::cont(thread, signal),
    };
    match resumed {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(system("letting a traced process go on", error)),
    }
}

/// The address of the next instruction of a stopped thread; 0 when it is gone.
pub(crate) fn next_instruction(thread: Pid) -> u64 {
    let register = offset_of!(libc::user, regs.rip) as *mut libc::c_void;
    // The kernel hands registers over as signed words.
    ptrace::read_user(thread, register).map_or(0, libc::c_long::cast_unsigned)
}

pub(crate) fn system(what: &'static str, error: Errno) -> CountError {
    CountError::System { what, reason: error.desc().to_owned() }
}
