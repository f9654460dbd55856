//! Signing keys of access tokens: made here, kept sealed under the master key, parsed once; and the tokens that they sign and verify.
//!
//! What a key is for (next, active, retiring, retired) is told by the log. Here lies only what a log must never hold: the private half.

mod pair;
mod signer;
mod store;
mod verify;

pub use pair::KeyFault;
pub use signer::TokenSigner;
pub use store::{MadeKey, SigningKeys, SigningKeysError};
pub use verify::TokenVerifier;
