//! Tokens as calls need them.

use std::collections::BTreeSet;
use std::time::Duration;

use commands::Ports;
use commands::connection::WantScopes;
use domain::connection::AuthorizationEnd;
use domain::value::{AuthorizationId, ConnectionId, ProviderScope};
use http::HeaderValue;

use super::UpstreamOauth;
use super::kept::Held;
use super::ports::Boxed;
use super::renew::unreadable;
use crate::gateway::{NoUpstreamToken, UpstreamTokens};

/// Whoever refuses a token that is younger refuses what this deployment is, not its token: another one is not asked for.
const FRESH: Duration = Duration::from_secs(10);

impl<P: Ports + 'static> UpstreamTokens for UpstreamOauth<P> {
    fn held(&self, connection: ConnectionId, authorization: AuthorizationId) -> Option<HeaderValue> {
        let held = self.remembered(authorization).filter(|held| !held.is_over())?;
        if held.is_due() {
            self.renew_ahead(connection, authorization, held.rotation);
        }
        Some(held.header)
    }

    fn token(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
    ) -> Boxed<'_, Result<HeaderValue, NoUpstreamToken>> {
        Box::pin(async move {
            let held = self.known(authorization).await?;
            if !held.is_over() {
                return Ok(held.header);
            }
            if !held.renewable {
                self.lose(connection, authorization, AuthorizationEnd::Expired).await;
                return Err(NoUpstreamToken::Needed);
            }
            Ok(self.renewed(connection, authorization, held.rotation).await?.header)
        })
    }

    fn refused<'a>(
        &'a self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        presented: &'a HeaderValue,
    ) -> Boxed<'a, Result<HeaderValue, NoUpstreamToken>> {
        Box::pin(async move {
            let held = self.known(authorization).await?;
            if held.header != *presented && !held.is_over() {
                return Ok(held.header); // it was renewed since the call began
            }
            if !held.renewable {
                self.lose(connection, authorization, AuthorizationEnd::TokenRefused).await;
                return Err(NoUpstreamToken::Needed);
            }
            if held.is_younger_than(FRESH) {
                return Err(NoUpstreamToken::Needed);
            }
            Ok(self.renewed(connection, authorization, held.rotation).await?.header)
        })
    }

    fn wanted(
        &self,
        connection: ConnectionId,
        authorization: AuthorizationId,
        scopes: BTreeSet<ProviderScope>,
    ) -> Boxed<'_, ()> {
        Box::pin(async move { self.tell(&WantScopes { connection, authorization, scopes }).await })
    }
}

impl<P: Ports + 'static> UpstreamOauth<P> {
    async fn known(&self, id: AuthorizationId) -> Result<Held, NoUpstreamToken> {
        if let Some(held) = self.remembered(id) {
            return Ok(held);
        }
        let held = self.rows().open(id).await.map_err(|error| unreadable(&error))?;
        let held = held.ok_or(NoUpstreamToken::Needed)?;
        self.remember(id, &held);
        Ok(held)
    }
}
