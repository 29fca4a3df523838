//! `/broadcast`: sessions that wait until all are there, then hear the same.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};

use super::frame::{self, Frame};

/// So many messages go to a member in one write, as they do when a server has more to say than it can send.
const AT_ONCE: usize = 50;

/// The rooms that are not full yet, by name.
#[derive(Debug, Default)]
pub(super) struct Rooms(Mutex<HashMap<String, Vec<TcpStream>>>);

impl Rooms {
    /// Takes a session in; the last of the `members` sends `messages` messages, `0`, `1`, …, to all of them.
    pub(super) fn join(
        &self,
        name: &str,
        member: TcpStream,
        members: usize,
        messages: usize,
    ) -> io::Result<()> {
        let full = {
            let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let room = rooms.entry(name.to_owned()).or_default();
            room.push(member);
            if room.len() < members {
                return Ok(());
            }
            rooms.remove(name).unwrap_or_default()
        };
        for first in (0..messages).step_by(AT_ONCE) {
            let batch = first..messages.min(first + AT_ONCE);
            let bytes =
                batch.flat_map(|i| Frame::new(frame::TEXT, i.to_string()).encode()).collect::<Vec<_>>();
            for mut member in &full {
                member.write_all(&bytes)?;
            }
        }
        Ok(())
    }
}
