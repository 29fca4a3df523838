//! Hashes by name, with and without a key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::Md5;
use ripemd::Ripemd160;
use sha1::Sha1;
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha384, Sha512, Sha512_224, Sha512_256};

/// Each hash in its two forms.
macro_rules! hashers {
    ($($name:literal $hash:ident)*) => {
        /// A hash under way.
        #[derive(Clone)]
        pub(super) enum Hasher {
            $($hash(Box<Plain<$hash>>),)*
        }

        impl Hasher {
            /// The hash with this name.
            pub(super) fn plain(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$hash(Box::new(Plain::Bare($hash::new()))),)*
                    _ => return None,
                })
            }

            /// The same with a key (RFC 2104).
            pub(super) fn keyed(name: &str, key: &[u8]) -> Option<Self> {
                Some(match name {
                    $($name => {
                        let keyed = Hmac::<$hash>::new_from_slice(key).expect("keys of any length will do");
                        Self::$hash(Box::new(Plain::Keyed(keyed)))
                    })*
                    _ => return None,
                })
            }

            /// Puts more in.
            pub(super) fn update(&mut self, data: &[u8]) {
                match self {
                    $(Self::$hash(state) => match &mut **state {
                        Plain::Bare(state) => state.update(data),
                        Plain::Keyed(state) => state.update(data),
                    },)*
                }
            }

            /// The hash of all that was put in so far.
            pub(super) fn digest(&self) -> Vec<u8> {
                match self {
                    $(Self::$hash(state) => match &**state {
                        Plain::Bare(state) => state.clone().finalize().to_vec(),
                        Plain::Keyed(state) => state.clone().finalize().into_bytes().to_vec(),
                    },)*
                }
            }
        }
    };
}

hashers! {
    "md4" Md4
    "md5" Md5
    "sha1" Sha1
    "sha256" Sha256
    "sha384" Sha384
    "sha512" Sha512
    "sha512_224" Sha512_224
    "sha512_256" Sha512_256
    "ripemd160" Ripemd160
}

#[derive(Clone)]
pub(super) enum Plain<D: hmac::EagerHash> {
    Bare(D),
    Keyed(Hmac<D>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hasher: Option<Hasher>, data: &str) -> String {
        let mut hasher = hasher.unwrap();
        // In two pieces, and read in between.
        let (first, second) = data.split_at(data.len() / 2);
        hasher.update(first.as_bytes());
        hasher.digest();
        hasher.update(second.as_bytes());
        data_encoding::HEXLOWER.encode(&hasher.digest())
    }

    #[test]
    fn known_answers() {
        for (name, digest) in [
            ("md4", "a448017aaf21d8525fc10ae87aa6729d"),
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            ("sha512_224", "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
            ("sha512_256", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
            ("ripemd160", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        ] {
            assert_eq!(hex(Hasher::plain(name), "abc"), digest, "{name}");
        }
        let keyed = hex(Hasher::keyed("sha256", b"key"), "data");
        assert_eq!(keyed, "5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0");
        assert!(Hasher::plain("nope").is_none() && Hasher::keyed("nope", b"").is_none());
    }
}
