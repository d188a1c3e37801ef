//! The comparison of servers measures itself: servers against themselves, and against one whose times are a tenth longer.

use std::path::Path;
use std::time::Instant;

use crate::latency::{Load, Member, PairLine, Placement, QUANTILES, compare};
use crate::load_test::collect::Collected;
use crate::load_test::launches::{Task, side_by_side};
use crate::load_test::members::{Known, Unknown};
use crate::load_test::modes::Members;
use crate::load_test::setup::Setup;
use crate::load_test::{CallsUnderLoad, Entry, Error, Field, LoadTest, meet};
use crate::mcp::CallEntry;
use crate::progress::Stage;

/// Mean of the fixture's working times, in ns, and of the slower one's.
const WORK: (u64, u64) = (30_000, 33_000);
/// By how much the second is slower.
const SLOWER: f64 = 0.10;
/// The pairs of an experiment: name, baseline, candidate, slow-down.
const PAIRS: [(&str, Member, Member, f64); 3] = [
    ("work", Member::Server, Member::Control, 0.0),
    ("null server", Member::Peer(2), Member::Peer(3), 0.0),
    ("work", Member::Server, Member::Peer(1), SLOWER),
];

/// The fixtures that are compared with each other: running, known, and measured as often as is wanted.
pub struct Pairs {
    setup: Setup,
    members: Members,
}

impl Pairs {
    /// The field of an experiment: the fixture `tool-server` working for some time a call, the same working a tenth longer,
    /// and the null server twice.
    ///
    /// # Errors
    /// A path that is not text.
    pub fn field(tool_server: &Path, null_server: &Path) -> Result<Field, Error> {
        let word = |path: &Path| {
            let text = path.to_str().map(str::to_owned);
            text.ok_or_else(|| Error::Options(format!("{} is not text", path.display())))
        };
        let entry = |name: &str, command: Vec<String>| Entry {
            name: name.to_owned(),
            details: None,
            command,
            http: None,
            in_process: false,
        };
        let work = |mean: u64| Ok::<_, Error>(vec![word(tool_server)?, "tail".to_owned(), mean.to_string()]);
        let null = vec![word(null_server)?];
        let mut arguments = serde_json::Map::new();
        arguments.insert("text".to_owned(), "{payload:64}".into());
        let call = CallEntry {
            tool: "echo".to_owned(),
            weight: 1,
            arguments,
            expect: Some("{payload:64}".to_owned()),
            expect_structured: None,
        };
        Ok(Field {
            name: "calibration".to_owned(),
            servers: vec![
                entry("work", work(WORK.0)?),
                entry("slower", work(WORK.1)?),
                entry("null", null.clone()),
                entry("null again", null),
            ],
            loads: vec![CallsUnderLoad { name: "echo".to_owned(), in_flight: 1, calls: vec![call] }],
        })
    }

    /// Gets to know the servers of a test of [`Pairs::field`].
    ///
    /// # Errors
    /// An [`Error`]; a fixture's fault is one too.
    pub fn meet(test: LoadTest) -> Result<Self, Error> {
        let LoadTest { setup } = test;
        setup.place_client(Placement::Same);
        match meet(&setup, &mut Collected::new(&setup)) {
            Ok(members) => Ok(Self { setup, members }),
            Err(Unknown::Misuse(error)) => Err(error),
            Err(Unknown::Fault(fault)) => Err(failed(&fault.to_string())),
        }
    }

    /// Launches of an experiment: the steps that it reports.
    #[must_use]
    pub fn launches(&self) -> u32 {
        self.setup.options.launches
    }

    /// Makes one experiment with a seed of its own. `None` where it was stopped.
    ///
    /// # Errors
    /// An [`Error`]; a fixture's fault is one too.
    pub fn experiment(&mut self, seed: u64, stage: &dyn Stage) -> Result<Option<Vec<PairLine>>, Error> {
        let Self { setup, members } = self;
        setup.options.seed = seed;
        let all: Vec<&Known> = members.servers.iter().collect();
        let task = [Task { label: String::new(), load: Load::Closed { in_flight: 1 }, set: 0 }];
        let began = Instant::now();
        let mut collected = Collected::new(setup);
        for launch in 0..setup.options.launches {
            let fails = side_by_side(setup, &all, &task, Placement::Same, launch, &mut collected)?;
            if let Some(fault) = collected.file.faults.first().filter(|_| !fails.is_empty()) {
                return Err(failed(&fault.says));
            }
            if setup.stopped() {
                return Ok(None);
            }
            stage.step();
        }
        // A comparison has three servers, the control included.
        let seconds = began.elapsed().as_secs_f64() * 3.0 / all.len() as f64;
        Ok(Some(lines(setup, &collected, seconds)))
    }
}

fn failed(said: &str) -> Error {
    Error::Options(format!("the fixture failed: {said}"))
}

/// The pairs of one experiment.
fn lines(setup: &Setup, collected: &Collected, seconds: f64) -> Vec<PairLine> {
    let mut lines = Vec::new();
    for (pair, base, candidate, slower) in PAIRS {
        let (one, two) = (collected.quantiles(base), collected.quantiles(candidate));
        for (at, q) in QUANTILES.into_iter().enumerate() {
            let pairs: Vec<(u64, u64)> =
                one.iter().zip(&two).filter_map(|(one, two)| Some((*one.get(at)?, *two.get(at)?))).collect();
            let Some(row) = compare(q, &pairs, setup.options.noise_threshold) else { continue };
            lines.push(PairLine {
                seed: setup.options.seed,
                pair: pair.to_owned(),
                q,
                slower,
                launches: row.launches.len(),
                mean_log: row.ratio.ln(),
                sd_log: row.launch_sd,
                lo: row.interval.lo,
                hi: row.interval.hi,
                seconds,
                own_ns: collected.own_cpu(candidate).unwrap_or(f64::NAN),
            });
        }
    }
    lines
}
