//! What may be asked of OAuth clients: by whoever answers for them, by themselves, and by the server's schedule.

mod delete;
mod describe_itself;
mod disable;
mod enable;
mod end_unused;
mod fresh_secret;
mod itself;
mod leave;
mod proof;
mod register;
mod register_itself;
mod registrar;
mod replace_keys;
mod revoke_registration_token;
mod rotate_secret;
mod update;

pub use delete::Delete;
pub use describe_itself::DescribeItself;
pub use disable::Disable;
pub use enable::Enable;
pub use end_unused::EndUnused;
pub use leave::Leave;
pub use proof::Proof;
pub use register::{Register, Registered};
pub use register_itself::{ItselfRegistered, RegisterItself};
pub use replace_keys::ReplaceKeys;
pub use revoke_registration_token::RevokeRegistrationToken;
pub use rotate_secret::{RotateSecret, SecretRotated};
pub use update::Update;

#[cfg(test)]
mod own_tests;
#[cfg(test)]
mod tests;
