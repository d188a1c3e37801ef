//! From what is asked for to what would be run. Making a plan runs nothing.

use std::path::PathBuf;
use std::time::Duration;

use mcp_sandbox::{Job, Limits, Profile};
use mcp_workspace::Roots;

use crate::words;

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
pub enum Invocation {
    /// Programs with their arguments, joined by pipes; no shell is involved.
    Programs(Vec<Vec<String>>),
    /// A script for bash.
    Script(String),
}

impl Invocation {
    /// One program with its arguments.
    ///
    /// # Errors
    /// One sentence: none is named.
    pub fn program<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Result<Self, String> {
        Self::new(Some(argv.into_iter().map(Into::into).collect()), None, None)
    }

    /// Just one of the three ways to say it.
    ///
    /// # Errors
    /// One sentence: none or several are given, or one names no program.
    pub fn new(
        argv: Option<Vec<String>>,
        pipeline: Option<Vec<Vec<String>>>,
        script: Option<String>,
    ) -> Result<Self, String> {
        // Clients in a strict mode send every member: what is empty beside something else was left out.
        let given = [
            argv.as_ref().is_some_and(|argv| !argv.is_empty()),
            pipeline.as_ref().is_some_and(|stages| !stages.is_empty()),
            script.as_ref().is_some_and(|script| !script.is_empty()),
        ];
        let (argv, pipeline, script) = if given.contains(&true) {
            let [has_argv, has_pipeline, has_script] = given;
            (argv.filter(|_| has_argv), pipeline.filter(|_| has_pipeline), script.filter(|_| has_script))
        } else {
            (argv, pipeline, script)
        };
        let invocation = match (argv, pipeline, script) {
            (Some(argv), None, None) => Self::Programs(vec![argv]),
            (None, Some(stages), None) => Self::Programs(stages),
            (None, None, Some(script)) => Self::Script(script),
            _ => return Err("give just one of argv, pipeline and command".to_owned()),
        };
        invocation.check()?;
        Ok(invocation)
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
                                "{name} is an option and not a program: argv begins with a program"
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

    /// As a line of shell source, in which every word of a program's arguments means itself.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Programs(stages) => words::line(stages),
            Self::Script(script) => script.clone(),
        }
    }
}

/// What would be run, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is to be run.
    pub invocation: Invocation,
    /// The same as a line of shell source: what is shown to a person, and kept.
    pub line: String,
    /// The working directory.
    pub directory: PathBuf,
    /// What may be touched.
    pub profile: Profile,
    /// When it is ended.
    pub time: Duration,
    /// Bytes that are kept of each end of each output stream: [`KEPT`], where a server does not read reports there.
    pub kept: usize,
}

impl Plan {
    /// A plan in a directory below the roots; `cwd` is how the caller names it.
    ///
    /// # Errors
    /// One sentence: the directory lies outside of the roots, or is not a directory.
    pub fn new(
        roots: &Roots,
        invocation: Invocation,
        cwd: Option<&str>,
        profile: Profile,
        time: Duration,
    ) -> Result<Self, String> {
        let directory = roots.resolve("cwd", cwd)?;
        if !directory.is_dir() {
            let shown = directory.display();
            return Err(format!("cwd {shown} is not a directory: name one that is there"));
        }
        let line = invocation.line();
        Ok(Self { invocation, line, directory, profile, time, kept: KEPT })
    }

    /// The job for the sandbox.
    #[must_use]
    pub fn job(&self) -> Job {
        let mut job = match &self.invocation {
            Invocation::Programs(stages) => {
                let stages = stages.iter().map(|stage| stage.iter().map(Into::into).collect()).collect();
                Job::pipeline(self.profile, stages)
            }
            Invocation::Script(script) => Job::script(self.profile, SHELL, script.as_str()),
        };
        job.cwd = Some(self.directory.clone());
        job.limits = Limits { time: self.time, head: self.kept, tail: self.kept, ..Limits::default() };
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_refused() {
        for (invocation, part) in [
            (Invocation::program::<&str>([]), "missing"),
            (Invocation::program([""]), "missing"),
            (Invocation::program(["-rf"]), "not a program"),
            (Invocation::program(["ls", "a\0"]), "NUL"),
            (Invocation::new(None, Some(vec![]), None), "empty"),
            (Invocation::new(None, Some(vec![vec!["ls".into()], vec![]]), None), "missing"),
            (Invocation::new(None, None, Some(" \n".into())), "empty"),
            (Invocation::new(None, None, Some("a\0".into())), "NUL"),
            (Invocation::new(None, None, None), "just one"),
            (Invocation::new(Some(vec!["ls".into()]), None, Some("ls".into())), "just one"),
            (Invocation::new(Some(vec![]), Some(vec![]), Some(String::new())), "just one"),
        ] {
            let error = invocation.unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_is_empty_beside_something_else_was_left_out() {
        let argv = || Some(vec!["ls".to_owned()]);
        let programs = Invocation::program(["ls"]).unwrap().line();
        for invocation in [
            Invocation::new(argv(), Some(vec![]), Some(String::new())),
            Invocation::new(Some(vec![]), Some(vec![vec!["ls".to_owned()]]), None),
            Invocation::new(Some(vec![]), Some(vec![]), Some("ls".to_owned())),
        ] {
            assert_eq!(invocation.unwrap().line(), programs);
        }
    }

    #[test]
    fn a_plan_is_for_a_directory_below_the_roots() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("sub")).unwrap();
        let roots = Roots::new(&[base.path().to_owned()]).unwrap();
        let plan = |cwd| {
            let invocation = Invocation::program(["ls", "a b"]).unwrap();
            Plan::new(&roots, invocation, cwd, Profile::Read, USUAL_TIME)
        };
        let made = plan(Some("sub")).unwrap();
        assert_eq!((made.line.as_str(), made.directory), ("ls 'a b'", roots.paths()[0].join("sub")));
        assert!(plan(Some("none")).unwrap_err().contains("not a directory"));
        assert!(plan(Some("..")).unwrap_err().contains("below none of the roots"));
    }
}
