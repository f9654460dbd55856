//! What may be asked of organizations.

mod create_team;

pub use create_team::{CreateTeam, TeamCreated};
