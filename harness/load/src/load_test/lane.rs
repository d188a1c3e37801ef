//! Whatever takes turns in a launch: a server, a pipe, a process that times its own calls.

use crate::latency::{Load, Member};
use crate::load::{End, InProcess, Pipe, Session, Stretch, Taken, Usage, cpu_of, processes_of};
use crate::load_test::Error;
use crate::load_test::collect::Start;
use crate::load_test::members::Known;
use crate::load_test::setup::Setup;
use crate::mcp::Fault;

/// The longest that warming up may take.
pub(crate) const WARM: std::time::Duration = std::time::Duration::from_secs(2);

/// One of those, ready to be measured.
pub(crate) struct Lane {
    pub member: Member,
    pub start: Start,
    runs: Runs,
    /// Its processes, as they were when it was warm: a look at all of the machine's takes milliseconds.
    processes: Vec<u32>,
}

enum Runs {
    Server(Box<Session>),
    Pipe(Box<Pipe>, Vec<Vec<u8>>),
    InProcess(Box<InProcess>),
}

impl Lane {
    /// Starts a process, has it make its first call, and warms it up under the load that it will be measured under.
    pub(crate) fn start(
        setup: &Setup,
        known: &Known,
        launch: u32,
        warm: Option<Load>,
    ) -> Result<Result<Self, Fault>, Error> {
        let runs = if known.member == Member::Pipe {
            let lines = known.lines(setup);
            let first = lines.first().cloned().unwrap_or_default();
            Pipe::start(&setup.in_process(Member::Pipe)?, first).map(|pipe| Runs::Pipe(Box::new(pipe), lines))
        } else if known.in_process {
            known.timer(setup, launch)?.map(|timer| Runs::InProcess(Box::new(timer)))
        } else {
            known.session(setup, launch)?.map(|session| Runs::Server(Box::new(session)))
        };
        let runs = match runs {
            Ok(runs) => runs,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut lane = Self { member: known.member, start: Start::default(), runs, processes: Vec::new() };
        if let Err(fault) = lane.warm_up(setup, warm) {
            return Ok(Err(fault));
        }
        lane.processes = processes_of(lane.group());
        Ok(Ok(lane))
    }

    fn group(&mut self) -> u32 {
        match &mut self.runs {
            Runs::Server(session) => session.client.group(),
            Runs::Pipe(pipe, _) => pipe.group(),
            Runs::InProcess(timer) => timer.group(),
        }
    }

    /// CPU time of its processes so far, in ns; `None` where it has none any more.
    pub(crate) fn cpu(&self) -> Option<u64> {
        Some(cpu_of(&self.processes)).filter(|&ns| ns > 0)
    }

    fn warm_up(&mut self, setup: &Setup, warm: Option<Load>) -> Result<(), Fault> {
        let stretch = |load, calls| Stretch {
            load,
            end: End { after: WARM, calls },
            seed: setup.options.seed,
            alone: false,
            give_up: None,
        };
        match &mut self.runs {
            Runs::Server(session) => {
                let ready_ns = session.client.ready_ns;
                let (_, fault) = session.drive(&stretch(Load::Closed { in_flight: 1 }, 1), &|| false);
                fault.map_or(Ok(()), Err)?;
                self.start = Start { ready_ns: Some(ready_ns), first_call_ns: Some(session.client.age_ns()) };
                let Some(load) = warm.filter(|_| setup.options.warm_up > 0) else { return Ok(()) };
                let (_, fault) = session.drive(&stretch(load, setup.options.warm_up), &|| setup.stopped());
                fault.map_or(Ok(()), Err)
            }
            Runs::InProcess(timer) => {
                let (_, fault) = timer.drive(std::time::Duration::from_millis(10), &|| setup.stopped());
                fault.map_or(Ok(()), Err)
            }
            Runs::Pipe(..) => Ok(()),
        }
    }

    /// Makes the calls of another set from now on.
    pub(crate) fn choose(&mut self, set: usize) {
        match &mut self.runs {
            Runs::Server(session) => session.choose(set),
            Runs::InProcess(timer) => timer.choose(set),
            Runs::Pipe(pipe, lines) => {
                if let Some(line) = lines.get(set) {
                    pipe.choose(line.clone());
                }
            }
        }
    }

    /// Whether it can be under a load: what has no queue takes one call at a time.
    pub(crate) fn bears(&self, load: Load) -> bool {
        matches!(self.runs, Runs::Server(_)) || load == Load::Closed { in_flight: 1 }
    }

    /// Makes calls for a stretch.
    pub(crate) fn drive(&mut self, stretch: &Stretch, stop: &dyn Fn() -> bool) -> (Taken, Option<Fault>) {
        match &mut self.runs {
            Runs::Server(session) => session.drive(stretch, stop),
            Runs::Pipe(pipe, _) => pipe.drive(stretch.end.after, stop),
            Runs::InProcess(timer) => timer.drive(stretch.end.after, stop),
        }
    }

    /// What its process group has used so far.
    pub(crate) fn usage(&mut self) -> Usage {
        match &mut self.runs {
            Runs::Server(session) => session.usage(),
            Runs::Pipe(pipe, _) => pipe.usage(),
            Runs::InProcess(timer) => timer.usage(),
        }
    }

    /// An answer that nobody asked for.
    pub(crate) fn strays(&mut self) -> Option<Fault> {
        match &mut self.runs {
            Runs::Server(session) => session.strays().err(),
            Runs::Pipe(..) | Runs::InProcess(_) => None,
        }
    }

    /// How much it has written to stderr, in bytes.
    pub(crate) fn stderr_bytes(&mut self) -> u64 {
        match &mut self.runs {
            Runs::Server(session) => session.client.stderr_bytes(),
            Runs::Pipe(..) | Runs::InProcess(_) => 0,
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        match self.runs {
            Runs::Server(session) => {
                session.client.end();
            }
            Runs::Pipe(pipe, _) => pipe.end(),
            Runs::InProcess(timer) => timer.end(),
        }
    }
}
