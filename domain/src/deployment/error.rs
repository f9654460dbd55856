//! Why the deployment refuses.

use super::{ALLOWED_RANGES_MAX, ANNOUNCEMENTS_MAX, LINKS_MAX};

/// A refusal. The text is for the caller and says what to do where something can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeploymentError {
    /// Nobody administers it yet.
    #[error("this deployment has no administrator yet; bootstrap it first")]
    Unknown,
    /// There is one first administrator.
    #[error("this deployment was bootstrapped already; an administrator can add others")]
    Exists,
    /// Somebody must stay responsible.
    #[error("the last administrator cannot be removed; add another one first")]
    LastAdministrator,
    /// It would be over before it starts.
    #[error("the end lies in the future; leave it out when it is not known")]
    EndNotInFuture,
    /// More than a firewall rule.
    #[error("at most {ALLOWED_RANGES_MAX} addresses and blocks pass during maintenance")]
    TooManyRanges,
    /// Nothing was published under this id.
    #[error("there is no such announcement")]
    UnknownAnnouncement,
    /// What was published stays as it is.
    #[error("this announcement was published with another text; withdraw it and publish a new one")]
    AnnouncementExists,
    /// What was withdrawn stays withdrawn.
    #[error("this announcement was withdrawn; publish a new one")]
    AnnouncementWithdrawn,
    /// More than people read.
    #[error("at most {ANNOUNCEMENTS_MAX} announcements stand at a time; withdraw one first")]
    TooManyAnnouncements,
    /// More than a page shows.
    #[error("at most {LINKS_MAX} links")]
    TooManyLinks,
}
