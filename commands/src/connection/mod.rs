//! What may be asked of connections.

mod authorize;
mod create;
mod end_authorization;
mod holder;
mod prepare_authorization;
mod remove;
mod rename;
mod set_secrets;
mod want_scopes;

pub use authorize::Authorize;
pub use create::{Create, Created};
pub use end_authorization::{LoseAuthorization, WithdrawAuthorization};
pub use prepare_authorization::{PrepareAuthorization, Prepared};
pub use remove::Remove;
pub use rename::Rename;
pub use set_secrets::{
    OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_ISSUER, SECRET_VALUE_BYTES_MAX, SecretsSet, SetSecrets,
};
pub use want_scopes::WantScopes;

pub(crate) use holder::user;

#[cfg(test)]
mod tests;
