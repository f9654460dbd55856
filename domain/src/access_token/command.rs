//! What may be asked of an access token.

use crate::value::{ClientId, GrantId, InstanceId, OrganizationId, Timestamp};

/// A request about an access token.
#[derive(Debug, Clone)]
pub enum AccessTokenCommand {
    /// Refuse it from now on, and leave what it hangs on (RFC 7009, 2.1).
    Revoke {
        /// To which client it was issued.
        client: ClientId,
        /// The grant that it hangs on; none for one that the client got in its own name.
        grant: Option<GrantId>,
        /// Whose instance it is for.
        organization: Option<OrganizationId>,
        /// Its audience.
        instance: InstanceId,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// Now.
        at: Timestamp,
    },
}
