//! The control group that this process runs in: its limits, and how often they were met.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::host::{Pressure, Source, number, read};

/// The kind of control groups that the host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum CgroupKind {
    /// The unified hierarchy.
    #[serde(rename = "v2")]
    Unified,
    /// One hierarchy for each controller.
    #[serde(rename = "v1")]
    Legacy,
}

/// The own control group. What it does not limit or tell is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cgroup {
    /// Its kind.
    pub kind: CgroupKind,
    /// Its path.
    pub path: String,
    /// How many processors it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<f64>,
    /// The share of its periods in which it had to wait for more processor time, since it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttled_share: Option<f64>,
    /// The most memory that it may use, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_bytes: Option<u64>,
    /// The memory that it uses, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used_bytes: Option<u64>,
    /// How many of its processes were killed because memory ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oom_kills: Option<u64>,
    /// Its own pressure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
}

/// A limit beyond this is none: the legacy hierarchy says "no limit" with a number near 2⁶³.
const NO_LIMIT: u64 = 1 << 60;

impl Cgroup {
    /// The group of this process; `None` where the host has no control groups, or hides them.
    #[must_use]
    pub fn of(source: &Source) -> Option<Self> {
        let text = source.text("self/cgroup")?;
        let unified = text.lines().find_map(|line| line.strip_prefix("0::"));
        let directory = |base: &Path, path: &str| {
            // In a container the path is that of the host, and the directory is the root of what is mounted.
            let named = base.join(path.trim_start_matches('/'));
            if named.is_dir() { named } else { base.to_owned() }
        };
        if let Some(path) = unified.filter(|_| source.cgroup.join("cgroup.controllers").exists()) {
            return Some(Self::unified(path, &directory(&source.cgroup, path)));
        }
        let of = |controller: &str| {
            text.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (controllers, path) = rest.split_once(':')?;
                controllers.split(',').any(|name| name == controller).then_some(path)
            })
        };
        let base = |controller: &str| -> Option<PathBuf> {
            Some(directory(&source.cgroup.join(controller), of(controller)?))
        };
        let (memory, cpu) = (base("memory"), base("cpu"));
        if memory.is_none() && cpu.is_none() {
            return None;
        }
        let path = of("memory").or_else(|| of("cpu")).unwrap_or_default();
        Some(Self::legacy(path, memory.as_deref(), cpu.as_deref()))
    }

    fn unified(path: &str, directory: &Path) -> Self {
        let text = |name: &str| read(&directory.join(name));
        let single = |name: &str| text(name).and_then(|text| text.trim().parse::<u64>().ok());
        let stat = text("cpu.stat").unwrap_or_default();
        Self {
            kind: CgroupKind::Unified,
            path: path.to_owned(),
            cpu_limit: text("cpu.max").and_then(|text| {
                let mut words = text.split_whitespace();
                let (quota, period): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
                Some(quota / period)
            }),
            throttled_share: share(&stat),
            memory_limit_bytes: single("memory.max"),
            memory_used_bytes: single("memory.current"),
            oom_kills: text("memory.events").and_then(|text| number(&text, "oom_kill ")),
            pressure: Pressure::new(
                text("cpu.pressure").as_deref(),
                text("memory.pressure").as_deref(),
                text("io.pressure").as_deref(),
            ),
        }
    }

    fn legacy(path: &str, memory: Option<&Path>, cpu: Option<&Path>) -> Self {
        let text = |base: Option<&Path>, name: &str| base.and_then(|base| read(&base.join(name)));
        let single = |base: Option<&Path>, name: &str| {
            text(base, name).and_then(|text| text.trim().parse::<i64>().ok()).filter(|value| *value >= 0)
        };
        let quota = single(cpu, "cpu.cfs_quota_us").zip(single(cpu, "cpu.cfs_period_us"));
        Self {
            kind: CgroupKind::Legacy,
            path: path.to_owned(),
            cpu_limit: quota
                .filter(|(_, period)| *period > 0)
                .map(|(quota, period)| quota as f64 / period as f64),
            throttled_share: text(cpu, "cpu.stat").and_then(|text| share(&text)),
            memory_limit_bytes: single(memory, "memory.limit_in_bytes")
                .map(|limit| limit as u64)
                .filter(|limit| *limit < NO_LIMIT),
            memory_used_bytes: single(memory, "memory.usage_in_bytes").map(|used| used as u64),
            oom_kills: text(memory, "memory.oom_control").and_then(|text| number(&text, "oom_kill ")),
            pressure: None,
        }
    }
}

/// The share of periods that were throttled; `None` where there were none.
fn share(stat: &str) -> Option<f64> {
    let (periods, throttled) = (number(stat, "nr_periods ")?, number(stat, "nr_throttled ")?);
    (periods > 0).then(|| throttled as f64 / periods as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[(&str, &str)]) -> (tempfile::TempDir, Source) {
        let base = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = base.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let source = Source { proc: base.path().join("proc"), cgroup: base.path().join("cg") };
        (base, source)
    }

    #[test]
    fn the_unified_hierarchy_is_read() {
        let (_base, source) = source(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("cg/cgroup.controllers", "cpu memory\n"),
            ("cg/a/b/cpu.max", "150000 100000\n"),
            ("cg/a/b/cpu.stat", "usage_usec 5\nnr_periods 200\nnr_throttled 50\n"),
            ("cg/a/b/memory.max", "1048576\n"),
            ("cg/a/b/memory.current", "524288\n"),
            ("cg/a/b/memory.events", "low 0\noom 2\noom_kill 1\n"),
            ("cg/a/b/cpu.pressure", "some avg10=3.00 avg60=2.00 avg300=1.00 total=1\n"),
        ]);
        let found = Cgroup::of(&source).unwrap();
        assert_eq!((found.kind, found.path.as_str()), (CgroupKind::Unified, "/a/b"));
        assert_eq!((found.cpu_limit, found.throttled_share), (Some(1.5), Some(0.25)));
        assert_eq!((found.memory_limit_bytes, found.memory_used_bytes), (Some(1 << 20), Some(1 << 19)));
        assert_eq!(found.oom_kills, Some(1));
        assert_eq!(found.pressure.unwrap().cpu_some.unwrap().avg10, 3.0);
    }

    #[test]
    fn the_legacy_hierarchy_is_read() {
        let (_base, source) = source(&[
            ("proc/self/cgroup", "4:memory:/x\n2:cpu,cpuacct:/y\n0::/\n"),
            ("cg/memory/x/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cg/memory/x/memory.usage_in_bytes", "4096\n"),
            ("cg/cpu/cpu.cfs_quota_us", "-1\n"),
            ("cg/cpu/cpu.cfs_period_us", "100000\n"),
        ]);
        let found = Cgroup::of(&source).unwrap();
        assert_eq!((found.kind, found.memory_limit_bytes), (CgroupKind::Legacy, None));
        assert_eq!((found.memory_used_bytes, found.cpu_limit), (Some(4096), None));
    }

    #[test]
    fn a_host_without_groups_has_none() {
        let (_base, source) = source(&[("proc/stat", "")]);
        assert_eq!(Cgroup::of(&source), None);
        assert_eq!(Pressure::of(&source), None);
    }
}
