//! The keys that access tokens are verified with (RFC 7517, 5): the one that comes next, the active ones and those that retire.
//!
//! Answered from whatever this node knows last, also when that is too old to decide by: keys are no secret, and whoever verifies elsewhere must not
//! be cut off by our trouble.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::Ports;
use domain::deployment::JWKS_CACHE_SECONDS;
use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::Oauth;
use super::table::OauthRoute;

pub(super) const PATH: &str = "/oauth/jwks";

/// Public keys (RFC 7517, 5).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// Each with `kty`, `use`, `alg` and `kid`.
    #[schema(value_type = Vec<Object>)]
    pub keys: Vec<Box<RawValue>>,
}

/// The route.
pub(super) fn route<P: Ports + 'static>() -> OauthRoute<P> {
    let summary = "The keys that access tokens are verified with (RFC 7517)";
    OauthRoute::document::<KeySet, _, _>(vec![PATH.to_owned()], "getKeySet", summary, keys)
}

async fn keys<P: Ports + 'static>(State(oauth): State<Oauth<P>>) -> Response {
    let grounds = oauth.deciding.stale();
    // A key is published as it was made, so that nothing is added to it and nothing private can be.
    let published = grounds.signing_keys().into_iter();
    let keys = published.filter_map(|key| RawValue::from_string(key.public_jwk.to_string()).ok());
    let kept = HeaderValue::from_str(&format!("public, max-age={JWKS_CACHE_SECONDS}"));
    let kept = kept.unwrap_or(HeaderValue::from_static("no-cache"));
    ([(header::CACHE_CONTROL, kept)], Json(KeySet { keys: keys.collect() })).into_response()
}
