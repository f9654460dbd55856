//! What a call is made with, as far as a log knows it: an API key, or what access tokens come from. Of a token itself nothing is kept.
//!
//! So who looks back at a grant or at a client asks about the token that it would have got at that moment, for all that it may.

use std::fmt;

use domain::client::GrantType;
use domain::grant::ACCESS_TOKEN_SECONDS;
use domain::policy::{Denial, Wish};
use domain::value::{ApiKeyId, ClientId, GrantId, InstanceId, Scopes, Timestamp, TokenId};
use uuid::Uuid;

use super::{AccessView, Shown, TokenClaims, TokenHolder, Unfit, Wanted};

/// What a call is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Credential {
    /// An API key.
    Key(ApiKeyId),
    /// Access tokens of a client in the name of the user who consented.
    Grant(GrantId),
    /// Access tokens of a client in its own name.
    Client(ClientId),
}

impl Credential {
    /// The type of its aggregate.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Key(_) => "api_key",
            Self::Grant(_) => "grant",
            Self::Client(_) => "client",
        }
    }

    /// Its id, which call records name.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Key(id) => id.uuid(),
            Self::Grant(id) => id.uuid(),
            Self::Client(id) => id.uuid(),
        }
    }

    /// One of a kind; `None` when there is no such kind.
    pub fn of_kind(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "api_key" => Some(Self::Key(ApiKeyId::new(id))),
            "grant" => Some(Self::Grant(GrantId::new(id))),
            "client" => Some(Self::Client(ClientId::new(id))),
            _ => None,
        }
    }
}

/// As events and call records name it: `api_key:<id>`.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.uuid())
    }
}

/// Why a call with a credential is not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmade {
    /// The view knows no such grant.
    GrantUnknown,
    /// The view knows no such client.
    ClientUnknown,
    /// The client gets no tokens in its own name.
    NoTokenOfItsOwn,
    /// What is shown is not let through.
    Unfit(Unfit),
}

impl From<Denial> for Unmade {
    fn from(denial: Denial) -> Self {
        Self::Unfit(Unfit::Denied(denial))
    }
}

impl AccessView {
    /// Decides about a call with the best that a credential has to show at this moment, from an address that passes no maintenance.
    pub fn judge_with(
        &self,
        credential: Credential,
        instance: InstanceId,
        wish: Wish<'_>,
        now: Timestamp,
    ) -> Result<(), Unmade> {
        let says = match credential {
            Credential::Key(_) => None,
            Credential::Grant(grant) => Some(self.token_of_grant(grant, instance, now)?),
            Credential::Client(client) => Some(self.own_token_of(client, instance, now)?),
        };
        let shown = match (&says, credential) {
            (Some(says), _) => Shown::Token { says, kid: None },
            (None, credential) => Shown::Key(ApiKeyId::new(credential.uuid())),
        };
        let wanted = Wanted { shown, instance: Some(instance), wish, passes_maintenance: false };
        self.judge(&wanted, now).map_err(Unmade::Unfit)
    }

    fn token_of_grant(
        &self,
        id: GrantId,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<TokenClaims, Unmade> {
        let grant = self.grant(id).ok_or(Unmade::GrantUnknown)?;
        if grant.instance != instance {
            return Err(Denial::BoundToOtherInstance.into());
        }
        let holder = TokenHolder::User { user: grant.user, grant: id };
        self.token(grant.client, holder, instance, &grant.scopes, now)
    }

    fn own_token_of(
        &self,
        id: ClientId,
        instance: InstanceId,
        now: Timestamp,
    ) -> Result<TokenClaims, Unmade> {
        let client = self.client(id).ok_or(Unmade::ClientUnknown)?;
        if !client.grant_types().contains(&GrantType::ClientCredentials) {
            return Err(Unmade::NoTokenOfItsOwn);
        }
        self.token(id, TokenHolder::Client, instance, &client.scopes, now)
    }

    fn token(
        &self,
        client: ClientId,
        holder: TokenHolder,
        instance: InstanceId,
        scopes: &Scopes,
        now: Timestamp,
    ) -> Result<TokenClaims, Unmade> {
        if self.instance(instance).is_none() {
            return Err(Denial::InstanceUnknown.into());
        }
        let expires_at = now.plus_seconds(ACCESS_TOKEN_SECONDS);
        let token = TokenId::new(Uuid::nil()); // none was revoked that was never made
        Ok(TokenClaims { token, client, holder, instance, scopes: scopes.clone(), expires_at })
    }
}
