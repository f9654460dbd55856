//! What happened to a grant.

use serde::{Deserialize, Serialize};

use crate::value::{ClientId, InstanceId, OrganizationId, Scopes, Timestamp, TokenId, UserId};
use crate::{ClaimChange, ClaimScope, Facts};

/// Why a grant ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantEnd {
    /// Its user wanted it so.
    ByUser,
    /// An owner or admin of the instance's organization wanted it so.
    ByAdministrator,
    /// Its client gave it back (RFC 7009, 2.1: a refresh token takes the grant with it).
    ByClient,
    /// Its authorization code was presented a second time (RFC 9700, 4.5).
    CodeReused,
    /// A spent refresh token was presented (RFC 9700, 4.14.2).
    RefreshReused,
    /// Its user changed their password, after which whoever knew the old one is out.
    PasswordChanged,
    /// Another grant takes its place.
    Replaced,
    /// Its time was over.
    Expired,
}

impl GrantEnd {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ByUser,
        Self::ByAdministrator,
        Self::ByClient,
        Self::CodeReused,
        Self::RefreshReused,
        Self::PasswordChanged,
        Self::Replaced,
        Self::Expired,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByUser => "by_user",
            Self::ByAdministrator => "by_administrator",
            Self::ByClient => "by_client",
            Self::CodeReused => "code_reused",
            Self::RefreshReused => "refresh_reused",
            Self::PasswordChanged => "password_changed",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
        }
    }
}

events! {
    /// Facts about a grant.
    pub enum GrantEvent of "grant" {
        /// The client may act in the user's name at the instance.
        Granted = "granted" v 1 {
            /// Whose instance it is.
            organization: OrganizationId,
            /// Who consented.
            user: UserId,
            /// To what acting in their name.
            client: ClientId,
            /// Where.
            instance: InstanceId,
            /// The most that its tokens may do.
            scopes: Scopes,
            /// When it ends by itself, if it does.
            expires_at: Option<Timestamp>,
        },
        /// A later consent, wider or narrower.
        ScopesChanged = "scopes_changed" v 1 {
            /// The most that its tokens may do.
            scopes: Scopes,
        },
        /// It is over, with every token that hangs on it.
        Revoked = "revoked" v 1 {
            /// Why.
            reason: GrantEnd,
        },
        /// One access token is refused from now on; the grant stays.
        // Since access tokens tell that themselves (`access_token.revoked`), nothing writes it.
        TokenRevoked = "token_revoked" v 1 {
            /// Which.
            token: TokenId,
            /// When it would have ended by itself; after that nobody needs to remember it.
            expires_at: Timestamp,
        },
    }
}

/// The place that a live grant holds.
pub fn place(user: UserId, client: ClientId, instance: InstanceId) -> String {
    format!("{user}/{client}/{instance}")
}

impl Facts for GrantEvent {
    const AGGREGATE: &'static str = GrantEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = GrantEvent::TYPES;

    fn claims(&self) -> Vec<ClaimChange> {
        let scope = ClaimScope::Grant;
        match self {
            Self::Granted { user, client, instance, .. } => {
                vec![ClaimChange::Take { scope, value: place(*user, *client, *instance) }]
            }
            Self::Revoked { .. } => vec![ClaimChange::Release { scope }],
            Self::ScopesChanged { .. } | Self::TokenRevoked { .. } => vec![],
        }
    }
}
