//! How much memory there is.

use std::fs;

use crate::isolate;

/// What this process may use, in bytes: the machine's memory or its control group's limit, whichever is
/// less. 4 GiB where the system does not say.
pub(crate) fn available() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| parse_meminfo(&text));
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = limits.iter().find_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    [machine, group].into_iter().flatten().min().unwrap_or(4 << 30)
}

/// More VUs than this do not fit into the memory that this process may use, whatever their script: it would not hold
/// their JavaScript worlds.
pub fn most_vus() -> usize {
    usize::try_from(available()).unwrap_or(usize::MAX) / isolate::REALM_BYTES
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read_in_bytes() {
        let text = "MemTotal:       24576000 kB\nMemFree:        1 kB\n";
        assert_eq!(parse_meminfo(text), Some(24_576_000 * 1024));
        assert_eq!(parse_meminfo("MemFree: 1 kB\n"), None);
    }
}
