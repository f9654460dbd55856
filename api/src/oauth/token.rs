//! Where tokens are given out (RFC 6749, 3.2): the form is read, the client proves who it is, and its grant type says who answers.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::Ports;
use domain::client::{ClientAuthentication, GrantType};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client_authentication::{PresentedClient, ProvesFor};
use super::error::{OauthError, OauthErrorCode, no_store};
use super::form::Parameters;
use super::table::OauthRoute;
use super::{Oauth, authorization_code, client_credentials, refresh};
use crate::limits::{Subscriber, Surface};

pub(super) const PATH: &str = "/oauth/token";

/// What a client sends for a token, as the document describes it: the endpoint reads `Parameters`.
#[derive(Debug, ToSchema)]
pub struct TokenForm {
    /// By what: `authorization_code`, `refresh_token` or `client_credentials`.
    pub grant_type: String,
    /// The client, unless the header says it.
    pub client_id: Option<String>,
    /// Its secret, where it is registered for that.
    pub client_secret: Option<String>,
    /// What it signed, where it is registered for that (RFC 7523, 2.2).
    pub client_assertion: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    pub client_assertion_type: Option<String>,
    /// The code that came of the consent (RFC 6749, 4.1.3).
    pub code: Option<String>,
    /// Where the code was sent; may be left out (OAuth 2.1, 4.1.3).
    pub redirect_uri: Option<String>,
    /// What the challenge was made of (RFC 7636, 4.5).
    pub code_verifier: Option<String>,
    /// The refresh token, which is good for one use (RFC 6749, 6).
    pub refresh_token: Option<String>,
    /// What the token is to do, separated by spaces; everything that the client may, when left out.
    pub scope: Option<String>,
    /// The MCP endpoint that it is for (RFC 8707); may be left out where there is one only.
    pub resource: Option<String>,
}

/// How a token is presented (RFC 6749, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum TokenType {
    /// As it is: whoever has it may use it (RFC 6750).
    Bearer,
}

/// A token (RFC 6749, 5.1).
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TokenAnswer {
    /// The token; present it as `Authorization: Bearer`.
    pub access_token: String,
    /// `Bearer`.
    pub token_type: TokenType,
    /// For how many seconds it is good.
    pub expires_in: i64,
    /// What it may do.
    pub scope: String,
    /// What the next one is got by, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Without the tokens.
impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenAnswer").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// The route.
pub(super) fn route<P: Ports + 'static>() -> OauthRoute<P> {
    let summary = "Give out an access token (RFC 6749)";
    OauthRoute::form::<TokenForm, TokenAnswer, _, _>(PATH, "issueToken", summary, give_out)
        .limited(Surface::Token)
}

/// Whether tokens are given out for this. The metadata and the dispatch below read the same.
pub(super) const fn redeems(grant_type: GrantType) -> bool {
    match grant_type {
        GrantType::AuthorizationCode | GrantType::RefreshToken | GrantType::ClientCredentials => true,
    }
}

/// Whether a client may prove itself so.
pub(super) const fn takes(way: ClientAuthentication) -> bool {
    match way {
        ClientAuthentication::SecretBasic
        | ClientAuthentication::SecretPost
        | ClientAuthentication::PrivateKeyJwt => true,
    }
}

async fn give_out<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    asker: Subscriber,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthError> {
    let parameters = Parameters::of_body(&headers, body).await?;
    let presented = PresentedClient::read(&headers, &parameters)?;
    let unsupported =
        || OauthError::new(OauthErrorCode::UnsupportedGrantType, "this grant type is not given out here");
    let grant_type = GrantType::parse(parameters.required("grant_type")?).ok_or_else(unsupported)?;
    if !redeems(grant_type) {
        return Err(unsupported());
    }
    let grounds = oauth.grounds()?;
    let client = oauth.prove(&presented, grounds.view(), asker, ProvesFor::Asking).await?;
    oauth.count(&client)?;
    if !client.grant_types().contains(&grant_type) {
        let why = "this client is not registered for this grant type";
        return Err(OauthError::new(OauthErrorCode::UnauthorizedClient, why));
    }
    let answer = match grant_type {
        GrantType::ClientCredentials => client_credentials::redeem(&oauth, &client, &parameters).await?,
        GrantType::RefreshToken => refresh::redeem(&oauth, &client, &parameters).await?,
        GrantType::AuthorizationCode => authorization_code::redeem(&oauth, &client, &parameters).await?,
    };
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    Ok(response)
}
