//! What Cargo, rustc and rustup said of what failed: the first error, whole.

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::BuildError;
use crate::process::Output;

/// rustc says this of LLVM features that it does not know by name, and passes them on.
const UNKNOWN_FEATURE: &str = "unknown and unstable feature specified for `-Ctarget-feature`";
/// The most lines of an error that are reported. The longest of rustc's own fit, and a build script's cannot fill a terminal.
const LONGEST: usize = 40;

/// Why a build failed. All that was said goes into a file of this name in `logs`.
pub(crate) fn failed(output: &Output, logs: &Path, name: &str) -> BuildError {
    BuildError::Compile { error: first_error(output), log: kept(output, logs, name) }
}

/// Keeps all that was said; `None` where that is not possible, as on a full disk.
fn kept(output: &Output, logs: &Path, name: &str) -> Option<PathBuf> {
    let file = logs.join(format!("{name}.log"));
    fs::create_dir_all(logs).and_then(|()| fs::write(&file, &output.stderr)).ok()?;
    Some(file)
}

/// What a person needs of a program that failed: the first error with the lines that belong to it.
pub(crate) fn first_error(output: &Output) -> String {
    if output.stderr.contains("No space left on device") {
        return "the disk is full (No space left on device)".to_owned();
    }
    let lines = output.stderr.lines().filter(|line| !line.contains(UNKNOWN_FEATURE));
    let mut from_error = lines.skip_while(|line| !line.starts_with("error"));
    let Some(first) = from_error.next() else {
        let tail: Vec<_> =
            output.stderr.lines().filter(|line| !line.trim().is_empty()).rev().take(LONGEST).collect();
        let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        return match (output.code, output.signal) {
            (Some(code), _) => format!("it exited with code {code}: {tail}"),
            (None, signal) => format!("signal {} ended it: {tail}", signal.unwrap_or_default()),
        };
    };
    let mut whole = vec![first];
    whole.extend(from_error.take_while(|line| !begins_another(line)));
    while whole.last().is_some_and(|line| line.trim().is_empty()) {
        whole.pop();
    }
    let more = whole.len().saturating_sub(LONGEST);
    whole.truncate(LONGEST);
    let text = whole.join("\n");
    match more {
        0 => text,
        1 => format!("{text}\n… and 1 more line"),
        more => format!("{text}\n… and {more} more lines"),
    }
}

/// Whether a line is of another message than the ones before it.
fn begins_another(line: &str) -> bool {
    const BEGINNINGS: [&str; 6] =
        ["error: ", "error[", "warning: ", "warning[", "For more information about ", "Some errors have "];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn output(stderr: &str) -> Output {
        Output {
            code: Some(101),
            signal: None,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            wall: Duration::ZERO,
        }
    }

    #[test]
    fn a_failed_build_is_told_by_its_first_error() {
        let said =
            "warning: x\nerror[E1]: bad\n --> a.rs:1:1\n  |\n  = note: why\n\nerror: could not compile `a`\n";
        assert_eq!(first_error(&output(said)), "error[E1]: bad\n --> a.rs:1:1\n  |\n  = note: why");
        let script = "error: failed to run custom build command for `a`\n\nCaused by:\n  exit status: 1\n  --- stderr\n  no cmake\n";
        assert_eq!(
            first_error(&output(script)),
            script.trim_end(),
            "its parts are not messages of their own"
        );
        let rustup =
            "error: toolchain 'x' is not installed\nhelp: run `rustup toolchain install x` to install it\n";
        assert_eq!(first_error(&output(rustup)), rustup.trim_end());
        assert!(
            first_error(&output("error: No space left on device (os error 28)"))
                .starts_with("the disk is full")
        );
        assert_eq!(first_error(&output("strange\n\nwords\n")), "it exited with code 101: strange\nwords");
        let killed = Output { code: None, signal: Some(9), ..output("") };
        assert_eq!(first_error(&killed), "signal 9 ended it: ");
    }

    #[test]
    fn a_long_error_is_cut_with_a_count_and_kept_whole() {
        let lines = |count: usize| {
            let more: String = (1..count).map(|line| format!("  line {line}\n")).collect();
            format!("error: long\n{more}")
        };
        assert!(first_error(&output(&lines(LONGEST))).ends_with("  line 39"));
        assert!(first_error(&output(&lines(LONGEST + 1))).ends_with("  line 39\n… and 1 more line"));
        assert!(first_error(&output(&lines(LONGEST + 9))).ends_with("  line 39\n… and 9 more lines"));
        let logs = tempfile::tempdir().unwrap();
        let all = format!("warning: first\n{}", lines(100));
        let error = failed(&output(&all), &logs.path().join("logs"), "a");
        let file = logs.path().join("logs/a.log");
        assert!(error.to_string().ends_with(&format!("\nthe whole log: {}", file.display())), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), all);
        let nowhere = failed(&output(&all), &file, "a").to_string();
        assert!(nowhere.ends_with("… and 60 more lines"), "{nowhere}");
    }
}
