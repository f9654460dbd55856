//! What may be asked of API keys.

mod issue;
mod rename;
mod revoke;

pub use issue::{Issue, Issued};
pub use rename::Rename;
pub use revoke::Revoke;

#[cfg(test)]
mod tests;
