//! Ranges of addresses.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3): `10.0.0.0/8`, `fd00::/8`.
///
/// IPv4 addresses mapped into IPv6 count as what they are.
///
/// # Examples
///
/// ```
/// use ws_loop::Cidr;
/// let range: Cidr = "10.1.2.3/8".parse()?;
/// assert!(range.contains("10.200.0.1".parse().unwrap()));
/// assert_eq!(range.to_string(), "10.0.0.0/8");
/// # Ok::<(), ws_loop::CidrError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The lowest address.
    first: IpAddr,
    /// How many leading bits all addresses have in common.
    bits: u8,
}

/// A text that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid CIDR address: {text}")]
pub struct CidrError {
    /// As given.
    pub text: String,
}

impl Cidr {
    /// Whether the address is one of the range.
    pub fn contains(self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.first.is_ipv4() && cut(ip, self.bits) == self.first
    }

    /// The lowest address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// The highest address.
    pub fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(ip) => {
                let rest = u32::MAX.checked_shr(self.bits.into()).unwrap_or(0);
                Ipv4Addr::from_bits(ip.to_bits() | rest).into()
            }
            IpAddr::V6(ip) => {
                let rest = u128::MAX.checked_shr(self.bits.into()).unwrap_or(0);
                Ipv6Addr::from_bits(ip.to_bits() | rest).into()
            }
        }
    }
}

/// The address with all but the first `bits` bits zero.
fn cut(ip: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let parse = || {
            let (ip, bits) = text.split_once('/')?;
            let ip: IpAddr = ip.parse().ok()?;
            // A sign is no digit.
            let bits: u8 = bits.bytes().all(|byte| byte.is_ascii_digit()).then(|| bits.parse().ok())??;
            let (ip, bits) = match ip.to_canonical() {
                plain @ IpAddr::V4(_) if ip.is_ipv6() => (plain, bits.checked_sub(96)?),
                plain => (plain, bits),
            };
            let most = if ip.is_ipv4() { 32 } else { 128 };
            (bits <= most).then(|| Cidr { first: cut(ip, bits), bits })
        };
        parse().ok_or_else(|| CidrError { text: text.to_owned() })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_they_say() {
        for (range, shown, inside, outside) in [
            ("10.1.2.3/8", "10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("127.0.0.5/32", "127.0.0.5/32", "127.0.0.5", "127.0.0.4"),
            ("0.0.0.0/0", "0.0.0.0/0", "::ffff:1.2.3.4", "::1"),
            ("::/0", "::/0", "::1", "1.2.3.4"),
            ("fd00::1/8", "fd00::/8", "fdff::1", "fe00::"),
            ("::ffff:127.0.0.0/104", "127.0.0.0/8", "127.9.9.9", "128.0.0.0"),
        ] {
            let range: Cidr = range.parse().unwrap();
            assert_eq!(range.to_string(), shown);
            assert!(range.contains(inside.parse().unwrap()), "{shown}: {inside}");
            assert!(!range.contains(outside.parse().unwrap()), "{shown}: {outside}");
            assert!(range.contains(range.first()) && range.contains(range.last()), "{shown}");
        }
    }

    #[test]
    fn ends_of_ranges() {
        for (range, last) in
            [("10.0.0.4/30", "10.0.0.7"), ("0.0.0.0/0", "255.255.255.255"), ("::1/128", "::1")]
        {
            assert_eq!(range.parse::<Cidr>().unwrap().last(), last.parse::<IpAddr>().unwrap(), "{range}");
        }
    }

    #[test]
    fn what_is_no_range() {
        for text in
            ["", "1.2.3", "1.2.3.4", "1.2.3/8", "1.2.3.4/33", "1.2.3.4/+8", "1.2.3.4/", "::1/129", "a/8"]
        {
            let error = text.parse::<Cidr>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid CIDR address: {text}"));
        }
    }
}
