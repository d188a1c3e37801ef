//! What a shell command would do, told without running it.
//!
//! Two parsers of different construction read the text: one keeps its state on the heap and survives any
//! input, the other gives a typed tree. Only if both see the same simple commands and redirections is the
//! tree believed. A walk over it keeps variables, functions and the working directory where they are known,
//! and asks a table what each program does with its arguments. What is not known is said to be anything.
//!
//! Paths are compared by name alone: a symbolic link may lead elsewhere. The limits that hold against that
//! are those of the kernel, not these. The same goes for what the caller's environment and configuration
//! files make of a program, such as a pager or a hook of git.

mod effects;
mod expand;
mod limits;
mod outlook;
mod paths;
mod safer;
mod scope;
pub(crate) mod syntax;
mod types;
mod walk;
mod warnings;

pub use limits::{MAX_DEPTH, MAX_INPUT};
pub use types::{Analysis, Certainty, CommandEffects, Decision, PathPattern, Risk, Warning};

pub(crate) use effects::PROGRAM_FOLDERS;

use crate::policy::{self, Policy};
use walk::{Input, Walker};

/// Where a command would run. The shell is bash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The working directory, absolute.
    pub cwd: String,
    /// The home directory of the user, absolute.
    pub home: String,
}

impl Context {
    /// A context from two absolute paths.
    #[must_use]
    pub fn new(cwd: impl Into<String>, home: impl Into<String>) -> Self {
        Self { cwd: cwd.into(), home: home.into() }
    }
}

/// Tells what a command would do, and what the built-in policy says with the working directory as its root.
///
/// Never panics and does no input or output. A command that is too large, too deep, or read differently by
/// the two parsers has `parsed: false` and no commands, and its decision is at least [`Decision::Prompt`].
#[must_use]
pub fn analyse(command: &str, context: &Context) -> Analysis {
    let mut analysis = inspect(command, context);
    let verdict = policy::decide(&analysis, Policy::built_in(), std::slice::from_ref(&context.cwd), false);
    analysis.decision = verdict.decision;
    for reason in verdict.reasons {
        types::push_new(&mut analysis.reasons, reason);
    }
    analysis
}

/// Tells what a command would do; the decision is left at [`Decision::Prompt`] for a policy to make.
#[must_use]
pub(crate) fn inspect(command: &str, context: &Context) -> Analysis {
    let mut analysis = Analysis {
        parsed: false,
        decision: Decision::Prompt,
        risk: Risk::None,
        reasons: Vec::new(),
        commands: Vec::new(),
        warnings: Vec::new(),
        safer: None,
    };
    match syntax::parse(command) {
        Ok(script) => {
            let mut walker = Walker::new(context);
            walker.script(&script, &Input::Inherited);
            analysis.parsed = true;
            if walker.exhausted() {
                let mut rest = CommandEffects { argv: vec!["…".to_owned()], ..CommandEffects::default() };
                rest.touches_anything();
                rest.certainty = Certainty::Opaque;
                rest.find(Risk::Medium, "There are more commands than are followed.");
                walker.commands.push(rest);
            }
            analysis.commands = walker.commands;
            analysis.warnings = warnings::find(&script, &analysis.commands);
            analysis.safer = safer::form(command, &script);
        }
        Err(refusal) => {
            analysis.reasons.push(refusal.0);
            analysis.risk = Risk::High;
        }
    }
    for command in &analysis.commands {
        analysis.risk = analysis.risk.max(command.risk);
        for reason in &command.reasons {
            types::push_new(&mut analysis.reasons, reason.clone());
        }
    }
    if command.chars().any(is_deceptive) {
        analysis.risk = analysis.risk.max(Risk::High);
        analysis.reasons.push(
            "It contains characters that are not shown, or change the order of what is shown.".to_owned(),
        );
        analysis.warnings.push(Warning {
            kind: "hidden_characters".to_owned(),
            message: "The text does not look like what it is: remove control, bidirectional and zero-width characters."
                .to_owned(),
        });
    }
    analysis
}

/// Control characters, and those that hide or reorder text (Unicode Technical Report 36, section 2.10).
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
        || c.is_control() && !matches!(c, '\n' | '\t')
}
