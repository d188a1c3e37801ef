//! System calls, network, other processes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Command, Stdio};

use common::{PROBE, Tree, marker, probe, tried, views};
use mcp_sandbox::{Job, Layer, Profile, Sandbox};

const EPERM: &str = "error 1";

fn call(number: libc::c_long, arguments: &[i64]) -> String {
    let words: Vec<String> = [number].iter().chain(arguments).map(ToString::to_string).collect();
    format!("call|{}", words.join("|"))
}

fn io_uring() -> String {
    // A null parameter block: EFAULT if the kernel comes to look at it.
    call(libc::SYS_io_uring_setup, &[1, 0])
}

#[test]
fn calls_that_lead_out_are_refused() {
    let user = i64::from(libc::CLONE_NEWUSER);
    let attempts = [
        call(libc::SYS_ptrace, &[i64::from(libc::PTRACE_TRACEME), 0, 0, 0]),
        call(libc::SYS_process_vm_readv, &[1, 0, 0, 0, 0, 0]),
        io_uring(),
        call(libc::SYS_unshare, &[user]),
        call(libc::SYS_setns, &[0, 0]),
        call(libc::SYS_clone, &[user | i64::from(libc::SIGCHLD)]),
        call(libc::SYS_clone, &[i64::from(libc::CLONE_NEWNS) | (1 << 40) | i64::from(libc::SIGCHLD)]),
        "call|165|none|/tmp|tmpfs|0|0".to_owned(), // mount
        "call|166|/tmp|0".to_owned(),              // umount2
        "call|161|/tmp".to_owned(),                // chroot
        call(libc::SYS_bpf, &[0, 0, 0]),
        call(libc::SYS_keyctl, &[0, -1]),
        call(libc::SYS_add_key, &[0, 0, 0, 0, 0]),
        call(libc::SYS_perf_event_open, &[0, 0, -1, -1, 0]),
        call(libc::SYS_userfaultfd, &[0]),
        call(libc::SYS_personality, &[0x0040_0000]),
        call(libc::SYS_init_module, &[0, 0, 0]),
        call(libc::SYS_reboot, &[0, 0, 0]),
        call(libc::SYS_swapoff, &[0]),
        call(libc::SYS_open_by_handle_at, &[0, 0, 0]),
        call(libc::SYS_prlimit64, &[1, 0, 0, 0]),
        call(libc::SYS_socket, &[i64::from(libc::AF_NETLINK), 3, 0]),
        call(libc::SYS_socket, &[i64::from(libc::AF_ALG), 5, 0]),
        call(libc::SYS_socket, &[i64::from(libc::AF_VSOCK), 1, 0]),
        call(libc::SYS_socket, &[i64::from(libc::AF_PACKET), 3, 0]),
        call(libc::SYS_socketpair, &[i64::from(libc::AF_INET), 1, 0, 0]),
    ];
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        for profile in [Profile::Read, Profile::WorkspaceNet] {
            for (attempt, answer) in attempts.iter().zip(tried(&tree.sandbox(), profile, &attempts)) {
                assert_eq!(answer, EPERM, "{profile:?}, namespaces {namespaces}: {attempt}");
            }
        }
        let absent = [libc::SYS_clone3, libc::SYS_openat2, 467, 1000].map(|number| call(number, &[0, 0]));
        assert_eq!(
            tried(&tree.sandbox(), Profile::Read, &absent),
            ["error 38"; 4],
            "namespaces {namespaces}"
        );
        // A terminal as its input would take both; the one that reads it would run what they push.
        let requests = [libc::TIOCSTI, libc::TIOCLINUX].map(|request| request as i64);
        let pushed = requests.iter().flat_map(|request| [*request, *request | (1 << 40)]);
        let pushed: Vec<String> = pushed.map(|request| call(libc::SYS_ioctl, &[0, request, 0])).collect();
        assert_eq!(
            tried(&tree.sandbox(), Profile::Read, &pushed),
            ["error 25"; 4],
            "namespaces {namespaces}"
        );
    }
}

/// Shows that it is seccomp that refuses: without it the kernel looks at the arguments.
#[test]
fn the_same_calls_reach_the_kernel_without_seccomp() {
    let tree = Tree::new(false);
    let mut bare = tree.capabilities();
    bare.seccomp = false;
    let sandbox = tree.sandbox_with(bare).accept(Layer::Seccomp);
    let job = probe(
        Profile::Read,
        &[
            io_uring(),
            call(libc::SYS_userfaultfd, &[1]),
            call(libc::SYS_personality, &[0x0040_0000]),
            call(libc::SYS_socket, &[i64::from(libc::AF_NETLINK), 3, 0]),
            call(libc::SYS_clone3, &[0, 0]),
            call(libc::SYS_unshare, &[i64::from(libc::CLONE_NEWUSER)]),
        ],
    );
    let outcome = sandbox.run(&job).unwrap();
    let answers = common::answers(&outcome);
    assert_eq!(outcome.weaker.first(), Some(&Layer::Seccomp));
    for answer in &answers {
        assert!(![EPERM, "error 38"].contains(&answer.as_str()), "{answers:?}");
    }
    assert_eq!(answers.len(), 6, "{outcome:?}");
}

#[cfg(target_arch = "x86_64")]
#[test]
fn other_numberings_of_calls_kill_the_process() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        for attempt in ["int80".to_owned(), call(0x4000_0000 + 39, &[])] {
            let outcome = tree.sandbox().run(&probe(Profile::Read, &[&attempt])).unwrap();
            assert_eq!(outcome.signal, Some(libc::SIGSYS), "{attempt}, namespaces {namespaces}: {outcome:?}");
            assert_eq!(outcome.stages, [Some(128 + libc::SIGSYS)]);
        }
    }
}

/// Things on the host that a command must not reach.
struct Services {
    tcp: TcpListener,
    udp: UdpSocket,
    _hidden: UnixListener,
    _file: UnixListener,
    attempts: Vec<String>,
}

fn services(tree: &Tree) -> Services {
    let name = marker();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let file = UnixListener::bind(tree.path("outside/daemon")).unwrap();
    let attempts = vec![
        format!("abstract|{name}"),
        format!("unix|{}/daemon", tree.text("outside")),
        format!("udp|{}", udp.local_addr().unwrap()),
        format!("connect|{}", tcp.local_addr().unwrap()),
        "bind|127.0.0.1:0".to_owned(),
    ];
    Services { tcp, udp, _hidden: hidden, _file: file, attempts }
}

#[test]
fn without_network_nothing_is_reached() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let services = services(&tree);
        for unix_sockets in [false, true] {
            let job = Job { unix_sockets, ..probe(Profile::Workspace, &services.attempts) };
            let answers = common::answers(&tree.sandbox().run(&job).unwrap());
            assert_eq!(answers.len(), 5);
            assert!(
                answers.iter().all(|answer| answer.starts_with("error")),
                "namespaces {namespaces}: {answers:?}"
            );
        }
        services.tcp.set_nonblocking(true).unwrap();
        assert!(services.tcp.accept().is_err() && services.udp.recv(&mut [0; 9]).is_err());
        let bash = Job::argv(
            Profile::Workspace,
            [
                "bash".to_owned(),
                "-c".to_owned(),
                format!("echo > /dev/tcp/127.0.0.1/{}", services.tcp.local_addr().unwrap().port()),
            ],
        );
        assert_ne!(tree.sandbox().run(&bash).unwrap().code, Some(0));
        assert!(services.tcp.accept().is_err());
    }
}

/// The namespaces by themselves, without Landlock and seccomp.
#[test]
fn a_network_of_ones_own_reaches_nothing_outside() {
    if !common::host().namespaces {
        println!("skipped: this host has no namespaces for us");
        return;
    }
    let tree = Tree::new(true);
    let services = services(&tree);
    let mut bare = tree.capabilities();
    (bare.landlock_abi, bare.seccomp) = (0, false);
    let sandbox = tree.sandbox_with(bare).accept(Layer::Landlock).accept(Layer::Seccomp);
    let answers = tried(&sandbox, Profile::Workspace, &services.attempts[..4]);
    assert!(answers.iter().all(|answer| answer.starts_with("error")), "{answers:?}");
}

#[test]
fn with_network_addresses_are_reached_but_sockets_of_daemons_are_not() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let services = services(&tree);
        for unix_sockets in [false, true] {
            let job = Job { unix_sockets, ..probe(Profile::WorkspaceNet, &services.attempts) };
            let answers = common::answers(&tree.sandbox().run(&job).unwrap());
            assert!(
                answers[0].starts_with("error") && answers[1].starts_with("error"),
                "{namespaces}: {answers:?}"
            );
            assert_eq!(answers[2..4], ["ok", "ok"], "namespaces {namespaces}");
            assert_eq!(answers[4], "error 13", "no port is bound");
        }
    }
}

#[test]
fn unix_sockets_of_ones_own_need_asking_and_a_view_of_ones_own() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let socket = format!("{}/socket", tree.text("root"));
        let job = |unix_sockets| Job {
            unix_sockets,
            ..probe(Profile::Workspace, &[format!("unix-bind|{socket}")])
        };
        let run = |unix_sockets| common::answers(&tree.sandbox().run(&job(unix_sockets)).unwrap());
        assert_eq!(run(false), [EPERM]);
        let expected = if namespaces { "ok" } else { EPERM };
        assert_eq!(run(true), [expected], "namespaces {namespaces}");
    }
}

/// A process outside that a command would like to end, trace or read.
struct Victim(std::process::Child);

impl Victim {
    fn new() -> Self {
        let child = Command::new(PROBE)
            .arg(format!("hold|{}", marker()))
            .env("SECRET", "canary")
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn attempts(&self) -> Vec<String> {
        let pid = i64::from(self.0.id());
        vec![
            call(libc::SYS_kill, &[pid, i64::from(libc::SIGKILL)]),
            call(libc::SYS_kill, &[pid, 0]),
            call(libc::SYS_tkill, &[pid, i64::from(libc::SIGKILL)]),
            call(libc::SYS_tgkill, &[pid, pid, i64::from(libc::SIGKILL)]),
            call(libc::SYS_ptrace, &[i64::from(libc::PTRACE_SEIZE), pid, 0, 0]),
            call(libc::SYS_prlimit64, &[pid, 0, 0, 0]),
            format!("read|/proc/{pid}/environ"),
            format!("read|/proc/{pid}/fd/0"),
            format!("list|/proc/{pid}/root"),
            format!("read|/proc/{pid}/root/etc/passwd"),
            format!("read|/proc/{pid}/cwd/Cargo.toml"),
            format!("write|/proc/{pid}/oom_score_adj"),
        ]
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn all_refused(sandbox: &Sandbox, what: &str) {
    let mut victim = Victim::new();
    let attempts = victim.attempts();
    for (attempt, answer) in attempts.iter().zip(tried(sandbox, Profile::WorkspaceNet, &attempts)) {
        assert!(answer.starts_with("error"), "{what}: {attempt} gave {answer}");
    }
    assert!(victim.0.try_wait().unwrap().is_none(), "{what}: it lives");
}

#[test]
fn processes_outside_are_out_of_reach() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        all_refused(&tree.sandbox(), &format!("namespaces {namespaces}"));
        // Each of the layers is enough against all of them but what it does not cover at all.
        let mut without_seccomp = tree.capabilities();
        without_seccomp.seccomp = false;
        if namespaces {
            all_refused(&tree.sandbox_with(without_seccomp).accept(Layer::Seccomp), "without seccomp");
        }
    }
    let tree = Tree::new(false);
    let mut without_landlock = tree.capabilities();
    without_landlock.landlock_abi = 0;
    let bare = tree
        .sandbox_with(without_landlock)
        .accept(Layer::Landlock)
        .accept(Layer::Signals)
        .accept(Layer::TcpPorts);
    let victim = Victim::new();
    let found = tried(&bare, Profile::WorkspaceNet, &[&victim.attempts()[0]]);
    assert_eq!(found, ["ok 0"], "without Landlock and namespaces a signal arrives");
}

#[test]
fn no_privilege_is_left_or_gained() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let job = Job::argv(Profile::Workspace, ["cat", "/proc/self/status"]);
        let text = tree.sandbox().run(&job).unwrap().stdout.text();
        let field = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_ascii_whitespace().nth(1).unwrap().to_owned()
        };
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
            assert_eq!(u64::from_str_radix(&field(set), 16).unwrap(), 0, "{set} namespaces {namespaces}");
        }
        if common::host().root || namespaces {
            assert_eq!(u64::from_str_radix(&field("CapBnd:"), 16).unwrap(), 0, "namespaces {namespaces}");
        }
        assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), ("1".to_owned(), "2".to_owned()));
    }
}

/// Only root can make the canary: a program that runs as somebody else.
#[test]
fn a_set_user_id_program_gains_nothing() {
    use std::os::unix::fs::PermissionsExt;
    if !common::host().root {
        println!("skipped: only root can make the program that runs as somebody else");
        return;
    }
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let program = tree.path("root/changed");
        // Copied by a process of its own: one that another test starts meanwhile would inherit the file open for
        // writing, and such a file cannot be executed.
        assert!(Command::new("cp").arg("/usr/bin/id").arg(&program).status().unwrap().success());
        std::os::unix::fs::chown(&program, Some(65534), Some(65534)).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o6755)).unwrap();
        let outside = Command::new(&program).arg("-u").output().unwrap();
        assert_eq!(outside.stdout, b"65534\n", "the canary works outside");
        let outcome = tree.sandbox().run(&Job::argv(Profile::Read, ["./changed", "-u"])).unwrap();
        assert_eq!(outcome.stdout.text(), "0\n", "namespaces {namespaces}: {outcome:?}");
    }
}

#[test]
fn queues_and_shared_memory_of_others_are_out_of_reach() {
    let tree = Tree::new(false);
    let get = [
        call(libc::SYS_shmget, &[0, 4096, 0o600]),
        call(libc::SYS_semget, &[0, 1, 0o600]),
        call(libc::SYS_msgget, &[0, 0o600]),
    ];
    assert_eq!(tried(&tree.sandbox(), Profile::Workspace, &get), [EPERM; 3]);
    if common::host().namespaces {
        let own = tried(&Tree::new(true).sandbox(), Profile::Workspace, &get);
        assert!(own.iter().all(|answer| answer.starts_with("ok")), "a namespace has its own: {own:?}");
    }
}
