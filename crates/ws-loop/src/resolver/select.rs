//! Which of a name's addresses is used.

use std::net::IpAddr;

/// Which of several addresses is taken. Exactly one is tried: a load test should not hide a dead address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Select {
    /// Always the first one.
    First,
    /// Any.
    #[default]
    Random,
    /// One after the other.
    RoundRobin,
}

impl Select {
    /// Picks from `addresses`, which must not be empty. `taken` counts the picks, `random` is the generator's state
    /// and not zero.
    pub(super) fn pick(self, addresses: &[IpAddr], taken: &mut usize, random: &mut u64) -> IpAddr {
        let index = match self {
            Select::First => 0,
            Select::RoundRobin => *taken % addresses.len(),
            Select::Random => (next_random(random) % addresses.len() as u64) as usize,
        };
        *taken = taken.wrapping_add(1);
        addresses[index]
    }
}

/// Which kinds of addresses are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The IPv4 addresses, or the IPv6 addresses if there are no others.
    #[default]
    PreferIpv4,
    /// The IPv6 addresses, or the IPv4 addresses if there are no others.
    PreferIpv6,
    /// IPv4 addresses.
    OnlyIpv4,
    /// IPv6 addresses.
    OnlyIpv6,
    /// All.
    Any,
}

impl Policy {
    pub(super) fn filter(self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let any = |wanted: fn(&IpAddr) -> bool| addresses.iter().any(wanted);
        let keep = match self {
            Policy::PreferIpv4 if any(IpAddr::is_ipv4) => IpAddr::is_ipv4,
            Policy::PreferIpv6 if any(IpAddr::is_ipv6) => IpAddr::is_ipv6,
            Policy::OnlyIpv4 => IpAddr::is_ipv4,
            Policy::OnlyIpv6 => IpAddr::is_ipv6,
            Policy::PreferIpv4 | Policy::PreferIpv6 | Policy::Any => |_: &IpAddr| true,
        };
        addresses.retain(keep);
        addresses
    }
}

/// Marsaglia's xorshift64: addresses need spreading, not secrecy.
fn next_random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    #[test]
    fn policies_filter_by_family() {
        let (v4, v6) = (ips(&["10.0.0.1", "10.0.0.2"]), ips(&["::1"]));
        let both = [v4.clone(), v6.clone()].concat();
        for (policy, of_both, of_v4, of_v6) in [
            (Policy::PreferIpv4, &v4, &v4, &v6),
            (Policy::PreferIpv6, &v6, &v4, &v6),
            (Policy::OnlyIpv4, &v4, &v4, &vec![]),
            (Policy::OnlyIpv6, &v6, &vec![], &v6),
            (Policy::Any, &both, &v4, &v6),
        ] {
            let filtered = [&both, &v4, &v6].map(|list| policy.filter(list.clone()));
            assert_eq!(filtered.each_ref(), [of_both, of_v4, of_v6], "{policy:?}");
        }
    }

    #[test]
    fn random_reaches_every_address() {
        let list = ips(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        let (mut taken, mut random) = (0, 0x9e37_79b9_7f4a_7c15);
        let mut counts = [0; 3];
        for _ in 0..3_000 {
            let ip = Select::Random.pick(&list, &mut taken, &mut random);
            counts[list.iter().position(|other| *other == ip).unwrap()] += 1;
        }
        assert!(counts.iter().all(|&count| count > 800), "{counts:?}");
    }
}
