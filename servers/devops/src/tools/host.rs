//! `host_snapshot` and `suggest_remediation`.

use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde_json::{Value, json};

use crate::answers::{HostView, RemediesView, number};
use crate::host::findings;
use crate::params::{Nothing, Remediation};
use crate::remedies::{self, Evidence};
use crate::state::State;
use crate::tools::bad;

/// Devices and file systems of a short answer.
const FEW: usize = 3;
/// The most sentences of evidence, and the longest.
const MOST_EVIDENCE: usize = 50;
const LONGEST_EVIDENCE: usize = 2_000;

pub(crate) fn snapshot(state: &State, _params: Nothing, context: &Context) -> Result<HostView, ToolError> {
    let snapshot = state.host.lock().snapshot();
    let found = findings(&snapshot);
    let mut notes = Vec::new();
    if snapshot.since_boot {
        notes.push(
            "rates and shares are since the start of the system: ask again for those of now".to_owned(),
        );
    }
    if snapshot.pressure.is_none() {
        notes.push("this kernel does not tell pressure".to_owned());
    }
    if snapshot.cgroup.is_none() {
        notes.push("no control group is seen".to_owned());
    }
    let mut host = serde_json::to_value(&snapshot).unwrap_or_default();
    shorten(&mut host);
    if context.detail() == Detail::Concise {
        for list in ["disks", "interfaces", "filesystems"] {
            if let Some(Value::Array(all)) = host.get_mut(list) {
                all.truncate(FEW);
            }
        }
    }
    Ok(HostView { findings: found.into_iter().map(|(_, text)| text).collect(), host, notes })
}

/// Rounds every number that is not whole.
fn shorten(value: &mut Value) {
    match value {
        Value::Number(known) if known.is_f64() => *value = known.as_f64().map_or(json!(null), number),
        Value::Array(all) => all.iter_mut().for_each(shorten),
        Value::Object(all) => all.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

pub(crate) fn remedies(
    state: &State,
    params: Remediation,
    _context: &Context,
) -> Result<RemediesView, ToolError> {
    let mut notes = vec!["suggestions are text: nothing was run".to_owned()];
    let evidence: Vec<Evidence> = match params.evidence {
        Some(said) => {
            if said.is_empty()
                || said.len() > MOST_EVIDENCE
                || said.iter().any(|text| text.len() > LONGEST_EVIDENCE)
            {
                return Err(bad(format!(
                    "evidence needs 1 to {MOST_EVIDENCE} sentences of at most {LONGEST_EVIDENCE} bytes: leave it out to look at this host"
                )));
            }
            said.into_iter().map(|text| Evidence { key: None, text }).collect()
        }
        None => {
            let found = findings(&state.host.lock().snapshot());
            if found.is_empty() {
                notes.push("nothing is remarkable about this host: say what was seen as evidence".to_owned());
            }
            found.into_iter().map(|(key, text)| Evidence { key: Some(key), text }).collect()
        }
    };
    let home = mcp_workspace::state::home();
    let cwd = state.sources.roots.names().first().map_or("/", String::as_str);
    let remedies =
        remedies::remedies(&evidence, params.target.as_deref(), cwd, &home.to_string_lossy()).map_err(bad)?;
    let names_target = |remedy: &remedies::Remedy| {
        remedy.look.iter().chain(&remedy.act).any(|command| command.command.contains("TARGET"))
    };
    if params.target.is_none() && remedies.iter().any(names_target) {
        notes.push("TARGET stands for a name that was not given: give target".to_owned());
    }
    Ok(RemediesView { remedies, notes })
}
