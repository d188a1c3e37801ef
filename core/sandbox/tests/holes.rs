//! Effects that rules about paths and ports do not see: by an open file, by a pair of sockets, by a mode, by a port that
//! the kernel gives. Each attempt is shown to work without the layers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use common::{Tree, tried, views};
use mcp_sandbox::{Layer, Profile, Sandbox};

const PROFILES: [Profile; 3] = [Profile::Read, Profile::Workspace, Profile::WorkspaceNet];

/// The same tree without Landlock, seccomp and namespaces.
fn bare(tree: &Tree) -> Sandbox {
    let mut bare = tree.capabilities();
    (bare.landlock_abi, bare.seccomp, bare.namespaces, bare.own_pid_max) = (0, false, false, false);
    [Layer::Landlock, Layer::Seccomp, Layer::Signals, Layer::TcpPorts, Layer::ProcessLimit]
        .into_iter()
        .fold(tree.sandbox_with(bare), Sandbox::accept)
}

#[expect(unsafe_code, reason = "flags of a file are asked for by ioctl alone")]
fn flags(path: &Path) -> Option<i32> {
    let file = std::fs::File::open(path).unwrap();
    let mut flags = 0;
    // SAFETY: FS_IOC_GETFLAGS writes one int.
    let result = unsafe { libc::ioctl(file.as_raw_fd(), 0x8008_6601, &raw mut flags) };
    (result == 0).then_some(flags)
}

#[test]
fn no_datagram_reaches_a_daemon() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let places = ["root/daemon", "outside/daemon"];
        let daemons = places.map(|place| UnixDatagram::bind(tree.path(place)).unwrap());
        let attempts = places.map(|place| format!("hole|datagram|{}", tree.text(place)));
        let received = || {
            daemons.each_ref().map(|daemon| {
                daemon.set_nonblocking(true).unwrap();
                daemon.recv(&mut [0; 9]).is_ok()
            })
        };
        assert_eq!(tried(&bare(&tree), Profile::Read, &attempts), ["ok", "ok"]);
        assert_eq!(received(), [true, true], "without the layers they arrive");
        for profile in PROFILES {
            assert_eq!(tried(&tree.sandbox(), profile, &attempts), ["error 1"; 2], "namespaces {namespaces}");
        }
        assert_eq!(received(), [false, false], "namespaces {namespaces}");
        // Pairs that stay connected are what programs use between their own processes.
        assert_eq!(tried(&tree.sandbox(), Profile::Read, &["pair"]), ["ok"]);
    }
}

#[test]
fn nothing_listens_not_even_at_a_port_that_the_kernel_gives() {
    let families = [libc::AF_INET, libc::AF_INET6];
    // 262 is Multipath TCP, 132 SCTP.
    let mut attempts: Vec<String> = families.iter().map(|family| format!("hole|listen|{family}")).collect();
    attempts.extend([262, 132].map(|protocol| format!("hole|listen|{}|{protocol}", libc::AF_INET)));
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        assert_eq!(
            tried(&bare(&tree), Profile::WorkspaceNet, &attempts)[0],
            "ok",
            "without the layers it listens"
        );
        for profile in PROFILES {
            let answers = tried(&tree.sandbox(), profile, &attempts);
            assert_eq!(answers, ["error 1"; 4], "{profile:?}, namespaces {namespaces}");
        }
    }
}

#[test]
fn an_open_file_is_not_a_way_to_change_it() {
    let kinds = ["flags", "xflags", "verity", "lease", "fchmod", "times", "attribute", "allocate"];
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let path = tree.text("root/file");
        let attempts: Vec<String> = kinds
            .iter()
            .map(|kind| {
                if *kind == "fchmod" {
                    format!("hole|{kind}|{path}|777")
                } else {
                    format!("hole|{kind}|{path}")
                }
            })
            .collect();
        let state = || {
            let status = tree.path("root/file").metadata().unwrap();
            (
                flags(&tree.path("root/file")),
                status.mode(),
                status.ctime(),
                status.ctime_nsec(),
                status.blocks(),
            )
        };
        let before = state();
        let answers = tried(&tree.sandbox(), Profile::Read, &attempts);
        for (attempt, answer) in attempts.iter().zip(&answers) {
            assert!(answer.starts_with("error"), "namespaces {namespaces}: {attempt} gave {answer}");
        }
        assert_eq!(state(), before, "namespaces {namespaces}");
        // Not all file systems know all of them; the mode, the time and the lease are known to each.
        let answers = tried(&bare(&tree), Profile::Read, &attempts);
        for kind in ["fchmod", "times", "lease"] {
            let at = kinds.iter().position(|other| *other == kind).unwrap();
            assert_eq!(answers[at], "ok", "{kind} works without the layers");
        }
        if before.0.is_some() {
            assert_eq!(answers[0], "ok", "flags can be changed without the layers");
            assert_ne!(state().0, before.0);
        }
    }
}

#[test]
fn no_file_gets_set_id_bits() {
    for namespaces in views() {
        for mode in ["4755", "2755", "6755"] {
            let tree = Tree::new(namespaces);
            let root = tree.text("root");
            let attempts = [
                format!("hole|chmod|{root}/file|{mode}"),
                format!("hole|fchmod|{root}/file|{mode}"),
                format!("hole|create|{root}/created|{mode}"),
                format!("hole|nameless|{root}|{root}/nameless|{mode}"),
                format!("hole|node|{root}/node|{mode}"),
                format!("hole|chmod|{root}/dir|{mode}"),
            ];
            let found = || {
                let entries =
                    std::fs::read_dir(tree.path("root")).unwrap().map(|entry| entry.unwrap().path());
                let set = entries.filter(|path| path.symlink_metadata().unwrap().mode() & 0o6000 != 0);
                set.count()
            };
            for profile in [Profile::Workspace, Profile::WorkspaceNet] {
                for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                    assert_eq!(answer, "error 1", "namespaces {namespaces}: {attempt}");
                }
            }
            assert_eq!(found(), 0, "namespaces {namespaces}");
            let answers = tried(&bare(&tree), Profile::Workspace, &attempts);
            assert!(answers.iter().all(|answer| answer.starts_with("ok")), "without the layers: {answers:?}");
            assert_eq!(found(), 5, "without the layers");
        }
    }
}

#[test]
fn modes_without_set_id_bits_are_as_ever() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let root = tree.text("root");
        let mut attempts = vec![
            format!("hole|create|{root}/created|755"),
            format!("hole|nameless|{root}|{root}/nameless|640"),
            format!("hole|node|{root}/node|600"),
        ];
        // Without a view of its own no mode is changed at all.
        if namespaces {
            attempts.extend([format!("hole|chmod|{root}/file|1755"), format!("hole|fchmod|{root}/file|700")]);
        }
        let answers = tried(&tree.sandbox(), Profile::Workspace, &attempts);
        assert!(
            answers.iter().all(|answer| answer.starts_with("ok")),
            "namespaces {namespaces}: {answers:?}"
        );
        let mode = tree.path("root/created").metadata().unwrap().mode();
        assert_eq!(mode & 0o7777, 0o755, "namespaces {namespaces}");
    }
}

/// A mode that it has already, so that the machine keeps its devices where the attempt succeeds.
#[test]
fn devices_can_be_written_and_not_changed() {
    let devices = ["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
    let mode = |device: &str| Path::new(device).metadata().unwrap().mode() & 0o7777;
    let attempts: Vec<String> = devices
        .iter()
        .flat_map(|device| {
            let mode = mode(device);
            [
                format!("hole|chmod|{device}|{mode:o}"),
                format!("hole|fchmod|{device}|{mode:o}"),
                format!("hole|times|{device}"),
                format!("hole|attribute|{device}"),
                format!("unlink|{device}"),
            ]
        })
        .collect();
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        for profile in PROFILES {
            for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                assert!(
                    answer.starts_with("error"),
                    "{profile:?}, namespaces {namespaces}: {attempt} gave {answer}"
                );
            }
            let used = ["append|/dev/null", "append|/dev/zero", "read|/dev/null"];
            assert_eq!(tried(&tree.sandbox(), profile, &used), ["ok"; 3], "namespaces {namespaces}");
        }
    }
}
