//! `host_snapshot` and `suggest_remediation`.

use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde_json::{Value, json};

use crate::answers::{HostView, RemediesView, number};
use crate::host::{Snapshot, findings};
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
    let snapshot = looked(state);
    let found = findings(&snapshot);
    let lines = lines(&snapshot, context.detail());
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
    Ok(HostView { findings: found.into_iter().map(|(_, text)| text).collect(), host, notes, lines })
}

/// A look at the host. The first one waits until there is a time that it can tell of: what was since the start of the
/// system is not what is now.
fn looked(state: &State) -> Snapshot {
    let wait = state.host.lock().begin();
    std::thread::sleep(wait);
    state.host.lock().snapshot()
}

/// Bytes in a unit that leaves few digits.
fn bytes(bytes: f64) -> String {
    let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    units
        .iter()
        .find(|(size, _)| bytes >= *size)
        .map_or_else(|| format!("{bytes:.0} B"), |(size, unit)| format!("{} {unit}", Short(bytes / size)))
}

/// A number below a thousand in three digits.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.0 >= 100.0 { 0 } else { usize::from(self.0 < 10.0) + 1 };
        write!(formatter, "{:.digits$}", self.0)
    }
}

/// The numbers of a host in a few lines.
fn lines(host: &Snapshot, detail: Detail) -> Vec<String> {
    let few = if detail == Detail::Concise { FEW } else { usize::MAX };
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let cpu = &host.cpu;
    let load =
        cpu.load.map_or_else(String::new, |[one, five, fifteen]| format!(", load {one} {five} {fifteen}"));
    let mut lines = vec![format!(
        "over {:.1} s: {} processors {} busy (user {}, system {}, waiting for disks {}, stolen {}){load}; {} tasks want to run, {} wait for a disk",
        host.over_s,
        cpu.count,
        percent(cpu.utilisation),
        percent(cpu.user),
        percent(cpu.system),
        percent(cpu.iowait),
        percent(cpu.steal),
        cpu.running,
        host.blocked
    )];
    let memory = &host.memory;
    lines.push(format!(
        "memory: {} of {} available; swap: {} of {} used, {:.0} pages a second",
        bytes(memory.available_bytes as f64),
        bytes(memory.total_bytes as f64),
        bytes(memory.swap_used_bytes as f64),
        bytes(memory.swap_total_bytes as f64),
        host.swapped_per_s
    ));
    if let Some(cgroup) = &host.cgroup {
        let limit =
            cgroup.memory_limit_bytes.map_or_else(|| "no limit".to_owned(), |limit| bytes(limit as f64));
        let used = cgroup.memory_used_bytes.map_or_else(|| "?".to_owned(), |used| bytes(used as f64));
        let processors =
            cgroup.cpu_limit.map_or_else(String::new, |limit| format!(", processors at most {limit}"));
        lines.push(format!("control group of this server: memory {used} of {limit}{processors}"));
    }
    for fs in host.filesystems.iter().take(few) {
        lines.push(format!(
            "file system {}: {} used, {} of {} left",
            fs.path,
            percent(fs.used),
            bytes(fs.available_bytes as f64),
            bytes(fs.total_bytes as f64)
        ));
    }
    for disk in host.disks.iter().take(few) {
        lines.push(format!(
            "disk {}: {} busy, {}/s read, {}/s written",
            disk.name,
            percent(disk.utilisation),
            bytes(disk.read_per_s),
            bytes(disk.written_per_s)
        ));
    }
    for interface in host.interfaces.iter().take(few) {
        lines.push(format!(
            "network {}: {}/s in, {}/s out, {:.0} errors a second",
            interface.name,
            bytes(interface.received_per_s),
            bytes(interface.sent_per_s),
            interface.errors_per_s
        ));
    }
    let shown = if detail == Detail::Concise { 6 } else { host.processes.len() };
    let process = |process: &crate::host::Process| {
        format!(
            "{} ({}) {:.2} processors {}",
            process.name,
            process.pid,
            process.cpus,
            bytes(process.rss_bytes as f64)
        )
    };
    let processes: Vec<String> = host.processes.iter().take(shown).map(process).collect();
    lines.push(format!("largest of {} processes: {}", host.process_count, processes.join("; ")));
    lines
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
            let found = findings(&looked(state));
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
