//! The index as it is now: what was kept, what changed since, what is gone.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_source::walk::{Found, Rules, Stamp, walk};
use mcp_source::{Language, Reason, Skips};
use mcp_workspace::Root;
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustc_hash::FxHashSet;

use super::build;
use super::entry::{Def, Entry};
use super::snapshot::{Bytes, Snapshot};
use super::store::Store;
use super::watch::{Changes, Watch};
use crate::facts::Facts;

/// So many changed files are kept in memory; beyond, the index is written anew.
const MOST_FRESH: usize = 256;
/// How long to wait for another process that writes the index.
const WAIT: Duration = Duration::from_millis(20);

/// What an index is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory whose files it holds.
    pub root: PathBuf,
    /// The directory where it is kept; it is in memory alone where there is none.
    pub state: Option<PathBuf>,
}

/// The index of a root.
pub struct Index {
    root: Root,
    /// Device and inode of the root when it was opened.
    identity: Option<(u64, u64)>,
    state: Option<PathBuf>,
    live: RwLock<Live>,
}

/// The index at one moment.
pub struct Live {
    kept: Option<Arc<Snapshot>>,
    fresh: BTreeMap<String, Facts>,
    /// Files of `kept` that are gone or in `fresh`.
    replaced: FxHashSet<usize>,
    store: Option<Store>,
    watch: Watch,
    walked: Skips,
    /// How many files are part of answers, and what is left out: of the generation that is with it.
    counted: (u64, usize, Skips),
    generation: u64,
    notice: Option<String>,
}

impl Index {
    /// An index that reads nothing until it is asked.
    ///
    /// # Errors
    /// The root cannot be opened.
    pub fn new(settings: &Settings) -> Result<Self, mcp_workspace::PathError> {
        let live = Live {
            kept: None,
            fresh: BTreeMap::new(),
            replaced: FxHashSet::default(),
            store: None,
            watch: Watch::default(),
            walked: Skips::default(),
            counted: (0, 0, Skips::default()),
            generation: 0,
            notice: None,
        };
        let root = Root::open(&settings.root)?;
        let identity = identity(root.path());
        Ok(Self { root, identity, state: settings.state.clone(), live: RwLock::new(live) })
    }

    /// Whether the root is no longer the directory that was opened: removed, or another one in its place, of which
    /// nothing here tells.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        identity(self.root.path()) != self.identity
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The index as the files are now. `tell` hears how many files of how many are read where that takes long, and says
    /// whether to go on.
    ///
    /// # Errors
    /// `tell` said no: a sentence.
    pub fn now(
        &self,
        tell: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<RwLockReadGuard<'_, Live>, String> {
        let mut live = self.live.write();
        live.refresh(&self.root, self.state.as_deref(), tell)?;
        live.count();
        Ok(RwLockWriteGuard::downgrade(live))
    }

    /// The index as it was left by the last question, which may be empty; `None` while it is being made, which may take
    /// long.
    pub fn last(&self) -> Option<RwLockReadGuard<'_, Live>> {
        self.live.try_read()
    }
}

fn identity(root: &Path) -> Option<(u64, u64)> {
    let metadata = root.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

impl Live {
    /// Counts up whenever anything in the index changes.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What there is to say about how the index is kept.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    /// Why changes are looked for by their times, at most once a second; `None` where the system tells of them.
    #[must_use]
    pub fn polling(&self) -> Option<&str> {
        self.watch.polling()
    }

    /// How many bytes the kept part has.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.len())
    }

    /// The files that are part of answers, in the order of their paths.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries: Vec<Entry<'_>> =
            self.everything().filter(|entry| entry.refused().is_none()).collect();
        if !self.fresh.is_empty() {
            entries.sort_by(|a, b| a.path().cmp(b.path()));
        }
        entries
    }

    fn everything(&self) -> impl Iterator<Item = Entry<'_>> {
        let kept = self.kept.as_deref().into_iter().flat_map(|kept| {
            (0..kept.files())
                .filter(|file| !self.replaced.contains(file))
                .map(move |file| Entry::Kept(kept, file))
        });
        kept.chain(self.fresh.values().map(Entry::Fresh))
    }

    /// The file with a path.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<Entry<'_>> {
        if let Some(facts) = self.fresh.get(path) {
            return Some(Entry::Fresh(facts));
        }
        let kept = self.kept.as_deref()?;
        let file = kept.find(path).filter(|file| !self.replaced.contains(file))?;
        Some(Entry::Kept(kept, file))
    }

    /// The definitions of a name, in the order of their paths.
    #[must_use]
    pub fn named<'i>(&'i self, name: &str) -> Vec<(Entry<'i>, Def<'i>)> {
        let mut found: Vec<(Entry<'i>, Def<'i>)> = Vec::new();
        if let Some(kept) = self.kept.as_deref() {
            let named = kept.named(name).filter(|(file, _)| !self.replaced.contains(file));
            found.extend(named.map(|(file, def)| (Entry::Kept(kept, file), def)));
        }
        for facts in self.fresh.values() {
            let entry = Entry::Fresh(facts);
            found.extend(entry.named(name).into_iter().map(|def| (entry, def)));
        }
        if !self.fresh.is_empty() {
            found.sort_by(|(a, _), (b, _)| a.path().cmp(b.path()));
        }
        found
    }

    /// Each distinct name of a definition; one of a file that is gone may be among them.
    #[must_use]
    pub fn all_names(&self) -> Vec<&str> {
        let kept = self.kept.as_deref().into_iter().flat_map(Snapshot::all_names);
        let fresh =
            self.fresh.values().flat_map(|facts| facts.symbols.iter().map(|symbol| symbol.name.as_str()));
        let mut names: Vec<&str> = kept.chain(fresh).collect();
        if !self.fresh.is_empty() {
            names.sort_unstable();
            names.dedup();
        }
        names
    }

    /// How many files are part of answers, and what is left out.
    #[must_use]
    pub fn counts(&self) -> (usize, Skips) {
        (self.counted.1, self.counted.2.clone())
    }

    fn count(&mut self) {
        if self.counted.0 == self.generation {
            return;
        }
        let mut skips = self.walked.clone();
        let mut indexed = 0;
        for entry in self.everything() {
            match entry.refused() {
                Some(reason) => skips.add(reason),
                None => indexed += 1,
            }
        }
        self.counted = (self.generation, indexed, skips);
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        self.entry(path).map(Entry::stamp)
    }

    fn refresh(
        &mut self,
        root: &Root,
        state: Option<&Path>,
        tell: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<(), String> {
        let mut watch = std::mem::take(&mut self.watch);
        let changes = watch.changes(|path| self.entry(path).is_some());
        self.watch = watch;
        match changes {
            Changes::Nothing => Ok(()),
            Changes::Files(files) => {
                for path in files {
                    self.look_at(root, path);
                }
                self.generation += 1;
                Ok(())
            }
            Changes::Unknown => self.scan(root, state, tell),
        }
    }

    /// Looks at one file that is known to have changed.
    fn look_at(&mut self, root: &Root, path: String) {
        let metadata = root.file(Path::new(&path)).and_then(|file| file.metadata());
        match metadata {
            Ok(metadata) => {
                let found = Found { stamp: Stamp::of(&metadata), path };
                // Whatever its stamp says: two writes may fall into one tick of the clock.
                if let Some(facts) = build::facts(root, &found) {
                    self.put(facts);
                }
            }
            Err(_) => self.remove(&path),
        }
    }

    fn put(&mut self, facts: Facts) {
        self.remove(&facts.path);
        self.fresh.insert(facts.path.clone(), facts);
    }

    fn remove(&mut self, path: &str) {
        self.fresh.remove(path);
        if let Some(file) = self.kept.as_deref().and_then(|kept| kept.find(path)) {
            self.replaced.insert(file);
        }
    }

    /// Looks at every file's stamp, and reads what changed.
    fn scan(
        &mut self,
        root: &Root,
        state: Option<&Path>,
        tell: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<(), String> {
        if self.kept.is_none() {
            self.open(root, state);
        }
        let started = Instant::now();
        let mut walked = walk(root.path(), &Rules::default());
        // A directory is watched first and then looked at, so that nothing falls between.
        for _ in 0..3 {
            if !self.watch.cover(root.path(), &walked.directories) {
                break;
            }
            walked = walk(root.path(), &Rules::default());
        }
        let is_source = |file: &Found| Language::of_path(Path::new(&file.path)).is_some();
        let (files, others): (Vec<Found>, Vec<Found>) = walked.files.into_iter().partition(is_source);
        self.walked = walked.skipped;
        self.walked.add_many(Reason::NoGrammar, others.len() as u64);
        self.drop_gone(&files);
        let mut changed = self.changed(&files);
        if changed.len() > MOST_FRESH {
            self.rebuild(root, &files, &mut changed, tell)?;
        } else if !changed.is_empty() {
            let total = changed.len();
            let facts = build::all(root, &changed, &|done| tell(done, total));
            facts.into_iter().for_each(|facts| self.put(facts));
            if self.fresh.len() > MOST_FRESH || self.kept.is_none() {
                self.rebuild(root, &files, &mut Vec::new(), tell)?;
            }
        }
        self.generation += 1;
        self.watch.looked(started);
        Ok(())
    }

    fn changed(&self, files: &[Found]) -> Vec<Found> {
        files.iter().filter(|file| self.stamp(&file.path) != Some(file.stamp)).cloned().collect()
    }

    fn drop_gone(&mut self, files: &[Found]) {
        let there = |path: &str| files.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok();
        self.fresh.retain(|path, _| there(path));
        if let Some(kept) = self.kept.as_deref() {
            self.replaced.extend((0..kept.files()).filter(|file| !there(kept.path(*file))));
        }
    }

    /// Opens what is kept.
    fn open(&mut self, root: &Root, state: Option<&Path>) {
        let Some(state) = state else { return };
        if self.store.is_none() {
            match Store::new(state, root.path()) {
                Ok(store) => self.store = Some(store),
                Err(error) => {
                    self.notice =
                        Some(format!("the index is not kept: {} cannot be used ({error})", state.display()));
                    return;
                }
            }
        }
        self.map();
    }

    fn map(&mut self) {
        let Some(store) = &mut self.store else { return };
        match store.open() {
            Ok(None) => {}
            Ok(Some(snapshot)) => {
                self.kept = Some(Arc::new(snapshot));
                self.fresh.clear();
                self.replaced.clear();
            }
            Err(problem) => self.notice = Some(format!("the kept index {problem}; it is made anew")),
        }
    }

    /// Reads all that changed, and writes the index.
    fn rebuild(
        &mut self,
        root: &Root,
        files: &[Found],
        changed: &mut Vec<Found>,
        tell: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<(), String> {
        let writer = loop {
            let Some(store) = &self.store else { break None };
            match store.writer() {
                Ok(Some(writer)) => break Some(writer),
                // Another server is about to write what is needed here.
                Ok(None) if tell(0, changed.len()) => std::thread::sleep(WAIT),
                Ok(None) => return Err("stopped while another server wrote the index: ask again".to_owned()),
                Err(error) => {
                    self.notice = Some(format!("the index is not kept ({error})"));
                    break None;
                }
            }
        };
        if self.store.as_ref().is_some_and(Store::has_another) {
            self.map();
            self.drop_gone(files);
            *changed = self.changed(files);
        }
        let total = changed.len();
        let facts = build::all(root, changed, &|done| tell(done, total));
        let is_whole = facts.len() == total;
        facts.into_iter().for_each(|facts| self.put(facts));
        if self.fresh.is_empty() && self.kept.is_some() {
            return Ok(());
        }
        if is_whole {
            self.write(writer.as_ref());
            Ok(())
        } else {
            Err(format!("stopped after {} of {total} files were read: ask again", self.fresh.len()))
        }
    }

    fn write(&mut self, writer: Option<&super::store::Writer>) {
        let bytes = {
            let mut all: Vec<Entry<'_>> = self.everything().collect();
            all.sort_by(|a, b| a.path().cmp(b.path()));
            Snapshot::write(all.into_iter().map(|entry| match entry {
                Entry::Kept(kept, file) => Cow::Owned(kept.facts(file)),
                Entry::Fresh(facts) => Cow::Borrowed(facts),
            }))
        };
        if let (Some(store), Some(writer)) = (&self.store, writer) {
            match store.replace(writer, &bytes) {
                Ok(()) => {
                    drop(bytes);
                    return self.map();
                }
                Err(error) => self.notice = Some(format!("the index is not kept: {error}")),
            }
        }
        if let Ok(snapshot) = Snapshot::new(Bytes::Owned(bytes)) {
            self.kept = Some(Arc::new(snapshot));
            self.fresh.clear();
            self.replaced.clear();
        }
    }
}

#[cfg(test)]
mod tests;
