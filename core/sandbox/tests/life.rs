//! How runs begin and end: time, cancel, crash, limits, output, environment.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod common;

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{HELPER, PROBE, Tree, answers, carrying, eventually, host, marker, probe, tried, views};
use mcp_sandbox::{Job, Layer, Limits, Profile, Reason, Sandbox, SandboxError};

/// Children, grandchildren and a daemon, then no end.
fn stubborn(marker: &str) -> Vec<String> {
    vec![
        "ignore-signals".to_owned(),
        format!("child|{marker}"),
        format!("daemon|{marker}"),
        format!("daemon|{marker}"),
        format!("hold|{marker}"),
    ]
}

fn limited(mut job: Job, time: Duration) -> Job {
    job.limits.time = time;
    job
}

#[test]
fn a_timeout_kills_children_and_daemons() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let marker = marker();
        let job = limited(probe(Profile::Read, &stubborn(&marker)), Duration::from_secs(3));
        let outcome = tree.sandbox().run(&job).unwrap();
        assert_eq!(outcome.reason, Reason::TimedOut, "{outcome:?}");
        assert_eq!((outcome.code, outcome.leftover), (None, 0));
        assert_eq!(answers(&outcome), ["ok"; 4], "all were started");
        assert_eq!(carrying(&marker).len(), 0, "namespaces {namespaces}");
    }
}

#[test]
fn what_outlives_the_command_is_killed_with_its_end() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let marker = marker();
        let outcome = tree.sandbox().run(&probe(Profile::Read, &stubborn(&marker)[..4])).unwrap();
        assert_eq!((outcome.reason, outcome.code), (Reason::Exited, Some(0)), "{outcome:?}");
        assert_eq!(carrying(&marker).len(), 0, "namespaces {namespaces}");
    }
}

#[test]
fn a_cancel_from_another_thread_and_a_drop_kill_everything() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox();
        let first = marker();
        let running = sandbox.start(&probe(Profile::Read, &stubborn(&first))).unwrap();
        eventually("the processes are there", || carrying(&first).len() >= 4);
        let handle = running.cancel_handle().unwrap();
        let canceller = std::thread::spawn(move || handle.cancel());
        let outcome = running.wait().unwrap();
        canceller.join().unwrap();
        assert_eq!(outcome.reason, Reason::Cancelled, "{outcome:?}");
        assert_eq!(carrying(&first).len(), 0);

        let second = marker();
        let running = sandbox.start(&probe(Profile::Read, &stubborn(&second))).unwrap();
        eventually("the processes are there", || carrying(&second).len() >= 4);
        drop(running);
        assert_eq!(carrying(&second).len(), 0, "namespaces {namespaces}");
    }
}

/// A server of its own process, so that it can be killed.
fn server(tree: &Tree, marker: &str) -> std::process::Child {
    let mut command = Command::new(HELPER);
    command.arg("run").arg("--root").arg(tree.path("root"));
    command.arg("--root").arg(std::path::Path::new(PROBE).parent().unwrap());
    if !tree.namespaces {
        command.args(["--no-namespaces", "--accept-unbounded-processes"]);
    }
    command.arg("--").arg(PROBE).args(stubborn(marker));
    command.env("TMPDIR", tree.path("scratch")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The children of a process.
fn children(of: u32) -> Vec<i32> {
    let line = format!("PPid:\t{of}");
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            status.lines().any(|found| found == line)
        })
        .collect()
}

#[test]
fn a_killed_server_leaves_no_process() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let marker = marker();
        let mut server = server(&tree, &marker);
        // The server's own arguments carry it too.
        eventually("the processes are there", || carrying(&marker).len() >= 5);
        let supervisors = children(server.id());
        assert_eq!(supervisors.len(), 1);
        server.kill().unwrap();
        server.wait().unwrap();
        eventually("nothing carries the marker", || carrying(&marker).is_empty());
        eventually("the supervisor is gone", || {
            let arguments = std::fs::read(format!("/proc/{}/cmdline", supervisors[0])).unwrap_or_default();
            !arguments.ends_with(b"__sandbox\0")
        });
        assert_eq!(std::fs::read_dir(tree.path("scratch")).unwrap().count(), 0, "namespaces {namespaces}");
    }
}

#[test]
fn a_killed_supervisor_takes_its_run_along() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let marker = marker();
        let running = tree.sandbox().start(&probe(Profile::Read, &stubborn(&marker))).unwrap();
        eventually("the processes are there", || carrying(&marker).len() >= 4);
        let supervisor = rustix::process::Pid::from_raw(running.supervisor().cast_signed()).unwrap();
        rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
        let found = running.wait();
        assert!(matches!(found, Err(SandboxError::SupervisorLost(_))), "{found:?}");
        eventually("nothing carries the marker", || carrying(&marker).is_empty());
    }
}

#[test]
fn endless_forking_is_contained() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let bound = if namespaces || !host().root { 64 } else { continue };
        let mut job = probe(Profile::Read, &["fork-count"]);
        job.limits.processes = bound;
        let outcome = tree.sandbox().run(&job).unwrap();
        let count: u64 = answers(&outcome)[0].strip_prefix("ok ").unwrap().parse().unwrap();
        // For root the bound is coarser by the 300 numbers that are handed out only once.
        // Without namespaces other processes of the user may end meanwhile and make room.
        let most = bound + if host().root { 300 } else { 64 };
        assert!(count > 0 && count <= most, "{count} processes, namespaces {namespaces}");

        let marker = marker();
        let mut job =
            limited(probe(Profile::Read, &[format!("fork-forever|{marker}")]), Duration::from_millis(500));
        job.limits.processes = bound;
        let outcome = tree.sandbox().run(&job).unwrap();
        assert_eq!((outcome.reason, outcome.leftover), (Reason::TimedOut, 0), "{outcome:?}");
        assert_eq!(carrying(&marker).len(), 0, "namespaces {namespaces}");
    }
}

#[test]
fn limits_end_a_command_and_say_so() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox();
        let with = |attempt: &str, change: fn(&mut Limits)| {
            let mut job = probe(Profile::Workspace, &[attempt]);
            change(&mut job.limits);
            sandbox.run(&job).unwrap()
        };
        let outcome = with("burn", |limits| limits.cpu_seconds = 1);
        assert_eq!((outcome.reason, outcome.signal), (Reason::Limits, Some(libc::SIGXCPU)), "{outcome:?}");
        let file = format!("write|{}/big", tree.text("root"));
        let outcome = with(&file, |limits| limits.file_size = 3);
        assert_eq!(outcome.reason, Reason::Limits, "{outcome:?}");
        assert_eq!(std::fs::metadata(tree.path("root/big")).unwrap().len(), 3);
        let outcome = with("allocate|3000000000", |limits| limits.address_space = 1 << 30);
        assert_eq!(answers(&outcome), ["error 12"]);
        assert_eq!(answers(&with("allocate|300000000", |_| ())), ["ok"]);
        let mut job = Job::argv(Profile::Read, ["bash", "-c", "exec 40> /dev/null"]);
        assert_eq!(sandbox.run(&job).unwrap().code, Some(0));
        job.limits.open_files = 16;
        assert_eq!(sandbox.run(&job).unwrap().code, Some(1));
        let core = Job::argv(Profile::Read, ["sh", "-c", "ulimit -c; ulimit -Hc"]);
        assert_eq!(sandbox.run(&core).unwrap().stdout.text(), "0\n0\n");
    }
}

#[test]
fn a_private_file_system_has_an_end() {
    if !host().namespaces {
        println!("skipped: this host has no namespaces for us");
        return;
    }
    let tree = Tree::new(true);
    let mut job =
        Job::script(Profile::Read, ["sh"], "head -c 3000000 /dev/zero > /tmp/big; wc -c < /tmp/big");
    job.limits.scratch = 1 << 20;
    let outcome = tree.sandbox().run(&job).unwrap();
    let size: u64 = outcome.stdout.text().trim().parse().unwrap();
    assert!(size <= 1 << 20, "{outcome:?}");
}

#[test]
fn a_gigabyte_of_output_is_counted_and_bounded() {
    let tree = Tree::new(host().namespaces);
    let mut job = probe(Profile::Read, &["spew|1073741824"]);
    (job.limits.head, job.limits.tail) = (1000, 500);
    let outcome = tree.sandbox().run(&job).unwrap();
    assert_eq!((outcome.stdout.total, outcome.truncated), ((1 << 30) + 3, true));
    assert_eq!((outcome.stdout.head.len(), outcome.stdout.tail.len()), (1000, 500));
    assert!(outcome.stdout.tail.ends_with(b"xok\n"));
    assert!(outcome.stdout.text().contains("[… 1073740327 bytes left out …]"));
}

#[test]
fn binary_output_is_summarised_and_terminals_are_absent() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let binary =
            tree.sandbox().run(&Job::argv(Profile::Read, ["head", "-c", "5000", "/bin/true"])).unwrap();
        assert_eq!(binary.stdout.text(), "[binary output, 5000 bytes]");
        let found = tried(&tree.sandbox(), Profile::Read, &["tty", "input"]);
        assert!(found[0].starts_with("error"), "{found:?}");
        assert_eq!(found[1], "ok 0", "standard input is empty");
        let script = "if [ -t 0 ] || [ -t 1 ] || [ -t 2 ]; then echo terminal; else tty; fi";
        let outcome = tree.sandbox().run(&Job::argv(Profile::Read, ["sh", "-c", script])).unwrap();
        assert_eq!((outcome.stdout.text().as_str(), outcome.code), ("not a tty\n", Some(1)));
    }
}

#[test]
fn a_run_in_the_background_shows_its_output_while_it_goes_on() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let mut running = tree.sandbox().start(&probe(Profile::Read, &["spew|200000", "hold|x"])).unwrap();
        eventually("its output is there", || running.snapshot().unwrap().stdout.total == 200_003);
        assert_eq!(running.wait_timeout(Duration::ZERO).unwrap(), None);
        running.cancel();
        let outcome = running.wait().unwrap();
        assert_eq!((outcome.reason, outcome.stdout.total), (Reason::Cancelled, 200_003));
        let mut ended = tree.sandbox().start(&probe(Profile::Read, &["spew|5"])).unwrap();
        eventually("it has ended", || ended.wait_timeout(Duration::from_secs(5)).unwrap().is_some());
        assert_eq!(ended.snapshot().unwrap().stdout.head, b"xxxxxok\n");
        assert_eq!(ended.wait().unwrap().code, Some(0));
    }
}

#[test]
fn the_environment_is_made_anew() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox().with_variable("TOOL_HOME", "/opt/tool").unwrap();
        let mut job = Job::argv(Profile::Read, ["env"]);
        job.variables = vec![("TZ".into(), "UTC".into()), ("NO_COLOR".into(), "1".into())];
        let text = sandbox.run(&job).unwrap().stdout.text();
        let mut names: Vec<&str> = text.lines().map(|line| line.split('=').next().unwrap()).collect();
        names.retain(|name| !name.starts_with("LC_") && *name != "LANGUAGE");
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "GIT_OPTIONAL_LOCKS",
                "HOME",
                "LANG",
                "LOGNAME",
                "NO_COLOR",
                "PATH",
                "SHELL",
                "TERM",
                "TMPDIR",
                "TOOL_HOME",
                "TZ",
                "USER"
            ]
        );
        for name in ["LD_PRELOAD", "BASH_ENV", "GIT_SSH", "PATH", "PYTHONPATH"] {
            job.variables = vec![(name.into(), "x".into())];
            assert!(matches!(sandbox.run(&job), Err(SandboxError::Job(_))), "{name}");
        }
    }
}

#[test]
fn a_poisoned_environment_of_the_server_does_not_pass() {
    let tree = Tree::new(host().namespaces);
    let mut command = Command::new(HELPER);
    command.arg("run").arg("--root").arg(tree.path("root"));
    if !tree.namespaces {
        command.args(["--no-namespaces", "--accept-unbounded-processes"]);
    }
    let poison = [
        "LD_LIBRARY_PATH",
        "BASH_ENV",
        "GIT_SSH_COMMAND",
        "PYTHONSTARTUP",
        "NODE_OPTIONS",
        "AWS_SECRET_ACCESS_KEY",
    ];
    command.envs(poison.map(|name| (name, "poison"))).args(["--", "env"]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("PATH=/usr/local/sbin:") && !text.contains("poison"), "{text}");
}

#[test]
fn descriptors_of_the_server_do_not_pass() {
    let tree = Tree::new(host().namespaces);
    let secret = std::fs::File::open(tree.path("outside/secret")).unwrap();
    rustix::io::fcntl_setfd(&secret, rustix::io::FdFlags::empty()).unwrap();
    let outcome = tree.sandbox().run(&Job::argv(Profile::Read, ["ls", "/proc/self/fd"])).unwrap();
    // 3 is the directory that `ls` itself reads.
    assert_eq!(outcome.stdout.text(), "0\n1\n2\n3\n");
    drop(secret);
}

#[test]
fn pipelines_and_scripts_need_no_shell() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox();
        let stage = |words: &[&str]| -> Vec<OsString> { words.iter().map(OsString::from).collect() };
        let stages =
            vec![stage(&["printf", "b\\na\\n$(id)\\n"]), stage(&["sort"]), stage(&["head", "-n", "2"])];
        let outcome = sandbox.run(&Job::pipeline(Profile::Read, stages)).unwrap();
        assert_eq!((outcome.stdout.text().as_str(), outcome.stages), ("$(id)\na\n", vec![Some(0); 3]));
        let stages = vec![stage(&["yes"]), stage(&["head", "-n", "1"])];
        let outcome = sandbox.run(&Job::pipeline(Profile::Read, stages)).unwrap();
        assert_eq!(
            (outcome.stdout.text().as_str(), outcome.stages),
            ("y\n", vec![Some(128 + libc::SIGPIPE), Some(0)])
        );
        let stages = vec![stage(&["sleep", "1000"]), stage(&["no-such-program"])];
        let found = sandbox.run(&Job::pipeline(Profile::Read, stages));
        assert!(
            matches!(&found, Err(SandboxError::Program { program, .. }) if program == "no-such-program"),
            "{found:?}"
        );

        let script = Job::script(
            Profile::Read,
            ["bash", "-u"],
            "read -r line || echo \"$# $BASH_VERSION\" | cut -c1-2\nexit 7\n",
        );
        let outcome = sandbox.run(&script).unwrap();
        assert_eq!((outcome.stdout.text().as_str(), outcome.code), ("0 \n", Some(7)), "{outcome:?}");
    }
}

#[test]
fn what_cannot_be_run_is_said_in_a_sentence() {
    for namespaces in views() {
        let tree = Tree::new(namespaces);
        let sandbox = tree.sandbox();
        std::fs::write(tree.path("root/text"), "echo x").unwrap();
        let run = |program: &str| sandbox.run(&Job::argv(Profile::Read, [program])).unwrap_err().to_string();
        assert!(run("no-such-program").contains("no such program; looked for in /usr/local/sbin:"));
        assert!(run("./text").contains("may not be executed"), "{}", run("./text"));
        assert!(run("/etc").contains("cannot be run"));
        assert_eq!(run(""), "the name of a program is empty");
        assert_eq!(run("a\0b"), "an argument holds a NUL byte");
        let nothing = sandbox.run(&Job::argv(Profile::Read, Vec::<String>::new()));
        assert!(matches!(nothing, Err(SandboxError::Job(_))));
    }
}

#[test]
fn a_host_without_a_layer_runs_nothing_unless_told_to() {
    let tree = Tree::new(false);
    for (layer, change) in [
        (Layer::Landlock, (|host| host.landlock_abi = 0) as fn(&mut mcp_sandbox::Capabilities)),
        (Layer::Seccomp, |host| host.seccomp = false),
    ] {
        let mut lacking = host().clone();
        change(&mut lacking);
        let witness = tree.path("root/witness");
        let job = probe(Profile::Workspace, &[format!("write|{}", witness.display())]);
        let found = tree.sandbox_with(lacking.clone()).run(&job);
        assert!(
            matches!(&found, Err(SandboxError::Missing { layer: named, .. }) if *named == layer),
            "{found:?}"
        );
        assert!(!witness.exists());
        let outcome = tree.sandbox_with(lacking).accept(layer).accept(Layer::Signals).run(&job).unwrap();
        assert!(outcome.weaker.contains(&layer), "{outcome:?}");
        std::fs::remove_file(&witness).unwrap();
    }
}

/// A host that is believed to offer more than it does: the kernel's refusal ends the run before the command.
#[test]
fn a_layer_that_the_kernel_refuses_is_named() {
    let tree = Tree::new(false);
    if host().landlock_abi >= 9 {
        println!("skipped: this kernel has every layer of Landlock that could be named");
        return;
    }
    let mut boasting = tree.capabilities();
    boasting.landlock_abi = 9;
    let witness = tree.path("root/witness");
    let job = probe(Profile::Workspace, &[format!("write|{}", witness.display())]);
    let found = tree.sandbox_with(boasting).run(&job);
    assert!(matches!(&found, Err(SandboxError::Refused { step, .. }) if step == "Landlock"), "{found:?}");
    assert!(!witness.exists());
}

#[test]
fn a_helper_that_is_none_is_found_out() {
    let tree = Tree::new(host().namespaces);
    let sandbox = Sandbox::new(&[tree.path("root")], tree.capabilities())
        .unwrap()
        .accept(Layer::ProcessLimit)
        .with_helper("/bin/true".as_ref());
    let found = sandbox.run(&Job::argv(Profile::Read, ["true"]));
    assert!(matches!(found, Err(SandboxError::SupervisorLost(_) | SandboxError::System { .. })), "{found:?}");
}

#[test]
fn the_program_by_hand_gives_the_exit_code() {
    let tree = Tree::new(host().namespaces);
    let mut command = Command::new(HELPER);
    command.arg("run").arg("--root").arg(tree.path("root"));
    if !tree.namespaces {
        command.args(["--no-namespaces", "--accept-unbounded-processes"]);
    }
    let output = command.args(["--", "sh", "-c", "printf '\\033[31mred\\n'; exit 3"]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), b"red\n".as_slice()));
    let doctor = Command::new(HELPER).arg("doctor").output().unwrap();
    let found: mcp_sandbox::Capabilities = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(&found, host());
}
