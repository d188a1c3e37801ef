//! The environment that a record keeps, and the fingerprint that decides what may be compared with what.

use serde::{Deserialize, Serialize};

use crate::machine::Python;

/// The CPU, as the system and the compiler see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// The brand string, as CPUID gives it.
    pub brand: String,
    /// `AuthenticAMD`, `GenuineIntel`, …
    pub vendor: String,
    /// Family, extended family included.
    pub family: u32,
    /// Model, extended model included.
    pub model: u32,
    /// Stepping.
    pub stepping: u32,
    /// The micro-architecture by family and model, where it is known (`Zen 4`).
    pub microarchitecture: Option<String>,
    /// Instruction set features that programs may use, by rustc's names.
    pub features: Vec<String>,
    /// The hypervisor, where there is one.
    pub hypervisor: Option<String>,
}

/// The compiler and linker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// `rustc --version`.
    pub rustc: String,
    /// The commit that rustc was built from.
    pub commit: String,
    /// LLVM's version.
    pub llvm: String,
    /// The host triple.
    pub host: String,
    /// `cargo --version`.
    pub cargo: String,
    /// The linker's version; `None` when the toolchain's lld was not found.
    pub linker: Option<String>,
    /// What `target-cpu=native` resolves to.
    pub native: String,
}

impl Toolchain {
    /// Where there is no compiler, or where none took part.
    #[must_use]
    pub fn absent() -> Self {
        let none = || "none".to_owned();
        Self {
            rustc: none(),
            commit: none(),
            llvm: none(),
            host: none(),
            cargo: none(),
            linker: None,
            native: none(),
        }
    }

    /// Whether it is [`Self::absent`].
    #[must_use]
    pub fn is_absent(&self) -> bool {
        *self == Self::absent()
    }
}

/// A machine, its system, and its state when measuring began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// The CPU.
    pub cpu: Cpu,
    /// Cores that this process may use.
    pub cores: usize,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Kernel name and release.
    pub kernel: String,
    /// The distribution.
    pub os: String,
    /// CPU quota of the control group in cores; `None` without a limit.
    pub quota: Option<f64>,
    /// The compiler and linker.
    pub toolchain: Toolchain,
    /// The load average over one minute when measuring began; `None` where the system does not tell.
    #[serde(default)]
    pub load: Option<f64>,
    /// The frequency governor; `None` where the system shows none (most virtual machines).
    pub governor: Option<String>,
    /// The core that arms were pinned to; `None` where pinning was refused.
    pub pinned_to: Option<usize>,
    /// The nice value that arms ran with.
    pub nice: Option<i32>,
    /// The Python interpreter that calls were measured from; `None` in other suites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
}

/// One field in which two machines differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub field: &'static str,
    /// Its value in the first.
    pub left: String,
    /// Its value in the second.
    pub right: String,
}

impl Environment {
    /// The machine class in a few words: what a table's head and a calibration's file name carry.
    #[must_use]
    pub fn class(&self) -> String {
        let cpu = &self.cpu;
        let name = match &cpu.microarchitecture {
            Some(name) => format!("{} ({name})", cpu.brand),
            None => format!("{} (family {} model {})", cpu.brand, cpu.family, cpu.model),
        };
        match &cpu.hypervisor {
            Some(hypervisor) => format!("{name}, {hypervisor}"),
            None => name,
        }
    }

    /// The compiler, where one took part.
    #[must_use]
    pub fn compiler(&self) -> Option<&str> {
        Some(self.toolchain.rustc.as_str()).filter(|_| !self.toolchain.is_absent())
    }

    /// The machine class, with the compiler where one took part.
    #[must_use]
    pub fn class_and_compiler(&self) -> String {
        match self.compiler() {
            Some(rustc) => format!("{}, {rustc}", self.class()),
            None => self.class(),
        }
    }

    /// Everything in which times of two machines may differ for a reason other than the code. Empty when
    /// times of the two may stand side by side. Clock frequencies are left out on purpose: they split one
    /// kind of machine in two.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let quota =
            |environment: &Self| environment.quota.map_or("none".to_owned(), |cores| format!("{cores}"));
        // What took part in neither or in one alone tells nothing: commands are compared without a compiler.
        let compiled = !(self.toolchain.is_absent() || other.toolchain.is_absent());
        let fields = |environment: &Self| {
            let (cpu, tools) = (&environment.cpu, &environment.toolchain);
            let machine = [
                ("CPU brand", cpu.brand.clone()),
                ("CPU family/model/stepping", format!("{}/{}/{}", cpu.family, cpu.model, cpu.stepping)),
                ("CPU features", cpu.features.join(" ")),
                ("hypervisor", cpu.hypervisor.clone().unwrap_or_else(|| "none".to_owned())),
                ("cores", environment.cores.to_string()),
                ("CPU quota", quota(environment)),
                ("kernel", environment.kernel.clone()),
            ];
            let tools = [
                ("rustc", format!("{} {}", tools.rustc, tools.commit)),
                ("LLVM", tools.llvm.clone()),
                ("linker", tools.linker.clone().unwrap_or_else(|| "none".to_owned())),
                ("target-cpu=native", tools.native.clone()),
            ];
            machine.into_iter().chain(tools.into_iter().filter(move |_| compiled))
        };
        let mut differences: Vec<Difference> = fields(self)
            .zip(fields(other))
            .filter(|((_, left), (_, right))| left != right)
            .map(|((field, left), (_, right))| Difference { field, left, right })
            .collect();
        // A suite that calls from no interpreter says nothing of one.
        if let (Some(left), Some(right)) = (&self.python, &other.python)
            && left != right
        {
            let told = |python: &Python| format!("{}, {}", python.name(), python.build());
            differences.push(Difference { field: "Python", left: told(left), right: told(right) });
        }
        differences
    }

    /// Whether this is the CPU that LLVM calls `name` (`znver4`): by micro-architecture, not by what the
    /// compiler guessed from feature bits.
    #[must_use]
    pub fn is_cpu(&self, name: &str) -> bool {
        self.cpu.microarchitecture.as_deref().and_then(llvm_name) == Some(name)
    }
}

fn llvm_name(microarchitecture: &str) -> Option<&'static str> {
    [("Zen", "znver1"), ("Zen 2", "znver2"), ("Zen 3", "znver3"), ("Zen 4", "znver4"), ("Zen 5", "znver5")]
        .into_iter()
        .find_map(|(name, llvm)| (name == microarchitecture).then_some(llvm))
}
