//! What may be asked of organizations.

mod add_member;
mod change_role;
mod change_slug;
mod create_personal;
mod create_team;
mod delete;
mod remove_member;
mod rename;
mod resume;
mod set_role;
mod suspend;
mod update;

pub use add_member::AddMember;
pub use change_role::ChangeRole;
pub use change_slug::ChangeSlug;
pub use create_personal::{CreatePersonal, PersonalCreated};
pub use create_team::{CreateTeam, TeamCreated};
pub use delete::Delete;
pub use remove_member::RemoveMember;
pub use rename::Rename;
pub use resume::Resume;
pub use set_role::SetRole;
pub use suspend::Suspend;
pub use update::Update;

#[cfg(test)]
mod tests;
