//! What happened to a connection.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Facts;
use crate::server::UpstreamGrant;
use crate::value::{
    AuthorizationId, AuthorizationServer, DisplayName, FieldName, OrganizationId, ProviderScope, ServerId,
    Timestamp, UserId,
};

/// Whose credentials they are, inside the organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionOwner {
    /// Shared by the organization.
    Organization,
    /// One member's own.
    User(UserId),
}

/// What an authorization server gave out for a connection. The tokens lie sealed beside the log, under the authorization's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized {
    /// Under which id.
    pub authorization: AuthorizationId,
    /// How it was come by.
    pub grant: UpstreamGrant,
    /// Who allowed it; none where the client that the connection names acts in its own name.
    pub by: Option<UserId>,
    /// Who gave it out.
    pub issuer: AuthorizationServer,
    /// What it may be used for, as far as was told.
    pub scopes: BTreeSet<ProviderScope>,
    /// Whether it can be renewed without anybody.
    pub renewable: bool,
    /// When its first token ends, if that was told.
    pub expires_at: Option<Timestamp>,
}

/// Why an authorization is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationEnd {
    /// The authorization server renews it no more.
    RenewalRefused,
    /// Its time was over, and nothing came with it to renew it by.
    Expired,
    /// The upstream takes it no more, and nothing came with it to renew it by.
    TokenRefused,
}

impl AuthorizationEnd {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RenewalRefused, Self::Expired, Self::TokenRefused];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RenewalRefused => "renewal_refused",
            Self::Expired => "expired",
            Self::TokenRefused => "token_refused",
        }
    }
}

events! {
    /// Facts about a connection. Secret values are in the vault; here are only the names of their fields.
    pub enum ConnectionEvent of "connection" {
        /// It came into being, without secrets.
        Created = "created" v 1 {
            /// Where it belongs.
            organization: OrganizationId,
            /// Whose credentials it holds.
            owner: ConnectionOwner,
            /// The server it connects to.
            server: ServerId,
            /// The name shown in lists.
            name: DisplayName,
        },
        /// It has another name.
        Renamed = "renamed" v 1 {
            /// The new name.
            name: DisplayName,
        },
        /// The vault holds a new set of secrets, which replaces the one before.
        SecretsSet = "secrets_set" v 1 {
            /// Which set in the vault; higher than the one before.
            version: u32,
            /// The fields that have a value in it.
            fields: BTreeSet<FieldName>,
        },
        /// An authorization server gave out tokens for it; they replace those of before. The vault holds them.
        Authorized = "authorized" v 1 {
            /// Under which id they are kept.
            authorization: AuthorizationId,
            /// How they were come by.
            grant: UpstreamGrant,
            /// Who allowed it; none where a client acts in its own name.
            by: Option<UserId>,
            /// Who gave them out.
            issuer: AuthorizationServer,
            /// What they may be used for, as far as was told.
            scopes: BTreeSet<ProviderScope>,
            /// Whether they can be renewed without anybody.
            renewable: bool,
            /// When the first of them ends, if that was told.
            expires_at: Option<Timestamp>,
        },
        /// The upstream wants more than was allowed; the next authorization asks for it, too.
        ScopesWanted = "scopes_wanted" v 1 {
            /// Of which authorization the scopes were too few.
            authorization: AuthorizationId,
            /// What is wanted, together with what was allowed and wanted before.
            scopes: BTreeSet<ProviderScope>,
        },
        /// It must be authorized again.
        AuthorizationLost = "authorization_lost" v 1 {
            /// Which authorization is of no use any more.
            authorization: AuthorizationId,
            /// Why.
            reason: AuthorizationEnd,
        },
        /// Somebody took the authorization back.
        AuthorizationWithdrawn = "authorization_withdrawn" v 1 {
            /// Which one.
            authorization: AuthorizationId,
        },
        /// It is gone, and its secrets with it.
        Removed = "removed" v 1 {},
    }
}

impl Facts for ConnectionEvent {
    const AGGREGATE: &'static str = ConnectionEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ConnectionEvent::TYPES;
}
