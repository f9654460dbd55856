//! Why an instance refuses.

use super::{CONNECTIONS_MAX, SELECTED_TOOLS_MAX};

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstanceError {
    /// Nothing was created under this id.
    #[error("there is no such instance")]
    Unknown,
    /// The id is taken.
    #[error("this instance exists already")]
    Exists,
    /// Gone for good.
    #[error("this instance was deleted")]
    Deleted,
    /// None, too many, or one twice.
    #[error("an instance has 1 to {CONNECTIONS_MAX} connections, each of them once")]
    Connections,
    /// A name that is in front of nothing.
    #[error("an instance with one connection exposes tools under their own names: its member has none")]
    OneMember,
    /// A name is missing, or for something else.
    #[error("name each connection of this instance, and no other")]
    NotTheMembers,
    /// Tools of both would have the same names.
    #[error("each member of an instance has a name of its own")]
    NamesCollide,
    /// A list that long is a list nobody reviewed.
    #[error("a tool selection names at most {SELECTED_TOOLS_MAX} tools; select all instead")]
    TooManyTools,
}
