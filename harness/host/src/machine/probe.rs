//! Reads what this machine is. What cannot be read is said to be unknown, never guessed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use raw_cpuid::CpuId;

use crate::machine::features::Features;
use crate::machine::quota::quota;
use crate::machine::{Cpu, Environment, Toolchain};
use crate::process::{Invocation, Limits, Output, RunError, run};

/// The most lines of an error that are reported: rustup's have two or three, and its causes.
const LONGEST_ERROR: usize = 10;

/// Reads the environment: CPU, system, toolchain.
///
/// # Errors
/// When rustc or cargo cannot be run: nothing can be built without them.
pub fn probe() -> Result<Environment, RunError> {
    let toolchain = toolchain(Path::new("."))?;
    Ok(Environment { toolchain, ..probe_system() })
}

/// As [`probe`], without the toolchain: no compiler is asked for.
#[must_use]
pub fn probe_system() -> Environment {
    Environment {
        cpu: cpu(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: memory(),
        kernel: kernel(),
        os: os_name(),
        quota: quota(),
        toolchain: Toolchain::absent(),
        load: fs::read_to_string("/proc/loadavg").ok().and_then(|text| first_number(&text)),
        governor: read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        pinned_to: None,
        nice: None,
        python: None,
    }
}

/// What `rustc --print cfg` prints under these flags in a directory, which may name a toolchain: the features that a flag
/// set enables among it.
///
/// # Errors
/// When rustc cannot be run. Flags that rustc refuses give its own message as the text of a failed output.
pub fn rustc_cfg(directory: &Path, flags: &[String]) -> Result<String, RunError> {
    let args = flags.iter().cloned().chain(["--print".to_owned(), "cfg".to_owned()]);
    asked("rustc", directory, args).map(|output| output.stdout)
}

/// Name and version of the C library that programs are linked with here, as its loader tells them.
#[must_use]
pub fn c_library() -> String {
    let said = tool("ldd", Path::new("."), ["--version".to_owned()]).ok();
    let first = said.as_ref().and_then(|text| text.lines().next()).map(str::trim);
    first.filter(|line| !line.is_empty()).unwrap_or("unknown").to_owned()
}

/// The directory of the toolchain that compiles in a directory.
///
/// # Errors
/// When rustc cannot be run.
pub fn rustc_sysroot(directory: &Path) -> Result<PathBuf, RunError> {
    Ok(PathBuf::from(tool("rustc", directory, ["--print".to_owned(), "sysroot".to_owned()])?.trim()))
}

fn asked(
    program: &str,
    directory: &Path,
    args: impl IntoIterator<Item = String>,
) -> Result<Output, RunError> {
    let mut invocation = Invocation::new(program, args).in_folder(directory);
    invocation.unset = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"].map(Into::into).into();
    let limits = Limits { timeout: Duration::from_secs(60), output: 1 << 20 };
    run(&invocation, limits, &|| false)
}

/// What a tool prints; where it fails, its own words.
fn tool(program: &str, directory: &Path, args: impl IntoIterator<Item = String>) -> Result<String, RunError> {
    let output = asked(program, directory, args)?;
    if output.success() {
        return Ok(output.stdout);
    }
    // Rustup's stand-in is there without a toolchain behind it, and says what to do.
    let said = output.stderr.lines().skip_while(|line| !line.starts_with("error")).take(LONGEST_ERROR);
    let said = said.collect::<Vec<_>>().join("\n");
    let said = said.trim_start_matches("error: ").trim_end();
    let said = if said.is_empty() { "it says nothing" } else { said };
    Err(RunError::NotStarted { program: program.to_owned(), error: io::Error::other(said.to_owned()) })
}

/// The compiler and linker of a directory: a `rust-toolchain.toml` at or above it may name one.
///
/// # Errors
/// When rustc or cargo cannot be run.
pub fn toolchain(directory: &Path) -> Result<Toolchain, RunError> {
    let verbose = tool("rustc", directory, ["-vV".to_owned()])?;
    if !verbose.starts_with("rustc ") {
        // Rustup's stand-in is there without a toolchain behind it.
        let error =
            std::io::Error::other("it does not tell its version: rustup toolchain list shows what is there");
        return Err(RunError::NotStarted { program: "rustc".to_owned(), error });
    }
    let field = |name: &str| {
        verbose
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map_or(String::new(), |value| value.trim().to_owned())
    };
    let cpus = tool("rustc", directory, ["--print".to_owned(), "target-cpus".to_owned()])?;
    Ok(Toolchain {
        rustc: verbose.lines().next().unwrap_or_default().to_owned(),
        commit: field("commit-hash:"),
        llvm: field("LLVM version:"),
        host: field("host:"),
        cargo: tool("cargo", directory, ["--version".to_owned()])?.trim().to_owned(),
        linker: linker_version(&rustc_sysroot(directory)?),
        native: native_cpu(&cpus).unwrap_or_else(|| "unknown".to_owned()),
    })
}

/// The toolchain's own lld, which links layouts; `None` when it is not there.
#[must_use]
pub fn bundled_lld(sysroot: &Path) -> Option<PathBuf> {
    let rustlib = sysroot.join("lib/rustlib");
    let hosts = fs::read_dir(rustlib).ok()?;
    hosts.filter_map(Result::ok).map(|host| host.path().join("bin/gcc-ld/ld.lld")).find(|path| path.is_file())
}

fn linker_version(sysroot: &Path) -> Option<String> {
    let lld = bundled_lld(sysroot)?;
    let text = tool(lld.to_str()?, sysroot, ["--version".to_owned()]).ok()?;
    Some(text.split(" (").next()?.trim().to_owned())
}

fn native_cpu(target_cpus: &str) -> Option<String> {
    let line = target_cpus.lines().find(|line| line.trim_start().starts_with("native"))?;
    let (_, after) = line.split_once("currently ")?;
    Some(after.trim_end_matches(['.', ')', ' ']).to_owned())
}

fn cpu() -> Cpu {
    let cpuid = CpuId::new();
    let brand = cpuid.get_processor_brand_string().map(|brand| brand.as_str().trim().to_owned());
    let info = cpuid.get_feature_info();
    let vendor =
        cpuid.get_vendor_info().map_or_else(|| "unknown".to_owned(), |vendor| vendor.as_str().to_owned());
    let family = info.as_ref().map_or(0, |info| u32::from(info.family_id()));
    let model = info.as_ref().map_or(0, |info| u32::from(info.model_id()));
    let avx512 = std::arch::is_x86_feature_detected!("avx512f");
    Cpu {
        brand: brand.unwrap_or_else(|| "unknown CPU".to_owned()),
        microarchitecture: microarchitecture(&vendor, family, model, avx512).map(str::to_owned),
        vendor,
        family,
        model,
        stepping: info.as_ref().map_or(0, |info| u32::from(info.stepping_id())),
        features: Features::host().iter().map(ToString::to_string).collect(),
        hypervisor: cpuid.get_hypervisor_info().map(|hypervisor| match hypervisor.identify() {
            raw_cpuid::Hypervisor::Unknown(..) => "unknown hypervisor".to_owned(),
            known => format!("{known:?}"),
        }),
    }
}

/// Names by family, from AMD's Processor Programming References: family 19h holds Zen 3 and Zen 4, which
/// AVX-512 tells apart; 17h holds Zen to Zen 2, where models from 30h on are Zen 2; 1Ah is Zen 5. Intel's
/// from the Software Developer's Manual, volume 4, table 2-1 (server cores with AVX-512 only).
fn microarchitecture(vendor: &str, family: u32, model: u32, avx512: bool) -> Option<&'static str> {
    match (vendor, family, model) {
        ("AuthenticAMD", 0x17, 0..0x30) => Some("Zen"),
        ("AuthenticAMD", 0x17, _) => Some("Zen 2"),
        ("AuthenticAMD", 0x19, _) if avx512 => Some("Zen 4"),
        ("AuthenticAMD", 0x19, _) => Some("Zen 3"),
        ("AuthenticAMD", 0x1A, _) => Some("Zen 5"),
        ("GenuineIntel", 6, 0x55) => Some("Skylake-SP or Cascade Lake"),
        ("GenuineIntel", 6, 0x6A | 0x6C) => Some("Ice Lake-SP"),
        ("GenuineIntel", 6, 0x8F) => Some("Sapphire Rapids"),
        ("GenuineIntel", 6, 0xCF) => Some("Emerald Rapids"),
        ("GenuineIntel", 6, 0xAD | 0xAE) => Some("Granite Rapids"),
        _ => None,
    }
}

fn memory() -> u64 {
    let Ok(text) = fs::read_to_string("/proc/meminfo") else {
        return 0;
    };
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|value| value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kibibytes.map_or(0, |kibibytes| kibibytes * 1024)
}

fn kernel() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

fn os_name() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    text.lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))
        .map_or_else(|| "unknown".to_owned(), |name| name.trim_matches('"').to_owned())
}

fn read_line(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_memory_and_a_compiler() {
        let environment = probe().unwrap();
        assert!(environment.cores >= 1 && environment.memory_bytes > 1 << 20);
        assert!(environment.toolchain.rustc.starts_with("rustc 1"), "{:?}", environment.toolchain);
        assert_ne!(environment.toolchain.native, "unknown");
        assert!(environment.cpu.features.iter().any(|feature| feature == "sse2"));
        assert!(environment.differences(&environment).is_empty());
    }

    #[test]
    fn what_differs_is_named() {
        let here = probe().unwrap();
        let mut other = here.clone();
        other.cpu.model += 1;
        other.toolchain.llvm = "1".to_owned();
        other.load = Some(7.5);
        let fields: Vec<_> = here.differences(&other).iter().map(|difference| difference.field).collect();
        assert_eq!(fields, ["CPU family/model/stepping", "LLVM"]);
        let bare = probe_system();
        assert!(bare.toolchain.is_absent() && !here.toolchain.is_absent());
        assert!(here.differences(&bare).is_empty(), "a compiler that took no part");
    }

    #[test]
    fn an_environment_is_read_again_whatever_the_system_did_not_tell() {
        let there =
            Environment { load: None, quota: None, governor: None, memory_bytes: 0, ..probe_system() };
        let text = serde_json::to_string(&there).unwrap();
        assert_eq!(serde_json::from_str::<Environment>(&text).unwrap(), there);
        // What was written where the load was not a number.
        let old = text.replace("\"load\":null,", "");
        assert!(old.len() < text.len() && serde_json::from_str::<Environment>(&old).unwrap().load.is_none());
    }

    #[test]
    fn zen_4_is_told_from_zen_3_and_zen_5() {
        assert_eq!(microarchitecture("AuthenticAMD", 0x19, 0x61, true), Some("Zen 4"));
        assert_eq!(microarchitecture("AuthenticAMD", 0x19, 0x21, false), Some("Zen 3"));
        assert_eq!(microarchitecture("AuthenticAMD", 0x1A, 0x02, true), Some("Zen 5"));
        assert_eq!(microarchitecture("Other", 1, 1, true), None);
    }

    #[test]
    fn the_name_behind_native_is_read() {
        let list = "Available CPUs for this target:\n    native   - Select the CPU of the current host (currently znver5).\n";
        assert_eq!(native_cpu(list), Some("znver5".to_owned()));
    }
}
