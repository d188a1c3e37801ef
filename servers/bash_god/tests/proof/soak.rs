//! Many runs of the server's own program that end in every way there is: by themselves, at a timeout, cancelled,
//! killed by their handle, with the client gone, with the server killed. No process and no file may be left.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mcp_testing::client::{Process, call, initialize};
use mcp_testing::schema::Numbers;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use serde_json::{Value, json};

/// How long processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Commands of a session at most: as many as a server starts at once, and fewer than its rate lets through.
const MOST: u64 = 16;

/// Rules under which nothing is asked for but what is unclear.
pub const POLICY: &str = "base = 'none'

[[rule]]
name = 'all'
decision = 'allow'
program = ['*']
match = ['rm -rf /']
no_match = ['eval $X']
";

/// How a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// All answers are waited for, but those of calls that were cancelled.
    Answered,
    /// The client closes the server's input while commands run.
    InputClosed,
    /// The client is gone, its end of the output as well.
    Vanished,
    /// The server is asked to end.
    Terminated,
    /// The server is killed.
    Killed,
    /// The commands run in the background; some are killed by their handles.
    Background,
}

const ENDINGS: [Ending; 6] = [
    Ending::Answered,
    Ending::InputClosed,
    Ending::Vanished,
    Ending::Terminated,
    Ending::Killed,
    Ending::Background,
];

/// How much was done.
#[derive(Debug, Default)]
pub struct Tally {
    /// Commands that were started, by the server's own audit log.
    pub runs: u64,
    sessions: BTreeMap<Ending, u64>,
    /// Answers, by the state of the run.
    answers: BTreeMap<String, u64>,
}

/// Where the runs take place.
struct Ground {
    base: tempfile::TempDir,
    /// How long the sleepers of these runs sleep: a number that no other process carries.
    sleep: String,
}

impl Ground {
    fn new() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let sleep = format!("86400.{}{}", std::process::id(), since.as_nanos());
        let ground = Self { base: tempfile::tempdir().unwrap(), sleep };
        for folder in ["root", "outside", "home", "temporary", "state"] {
            fs::create_dir(ground.path(folder)).unwrap();
        }
        fs::write(ground.path("outside/canary"), "canary").unwrap();
        fs::write(ground.path("root/new"), "").unwrap();
        fs::write(ground.path("policy.toml"), POLICY).unwrap();
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.base.path().canonicalize().unwrap().join(name)
    }

    fn server(&self) -> Command {
        // Another build of it can be named, such as the one that is shipped.
        let program = std::env::var_os("BASH_GOD_MCP");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_bash-god-mcp").into()));
        for (option, value) in [("--root", "root"), ("--state", "state"), ("--policy", "policy.toml")] {
            command.arg(option).arg(self.path(value));
        }
        command.args(["--run-without", "process-limit"]);
        command.env("TMPDIR", self.path("temporary")).env("HOME", self.path("home"));
        command
    }

    /// Everything below, but for the state.
    fn files(&self) -> Vec<PathBuf> {
        let state = self.path("state");
        let mut found = Vec::new();
        let mut waiting = vec![self.path("")];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() && entry.path() != state {
                    waiting.push(entry.path());
                }
                found.push(entry.path());
            }
        }
        found.sort();
        found
    }

    /// Commands that the audit log says were started.
    fn started(&self) -> u64 {
        let text = fs::read_to_string(self.path("state/audit.jsonl")).unwrap_or_default();
        text.matches("\"event\":\"start\"").count() as u64
    }

    /// Writes in its directory, in the private one and, in vain, outside; starts sleepers that want to stay.
    fn script(&self, numbers: &mut Numbers) -> String {
        let sleep = &self.sleep;
        let mut script =
            format!("echo x > new\necho x > /tmp/new\necho x > ../outside/new\nsleep {sleep} &\n");
        script += &format!("(setsid sleep {sleep} &)\n");
        if numbers.coin() {
            script += &format!("sleep {sleep}\n");
        }
        script
    }

    /// Waits until no process of the session is left: none that carries the number, and no child of this one, to
    /// which whoever loses its parent is given.
    fn wait_for_quiet(&self, session: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Those that were given to this process and have ended; its own children were waited for.
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            let left = left(&self.sleep);
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "session {session} leaves processes: {left:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Processes whose arguments hold `word`, and children of this process, by number and arguments.
fn left(word: &str) -> Vec<(i32, String)> {
    let own = getpid().as_raw_nonzero().get();
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids =
        pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).filter(|pid| *pid != own);
    let mut found = Vec::new();
    for pid in pids {
        let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&read("cmdline")).replace('\0', " ");
        let status = String::from_utf8_lossy(&read("status")).into_owned();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t")?.parse::<i32>().ok());
        if parent == Some(own) || arguments.contains(word) {
            found.push((pid, arguments));
        }
    }
    found
}

/// Runs sessions from number `from` on until `runs` commands were started. `progress` is called after each session.
pub fn soak(runs: u64, seed: u64, from: u64, progress: impl Fn(u64, &Tally)) -> Tally {
    set_child_subreaper(Some(getpid())).unwrap();
    let mut tally = Tally::default();
    let ground = Ground::new();
    let before = ground.files();
    for session in from.. {
        if tally.runs >= runs {
            break;
        }
        // Each session by itself, so that one can be repeated without those before it.
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ session);
        let ending = *numbers.pick(&ENDINGS);
        one(&ground, ending, &mut numbers, &mut tally);
        *tally.sessions.entry(ending).or_insert(0) += 1;
        ground.wait_for_quiet(session);
        assert_eq!(ground.files(), before, "session {session} leaves files");
        tally.runs = ground.started();
        progress(session, &tally);
    }
    assert_eq!(fs::read_to_string(ground.path("outside/canary")).unwrap(), "canary");
    assert!(state_is_readable(&ground), "what was remembered cannot be read any more");
    tally
}

/// A server that is started once more finds its history as it was left.
fn state_is_readable(ground: &Ground) -> bool {
    let mut process = Process::start(&mut ground.server());
    process.open();
    let answer = process.call("history", &json!({"limit": 1}));
    process.close();
    answer["result"]["isError"] != true && answer["result"]["structuredContent"]["notice"].is_null()
}

fn one(ground: &Ground, ending: Ending, numbers: &mut Numbers, tally: &mut Tally) {
    let count = 1 + numbers.below(MOST);
    let background = ending == Ending::Background;
    let calls: Vec<Value> = (1..=count)
        .map(|id| {
            let timeout = 0.1 + numbers.below(200) as f64 / 1000.0;
            let script = ground.script(numbers);
            let profile = *numbers.pick(&["read", "workspace", "workspace+net"]);
            let arguments = json!({
                "command": script, "profile": profile, "timeout_s": timeout, "background": background,
            });
            call(id, "command_run", &arguments)
        })
        .collect();
    if ending == Ending::Vanished {
        return vanish(ground, &calls, numbers);
    }
    let mut process = Process::start(&mut ground.server());
    process.open();
    for call in &calls {
        process.send(call);
    }
    match ending {
        Ending::Answered => {
            let cancelled: Vec<u64> = (1..=count).filter(|_| numbers.below(4) == 0).collect();
            std::thread::sleep(Duration::from_millis(numbers.below(100)));
            for id in &cancelled {
                let params = json!({"requestId": id});
                process
                    .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}));
            }
            answers(&mut process, (1..=count).filter(|id| !cancelled.contains(id)).collect(), tally);
            assert!(process.close().1.success());
        }
        Ending::Background => {
            let handles = answers(&mut process, (1..=count).collect(), tally);
            for (id, handle) in (count + 1..).zip(handles.iter().filter(|_| numbers.coin())) {
                process.send(&call(id, "run_output", &json!({"handle": handle, "action": "kill"})));
            }
            std::thread::sleep(Duration::from_millis(numbers.below(100)));
            assert!(process.close().1.success());
        }
        Ending::InputClosed => {
            std::thread::sleep(Duration::from_millis(numbers.below(400)));
            assert!(process.close().1.success());
        }
        Ending::Terminated | Ending::Killed => {
            std::thread::sleep(Duration::from_millis(numbers.below(400)));
            let signal = if ending == Ending::Killed { Signal::KILL } else { Signal::TERM };
            kill_process(Pid::from_raw(process.child.id().cast_signed()).unwrap(), signal).unwrap();
            process.child.wait().unwrap();
        }
        Ending::Vanished => {}
    }
}

/// A client that is not there any more: it never reads, and both its pipes end at once.
fn vanish(ground: &Ground, calls: &[Value], numbers: &mut Numbers) {
    use std::io::Write;

    let mut child =
        ground.server().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let opened = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for message in [&initialize(), &opened].into_iter().chain(calls) {
        input.write_all(format!("{message}\n").as_bytes()).unwrap();
    }
    std::thread::sleep(Duration::from_millis(numbers.below(400)));
    drop((child.stdout.take(), input));
    child.wait().unwrap();
}

/// Waits for the answers of these calls, agreeing to whatever is asked; the handles in them.
fn answers(process: &mut Process, mut waiting: Vec<u64>, tally: &mut Tally) -> Vec<String> {
    let mut handles = Vec::new();
    while !waiting.is_empty() {
        let message = process.receive();
        if message["method"] == "elicitation/create" {
            let result = json!({"action": "accept", "content": {"confirm": true}});
            process.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
            continue;
        }
        let Some(id) = message["id"].as_u64().filter(|_| message.get("method").is_none()) else { continue };
        waiting.retain(|waiting| *waiting != id);
        let result = &message["result"];
        let status = if result["isError"] == true {
            result["content"][0]["text"].as_str().unwrap_or("?").to_owned()
        } else {
            result["structuredContent"]["status"].as_str().unwrap_or("no status").to_owned()
        };
        *tally.answers.entry(status).or_insert(0) += 1;
        handles.extend(result["structuredContent"]["handle"].as_str().map(str::to_owned));
    }
    handles
}

/// A few hundred runs.
pub fn hundreds_of_runs_leave_nothing_behind() {
    let tally = soak(300, 42, 0, |_, _| {});
    println!("{tally:?}");
    assert_eq!(tally.sessions.len(), ENDINGS.len(), "a session ended in each of the ways");
    for status in ["exited", "timed_out", "running"] {
        assert!(tally.answers.contains_key(status), "no run was {status}: {:?}", tally.answers);
    }
}

/// As many as are asked for; says now and then how far it is.
pub fn long(arguments: &[String]) {
    let numbers: Vec<u64> = arguments.iter().map(|text| text.parse().unwrap()).collect();
    let number = |at: usize, default| numbers.get(at).copied().unwrap_or(default);
    let (runs, seed, from) = (number(0, 10_000), number(1, 42), number(2, 0));
    let started = Instant::now();
    let tally = soak(runs, seed, from, |session, tally| {
        if session % 100 == 99 {
            println!("session {session}: {} runs in {:.0} s", tally.runs, started.elapsed().as_secs_f64());
        }
    });
    println!("{} runs, nothing left: {tally:?}", tally.runs);
}
