//! Commands: their limits, and that nothing they started outlives them.

use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use mcp_core::command::{Command, CommandError, Finished, Limits, SEARCH_PATH, dies_with_caller};

const SOON: Duration = Duration::from_secs(30);

fn shell(script: &str) -> Command {
    Command::new("sh", ["-c", script])
}

fn within(timeout: Duration) -> Limits {
    Limits { timeout, ..Limits::default() }
}

fn text(finished: &Finished) -> String {
    finished.stdout.text()
}

/// Whether a process runs: one that has ended and not been waited for does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// Whether a process ends, now or very soon: a kill is delivered, and then takes effect.
fn ends(pid: &str) -> bool {
    let start = Instant::now();
    while runs(pid) && start.elapsed() < SOON {
        thread::sleep(Duration::from_millis(2));
    }
    !runs(pid)
}

#[test]
fn the_end_is_told() {
    let finished = shell("echo out; echo err >&2; exit 3").run().unwrap();
    assert_eq!((finished.code, finished.signal, finished.truncated), (Some(3), None, false));
    assert_eq!((text(&finished).as_str(), finished.stderr.text().as_str()), ("out\n", "err\n"));
    assert!(finished.duration < SOON);
    let killed = shell("kill -TERM $$").run().unwrap();
    assert_eq!((killed.code, killed.signal), (None, Some(15)));
}

#[test]
fn arguments_are_passed_as_they_are() {
    let odd = "a b; echo $(id) `id` > x | y & \n * ~ \"'";
    let finished = Command::new("printf", ["%s|", odd, "", "-n"]).run().unwrap();
    assert_eq!(text(&finished), format!("{odd}||-n|"));
    let folder = tempfile::tempdir().unwrap();
    let finished = Command::new("pwd", [""; 0]).in_folder(folder.path()).run().unwrap();
    assert_eq!(Path::new(text(&finished).trim()), folder.path().canonicalize().unwrap());
}

#[test]
fn what_cannot_be_run_is_said() {
    let error = |program: &str, args: &[&str]| Command::new(program, args).run().unwrap_err();
    for program in ["no-such-program", "", "..", "/", "/etc/passwd", "./sh", "-x"] {
        assert!(matches!(error(program, &[]), CommandError::NotFound { .. }), "{program}");
    }
    let told = error("no-such-program", &[]).to_string();
    assert!(told.contains("\"no-such-program\"") && told.contains(SEARCH_PATH), "{told}");
    assert!(matches!(error("echo", &["a", "b\0c"]), CommandError::Nul { word } if word == "b\0c"));
    assert!(matches!(error("ec\0ho", &[]), CommandError::NotFound { .. }));
    let missing = Command::new("true", [""; 0]).in_folder("/no/such/folder").run();
    assert!(matches!(missing, Err(CommandError::System { .. })));
}

#[test]
fn a_timeout_kills_grandchildren_and_what_left_the_group() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 600 & echo $! > child
        (sleep 600 & echo $! > grandchild; wait) &
        setsid sh -c 'echo $$ > left; exec sleep 600' &
        while [ ! -s left ] || [ ! -s grandchild ]; do sleep 0.01; done
        echo before; sleep 600";
    let start = Instant::now();
    let limits = within(Duration::from_millis(1500));
    let error = shell(script).in_folder(folder.path()).with_limits(limits).run().unwrap_err();
    assert!(start.elapsed() < SOON);
    let CommandError::TimedOut { timeout, left, .. } = error else { panic!("{error}") };
    assert_eq!((timeout, left.signal, text(&left).as_str()), (limits.timeout, Some(9), "before\n"));
    for name in ["child", "grandchild", "left"] {
        let pid = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(ends(&pid), "{name} outlives the command");
    }
}

#[test]
fn nothing_outlives_an_ordinary_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 600 & echo $!
        setsid sh -c 'echo $$; echo > left; exec sleep 600' &
        while [ ! -e left ]; do sleep 0.01; done";
    let start = Instant::now();
    let finished = shell(script).in_folder(folder.path()).run().unwrap();
    assert_eq!(finished.code, Some(0));
    assert!(start.elapsed() < SOON, "a child that holds the pipe keeps nobody waiting");
    let pids = text(&finished);
    assert_eq!(pids.lines().count(), 2);
    assert!(pids.lines().all(ends), "{pids}");
}

#[test]
fn the_caller_can_stop_it() {
    let start = Instant::now();
    let stop = || start.elapsed() > Duration::from_millis(100);
    let error = shell("echo here; sleep 600").run_until(&stop).unwrap_err();
    assert!(matches!(error, CommandError::Stopped { left, .. } if text(&left) == "here\n"));
    assert!(start.elapsed() < SOON);
}

#[test]
fn output_is_capped_at_both_ends() {
    let limits = Limits { stdout: 20, stderr: 0, ..Limits::default() };
    let finished = shell("echo x >&2; seq 1 1000000").with_limits(limits).run().unwrap();
    let numbers: u64 = (1..=1_000_000_u64).map(|number| number.to_string().len() as u64 + 1).sum();
    assert_eq!(finished.stdout.head, b"1\n2\n3\n4\n5\n");
    assert_eq!(finished.stdout.tail, b"9\n1000000\n");
    assert_eq!((finished.stdout.left_out, finished.stderr.left_out), (numbers - 20, 2));
    assert!(finished.truncated && finished.code == Some(0));
}

#[test]
fn output_and_input_may_be_binary_and_large() {
    let bytes: Vec<u8> =
        (0..1_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let limits = Limits { stdout: 2_000_000, ..Limits::default() };
    let finished = Command::new("cat", ["-"]).with_input(bytes.clone()).with_limits(limits).run().unwrap();
    assert!(finished.stdout.head == bytes && !finished.truncated);
    let deaf = Command::new("true", [""; 0]).with_input(bytes).run().unwrap();
    assert_eq!(deaf.code, Some(0), "a command may leave its input unread");
    let none = Command::new("cat", [""; 0]).run().unwrap();
    assert_eq!(text(&none), "");
}

#[test]
fn the_environment_is_scrubbed() {
    // Set by the test runner or the shell, and none of the few that pass.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() && std::env::var_os("PATH").is_some());
    let finished = Command::new("env", [""; 0]).with_variable("MINE", "a b\n").run().unwrap();
    let seen = text(&finished);
    let names: Vec<_> = seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(names.contains(&"MINE") && seen.contains(&format!("PATH={SEARCH_PATH}\n")), "{seen}");
    let passes = [
        "MINE",
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TERM",
        "TZ",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "MCP_COMMAND_MARK",
    ];
    assert!(names.iter().all(|name| passes.contains(name) || name.starts_with("LC_")), "{seen}");
    for name in ["LD_PRELOAD", "PATH", "GIT_DIR", "A=B"] {
        let refused = Command::new("true", [""; 0]).with_variable(name, "x").run();
        assert!(matches!(refused, Err(CommandError::Variable { name: told }) if told == name), "{name}");
    }
}

/// What the test below runs as a process of its own, to be killed; alone it has nothing to do.
#[test]
fn a_caller_that_is_killed() {
    if std::env::var_os("MCP_CORE_TEST_SLEEPER").is_some() {
        shell("echo $$ > sleeper; exec sleep 600").run().unwrap();
    }
}

#[test]
fn a_command_dies_with_a_caller_that_is_killed() {
    if !dies_with_caller() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut caller = process::Command::new(std::env::current_exe().unwrap());
    caller.args(["--exact", "a_caller_that_is_killed"]).env("MCP_CORE_TEST_SLEEPER", "1");
    let mut caller = caller.current_dir(folder.path()).stdout(process::Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    let pid = loop {
        let pid = std::fs::read_to_string(folder.path().join("sleeper")).unwrap_or_default();
        if pid.ends_with('\n') {
            break pid;
        }
        assert!(start.elapsed() < SOON);
        thread::sleep(Duration::from_millis(2));
    };
    assert!(runs(&pid));
    caller.kill().unwrap();
    caller.wait().unwrap();
    assert!(ends(&pid), "the command outlives its caller");
}
