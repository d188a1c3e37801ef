//! The CPU quota that this process is under: the tightest of its control group's and of every one above it, as far as
//! they can be seen. Version 1 and 2 of control groups, and both side by side.

use std::path::{Path, PathBuf};

/// The quota of this process, in cores; `None` without a limit.
pub(crate) fn quota() -> Option<f64> {
    let text = |path: &Path| std::fs::read_to_string(path).ok();
    let groups = text(Path::new("/proc/self/cgroup"))?;
    let mounts = text(Path::new("/proc/self/mountinfo"))?;
    tightest(&groups, &mounts, &text)
}

/// The tightest quota of the groups in `/proc/self/cgroup`, below the mounts of `/proc/self/mountinfo`.
fn tightest(groups: &str, mounts: &str, read: &dyn Fn(&Path) -> Option<String>) -> Option<f64> {
    let mut found: Option<f64> = None;
    for (group, is_second) in groups.lines().filter_map(group) {
        for mount in mounts.lines().filter_map(Mount::of).filter(|mount| mount.second == is_second) {
            for folder in mount.folders(group) {
                let cores = if is_second { second(&folder, read) } else { first(&folder, read) };
                found = [found, cores].into_iter().flatten().reduce(f64::min);
            }
        }
    }
    found
}

/// The group of a line `ID:CONTROLLERS:PATH` that decides about CPU time, and whether it is of version 2.
fn group(line: &str) -> Option<(&str, bool)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    if controllers.is_empty() {
        return Some((path, true));
    }
    controllers.split(',').any(|controller| controller == "cpu").then_some((path, false))
}

/// A mounted hierarchy of control groups.
struct Mount {
    /// The group that is its root.
    root: String,
    /// Where it lies.
    place: PathBuf,
    /// Whether it is of version 2; else it is the one of version 1 that decides about CPU time.
    second: bool,
}

impl Mount {
    /// Reads a line of `mountinfo` (proc_pid_mountinfo(5)).
    fn of(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, place) = (unescaped(before.next()?), unescaped(before.next()?));
        let mut after = after.split(' ');
        let second = match after.next()? {
            "cgroup2" => true,
            "cgroup" if after.nth(1)?.split(',').any(|option| option == "cpu") => false,
            _ => return None,
        };
        Some(Self { root, place: place.into(), second })
    }

    /// The directories of a group and of those above it, up to the root of the mount. A group outside of the mount's
    /// root (as a container sees it whose groups have no name space) is seen as that root.
    fn folders(&self, group: &str) -> Vec<PathBuf> {
        let below = Path::new(group).strip_prefix(&self.root).unwrap_or(Path::new(""));
        below
            .ancestors()
            .filter(|below| !below.starts_with(".."))
            .map(|below| self.place.join(below))
            .collect()
    }
}

/// `mountinfo` writes spaces and the like as `\040`.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

fn second(folder: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Option<f64> {
    let text = read(&folder.join("cpu.max"))?;
    let mut fields = text.split_whitespace();
    cores(fields.next()?, fields.next()?)
}

fn first(folder: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Option<f64> {
    let text = |name: &str| read(&folder.join(name));
    cores(text("cpu.cfs_quota_us")?.trim(), text("cpu.cfs_period_us")?.trim())
}

/// `max` and −1 mean that there is no limit.
fn cores(quota: &str, period: &str) -> Option<f64> {
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    fn found(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<f64> {
        let read = |path: &Path| {
            let file = files.iter().find(|(name, _)| Path::new(name) == path);
            file.map(|(_, text)| format!("{text}\n"))
        };
        tightest(groups, mounts, &read)
    }

    #[test]
    fn a_quota_of_the_own_unit_counts_and_the_tightest_above_it() {
        let own = "0::/system.slice/run-1.service\n";
        let unit = ("/sys/fs/cgroup/system.slice/run-1.service/cpu.max", "150000 100000");
        assert_eq!(found(own, UNIFIED, &[unit]), Some(1.5));
        let slice = ("/sys/fs/cgroup/system.slice/cpu.max", "50000 100000");
        assert_eq!(found(own, UNIFIED, &[unit, slice]), Some(0.5));
        let free = ("/sys/fs/cgroup/system.slice/run-1.service/cpu.max", "max 100000");
        assert_eq!(found(own, UNIFIED, &[free, ("/sys/fs/cgroup/cpu.max", "200000 100000")]), Some(2.0));
        assert_eq!(found(own, UNIFIED, &[free]), None);
    }

    #[test]
    fn version_1_beside_version_2_is_seen_where_its_cpu_controller_is() {
        let groups = "5:memory:/a\n4:cpu,cpuacct:/docker/c0/job\n0::/x\n";
        let mounts = "40 30 0:40 /docker/c0 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
            41 30 0:41 /docker/c0 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let quota = ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "25000");
        let period = ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000");
        assert_eq!(found(groups, mounts, &[quota, period]), Some(0.25));
        let none = ("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1");
        assert_eq!(found(groups, mounts, &[none, period]), None);
    }

    #[test]
    fn a_group_out_of_sight_is_the_root_that_is_seen_and_nonsense_is_no_limit() {
        let root = [("/sys/fs/cgroup/cpu.max", "100000 100000")];
        assert_eq!(found("0::/../other\n", UNIFIED, &root), Some(1.0));
        assert_eq!(found("0::/\n", UNIFIED, &root), Some(1.0));
        for text in ["", "max", "x y", "100000 0"] {
            assert_eq!(found("0::/\n", UNIFIED, &[("/sys/fs/cgroup/cpu.max", text)]), None, "{text}");
        }
        assert_eq!(found("", UNIFIED, &root), None);
        let spaced = "30 23 0:26 / /my\\040groups rw - cgroup2 cgroup2 rw\n";
        assert_eq!(found("0::/a\n", spaced, &[("/my groups/a/cpu.max", "50000 100000")]), Some(0.5));
    }
}
