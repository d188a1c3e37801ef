//! `run_tests`.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::civil::Date;
use mcp_runs::plan::{Invocation, Plan};
use mcp_runs::runs::{Guard, Look};
use mcp_sandbox::{Captured, Outcome, Profile, Reason};
use mcp_server::answer::{fitting, length};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::Language;
use mcp_source::walk::{Rules, walk};
use mcp_workspace::Root;

use crate::answers::{RunView, TestView};
use crate::git::Repository;
use crate::params;
use crate::policy::{Policy, today};
use crate::remembered::TestRun;
use crate::results::{RunResult, Tally, Verdict, Verdicts, judge};
use crate::runner::{self, Request, Runner};
use crate::selection::Observed;
use crate::state::Quality;
use crate::tools::{ENVELOPE, bad, failed, select};
use crate::tree;
use crate::words::count;

/// How long a run may take where nobody says: a build is part of it.
const USUAL_TIME: Duration = Duration::from_secs(900);

/// Bytes of a report that are kept of each end: some ten thousand tests.
const KEPT: usize = 8 << 20;

/// How often a run says that it goes on.
const STEP: Duration = Duration::from_secs(1);

pub(super) async fn run_tests(
    state: Arc<Quality>,
    params: params::RunTests,
    context: Context,
) -> Result<RunView, ToolError> {
    let directory = state.roots.resolve("cwd", params.cwd.as_deref()).map_err(bad)?;
    let place = state.place(Some(&[directory.display().to_string()]))?;
    let root = place.root;
    let policy = state.policy(root)?;
    let runner = match params.runner {
        Some(runner) => runner,
        None => runner::detect(&directory).map_err(bad)?,
    };
    let request =
        Request { packages: params.packages.unwrap_or_default(), tests: params.tests.unwrap_or_default() };
    request.check(runner).map_err(bad)?;
    let python = python(&state, root, &directory);
    let script = runner::script(runner, &request, &python, &state.toolchain);
    let invocation = Invocation::new(None, None, Some(script)).map_err(bad)?;
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds));
    let time = params.timeout_s.map_or(USUAL_TIME, seconds);
    let mut plan =
        Plan::new(&state.roots, invocation, params.cwd.as_deref(), Profile::Workspace, time).map_err(bad)?;
    plan.kept = KEPT;
    let (started, at_ms, code) = (Instant::now(), now_ms(), code(root));
    let repeat = u32::from(params.repeat.unwrap_or(1));
    let budget = params.budget_s.map(seconds);
    let mut results: Vec<RunResult> = Vec::new();
    for number in 0..repeat {
        let left = budget.map_or(time, |budget| budget.saturating_sub(started.elapsed()));
        if number > 0 && left.is_zero() {
            break;
        }
        plan.time = time.min(left);
        let outcome = run_once(&state, plan.clone(), &context, number, repeat).await?;
        // One that only the budget ended says nothing that the runs before it did not.
        if number > 0 && outcome.reason == Reason::TimedOut && left < time {
            break;
        }
        let mut result = read(runner, &outcome);
        if runner == Runner::Pytest
            && let Some(why) = result.broken.as_mut().filter(|_| result.tests.is_empty())
            && let Some(hint) = unseen(&state, root, &directory)
        {
            *why = format!("{hint}; {why}");
        }
        let builds = !result.tests.is_empty();
        results.push(result);
        // What does not build now will not build the next time.
        if !builds {
            break;
        }
    }
    let verdicts = judge(&results);
    let is_whole = request == Request::default() && place.paths.iter().all(String::is_empty);
    let mut notices = Vec::new();
    if verdicts.runs < repeat {
        notices.push(format!(
            "{} of {repeat} runs were made: the budget was over or nothing ran",
            verdicts.runs
        ));
    }
    if verdicts.deselected > 0 {
        let count = count(verdicts.deselected, "test was", "tests were");
        notices.push(format!("{count} left out by the project's own configuration"));
    }
    let digest = digest(code, data(&state, root));
    let run = remembered(root, at_ms, digest, is_whole, &verdicts, &policy);
    let run = TestRun { runner: Some(runner), ..run };
    let run = observe(&state, root, run, || !context.is_cancelled());
    if !verdicts.tests.is_empty() | run.broken.is_some() {
        let kept = state.remember(run);
        notices.extend(kept.err().map(|error| format!("remembered for this session only: {error}")));
    }
    Ok(view(runner, &verdicts, &policy, notices, started.elapsed(), &context))
}

/// The Python that runs pytest: of the project's environment, else of the programs that the server was given, else the
/// system's.
fn python(state: &Quality, root: &Root, directory: &Path) -> String {
    let given = || state.programs.iter().map(|bin| bin.join("python3")).find(|python| python.is_file());
    runner::environment(directory, root.path())
        .or_else(given)
        .map_or_else(|| "python3".to_owned(), |python| python.display().to_string())
}

/// What keeps an environment's Python from being run: its interpreter is installed where tests may not read.
fn unseen(state: &Quality, root: &Root, directory: &Path) -> Option<String> {
    let python = runner::environment(directory, root.path())?;
    let prefix = runner::installed(&python, root.path())?;
    if state.readable.iter().any(|readable| prefix.starts_with(readable)) {
        return None;
    }
    Some(format!(
        "{} leads to {}, which tests may not read: start the server with --also-read {}",
        python.display(),
        prefix.display(),
        prefix.display()
    ))
}

/// One run to its end. A caller that goes away ends it.
async fn run_once(
    state: &Quality,
    plan: Plan,
    context: &Context,
    number: u32,
    of: u32,
) -> Result<Arc<Outcome>, ToolError> {
    let run = state.runs.start(plan, ()).await.map_err(failed)?;
    let guard = Guard::new(&run);
    loop {
        tokio::select! {
            () = run.ended() => break,
            () = tokio::time::sleep(STEP) => {
                context.progress(f64::from(number), Some(f64::from(of)), "running").await;
            }
        }
    }
    guard.disarm();
    let look = run.look().map_err(failed)?;
    state.runs.forget(&run);
    match look {
        Look::Ended(outcome) => Ok(outcome),
        Look::Running(_) => Err(failed("the run did not end: call again")),
    }
}

fn read(runner: Runner, outcome: &Outcome) -> RunResult {
    let bytes = |captured: &Captured| [captured.head.as_slice(), captured.tail.as_slice()].concat();
    let is_cut = outcome.stdout.dropped() > 0;
    let stderr = bytes(&outcome.stderr);
    let marked = String::from_utf8_lossy(&stderr);
    let kept = runner::without_marks(&marked).into_bytes();
    let said = Captured { total: kept.len() as u64, head: kept, tail: Vec::new() }.text();
    let marks = if outcome.stderr.dropped() == 0 { &*marked } else { "" };
    let code = outcome.code.filter(|_| outcome.reason == Reason::Exited);
    let mut result = runner::result(runner, (&bytes(&outcome.stdout), is_cut), code, &said, marks);
    let why = match outcome.reason {
        Reason::Exited => return result,
        Reason::TimedOut => "it did not end in its time and was killed",
        Reason::Cancelled => "it was cancelled",
        Reason::Limits => "it reached a limit of the sandbox and was killed",
    };
    result.broken = Some(match result.broken {
        Some(more) => format!("{why}: {more}"),
        None => why.to_owned(),
    });
    result
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A digest of the files of code and of manifests, by what the system says of them.
pub(super) fn code(root: &Root) -> u64 {
    let walked = walk(root.path(), &Rules { most: tree::MOST_FILES, hidden: true, ..Rules::default() });
    let mut hasher = rustc_hash::FxHasher::default();
    for file in walked.files.into_iter().filter(|file| is_code(&file.path)) {
        stamp(root, &file.path).hash(&mut hasher);
    }
    hasher.finish()
}

/// A digest of the other files that git has in its care. Tests may write them, so it is taken when they have ended.
pub(super) fn data(state: &Quality, root: &Root) -> u64 {
    let repository = Repository::open(root.path(), state.roots.paths());
    let tracked = repository.and_then(|repository| repository.tracked()).unwrap_or_default();
    let mut hasher = rustc_hash::FxHasher::default();
    for path in tracked.into_iter().filter(|path| !is_code(path)) {
        stamp(root, &path).hash(&mut hasher);
    }
    hasher.finish()
}

/// Both digests in one.
pub(super) fn digest(code: u64, data: u64) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    (code, data).hash(&mut hasher);
    hasher.finish()
}

fn is_code(path: &str) -> bool {
    Language::of_path(path.as_ref()).is_some() || path.ends_with(".toml")
}

/// What tells a file that changed from one that did not: its times of writing and of any change, which no program sets
/// at will, its inode, length and mode; nothing where it is not there.
fn stamp(root: &Root, path: &str) -> (String, Option<[i128; 5]>) {
    let of = |metadata: Metadata| {
        let written = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        let (inode, length, mode) = (metadata.ino(), metadata.len(), metadata.mode());
        [written, changed, i128::from(inode), i128::from(length), i128::from(mode)]
    };
    (path.to_owned(), root.path().join(path).symlink_metadata().ok().map(of))
}

fn remembered(
    root: &Root,
    at_ms: u64,
    digest: u64,
    is_whole: bool,
    verdicts: &Verdicts,
    policy: &Policy,
) -> TestRun {
    let day = today();
    let of = |wanted: Verdict| {
        let named = verdicts.tests.iter().filter(move |(_, tally)| tally.verdict(verdicts.runs) == wanted);
        named.filter(|(name, _)| policy.quarantined(name, day).is_none()).map(|(name, _)| name.clone())
    };
    let milliseconds = |tally: &Tally| tally.ms.map(|ms| ms.clamp(0.0, f64::from(u32::MAX)) as u32);
    let passed = verdicts
        .tests
        .iter()
        .filter(|(_, tally)| tally.verdict(verdicts.runs) == Verdict::Passed)
        .map(|(name, tally)| (name.clone(), milliseconds(tally)));
    TestRun {
        at_ms,
        root: root.path().display().to_string(),
        digest,
        is_whole,
        runs: verdicts.runs,
        failed: of(Verdict::Failed).chain(of(Verdict::Broken)).collect(),
        flaky: of(Verdict::Flaky).collect(),
        passed: passed.collect(),
        broken: verdicts.broken.first().cloned(),
        runner: None,
        observed: Observed::default(),
    }
}

/// What a run of all tests says of the selection: whether it would have selected the tests that fail now and passed
/// the last time.
fn observe(state: &Quality, root: &Root, mut run: TestRun, is_wanted: impl Fn() -> bool) -> TestRun {
    if !run.is_whole || run.failed.is_empty() {
        return run;
    }
    let known = state.remembered(root);
    let Some(last) = known.iter().find(|last| last.entry.is_whole && last.entry.broken.is_none()) else {
        return run;
    };
    let passed: Vec<&String> = last.entry.passed.iter().map(|(name, _)| name).collect();
    let new: Vec<&String> = run.failed.iter().filter(|name| passed.contains(name)).collect();
    if new.is_empty() {
        return run;
    }
    // Without a repository there is no selection to judge.
    if let Ok(is_selected) = select::would_select(state, root, is_wanted) {
        let missed = new.iter().filter(|name| !is_selected(name)).count();
        run.observed = Observed { failures: new.len() as u64, missed: missed as u64 };
    }
    run
}

fn view(
    runner: Runner,
    verdicts: &Verdicts,
    policy: &Policy,
    mut notices: Vec<String>,
    elapsed: Duration,
    context: &Context,
) -> RunView {
    let day = today();
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut tests = Vec::new();
    for (name, tally) in &verdicts.tests {
        let verdict = tally.verdict(verdicts.runs);
        let until = policy.quarantined(name, day).map(|entry| entry.until.to_string());
        *counts.entry(label(verdict, until.is_some())).or_default() += 1;
        if !matches!(verdict, Verdict::Passed | Verdict::Skipped) {
            tests.push(TestView {
                name: name.clone(),
                verdict,
                passed: tally.passed,
                failed: tally.failed,
                ms: tally.ms,
                message: tally.message.clone(),
                quarantined_until: until,
            });
        }
    }
    tests.sort_by(|a, b| a.verdict.cmp(&b.verdict).then_with(|| a.name.cmp(&b.name)));
    notices.extend(expired(policy, verdicts, day));
    let room = context.budget().max_bytes().saturating_sub(ENVELOPE + length(&verdicts.broken));
    let shown = fitting(tests.iter(), room, |test| length(*test) * 7 / 4 + 1);
    let tests_left_out = tests.len() - shown;
    tests.truncate(shown);
    RunView {
        status: status(verdicts, &counts),
        counts,
        tests,
        broken: verdicts.broken.clone(),
        runs: verdicts.runs,
        runner,
        duration_ms: (elapsed.as_secs_f64() * 1e6).round() / 1e3,
        tests_left_out,
        notices,
    }
}

fn label(verdict: Verdict, is_quarantined: bool) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Skipped => "skipped",
        _ if is_quarantined => "quarantined",
        Verdict::Failed => "failed",
        Verdict::Flaky => "flaky",
        Verdict::Broken => "broken",
        Verdict::Unclassified => "unclassified",
    }
}

/// Entries whose day is over and whose tests do not pass: their failures count again.
fn expired(policy: &Policy, verdicts: &Verdicts, day: Date) -> Vec<String> {
    let still = |test: &str| {
        verdicts.tests.get(test).is_some_and(|tally| !matches!(tally.verdict(verdicts.runs), Verdict::Passed))
    };
    policy
        .expired(day)
        .filter(|entry| still(&entry.test))
        .map(|entry| format!("the quarantine of {} ended on {}: it counts", entry.test, entry.until))
        .collect()
}

/// All in one word. What is broken never counts as run without failures.
fn status(verdicts: &Verdicts, counts: &BTreeMap<&'static str, usize>) -> &'static str {
    let has = |label: &str| counts.contains_key(label);
    if !verdicts.broken.is_empty() || has("broken") {
        "broken"
    } else if has("failed") {
        "failed"
    } else if has("flaky") {
        "flaky"
    } else if has("unclassified") {
        "unclassified"
    } else if verdicts.tests.is_empty() {
        "none"
    } else {
        "passed"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Outcome as TestOutcome, TestResult};

    fn verdicts(outcomes: &[(&str, TestOutcome)], broken: Option<&str>) -> Verdicts {
        let test = |(name, outcome): &(&str, TestOutcome)| TestResult {
            name: (*name).to_owned(),
            outcome: *outcome,
            ms: Some(1.0),
            message: None,
        };
        judge(&[RunResult {
            tests: outcomes.iter().map(test).collect(),
            broken: broken.map(str::to_owned),
            ..RunResult::default()
        }])
    }

    fn of(verdicts: &Verdicts, policy: &str) -> RunView {
        let context = Context::detached(mcp_server::budget::Budget::default());
        view(Runner::Cargo, verdicts, &Policy::read(policy).unwrap(), Vec::new(), Duration::ZERO, &context)
    }

    #[test]
    fn a_broken_build_is_broken_and_never_without_failures() {
        let view = of(&verdicts(&[], Some("it does not build")), "");
        assert_eq!((view.status, view.counts.len()), ("broken", 0));
        let view = of(&verdicts(&[("a", TestOutcome::Passed)], Some("cut")), "");
        assert_eq!(view.status, "broken");
        assert_eq!(of(&verdicts(&[], None), "").status, "none");
        assert_eq!(of(&verdicts(&[("a", TestOutcome::Passed)], None), "").status, "passed");
        assert_eq!(of(&verdicts(&[("a", TestOutcome::Lost)], None), "").status, "broken");
    }

    #[test]
    fn quarantine_counts_until_its_day() {
        let failed = verdicts(&[("a", TestOutcome::Failed), ("b", TestOutcome::Passed)], None);
        assert_eq!(of(&failed, "").status, "failed");
        let entry = |until: &str| format!("[[quarantine]]\ntest = 'a'\nuntil = '{until}'\nreason = 'r'\n");
        let view = of(&failed, &entry("9999-12-31"));
        assert_eq!((view.status, view.counts["quarantined"]), ("passed", 1));
        let view = of(&failed, &entry("2001-01-01"));
        assert_eq!(view.status, "failed");
        assert!(view.notices[0].contains("ended on 2001-01-01"), "{:?}", view.notices);
    }
}
