//! What runs as the first process of the namespaces: looks whether they hold, makes the canaries, runs the cases.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use mcp_sandbox::{Capabilities, Job, Layer, Profile, Reason, Sandbox};
use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};

use crate::corpus::{Case, cases};
use crate::ground::{Ground, PROJECT, SECRET, make_template};
use crate::state::State;
use crate::witnesses::{Witnesses, end};

/// How long a command may take: enough for its effects, which come first.
pub const TIME: Duration = Duration::from_millis(1_000);

/// How long a command may take where nothing holds it back. Longer, because a busy machine must not hide an effect.
const PLAIN_TIME: Duration = Duration::from_secs(6);
/// How long processes may take to be gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// Private temporary directories of runs without namespaces.
pub const SCRATCH: &str = "/run/scratch";

/// How a case was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum View {
    /// In the sandbox with all it has; the project may be changed.
    Namespaces,
    /// As on hosts without namespaces.
    LandlockAlone,
    /// In the sandbox; nothing may be changed.
    ReadOnly,
    /// In the sandbox, with a network.
    Network,
    /// By the server, whose policy allows everything and whose client agrees to whatever it is asked.
    Served,
    /// Without any sandbox: what the canaries are for.
    Plain,
}

/// What came of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    pub case: usize,
    pub view: View,
    pub end: String,
    pub effects: Vec<String>,
}

/// Runs what `arguments` name; called in the namespaces alone.
pub fn run(arguments: &[String]) -> ExitCode {
    let mut out = io::stdout().lock();
    let done = guard().and_then(|()| match arguments {
        [how, path] if how == "changing" => {
            sandboxed(&[View::LandlockAlone, View::Namespaces], path, &mut out)
        }
        [how, path] if how == "profiles" => sandboxed(&[View::ReadOnly, View::Network], path, &mut out),
        [how, path] if how == "served" => crate::served::cases(&cases(Path::new(path))?, &mut out),
        [how, path] if how == "plain" => plain(&cases(Path::new(path))?, &mut out),
        [how, path] if how == "differential" => crate::differential::inside(Path::new(path), &mut out),
        _ => Err(io::Error::other(format!("no such way to run: {arguments:?}"))),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "proof: {error}");
            ExitCode::from(9)
        }
    }
}

/// Makes sure that nothing of the machine can be reached, before anything is run: another look, by other means than
/// the script that made the namespaces.
fn guard() -> io::Result<()> {
    let refuse = |why: String| Err(io::Error::other(format!("{why}: nothing was run")));
    if std::process::id() != 1 {
        return refuse("this is not the first process of a namespace".to_owned());
    }
    for line in fs::read_to_string("/proc/self/mountinfo")?.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let (target, options) = (fields[4], fields[5]);
        let dash = fields.iter().position(|field| *field == "-").unwrap_or(fields.len());
        let kind = fields.get(dash + 1..dash + 3).unwrap_or_default();
        let own = kind == ["tmpfs", "canary"] || kind == ["proc", "proc"] && target == "/proc";
        let device =
            ["null", "zero", "full", "random", "urandom"].iter().any(|name| target == format!("/dev/{name}"));
        if !own && !device && !options.split(',').any(|option| option == "ro") {
            return refuse(format!("{target} can be written"));
        }
    }
    for path in ["/usr", "/bin", "/sbin", "/lib", "/lib64", "/usr/bin/env", "/given"] {
        if access(path, Access::WRITE_OK).is_ok() {
            return refuse(format!("{path} can be written"));
        }
    }
    for path in ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory"] {
        if access(path, Access::WRITE_OK).is_ok() {
            return refuse(format!("{path} can be written"));
        }
    }
    // Its programs must be the only ones; those of the machine would show up here.
    let processes = fs::read_dir("/proc")?
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok()));
    if processes.count() != 1 {
        return refuse("other processes can be seen".to_owned());
    }
    Ok(())
}

/// The canaries in `/`, the witnesses, and what they looked like.
pub struct Scene {
    ground: Ground,
    witnesses: Witnesses,
    skip: Vec<PathBuf>,
    outside: State,
    project: State,
}

impl Scene {
    /// Makes it in `/`.
    pub fn make() -> io::Result<Self> {
        loopback()?;
        let template = PathBuf::from("/template");
        make_template(&template)?;
        let ground = Ground::make(Path::new("/"), &template)?;
        fs::create_dir_all(SCRATCH)?;
        let witnesses = Witnesses::start(&ground)?;
        let skip = skipped(&ground);
        let outside = State::of(&ground.path("/"), &skip)?;
        let project = State::of(&ground.path(PROJECT), &[])?;
        Ok(Self { ground, witnesses, skip, outside, project })
    }

    /// What has changed since the last call, in the words of a report; the canaries are repaired then.
    pub fn effects(&mut self, view: View, outputs: &[&[u8]]) -> io::Result<Vec<String>> {
        let outside = State::of(&self.ground.path("/"), &self.skip)?;
        let differences = self.outside.differences(&outside);
        let mut effects: Vec<String> =
            differences.iter().map(|each| format!("{:?} {}", each.kind, each.path.display())).collect();
        let network = view == View::Network;
        let seen = self.witnesses.effects(PATIENCE)?;
        effects.extend(seen.into_iter().filter(|effect| !(network && effect.contains("connections"))));
        let project = self.ground.path(PROJECT);
        let inside = self.project.differences(&State::of(&project, &[])?);
        if view == View::ReadOnly {
            effects.extend(inside.iter().map(|each| format!("{:?} {}", each.kind, each.path.display())));
        }
        let told = outputs.iter().any(|bytes| holds(bytes));
        let is_file = |path: &Path| path.symlink_metadata().is_ok_and(|found| found.is_file());
        let mut new = inside.iter().map(|each| &each.path).filter(|path| is_file(path));
        if told || new.any(|path| fs::read(path).is_ok_and(|content| holds(&content))) {
            effects.push("a secret was read".to_owned());
        }
        if !effects.is_empty() || !inside.is_empty() {
            self.ground.make_project()?;
            self.project = State::of(&project, &[])?;
        }
        if !differences.is_empty() {
            self.ground = Ground::make(Path::new("/"), Path::new("/template"))?;
            self.outside = State::of(Path::new("/"), &self.skip)?;
        }
        Ok(effects)
    }
}

/// Parts of the ground that are not canaries.
pub fn skipped(ground: &Ground) -> Vec<PathBuf> {
    let parts = ["/proc", "/given", "/template", "/run", "/w", PROJECT];
    let mut skip: Vec<PathBuf> = parts.iter().map(|part| ground.path(part)).collect();
    let usr = ground.path("/usr");
    // Read-only, and large: but for the one directory that is a canary.
    for (folder, but) in [(usr.clone(), "local"), (usr.join("local"), "games")] {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        skip.extend(entries.map(|entry| entry.path()).filter(|path| !path.ends_with(but)));
    }
    skip.extend(["null", "zero", "full", "random", "urandom"].map(|device| ground.path("/dev").join(device)));
    skip
}

fn holds(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}

/// Brings the loopback interface of the namespace up.
fn loopback() -> io::Result<()> {
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).stdin(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other("the loopback interface cannot be brought up"))
    }
}

impl View {
    /// What the sandbox lets commands do.
    fn profile(self) -> Profile {
        match self {
            Self::LandlockAlone | Self::Namespaces | Self::Served | Self::Plain => Profile::Workspace,
            Self::ReadOnly => Profile::Read,
            Self::Network => Profile::WorkspaceNet,
        }
    }
}

/// Every case of a file in each of the views that the host can give, none refused.
fn sandboxed(views: &[View], path: &str, out: &mut impl Write) -> io::Result<()> {
    let cases = cases(Path::new(path))?;
    let capabilities = mcp_sandbox::offered().map_err(io::Error::other)?;
    let mut scene = Scene::make()?;
    for &view in views.iter().filter(|view| capabilities.namespaces || **view != View::Namespaces) {
        let sandbox = sandbox(view, &capabilities)?;
        for (number, case) in cases.iter().enumerate() {
            let job = job(view.profile(), &case.command);
            let (end, outputs) = match sandbox.run(&job) {
                Ok(outcome) => {
                    (ended(outcome.reason, outcome.leftover), vec![outcome.stdout, outcome.stderr])
                }
                Err(error) => (format!("not run: {error}"), Vec::new()),
            };
            if case.later() {
                std::thread::sleep(TIME);
            }
            let parts: Vec<&[u8]> =
                outputs.iter().flat_map(|output| [&output.head[..], &output.tail]).collect();
            let effects = scene.effects(view, &parts)?;
            say(out, &Finding { case: number, view, end, effects })?;
        }
    }
    Ok(())
}

fn ended(reason: Reason, leftover: u32) -> String {
    if leftover > 0 { format!("{leftover} processes could not be ended") } else { format!("{reason:?}") }
}

fn sandbox(view: View, capabilities: &Capabilities) -> io::Result<Sandbox> {
    let mut capabilities = capabilities.clone();
    if view == View::LandlockAlone {
        capabilities.namespaces = false;
        capabilities.own_pid_max = false;
    }
    // Here the limit of the namespaces bounds processes.
    let sandbox =
        Sandbox::new(&[PROJECT], capabilities).map_err(io::Error::other)?.accept(Layer::ProcessLimit);
    sandbox.with_scratch(Path::new(SCRATCH)).map_err(io::Error::other)
}

fn job(profile: Profile, command: &str) -> Job {
    // As the server does.
    let mut job = Job::script(profile, ["/bin/bash", "--noprofile", "--norc"], command);
    job.limits.time = TIME;
    job.limits.cpu_seconds = 2;
    job.limits.address_space = 1 << 30;
    job.limits.processes = 64;
    job.limits.file_size = 4 << 20;
    job.limits.scratch = 8 << 20;
    job
}

/// Every case without a sandbox, each in a system of its own below `/w`, which it can ruin.
fn plain(cases: &[Case], out: &mut impl Write) -> io::Result<()> {
    loopback()?;
    let template = PathBuf::from("/template");
    make_template(&template)?;
    for (number, case) in cases.iter().enumerate() {
        let place = crate::place::Place::make(Path::new("/w"), &template)?;
        let mut witnesses = Witnesses::start(&place.ground)?;
        let skip = skipped(&place.ground);
        let before = State::of(&place.ground.path("/"), &skip)?;
        let run = place.run(&case.command, PLAIN_TIME)?;
        if case.later() {
            std::thread::sleep(TIME);
        }
        let after = State::of(&place.ground.path("/"), &skip)?;
        let differences = before.differences(&after);
        let mut effects: Vec<String> =
            differences.iter().map(|each| format!("{:?} {}", each.kind, each.path.display())).collect();
        effects.extend(witnesses.effects(Duration::ZERO)?);
        if holds(&run.output) {
            effects.push("a secret was read".to_owned());
        }
        drop(witnesses);
        end(&BTreeSet::from([1]));
        say(out, &Finding { case: number, view: View::Plain, end: run.end, effects })?;
    }
    Ok(())
}

/// Where the programs of commands are.
const FOLDERS: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];

/// Words that bash itself carries out.
const BUILT_IN: &str = " . : [ alias bg bind break builtin caller cd command compgen complete continue declare dirs disown \
                        echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local \
                        logout mapfile popd printf pushd pwd read readarray readonly return set shift shopt source \
                        suspend test times trap true type typeset ulimit umask unalias unset wait ";

/// Whether a command of this name can be run.
pub fn is_present(name: &str) -> bool {
    BUILT_IN.contains(&format!(" {name} "))
        || FOLDERS.iter().any(|folder| Path::new(folder).join(name).exists())
}

/// Tells what came of a case.
pub fn say(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(finding)?)?;
    out.flush()
}
