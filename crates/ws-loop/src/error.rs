//! What can go wrong below a socket.

use std::io;

/// A failure of the loop itself. What happens to one socket is an [`Event`](crate::Event), never an error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system's poll could not be made, waited on or woken.
    #[error("the system's event poll failed: {0}")]
    Poll(io::Error),
    /// A loop could not be put into a nest or taken out of it.
    #[error("the event loop could not be registered in the poll of its driver: {0}")]
    Nest(io::Error),
}

impl Error {
    /// The system's reason.
    pub fn system(&self) -> &io::Error {
        let (Error::Poll(error) | Error::Nest(error)) = self;
        error
    }
}
