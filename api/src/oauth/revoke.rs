//! Clients give tokens back (RFC 7009): a refresh token with its family, its grant and all access tokens of that; an access token alone.
//!
//! What kind a token is, is read off the token; the hint only says where to look first, and there is one place for each (2.1). What is unknown, over
//! or revoked is revoked (2.2).
//!
//! Another client's token stays as it is, and is answered as one that never was: 200. RFC 7009 has such a request refused with an error (2.1), and has an
//! invalid token answered by 200, since there is nothing that a client could do about it (2.2). To tell the two apart would tell whoever found or
//! guessed a token that it is good, and so does the one error that 2.2.1 leaves for it. To this client it is no token: what it wants, that the token be
//! good for nothing in its hands, holds already. That somebody tried is in the log of the program.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::grant::RevokeToken;
use commands::{Actor, CarryOutError, CommandId, Order, Ports, carry_out};
use domain::value::{PresentedSecret, is_refresh_token};
use http::HeaderMap;
use projections::access::{Client, Grounds, TokenHolder};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

use super::Oauth;
use super::client_authentication::{PresentedClient, ProvesFor};
use super::error::{OauthError, OauthErrorCode, no_store};
use super::form::Parameters;
use super::refresh::{ended, unavailable};
use super::table::OauthRoute;
use crate::limits::{Subscriber, Surface};
use crate::token::{FamilyEnd, RefreshState};

pub(super) const PATH: &str = "/oauth/revoke";

/// What other credentials of ours begin with: they are taken back elsewhere.
const OTHERS: [&str; 2] = ["sk_", "cs_"];

/// What a client sends to give a token back, as the document describes it: the endpoint reads `Parameters`.
#[derive(Debug, ToSchema)]
pub struct RevokeForm {
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

/// The token is good for nothing any more, or never was.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked {}

/// The route.
pub(super) fn route<P: Ports + 'static>() -> OauthRoute<P> {
    OauthRoute::form::<RevokeForm, Revoked, _, _>(
        PATH,
        "revokeToken",
        "Give a token back (RFC 7009)",
        take_back,
    )
    .limited(Surface::Token)
}

async fn take_back<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    asker: Subscriber,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthError> {
    let parameters = Parameters::of_body(&headers, body).await?;
    let presented = PresentedClient::read(&headers, &parameters)?;
    let token = parameters.required("token")?;
    let grounds = oauth.grounds()?;
    let client = oauth.prove(&presented, grounds.view(), asker, ProvesFor::GivingBack).await?;
    oauth.count(&client)?;
    if OTHERS.iter().any(|prefix| token.starts_with(prefix)) {
        let why = "API keys and client secrets are revoked in the management API";
        return Err(OauthError::new(OauthErrorCode::UnsupportedTokenType, why));
    }
    if is_refresh_token(token) {
        refresh_token(&oauth, &client, PresentedSecret::new(token.to_owned())).await?;
    } else {
        access_token(&oauth, &grounds, &client, token).await?;
    }
    let mut response = Json(Revoked {}).into_response();
    no_store(response.headers_mut());
    Ok(response)
}

/// Also one that was spent: whoever gives it back wants its whole family gone.
async fn refresh_token<P: Ports>(
    oauth: &Oauth<P>,
    client: &Client,
    presented: PresentedSecret,
) -> Result<(), OauthError> {
    let Some(found) = oauth.refresh.find(&presented).await.map_err(unavailable)? else { return Ok(()) };
    if found.family.client != client.id {
        foreign(client);
        return Ok(());
    }
    match found.state {
        RefreshState::Live | RefreshState::SpentJustNow | RefreshState::SpentLongAgo => {
            oauth.refresh.end(found.family.id, FamilyEnd::ByClient).await.map_err(unavailable)?;
            oauth.tell(ended(&found.family, FamilyEnd::ByClient)).await
        }
        RefreshState::Ended { why, told: false } => oauth.tell(ended(&found.family, why)).await,
        RefreshState::Ended { told: true, .. } | RefreshState::Over => Ok(()),
    }
}

async fn access_token<P: Ports>(
    oauth: &Oauth<P>,
    grounds: &Grounds,
    client: &Client,
    text: &str,
) -> Result<(), OauthError> {
    let keys = |kid: &str| grounds.signing_key(kid).map(|key| (key.algorithm, Arc::clone(&key.public_jwk)));
    let Ok((token, _)) = oauth.checks.check(text, &keys) else { return Ok(()) }; // none of ours, or of a key that is gone
    let says = token.says;
    if says.client != client.id {
        foreign(client);
        return Ok(());
    }
    if says.expires_at <= oauth.clock.now() || grounds.is_revoked(&says) {
        return Ok(());
    }
    let grant = match says.holder {
        TokenHolder::User { grant, .. } => Some(grant),
        TokenHolder::Client => None,
    };
    let order = Order {
        command: Some(CommandId::new(format!("revoke-token:{}", says.token))),
        request_digest: client.id.to_string(),
        correlation: format!("token {}", says.token),
        causation: None,
    };
    let (token, instance, expires_at) = (says.token, says.instance, says.expires_at);
    let revoke = RevokeToken { token, grant, instance, expires_at };
    match carry_out(&*oauth.ports, &Actor::client(client.id), order, &revoke).await {
        Ok(done) => {
            oauth.acts_by(done.position).await;
            Ok(())
        }
        Err(CarryOutError::Refused(refused)) => {
            tracing::warn!(token.id = %says.token, reason = %refused, "an access token cannot be revoked");
            let why = "this token hangs on nothing that was granted to this client";
            Err(OauthError::new(OauthErrorCode::InvalidGrant, why))
        }
        Err(error) => {
            tracing::warn!(error = %error, token.id = %says.token, "an access token cannot be revoked right now");
            Err(OauthError::unavailable("the token cannot be revoked right now; try again"))
        }
    }
}

/// Nothing happens to it, and the answer does not tell.
fn foreign(client: &Client) {
    tracing::warn!(client.id = %client.id, "a client gave back a token of another one, which stays");
}
