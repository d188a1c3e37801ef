//! `doctor`: what this machine can do, what disturbs it, and what to do about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::{current, style};
use crate::experiment::context::{flagsets as flagsets_of, foreign_here};
use crate::experiment::surroundings::{environment_or_system, workspace_root};
use crate::machine::features::Features;
use crate::machine::{Environment, cores as cores_here, probe_python, rustc_cfg};

/// How a finding stands.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Sign {
    Good,
    Lacking,
    Mind,
}

#[derive(serde::Serialize)]
struct Finding {
    sign: Sign,
    what: String,
    means: String,
    remedy: Option<String>,
}

fn finding(sign: Sign, what: impl Into<String>, means: impl Into<String>, remedy: Option<&str>) -> Finding {
    Finding { sign, what: what.into(), means: means.into(), remedy: remedy.map(str::to_owned) }
}

/// Prints the findings.
pub(crate) fn doctor(shared: &Shared) -> anyhow::Result<Exit> {
    let environment = environment_or_system();
    let workspace = workspace_root(&current()?);
    let root = workspace.as_ref().map_or(Path::new("."), PathBuf::as_path);
    let mut findings = Vec::new();
    findings.extend(workspace.as_ref().err().map(no_workspace));
    if environment.toolchain.is_absent() {
        findings.push(no_compiler());
    } else {
        findings.push(linker(&environment));
        findings.extend(flagsets(root)?);
        findings.extend(native(&environment));
    }
    findings.extend(state(&environment));
    findings.extend(tools());
    findings.push(python());
    findings.extend(foreign_here(root).iter().map(|foreign| {
        let (means, remedy) = if foreign.in_force {
            (
                "it changes every arm alike, and the code that you ship may differ",
                "take it out while measuring",
            )
        } else {
            ("the lab switches it off for its own builds", "")
        };
        finding(
            Sign::Mind,
            format!("{}: {}", foreign.place, foreign.setting),
            means,
            Some(remedy).filter(|text| !text.is_empty()),
        )
    }));
    if shared.format == Format::Json {
        outln!("{}", serde_json::to_string_pretty(&findings)?);
        return Ok(Exit::Fine);
    }
    let style = style(shared);
    let head = format!("{} · {} cores · {}", environment.class(), environment.cores, environment.kernel);
    outln!("{}", style.signs(&head));
    for finding in &findings {
        let sign = match (finding.sign, style.unicode) {
            (Sign::Good, true) => "✓",
            (Sign::Good, false) => "ok",
            (Sign::Lacking, true) => "✗",
            (Sign::Lacking, false) => "no",
            (Sign::Mind, _) => "!",
        };
        let painted = match (style.color, finding.sign) {
            (true, Sign::Good) => format!("\u{1b}[32m{sign}\u{1b}[0m"),
            (true, Sign::Lacking) => format!("\u{1b}[31m{sign}\u{1b}[0m"),
            (true, Sign::Mind) => format!("\u{1b}[33m{sign}\u{1b}[0m"),
            (false, _) => sign.to_owned(),
        };
        outln!("{painted} {}\n    {}", style.signs(&finding.what), style.signs(&finding.means));
        if let Some(remedy) = &finding.remedy {
            outln!("    {} {}", style.signs("→"), style.signs(remedy));
        }
    }
    Ok(Exit::Fine)
}

fn no_workspace(wrong: &anyhow::Error) -> Finding {
    finding(
        Sign::Mind,
        format!("{wrong:#}"),
        "commands can be compared, servers measured and records read; nothing can be built",
        Some("run the doctor in the workspace whose crates are to be measured"),
    )
}

fn no_compiler() -> Finding {
    finding(
        Sign::Lacking,
        "no rustc that can be run",
        "nothing can be built; commands can be compared, servers measured and records read",
        Some("install Rust with rustup (https://rustup.rs), or say rustup default stable where it is there"),
    )
}

fn linker(environment: &Environment) -> Finding {
    match &environment.toolchain.linker {
        Some(linker) => {
            finding(Sign::Good, format!("{linker}, bundled with rustc"), "layouts can be shuffled", None)
        }
        None => finding(
            Sign::Lacking,
            "no lld in this toolchain",
            "every launch runs the same layout, and intervals leave the spread of layouts out",
            Some("install Rust from rustup: its toolchains bring lld"),
        ),
    }
}

fn flagsets(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let host = Features::host();
    let mut runs = Vec::new();
    let mut findings = Vec::new();
    let flagsets = flagsets_of(root)?;
    for flagset in flagsets.0.values() {
        let missing = Features::from_rustc_cfg(&rustc_cfg(root, &flagset.flags)?).missing_from(&host);
        if missing.is_empty() {
            runs.push(flagset.name.as_str());
        } else {
            let stand_in =
                (flagset.target_cpu() == Some("znver4") && missing.contains("sse4a") && missing.len() == 1)
                    .then_some("use znver4-no-sse4a, or take the binary to a Zen 4 machine");
            let means =
                format!("cannot run: {} (the census decides what its code really needs)", flagset.name);
            findings.push(finding(Sign::Lacking, format!("this CPU has no {missing}"), means, stand_in));
        }
    }
    findings.insert(0, finding(Sign::Good, "flag sets", format!("can run: {}", runs.join(" ")), None));
    Ok(findings)
}

fn native(environment: &Environment) -> Option<Finding> {
    let native = &environment.toolchain.native;
    if environment.is_cpu(native) {
        return None;
    }
    let here = environment.cpu.microarchitecture.as_deref().unwrap_or("an unknown micro-architecture");
    Some(finding(
        Sign::Mind,
        format!("target-cpu=native resolves to {native} on {here}"),
        "a hypervisor may hide the model; records keep the features beside the name",
        None,
    ))
}

fn state(environment: &Environment) -> Vec<Finding> {
    let cores = environment.cores;
    let mut findings = Vec::new();
    findings.push(match environment.load {
        Some(load) if load > 0.3 * cores as f64 => finding(
            Sign::Mind,
            format!("load {load:.1} on {cores} cores"),
            "other work shares the cores: more launches will be needed to decide",
            Some("stop other work, or measure with --full"),
        ),
        Some(load) => {
            finding(Sign::Good, format!("load {load:.1} on {cores} cores"), "nothing else is busy", None)
        }
        None => finding(
            Sign::Mind,
            "the system does not tell its load",
            "other work may share the cores unseen",
            Some("mount /proc without subset=pid"),
        ),
    });
    findings.push(match environment.pinned_to {
        Some(core) => finding(
            Sign::Good,
            format!("arms are pinned to core {core}"),
            "they take turns there, and never run side by side",
            None,
        ),
        None if cores_here().len() > 1 => finding(
            Sign::Mind,
            "pinning to a core is refused",
            "arms move between cores, which adds noise",
            Some("allow sched_setaffinity in the sandbox or the seccomp profile"),
        ),
        None => finding(
            Sign::Mind,
            "one core only",
            "the lab shares it with what it measures",
            Some("give it two cores"),
        ),
    });
    findings.push(match environment.nice {
        Some(nice @ ..0) => finding(
            Sign::Good,
            format!("priority can be raised (nice {nice})"),
            "arms are interrupted less",
            None,
        ),
        _ => finding(
            Sign::Mind,
            "priority cannot be raised",
            "arms run at the priority of everything else",
            Some("give it CAP_SYS_NICE, or raise the limit: `ulimit -e 30` as root, or nice in limits.conf"),
        ),
    });
    if let Some(governor) = environment.governor.as_deref().filter(|governor| *governor != "performance") {
        findings.push(finding(
            Sign::Mind,
            format!("frequency governor {governor}"),
            "the clock follows the load",
            Some("cpupower frequency-set -g performance"),
        ));
    }
    if let Some(quota) = environment.quota {
        findings.push(finding(
            Sign::Mind,
            format!("CPU quota of {quota:.2} cores"),
            "the control group pauses processes that exceed it",
            None,
        ));
    }
    findings
}

/// The interpreter that calls are measured from.
fn python() -> Finding {
    const NAME: &str = "python3";
    match probe_python(NAME) {
        Ok(interpreter) if interpreter.headers => finding(
            Sign::Good,
            interpreter.python.name(),
            "calls from Python can be measured (the floor in C takes a cc)",
            None,
        ),
        Ok(interpreter) => finding(
            Sign::Lacking,
            format!("no C headers of {}", interpreter.python.name()),
            "the floor of calls from Python cannot be compiled",
            Some("apt-get install python3-dev, or another interpreter with --python"),
        ),
        Err(wrong) => finding(
            Sign::Lacking,
            wrong,
            "no calls from Python",
            Some("apt-get install python3-dev, or another interpreter with --python"),
        ),
    }
}

fn tools() -> Vec<Finding> {
    let version = |program: &str| {
        let output = Command::new(program).arg("--version").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().trim().to_owned())
    };
    vec![
        match version("valgrind") {
            Some(valgrind) => finding(
                Sign::Good,
                valgrind,
                "instruction counts for code up to AVX2 (no Valgrind runs AVX-512)",
                None,
            ),
            None => finding(
                Sign::Lacking,
                "no Valgrind",
                "no instruction counts",
                Some("apt-get install valgrind"),
            ),
        },
        match version("gungraun-runner") {
            Some(runner) => finding(Sign::Good, runner, "`cargo bench --bench counts` works", None),
            None => finding(
                Sign::Lacking,
                "no gungraun-runner",
                "`cargo bench --bench counts` cannot run",
                Some("cargo install gungraun-runner, in the version of the gungraun in Cargo.lock"),
            ),
        },
    ]
}
