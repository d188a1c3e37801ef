//! What the tools share: the roots, and of each its index, its history and the graph of its files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::Skips;
use mcp_workspace::Roots;
use parking_lot::{Mutex, RwLockReadGuard};

use crate::answers::About;
use crate::history::History;
use crate::index::{Index, Live, Settings};
use crate::resolve::{Graph, Modules};

/// The roots that tools look into.
pub(crate) struct Development {
    roots: Roots,
    pub projects: Vec<Project>,
}

/// A root.
pub(crate) struct Project {
    pub index: Index,
    pub history: History,
    map: Mutex<Option<(u64, Arc<Map>)>>,
    /// What stands before its paths in answers; empty for the first root.
    prefix: PathBuf,
}

/// The modules of a root and how they depend on each other.
pub(crate) struct Map {
    pub modules: Modules,
    pub graph: Graph,
}

/// A path that a caller named.
pub(crate) struct Named<'d> {
    pub project: &'d Project,
    /// Below its root; empty for the root itself.
    pub below: String,
}

/// A root that nobody means: everything, or all that a user has.
pub(crate) fn too_large(root: &Path) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let is_home =
        std::env::home_dir().and_then(|home| home.canonicalize().ok()).is_some_and(|home| home == root);
    let what = match root.parent() {
        None => "the whole file system",
        Some(_) if is_home => "a home directory",
        Some(_) => return None,
    };
    Some(format!("the root {} is {what}: give --root a project, or add --any-root", root.display()))
}

/// The roots that lie in no other: what an inner one holds is part of the outer one already.
fn outermost(roots: &[PathBuf]) -> Vec<PathBuf> {
    let real = |root: &PathBuf| root.canonicalize().unwrap_or_else(|_| root.clone());
    let reals: Vec<PathBuf> = roots.iter().map(real).collect();
    let is_covered = |number: usize| {
        let own = &reals[number];
        own.is_dir()
            && reals.iter().enumerate().any(|(other, root)| {
                other != number && own.starts_with(root) && (own != root || other < number)
            })
    };
    (0..roots.len()).filter(|number| !is_covered(*number)).map(|number| roots[number].clone()).collect()
}

impl Development {
    pub fn new(roots: &[PathBuf], state: Option<&Path>) -> Result<Self, String> {
        let unusable = |error: mcp_workspace::PathError| {
            format!("the root {} cannot be used: {}", error.path.display(), error.message)
        };
        let roots = Roots::new(&outermost(roots)).map_err(unusable)?;
        let project = |(number, root): (usize, &PathBuf)| {
            let settings = Settings { root: root.clone(), state: state.map(Path::to_owned) };
            Ok(Project {
                index: Index::new(&settings).map_err(unusable)?,
                history: History::new(root),
                map: Mutex::new(None),
                prefix: if number == 0 { PathBuf::new() } else { root.clone() },
            })
        };
        let projects = roots.paths().iter().enumerate().map(project).collect::<Result<_, String>>()?;
        Ok(Self { roots, projects })
    }

    /// The root and the path below it that a caller means.
    pub fn named(&self, asked: &str) -> Result<Named<'_>, ToolError> {
        self.check()?;
        let path = self.roots.resolve("path", Some(asked)).map_err(ToolError::bad_arguments)?;
        let holding = self.projects.iter().filter(|project| path.starts_with(project.root()));
        let project = holding.max_by_key(|project| project.root().as_os_str().len());
        let project = project
            .ok_or_else(|| ToolError::bad_arguments(format!("path {asked} lies below none of the roots")))?;
        let below = path.strip_prefix(project.root()).unwrap_or(&path);
        let below =
            below.to_str().ok_or_else(|| ToolError::bad_arguments("path is not UTF-8: name another"))?;
        Ok(Named { project, below: below.to_owned() })
    }

    /// Whether the roots are those that the server was started with: an answer of a directory that is gone would be wrong
    /// for whatever is in its place.
    fn check(&self) -> Result<(), ToolError> {
        match self.projects.iter().find(|project| project.index.is_lost()) {
            None => Ok(()),
            Some(lost) => Err(ToolError::failed(format!(
                "the root {} was removed or replaced since the server started: start the server again",
                lost.root().display()
            ))),
        }
    }

    /// The roots that a call is about, each with the path below it.
    pub fn scope(&self, asked: Option<&str>) -> Result<Vec<Named<'_>>, ToolError> {
        self.check()?;
        match asked {
            Some(asked) => Ok(vec![self.named(asked)?]),
            None => Ok(self.projects.iter().map(|project| Named { project, below: String::new() }).collect()),
        }
    }
}

impl Named<'_> {
    /// Whether a path lies in what was named.
    pub fn holds(&self, path: &str) -> bool {
        let rest = path.strip_prefix(&self.below);
        self.below.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Project {
    pub fn root(&self) -> &Path {
        self.index.root().path()
    }

    /// A path below the root, as answers show it.
    pub fn shown(&self, below: &str) -> String {
        if self.prefix.as_os_str().is_empty() {
            return below.to_owned();
        }
        self.prefix.join(below).display().to_string()
    }

    /// The index as the files are now.
    pub fn now(&self, context: &Context) -> Result<RwLockReadGuard<'_, Live>, ToolError> {
        let started = Instant::now();
        let told = AtomicU64::new(0);
        let tell = |done: usize, total: usize| {
            // Once a second, and not at all for what is quick.
            let seconds = started.elapsed().as_secs();
            if seconds > told.swap(seconds, Ordering::Relaxed) {
                context.progress_from_thread(done as f64, Some(total as f64), "files read");
            }
            !context.is_cancelled()
        };
        self.index.now(&tell).map_err(ToolError::failed)
    }

    /// The modules and the graph, made when they are first needed after a change.
    pub fn map(&self, live: &Live) -> Arc<Map> {
        let mut kept = self.map.lock();
        if let Some((generation, map)) = &*kept
            && *generation == live.generation()
        {
            return Arc::clone(map);
        }
        let modules = Modules::new(live, self.index.root());
        let graph = Graph::new(&modules, live);
        let map = Arc::new(Map { modules, graph });
        *kept = Some((live.generation(), Arc::clone(&map)));
        map
    }

    /// What an answer from the index is about.
    pub fn about(&self, live: &Live) -> About {
        let version = self.history.version(live.generation());
        let (indexed, skips) = live.counts();
        let mut about = about(&skips);
        about.dirty = version.dirty;
        about.commit = version.commit;
        about.indexed = indexed;
        about.notices.extend(live.notice().map(str::to_owned));
        if let Some(reason) = live.polling() {
            about.notices.push(format!("changes are looked for once a second: {reason}"));
        }
        about
    }

    /// What an answer from the files themselves is about. The index is asked only where it is there already.
    pub fn about_files(&self, skips: &Skips) -> About {
        let mut about = about(skips);
        about.commit = self.history.commit();
        if let Some(live) = self.index.last().filter(|live| live.generation() > 0) {
            about.indexed = live.counts().0;
        }
        about
    }
}

fn about(skips: &Skips) -> About {
    About { skipped: skips.list(), complete: skips.is_complete(), ..About::default() }
}
