//! What Cargo and rustc said of a build that failed: the first error.

use crate::process::Output;

/// rustc says this of LLVM features that it does not know by name, and passes them on.
const UNKNOWN_FEATURE: &str = "unknown and unstable feature specified for `-Ctarget-feature`";

/// What a person needs of a failed build: the first error with the lines that belong to it.
pub(crate) fn first_error(output: &Output) -> String {
    if output.stderr.contains("No space left on device") {
        return "the disk is full (No space left on device)".to_owned();
    }
    let lines = output.stderr.lines().filter(|line| !line.contains(UNKNOWN_FEATURE));
    let from_error: Vec<_> = lines.skip_while(|line| !line.starts_with("error")).take(8).collect();
    match from_error[..] {
        [] => {
            let tail: Vec<_> = output.stderr.lines().rev().take(3).collect();
            format!(
                "Cargo exited with {:?}: {}",
                output.code,
                tail.into_iter().rev().collect::<Vec<_>>().join(" ")
            )
        }
        _ => from_error.join("\n").trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failed_build_is_told_by_its_first_error() {
        let output = |stderr: &str| Output {
            code: Some(101),
            signal: None,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            wall: Duration::ZERO,
        };
        assert_eq!(
            first_error(&output("warning: x\nerror[E1]: bad\n --> a.rs:1:1\n")),
            "error[E1]: bad\n --> a.rs:1:1"
        );
        assert!(
            first_error(&output("error: No space left on device (os error 28)"))
                .starts_with("the disk is full")
        );
        assert!(first_error(&output("strange")).contains("101"));
    }
}
