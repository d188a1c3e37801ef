//! A load test from its options to its record: servers are started, got to know, measured, compared and ended.
//!
//! ```no_run
//! use perflab_load::latency::Load;
//! use perflab_load::load_test::{LoadTest, Named, Options, Question, Servers};
//! use perflab_load::{Watcher, probe};
//!
//! let server = Named { command: vec!["./my-server".into()], ..Named::default() };
//! let question = Question::Latency { load: Load::Closed { in_flight: 1 } };
//! let options = Options::new(question, Servers::Named(server), probe()?);
//! if let Some(record) = LoadTest::prepare(options, Watcher::silent())?.run()? {
//!     record.write("results/first".as_ref())?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calibrate;
mod cancel;
mod capacity;
mod collect;
mod error;
mod field;
mod instructions;
mod lane;
mod launches;
mod members;
mod modes;
mod options;
mod record;
mod setup;
mod soak;

pub use calibrate::Pairs;
pub use error::Error;
pub use field::{CallsUnderLoad, Entry, Field};
pub use options::{Calls, Floors, Named, Options, Question, Servers, Sweep};
pub use record::Record;

use std::time::Instant;

use crate::latency::{Member, ServerFacts};
use crate::load_test::collect::Collected;
use crate::load_test::members::{Known, Unknown, learn, learn_timer};
use crate::load_test::modes::Members;
use crate::load_test::setup::Setup;
use crate::progress::Watcher;

/// A load test that is ready to run.
pub struct LoadTest {
    setup: Setup,
}

impl LoadTest {
    /// Looks for everything that a test needs, and starts nothing yet. From here on this process has the priority that it
    /// and its servers will have: the highest that the system lets it take.
    ///
    /// # Errors
    /// [`Error::Options`], [`Error::NoProgram`] and [`Error::Address`].
    pub fn prepare(options: Options, watcher: Watcher) -> Result<Self, Error> {
        Ok(Self { setup: Setup::of(options, watcher)? })
    }

    /// The options, with what the machine made of them.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.setup.options
    }

    /// Runs the test on this thread, which is pinned to a core from then on. `None` where the watcher stopped it before
    /// anything was measured.
    ///
    /// What a server does wrong ends the test, not the record: it is among the record's faults, with what was measured
    /// before.
    ///
    /// # Errors
    /// An [`Error`], when the options do not fit the servers.
    pub fn run(self) -> Result<Option<Record>, Error> {
        let Self { setup } = self;
        let start = Instant::now();
        let mut collected = Collected::new(&setup);
        if let Some(&placement) = setup.options.placements.first() {
            setup.place_client(placement);
        }
        match meet(&setup, &mut collected) {
            Ok(members) => {
                modes::run(&setup, &members, &mut collected)?;
                instructions::count(&setup, &members, &mut collected)?;
            }
            // Nothing can be measured of a server that does not answer; the record says why.
            Err(Unknown::Fault(_)) => {}
            Err(Unknown::Misuse(error)) => return Err(error),
        }
        if setup.stopped() && collected.is_empty() {
            return Ok(None);
        }
        collected.record(start.elapsed().as_secs_f64(), setup.stopped()).map(Some)
    }
}

/// The first process of every server: what it is, and that its answers are right.
fn meet(setup: &Setup, collected: &mut Collected) -> Result<Members, Unknown> {
    let mut members = Members { servers: Vec::new(), floors: Vec::new() };
    if let Servers::Field { field, without } = &setup.options.servers {
        meet_field(setup, field, without, &mut members, collected)?;
    } else {
        let wanted: &[Member] = if setup.compares() {
            &[Member::Server, Member::Against, Member::Control]
        } else {
            &[Member::Server]
        };
        for &member in wanted {
            members.servers.push(learned(setup, member, collected)?);
        }
    }
    if setup.has_floors() {
        meet_floors(setup, &mut members, collected)?;
    }
    let all = members.servers.iter().chain(&members.floors);
    collected.file.servers = all.map(|known| known.facts.clone()).collect();
    Ok(members)
}

/// The servers of a field. The first one has to answer; another that does not is named and left out.
fn meet_field(
    setup: &Setup,
    field: &Field,
    without: &[String],
    members: &mut Members,
    collected: &mut Collected,
) -> Result<(), Unknown> {
    let count = field.servers.len();
    let stage = setup.stage("meet", &format!("{count} servers"), count as u64);
    let first = learned(setup, Member::Server, collected)?;
    let control = Known { member: Member::Control, ..first.clone() };
    let facts = ServerFacts { member: Member::Control, label: None, ..first.facts.clone() };
    members.servers.extend([first, Known { facts, ..control }]);
    stage.step();
    for (place, entry) in (0..=u8::MAX).zip(&field.servers).skip(1) {
        if without.contains(&entry.name) || setup.stopped() {
            continue;
        }
        stage.doing(&entry.name);
        let member = Member::Peer(place);
        if let Some(absent) = setup.absent(member) {
            collected.note(format!("{} was not measured: {absent}", entry.name));
        } else if entry.in_process {
            members.servers.push(learn_timer(setup, member, &members.servers[0]));
        } else if let Ok(known) = learned(setup, member, collected) {
            members.servers.push(known);
        }
        stage.step();
    }
    stage.end();
    Ok(())
}

/// The floors under the servers: `cat`, the null server, its calls in process.
fn meet_floors(setup: &Setup, members: &mut Members, collected: &mut Collected) -> Result<(), Unknown> {
    let Some(first) = members.servers.first().cloned() else { return Ok(()) };
    if setup.options.floor().is_some() {
        let http = members.servers.iter().any(|known| known.facts.floor == Some(Member::NullHttp));
        for member in [Some(Member::NullServer), http.then_some(Member::NullHttp)].into_iter().flatten() {
            match learn(setup, member, Some(&first)) {
                Ok(known) => members.floors.push(known),
                Err(Unknown::Fault(fault)) => {
                    collected.note(format!("the null server was not measured: {fault}"));
                }
                Err(misuse) => return Err(misuse),
            }
        }
        if let Some(null) = members.floors.first().cloned() {
            members.floors.push(Known::floor(setup, Member::InProcess, &null));
        }
    }
    members.floors.push(Known::floor(setup, Member::Pipe, &first));
    Ok(())
}

fn learned(setup: &Setup, member: Member, collected: &mut Collected) -> Result<Known, Unknown> {
    learn(setup, member, None).inspect_err(|unknown| {
        if let Unknown::Fault(fault) = unknown {
            collected.fail(member, 0, fault.clone());
        }
    })
}
