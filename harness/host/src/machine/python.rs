//! The Python interpreter that calls are measured from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::{Invocation, Limits, run};

/// What the interpreter says of itself, as one JSON object. Options of its build that name directories are left
/// out: a record reads the same wherever it was made.
const QUESTION: &str = r#"
import json, os, platform, sys, sysconfig
words = (sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "").split()
include = sysconfig.get_paths()["include"]
print(json.dumps({
    "python": {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "compiler": platform.python_compiler().strip(),
        "options": [word for word in words if word.startswith(("--enable-", "--with", "--disable-")) and "/" not in word],
        "optimisation": sysconfig.get_config_var("OPT") or "",
        "gil": not sysconfig.get_config_var("Py_GIL_DISABLED"),
        "debug": hasattr(sys, "gettotalrefcount"),
    },
    "executable": sys.executable,
    "include": include,
    "headers": os.path.isfile(os.path.join(include, "Python.h")),
}))
"#;

/// An interpreter and how it was built: everything that changes what a call costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Python {
    /// `CPython`, `PyPy`, …
    pub implementation: String,
    /// Its version, such as `3.12.1`.
    pub version: String,
    /// The compiler that built it.
    pub compiler: String,
    /// The options that it was configured with, but for directories.
    pub options: Vec<String>,
    /// The C compiler's options for optimisation.
    pub optimisation: String,
    /// Whether it has a global interpreter lock.
    pub gil: bool,
    /// Whether it is a debug build.
    pub debug: bool,
}

impl Python {
    /// Name and version, with what is unusual about it.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = format!("{} {}", self.implementation, self.version);
        if !self.gil {
            name.push_str(" (free-threaded)");
        }
        if self.debug {
            name.push_str(" (debug build)");
        }
        name
    }

    /// Everything in which two interpreters can differ, in one text.
    #[must_use]
    pub fn build(&self) -> String {
        let options = if self.options.is_empty() { "no options".to_owned() } else { self.options.join(" ") };
        format!("{}; {options}; {}", self.compiler, self.optimisation)
    }
}

/// An interpreter of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Interpreter {
    /// What it is.
    pub python: Python,
    /// Its executable.
    pub executable: PathBuf,
    /// The directory that its C headers belong in.
    pub include: PathBuf,
    /// Whether they are there.
    pub headers: bool,
}

/// Asks the interpreter that `program` names: a name on `PATH`, or a path.
///
/// # Errors
/// A clause that says what is wrong with it: it is not there, does not run, or is too old.
pub fn probe_python(program: &str) -> Result<Interpreter, String> {
    let limits = Limits { timeout: Duration::from_secs(60), output: 1 << 20 };
    let output = run(&Invocation::new(program, ["-I", "-c", QUESTION]), limits, &|| false)
        .map_err(|_| format!("there is no {program}"))?;
    let said = || output.stderr.lines().last().unwrap_or("nothing").trim().to_owned();
    if !output.success() {
        return Err(format!("{program} does not run (it said: {})", said()));
    }
    let interpreter: Interpreter = serde_json::from_str(&output.stdout)
        .map_err(|_| format!("{program} is not a Python interpreter (it said: {})", said()))?;
    if is_too_old(&interpreter.python.version) {
        return Err(format!("{program} is Python {}", interpreter.python.version));
    }
    if !Path::new(&interpreter.executable).is_file() {
        return Err(format!("{program} does not know its own executable"));
    }
    Ok(interpreter)
}

/// Whether a version is before 3.9, the oldest that the subject runs on.
fn is_too_old(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) < (3, 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_3_9_are_too_old() {
        for (version, old) in [("2.7.18", true), ("3.8.18", true), ("3.9.0", false), ("3.13.0rc1", false)] {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }

    #[test]
    fn what_is_no_interpreter_is_said_in_a_clause() {
        assert_eq!(probe_python("/no/such/python").unwrap_err(), "there is no /no/such/python");
        assert!(probe_python("false").unwrap_err().starts_with("false does not run"));
        assert!(probe_python("true").unwrap_err().starts_with("true is not a Python interpreter"));
    }

    #[test]
    fn unusual_builds_are_named() {
        let mut python = Python {
            implementation: "CPython".into(),
            version: "3.13.0".into(),
            compiler: "GCC 12".into(),
            options: vec![],
            optimisation: "-O3".into(),
            gil: true,
            debug: false,
        };
        assert_eq!(
            (python.name().as_str(), python.build().as_str()),
            ("CPython 3.13.0", "GCC 12; no options; -O3")
        );
        python.gil = false;
        python.debug = true;
        assert_eq!(python.name(), "CPython 3.13.0 (free-threaded) (debug build)");
    }
}
