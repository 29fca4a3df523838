//! Where a process's resident memory is, by the kind of its mappings.

/// Resident bytes by kind (Linux: `/proc/PID/smaps`, proc(5)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// Pages of V8's heaps: anonymous mappings of 256 KiB. Realms, code, and what scripts keep.
    pub heap: u64,
    /// Stacks of threads that run scripts: anonymous mappings of about 1 MiB.
    pub stacks: u64,
    /// The program and its libraries.
    pub files: u64,
    /// The rest: V8's new spaces, and everything from `malloc` (sockets, sessions, V8's own structs).
    pub rest: u64,
}

impl Resident {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.heap + self.stacks + self.files + self.rest
    }

    /// Adds up the mappings of a process. `None` if it has ended, or where there is no `/proc`.
    pub(crate) fn of(process: u32) -> Option<Self> {
        std::fs::read_to_string(format!("/proc/{process}/smaps")).ok().map(|text| Self::parse(&text))
    }

    fn parse(smaps: &str) -> Self {
        const HEAP_PAGE: u64 = 256 << 10;
        // Rust asks for the size it was told; the C library rounds up and adds its thread descriptor.
        const STACK: std::ops::Range<u64> = (1 << 20) - (64 << 10)..(1 << 20) + (64 << 10);
        let mut resident = Self::default();
        let mut size = 0;
        let mut named = false;
        for line in smaps.lines() {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap_or_default();
            if let Some((from, to)) = first.split_once('-') {
                let address = |text| u64::from_str_radix(text, 16).unwrap_or(0);
                size = address(to) - address(from);
                named = words.nth(4).is_some_and(|name| name.starts_with('/'));
            } else if first == "Rss:" {
                let bytes = words.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024;
                let kind = match () {
                    () if named => &mut resident.files,
                    () if size == HEAP_PAGE => &mut resident.heap,
                    () if STACK.contains(&size) => &mut resident.stacks,
                    () => &mut resident.rest,
                };
                *kind += bytes;
            }
        }
        resident
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_told_apart_by_name_and_size() {
        let smaps = "\
55d0-55e0 r-xp 00000000 fe:00 12 /usr/bin/ws
Size: 16 kB
Rss:                  12 kB
7f0000000000-7f0000040000 rw-p 00000000 00:00 0
Rss:                 200 kB
7f0000100000-7f0000200000 rw-p 00000000 00:00 0
Rss:                  28 kB
7f0000300000-7f0004300000 rw-p 00000000 00:00 0 [heap]
Rss:                1000 kB
";
        let kib = |n: u64| n * 1024;
        let expected = Resident { files: kib(12), heap: kib(200), stacks: kib(28), rest: kib(1000) };
        assert_eq!(Resident::parse(smaps), expected);
        assert_eq!(expected.total(), kib(1240));
    }
}
