//! Which file depends on which, and whom a change reaches.

use std::collections::VecDeque;

use mcp_source::Language;
use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashSet;

use super::{FileId, Modules, Resolution, Resolver};
use crate::facts::{Form, Import};
use crate::index::Live;

/// The files of an index with an edge from each to what it imports. `mod x;` alone is not a dependency, as it uses
/// nothing of the module; what follows a re-export leads both to who passes on and to who defines.
pub struct Graph {
    edges: DiGraph<(), ()>,
    /// Imports that should lead to a file of the root and lead to none.
    pub unresolved: Vec<(FileId, Import)>,
    /// How many imports lead to other packages.
    pub external: usize,
}

/// A file that depends on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// The file.
    pub file: FileId,
    /// How many imports lead from it to what changed.
    pub distance: usize,
    /// The first of the files that they lead over.
    pub via: FileId,
}

/// Whom a change reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// By distance, then by path.
    pub dependents: Vec<Dependent>,
    /// Whether files beyond the greatest distance that was asked for depend on it, too.
    pub is_bounded: bool,
}

fn node(file: FileId) -> NodeIndex {
    NodeIndex::new(file as usize)
}

fn file(node: NodeIndex) -> FileId {
    u32::try_from(node.index()).unwrap_or(u32::MAX)
}

impl Graph {
    /// The graph of an index.
    #[must_use]
    pub fn new(modules: &Modules, live: &Live) -> Self {
        let resolver = Resolver { modules, live, root: None };
        let mut graph = Self {
            edges: DiGraph::with_capacity(modules.len(), modules.len() * 4),
            unresolved: Vec::new(),
            external: 0,
        };
        for _ in 0..modules.len() {
            graph.edges.add_node(());
        }
        for from in modules.files() {
            for import in modules.imports(from) {
                graph.add(&resolver, from, import);
            }
            graph.beside(&resolver, from);
        }
        graph
    }

    /// A graph of nothing but edges.
    #[must_use]
    pub fn of_edges(files: usize, edges: &[(FileId, FileId)]) -> Self {
        let mut graph = DiGraph::with_capacity(files, edges.len());
        for _ in 0..files {
            graph.add_node(());
        }
        for (from, to) in edges {
            graph.update_edge(node(*from), node(*to), ());
        }
        Self { edges: graph, unresolved: Vec::new(), external: 0 }
    }

    fn add(&mut self, resolver: &Resolver<'_>, from: FileId, import: &Import) {
        let is_own = import.module == "." && !import.local.is_empty() && import.form == Form::Item;
        if matches!(import.form, Form::Child | Form::Package) || is_own && resolver.is_script(from) {
            return;
        }
        match resolver.import(from, import) {
            Resolution::External => self.external += 1,
            Resolution::Unresolved if import.form == Form::Path => self.external += 1,
            Resolution::Unresolved => self.unresolved.push((from, import.clone())),
            Resolution::Module(files) => files.iter().for_each(|to| self.edge(from, *to)),
            Resolution::Known(meanings) if import.item.is_empty() => {
                let files: Vec<FileId> = meanings.iter().map(|meaning| meaning.file).collect();
                self.package(resolver, from, &files);
            }
            Resolution::Known(meanings) => {
                meanings.iter().for_each(|meaning| self.edge(from, meaning.file));
                // Whoever passes a name on is depended on as well.
                if !import.item.is_empty()
                    && let super::Place::Files(files) = resolver.place(from, &import.module, 4)
                    && let [one] = files[..]
                {
                    self.edge(from, one);
                }
            }
        }
    }

    /// The files of what is imported as a whole. Of a package of Go or Java those that define a name which the file has.
    fn package(&mut self, resolver: &Resolver<'_>, from: FileId, files: &[FileId]) {
        let has_packages = matches!(resolver.modules.language(from), Language::Go | Language::Java);
        let named: Vec<FileId> = files.iter().copied().filter(|to| resolver.names(from, *to)).collect();
        let meant = if has_packages && files.len() > 1 && !named.is_empty() { &named } else { files };
        meant.iter().for_each(|to| self.edge(from, *to));
    }

    /// The files of the same package of Go or Java, whose names are visible without an import: those that define a name
    /// which the file has and does not define itself.
    fn beside(&mut self, resolver: &Resolver<'_>, from: FileId) {
        for to in resolver.modules.beside(from) {
            if resolver.names(from, to) {
                self.edge(from, to);
            }
        }
    }

    fn edge(&mut self, from: FileId, to: FileId) {
        if from != to {
            self.edges.update_edge(node(from), node(to), ());
        }
    }

    /// How many edges there are.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.edges.edge_count()
    }

    /// The files that a file imports itself.
    #[must_use]
    pub fn imports(&self, of: FileId) -> Vec<FileId> {
        let mut files: Vec<FileId> = self.edges.neighbors(node(of)).map(file).collect();
        files.sort_unstable();
        files
    }

    /// How many files import a file themselves.
    #[must_use]
    pub fn importers(&self, of: FileId) -> usize {
        self.edges.neighbors_directed(node(of), Direction::Incoming).count()
    }

    /// The files that depend on any of `changed`, up to a distance.
    #[must_use]
    pub fn impact(&self, changed: &[FileId], most: usize) -> Impact {
        let mut seen: FxHashSet<FileId> = changed.iter().copied().collect();
        let mut waiting: VecDeque<(FileId, usize)> = changed.iter().map(|file| (*file, 0)).collect();
        let mut impact = Impact::default();
        while let Some((at, distance)) = waiting.pop_front() {
            let importers = self.edges.neighbors_directed(node(at), Direction::Incoming).map(file);
            let mut importers: Vec<FileId> = importers.filter(|file| !seen.contains(file)).collect();
            importers.sort_unstable();
            if distance == most {
                impact.is_bounded |= !importers.is_empty();
                continue;
            }
            for importer in importers {
                seen.insert(importer);
                impact.dependents.push(Dependent { file: importer, distance: distance + 1, via: at });
                waiting.push_back((importer, distance + 1));
            }
        }
        impact.dependents.sort_by_key(|dependent| (dependent.distance, dependent.file));
        impact
    }

    /// Groups of files that depend on each other, the largest first.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<FileId>> {
        let mut cycles: Vec<Vec<FileId>> = tarjan_scc(&self.edges)
            .into_iter()
            .filter(|part| part.len() > 1)
            .map(|part| {
                let mut files: Vec<FileId> = part.into_iter().map(file).collect();
                files.sort_unstable();
                files
            })
            .collect();
        cycles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        cycles
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All pairs by Warshall's algorithm: another way to the same answer.
    fn distances(files: usize, edges: &[(u32, u32)]) -> Vec<Vec<usize>> {
        let mut distance = vec![vec![usize::MAX; files]; files];
        for (from, to) in edges.iter().filter(|(from, to)| from != to) {
            distance[*from as usize][*to as usize] = 1;
        }
        for over in 0..files {
            for from in 0..files {
                for to in 0..files {
                    let sum = distance[from][over].saturating_add(distance[over][to]);
                    distance[from][to] = distance[from][to].min(sum);
                }
            }
        }
        distance
    }

    proptest! {
        #[test]
        fn impact_is_exact_on_generated_graphs(
            edges in proptest::collection::vec((0_u32..12, 0_u32..12), 0..40),
            changed in 0_u32..12,
            most in 1_usize..12,
        ) {
            let graph = Graph::of_edges(12, &edges);
            let distance = distances(12, &edges);
            let impact = graph.impact(&[changed], most);
            let mut expected: Vec<(usize, u32)> = (0..12_u32)
                .filter(|file| *file != changed)
                .map(|file| (distance[file as usize][changed as usize], file))
                .filter(|(distance, _)| *distance <= most)
                .collect();
            expected.sort_unstable();
            let found: Vec<(usize, u32)> = impact.dependents.iter().map(|one| (one.distance, one.file)).collect();
            prop_assert_eq!(found, expected);
            let beyond = (0..12).any(|file| file != changed as usize && distance[file][changed as usize] > most && distance[file][changed as usize] < usize::MAX);
            prop_assert_eq!(impact.is_bounded, beyond);
            let in_cycles: usize = graph.cycles().iter().map(Vec::len).sum();
            let expected = (0..12).filter(|file| distance[*file][*file] < usize::MAX).count();
            prop_assert_eq!(in_cycles, expected);
        }
    }
}
