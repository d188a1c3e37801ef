//! A record's directory on disk. Written so that a kill at any moment leaves the last finished launch.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::called::program;
pub(crate) use crate::files::replace;
use crate::measure::{Launch, Run, RunFailure};
use crate::plan::Plan;
use crate::record::{LaunchFile, RAW_HEADER, RunFile, State, raw_rows};

/// The name of a gate's file in a record.
pub(crate) const GATE_FILE: &str = "gate.json";

/// An open record.
pub struct Store {
    /// Its directory.
    pub folder: PathBuf,
    /// What `run.json` holds.
    pub file: RunFile,
    raw: File,
}

impl Store {
    /// Makes a new directory under `out` and writes the first `run.json`. Where its name is taken it gets another one.
    pub(crate) fn create(out: &Path, mut file: RunFile) -> anyhow::Result<Self> {
        let folder = new_directory(out, &mut file.name)?;
        Self::within(folder, file)
    }

    /// Begins a record in a directory of its own, which is made where it is not there.
    pub(crate) fn within(folder: PathBuf, file: RunFile) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the record's directory {}", folder.display()))?;
        let mut raw = File::create(folder.join("raw.csv"))?;
        raw.write_all(RAW_HEADER.as_bytes())?;
        let mut store = Self { folder, file, raw };
        store.save()?;
        Ok(store)
    }

    /// Opens a stopped record to go on with it. Rows after the last finished launch are cut off.
    pub(crate) fn resume(folder: &Path) -> anyhow::Result<Self> {
        let (mut file, run) = read(folder)?;
        if file.state == State::Finished {
            bail!("{} is finished: there is nothing to go on with", folder.display());
        }
        let mut text = RAW_HEADER.to_owned();
        for launch in &run.launches {
            text += &raw_rows(&file.plan, launch);
        }
        replace(&folder.join("raw.csv"), text.as_bytes())?;
        let raw = File::options().append(true).open(folder.join("raw.csv"))?;
        file.state = State::Running;
        Ok(Self { folder: folder.to_owned(), file, raw })
    }

    /// Adds a finished launch: its samples first, then its name.
    pub(crate) fn add(&mut self, launch: &Launch) -> anyhow::Result<()> {
        self.raw
            .write_all(raw_rows(&self.file.plan, launch).as_bytes())
            .and_then(|()| self.raw.sync_data())
            .with_context(|| format!("cannot write samples to {}", self.folder.display()))?;
        self.file.launches.push(LaunchFile::from(launch));
        self.save()
    }

    /// Takes the samples of a benchmark of these arms out of the record again.
    pub(crate) fn drop_rows(&mut self, benchmark: &str, arms: &[&str]) -> anyhow::Result<()> {
        let (file, mut run) = read(&self.folder)?;
        let dropped = |turn: &crate::measure::Turn| {
            file.plan.benchmarks[turn.benchmark].name == benchmark
                && arms.contains(&file.plan.arms[turn.arm].name.as_str())
        };
        let mut text = RAW_HEADER.to_owned();
        for launch in &mut run.launches {
            launch.turns.retain(|turn| !dropped(turn));
            text += &raw_rows(&file.plan, launch);
        }
        // Two files cannot change at once: while one has changed, the other does not say how many rows there are.
        self.file.launches.iter_mut().for_each(|launch| launch.rows = None);
        self.save()?;
        self.put("raw.csv", text.as_bytes())?;
        self.file.launches = run.launches.iter().map(LaunchFile::from).collect();
        self.save()
    }

    /// Whether something in it is broken.
    #[must_use]
    pub fn failed(&self) -> bool {
        failed(&self.file.plan, &self.file.failures)
    }

    /// Whether the user stopped it.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.file.state == State::Stopped
    }

    /// Writes `run.json` whole.
    pub(crate) fn save(&mut self) -> anyhow::Result<()> {
        let path = self.folder.join("run.json");
        replace(&path, self.file.write()?.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes another file of the record whole.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.folder.join(name);
        replace(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Whether a record can be written under `out`, before anything is built for it: tried, since permissions, read-only file
/// systems and full ones each refuse in their own way. Nothing is left of it.
pub(crate) fn check_writable(out: &Path) -> anyhow::Result<()> {
    let out = std::path::absolute(out)?;
    let there = out.ancestors().find(|above| above.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    let tried = there.join(format!(".perflab-{}", std::process::id()));
    fs::create_dir(&tried)
        .and_then(|()| fs::remove_dir(&tried))
        .with_context(|| format!("records cannot be written to {}", out.display()))
}

/// Makes a record's directory under `out`. Where another lab has taken the name since it was chosen, the next one is
/// taken: no record is written over.
pub(crate) fn new_directory(out: &Path, name: &mut String) -> anyhow::Result<PathBuf> {
    let cannot = |folder: &Path| format!("cannot make the record's directory {}", folder.display());
    fs::create_dir_all(out).with_context(|| cannot(&out.join(&*name)))?;
    loop {
        let folder = out.join(&*name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => *name = record_name(out),
            made => return made.with_context(|| cannot(&folder)).map(|()| folder),
        }
    }
}

/// Date, time and host; with letters where several runs start in one minute.
pub(crate) fn record_name(out: &Path) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host: String = host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
    let name = format!("{}-{host}", jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M"));
    free_name(&name, &|name| out.join(name).symlink_metadata().is_err())
}

/// A name that is free: itself, then with `b` to `z`, then with `zb` to `zz`, and so on, which sort in this order.
fn free_name(name: &str, is_free: &dyn Fn(&str) -> bool) -> String {
    let mut ending = String::new();
    loop {
        let letters = ('b'..='z').map(|letter| format!("{name}{ending}{letter}"));
        let plain = ending.is_empty().then(|| name.to_owned());
        if let Some(free) = plain.into_iter().chain(letters).find(|name| is_free(name)) {
            return free;
        }
        ending.push('z');
    }
}

/// Whether something is broken: an arm, or the baseline has nothing to be measured with, so that nothing was.
pub(crate) fn failed(plan: &Plan, failures: &[RunFailure]) -> bool {
    failures.iter().any(RunFailure::is_broken) || lacks_baseline(plan, failures)
}

/// Whether the baseline itself has nothing to be measured with.
pub(crate) fn lacks_baseline(plan: &Plan, failures: &[RunFailure]) -> bool {
    let baseline = &plan.baseline().name;
    failures.iter().any(|failure| &failure.arm == baseline && failure.benchmark.is_none())
}

/// What lies in a directory; nothing where there is none.
pub(crate) fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let cannot = || format!("cannot read {}", directory.display());
    match std::fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        entries => {
            entries.with_context(cannot)?.map(|entry| Ok(entry.with_context(cannot)?.path())).collect()
        }
    }
}

/// A text without the byte order mark that editors and shells of Windows begin files with.
pub(crate) fn without_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    text
}

/// Reads a record.
pub(crate) fn read(folder: &Path) -> anyhow::Result<(RunFile, Run)> {
    if !folder.join("run.json").exists() && folder.join(GATE_FILE).exists() {
        bail!("{0} holds a gate that measured nothing: {1} gate {0} shows it", folder.display(), program());
    }
    let text = |name: &str| {
        let path = folder.join(name);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} is not a record: cannot read {name}", folder.display()))?;
        anyhow::Ok(without_mark(text))
    };
    let file = RunFile::read(&text("run.json")?).with_context(|| folder.display().to_string())?;
    let run = file.run(&text("raw.csv")?).with_context(|| folder.display().to_string())?;
    Ok((file, run))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_record_of_a_minute_has_a_name_of_its_own_and_they_sort_by_time() {
        let mut taken = Vec::new();
        for _ in 0..80 {
            let name = free_name("2026-11-30T0900-host", &|name| !taken.contains(&name.to_owned()));
            taken.push(name);
        }
        let sorted: Vec<String> = taken.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(sorted, taken, "each once, in order");
    }

    #[test]
    fn a_name_that_another_lab_took_meanwhile_is_not_written_over() {
        let out = tempfile::tempdir().unwrap();
        let out = out.path().join("deep");
        let chosen = record_name(&out);
        let mut first = chosen.clone();
        let made = new_directory(&out, &mut first).unwrap();
        fs::write(made.join("run.json"), "of the first").unwrap();
        let mut second = chosen.clone();
        let other = new_directory(&out, &mut second).unwrap();
        assert!(first == chosen && second != chosen && other != made, "{second}");
        assert_eq!(other.file_name().unwrap().to_str(), Some(&*second));
        assert_eq!(fs::read_to_string(made.join("run.json")).unwrap(), "of the first");
    }
}
