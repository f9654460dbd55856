//! The way to an authorization server: whose tokens are wanted, as whom, for what, and what must come back.

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use commands::connection::{Authorize, Prepared};
use commands::{Entropy as _, Ports};
use domain::connection::Authorized;
use domain::server::{Transport, UpstreamGrant};
use domain::value::{AuthorizationId, ConnectionId, OrganizationId, ProviderScope, UserId};
use mcp::upstream::Reach;
use url::Url;

use super::client::{self, Nobody, OauthClient, Proof, Registrations};
use super::discover::{Discovery, Found, Target};
use super::document;
use super::kept::Kept;
use super::metadata::scopes_of;
use super::tokens::{Counter, Tokens};
use super::visits::{Errand, Visit};
use super::{Traveller, Trouble, UpstreamOauth};
use crate::gateway::Secrets;

/// A connection that is to be authorized.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) organization: OrganizationId,
    pub(super) connection: ConnectionId,
}

/// What is known of a place before anybody is asked.
struct Known {
    url: Url,
    reach: Reach,
    secrets: Option<Secrets>,
}

impl<P: Ports + 'static> UpstreamOauth<P> {
    /// Where the browser of somebody who wants to authorize a connection is led.
    pub(crate) async fn begin(
        &self,
        traveller: Traveller<'_>,
        (organization, connection): (OrganizationId, ConnectionId),
        prepared: &Prepared,
    ) -> Result<String, Trouble> {
        let known = self.looked_up(connection, prepared).await?;
        let found = self.found(&known, prepared, UpstreamGrant::AuthorizationCode).await?;
        let place = Place { organization, connection };
        let client = self.client(place, &known, &found).await?;
        let scope = text_of(&scopes(&found, prepared));
        let verifier = URL_SAFE_NO_PAD.encode(self.0.parts.ports.entropy().secret());
        let endpoint = found.server.authorization.clone().ok_or(Trouble::Gone)?;
        let errand = Errand {
            verifier: verifier.clone(),
            issuer: found.server.issuer.clone(),
            names_itself: found.server.names_itself,
            endpoint: found.server.token.clone(),
            beside_the_server: found.reach == known.reach,
            client,
            resource: found.resource,
            scope,
            meant_for: prepared.transport.clone(),
        };
        let visit = Visit { organization, connection, errand };
        let state = self.visits().keep(self.0.parts.ports.entropy(), traveller, &visit).await?;
        Ok(address(endpoint, &visit.errand, &self.callback(), &state))
    }

    /// Tokens for the connection's own client, in its own name (MCP extension `io.modelcontextprotocol/oauth-client-credentials`).
    pub(crate) async fn in_own_name(
        &self,
        (organization, connection): (OrganizationId, ConnectionId),
        prepared: &Prepared,
    ) -> Result<Authorize, Trouble> {
        let known = self.looked_up(connection, prepared).await?;
        let found = self.found(&known, prepared, UpstreamGrant::ClientCredentials).await?;
        let client = client::own(known.secrets.as_ref(), &found.server)?;
        let client = client.filter(|client| client.proof != Proof::None).ok_or(Nobody::NotKnown)?;
        let scope = text_of(&scopes(&found, prepared));
        let counter = Counter { endpoint: &found.server.token, reach: found.reach, client: &client };
        let mut form = vec![("grant_type", "client_credentials"), ("resource", found.resource.as_str())];
        if !scope.is_empty() {
            form.push(("scope", scope.as_str()));
        }
        let tokens = counter.ask(&*self.0.parts.calls, &form).await?;
        let kept = Kept {
            access_token: tokens.access_token.clone(),
            refresh_token: None, // whoever proves itself each time needs none (RFC 6749, 4.4.3)
            life_seconds: tokens.expires_in,
            grant: UpstreamGrant::ClientCredentials,
            organization,
            issuer: found.server.issuer.clone(),
            endpoint: found.server.token.clone(),
            beside_the_server: found.reach == known.reach,
            resource: found.resource.clone(),
            scope,
            client: client.clone(),
        };
        self.keep(Place { organization, connection }, kept, &tokens, (None, &prepared.transport)).await
    }

    /// Keeps what was given out, and says what is to be put in force.
    pub(super) async fn keep(
        &self,
        Place { organization, connection }: Place,
        kept: Kept,
        tokens: &Tokens,
        (by, meant_for): (Option<UserId>, &Transport),
    ) -> Result<Authorize, Trouble> {
        let authorization = AuthorizationId::new(self.0.parts.ports.entropy().id());
        self.rows().keep(authorization, connection, &kept).await?;
        let now = commands::Ports::clock(&*self.0.parts.ports);
        let life = tokens.expires_in.and_then(|seconds| i64::try_from(seconds).ok());
        let granted = tokens.scope.as_deref().unwrap_or(&kept.scope);
        let authorized = Authorized {
            authorization,
            grant: kept.grant,
            by,
            issuer: kept.issuer.clone(),
            scopes: scopes_of(granted.split(' ')),
            renewable: kept.is_renewable(),
            expires_at: life.map(|seconds| domain::value::Clock::now(now).plus_seconds(seconds)),
        };
        Ok(Authorize { organization, connection, authorized, meant_for: meant_for.clone() })
    }

    async fn looked_up(&self, connection: ConnectionId, prepared: &Prepared) -> Result<Known, Trouble> {
        let Transport::Http { url } = &prepared.transport;
        let url = Url::parse(url.as_str()).map_err(|_| Trouble::Gone)?;
        let (reach, version) = {
            let view = self.0.parts.view.load();
            let (held, server) = view.upstream(connection).ok_or(Trouble::Gone)?;
            let reach = if server.organization.is_some() { Reach::OpenNetworks } else { Reach::Anywhere };
            (reach, held.secrets_for(server))
        };
        let secrets = match version {
            Some(version) => {
                let opened = self.0.parts.secrets.open(connection, version).await;
                opened.map_err(|error| Trouble::behind_us(&error))?
            }
            None => None,
        };
        Ok(Known { url, reach, secrets })
    }

    async fn found(
        &self,
        known: &Known,
        prepared: &Prepared,
        grant: UpstreamGrant,
    ) -> Result<Found, Trouble> {
        let (url, reach, pinned) = (&known.url, known.reach, prepared.oauth.issuer.as_ref());
        let target = Target { url, reach, grant, pinned };
        Ok(Discovery { calls: &*self.0.parts.calls, target }.run().await?)
    }

    async fn client(&self, place: Place, known: &Known, found: &Found) -> Result<OauthClient, Trouble> {
        if let Some(own) = client::own(known.secrets.as_ref(), &found.server)? {
            return Ok(own);
        }
        let document = document::client_id(&self.0.parts.url).filter(|_| found.server.takes_documents);
        if let Some(id) = document {
            return Ok(OauthClient { id, secret: None, proof: Proof::None });
        }
        let registrations = Registrations {
            pool: &self.0.parts.pool,
            seal: &*self.0.parts.seal,
            calls: &*self.0.parts.calls,
            organization: place.organization,
            redirect_uri: &self.callback(),
        };
        Ok(registrations.client(&found.server, found.registration_reach).await?)
    }
}

/// What is asked for: what the server says, what was allowed there before and was too little (MCP 2026-07-28, step-up), and that it lasts.
fn scopes(found: &Found, prepared: &Prepared) -> BTreeSet<ProviderScope> {
    let mut scopes = found.scopes.clone();
    if let Some((issuer, before)) = &prepared.before
        && *issuer == found.server.issuer
    {
        scopes.extend(before.iter().cloned());
    }
    match prepared.oauth.grant {
        UpstreamGrant::AuthorizationCode => scopes.extend(found.server.lasting()),
        UpstreamGrant::ClientCredentials => {}
    }
    scopes
}

fn text_of(scopes: &BTreeSet<ProviderScope>) -> String {
    scopes.iter().map(ProviderScope::as_str).collect::<Vec<_>>().join(" ")
}

/// RFC 6749, 4.1.1; RFC 7636, 4.3; RFC 8707, 2.1.
fn address(mut endpoint: Url, errand: &Errand, callback: &str, state: &str) -> String {
    let challenge = digest::digest(&digest::SHA256, errand.verifier.as_bytes());
    {
        let mut query = endpoint.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &errand.client.id)
            .append_pair("redirect_uri", callback)
            .append_pair("state", state)
            .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(challenge))
            .append_pair("code_challenge_method", "S256")
            .append_pair("resource", &errand.resource);
        if !errand.scope.is_empty() {
            query.append_pair("scope", &errand.scope);
        }
        if errand.scope.split(' ').any(|scope| scope == "offline_access") {
            query.append_pair("prompt", "consent"); // OpenID Connect Core, 11
        }
    }
    endpoint.into()
}
