//! Who we are, for authorization servers that know clients by a document (OAuth Client ID Metadata Document; MCP 2025-11-25, client registration).

use serde::Serialize;
use utoipa::ToSchema;

use super::CALLBACK;
use crate::token::PublicUrl;

/// Where it lies: its address is our client id.
pub(crate) const CLIENT_METADATA: &str = "/client-metadata.json";

/// What this deployment is as a client of others.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientMetadata {
    /// The address of this very document.
    client_id: String,
    /// What people are shown.
    client_name: &'static str,
    /// Our page.
    client_uri: String,
    /// Where browsers come back to.
    redirect_uris: [String; 1],
    /// How tokens are come by.
    grant_types: [&'static str; 2],
    /// What comes back.
    response_types: [&'static str; 1],
    /// Nothing but the place that it lies at: a secret in it would be none.
    token_endpoint_auth_method: &'static str,
}

impl ClientMetadata {
    /// Of a deployment that is reached there.
    pub(crate) fn of(url: &PublicUrl) -> Self {
        Self {
            client_id: url.at(CLIENT_METADATA),
            client_name: "Sekisho",
            client_uri: url.issuer().to_owned(),
            redirect_uris: [url.at(CALLBACK)],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        }
    }
}

/// Our client id there, where others can read the document: under https.
pub(super) fn client_id(url: &PublicUrl) -> Option<String> {
    url.issuer().starts_with("https://").then(|| url.at(CLIENT_METADATA))
}
