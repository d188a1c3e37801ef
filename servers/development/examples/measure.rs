//! What the index costs, beside parsing the same files and nothing else: CPU seconds, peak memory, times of questions.
//!
//! usage: measure parse DIRECTORY          read and parse every file, one after the other on each core
//!        measure index DIRECTORY          make an index from nothing
//!        measure ask DIRECTORY STATE      take up the index in STATE (or make it) and ask it
//!        measure edit DIRECTORY           change one file and ask at once; the file is put back
//!        measure search DIRECTORY PATTERN search every file for a pattern, with no index

#![expect(clippy::print_stdout, reason = "its numbers are for people")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use development::index::{Index, LIMITS, Live, Settings};
use development::resolve::{Graph, Modules};
use development::search::{Mode, Query, search};
use mcp_source::walk::{Rules, walk};
use mcp_source::{Language, parse, read};
use mcp_workspace::Root;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Problem(String);

/// Questions of each kind.
const ROUNDS: usize = 2_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["parse", directory] => parsed(Path::new(directory))?,
        ["index", directory] => drop(index(directory, None)?),
        ["ask", directory, state] => ask(&index(directory, Some(state.into()))?)?,
        ["edit", directory] => edit(directory)?,
        ["search", directory, pattern] => searched(Path::new(directory), pattern)?,
        _ => return Err("usage: measure parse|index|ask|edit|search DIRECTORY [STATE|PATTERN]".into()),
    }
    println!("{:.2} CPU s, peak {} KiB, now {} KiB", cpu()?, kibibytes("VmHWM")?, kibibytes("VmRSS")?);
    Ok(())
}

/// User and system time of this process, in seconds (proc_pid_stat(5), fields 14 and 15, in hundredths on Linux).
fn cpu() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let rest = stat.rsplit(") ").next().ok_or("no fields")?;
    let ticks =
        rest.split(' ').skip(11).take(2).map(str::parse::<f64>).sum::<std::result::Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

fn kibibytes(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).ok_or("no line")?;
    Ok(line.split_whitespace().next().unwrap_or("0").parse()?)
}

fn parsed(directory: &Path) -> Result<()> {
    let root = Root::open(directory)?;
    let files = walk(root.path(), &Rules::default()).files;
    let (next, lines, count) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let path = Path::new(&file.path);
                    let Ok(text) = read(&root, path, &LIMITS) else { continue };
                    let Some(language) = Language::of_file(path, &text) else { continue };
                    if parse::parse(language, &text, parse::USUAL_TIME).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                        lines
                            .fetch_add(text.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    println!("{} files, {} lines parsed", count.into_inner(), lines.into_inner());
    Ok(())
}

fn index(directory: &str, state: Option<PathBuf>) -> Result<Index> {
    let started = Instant::now();
    let index = Index::new(&Settings { root: directory.into(), state })?;
    let live = index.now(&|_, _| true).map_err(Problem)?;
    let (files, skips) = live.counts();
    println!(
        "{files} files in {:.2?}, {} bytes of index, left out: {:?}",
        started.elapsed(),
        live.kept_bytes(),
        skips.list()
    );
    drop(live);
    Ok(index)
}

/// The middle and the hundredth-largest of some times.
fn told(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    println!("{name:10} p50 {:>9.1?} p99 {:>9.1?} of {}", at(0.5), at(0.99), times.len());
}

fn timed(rounds: usize, mut one: impl FnMut(usize)) -> Vec<Duration> {
    let round = |number| {
        let started = Instant::now();
        one(number);
        started.elapsed()
    };
    (0..rounds).map(round).collect()
}

fn ask(index: &Index) -> Result<()> {
    let guard = index.now(&|_, _| true).map_err(Problem)?;
    let live: &Live = &guard;
    let started = Instant::now();
    let modules = Modules::new(live, index.root());
    let graph = Graph::new(&modules, live);
    println!(
        "{} imports between {} files resolved in {:.2?}",
        graph.edges(),
        modules.len(),
        started.elapsed()
    );
    let names: Vec<&str> = live.all_names();
    let entries = live.entries();
    let name = |number: usize| names[number.wrapping_mul(7_919) % names.len()];
    told("symbol", timed(ROUNDS, |number| drop(std::hint::black_box(live.named(name(number))))));
    let entry = |number: usize| entries[number.wrapping_mul(7_919) % entries.len()];
    told("outline", timed(ROUNDS, |number| drop(std::hint::black_box(entry(number).defs()))));
    let file = |number: usize| (number.wrapping_mul(7_919) % entries.len()) as u32;
    told("impact", timed(ROUNDS, |number| drop(std::hint::black_box(graph.impact(&[file(number)], 10)))));
    Ok(())
}

fn searched(directory: &Path, pattern: &str) -> Result<()> {
    let started = Instant::now();
    let found = search(&Root::open(directory)?, &Query::new(pattern, Mode::Regex), &|| false)?;
    println!("{} hits in {} files, {:.2?}", found.hits, found.searched, started.elapsed());
    Ok(())
}

fn edit(directory: &str) -> Result<()> {
    let index = index(directory, None)?;
    let path =
        index.now(&|_, _| true)?.entries().first().map(|entry| entry.path().to_owned()).ok_or("no file")?;
    let file = Path::new(directory).join(path);
    let text = std::fs::read(&file)?;
    let mut failed = None;
    let times = timed(50, |number| {
        let changed = [&text[..], format!("\n// {number}\n").as_bytes()].concat();
        let asked = std::fs::write(&file, changed).map_err(|error| error.to_string());
        if let Err(error) = asked.and_then(|()| index.now(&|_, _| true).map(drop)) {
            failed = Some(error);
        }
    });
    std::fs::write(&file, text)?;
    told("edit", times);
    failed.map_or(Ok(()), |error| Err(error.into()))
}
