//! permessage-deflate (RFC 7692): compressed messages.

mod codec;
mod extensions;
mod params;
#[cfg(test)]
mod tests;

pub use codec::Deflater;
pub(crate) use codec::{Packer, Unpacker};
pub(crate) use params::agree;
pub use params::{DeflateAgreement, DeflateOffer, DeflatePolicy, ExtensionFault, WindowBits};
