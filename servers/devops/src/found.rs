//! What `doctor` finds out about this host.

use mcp_server::doctor::Fact;
use mcp_server::options::Options;

use crate::host::{Cgroup, Pressure, Source};
use crate::ring::{self, Ring};
use crate::sampler::now_ms;
use crate::server::{ABOUT, Flags};
use crate::sources::Prometheus;

/// Nobody samples any more where the newest row is older, in milliseconds: rows are at most an hour apart.
const OLD_MS: i64 = 2 * 3_600_000;

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
    let metrics = state.map_or_else(Vec::new, |state| Ring::new(&ring::directory(&state)).metrics());
    let age = metrics.iter().map(|metric| now_ms() - metric.last_ms).filter(|age| *age >= 0).min();
    let hint = "run `devops-mcp sample`, or start the server with --sample 10";
    let history = match age {
        None => Fact::missing("history", "empty", hint),
        Some(age) if age > OLD_MS => Fact::missing(
            "history",
            format!("{} metrics, the newest row {} minutes ago", metrics.len(), age / 60_000),
            hint,
        ),
        Some(age) => {
            Fact::good("history", format!("{} metrics, the newest row {} s ago", metrics.len(), age / 1000))
        }
    };
    let mut facts = vec![pressure, cgroup, history];
    if flags.prometheus.is_none() {
        facts.push(Fact::good("Prometheus", "none is named: --prometheus http://HOST:PORT"));
    }
    facts.extend(flags.prometheus.as_deref().map(|address| {
        match Prometheus::new(address).and_then(|prometheus| prometheus.version()) {
            Ok(version) => Fact::good("Prometheus", version),
            Err(error) => Fact::missing("Prometheus", error, "start it, or name another address"),
        }
    }));
    facts
}
