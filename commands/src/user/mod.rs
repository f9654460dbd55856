//! What may be asked of users.

mod change_email;
mod change_profile;
mod delete;
mod erase;
mod fallback;
mod identities;
mod person;
mod register;
mod resume;
mod set_password;
mod suspend;
mod visit;

pub use change_email::ChangeEmail;
pub use change_profile::ChangeProfile;
pub use delete::Delete;
pub use erase::Erase;
pub use fallback::{BeginFallback, EndFallback};
pub use identities::{LinkIdentity, UnlinkIdentities};
pub use register::{Register, Registered};
pub use resume::Resume;
pub use set_password::SetPassword;
pub use suspend::Suspend;
pub use visit::{Visit, Visited};

#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod tests;
