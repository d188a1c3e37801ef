//! Why a system does not let one process trace another, and how to allow it.

use std::fs;

use nix::errno::Errno;
use nix::unistd::Pid;

use crate::counter::CountError;

/// What Yama allows (`Documentation/admin-guide/LSM/Yama.rst`), where the kernel has it.
const YAMA: &str = "/proc/sys/kernel/yama/ptrace_scope";

/// The error of a refused `PTRACE_SEIZE`. The kernel refuses what has ended with the same number as what is forbidden.
pub(crate) fn refused(error: Errno, thread: Pid) -> CountError {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:")).map_or("", str::trim);
    if state.is_empty() || state.starts_with(['Z', 'X']) {
        return CountError::Ended;
    }
    let scope = fs::read_to_string(YAMA).ok().and_then(|text| text.trim().parse().ok());
    match error {
        Errno::ESRCH => CountError::Ended,
        Errno::EPERM | Errno::EACCES | Errno::ENOSYS => CountError::NotAllowed(sentence(error, scope)),
        other => CountError::System { what: "the process cannot be traced", reason: other.desc().to_owned() },
    }
}

/// Says which of the usual reasons it is. `scope` is Yama's setting.
fn sentence(error: Errno, scope: Option<u32>) -> String {
    let remedy = match scope {
        Some(3) => {
            "kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot; boot with 0 or 1"
                .to_owned()
        }
        Some(2) => "kernel.yama.ptrace_scope is 2, which leaves tracing to administrators; run \
                    `sysctl kernel.yama.ptrace_scope=1`, or the lab with CAP_SYS_PTRACE"
            .to_owned(),
        _ => "a seccomp filter, a security module or another tracer forbids it; in a container allow it \
              (`docker run --cap-add=SYS_PTRACE`, or `--security-opt seccomp=unconfined`), and start the lab \
              under no debugger"
            .to_owned(),
    };
    format!(
        "instructions cannot be counted by single steps, since ptrace is refused ({}): {remedy}",
        error.desc()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_remedy() {
        let scope = |scope| sentence(Errno::EPERM, scope);
        assert!(scope(Some(2)).contains("sysctl kernel.yama.ptrace_scope=1"));
        assert!(scope(Some(3)).contains("until the next boot"));
        for other in [None, Some(0), Some(1)] {
            assert!(scope(other).contains("--cap-add=SYS_PTRACE"), "{other:?}");
        }
        assert!(scope(None).starts_with("instructions cannot be counted by single steps"));
        let (own, nobody) = (Pid::this(), Pid::from_raw(i32::MAX));
        assert_eq!(refused(Errno::ESRCH, own), CountError::Ended);
        assert_eq!(refused(Errno::EPERM, nobody), CountError::Ended);
        assert!(matches!(refused(Errno::EPERM, own), CountError::NotAllowed(_)));
        assert!(matches!(refused(Errno::EIO, own), CountError::System { .. }));
    }
}
