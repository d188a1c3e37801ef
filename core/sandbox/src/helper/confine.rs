//! What a process does to itself before it becomes the command: limits, capabilities, Landlock, seccomp.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, clear_ambient_capability_set, set_capabilities};

use crate::helper::filter::filters;
use crate::protection::{ProcessLimit, Protection};
use crate::sys::empty_bounding_set;
use crate::view::{DEVICES, ETC, SYSTEM};
use crate::wire::{Failure, Spec};

/// Limits of each process; `processes_before` is how many the user had before (0 in a user namespace of its own,
/// which counts anew).
pub(crate) fn limit(spec: &Spec, processes_before: u64) -> Result<(), Failure> {
    let limits = &spec.limits;
    // One second between the signal that a program may handle and the one that it may not.
    set(Resource::Cpu, "processor time", limits.cpu_seconds, limits.cpu_seconds.saturating_add(1))?;
    set(Resource::As, "address space", limits.address_space, limits.address_space)?;
    set(Resource::Fsize, "file size", limits.file_size, limits.file_size)?;
    set(Resource::Core, "core dumps", 0, 0)?;
    set(Resource::Memlock, "locked memory", 64 << 10, 64 << 10)?;
    set(Resource::Msgqueue, "message queues", 0, 0)?;
    if spec.protection.process_limit == ProcessLimit::Resource {
        let processes = limits.processes.saturating_add(processes_before);
        set(Resource::Nproc, "processes", processes, processes)?;
    }
    Ok(())
}

/// Limits open files: after Landlock, which needs descriptors to be set up.
pub(crate) fn limit_open_files(spec: &Spec) -> Result<(), Failure> {
    set(Resource::Nofile, "open files", spec.limits.open_files, spec.limits.open_files)
}

/// Lowers a limit; one that is lower already stays.
fn set(resource: Resource, name: &str, soft: u64, hard: u64) -> Result<(), Failure> {
    let hard = rustix::process::getrlimit(resource).maximum.map_or(hard, |present| present.min(hard));
    let limit = Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) };
    setrlimit(resource, limit).map_err(Failure::at(format!("limit of {name}")))
}

/// Gives up every privilege that this process has or could gain by an `exec`.
pub(crate) fn drop_privileges() -> Result<(), Failure> {
    match empty_bounding_set() {
        // Without the capability to change the set there is none that could be gained from it once
        // no_new_privs is on.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) && !rustix::process::geteuid().is_root() => {}
        other => other.map_err(Failure::at("capabilities, bounding set"))?,
    }
    clear_ambient_capability_set().map_err(Failure::at("capabilities, ambient set"))?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(Failure::at("capabilities"))?;
    rustix::thread::set_no_new_privs(true).map_err(Failure::at("no_new_privs"))
}

/// One rule: what may be done at and below a path.
struct Rules {
    ruleset: RulesetCreated,
    files: BitFlags<AccessFs>,
}

fn reading() -> BitFlags<AccessFs> {
    AccessFs::Execute | AccessFs::ReadFile | AccessFs::ReadDir
}

/// Everything but device files and their control calls, and sockets of daemons unless they are asked for.
fn writing(abi: ABI, protection: &Protection) -> BitFlags<AccessFs> {
    let mut rights = AccessFs::from_all(abi);
    rights.remove(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    if !protection.unix_sockets {
        rights.remove(AccessFs::ResolveUnix | AccessFs::MakeSock);
    }
    rights
}

impl Rules {
    fn allow(
        mut self,
        place: BorrowedFd<'_>,
        rights: BitFlags<AccessFs>,
        step: &str,
    ) -> Result<Self, Failure> {
        let status = rustix::fs::fstat(place).map_err(Failure::at(step))?;
        let rights = match FileType::from_raw_mode(status.st_mode) {
            FileType::Directory => rights,
            _ => rights & AccessFs::from_file(ABI::V9),
        };
        self.ruleset =
            self.ruleset.add_rule(PathBeneath::new(place, rights & self.files)).map_err(Failure::at(step))?;
        Ok(self)
    }

    fn allow_path(self, path: &Path, rights: BitFlags<AccessFs>) -> Result<Self, Failure> {
        let step = format!("Landlock, {}", path.display());
        match rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(place) => self.allow(place.as_fd(), rights, &step),
            // What is not there needs no rule, and what cannot be reached cannot be read either.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::ACCESS | rustix::io::Errno::NOTDIR) => Ok(self),
            Err(error) => Err(Failure::at(step)(error)),
        }
    }
}

fn ruleset(protection: &Protection, spec: &Spec) -> Result<Rules, Failure> {
    let number = i32::try_from(protection.landlock_abi).unwrap_or(i32::MAX);
    let abi = ABI::from(number);
    let files = AccessFs::from_all(abi);
    let refused = || Failure::at("Landlock");
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(files)
        .map_err(refused())?;
    if protection.landlock_abi >= 4 {
        // With network any port may be connected to; none is bound.
        let mut ports: BitFlags<AccessNet> = AccessNet::BindTcp.into();
        if !spec.profile.network() {
            ports |= AccessNet::ConnectTcp;
        }
        ruleset = ruleset.handle_access(ports).map_err(refused())?;
    }
    if protection.landlock_abi >= 6 {
        ruleset = ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal).map_err(refused())?;
    }
    let ruleset = ruleset.create().map_err(refused())?;
    Ok(Rules { ruleset, files })
}

/// Sets up Landlock: `roots` are the opened roots, `scratch` the private temporary directories.
pub(crate) fn landlock(spec: &Spec, roots: &[OwnedFd], scratch: &[PathBuf]) -> Result<(), Failure> {
    let protection = &spec.protection;
    if protection.landlock_abi == 0 {
        return Ok(());
    }
    let abi = ABI::from(i32::try_from(protection.landlock_abi).unwrap_or(i32::MAX));
    let mut rules = ruleset(protection, spec)?;
    for path in SYSTEM {
        rules = rules.allow_path(Path::new(path), reading())?;
    }
    for name in ETC {
        rules = rules.allow_path(&Path::new("/etc").join(name), reading())?;
    }
    // Not below /proc: what a process may read of another one is decided by Landlock's check of `ptrace`.
    rules = rules.allow_path(Path::new("/proc"), AccessFs::ReadFile | AccessFs::ReadDir)?;
    for device in DEVICES {
        rules = rules.allow_path(Path::new(device), AccessFs::ReadFile | AccessFs::WriteFile)?;
    }
    for path in &spec.reads {
        rules = rules.allow_path(path, reading())?;
    }
    for path in scratch {
        rules = rules.allow_path(path, writing(abi, protection))?;
    }
    let rights = if spec.profile.writes() { writing(abi, protection) } else { reading() };
    for (path, root) in spec.roots.iter().zip(roots) {
        rules = rules.allow(root.as_fd(), rights, &format!("Landlock, {}", path.display()))?;
    }
    let status = rules.ruleset.restrict_self().map_err(Failure::at("Landlock"))?;
    if status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs {
        return Ok(());
    }
    Err(Failure::Refused {
        step: "Landlock".to_owned(),
        message: format!("in force only in part: {status:?}"),
    })
}

/// Puts up the filters of system calls; nothing may follow but `exec`.
pub(crate) fn seccomp(spec: &Spec) -> Result<(), Failure> {
    if !spec.protection.seccomp {
        return Ok(());
    }
    let programs = filters(&spec.protection, spec.profile.network()).map_err(Failure::at("seccomp"))?;
    programs.iter().try_for_each(|program| seccompiler::apply_filter(program)).map_err(Failure::at("seccomp"))
}
