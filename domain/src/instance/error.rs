//! Why an instance refuses.

use super::SELECTED_TOOLS_MAX;

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
    /// Merging needs rules for names that collide, which this version does not have.
    #[error("an instance has exactly one connection; merging several is not offered by this version")]
    OneConnection,
    /// A list that long is a list nobody reviewed.
    #[error("a tool selection names at most {SELECTED_TOOLS_MAX} tools; select all instead")]
    TooManyTools,
}
