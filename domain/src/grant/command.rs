//! What may be asked of a grant.

use super::GrantEnd;
use crate::value::{ClientId, InstanceId, OrganizationId, Scopes, Timestamp, UserId};

/// A request to a grant.
#[derive(Debug, Clone)]
pub enum GrantCommand {
    /// Bring it into being.
    Grant {
        /// Whose instance it is.
        organization: OrganizationId,
        /// Who consents.
        user: UserId,
        /// To what acting in their name.
        client: ClientId,
        /// Where.
        instance: InstanceId,
        /// The most that its tokens may do.
        scopes: Scopes,
        /// When it ends by itself, if it does.
        expires_at: Option<Timestamp>,
        /// Now.
        at: Timestamp,
    },
    /// Let its tokens do more or less: what they consented to last.
    ChangeScopes {
        /// The most that its tokens may do.
        scopes: Scopes,
    },
    /// End it for good, with every token that hangs on it.
    Revoke {
        /// Why.
        reason: GrantEnd,
    },
}
