//! `impact`.

use std::sync::Arc;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;

use super::page::{Page, rows};
use super::{references, structure};
use crate::answers::{DependentView, ImpactView};
use crate::history::Churn;
use crate::index::Live;
use crate::params;
use crate::references::{Confidence, Use};
use crate::resolve::{Dependent, FileId, Resolver};
use crate::state::{Development, Map, Named, Project};

/// How many imports are followed where nobody says.
const USUAL_DEPTH: usize = 10;
/// Dependents where nobody says.
const USUAL_DEPENDENTS: usize = 100;
/// The most direct uses that are shown beside.
const MOST_USES: usize = 50;

pub(super) fn impact(
    state: &Development,
    params: &params::Impact,
    context: &Context,
) -> Result<ImpactView, ToolError> {
    // Clients in a strict mode send every member: an empty one is one that was left out.
    let given = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
    let (path, symbol) = (given(&params.path), given(&params.symbol));
    let Some(what) = path.as_deref().or(symbol.as_deref()) else {
        return Err(ToolError::bad_arguments("give path for a file, or symbol for a definition"));
    };
    let depth = params.depth.map_or(USUAL_DEPTH, usize::from);
    let key = ["impact", what, symbol.as_deref().unwrap_or(""), &depth.to_string()];
    let mut page = Page::new(&key, USUAL_DEPENDENTS, params.cursor.as_deref(), context)?;
    if symbol.is_some() {
        // Half of it for the direct uses.
        page.room /= 2;
    }
    let scope = state.scope(path.as_deref())?;
    let mut hints = Vec::new();
    for named in &scope {
        let live = named.project.now(context)?;
        let map = named.project.map(&live);
        let work = Work { named, live: &live, map: &map, depth, page: &page, context };
        let view = match symbol.as_deref() {
            Some(symbol) => work.of_symbol(symbol)?,
            None => work.of_path(what)?,
        };
        match view {
            Ok(view) => return Ok(view),
            Err(hint) => hints.push(hint),
        }
    }
    Err(ToolError::failed(hints.join("; ")))
}

struct Work<'w> {
    named: &'w Named<'w>,
    live: &'w Live,
    map: &'w Arc<Map>,
    depth: usize,
    page: &'w Page,
    context: &'w Context,
}

impl Work<'_> {
    fn project(&self) -> &Project {
        self.named.project
    }

    fn of_path(&self, asked: &str) -> Result<Result<ImpactView, String>, ToolError> {
        let below = &self.named.below;
        let files: Vec<FileId> = match self.map.modules.number(below) {
            Some(file) => vec![file],
            None => {
                let inside = self.live.entries().into_iter().filter(|entry| self.named.holds(entry.path()));
                inside.filter_map(|entry| self.map.modules.number(entry.path())).collect()
            }
        };
        if files.is_empty() {
            return Ok(Err(format!(
                "{asked} has no file that is indexed: outline of its directory shows which are"
            )));
        }
        let found = self.map.graph.impact(&files, self.depth);
        Ok(Ok(self.view(&files, &found.dependents, found.is_bounded, None)))
    }

    /// Whoever uses a definition, and whoever depends on them.
    fn of_symbol(&self, symbol: &str) -> Result<Result<ImpactView, String>, ToolError> {
        let found = references::find(self.named, self.live, self.map, symbol, self.context)?;
        if found.targets.is_empty() {
            return Ok(Err(structure::missing(self.live, self.named, symbol)));
        }
        let mut changed: Vec<FileId> = found.targets.iter().map(|target| target.file).collect();
        changed.sort_unstable();
        changed.dedup();
        let mut direct: Vec<FileId> =
            found.uses.uses.iter().map(|one| one.file).filter(|file| !changed.contains(file)).collect();
        direct.sort_unstable();
        direct.dedup();
        let mut dependents: Vec<Dependent> =
            direct.iter().map(|file| Dependent { file: *file, distance: 1, via: changed[0] }).collect();
        let mut is_bounded = false;
        if self.depth > 1 {
            let further = self.map.graph.impact(&direct, self.depth - 1);
            is_bounded = further.is_bounded;
            let new = further.dependents.into_iter().filter(|dependent| !changed.contains(&dependent.file));
            dependents
                .extend(new.map(|dependent| Dependent { distance: dependent.distance + 1, ..dependent }));
        }
        Ok(Ok(self.view(&changed, &dependents, is_bounded, Some(&found))))
    }

    fn view(
        &self,
        changed: &[FileId],
        dependents: &[Dependent],
        bounded: bool,
        found: Option<&references::Found>,
    ) -> ImpactView {
        let project = self.project();
        let shown = |file: FileId| project.shown(self.map.modules.path(file));
        let churn = project.history.churn();
        let total = dependents.len();
        let views: Vec<DependentView> =
            dependents.iter().map(|one| self.dependent(one, churn.as_deref())).collect();
        let (dependents, next_cursor) = self.page.of(views);
        let cycles = self.map.graph.cycles();
        let cycle = cycles.iter().find(|cycle| changed.iter().any(|file| cycle.contains(file)));
        let mut about = project.about(self.live);
        about.complete &= found.is_none_or(|found| !found.uses.is_stopped);
        let (uses, unresolved) = match found {
            Some(found) => {
                let direct: Vec<&Use> = found
                    .uses
                    .uses
                    .iter()
                    .filter(|one| !one.is_import && one.confidence == Confidence::Resolved)
                    .take(MOST_USES)
                    .collect();
                let room = self.page.beside(MOST_USES);
                let (uses, _) = rows(&room, references::use_rows(project, self.map, &direct));
                (uses, found.uses.unresolved.len())
            }
            None => (Vec::new(), 0),
        };
        let hint = (total == 0).then(|| self.nobody(changed, unresolved));
        ImpactView {
            changed: changed.iter().map(|file| shown(*file)).take(20).collect(),
            dependents,
            total,
            bounded,
            uses: if self.page.start == 0 { uses } else { Vec::new() },
            unresolved,
            unresolved_imports: self.map.graph.unresolved.len(),
            cycle: cycle.into_iter().flatten().map(|file| shown(*file)).take(20).collect(),
            hint,
            next_cursor,
            about,
        }
    }

    /// What is said where nothing depends on a change: what was looked through.
    fn nobody(&self, changed: &[FileId], unresolved: usize) -> String {
        let graph = &self.map.graph;
        let importing: usize = changed.iter().map(|file| self.map.modules.imports(*file).len()).sum();
        let mut said = format!(
            "no file is known to depend on it: {} files with {} imports between them were looked at, {} imports lead nowhere",
            self.map.modules.len(),
            graph.edges(),
            graph.unresolved.len()
        );
        if unresolved > 0 {
            said = format!(
                "{said}; {unresolved} places with its name are unresolved (references shows them as candidates)"
            );
        }
        if importing == 0 {
            said.push_str("; it imports nothing itself");
        }
        said
    }

    fn dependent(&self, one: &Dependent, churn: Option<&Churn>) -> DependentView {
        let path = self.map.modules.path(one.file);
        let resolver = Resolver { modules: &self.map.modules, live: self.live, root: None };
        let is_detailed = self.context.detail() == mcp_server::budget::Detail::Detailed;
        let decisions = resolver.entry(one.file).map(|entry| entry.decisions());
        DependentView {
            path: self.project().shown(path),
            distance: one.distance,
            via: (one.distance > 1).then(|| self.project().shown(self.map.modules.path(one.via))),
            decisions: decisions.filter(|_| is_detailed),
            changes: churn
                .filter(|_| is_detailed)
                .map(|churn| churn.changes.get(path).copied().unwrap_or_default()),
        }
    }
}
