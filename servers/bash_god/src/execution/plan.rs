//! From what is asked for to what would be run. Making a plan runs nothing.

use std::path::PathBuf;
use std::time::Duration;

use mcp_sandbox::{Job, Limits, Profile};

use crate::analysis::Analysis;
use crate::catalogue::quoted;
use crate::workspace::Workspace;

/// How long a command may run where nobody says.
pub const USUAL_TIME: Duration = Duration::from_secs(60);

/// How long one in the background may run where nobody says.
pub const USUAL_BACKGROUND_TIME: Duration = Duration::from_secs(600);

/// Bytes that are kept of each end of each output stream.
pub const KEPT: usize = 512 << 10;

/// The interpreter of scripts. Start-up files of a user are not read.
const SHELL: [&str; 3] = ["/bin/bash", "--noprofile", "--norc"];

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Programs with their arguments, joined by pipes; no shell is involved.
    Programs(Vec<Vec<String>>),
    /// A script for bash.
    Script(String),
}

/// What would be run, where, and what it would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is to be run.
    pub what: What,
    /// The same as a line of shell source: what is analysed, shown to a person, and kept.
    pub line: String,
    /// The working folder.
    pub folder: PathBuf,
    /// What may be touched.
    pub profile: Profile,
    /// When it is ended.
    pub time: Duration,
    /// What it would do, with the decision of the policy.
    pub analysis: Analysis,
}

impl What {
    /// Just one of the three ways to say it.
    ///
    /// # Errors
    /// One sentence: none or several are given, or one names no program.
    pub fn new(
        argv: Option<Vec<String>>,
        pipeline: Option<Vec<Vec<String>>>,
        script: Option<String>,
    ) -> Result<Self, String> {
        let what = match (argv, pipeline, script) {
            (Some(argv), None, None) => Self::Programs(vec![argv]),
            (None, Some(stages), None) => Self::Programs(stages),
            (None, None, Some(script)) => Self::Script(script),
            _ => return Err("give just one of argv, pipeline and command".to_owned()),
        };
        what.check()?;
        Ok(what)
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Script(script) if script.trim().is_empty() => {
                Err("command is empty: give a script".to_owned())
            }
            Self::Script(script) if script.contains('\0') => {
                Err("command holds a NUL: take it out".to_owned())
            }
            Self::Script(_) => Ok(()),
            Self::Programs(stages) => {
                if stages.is_empty() {
                    return Err("pipeline is empty: give programs with their arguments".to_owned());
                }
                for stage in stages {
                    match stage.first().map(String::as_str) {
                        None | Some("") => {
                            return Err("a program is missing: argv begins with its name".to_owned());
                        }
                        Some(name) if name.starts_with('-') => {
                            return Err(format!(
                                "{name} is an option and no program: argv begins with a program"
                            ));
                        }
                        Some(_) => {}
                    }
                }
                if stages.iter().flatten().any(|word| word.contains('\0')) {
                    return Err("an argument holds a NUL: take it out".to_owned());
                }
                Ok(())
            }
        }
    }

    /// As a line of shell source, in which every word means itself.
    #[must_use]
    pub fn line(&self) -> String {
        let words =
            |stage: &Vec<String>| stage.iter().map(|word| word_of(word)).collect::<Vec<_>>().join(" ");
        match self {
            Self::Programs(stages) => stages.iter().map(words).collect::<Vec<_>>().join(" | "),
            Self::Script(script) => script.clone(),
        }
    }
}

/// A word that the shell takes for itself: also at the start of a line, where `a=b` would be an assignment and a
/// reserved word a keyword.
fn word_of(word: &str) -> String {
    const RESERVED: [&str; 18] = [
        "if", "then", "else", "elif", "fi", "do", "done", "case", "esac", "while", "until", "for", "in",
        "time", "function", "select", "coproc", "{",
    ];
    let plain = quoted(word);
    if plain == word && (word.contains('=') || RESERVED.contains(&word)) {
        return format!("'{word}'");
    }
    plain
}

impl Plan {
    /// A plan in a folder of the workspace.
    ///
    /// # Errors
    /// One sentence: the folder lies outside of the roots, or is no folder.
    pub fn new(
        workspace: &Workspace,
        what: What,
        cwd: Option<&str>,
        profile: Profile,
        time: Duration,
    ) -> Result<Self, String> {
        let folder = workspace.folder(cwd)?;
        if !folder.is_dir() {
            return Err(format!("cwd {} is no folder: name one that is there", folder.display()));
        }
        let line = what.line();
        let analysis = workspace.look(&line, &folder);
        Ok(Self { what, line, folder, profile, time, analysis })
    }

    /// The job for the sandbox.
    #[must_use]
    pub fn job(&self) -> Job {
        let mut job = match &self.what {
            What::Programs(stages) => {
                let stages = stages.iter().map(|stage| stage.iter().map(Into::into).collect()).collect();
                Job::pipeline(self.profile, stages)
            }
            What::Script(script) => Job::script(self.profile, SHELL, script.as_str()),
        };
        job.cwd = Some(self.folder.clone());
        job.limits = Limits { time: self.time, head: KEPT, tail: KEPT, ..Limits::default() };
        job
    }

    /// What a person is asked before it runs.
    #[must_use]
    pub fn question(&self) -> String {
        let mut text = format!(
            "Run this command?\n\n{}\n\nin {} with the profile {}, for at most {:?}",
            self.line,
            self.folder.display(),
            self.profile.name(),
            self.time
        );
        for reason in &self.analysis.reasons {
            text.push_str("\n- ");
            text.push_str(reason);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Result<What, String> {
        What::new(Some(words.iter().map(|word| (*word).to_owned()).collect()), None, None)
    }

    #[test]
    fn a_line_means_the_same_words() {
        for (words, line) in [
            (&["ls", "-la", "a b"][..], "ls -la 'a b'"),
            (&["a=b", "$(x)", ""], "'a=b' '$(x)' ''"),
            (&["time", "if", "it's"], r"'time' 'if' 'it'\''s'"),
            (&["echo", "\n", "~", "*"], "echo '\n' '~' '*'"),
        ] {
            assert_eq!(argv(words).unwrap().line(), line);
        }
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (what, part) in [
            (argv(&[]), "missing"),
            (argv(&[""]), "missing"),
            (argv(&["-rf"]), "no program"),
            (argv(&["ls", "a\0"]), "NUL"),
            (What::new(None, Some(vec![]), None), "empty"),
            (What::new(None, Some(vec![vec!["ls".into()], vec![]]), None), "missing"),
            (What::new(None, None, Some(" \n".into())), "empty"),
            (What::new(None, None, Some("a\0".into())), "NUL"),
            (What::new(None, None, None), "just one"),
            (What::new(Some(vec!["ls".into()]), None, Some("ls".into())), "just one"),
        ] {
            let error = what.unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
