//! Building a server: which tools it shows, and all that is made once.

use std::sync::Arc;

use hashbrown::HashMap;
use serde_json::{Value, json};

use crate::layers::{Audit, Entry, Layers};
use crate::seal::Sealer;
use crate::server::{About, Extras, SERVER_INFO, Server, TOOLS_PER_PAGE};
use crate::tool::{Annotations, Tool};

/// Why a server cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Two tools have one name.
    #[error("two tools are named `{0}`")]
    SameName(&'static str),
    /// The tools that were asked for do not exist.
    #[error("there is no toolset `{asked}`; there are {known}")]
    UnknownToolset {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// No tool is left.
    #[error("no tool is left: {0}")]
    NoTools(&'static str),
    /// The system has no random numbers for seals.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

/// Which tools a server shows.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only those that change nothing.
    pub read_only: bool,
    /// Only those of these sets; all, where none is named.
    pub toolsets: Vec<String>,
}

/// A server under construction.
pub struct ServerBuilder {
    about: About,
    entries: Vec<Entry>,
    extras: Option<Arc<dyn Extras>>,
    audit: Option<Audit>,
    selection: Selection,
    per_page: usize,
    list_changes: bool,
}

impl ServerBuilder {
    pub(crate) fn new(about: About) -> Self {
        Self {
            about,
            entries: Vec::new(),
            extras: None,
            audit: None,
            selection: Selection::default(),
            per_page: TOOLS_PER_PAGE,
            list_changes: false,
        }
    }

    /// Adds tools that share a state.
    #[must_use]
    pub fn tools<S: Send + Sync + 'static>(
        mut self,
        state: &Arc<S>,
        tools: impl IntoIterator<Item = Tool<S>>,
    ) -> Self {
        self.entries.extend(tools.into_iter().map(|tool| Entry::bind(tool, state)));
        self
    }

    /// Adds what the server offers beside tools.
    #[must_use]
    pub fn extras(mut self, extras: Arc<dyn Extras>) -> Self {
        self.extras = Some(extras);
        self
    }

    /// Writes calls of audited tools to this log.
    #[must_use]
    pub fn audit(mut self, audit: Option<Audit>) -> Self {
        self.audit = audit;
        self
    }

    /// Shows only some of the tools.
    #[must_use]
    pub fn select(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    /// Says that the list of tools may change ([`crate::server::Change::Tools`]).
    #[must_use]
    pub fn list_changes(mut self) -> Self {
        self.list_changes = true;
        self
    }

    /// How many tools a page of the list holds, [`TOOLS_PER_PAGE`] where this is not called.
    #[must_use]
    pub fn per_page(mut self, tools: usize) -> Self {
        self.per_page = tools.max(1);
        self
    }

    /// Builds the server: all schemas and the list of tools are made here, once.
    ///
    /// # Errors
    ///
    /// When two tools have one name, when a toolset is unknown, and when no tool is left.
    pub fn build(self) -> Result<Server, ServerError> {
        let Selection { read_only, toolsets } = &self.selection;
        let known: Vec<_> = self.entries.iter().filter_map(|entry| entry.spec.toolset).collect();
        if let Some(asked) = toolsets.iter().find(|asked| !known.contains(&asked.as_str())) {
            return Err(ServerError::UnknownToolset { asked: asked.clone(), known: listed(&known) });
        }
        let mut entries = self.entries;
        entries.retain(|entry| {
            let is_chosen =
                || entry.spec.toolset.is_some_and(|set| toolsets.iter().any(|chosen| chosen == set));
            (!read_only || entry.spec.annotations.read_only) && (toolsets.is_empty() || is_chosen())
        });
        if entries.is_empty() {
            return Err(ServerError::NoTools("leave out --read-only or --toolset"));
        }
        let mut by_name = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if by_name.insert(entry.spec.name, index).is_some() {
                return Err(ServerError::SameName(entry.spec.name));
            }
        }
        let About { name, title, version, .. } = self.about;
        let meta = json!({SERVER_INFO: {"name": name, "title": title, "version": version}});
        Ok(Server {
            definitions: entries.iter().map(definition).collect(),
            by_name,
            entries,
            per_page: self.per_page,
            list_changes: self.list_changes,
            extras: self.extras,
            layers: Layers { audit: self.audit, ..Layers::default() },
            sealer: Sealer::new().map_err(ServerError::NoRandomness)?,
            meta: serde_json::value::to_raw_value(&meta).expect("strings have a form in JSON"),
            about: self.about,
        })
    }
}

fn listed(known: &[&str]) -> String {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    if known.is_empty() { "none".into() } else { known.join(", ") }
}

/// A tool as `tools/list` shows it.
fn definition(entry: &Entry) -> Value {
    let spec = &entry.spec;
    let mut definition = json!({
        "name": spec.name,
        "description": spec.description,
        "inputSchema": spec.input,
        "annotations": hints(spec.annotations),
    });
    if let Some(title) = spec.title {
        definition["title"] = title.into();
    }
    if let Some(output) = &spec.output {
        definition["outputSchema"] = Value::Object(output.clone());
    }
    definition
}

/// The hints that differ from what the protocol takes for granted: a tool that says nothing may change, destroy and
/// meet anything. The first one is always said.
fn hints(annotations: Annotations) -> Value {
    let Annotations { read_only, destructive, idempotent, open_world } = annotations;
    let mut hints = json!({"readOnlyHint": read_only});
    if !read_only && !destructive {
        hints["destructiveHint"] = false.into();
    }
    if !read_only && idempotent {
        hints["idempotentHint"] = true.into();
    }
    if !open_world {
        hints["openWorldHint"] = false.into();
    }
    hints
}
