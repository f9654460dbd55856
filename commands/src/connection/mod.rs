//! What may be asked of connections.

mod create;
mod holder;
mod remove;
mod rename;
mod set_secrets;

pub use create::{Create, Created};
pub use remove::Remove;
pub use rename::Rename;
pub use set_secrets::{SECRET_VALUE_BYTES_MAX, SecretsSet, SetSecrets};

pub(crate) use holder::user;

#[cfg(test)]
mod tests;
