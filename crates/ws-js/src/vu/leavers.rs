//! Sockets that a VU's scripts are through with: what they have sent is counted when the system has taken it.
//!
//! A socket whose script was cut short has nobody left to tell how it ended. What it had queued goes out in the
//! background all the same, and is counted with its own tags, while the VU does something else.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use ws_loop::{EventLoop, Leave, Left, SocketKey, Traffic};
use ws_metrics::{Metadata, Slot, TagSetId, builtin};
use ws_proto::Sent;

use super::address::{Address, Part};
use super::tags::VuTags;
use crate::group::{Inside, Post, State};
use crate::samples::Samples;

/// How long the servers of a VU that was cut short may take to read what it had sent.
pub(crate) const DRAIN: Duration = Duration::from_secs(3);

/// Those of one VU that still have something to write.
#[derive(Default)]
pub(crate) struct Leavers {
    list: FxHashMap<u32, Leaver>,
    next: u32,
}

struct Leaver {
    counter: Option<Counter>,
    /// Those of the VU when it parted with the socket.
    tags: TagSetId,
    metadata: Metadata,
}

/// Where frames are counted, and which of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counter {
    pub(crate) slot: Slot,
    pub(crate) which: Which,
}

/// What counts as a sent message: k6's two modules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Messages,
    MessagesAndPings,
    /// A close frame of the script's own, too.
    All,
}

impl Counter {
    /// Counts what the system has taken.
    pub(crate) fn count(self, samples: &mut Samples, sent: Sent, at: Instant) {
        let count = match self.which {
            Which::Messages => sent.messages,
            Which::MessagesAndPings => sent.messages + sent.pings,
            Which::All => sent.messages + sent.pings + sent.closes,
        };
        // One by one: an output that wants every sample gets one for each message.
        for _ in 0..count {
            samples.count(self.slot, at);
        }
    }
}

/// What a VU needs to part with a socket.
pub(crate) struct Parting<'a> {
    pub(crate) vu: u32,
    pub(crate) leavers: &'a mut Leavers,
    pub(crate) tags: &'a VuTags,
    pub(crate) io: &'a mut EventLoop<Post>,
    pub(crate) samples: &'a mut Samples,
    pub(crate) traffic: &'a mut Traffic,
}

impl Parting<'_> {
    /// Has the socket write what is queued and close, until then, with nobody listening.
    pub(crate) fn leave(self, key: SocketKey, counter: Option<Counter>, until: Instant) {
        let serial = self.leavers.next;
        self.io.set_user(key, Address::new(self.vu, Part::Leaver, serial).to_user());
        match self.io.leave(key, until) {
            Some(Leave::Done(left)) => self.account(counter, &left),
            Some(Leave::Later) => {
                let leaver = Leaver { counter, tags: self.tags.current(), metadata: self.tags.metadata() };
                self.leavers.list.insert(serial, leaver);
                self.leavers.next = serial.wrapping_add(1);
            }
            None => {}
        }
    }

    /// Closes the socket now.
    pub(crate) fn drop(self, key: SocketKey, counter: Option<Counter>) {
        if let Some(left) = self.io.finish(key) {
            self.account(counter, &left);
        }
    }

    fn account(self, counter: Option<Counter>, left: &Left) {
        if let Some(counter) = counter {
            counter.count(self.samples, left.sent, self.io.now());
        }
        add_traffic(self.traffic, left.traffic);
    }
}

/// Books what a socket has come to that the loop has told of: whoever hears of it next, if anybody.
pub(crate) fn account(inside: Inside, address: Address, left: &Left) {
    let Address { vu, part, serial } = address;
    let mut state = inside.state();
    let State { io, vus, samples, .. } = &mut *state;
    let Some(this) = vus.get_mut(vu as usize) else { return };
    let now = io.now();
    let counter = match part {
        Part::Session => this.sessions.gone(serial),
        Part::Socket => {
            let is_cancelled = this.is_cancelled();
            this.sockets.gone(serial, is_cancelled)
        }
        Part::Leaver => {
            let Some(leaver) = this.leavers.list.remove(&serial) else { return };
            let Traffic { read, written } = left.traffic;
            let Leaver { counter, tags, metadata } = leaver;
            samples.add(builtin::DATA_SENT, tags, metadata, now, written as f64);
            samples.add(builtin::DATA_RECEIVED, tags, metadata, now, read as f64);
            if let Some(counter) = counter {
                counter.count(samples, left.sent, now);
            }
            return;
        }
        Part::Timers | Part::Drain => None,
    };
    if let Some(counter) = counter {
        counter.count(samples, left.sent, now);
    }
    add_traffic(&mut this.traffic, left.traffic);
}

/// Adds the bytes of a socket to those of its VU.
pub(crate) fn add_traffic(to: &mut Traffic, more: Traffic) {
    to.read += more.read;
    to.written += more.written;
}
