//! What Cargo and rustc said: the command line that compiled, the flags in it, the first error.

use crate::build::BuildError;
use crate::process::Output;

/// rustc says this of LLVM features that it does not know by name, and passes them on.
const UNKNOWN_FEATURE: &str = "unknown and unstable feature specified for `-Ctarget-feature`";

/// The line `Running rustc … --crate-name BIN …` of Cargo's verbose output.
pub(crate) fn rustc_command(stderr: &str, bin: &str) -> Option<String> {
    let crate_name = format!("--crate-name {} ", bin.replace('-', "_"));
    let lines = stderr.lines().filter_map(|line| line.trim_start().strip_prefix("Running `"));
    lines
        .filter(|line| line.contains(&crate_name))
        .map(|line| line.trim_end_matches('`').to_owned())
        .next_back()
}

/// The flags that Cargo appended must be the flag set's, and no other code generation target may be named.
pub(crate) fn check_flags(command: &str, wanted: &[String]) -> Result<(), BuildError> {
    let targets = |words: &[&str]| -> Vec<String> {
        let named =
            words.iter().filter(|word| word.contains("target-cpu=") || word.contains("target-feature="));
        named.map(|word| word.trim_matches('\'').trim_start_matches("-C").to_owned()).collect()
    };
    let found = targets(&command.split_whitespace().collect::<Vec<_>>());
    let wanted_targets = targets(&wanted.iter().map(String::as_str).collect::<Vec<_>>());
    if found == wanted_targets {
        return Ok(());
    }
    Err(BuildError::Flags { wanted: wanted_targets, found })
}

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
    fn flags_that_are_not_the_flag_sets_are_noticed() {
        let wanted = ["-C".to_owned(), "target-cpu=znver4".to_owned()];
        assert!(check_flags("rustc --crate-name a -C target-cpu=znver4", &wanted).is_ok());
        assert!(check_flags("rustc --crate-name a", &wanted).is_err());
        let two =
            check_flags("rustc -C target-cpu=znver4 -Ctarget-cpu=native", &wanted).unwrap_err().to_string();
        assert!(two.contains("target-cpu=native"), "{two}");
        assert!(check_flags("rustc -Ctarget-feature=+avx2", &[]).is_err());
        let quoted = ["-C".to_owned(), "target-feature=+avx2,+fma".to_owned()];
        assert!(check_flags("rustc -C 'target-feature=+avx2,+fma'", &quoted).is_ok());
    }

    #[test]
    fn the_command_line_of_the_executable_is_found() {
        let stderr = "   Compiling a\n     Running `rustc --crate-name dep --edition`\n     Running `/x/rustc --crate-name my_bin -C x`\n";
        assert_eq!(rustc_command(stderr, "my-bin").as_deref(), Some("/x/rustc --crate-name my_bin -C x"));
        assert_eq!(rustc_command(stderr, "other"), None);
    }

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
