//! The claims of an access token (RFC 9068, 2.2), on the wire and read.
//!
//! What is read is narrower than what a JWT may be: one audience, whole numbers, no claim twice. We sign no others, so any other is none of ours.

use domain::grant::ACCESS_TOKEN_SECONDS;
use domain::value::{ClientId, ClientUrl, GrantId, Scope, Scopes, Timestamp, TokenId, UserId};
use projections::access::{TokenClaims, TokenHolder};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{PublicUrl, id_of};

/// How far ahead the clock of the node that signed may be. It is given to the beginning of a token alone: its end is its end.
pub const CLOCK_LEEWAY_SECONDS: i64 = 30;

/// Before the subject of a client that acts for itself, so that no client is taken for a user (RFC 9068, 5).
const CLIENT_PREFIX: &str = "client:";

/// The claims as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who signed it.
    pub iss: String,
    /// In whose name it acts.
    pub sub: String,
    /// The one resource that it is for.
    pub aud: String,
    /// The client that it was given to, as it calls itself: its id, or the address of its document.
    pub client_id: String,
    /// When it was signed, in seconds of Unix time.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
    /// Before when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<u64>,
    /// Its own name.
    pub jti: TokenId,
    /// What it may do, separated by spaces.
    pub scope: String,
    /// The grant that it rests on; absent when a client acts for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<GrantId>,
}

/// An access token that was read, or that is to be signed.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessToken {
    /// What decisions read of it.
    pub says: TokenClaims,
    /// Where the document of its client is, where the client is known by that.
    pub document: Option<ClientUrl>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Before when it is none.
    pub not_before: Option<Timestamp>,
}

/// Why a token is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// It is not written as one of ours.
    #[error("this is no access token of this deployment")]
    Malformed,
    /// No such key, or one that is retired.
    #[error("the key that signed this token is not in use here")]
    KeyUnknown,
    /// Somebody else signed it, or it was changed.
    #[error("the signature of this token does not hold")]
    Signature,
    /// It is for another issuer's resource, or names another issuer.
    #[error("this token was not issued here, or not for this place")]
    Foreign,
    /// Its time is over.
    #[error("this token has expired")]
    Expired,
    /// Its time has not come.
    #[error("this token is from the future")]
    NotYet,
}

impl TokenFault {
    /// The stable reason.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::KeyUnknown => "token-key-unknown",
            Self::Signature => "token-signature",
            Self::Foreign => "token-foreign",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet",
        }
    }
}

impl AccessToken {
    /// The claims that say this, at the issuer with this URL.
    pub fn claims(&self, url: &PublicUrl) -> AccessClaims {
        let TokenClaims { token, client, holder, instance, scopes, expires_at } = &self.says;
        let (sub, gid) = match holder {
            TokenHolder::User { user, grant } => (user.to_string(), Some(*grant)),
            TokenHolder::Client => (format!("{CLIENT_PREFIX}{client}"), None),
        };
        AccessClaims {
            iss: url.issuer().to_owned(),
            sub,
            aud: url.resource(*instance),
            client_id: self.document.as_ref().map_or_else(|| client.to_string(), ToString::to_string),
            iat: seconds(self.issued_at),
            exp: seconds(*expires_at),
            nbf: self.not_before.map(seconds),
            jti: *token,
            scope: scope_text(scopes),
            gid,
        }
    }

    /// Reads claims whose signature holds.
    pub fn read(claims: &AccessClaims, url: &PublicUrl) -> Result<Self, TokenFault> {
        if claims.iss != url.issuer() {
            return Err(TokenFault::Foreign);
        }
        let instance = url.instance_with(&claims.aud).ok_or(TokenFault::Foreign)?;
        let document = ClientUrl::parse(&claims.client_id).ok();
        let client = match &document {
            Some(url) => id_of(url),
            None => ClientId::parse(&claims.client_id).map_err(|_| TokenFault::Malformed)?,
        };
        let holder = match (claims.sub.strip_prefix(CLIENT_PREFIX), claims.gid) {
            (Some(client), None) if client == claims.client_id => TokenHolder::Client,
            (None, Some(grant)) => {
                let user = UserId::parse(&claims.sub).map_err(|_| TokenFault::Malformed)?;
                TokenHolder::User { user, grant }
            }
            (Some(_), _) | (None, None) => return Err(TokenFault::Malformed),
        };
        let (issued_at, expires_at) = (moment(claims.iat)?, moment(claims.exp)?);
        if expires_at <= issued_at || expires_at > issued_at.plus_seconds(ACCESS_TOKEN_SECONDS) {
            return Err(TokenFault::Malformed); // we sign none that lasts so long
        }
        let scopes: Result<Scopes, _> = claims.scope.split(' ').map(Scope::parse).collect();
        let says = TokenClaims {
            token: claims.jti,
            client,
            holder,
            instance,
            scopes: scopes.map_err(|_| TokenFault::Malformed)?,
            expires_at,
        };
        Ok(Self { says, document, issued_at, not_before: claims.nbf.map(moment).transpose()? })
    }

    /// Whether its time has come and is not over.
    pub fn must_be_current(&self, now: Timestamp) -> Result<(), TokenFault> {
        if self.says.expires_at <= now {
            return Err(TokenFault::Expired);
        }
        let begins = self.not_before.map_or(self.issued_at, |begin| begin.max(self.issued_at));
        if begins > now.plus_seconds(CLOCK_LEEWAY_SECONDS) {
            return Err(TokenFault::NotYet);
        }
        Ok(())
    }
}

/// Scopes as OAuth writes them (RFC 6749, 3.3).
pub(crate) fn scope_text(scopes: &Scopes) -> String {
    scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn seconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.get().unix_timestamp()).unwrap_or_default()
}

fn moment(seconds: u64) -> Result<Timestamp, TokenFault> {
    let seconds = i64::try_from(seconds).map_err(|_| TokenFault::Malformed)?;
    OffsetDateTime::from_unix_timestamp(seconds).map(Timestamp::new).map_err(|_| TokenFault::Malformed)
}
