//! `system_info`.

use mcp_sandbox::Profile;
use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_store::host;

use crate::answers::{SandboxView, SystemMore, SystemView};
use crate::params::SystemInfo;
use crate::state::BashGod;
use crate::tools::bad;

/// The most programs that one call may ask for.
const MOST_PROGRAMS: usize = 200;

pub(crate) fn system(
    state: &BashGod,
    params: SystemInfo,
    context: &Context,
) -> Result<SystemView, ToolError> {
    if params.programs.as_ref().is_some_and(|names| names.len() > MOST_PROGRAMS) {
        return Err(bad(format!("programs has more than {MOST_PROGRAMS} names: ask for fewer")));
    }
    let host = host::snapshot();
    let find = |name: String| {
        let path = state.programs.find(&name).map(|path| path.display().to_string());
        (name, path)
    };
    let more = (context.detail() == Detail::Detailed).then(|| SystemMore {
        cpu_model: host.cpu_model.clone(),
        load: host.load,
        available_memory_bytes: host.memory.map(|memory| memory.available_bytes),
        uptime_seconds: host.uptime_seconds,
        server_rss_bytes: host.process_rss_bytes,
        history: state.memory.history().ok().and_then(|history| history.stats().ok()),
    });
    let profiles = match state.read_only {
        true => vec![Profile::Read.name()],
        false => [Profile::Read, Profile::Workspace, Profile::WorkspaceNet].map(Profile::name).to_vec(),
    };
    Ok(SystemView {
        os: host.os,
        kernel: host.kernel,
        architecture: host.architecture,
        cpus: host.cpu_count,
        memory_bytes: host.memory.map(|memory| memory.total_bytes),
        roots: state.workspace.roots().names().to_vec(),
        profiles,
        programs: params.programs.map(|names| names.into_iter().map(find).collect()),
        sandbox: sandbox(state),
        more,
    })
}

fn sandbox(state: &BashGod) -> SandboxView {
    let offered = match state.runs.capabilities() {
        Ok(offered) => offered,
        Err(error) => {
            let notice = Some(error);
            return SandboxView { ready: false, notice, landlock_abi: 0, seccomp: false, namespaces: false };
        }
    };
    let (ready, notice) = match state.runs.protection() {
        Ok(weaker) => (true, weaker),
        Err(error) => (false, Some(error)),
    };
    let (landlock_abi, seccomp) = (offered.landlock_abi, offered.seccomp);
    SandboxView { ready, notice, landlock_abi, seccomp, namespaces: offered.namespaces }
}
