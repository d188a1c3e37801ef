//! `mcp-sandbox doctor` and `mcp-sandbox run`: the sandbox by hand, and the supervisor for libraries that live in
//! foreign programs.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use mcp_sandbox::{Job, Layer, Profile, Reason, Sandbox, enter_if_asked, offered};

const USAGE: &str = "\
usage: mcp-sandbox doctor
       mcp-sandbox run [--root DIR]… [--profile read|workspace|workspace+net] [--timeout SECONDS]
                       [--no-namespaces] [--accept-unbounded-processes] -- PROGRAM [ARGUMENT]…

doctor  says as JSON what this host offers a sandbox.
run     runs a program in the first root (default: the current directory); its output is cleaned.
        Exit codes: the program's; 124 timed out; 125 not run; 126 cancelled or at a limit; 128+N signal N.
";

type Failed = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    if let Some(code) = enter_if_asked() {
        return code;
    }
    match command(std::env::args_os().skip(1).collect()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // Nowhere is left to say that this cannot be said.
            let _ = writeln!(std::io::stderr(), "mcp-sandbox: {error}");
            ExitCode::from(125)
        }
    }
}

fn command(arguments: Vec<OsString>) -> Result<u8, Failed> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("doctor") => {
            let text = serde_json::to_string_pretty(&offered()?)?;
            writeln!(std::io::stdout(), "{text}")?;
            Ok(0)
        }
        Some("run") => run(arguments),
        Some("--help" | "-h") => {
            std::io::stdout().write_all(USAGE.as_bytes())?;
            Ok(0)
        }
        _ => Err(format!("no such command\n{USAGE}").into()),
    }
}

fn run(mut arguments: impl Iterator<Item = OsString>) -> Result<u8, Failed> {
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut profile = Profile::Read;
    let mut timeout = None;
    let mut capabilities = offered()?;
    let mut unbounded = false;
    let value = |found: Option<OsString>, name: &str| found.ok_or(format!("{name} needs a value"));
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => break,
            Some("--root") => roots.push(value(arguments.next(), "--root")?.into()),
            Some("--profile") => profile = value(arguments.next(), "--profile")?.to_string_lossy().parse()?,
            Some("--timeout") => {
                let text = value(arguments.next(), "--timeout")?;
                let seconds =
                    text.to_string_lossy().parse().map_err(|_| "--timeout needs a number of seconds")?;
                timeout =
                    Some(Duration::try_from_secs_f64(seconds).map_err(|_| "--timeout is out of range")?);
            }
            Some("--no-namespaces") => {
                capabilities.namespaces = false;
                capabilities.own_pid_max = false;
            }
            Some("--accept-unbounded-processes") => unbounded = true,
            _ => return Err(format!("unknown option {}\n{USAGE}", argument.display()).into()),
        }
    }
    if roots.is_empty() {
        roots.push(std::env::current_dir()?);
    }
    let mut sandbox = Sandbox::new(&roots, capabilities)?;
    if unbounded {
        sandbox = sandbox.accept(Layer::ProcessLimit);
    }
    let mut job = Job::argv(profile, arguments);
    if let Some(timeout) = timeout {
        job.limits.time = timeout;
    }
    let outcome = sandbox.run(&job)?;
    std::io::stdout().write_all(outcome.stdout.text().as_bytes())?;
    std::io::stderr().write_all(outcome.stderr.text().as_bytes())?;
    Ok(match (outcome.reason, outcome.code, outcome.signal) {
        (Reason::TimedOut, ..) => 124,
        (Reason::Cancelled | Reason::Limits, ..) => 126,
        (Reason::Exited, Some(code), _) => u8::try_from(code).unwrap_or(125),
        (Reason::Exited, None, signal) => u8::try_from(128 + signal.unwrap_or(0)).unwrap_or(125),
    })
}
