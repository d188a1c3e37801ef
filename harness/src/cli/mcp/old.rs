//! The questions as options of `mcp` itself, which is how they were asked before each was a verb. They go on working, and
//! say the verb.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Args;

use crate::called::program;
use crate::cli::mcp::args::{
    Along, CalibrateArgs, CancelArgs, CapacityArgs, ClosedArgs, ColdStartArgs, FieldArgs, McpArgs, McpVerb,
    OpenArgs, SoakArgs, SweepArgs, rate,
};
use crate::cli::misplaced::verbs_with;
use crate::cli::values::{duration, renamed};

#[derive(Args, Clone, Debug)]
pub(crate) struct OldArgs {
    #[arg(long, hide = true, value_name = "FILE")]
    pub servers: Option<PathBuf>,
    #[arg(long, hide = true, value_name = "NAME")]
    pub without: Vec<String>,
    #[arg(long, hide = true, value_name = "CALLS/S", value_parser = rate)]
    pub rate: Option<f64>,
    #[arg(long, hide = true)]
    pub poisson: bool,
    #[arg(long, hide = true)]
    pub capacity: bool,
    #[arg(long, hide = true, value_name = "TIME", value_parser = duration)]
    pub p99: Option<Duration>,
    #[arg(long, hide = true)]
    pub cold_start: bool,
    #[arg(long, hide = true, value_name = "TIME", value_parser = duration)]
    pub soak: Option<Duration>,
    #[arg(long, hide = true)]
    pub cancel: bool,
    #[arg(long, hide = true, value_enum)]
    pub sweep: Option<Along>,
    #[arg(long, hide = true)]
    pub calibrate: bool,
    #[arg(long, hide = true, value_name = "N")]
    pub experiments: Option<u32>,
}

/// A question as an option, and the verb that it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    old: &'static str,
    new: &'static str,
}

const CLOSED: Form = Form { old: "", new: "closed" };
const OPEN: Form = Form { old: "--rate R", new: "open --rate R" };
const CAPACITY: Form = Form { old: "--capacity", new: "capacity" };
const COLD_START: Form = Form { old: "--cold-start", new: "cold-start" };
const SOAK: Form = Form { old: "--soak TIME", new: "soak --duration TIME" };
const CANCEL: Form = Form { old: "--cancel", new: "cancel" };
const SWEEP: Form = Form { old: "--sweep WHAT", new: "sweep WHAT" };
const FIELD: Form = Form { old: "--servers FILE", new: "field FILE" };
const CALIBRATE: Form = Form { old: "--calibrate", new: "calibrate" };

/// The verb that replaced an option, with what it is given.
pub(crate) fn verb_of(option: &str) -> Option<&'static str> {
    let all = [CAPACITY, COLD_START, SOAK, CANCEL, SWEEP, FIELD, CALIBRATE];
    let named = |form: &Form| form.old.trim_start_matches('-').split(' ').next() == Some(option);
    all.into_iter().find(named).map(|form| form.new)
}

impl McpArgs {
    /// The verb that is meant: the one that is named, else the one that the options of old ask for, which is said on
    /// stderr; without any of these, `closed`.
    ///
    /// # Errors
    /// Options of old that do not go together; the sentence names the verbs that have them.
    pub(crate) fn verb(self) -> anyhow::Result<McpVerb> {
        let Self { verb, closed, old } = self;
        if let Some(verb) = verb {
            return Ok(verb);
        }
        let form = old.form()?;
        old.check(form, &closed)?;
        for (option, verb) in old.without_effect(form) {
            renamed(
                &format!("mcp --{option}"),
                &format!("an option of mcp {verb} alone, and has no effect here"),
            );
        }
        if form != CLOSED {
            renamed(&format!("mcp {}", form.old), &format!("mcp {}", form.new));
        }
        Ok(old.verb(form, closed))
    }
}

impl OldArgs {
    /// The one question that is asked.
    fn form(&self) -> anyhow::Result<Form> {
        let asked = [
            (self.capacity, CAPACITY),
            (self.cold_start, COLD_START),
            (self.soak.is_some(), SOAK),
            (self.cancel, CANCEL),
            (self.sweep.is_some(), SWEEP),
            (self.servers.is_some(), FIELD),
            (self.calibrate, CALIBRATE),
        ];
        let asked: Vec<Form> = asked.into_iter().filter(|(given, _)| *given).map(|(_, form)| form).collect();
        match asked[..] {
            [] if self.rate.is_some() => Ok(OPEN),
            [] => Ok(CLOSED),
            [form] => Ok(form),
            [one, two, ..] => bail!(
                "{} and {} are two questions: ask `{lab} mcp {}` and `{lab} mcp {}`",
                one.old,
                two.old,
                one.new,
                two.new,
                lab = program()
            ),
        }
    }

    /// Whether every option that is given goes with the question.
    fn check(&self, form: Form, closed: &ClosedArgs) -> anyhow::Result<()> {
        let ClosedArgs { server, load, against, common, .. } = closed;
        let loops = form == OPEN || form == SOAK;
        let named = form != FIELD && form != CALIBRATE;
        let pairs = [CLOSED, OPEN, COLD_START].contains(&form);
        let fits = [
            ("rate", self.rate.is_some(), loops),
            ("poisson", self.poisson, loops && self.rate.is_some()),
            (
                "in-flight",
                load.in_flight.is_some(),
                ![OPEN, CAPACITY, FIELD].contains(&form) && self.rate.is_none(),
            ),
            ("against", against.against.is_some(), pairs),
            ("http", server.http.is_some(), named),
            ("tool", !server.tool.is_empty(), form != FIELD),
            ("calls", server.calls.is_some(), form != FIELD),
            ("expect", server.expect.is_some(), form != FIELD),
            ("no-floors", common.no_floors, form != CALIBRATE),
        ];
        if let Some((option, ..)) = fits.iter().find(|(_, given, fits)| *given && !fits) {
            let with =
                if form == CLOSED { "without --rate".to_owned() } else { format!("with {}", form.old) };
            bail!("--{option} cannot be used {with}: it is an option of {}", verbs_with("mcp", option));
        }
        if !named && !server.command.is_empty() {
            bail!("a command cannot be used with {}: `{} mcp {}` takes none", form.old, program(), form.new);
        }
        Ok(())
    }

    /// Options that never asked anything without their question: they are let pass, with the verb that has them.
    fn without_effect(&self, form: Form) -> Vec<(&'static str, &'static str)> {
        let options = [
            ("p99", self.p99.is_some(), CAPACITY),
            ("without", !self.without.is_empty(), FIELD),
            ("experiments", self.experiments.is_some(), CALIBRATE),
        ];
        let idle = options.into_iter().filter(|(_, given, of)| *given && *of != form);
        idle.map(|(option, _, of)| (option, of.new)).collect()
    }

    fn verb(self, form: Form, closed: ClosedArgs) -> McpVerb {
        let ClosedArgs { server, load, against, launch, common } = closed;
        match form {
            CAPACITY => McpVerb::Capacity(CapacityArgs {
                server,
                p99: self.p99.unwrap_or(Duration::from_millis(5)),
                poisson: false,
                duration: launch.duration.unwrap_or(Duration::from_secs(1)),
                common,
            }),
            COLD_START => McpVerb::ColdStart(ColdStartArgs {
                server,
                against,
                launches: launch.launches.unwrap_or(20),
                common,
            }),
            SOAK => McpVerb::Soak(SoakArgs {
                server,
                duration: self.soak.unwrap_or(Duration::from_secs(60)),
                load,
                rate: self.rate,
                poisson: self.poisson,
                common,
            }),
            CANCEL => McpVerb::Cancel(CancelArgs { server, common }),
            SWEEP => McpVerb::Sweep(SweepArgs {
                along: self.sweep.unwrap_or(Along::Concurrency),
                server,
                load,
                launch,
                common,
            }),
            FIELD => McpVerb::Field(FieldArgs {
                file: self.servers.unwrap_or_default(),
                without: self.without,
                threshold: against.threshold,
                launch,
                common,
            }),
            CALIBRATE => McpVerb::Calibrate(CalibrateArgs {
                experiments: self.experiments.unwrap_or(10),
                launches: launch.launches.unwrap_or(12),
                duration: launch.duration.unwrap_or(Duration::from_millis(100)),
                warm_up: launch.warm_up,
                patience: common.patience,
                threshold: against.threshold,
                floor_server: common.floor_server,
            }),
            OPEN => McpVerb::Open(OpenArgs {
                server,
                rate: self.rate.unwrap_or(1.0),
                poisson: self.poisson,
                against,
                launch,
                common,
            }),
            _ => McpVerb::Closed(ClosedArgs { server, load, against, launch, common }),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Verb};

    fn asked(line: &str) -> anyhow::Result<String> {
        let words = ["perflab", "mcp"].into_iter().chain(line.split(' '));
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        let Some(Verb::Mcp(args)) = cli.verb else { panic!("{line} is another verb") };
        args.verb().map(|verb| format!("{verb:?}"))
    }

    #[test]
    fn the_options_of_old_ask_what_the_verbs_ask() {
        for (old, new) in [
            ("-- s", "closed -- s"),
            ("--in-flight 4 --launches 2 -- s", "closed --in-flight 4 --launches 2 -- s"),
            ("--against t --threshold 2 -- s", "closed --against t --threshold 2 -- s"),
            ("--rate 200 --poisson -- s", "open --rate 200 --poisson -- s"),
            (
                "--rate 9 --against t --tool a --tool b -- s",
                "open --rate 9 --against t --tool a --tool b -- s",
            ),
            ("--capacity --p99 20ms --duration 2s -- s", "capacity --p99 20ms --duration 2s -- s"),
            ("--capacity -- s", "capacity -- s"),
            ("--cold-start --launches 3 --against t -- s", "cold-start --launches 3 --against t -- s"),
            ("--cold-start -- s", "cold-start -- s"),
            ("--soak 5s --rate 7 --poisson -- s", "soak --duration 5s --rate 7 --poisson -- s"),
            ("--soak 5s --in-flight 2 -- s", "soak --duration 5s --in-flight 2 -- s"),
            ("--cancel --calls c.toml --patience 2s -- s", "cancel --calls c.toml --patience 2s -- s"),
            (
                "--sweep payload --in-flight 2 --warm-up 0 -- s",
                "sweep payload --in-flight 2 --warm-up 0 -- s",
            ),
            ("--servers f.toml --without a --duration 60ms", "field f.toml --without a --duration 60ms"),
            ("--calibrate --experiments 3 --duration 50ms", "calibrate --experiments 3 --duration 50ms"),
            ("--calibrate --floor-server n", "calibrate --floor-server n"),
            // They have never had an effect without their question.
            ("--p99 5ms --without a --experiments 3 -- s", "closed -- s"),
            ("--cold-start --p99 5ms -- s", "cold-start -- s"),
        ] {
            assert_eq!(asked(old).unwrap(), asked(new).unwrap(), "{old}");
        }
    }

    #[test]
    fn options_that_do_not_go_together_are_reported_with_the_verbs_that_have_them() {
        for (line, said) in [
            (
                "--capacity --rate 5 -- s",
                "--rate cannot be used with --capacity: it is an option of `perflab mcp open`",
            ),
            (
                "--capacity --soak 5s -- s",
                "ask `perflab mcp capacity` and `perflab mcp soak --duration TIME`",
            ),
            (
                "--poisson -- s",
                "--poisson cannot be used without --rate: it is an option of `perflab mcp open`",
            ),
            (
                "--rate 5 --in-flight 2 -- s",
                "--in-flight cannot be used with --rate R: it is an option of `perflab mcp closed`",
            ),
            ("--soak 5s --rate 5 --in-flight 2 -- s", "--in-flight cannot be used with --soak TIME"),
            (
                "--cancel --against t -- s",
                "`perflab mcp closed`, `perflab mcp open` and `perflab mcp cold-start`",
            ),
            ("--servers f.toml --tool a", "--tool cannot be used with --servers FILE"),
            ("--servers f.toml -- s", "`perflab mcp field FILE` takes none"),
            ("--calibrate --no-floors", "--no-floors cannot be used with --calibrate"),
        ] {
            let error = asked(line).unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }

    #[test]
    fn every_option_of_old_has_its_verb() {
        assert_eq!(verb_of("soak"), Some("soak --duration TIME"));
        assert_eq!(verb_of("servers"), Some("field FILE"));
        assert_eq!(verb_of("tool"), None);
    }
}
