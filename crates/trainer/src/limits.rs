//! What the machine has: memory, space on the disk, and the limits of the process. Where a
//! system does not tell, there is no limit.

mod group;

use std::fs;
use std::path::Path;

pub(crate) use group::Group;

/// Bytes that the process can still ask for: what is free, what its control group leaves
/// it, and what its address space has room for. Where it is one of `processes` on this host that
/// need the same, its part of that; the address space is its own.
pub(crate) fn memory(processes: usize) -> u64 {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let free = kib(&text("/proc/meminfo"), "MemAvailable:");
    let used = kib(&text("/proc/self/status"), "VmSize:").unwrap_or(0);
    let space = address_space().map(|limit| limit.saturating_sub(used));
    let group = group(&text("/sys/fs/cgroup/memory.max"), &text("/sys/fs/cgroup/memory.current"));
    let part = |bytes: u64| bytes / processes.max(1) as u64;
    [free.map(part), space, group.map(part)].into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// The value of a line of proc(5), whose `kB` are 1024 bytes, in bytes.
pub(crate) fn kib(text: &str, key: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// What a control group leaves: its limit, unless that is `max`, less what it uses.
fn group(limit: &str, used: &str) -> Option<u64> {
    let [limit, used] = [limit, used].map(|text| text.trim().parse::<u64>().ok());
    Some(limit?.saturating_sub(used.unwrap_or(0)))
}

#[cfg(unix)]
fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

/// The size that a file of this process may have, in bytes.
#[cfg(unix)]
pub(crate) fn file_size() -> u64 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize).current;
    limit.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
pub(crate) fn file_size() -> u64 {
    u64::MAX
}

/// Free bytes on the file system of `path`, or of the nearest directory above that exists.
#[cfg(unix)]
pub(crate) fn disk(path: &Path) -> u64 {
    let here = Path::new(".");
    let above = path.ancestors().map(|dir| if dir.as_os_str().is_empty() { here } else { dir });
    let found = above.filter(|dir| dir.exists()).find_map(|dir| rustix::fs::statvfs(dir).ok());
    // Some file systems have no blocks to count.
    let found = found.filter(|found| found.f_blocks > 0);
    found.map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn disk(_: &Path) -> u64 {
    u64::MAX
}

/// A number of bytes for people: `1.5 MB`.
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 7] = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = n as f64;
    let mut unit = 0;
    // What would be rounded to 1000 has the next unit.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} bytes") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_tells() {
        let status = "Name:\ttrainer\nVmSize:\t   99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(kib(status, "VmHWM:"), Some(1234 * 1024));
        assert_eq!(kib("Name:\ttrainer\n", "VmHWM:"), None);
        assert_eq!(kib("VmHWM:\tmuch\n", "VmHWM:"), None);
        assert_eq!(group("max\n", "5\n"), None);
        assert_eq!(group("", ""), None);
        assert_eq!(group("100\n", "30\n"), Some(70));
        assert_eq!(group("100\n", "130\n"), Some(0));
    }

    #[test]
    fn this_machine_has_something() {
        assert!(memory(1) > 1 << 20 && file_size() > 0);
        // What is free changes from one look to the next, but not as much.
        let (all, part) = (memory(1), memory(1000));
        assert!(address_space().is_some() || part < all / 100, "{part} of {all}");
        assert!(disk(Path::new("not/here")) > 0 && disk(Path::new("/not/here")) > 0);
    }

    #[test]
    fn sizes_for_people() {
        for (n, expected) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (1_540_000, "1.5 MB"),
            (999_960_000, "1.0 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(n), expected);
        }
    }
}
