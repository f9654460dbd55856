//! Who we are at an authorization server: the connection's own client, if it has one there; else the client that our document describes (CIMD); else
//! one that we registered (RFC 7591), once for each organization and issuer.

use domain::value::OrganizationId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;
use url::Url;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::metadata::Known;
use super::ports::CallAuthorization;
use crate::gateway::Secrets;
use crate::passwords::Seal;
use bytes::Bytes;
use commands::connection::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OAUTH_ISSUER};
use http::{Request, header};
use mcp::upstream::Reach;

/// The longest id, and the longest secret, that is kept.
const NAME_BYTES_MAX: usize = 2_048;
/// Registrations that are kept for one organization; the oldest goes for another one, and is made again when it is wanted.
const REGISTRATIONS_MAX: i64 = 64;

/// How a client proves itself at the token endpoint (RFC 6749, 2.3.1; RFC 7591, 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Proof {
    None,
    ClientSecretBasic,
    ClientSecretPost,
}

impl Proof {
    const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }

    /// The best that a server takes: a secret before none, and it in the header before the form.
    fn best(methods: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| methods.iter().any(|method| method == proof.as_str()))
    }

    /// What a client with a secret does, as far as the server has a say.
    fn with_secret(methods: &[String]) -> Self {
        match Self::best(methods) {
            Some(proof @ (Self::ClientSecretBasic | Self::ClientSecretPost)) => proof,
            Some(Self::None) | None => Self::ClientSecretBasic,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.as_str() == text)
    }
}

/// A client, as an authorization server knows it.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct OauthClient {
    pub(super) id: String,
    pub(super) secret: Option<String>,
    #[zeroize(skip)]
    pub(super) proof: Proof,
}

impl std::fmt::Debug for OauthClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OauthClient").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why we are nobody there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Nobody {
    /// Only clients that it knows are let in.
    #[error(
        "the authorization server takes only clients that it knows: set oauth_client_id and oauth_issuer on the connection"
    )]
    NotKnown,
    /// The client of the connection is known elsewhere.
    #[error(
        "the connection's client is known to {0}, and the server names another authorization server; set its secrets again"
    )]
    KnownElsewhere(String),
    /// We were not let in.
    #[error("the authorization server does not register this deployment: {0}")]
    NotRegistered(String),
    /// What we are known as cannot be read. Why is in the log.
    #[error("registrations cannot be read or kept right now")]
    Unreadable,
}

fn unreadable(why: &dyn std::fmt::Display) -> Nobody {
    tracing::error!(error = %why, "registrations at authorization servers cannot be read or kept");
    Nobody::Unreadable
}

/// The connection's own client, if it has one.
pub(super) fn own(secrets: Option<&Secrets>, server: &Known) -> Result<Option<OauthClient>, Nobody> {
    let value = |name: &str| secrets.and_then(|secrets| secrets.get(name)).map(|text| text.to_string());
    let (Some(id), Some(issuer)) = (value(OAUTH_CLIENT_ID), value(OAUTH_ISSUER)) else { return Ok(None) };
    if issuer != server.issuer.as_str() {
        return Err(Nobody::KnownElsewhere(issuer));
    }
    let secret = value(OAUTH_CLIENT_SECRET);
    let proof = if secret.is_some() { Proof::with_secret(&server.methods) } else { Proof::None };
    Ok(Some(OauthClient { id, secret, proof }))
}

/// What an authorization server answers to a registration (RFC 7591, 3.2.1).
#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    client_secret_expires_at: i64,
}

/// Registrations of one organization.
pub(super) struct Registrations<'a> {
    pub(super) pool: &'a PgPool,
    pub(super) seal: &'a dyn Seal,
    pub(super) calls: &'a dyn CallAuthorization,
    pub(super) organization: OrganizationId,
    pub(super) redirect_uri: &'a str,
}

impl Registrations<'_> {
    /// As whom the organization is known there, registered now if it is not.
    pub(super) async fn client(&self, server: &Known, reach: Reach) -> Result<OauthClient, Nobody> {
        let Some(endpoint) = &server.registration else { return Err(Nobody::NotKnown) };
        if let Some(known) = self.known(server).await? {
            return Ok(known);
        }
        let (client, expires_at) = self.register(server, endpoint, reach).await?;
        self.keep(server, &client, expires_at).await?;
        Ok(client)
    }

    async fn known(&self, server: &Known) -> Result<Option<OauthClient>, Nobody> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "select sealed from upstream_registrations where organization_id = $1 and issuer = $2 and redirect_uri = $3
             and (expires_at is null or expires_at > clock_timestamp())",
        )
        .bind(self.organization.uuid())
        .bind(server.issuer.as_str())
        .bind(self.redirect_uri)
        .fetch_optional(self.pool)
        .await
        .map_err(|error| unreadable(&error))?;
        let Some(sealed) = sealed else { return Ok(None) };
        // What does not open is registered anew: its key is gone.
        let plain = self.seal.open(&self.place(server), &sealed);
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    async fn register(
        &self,
        server: &Known,
        endpoint: &Url,
        reach: Reach,
    ) -> Result<(OauthClient, i64), Nobody> {
        let refused = |why: String| Nobody::NotRegistered(why);
        let proof = Proof::best(&server.methods)
            .ok_or_else(|| refused("it wants a proof that is not supported".to_owned()))?;
        // OpenID Connect Registration 1.0, 2: whoever is sent back over http is on the computer of its user.
        let kind = if self.redirect_uri.starts_with("https://") { "web" } else { "native" };
        let body = json!({
            "client_name": "Sekisho", "redirect_uris": [self.redirect_uri], "application_type": kind,
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": proof.as_str(),
        });
        let request = Request::post(endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Bytes::from(body.to_string()))
            .map_err(|error| refused(error.to_string()))?;
        let answer = self.calls.call(request, reach).await.map_err(|why| refused(why.0))?;
        if !answer.status().is_success() {
            return Err(refused(format!("it answers {}", answer.status().as_u16())));
        }
        let registered: Registered = serde_json::from_slice(answer.body())
            .map_err(|_| refused("its answer cannot be read".to_owned()))?;
        let method = registered.token_endpoint_auth_method.as_deref().map(Proof::parse);
        let proof = match (method, &registered.client_secret) {
            (Some(None), _) => return Err(refused("it wants a proof that is not supported".to_owned())),
            (Some(Some(Proof::ClientSecretBasic | Proof::ClientSecretPost)) | None, None) => Proof::None,
            (Some(Some(proof)), _) => proof,
            (None, Some(_)) => proof,
        };
        let Registered { client_id: id, client_secret: secret, client_secret_expires_at, .. } = registered;
        if id.len().max(secret.as_ref().map_or(0, String::len)) > NAME_BYTES_MAX {
            return Err(refused("what it calls this deployment is too long".to_owned()));
        }
        Ok((OauthClient { id, secret, proof }, client_secret_expires_at))
    }

    async fn keep(&self, server: &Known, client: &OauthClient, expires_at: i64) -> Result<(), Nobody> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(client).map_err(|error| unreadable(&error))?);
        let sealed = self.seal.seal(&self.place(server), &plain);
        let sealed = sealed.ok_or_else(|| unreadable(&"there is no key to seal with"))?;
        sqlx::query(
            "insert into upstream_registrations (organization_id, issuer, redirect_uri, sealed, expires_at)
             values ($1, $2, $3, $4, case when $5 > 0 then to_timestamp($5) end)
             on conflict (organization_id, issuer, redirect_uri)
             do update set sealed = excluded.sealed, expires_at = excluded.expires_at, created_at = clock_timestamp()",
        )
        .bind(self.organization.uuid())
        .bind(server.issuer.as_str())
        .bind(self.redirect_uri)
        .bind(sealed)
        .bind(expires_at)
        .execute(self.pool)
        .await
        .map_err(|error| unreadable(&error))?;
        sqlx::query(
            "delete from upstream_registrations where organization_id = $1 and (issuer, redirect_uri) in
             (select issuer, redirect_uri from upstream_registrations where organization_id = $1
              order by created_at desc offset $2)",
        )
        .bind(self.organization.uuid())
        .bind(REGISTRATIONS_MAX)
        .execute(self.pool)
        .await
        .map(|_| ())
        .map_err(|error| unreadable(&error))
    }

    fn place(&self, server: &Known) -> String {
        format!("registration/{}/{}/{}", self.organization, server.issuer, self.redirect_uri)
    }
}

/// The authorization server does not know the client any more: the next one is registered anew.
pub(super) async fn forget(
    pool: &PgPool,
    organization: OrganizationId,
    issuer: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from upstream_registrations where organization_id = $1 and issuer = $2")
        .bind(organization.uuid())
        .bind(issuer)
        .execute(pool)
        .await
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_proof_is_a_secret_in_the_header() {
        let best = |methods: &[&str]| {
            Proof::best(&methods.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(
            best(&["none", "client_secret_post", "client_secret_basic"]),
            Some(Proof::ClientSecretBasic)
        );
        assert_eq!(best(&["none", "client_secret_post"]), Some(Proof::ClientSecretPost));
        assert_eq!(best(&["private_key_jwt", "none"]), Some(Proof::None));
        assert_eq!(best(&["private_key_jwt"]), None);
    }

    #[test]
    fn no_secret_of_a_client_is_printed() {
        let client = OauthClient {
            id: "sekisho".to_owned(),
            secret: Some("hunter2".to_owned()),
            proof: Proof::ClientSecretPost,
        };
        assert!(!format!("{client:?}").contains("hunter2"));
    }
}
