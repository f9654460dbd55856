//! Credentials for upstreams: fields, read from the vault once for each version and then from bounded memory; and tokens, where a server is
//! authorized by OAuth.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use domain::value::{AuthorizationId, ConnectionId, ProviderScope};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::ports::{NoUpstreamToken, OpenSecrets, Secrets, UpstreamTokens};
use super::refusal::Refusal;
use super::route::Destination;
use crate::token::PublicUrl;

/// Connections whose secrets are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// By connection and version.
type Remembered = HashMap<(ConnectionId, u32), Arc<Secrets>>;

/// The vault and a memory of what it said.
#[derive(Clone)]
pub struct UpstreamCredentials {
    vault: Arc<dyn OpenSecrets>,
    tokens: Arc<dyn UpstreamTokens>,
    url: PublicUrl,
    remembered: Arc<Mutex<Remembered>>,
}

impl std::fmt::Debug for UpstreamCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamCredentials").finish_non_exhaustive()
    }
}

impl UpstreamCredentials {
    /// Credentials out of this vault, and tokens; whoever lacks one is told of a page at this address.
    pub fn new(vault: Arc<dyn OpenSecrets>, tokens: Arc<dyn UpstreamTokens>, url: PublicUrl) -> Self {
        Self { vault, tokens, url, remembered: Arc::default() }
    }

    /// Adds the upstream's own credentials to the headers of a request. A required one that was never set is a refusal, not a call without it.
    pub(super) async fn add(
        &self,
        destination: &Destination,
        headers: &mut HeaderMap,
    ) -> Result<(), Refusal> {
        self.add_fields(destination, headers).await?;
        if destination.server.oauth.is_none() {
            return Ok(());
        }
        let authorization = destination.connection.authorization_for(&destination.server);
        let authorization = authorization.ok_or_else(|| self.needed(destination.connection_id))?;
        let connection = destination.connection_id;
        let token = if let Some(token) = self.tokens.held(connection, authorization) {
            token
        } else {
            let token = self.tokens.token(connection, authorization).await;
            token.map_err(|why| self.lacking(connection, why))?
        };
        headers.insert(AUTHORIZATION, token);
        Ok(())
    }

    /// Another token in the headers of a request, in place of the one that was refused.
    pub(super) async fn replace(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        headers: &mut HeaderMap,
    ) -> Result<(), Refusal> {
        let presented = headers.get(AUTHORIZATION).ok_or_else(|| self.needed(connection))?;
        let token = self.tokens.refused(connection, authorization, presented).await;
        headers.insert(AUTHORIZATION, token.map_err(|why| self.lacking(connection, why))?);
        Ok(())
    }

    /// Notes what the upstream wants beside what was allowed; the refusal that says where that is allowed.
    pub(super) async fn wanting(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        scopes: BTreeSet<ProviderScope>,
    ) -> Refusal {
        self.tokens.wanted(connection, authorization, scopes).await;
        self.needed(connection)
    }

    /// Somebody must authorize the connection: where.
    pub(super) fn needed(&self, connection: ConnectionId) -> Refusal {
        Refusal::authorization_needed(self.url.at(&format!("/connections/{connection}/authorize")))
    }

    fn lacking(&self, connection: ConnectionId, why: NoUpstreamToken) -> Refusal {
        match why {
            NoUpstreamToken::Needed => self.needed(connection),
            NoUpstreamToken::Unavailable => Refusal::authorization_unavailable(),
        }
    }

    async fn add_fields(&self, destination: &Destination, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let wanted = &destination.server.credential_fields;
        if wanted.is_empty() {
            return Ok(());
        }
        let secrets = match destination.connection.secrets_for(&destination.server) {
            Some(version) => self.secrets(destination.connection_id, version).await?,
            None => Arc::default(),
        };
        for field in wanted {
            let Some(value) = secrets.get(field.name.as_str()) else {
                if field.required {
                    return Err(Refusal::credential_missing());
                }
                continue;
            };
            let prefix = field.prefix.as_ref().map_or("", |prefix| prefix.as_str());
            let text = Zeroizing::new(format!("{prefix}{}", value.as_str()));
            let name = HeaderName::from_bytes(field.header.as_str().as_bytes())
                .map_err(|_| Refusal::credential_missing())?;
            let mut value = HeaderValue::from_str(&text).map_err(|_| Refusal::credential_missing())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(())
    }

    async fn secrets(&self, connection: ConnectionId, version: u32) -> Result<Arc<Secrets>, Refusal> {
        let key = (connection, version);
        if let Some(known) = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let opened = self.vault.open(connection, version).await.map_err(|error| {
            tracing::error!(error = %error, connection.id = %connection, "the vault does not open");
            Refusal::vault()
        })?;
        let secrets = Arc::new(opened.ok_or_else(Refusal::credential_missing)?);
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear(); // rare, and costs one look-up for each connection in use
        }
        remembered.retain(|(other, _), _| *other != connection);
        remembered.insert(key, Arc::clone(&secrets));
        Ok(secrets)
    }
}
