//! What may be asked of instances.

mod change_authentication;
mod change_connections;
mod change_recording;
mod change_tools;
mod change_when_stale;
mod create;
mod delete;
mod keeper;
mod name_members;
mod rename;
mod start;
mod stop;

pub use change_authentication::ChangeAuthentication;
pub use change_connections::ChangeConnections;
pub use change_recording::ChangeRecording;
pub use change_tools::ChangeTools;
pub use change_when_stale::ChangeWhenStale;
pub use create::{Create, Created};
pub use delete::Delete;
pub use name_members::NameMembers;
pub use rename::Rename;
pub use start::Start;
pub use stop::Stop;

#[cfg(test)]
mod tests;
