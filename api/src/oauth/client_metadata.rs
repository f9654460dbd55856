//! Who this deployment is as a client of others: the document that authorization servers of upstreams know it by.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::Ports;
use http::header;

use super::Oauth;
use super::metadata::KEPT;
use super::table::OauthRoute;
use crate::upstream_oauth::{CLIENT_METADATA, ClientMetadata};

/// The route.
pub(super) fn route<P: Ports + 'static>() -> OauthRoute<P> {
    OauthRoute::document::<ClientMetadata, _, _>(
        vec![CLIENT_METADATA.to_owned()],
        "getOwnClientMetadata",
        "What this deployment is as an OAuth client of the servers behind it",
        metadata,
    )
}

async fn metadata<P: Ports + 'static>(State(oauth): State<Oauth<P>>) -> Response {
    ([(header::CACHE_CONTROL, KEPT)], Json(ClientMetadata::of(&oauth.url))).into_response()
}
