//! What may be asked of API keys.

mod first;
mod issue;
mod rename;
mod revoke;

pub(crate) use first::issue_first;
pub use issue::{Issue, Issued};
pub use rename::Rename;
pub use revoke::Revoke;

#[cfg(test)]
mod tests;
