//! Whom an event of the loop is for: the number that sockets and timers carry.

/// An addressee within a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) vu: u32,
    pub(crate) part: Part,
    /// Which one of those; 0 where there is only one.
    pub(crate) serial: u32,
}

/// What of a VU is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// A session of `k6/ws`; for a timer, a slot of the sessions' timers.
    Session,
    /// The global timers.
    Timers,
    /// A socket of `k6/websockets`; for a timer, the time limit of its closing handshake.
    Socket,
    /// The time limit of an interrupted VU's sockets.
    Drain,
    /// A socket that no script hears of any more.
    Leaver,
}

/// Where the part begins; a group has far fewer VUs than this leaves room for.
const SHIFT: u32 = 60;

impl Address {
    pub(crate) fn new(vu: u32, part: Part, serial: u32) -> Self {
        Self { vu, part, serial }
    }

    pub(crate) fn from_user(user: u64) -> Self {
        let part = match user >> SHIFT {
            0 => Part::Session,
            1 => Part::Timers,
            2 => Part::Socket,
            3 => Part::Drain,
            _ => Part::Leaver,
        };
        Self { vu: (user >> 32) as u32 & ((1 << (SHIFT - 32)) - 1), part, serial: user as u32 }
    }

    pub(crate) fn to_user(self) -> u64 {
        let part = match self.part {
            Part::Session => 0,
            Part::Timers => 1,
            Part::Socket => 2,
            Part::Drain => 3,
            Part::Leaver => 4,
        };
        part << SHIFT | u64::from(self.vu) << 32 | u64::from(self.serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_the_way_through_a_number() {
        for part in [Part::Session, Part::Timers, Part::Socket, Part::Drain, Part::Leaver] {
            for (vu, serial) in [(0, 0), (499, u32::MAX), ((1 << 28) - 1, 7)] {
                let address = Address::new(vu, part, serial);
                assert_eq!(Address::from_user(address.to_user()), address);
            }
        }
    }
}
