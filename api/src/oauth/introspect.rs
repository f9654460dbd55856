//! What a token is good for right now (RFC 7662), told to those whom it concerns.
//!
//! A confidential client asks about its own tokens, and about access tokens for instances of its organization: it may be what stands behind one.
//! Whatever else is asked about, and whatever would not be let in at this moment, is not active, and no word more. Refresh tokens are told to
//! their own client alone, without a token type: nobody is to take one for an access token.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::Ports;
use domain::policy::token_authenticates;
use domain::value::{PresentedSecret, Timestamp, is_refresh_token};
use http::HeaderMap;
use projections::access::{Client, Grounds};
use serde::Serialize;
use utoipa::ToSchema;

use super::client_authentication::{PresentedClient, ProvesFor};
use super::error::{OauthError, no_store};
use super::form::Parameters;
use super::refresh::unavailable;
use super::table::OauthRoute;
use super::token::TokenType;
use super::{Oauth, standing, target};
use crate::limits::{Subscriber, Surface};
use crate::token::{RefreshState, scope_text};

pub(super) const PATH: &str = "/oauth/introspect";

/// What a client sends to learn about a token, as the document describes it: the endpoint reads `Parameters`.
#[derive(Debug, ToSchema)]
pub struct IntrospectForm {
    /// The token.
    pub token: String,
    /// What kind it is thought to be; changes nothing.
    pub token_type_hint: Option<String>,
    /// The client, unless the header says it.
    pub client_id: Option<String>,
    /// Its secret, where it is registered for that.
    pub client_secret: Option<String>,
    /// What it signed, where it is registered for that (RFC 7523, 2.2).
    pub client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub client_assertion_type: Option<String>,
}

/// What a token is good for (RFC 7662, 2.2). One that is not active says nothing else.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Introspected {
    /// Whether it would be let in now.
    pub active: bool,
    /// What it may do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// To whom it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// How it is presented; absent for a refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<TokenType>,
    /// When it ends, in seconds of Unix time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// In whose name it acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// For which resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Who gave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Its own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
}

/// The route.
pub(super) fn route<P: Ports + 'static>() -> OauthRoute<P> {
    let summary = "Learn what a token is good for (RFC 7662)";
    OauthRoute::form::<IntrospectForm, Introspected, _, _>(PATH, "introspectToken", summary, introspect)
        .limited(Surface::Token)
}

async fn introspect<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    asker: Subscriber,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthError> {
    let parameters = Parameters::of_body(&headers, body).await?;
    let presented = PresentedClient::read(&headers, &parameters)?;
    let token = parameters.required("token")?;
    let grounds = oauth.grounds()?;
    let client = oauth.prove(&presented, grounds.view(), asker, ProvesFor::Asking).await?;
    if client.authentication.is_none() {
        return Err(OauthError::invalid_client(presented.tried)); // a name alone proves nothing (RFC 7662, 2.1)
    }
    oauth.count(&client)?;
    let grounds = oauth.grounds()?; // checking the secret may have taken its time
    let now = oauth.clock.now();
    let told = if is_refresh_token(token) {
        refresh_token(&oauth, &grounds, &client, PresentedSecret::new(token.to_owned()), now).await?
    } else {
        access_token(&oauth, &grounds, &client, token, now)
    };
    let mut response = Json(told.unwrap_or_default()).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

fn access_token<P>(
    oauth: &Oauth<P>,
    grounds: &Grounds,
    client: &Client,
    text: &str,
    now: Timestamp,
) -> Option<Introspected> {
    let keys = |kid: &str| grounds.signing_key(kid).map(|key| (key.algorithm, Arc::clone(&key.public_jwk)));
    let (token, _) = oauth.checks.check(text, &keys).ok()?;
    let says = &token.says;
    let facts = grounds.token_facts(says)?;
    if says.client != client.id && client.organization != Some(facts.organization) {
        return None;
    }
    token.must_be_current(now).ok()?;
    token_authenticates(&facts, now).ok()?;
    target::of_organization(grounds, facts.organization, Some(says.instance)).ok()?;
    let scopes = standing::common(facts.scopes);
    let claims = token.claims(&oauth.url);
    scopes.open_mcp().then(|| Introspected {
        active: true,
        scope: Some(scope_text(&scopes)),
        client_id: Some(claims.client_id),
        token_type: Some(TokenType::Bearer),
        exp: Some(says.expires_at.get().unix_timestamp()),
        iat: Some(token.issued_at.get().unix_timestamp()),
        sub: Some(claims.sub),
        aud: Some(claims.aud),
        iss: Some(claims.iss),
        jti: Some(claims.jti.to_string()),
    })
}

async fn refresh_token<P: Ports>(
    oauth: &Oauth<P>,
    grounds: &Grounds,
    client: &Client,
    presented: PresentedSecret,
    now: Timestamp,
) -> Result<Option<Introspected>, OauthError> {
    let found = oauth.refresh.find(&presented).await.map_err(unavailable)?;
    let Some(found) = found.filter(|found| found.family.client == client.id) else { return Ok(None) };
    let Some(grant) = grounds.grant(found.family.grant) else { return Ok(None) };
    if found.state != RefreshState::Live || !standing::counts(grounds, grant, now) {
        return Ok(None);
    }
    let scopes = standing::common([&found.family.scopes, &grant.scopes, &client.scopes]);
    Ok(scopes.open_mcp().then(|| Introspected {
        active: true,
        scope: Some(scope_text(&scopes)),
        client_id: Some(client.oauth_id()),
        token_type: None,
        exp: Some(found.expires_at.get().unix_timestamp()),
        iat: Some(found.issued_at.get().unix_timestamp()),
        sub: Some(grant.user.to_string()),
        aud: Some(oauth.url.resource(found.family.instance)),
        iss: Some(oauth.url.issuer().to_owned()),
        jti: None,
    }))
}
