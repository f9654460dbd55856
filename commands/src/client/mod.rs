//! What may be asked of OAuth clients.

mod delete;
mod disable;
mod enable;
mod fresh_secret;
mod register;
mod registrar;
mod rotate_secret;
mod update;

pub use delete::Delete;
pub use disable::Disable;
pub use enable::Enable;
pub use register::{Confidentiality, Register, Registered};
pub use rotate_secret::{RotateSecret, SecretRotated};
pub use update::Update;

#[cfg(test)]
mod tests;
