//! Credentials for upstreams: read from the vault once for each version, then from bounded memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::value::ConnectionId;
use http::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::ports::{OpenSecrets, Secrets};
use super::refusal::Refusal;
use super::route::Destination;

/// Connections whose secrets are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// By connection and version.
type Remembered = HashMap<(ConnectionId, u32), Arc<Secrets>>;

/// The vault and a memory of what it said.
#[derive(Clone)]
pub struct UpstreamCredentials {
    vault: Arc<dyn OpenSecrets>,
    remembered: Arc<Mutex<Remembered>>,
}

impl std::fmt::Debug for UpstreamCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamCredentials").finish_non_exhaustive()
    }
}

impl UpstreamCredentials {
    /// Credentials out of this vault.
    pub fn new(vault: Arc<dyn OpenSecrets>) -> Self {
        Self { vault, remembered: Arc::default() }
    }

    /// Adds the upstream's own credentials to the headers of a request. A required one that was never set is a refusal, not a call without it.
    pub(super) async fn add(
        &self,
        destination: &Destination,
        headers: &mut HeaderMap,
    ) -> Result<(), Refusal> {
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
