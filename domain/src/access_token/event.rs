//! What happened to an access token.

use crate::Facts;
use crate::value::{ClientId, GrantId, InstanceId, OrganizationId, Timestamp};

events! {
    /// Facts about an access token. Its issue is none: it would be the most frequent event of all, and each call by a token is recorded anyway.
    pub enum AccessTokenEvent of "access_token" {
        /// It is refused from now on; what it hangs on stays.
        Revoked = "revoked" v 1 {
            /// To which client it was issued.
            client: ClientId,
            /// The grant that it hangs on; none for one that the client got in its own name.
            grant: Option<GrantId>,
            /// Whose instance it is for; none where its client belongs to nobody.
            organization: Option<OrganizationId>,
            /// Its audience.
            instance: InstanceId,
            /// When it would have ended by itself; after that nobody needs to remember it.
            expires_at: Timestamp,
        },
    }
}

impl Facts for AccessTokenEvent {
    const AGGREGATE: &'static str = AccessTokenEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = AccessTokenEvent::TYPES;
}
