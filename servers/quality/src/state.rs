//! The state that the tools share.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcp_runs::options::Settings;
use mcp_runs::runs::Runs;
use mcp_server::tool::ToolError;
use mcp_source::walk::Stamp;
use mcp_state::{Numbered, OnDemand};
use mcp_workspace::{Root, Roots};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::metrics::FileMetrics;
use crate::policy::{self, Policy};
use crate::remembered::{LIMITS, TestRun};
use crate::runner::Toolchain;
use crate::tools::copies::Copies;

/// The state that the tools share.
pub(crate) struct Quality {
    pub roots: Roots,
    opened: Vec<Root>,
    pub runs: Runs,
    pub memory: OnDemand<TestRun>,
    /// Runs of this session that could not be kept, the newest last.
    unkept: Mutex<VecDeque<TestRun>>,
    pub toolchain: Toolchain,
    /// Directories with programs that the server was given, and all that commands may read outside of the roots.
    pub programs: Vec<PathBuf>,
    pub readable: Vec<PathBuf>,
    /// Metrics of files that did not change, by path and stamp.
    pub measured: Mutex<FxHashMap<PathBuf, (Stamp, Arc<FileMetrics>)>>,
    pub copies: Mutex<Option<Copies>>,
}

/// The most runs of a session that are remembered where no state can be used.
const MOST_UNKEPT: usize = 50;

/// The most files whose metrics are remembered.
pub(crate) const MOST_MEASURED: usize = 20_000;

/// Paths of a call: of one root, relative to it.
pub(crate) struct Place<'a> {
    pub root: &'a Root,
    pub paths: Vec<String>,
}

impl Quality {
    /// The state of a server. Asks the host nothing and opens no state: both are done when they are needed.
    ///
    /// # Errors
    /// One sentence: a root or another directory cannot be used.
    pub fn new(settings: &Settings, toolchain: Toolchain) -> Result<Self, String> {
        let (roots, runs) = settings.open()?;
        let opened = roots.paths().iter().map(|path| Root::open(path)).collect::<Result<_, _>>();
        Ok(Self {
            opened: opened.map_err(|error| error.to_string())?,
            roots,
            runs,
            memory: OnDemand::new(settings.state.clone(), LIMITS),
            unkept: Mutex::default(),
            toolchain,
            programs: settings.sandbox.programs.clone(),
            readable: settings.sandbox.programs.iter().chain(&settings.sandbox.also_read).cloned().collect(),
            measured: Mutex::default(),
            copies: Mutex::default(),
        })
    }

    /// The root that holds a path, and the path below it. The innermost root counts.
    fn below(&self, argument: &str, asked: &str) -> Result<(&Root, String), ToolError> {
        let path = self.roots.resolve(argument, Some(asked)).map_err(ToolError::bad_arguments)?;
        let holding = self.opened.iter().filter(|root| path.starts_with(root.path()));
        let root = holding.max_by_key(|root| root.path().as_os_str().len());
        let root =
            root.ok_or_else(|| ToolError::bad_arguments(format!("{argument} {asked} lies below no root")))?;
        let below = path.strip_prefix(root.path()).unwrap_or(Path::new(""));
        Ok((root, below.to_string_lossy().into_owned()))
    }

    /// The root and paths of a call; all of the first root where none is named.
    ///
    /// # Errors
    /// A path lies outside of the roots or is not there, or two lie in different roots.
    pub fn place(&self, paths: Option<&[String]>) -> Result<Place<'_>, ToolError> {
        let asked = paths.unwrap_or_default();
        let mut place = Place { root: self.first(), paths: Vec::with_capacity(asked.len()) };
        if !place.root.path().is_dir() {
            let root = place.root.path().display();
            return Err(ToolError::failed(format!(
                "the root {root} is not there any more: start the server again"
            )));
        }
        for (number, path) in asked.iter().enumerate() {
            let (root, below) = self.below("paths", path)?;
            if number > 0 && root.path() != place.root.path() {
                return Err(ToolError::bad_arguments("paths lie in different roots: ask for each by itself"));
            }
            if !root.path().join(&below).exists() {
                return Err(ToolError::bad_arguments(format!(
                    "paths {path} is not there: name a file or a directory"
                )));
            }
            place.root = root;
            place.paths.push(below);
        }
        Ok(place)
    }

    /// The first root.
    pub fn first(&self) -> &Root {
        // A server has at least one, or it would not have started.
        &self.opened[0]
    }

    /// Opens a file of a call, and gives its root.
    ///
    /// # Errors
    /// It lies outside of the roots, or cannot be opened.
    pub fn file(&self, argument: &str, asked: &str) -> Result<(&Root, std::fs::File), ToolError> {
        let (root, below) = self.below(argument, asked)?;
        let opened = root.file(below.as_ref()).map_err(|error| match error.kind() {
            std::io::ErrorKind::CrossesDevices => format!("{argument} {asked} leads out of its root"),
            _ => format!("{argument} {asked} cannot be read ({error}): name a file below a root"),
        });
        opened.map(|file| (root, file)).map_err(ToolError::bad_arguments)
    }

    /// What `quality.toml` says; the usual where it is not there.
    ///
    /// # Errors
    /// One sentence: it is malformed.
    pub fn policy(&self, root: &Root) -> Result<Policy, ToolError> {
        if !root.path().join(policy::FILE).exists() {
            return Ok(Policy::default());
        }
        let path = root.path().join(policy::FILE);
        let text = self.roots.read_text(&path.to_string_lossy(), policy::LARGEST);
        let text = text.map_err(|error| ToolError::failed(error.to_string()))?;
        Policy::read(&text).map_err(ToolError::failed)
    }

    /// Remembers a run: in the state, or for this session where there is none or it cannot be used.
    ///
    /// # Errors
    /// One sentence: why it is remembered for this session alone.
    pub fn remember(&self, run: TestRun) -> Result<(), String> {
        let kept = match self.memory.is_kept() {
            true => {
                let append = |log: Arc<mcp_state::Log<TestRun>>| {
                    log.append(run.clone()).map(drop).map_err(|error| error.to_string())
                };
                self.memory.get().and_then(append)
            }
            false => Ok(()),
        };
        if kept.is_err() || !self.memory.is_kept() {
            let mut unkept = self.unkept.lock();
            if unkept.len() == MOST_UNKEPT {
                unkept.pop_front();
            }
            unkept.push_back(run);
        }
        kept
    }

    /// The runs of tests in a root, the newest first: those of this session that could not be kept come before those of
    /// the state.
    pub fn remembered(&self, root: &Root) -> Vec<Numbered<TestRun>> {
        let name = root.path().display().to_string();
        let unkept = self.unkept.lock();
        let of_session = unkept.iter().rev().filter(|run| run.root == name);
        let mut runs: Vec<_> = of_session.map(|run| Numbered { id: u64::MAX, entry: run.clone() }).collect();
        if self.memory.is_kept() {
            let newest = |log: Arc<mcp_state::Log<TestRun>>| {
                let most = usize::try_from(LIMITS.records).unwrap_or(usize::MAX);
                log.newest(None, most, |run| run.root == name).map_err(|error| error.to_string())
            };
            runs.extend(self.memory.get().and_then(newest).unwrap_or_default());
        }
        runs
    }
}
