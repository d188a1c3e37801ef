//! What a subject asks of the system. The functions are those of the C library that `std` is linked with anyway.
#![expect(unsafe_code, reason = "a crate that wraps these calls would be compiled into all that is measured")]

use std::ffi::{c_int, c_long, c_ulong};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::time::Duration;

#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanos: c_long,
}

unsafe extern "C" {
    fn atexit(call: extern "C" fn()) -> c_int;
    fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int;
    fn dup2(from: c_int, to: c_int) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
}

/// From `linux/time.h`, `linux/prctl.h` and `signal(7)`.
const CLOCK_THREAD_CPUTIME_ID: c_int = 3;
const PR_SET_PDEATHSIG: c_int = 1;
const SIGKILL: c_ulong = 9;
const SIGWINCH: c_int = 28;

/// The CPU time of this thread; zero where the clock cannot be read.
pub(crate) fn thread_cpu() -> Duration {
    let mut now = Timespec { seconds: 0, nanos: 0 };
    // SAFETY: the pointer is to a `timespec` of this thread, which the call fills.
    if unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &raw mut now) } != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(now.seconds).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.nanos).unwrap_or(0))
}

/// Asks the kernel to kill this process with its parent. Where it refuses, end of input still ends the process.
pub(crate) fn die_with_parent() {
    // SAFETY: the option takes one number and touches no memory of this process.
    unsafe { prctl(PR_SET_PDEATHSIG, SIGKILL) };
}

/// Stops this process for whoever traces it, and does nothing where nobody does: the signal is ignored unless a
/// program asks for it, and a tracer sees ignored signals too. No symbol is needed, so that stripped
/// programs are counted as they are.
#[inline(never)]
pub(crate) fn mark() {
    let this = c_int::try_from(std::process::id()).unwrap_or(0);
    // SAFETY: a signal to this process itself, whose default is to do nothing.
    unsafe { kill(this, SIGWINCH) };
}

/// Has `call` made when this process exits, unless a signal or `_exit` ends it.
pub(crate) fn at_exit(call: extern "C" fn()) {
    // SAFETY: the function is static, takes nothing and returns nothing.
    unsafe { atexit(call) };
}

/// How many threads this process has; 1 where the system does not tell.
pub(crate) fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}

const STDIN: RawFd = 0;
const STDOUT: RawFd = 1;
const STDERR: RawFd = 2;

/// What was on stdin and stdout before they were taken away.
pub(crate) struct Streams {
    pub(crate) input: File,
    pub(crate) output: File,
}

impl Streams {
    /// Takes stdin and stdout: whatever else in this process reads finds the end, and what it prints goes to stderr.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn take() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let nothing = OpenOptions::new().read(true).open("/dev/null")?;
        replace(nothing.as_raw_fd(), STDIN)?;
        replace(STDERR, STDOUT)?;
        Ok(Self { input, output })
    }

    /// Puts them back, for the program that takes this one's place.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn give_back(&self) -> io::Result<()> {
        replace(self.input.as_raw_fd(), STDIN)?;
        replace(self.output.as_raw_fd(), STDOUT)
    }
}

fn replace(from: RawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: both are numbers of open files; what `to` was before is one of the three standard streams.
    match unsafe { dup2(from, to) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_thread_moves_with_its_work_alone() {
        let before = thread_cpu();
        assert!(before > Duration::ZERO);
        std::thread::sleep(Duration::from_millis(30));
        let slept = thread_cpu();
        assert!(slept - before < Duration::from_millis(25), "{before:?} {slept:?}");
        let mut sum = 0_u64;
        while thread_cpu() - slept < Duration::from_micros(100) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }

    #[test]
    fn marks_are_ignored_where_nobody_traces() {
        mark();
    }
}
