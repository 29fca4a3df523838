//! File descriptors: each connection takes one, and systems are stingy with them by default.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the program needs besides its connections: files and pipes, and an event loop for some hundreds of VUs.
fn reserve(sockets: u64) -> u64 {
    64 + sockets / 100
}

/// Allows the process as many descriptors as it may have, and says in one line if they cannot suffice for one
/// connection of each VU; `echo` is for a server in the same process, which has the other ends. Scripts that want more
/// connections are warned when one cannot be made.
pub(crate) fn prepare(vus: u64, echo: bool) -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    if let Some(wanted) = raised(&limit) {
        // Some systems name a hard limit and then refuse it; what there is has to do then.
        let _ = setrlimit(Resource::Nofile, wanted);
    }
    shortage(getrlimit(Resource::Nofile).current, vus, echo)
}

/// What helps against a failure of the system, if it is for want of descriptors; continues its text.
pub(crate) fn remedy(error: &io::Error) -> Option<String> {
    let is_ours = error.raw_os_error() == Some(Errno::MFILE.raw_os_error());
    let limit = getrlimit(Resource::Nofile).current.filter(|_| is_ours)?;
    Some(format!("; this process may have {limit} file descriptors, raise the limit with 'ulimit -n'"))
}

/// The soft limit at the height of the hard one, if it is not there yet.
fn raised(limit: &Rlimit) -> Option<Rlimit> {
    let below = match (limit.current, limit.maximum) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(current), Some(maximum)) => current < maximum,
    };
    below.then_some(Rlimit { current: limit.maximum, maximum: limit.maximum })
}

fn shortage(available: Option<u64>, vus: u64, echo: bool) -> Option<String> {
    let (ends, whom) = if echo { (2, " to the echo server") } else { (1, "") };
    let sockets = vus.saturating_mul(ends);
    let needed = sockets.saturating_add(reserve(sockets));
    let available = available?;
    (available < needed).then(|| {
        format!(
            "one connection{whom} for each VU ({vus}) needs {needed} file descriptors, but this process may only have \
             {available}; raise the limit with 'ulimit -n {needed}' (as root, or in /etc/security/limits.conf)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let limit = |current, maximum| Rlimit { current, maximum };
        assert_eq!(raised(&limit(Some(1024), Some(4096))), Some(limit(Some(4096), Some(4096))));
        assert_eq!(raised(&limit(Some(1024), None)), Some(limit(None, None)));
        assert_eq!(raised(&limit(Some(4096), Some(4096))), None);
        assert_eq!(raised(&limit(None, None)), None);
    }

    #[test]
    fn a_shortage_names_the_number_and_the_remedy() {
        assert_eq!(shortage(Some(1074), 1000, false), None);
        assert_eq!(shortage(None, u64::MAX, true), None);
        assert_eq!(
            shortage(Some(1073), 1000, false).as_deref(),
            Some(
                "one connection for each VU (1000) needs 1074 file descriptors, but this process may only have 1073; \
                 raise the limit with 'ulimit -n 1074' (as root, or in /etc/security/limits.conf)"
            )
        );
        let echo = shortage(Some(1074), 1000, true).unwrap();
        assert!(
            echo.starts_with("one connection to the echo server for each VU (1000) needs 2084 "),
            "{echo}"
        );
    }

    #[test]
    fn preparing_for_nothing_is_always_possible() {
        assert_eq!(prepare(0, true), None);
    }
}
