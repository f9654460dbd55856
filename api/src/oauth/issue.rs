//! An access token, made out and signed (RFC 9068).

use commands::{Entropy as _, Ports};
use domain::grant::ACCESS_TOKEN_SECONDS;
use domain::value::{InstanceId, Scopes, SigningAlgorithm, Timestamp, TokenId};
use projections::access::{Client, Grounds, TokenClaims, TokenHolder};

use super::Oauth;
use super::error::OauthError;
use super::token::{TokenAnswer, TokenType};
use crate::token::{AccessToken, scope_text};

/// Signs a token for what was decided on these grounds, and gives it out only if they still hold when it is signed.
pub(super) async fn issue<P: Ports>(
    oauth: &Oauth<P>,
    grounds: &Grounds,
    client: &Client,
    holder: TokenHolder,
    instance: InstanceId,
    scopes: Scopes,
) -> Result<TokenAnswer, OauthError> {
    let unavailable = || OauthError::unavailable("no token can be signed right now; try again");
    // After the algorithm was changed, a key of the one before signs until the first of the new one was published for long enough, and none after that:
    // there is one active key, whatever its algorithm.
    let algorithms = std::iter::once(oauth.algorithm).chain(SigningAlgorithm::ALL);
    let Some(key) = algorithms.into_iter().find_map(|algorithm| grounds.active_signing_key(algorithm)) else {
        tracing::error!(algorithm = oauth.algorithm.as_str(), "there is no active signing key");
        return Err(unavailable());
    };
    let issued_at = whole_second(oauth.clock.now());
    let says = TokenClaims {
        token: TokenId::new(oauth.ports.entropy().id()),
        client: client.id,
        holder,
        instance,
        scopes,
        expires_at: issued_at.plus_seconds(ACCESS_TOKEN_SECONDS),
    };
    let token =
        AccessToken { says, document: client.document.as_deref().cloned(), issued_at, not_before: None };
    let access_token = oauth.tokens.sign(&key.kid, &token).await.map_err(|_| unavailable())?;
    if !oauth.deciding.still_hold(grounds.mark()) {
        return Err(unavailable());
    }
    let scope = scope_text(&token.says.scopes);
    let (token_type, expires_in) = (TokenType::Bearer, ACCESS_TOKEN_SECONDS);
    Ok(TokenAnswer { access_token, token_type, expires_in, scope, refresh_token: None })
}

/// Tokens say moments in whole seconds (RFC 7519, 2).
fn whole_second(moment: Timestamp) -> Timestamp {
    Timestamp::new(moment.get().replace_nanosecond(0).unwrap_or(moment.get()))
}
