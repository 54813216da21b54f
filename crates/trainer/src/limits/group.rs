//! The limits of the control group that the process is in, as a container has one. Linux has
//! two versions of it, and one may be in use beside the other.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The control group of a process.
pub(crate) struct Group {
    /// The folder that the kernel shows the groups in.
    root: PathBuf,
    /// Of the process: a line for each hierarchy, `ID:CONTROLLERS:PATH`, as in cgroups(7).
    lines: String,
}

impl Group {
    /// That of this process.
    pub(crate) fn own() -> Self {
        let lines = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self { root: "/sys/fs/cgroup".into(), lines }
    }

    /// How many processors' time the process gets; `None` without a limit.
    pub(crate) fn cpus(&self) -> Option<f64> {
        let second = self.folders("").into_iter().filter_map(|dir| quota(&read(&dir, "cpu.max")));
        let first = self.folders("cpu").into_iter().filter_map(|dir| {
            let [quota, period] = ["cpu.cfs_quota_us", "cpu.cfs_period_us"].map(|f| read(&dir, f));
            ratio(&quota, &period)
        });
        second.chain(first).min_by(f64::total_cmp)
    }

    /// Bytes of memory that the process and the others of its group may use; `None` without a
    /// limit.
    pub(crate) fn memory(&self) -> Option<u64> {
        let limit = |dir: &PathBuf, file| read(dir, file).trim().parse::<u64>().ok();
        let second = self.folders("");
        let first = self.folders("memory");
        let second = second.iter().filter_map(|dir| limit(dir, "memory.max"));
        let first = first.iter().filter_map(|dir| limit(dir, "memory.limit_in_bytes"));
        // Version 1 writes no limit as the largest number of pages.
        second.chain(first).min().filter(|limit| *limit < 1 << 60)
    }

    /// The folders of the group and of those that it is in, as far as they are shown: of the
    /// hierarchy of version 1 with this controller, or for an empty name that of version 2.
    fn folders(&self, controller: &str) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for line in self.lines.lines() {
            let mut fields = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
            if !controllers.split(',').any(|name| name == controller) {
                continue;
            }
            let mounts: &[&str] =
                if controller.is_empty() { &["", "unified"] } else { &[controller, controllers] };
            // Without `..`, which a group outside of the namespace has.
            let parts: PathBuf = Path::new(path)
                .components()
                .filter(|part| matches!(part, Component::Normal(_)))
                .collect();
            for mount in mounts.iter().map(|name| self.root.join(name)) {
                folders.extend(parts.ancestors().map(|part| mount.join(part)));
            }
        }
        folders
    }
}

/// The text of a small file; empty if it cannot be read.
fn read(dir: &Path, file: &str) -> String {
    fs::read_to_string(dir.join(file)).unwrap_or_default()
}

/// Reads `cpu.max`: microseconds of time in a period, or `max`, and the period.
fn quota(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    ratio(quota, period)
}

fn ratio(quota: &str, period: &str) -> Option<f64> {
    let [quota, period] = [quota, period].map(|text| text.trim().parse::<f64>().ok());
    let cpus = quota? / period?;
    // −1 is no limit.
    (cpus.is_finite() && cpus > 0.0).then_some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group with these lines, and files below its root.
    fn group(lines: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Group) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let group = Group { root: root.path().to_owned(), lines: lines.to_owned() };
        (root, group)
    }

    fn limits(lines: &str, files: &[(&str, &str)]) -> (Option<f64>, Option<u64>) {
        let (_root, group) = group(lines, files);
        (group.cpus(), group.memory())
    }

    #[test]
    fn version_2() {
        let own = [("a/b/cpu.max", "50000 100000\n"), ("a/b/memory.max", "1000\n")];
        assert_eq!(limits("0::/a/b\n", &own), (Some(0.5), Some(1000)));
        // The group around it has less.
        let around = [own[0], own[1], ("a/cpu.max", "1 10\n"), ("memory.max", "7\n")];
        assert_eq!(limits("0::/a/b\n", &around), (Some(0.1), Some(7)));
        let none = [("a/cpu.max", "max 100000\n"), ("a/memory.max", "max\n")];
        assert_eq!(limits("0::/a\n", &none), (None, None));
        // In the namespace of another, and beside version 1.
        assert_eq!(limits("0::/../../a\n", &[("a/cpu.max", "3 2")]).0, Some(1.5));
        assert_eq!(limits("0::/a\n", &[("unified/a/cpu.max", "3 2")]).0, Some(1.5));
    }

    #[test]
    fn version_1() {
        let lines = "4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n1:name=systemd:/\n0::/\n";
        // A container sees its own group at the root.
        let files = [
            ("cpu/cpu.cfs_quota_us", "150000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "536870912\n"),
        ];
        assert_eq!(limits(lines, &files), (Some(1.5), Some(512 << 20)));
        let joined = [
            ("cpu,cpuacct/docker/x/cpu.cfs_quota_us", "20000"),
            ("cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000"),
        ];
        assert_eq!(limits(lines, &joined).0, Some(0.2));
        let none = [
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(limits(lines, &none), (None, None));
    }

    #[test]
    fn what_is_no_group() {
        for lines in ["", "\n", "0", "0:", "x::", "0:cpu", "::::"] {
            assert_eq!(limits(lines, &[("cpu.max", "what")]), (None, None), "{lines:?}");
        }
        assert_eq!(limits("0::/\n", &[("cpu.max", "1 0\n"), ("memory.max", "-1")]), (None, None));
    }
}
