//! A record's folder on disk. Written so that a kill at any moment leaves the last finished launch.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

pub(crate) use crate::files::replace;
use crate::measure::{Launch, Run};
use crate::record::{LaunchFile, RAW_HEADER, RunFile, State, raw_rows};

/// An open record.
pub(crate) struct Store {
    /// Its folder.
    pub folder: PathBuf,
    /// What `run.json` holds.
    pub file: RunFile,
    raw: File,
}

impl Store {
    /// Makes a new folder under `out` and writes the first `run.json`.
    pub(crate) fn create(out: &Path, file: RunFile) -> anyhow::Result<Self> {
        let folder = out.join(&file.name);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the record's folder {}", folder.display()))?;
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
        self.put("raw.csv", text.as_bytes())
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

/// Reads a record.
pub(crate) fn read(folder: &Path) -> anyhow::Result<(RunFile, Run)> {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path)
            .with_context(|| format!("{} is no record: cannot read {name}", folder.display()))
    };
    let file = RunFile::read(&text("run.json")?).with_context(|| folder.display().to_string())?;
    let run = file.run(&text("raw.csv")?).with_context(|| folder.display().to_string())?;
    Ok((file, run))
}
