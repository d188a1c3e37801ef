//! Which layers a job is run behind, decided from what the host offers. Pure, so that every host can be tested.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::capabilities::Capabilities;
use crate::error::{Layer, SandboxError};
use crate::job::Job;

/// How the number of processes is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessLimit {
    /// `RLIMIT_NPROC`, which counts the processes of the user.
    Resource,
    /// `pid_max` of the process namespace, which binds root too.
    PidMax,
    /// Not at all; accepted as missing.
    Unbounded,
}

/// The layers of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Own user, mount, process, IPC and (without network) network namespaces.
    pub namespaces: bool,
    /// The Landlock ABI that is set up in full; 0 for none.
    pub landlock_abi: u32,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// How processes are bounded.
    pub process_limit: ProcessLimit,
    /// `socket(AF_UNIX)` is allowed.
    pub unix_sockets: bool,
    /// Layers that are missing and were accepted as missing.
    pub weaker: Vec<Layer>,
}

/// The newest Landlock ABI whose rights are known here; newer kernels are used as this one.
pub(crate) const NEWEST_ABI: u32 = 9;

/// The layers for `job` on a host that offers `capabilities`.
///
/// Landlock and seccomp are demanded. Namespaces are used where they can be made. Without them seccomp refuses more:
/// Unix sockets, System V and POSIX message queues, changes of mode, owner, times and attributes of files (which
/// Landlock does not cover), and calls that change limits or scheduling of other processes.
///
/// # Errors
/// [`SandboxError::Missing`] for the first layer that is neither offered nor in `accepted`.
pub fn protection(
    capabilities: &Capabilities,
    job: &Job,
    accepted: &BTreeSet<Layer>,
) -> Result<Protection, SandboxError> {
    let abi = capabilities.landlock_abi.min(NEWEST_ABI);
    let namespaces = capabilities.namespaces;
    let mut weaker = Vec::new();
    let mut demand = |held: bool, layer: Layer, needs: &'static str| {
        if held {
            return Ok(());
        }
        if !accepted.contains(&layer) {
            return Err(SandboxError::Missing { layer, needs });
        }
        weaker.push(layer);
        Ok(())
    };
    demand(abi >= 3, Layer::Landlock, "it needs Linux 6.2 or newer with Landlock enabled")?;
    demand(
        namespaces || abi >= 6,
        Layer::Signals,
        "it needs user namespaces, or Linux 6.12 or newer with Landlock",
    )?;
    demand(
        !job.profile.network() || abi >= 4,
        Layer::TcpPorts,
        "it needs Linux 6.7 or newer with Landlock enabled",
    )?;
    demand(capabilities.seccomp, Layer::Seccomp, "it needs a kernel with CONFIG_SECCOMP_FILTER")?;
    let pid_max = namespaces && capabilities.own_pid_max;
    demand(
        !capabilities.root || pid_max,
        Layer::ProcessLimit,
        "for root it needs user namespaces on Linux 6.14 or newer; or run the server as another user",
    )?;
    let process_limit = match (capabilities.root, pid_max) {
        (false, _) => ProcessLimit::Resource,
        (true, true) => ProcessLimit::PidMax,
        (true, false) => ProcessLimit::Unbounded,
    };
    // Abstract sockets lie in the network namespace; Landlock scopes them where that one is shared.
    let abstract_hidden = abi >= 6 || (namespaces && !job.profile.network());
    let paths_hidden = abi >= 9 || namespaces;
    Ok(Protection {
        namespaces,
        landlock_abi: abi,
        seccomp: capabilities.seccomp,
        process_limit,
        unix_sockets: job.unix_sockets && abstract_hidden && paths_hidden,
        weaker,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Profile;

    fn host() -> Capabilities {
        Capabilities {
            kernel: "6.18.0".into(),
            landlock_abi: 7,
            seccomp: true,
            namespaces: true,
            namespaces_reason: None,
            own_pid_max: true,
            cgroup_v2: false,
            root: false,
        }
    }

    fn job(profile: Profile) -> Job {
        Job::argv(profile, ["true"])
    }

    fn missing(capabilities: &Capabilities, profile: Profile) -> Option<Layer> {
        match protection(capabilities, &job(profile), &BTreeSet::new()) {
            Err(SandboxError::Missing { layer, .. }) => Some(layer),
            Err(other) => panic!("{other}"),
            Ok(found) => {
                assert!(found.weaker.is_empty());
                None
            }
        }
    }

    #[test]
    fn a_host_that_lacks_a_layer_is_refused_and_the_layer_is_named() {
        type Change = fn(&mut Capabilities);
        let cases: [(Change, Profile, Option<Layer>); 10] = [
            (|_| (), Profile::WorkspaceNet, None),
            (|host| host.landlock_abi = 0, Profile::Read, Some(Layer::Landlock)),
            (|host| host.landlock_abi = 2, Profile::Read, Some(Layer::Landlock)),
            (|host| host.landlock_abi = 3, Profile::Workspace, None),
            (|host| host.landlock_abi = 3, Profile::WorkspaceNet, Some(Layer::TcpPorts)),
            (
                |host| {
                    host.landlock_abi = 5;
                    host.namespaces = false;
                },
                Profile::Workspace,
                Some(Layer::Signals),
            ),
            (|host| host.seccomp = false, Profile::Read, Some(Layer::Seccomp)),
            (|host| host.root = true, Profile::Read, None),
            (
                |host| {
                    host.root = true;
                    host.own_pid_max = false;
                },
                Profile::Read,
                Some(Layer::ProcessLimit),
            ),
            (|host| host.namespaces = false, Profile::WorkspaceNet, None),
        ];
        for (number, (change, profile, expected)) in cases.into_iter().enumerate() {
            let mut capabilities = host();
            change(&mut capabilities);
            assert_eq!(missing(&capabilities, profile), expected, "case {number}");
        }
    }

    #[test]
    fn what_is_accepted_as_missing_is_told() {
        let bare = Capabilities {
            landlock_abi: 0,
            seccomp: false,
            namespaces: false,
            own_pid_max: false,
            root: true,
            ..host()
        };
        let all = [Layer::Landlock, Layer::Signals, Layer::TcpPorts, Layer::Seccomp, Layer::ProcessLimit];
        let found = protection(&bare, &job(Profile::WorkspaceNet), &all.into()).unwrap();
        assert_eq!(found.weaker, all);
        assert_eq!(found.process_limit, ProcessLimit::Unbounded);
        for left_out in all {
            let accepted = all.into_iter().filter(|layer| *layer != left_out).collect();
            match protection(&bare, &job(Profile::WorkspaceNet), &accepted) {
                Err(SandboxError::Missing { layer, .. }) => assert_eq!(layer, left_out),
                other => panic!("{left_out} is missing, and yet: {other:?}"),
            }
        }
    }

    #[test]
    fn unix_sockets_need_a_view_that_hides_those_outside() {
        let asked = Job { unix_sockets: true, ..job(Profile::WorkspaceNet) };
        let allowed = |capabilities: &Capabilities, job: &Job| {
            protection(capabilities, job, &BTreeSet::new()).unwrap().unix_sockets
        };
        assert!(allowed(&host(), &asked));
        assert!(!allowed(&host(), &job(Profile::Workspace)), "nobody asked");
        assert!(!allowed(&Capabilities { namespaces: false, ..host() }, &asked));
        assert!(allowed(&Capabilities { namespaces: false, landlock_abi: 9, ..host() }, &asked));
        assert!(!allowed(&Capabilities { landlock_abi: 5, ..host() }, &asked), "abstract ones are in reach");
    }
}
