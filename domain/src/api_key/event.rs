//! What happened to an API key.

use serde::{Deserialize, Serialize};

use crate::value::{DisplayName, InstanceId, KeyId, OrganizationId, Scopes, SecretDigest, Timestamp, UserId};
use crate::{ClaimChange, ClaimScope, Facts};

/// What the key is for; stands in its text, so that a test key in production is seen at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KeyEnvironment {
    /// Real work.
    Live,
    /// Trials.
    Test,
}

impl KeyEnvironment {
    /// Both environments.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// The name on the wire and in the key's text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

events! {
    /// Facts about an API key.
    pub enum ApiKeyEvent of "api_key" {
        /// It may be presented.
        Issued = "issued" v 1 {
            /// Whose key it is.
            organization: OrganizationId,
            /// Its public part.
            key_id: KeyId,
            /// The name shown in lists.
            name: DisplayName,
            /// In whose name it calls.
            principal: UserId,
            /// Who issued it. Only a key that its principal issued in person names the principal here, and speaks for them and not merely in
            /// their name.
            issued_by: UserId,
            /// The only instance it opens, if it is bound to one.
            instance: Option<InstanceId>,
            /// What it may do.
            scopes: Scopes,
            /// What is kept of its secret.
            digest: SecretDigest,
            /// When it stops by itself, if it does.
            expires_at: Option<Timestamp>,
            /// What it is for.
            environment: KeyEnvironment,
        },
        /// It has another name.
        Renamed = "renamed" v 1 {
            /// The new name.
            name: DisplayName,
        },
        /// It is refused from now on, for ever.
        Revoked = "revoked" v 1 {
            /// Why.
            reason: DisplayName,
        },
    }
}

impl Facts for ApiKeyEvent {
    const AGGREGATE: &'static str = ApiKeyEvent::AGGREGATE;
    const TYPES: &'static [(&'static str, u32)] = ApiKeyEvent::TYPES;

    /// Never given back: a revoked key's public part must stay refused and must not name another key.
    fn claims(&self) -> Vec<ClaimChange> {
        match self {
            Self::Issued { key_id, .. } => {
                vec![ClaimChange::Take { scope: ClaimScope::KeyId, value: key_id.to_string() }]
            }
            Self::Renamed { .. } | Self::Revoked { .. } => vec![],
        }
    }
}
