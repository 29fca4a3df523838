//! Addresses to connect from, dealt out in turn.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Cidr;

/// A list of addresses, as the flag `--local-ips` of k6 takes it: single ones, ranges and CIDR blocks.
///
/// Of an IPv4 block the first and the last address are left out, which name the network and everybody in it, unless
/// there are no others.
///
/// # Examples
///
/// ```
/// use ws_loop::AddressPool;
/// let pool = AddressPool::parse("10.0.0.1,10.0.1.0/30,10.0.2.7-10.0.2.9")?;
/// let addresses: Vec<String> = (0..7).map(|n| pool.pick(n).to_string()).collect();
/// assert_eq!(
///     addresses,
///     ["10.0.0.1", "10.0.1.1", "10.0.1.2", "10.0.2.7", "10.0.2.8", "10.0.2.9", "10.0.0.1"]
/// );
/// # Ok::<(), ws_loop::AddressPoolError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressPool {
    /// Never empty.
    spans: Vec<Span>,
}

/// Addresses in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: IpAddr,
    /// At least one. All IPv6 addresses are one too many to count; nobody misses it.
    count: u128,
}

/// Why a list of addresses is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressPoolError {
    /// An item is nothing of what it may be.
    #[error("{item} is not a valid IP, IP range or CIDR")]
    Item {
        /// As given.
        item: String,
    },
    /// A range whose end comes before its beginning.
    #[error("negative IP range: {item}")]
    Negative {
        /// As given.
        item: String,
    },
    /// A range from IPv4 to IPv6 or the other way round.
    #[error("mixed IP range format: {item}")]
    Mixed {
        /// As given.
        item: String,
    },
}

impl AddressPool {
    /// Reads a comma list.
    ///
    /// # Errors
    ///
    /// [`AddressPoolError`] for the first item that is none.
    pub fn parse(list: &str) -> Result<Self, AddressPoolError> {
        let spans = list.split(',').map(|item| Span::parse(item.trim())).collect::<Result<_, _>>()?;
        Ok(AddressPool { spans })
    }

    /// Address number `n`, from 0; after the last one comes the first one again.
    pub fn pick(&self, n: u64) -> IpAddr {
        let all = self.spans.iter().fold(0_u128, |all, span| all.saturating_add(span.count));
        let mut left = u128::from(n) % all;
        for span in &self.spans {
            if left < span.count {
                return plus(span.first, left);
            }
            left -= span.count;
        }
        // Not reached: what is left is less than all there are.
        self.spans[0].first
    }
}

impl Span {
    fn parse(item: &str) -> Result<Self, AddressPoolError> {
        let bad = || AddressPoolError::Item { item: item.to_owned() };
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| bad());
        if item.contains('/') {
            let range: Cidr = item.parse().map_err(|_| bad())?;
            let whole = Span { first: range.first(), count: distance(range.first(), range.last()) };
            return Ok(if range.first().is_ipv4() && whole.count > 2 {
                Span { first: plus(whole.first, 1), count: whole.count - 2 }
            } else {
                whole
            });
        }
        let Some((first, last)) = item.split_once('-') else {
            return Ok(Span { first: address(item)?, count: 1 });
        };
        let (first, last) = (address(first)?, address(last)?);
        if first.is_ipv4() != last.is_ipv4() {
            return Err(AddressPoolError::Mixed { item: item.to_owned() });
        }
        if last < first {
            return Err(AddressPoolError::Negative { item: item.to_owned() });
        }
        Ok(Span { first, count: distance(first, last) })
    }
}

/// How many addresses there are from `first` to `last`, both counted.
fn distance(first: IpAddr, last: IpAddr) -> u128 {
    number(last).saturating_sub(number(first)).saturating_add(1)
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_bits().into(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The address so many after this one.
fn plus(ip: IpAddr, count: u128) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits().wrapping_add(count as u32)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits().wrapping_add(count)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_dealt_out_in_order_and_again() {
        for (list, expected) in [
            ("127.0.0.2", "127.0.0.2 127.0.0.2"),
            ("127.0.0.2-127.0.0.4", "127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.2"),
            ("127.0.0.0/30", "127.0.0.1 127.0.0.2 127.0.0.1"),
            ("127.0.0.0/31", "127.0.0.0 127.0.0.1 127.0.0.0"),
            ("127.0.0.1/32, ::1", "127.0.0.1 ::1 127.0.0.1"),
            ("fd00::fffe/127,fd00::1:0-fd00::1:1", "fd00::fffe fd00::ffff fd00::1:0 fd00::1:1 fd00::fffe"),
            ("127.0.0.255-127.0.1.0", "127.0.0.255 127.0.1.0 127.0.0.255"),
        ] {
            let pool = AddressPool::parse(list).unwrap();
            for (n, ip) in expected.split(' ').enumerate() {
                assert_eq!(pool.pick(n as u64).to_string(), ip, "{n} of {list}");
            }
        }
    }

    #[test]
    fn the_largest_pools() {
        assert_eq!(AddressPool::parse("::/0").unwrap().pick(u64::MAX).to_string(), "::ffff:ffff:ffff:ffff");
        let all = AddressPool::parse("0.0.0.0/0").unwrap();
        assert_eq!(all.pick(0).to_string(), "0.0.0.1");
        assert_eq!(all.pick((1 << 32) - 3).to_string(), "255.255.255.254");
        assert_eq!(all.pick((1 << 32) - 2).to_string(), "0.0.0.1");
    }

    #[test]
    fn bad_items_are_named() {
        for (list, message) in [
            ("foo", "foo is not a valid IP, IP range or CIDR"),
            ("", " is not a valid IP, IP range or CIDR"),
            ("127.0.0.2,", " is not a valid IP, IP range or CIDR"),
            ("127.0.0.2,127.0.0.0/33", "127.0.0.0/33 is not a valid IP, IP range or CIDR"),
            ("127.0.0.2-foo", "127.0.0.2-foo is not a valid IP, IP range or CIDR"),
            ("127.0.0.4-127.0.0.2", "negative IP range: 127.0.0.4-127.0.0.2"),
            ("127.0.0.2-::1", "mixed IP range format: 127.0.0.2-::1"),
        ] {
            assert_eq!(AddressPool::parse(list).unwrap_err().to_string(), message);
        }
    }
}
