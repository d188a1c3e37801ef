//! What `doctor` finds out about this host.

use mcp_server::doctor::Fact;
use mcp_server::options::Options;

use crate::host::{Cgroup, Pressure, Source};
use crate::ring::{self, Ring};
use crate::server::{ABOUT, Flags};
use crate::sources::Prometheus;

/// What the host tells, whether there is a history, and whether Prometheus answers.
pub(crate) fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let source = Source::default();
    let pressure = Pressure::of(&source).map_or_else(
        || {
            Fact::missing(
                "pressure",
                "the kernel does not tell it",
                "boot with psi=1; the rest works without",
            )
        },
        |_| Fact::good("pressure", "told by the kernel"),
    );
    let cgroup = Cgroup::of(&source).map_or_else(
        || Fact::missing("cgroup", "none is seen", "mount /sys/fs/cgroup; the rest works without"),
        |cgroup| Fact::good("cgroup", mcp_server::answer::name(&cgroup.kind)),
    );
    let state = options.state_dir(ABOUT.name);
    let metrics = state.map_or(0, |state| Ring::new(&ring::directory(&state)).names().len());
    let history = match metrics {
        0 => {
            Fact::missing("history", "empty", "run `devops-mcp sample`, or start the server with --sample 10")
        }
        count => Fact::good("history", format!("{count} metrics")),
    };
    let mut facts = vec![pressure, cgroup, history];
    facts.extend(flags.prometheus.as_deref().map(|address| {
        match Prometheus::new(address).and_then(|prometheus| prometheus.version()) {
            Ok(version) => Fact::good("Prometheus", version),
            Err(error) => Fact::missing("Prometheus", error, "start it, or name another address"),
        }
    }));
    facts
}
