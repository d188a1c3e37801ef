//! What this process is for, and where it stands: one for the whole process, because a bench target makes as many
//! `Criterion`s as it likes, and its own course decides which benchmark comes next.
//!
//! The lab asks for benchmarks in the order in which the target has them. Each is met on the way, and its requests are
//! answered where it calls `iter`, with all that it has borrowed. What is asked for behind the place that was reached is
//! met by the program itself, started again in this process: a target may set up what cannot be set up twice.

use std::any::Any;
use std::collections::BTreeMap;
use std::env;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{self, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use perflab_subject::lab::{Lab, started_by_lab, when_it_exits};
use perflab_subject::protocol::{
    BenchmarkInfo, CANNOT_BE_MEASURED, Listing, PROTOCOL_VERSION, Refused, Request, UNKNOWN_ANSWER,
};

use crate::Throughput;
use crate::id::Names;
use crate::plain::Plain;
use crate::visit::{Asked, Visit};

/// Set for the process that only lists.
const LISTING: &str = "PERFLAB_CRITERION_LISTING";
/// The request for which the program was started again.
const PENDING: &str = "PERFLAB_CRITERION_PENDING";

static SESSION: Mutex<Option<Session>> = Mutex::new(None);

struct Session {
    names: Names,
    purpose: Purpose,
}

enum Purpose {
    /// To answer the lab.
    Subject(Subject),
    /// To print what there is, for the process that the lab has asked.
    Listing(Lab),
    /// What `cargo bench` and `cargo test` are for.
    Plain(Plain),
}

struct Subject {
    /// `None` while a benchmark answers.
    lab: Option<Lab>,
    /// What was asked, and is not answered yet.
    pending: Option<Request>,
    /// Whether that was known before the first benchmark was met: it was not overlooked.
    from_the_start: bool,
    /// Benchmarks that were met.
    met: Vec<String>,
    /// Those of them that cannot be measured, with the reason.
    failed: BTreeMap<String, String>,
}

/// A line on stderr, which a person sees and the lab keeps the end of.
pub(crate) fn remark(sentence: &impl Display) {
    writeln!(io::stderr(), "perflab-criterion: {sentence}").ok();
}

fn session() -> MutexGuard<'static, Option<Session>> {
    let mut guard = SESSION.lock().unwrap_or_else(PoisonError::into_inner);
    if guard.is_none() {
        *guard = Some(Session { names: Names::default(), purpose: Purpose::find() });
    }
    guard
}

impl Purpose {
    fn find() -> Self {
        if env::var_os(LISTING).is_some() {
            return Lab::only_speak().map_or_else(|error| give_up(&error), Self::Listing);
        }
        if !started_by_lab() {
            return Self::Plain(Plain::of(env::args().skip(1)));
        }
        let lab = Lab::meet().unwrap_or_else(|error| give_up(&error));
        when_it_exits(at_exit);
        let pending = env::var(PENDING).ok().and_then(|line| Request::read(&line).ok());
        Self::Subject(Subject {
            lab: Some(lab),
            from_the_start: pending.is_some(),
            pending,
            met: Vec::new(),
            failed: BTreeMap::new(),
        })
    }
}

fn give_up(error: &io::Error) -> ! {
    remark(&format_args!("stdin and stdout cannot be taken for the lab: {error}"));
    process::exit(2)
}

/// Begins before anything else of the program runs.
#[doc(hidden)]
pub fn __begin() {
    let mut guard = session();
    let Some(Session { purpose: Purpose::Subject(subject), .. }) = guard.as_mut() else { return };
    if subject.hear() == Heard::End {
        drop(guard);
        process::exit(0);
    }
}

/// Runs a part of the program that has a name. Asked by the lab, a panic in it is a benchmark of that name which cannot
/// be measured, and the rest goes on.
#[doc(hidden)]
pub fn __guarded(name: &str, part: impl FnOnce()) {
    if matches!(session().as_ref(), Some(Session { purpose: Purpose::Plain(_), .. })) {
        return part();
    }
    let Err(panic) = catch_unwind(AssertUnwindSafe(part)) else { return };
    let why = format!("it panicked: {}", message(panic.as_ref()));
    let mut guard = session();
    let Some(Session { names, purpose }) = guard.as_mut() else { return };
    let name = names.unique(name);
    match purpose {
        Purpose::Subject(subject) => subject.fail(name, &why),
        Purpose::Listing(lab) => say_listed(lab, &info(&name, None)),
        Purpose::Plain(_) => {}
    }
}

/// What there is to do for the next benchmark of the program.
pub(crate) fn enter(wanted: &str, throughput: Option<&Throughput>) -> Option<Visit> {
    let mut guard = session();
    let Session { names, purpose } = guard.as_mut()?;
    let name = names.unique(wanted);
    if name != wanted && !matches!(purpose, Purpose::Subject(_)) {
        remark(&format_args!(
            "{wanted:?} is called {name:?}: names are unique, printable and of 200 characters at most"
        ));
    }
    match purpose {
        Purpose::Listing(lab) => {
            say_listed(lab, &info(&name, throughput));
            None
        }
        Purpose::Plain(plain) => plain.enter(&name, throughput),
        Purpose::Subject(subject) => match subject.enter(&name) {
            Entered::Passed => None,
            Entered::Asked(asked) => Some(Visit::asked(name, *asked)),
            Entered::End => {
                drop(guard);
                process::exit(0)
            }
        },
    }
}

/// Takes back what a visit holds. `outcome` is how the benchmark's function ended.
pub(crate) fn leave(visit: Visit, outcome: Result<(), Box<dyn Any + Send>>) {
    let why = match outcome {
        Err(panic) if !visit.answers_the_lab() => resume_unwind(panic),
        Err(panic) => Some(format!("it panicked: {}", message(panic.as_ref()))),
        Ok(()) => visit.fault(),
    };
    let (name, Some(asked)) = visit.end() else { return };
    let mut guard = session();
    let Some(Session { purpose: Purpose::Subject(subject), .. }) = guard.as_mut() else { return };
    let Asked { lab, current, next, ended } = asked;
    subject.lab = Some(lab);
    subject.pending = current;
    if subject.pending.is_some() {
        let why = why.unwrap_or_else(|| "its function returns before the request is answered".to_owned());
        subject.fail(name, &why);
    }
    if next.is_some() {
        subject.pending = next;
        subject.from_the_start = false;
    }
    if ended {
        drop(guard);
        process::exit(0);
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it says nothing")
}

fn info(name: &str, throughput: Option<&Throughput>) -> BenchmarkInfo {
    BenchmarkInfo {
        name: name.to_owned(),
        answer: UNKNOWN_ANSWER,
        count_answer: UNKNOWN_ANSWER,
        slow: true,
        unchecked: true,
        payload: throughput.and_then(Throughput::bytes),
        elements: throughput.and_then(Throughput::elements),
        ..BenchmarkInfo::default()
    }
}

fn say_listed(lab: &mut Lab, info: &BenchmarkInfo) {
    if lab.say(info).is_err() {
        process::exit(1);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// A request for a benchmark is pending.
    Asked,
    /// Nothing will be asked any more.
    End,
}

enum Entered {
    /// Nobody asks for it now.
    Passed,
    Asked(Box<Asked>),
    End,
}

impl Subject {
    /// Waits for a request that a benchmark has to answer. Others are answered at once.
    fn hear(&mut self) -> Heard {
        while self.pending.is_none() {
            let Some(lab) = &mut self.lab else { return Heard::End };
            match next_request(lab) {
                Some(request) => {
                    self.from_the_start = self.met.is_empty();
                    self.pending = Some(request);
                    self.refuse_failed();
                }
                None => return Heard::End,
            }
        }
        Heard::Asked
    }

    /// A benchmark that could not be measured cannot be measured when it is asked for again.
    fn refuse_failed(&mut self) {
        let why = self.pending.as_ref().and_then(Request::benchmark).and_then(|name| self.failed.get(name));
        if let Some(sentence) = why.cloned() {
            self.refuse(sentence);
        }
    }

    fn enter(&mut self, name: &str) -> Entered {
        if self.hear() == Heard::End {
            return Entered::End;
        }
        self.met.push(name.to_owned());
        if self.pending.as_ref().and_then(Request::benchmark) != Some(name) {
            return Entered::Passed;
        }
        match self.lab.take() {
            Some(lab) => {
                let current = self.pending.take();
                Entered::Asked(Box::new(Asked { lab, current, next: None, ended: false }))
            }
            None => Entered::Passed,
        }
    }

    /// Notes why a benchmark cannot be measured, and says it to whoever asks for it now.
    fn fail(&mut self, name: String, why: &str) {
        let asked = self.pending.as_ref().and_then(Request::benchmark) == Some(name.as_str());
        let sentence = format!("{CANNOT_BE_MEASURED}{why}");
        self.failed.insert(name, sentence.clone());
        if asked {
            self.refuse(sentence);
        }
    }

    fn refuse(&mut self, error: String) {
        self.pending = None;
        if let Some(lab) = &mut self.lab {
            lab.say(&Refused { error }).ok();
        }
    }

    /// Answers what the program has not met on its way, until the lab has no more to ask.
    fn remain(&mut self) {
        while self.hear() == Heard::Asked {
            let Some(request) = self.pending.clone() else { return };
            let name = request.benchmark().unwrap_or_default();
            if self.from_the_start {
                let sentence = if self.met.iter().any(|met| met == name) {
                    format!("{CANNOT_BE_MEASURED}the program ended in it")
                } else {
                    format!("unknown benchmark {name:?}; known: {}", self.met.join(", "))
                };
                self.refuse(sentence);
            } else if let Err(error) = self.start_again(&request) {
                self.refuse(format!("{CANNOT_BE_MEASURED}the program cannot be started again: {error}"));
            }
        }
    }

    /// Puts the program, from its beginning, in the place of this process. Returns only where that fails.
    fn start_again(&self, request: &Request) -> io::Result<()> {
        let Some(lab) = &self.lab else { return Ok(()) };
        let mut program = Command::new(env::current_exe()?);
        program.args(env::args_os().skip(1)).env(PENDING, request.to_string());
        Err(lab.leave_to(program))
    }
}

/// The next request for a benchmark; requests for none are answered. `None` where the lab has nothing more to ask.
pub(crate) fn next_request(lab: &mut Lab) -> Option<Request> {
    loop {
        match lab.next_request() {
            Ok(Some(Ok(Request::List))) => match listing() {
                Ok(listing) => lab.say(&listing).ok()?,
                Err(error) => lab.say(&Refused { error }).ok()?,
            },
            Ok(Some(Ok(request))) => return Some(request),
            Ok(Some(Err(error))) => lab.say(&Refused { error: error.to_string() }).ok()?,
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Lists by a process of its own: what a target sets up on the way is set up once in each process, and this one comes to
/// its first benchmark as it does in every launch.
fn listing() -> Result<Listing, String> {
    let program = env::current_exe().map_err(|error| format!("the program's file is not known: {error}"))?;
    let mut command = Command::new(&program);
    command.args(env::args_os().skip(1)).env(LISTING, "1").env_remove(PENDING);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("the process that lists cannot be started: {error}"))?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let benchmarks = lines.lines().map(BenchmarkInfo::read).collect::<Result<Vec<_>, _>>()?;
    if !output.status.success() {
        let sentence = format!("the process that lists ended with {}", output.status);
        if benchmarks.is_empty() {
            return Err(sentence);
        }
        remark(&format_args!("{sentence}, after {} benchmarks", benchmarks.len()));
    }
    let subject = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Listing { protocol: PROTOCOL_VERSION, subject, benchmarks })
}

extern "C" fn at_exit() {
    // Whoever holds the lock exits in the middle of a request, which the end of the process answers.
    let Ok(mut guard) = SESSION.try_lock() else { return };
    if let Some(Session { purpose: Purpose::Subject(subject), .. }) = guard.as_mut() {
        subject.remain();
    }
}
