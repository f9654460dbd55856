//! What a client must know of an MCP endpoint to get a token for it (RFC 9728; MCP authorization, 2026-07-28).
//!
//! It says the same of an instance that nobody made: whether there is one, and how it takes callers, is told to nobody without a credential.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use commands::Ports;
use domain::value::InstanceId;
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::Oauth;
use super::metadata::KEPT;
use super::table::OauthRoute;
use crate::problem::Problem;
use crate::token::PublicUrl;

/// What a client may ask for to begin with. The rest is asked for when a call needs it, by the scope that its refusal names.
pub(super) const SCOPES_OFFERED: [&str; 2] = ["mcp:read", "mcp:write"];

/// Metadata of one MCP endpoint (RFC 9728, 2).
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceMetadata {
    /// The endpoint itself: what tokens for it have as their audience.
    pub resource: String,
    /// Who gives out tokens for it.
    pub authorization_servers: Vec<String>,
    /// How a token is presented.
    pub bearer_methods_supported: Vec<&'static str>,
    /// What a token can be asked for.
    pub scopes_supported: Vec<&'static str>,
}

/// The route: the well-known name between the host and the path of the endpoint (RFC 9728, 3.1).
pub(super) fn route<P: Ports + 'static>(url: &PublicUrl) -> OauthRoute<P> {
    let path = format!("/.well-known/oauth-protected-resource{}/mcp/{{instance}}", url.path());
    let summary = "Who gives out tokens for an MCP endpoint (RFC 9728)";
    OauthRoute::document::<ResourceMetadata, _, _>(
        vec![path],
        "getProtectedResourceMetadata",
        summary,
        metadata,
    )
}

async fn metadata<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    instance: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("resource");
    let Path(text) = instance.map_err(|_| unknown())?;
    // The resource is the address that was asked, letter by letter (RFC 9728, 3.3): ids have one spelling.
    let instance = InstanceId::parse(&text).ok().filter(|id| id.to_string() == text).ok_or_else(unknown)?;
    let metadata = ResourceMetadata {
        resource: oauth.url.resource(instance),
        authorization_servers: vec![oauth.url.issuer().to_owned()],
        bearer_methods_supported: vec!["header"],
        scopes_supported: SCOPES_OFFERED.to_vec(),
    };
    Ok(([(header::CACHE_CONTROL, KEPT)], Json(metadata)).into_response())
}
