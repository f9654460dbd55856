//! What may be asked of grants: the standing authorizations on which access and refresh tokens hang.

mod end;
mod issue;
mod revoke;
mod revoke_token;

pub use end::End;
pub use issue::{Issue, Issued};
pub use revoke::{Revoke, TakeBack};
pub use revoke_token::RevokeToken;

#[cfg(test)]
mod tests;
