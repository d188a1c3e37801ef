//! `doctor`: what this machine can do, what disturbs it, and what to do about it.

use std::process::Command;

use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::{open, style};
use crate::experiment::context::Context;
use crate::machine::features::Features;
use crate::machine::{probe_python, rustc_cfg};

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
    let context = open()?;
    let mut findings = vec![linker(&context)];
    findings.extend(flagsets(&context)?);
    findings.extend(native(&context));
    findings.extend(state(&context));
    findings.extend(tools());
    findings.push(python());
    findings.extend(context.foreign.iter().map(|foreign| {
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
    outln!(
        "{} · {} cores · {}",
        context.environment.class(),
        context.environment.cores,
        context.environment.kernel
    );
    let style = style(shared);
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
        outln!("{painted} {}\n    {}", finding.what, finding.means);
        if let Some(remedy) = &finding.remedy {
            outln!("    → {remedy}");
        }
    }
    Ok(Exit::Fine)
}

fn linker(context: &Context) -> Finding {
    match &context.environment.toolchain.linker {
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

fn flagsets(context: &Context) -> anyhow::Result<Vec<Finding>> {
    let host = Features::host();
    let mut runs = Vec::new();
    let mut findings = Vec::new();
    for flagset in context.flagsets.0.values() {
        let missing =
            Features::from_rustc_cfg(&rustc_cfg(&context.root, &flagset.flags)?).missing_from(&host);
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

fn native(context: &Context) -> Option<Finding> {
    let environment = &context.environment;
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

fn state(context: &Context) -> Vec<Finding> {
    let environment = &context.environment;
    let cores = environment.cores as f64;
    let mut findings = Vec::new();
    if environment.load > 0.3 * cores {
        findings.push(finding(
            Sign::Mind,
            format!("load {:.1} on {} cores", environment.load, environment.cores),
            "other work shares the cores: more launches will be needed to decide",
            Some("stop other work, or measure with --full"),
        ));
    } else {
        findings.push(finding(
            Sign::Good,
            format!("load {:.1} on {} cores", environment.load, environment.cores),
            "nothing else is busy",
            None,
        ));
    }
    findings.push(match environment.pinned_to {
        Some(core) => finding(
            Sign::Good,
            format!("arms are pinned to core {core}"),
            "they take turns there, and never run side by side",
            None,
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
            Some("raise the limit: `ulimit -e 30` as root, or nice in limits.conf"),
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
