//! What this authorization server can do, for clients that have never heard of it (RFC 8414; OpenID Connect Discovery 1.0, 4).
//!
//! Both documents are the same, and both are found in every form that clients try: the well-known name after the host, with the path of the
//! issuer behind it (RFC 8414, 3.1), and appended to the issuer (Discovery, 4.1). A member whose list would be empty is left out (RFC 8414, 3.2).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::Ports;
use domain::client::{ClientAuthentication, GrantType};
use domain::value::AssertionAlgorithm;
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::resource_metadata::SCOPES_OFFERED;
use super::table::OauthRoute;
use super::{Oauth, RegistrationPolicy, authorize, introspect, jwks, pkce, register, revoke, token};
use crate::token::PublicUrl;

/// How long others may keep what these documents say.
pub(super) const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// How a client that keeps no secret proves itself (RFC 7591, 2).
pub(super) const PUBLIC: &str = "none";

/// Metadata of the authorization server (RFC 8414, 2).
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    /// The issuer, as every token names it.
    pub issuer: String,
    /// Where people are asked whether a client may act for them.
    pub authorization_endpoint: String,
    /// What it answers with.
    pub response_types_supported: Vec<&'static str>,
    /// How: in the query of the redirect.
    pub response_modes_supported: Vec<&'static str>,
    /// How a client proves that a code is its own (RFC 7636).
    pub code_challenge_methods_supported: Vec<&'static str>,
    /// Every answer names the issuer (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
    /// No request lies at an address that is named in its place (RFC 9101): Discovery takes it that one may, where nothing is said.
    pub request_uri_parameter_supported: bool,
    /// Where tokens are given out.
    pub token_endpoint: String,
    /// Where the keys are that tokens are verified with.
    pub jwks_uri: String,
    /// By what a token is given out.
    pub grant_types_supported: Vec<&'static str>,
    /// How clients prove who they are there.
    pub token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// With what they sign, where they sign.
    pub token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Where clients register themselves (RFC 7591), where any may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// Whether a `client_id` may be the address of a document that describes the client.
    pub client_id_metadata_document_supported: bool,
    /// Where clients give tokens back (RFC 7009).
    pub revocation_endpoint: String,
    /// How clients prove who they are there.
    pub revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    /// With what they sign, where they sign.
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// Where confidential clients learn what a token is good for (RFC 7662).
    pub introspection_endpoint: String,
    /// How clients prove who they are there.
    pub introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    /// With what they sign, where they sign.
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    /// What a token can be asked for; beside these, `tool:<name>` for one tool.
    pub scopes_supported: Vec<&'static str>,
}

impl ServerMetadata {
    fn of(url: &PublicUrl, registration: RegistrationPolicy, documents: bool) -> Self {
        let grant_types = GrantType::ALL.into_iter().filter(|grant_type| token::redeems(*grant_type));
        let proofs: Vec<_> = ClientAuthentication::ALL
            .into_iter()
            .filter(|way| token::takes(*way))
            .map(ClientAuthentication::as_str)
            .collect();
        // A public client says its name, and is told apart by what it presents.
        let ways: Vec<_> = proofs.iter().copied().chain([PUBLIC]).collect();
        let algorithms = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str).to_vec();
        Self {
            issuer: url.issuer().to_owned(),
            authorization_endpoint: url.at(authorize::PATH),
            response_types_supported: vec![authorize::RESPONSE_TYPE],
            response_modes_supported: vec![authorize::RESPONSE_MODE],
            code_challenge_methods_supported: vec![pkce::METHOD],
            authorization_response_iss_parameter_supported: true,
            request_uri_parameter_supported: false,
            token_endpoint: url.at(token::PATH),
            jwks_uri: url.at(jwks::PATH),
            grant_types_supported: grant_types.map(GrantType::as_str).collect(),
            token_endpoint_auth_methods_supported: ways.clone(),
            token_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            registration_endpoint: registration.lets_some().then(|| url.at(register::PATH)),
            client_id_metadata_document_supported: documents,
            revocation_endpoint: url.at(revoke::PATH),
            revocation_endpoint_auth_methods_supported: ways,
            revocation_endpoint_auth_signing_alg_values_supported: algorithms.clone(),
            introspection_endpoint: url.at(introspect::PATH),
            introspection_endpoint_auth_methods_supported: proofs,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms,
            scopes_supported: SCOPES_OFFERED.to_vec(),
        }
    }
}

/// As RFC 8414 names it.
pub(super) fn authorization_server<P: Ports + 'static>(url: &PublicUrl) -> OauthRoute<P> {
    let paths = forms("/.well-known/oauth-authorization-server", url);
    let summary = "What this authorization server can do (RFC 8414)";
    OauthRoute::document::<ServerMetadata, _, _>(paths, "getAuthorizationServerMetadata", summary, metadata)
}

/// As OpenID Connect Discovery names it.
pub(super) fn openid_configuration<P: Ports + 'static>(url: &PublicUrl) -> OauthRoute<P> {
    let paths = forms("/.well-known/openid-configuration", url);
    let summary = "The same, for clients that look where OpenID Connect Discovery has it";
    OauthRoute::document::<ServerMetadata, _, _>(paths, "getOpenidConfiguration", summary, metadata)
}

/// Where clients look for a document of an issuer with this URL.
fn forms(name: &str, url: &PublicUrl) -> Vec<String> {
    match url.path() {
        "" => vec![name.to_owned()],
        // The bare name is what is left of the appended form when a proxy takes the path off.
        path => vec![format!("{name}{path}"), format!("{path}{name}"), name.to_owned()],
    }
}

async fn metadata<P: Ports + 'static>(State(oauth): State<Oauth<P>>) -> Response {
    (
        [(header::CACHE_CONTROL, KEPT)],
        Json(ServerMetadata::of(&oauth.url, oauth.registration, oauth.documents.is_on())),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_39_an_issuer_with_a_path_is_found_in_every_form() {
        let url = PublicUrl::parse("https://example.com/tools").unwrap();
        assert_eq!(
            forms("/.well-known/openid-configuration", &url),
            [
                "/.well-known/openid-configuration/tools",
                "/tools/.well-known/openid-configuration",
                "/.well-known/openid-configuration",
            ]
        );
        let url = PublicUrl::parse("https://example.com/").unwrap();
        assert_eq!(forms("/.well-known/x", &url), ["/.well-known/x"]);
    }

    #[test]
    fn item_40_no_list_is_empty_and_nothing_is_promised_that_is_not_there() {
        let url = PublicUrl::parse("https://example.com/tools").unwrap();
        let metadata =
            serde_json::to_value(ServerMetadata::of(&url, RegistrationPolicy::Open, true)).unwrap();
        assert_eq!(metadata["registration_endpoint"], "https://example.com/tools/oauth/register");
        let closed =
            serde_json::to_value(ServerMetadata::of(&url, RegistrationPolicy::Closed, false)).unwrap();
        assert_eq!(closed.get("registration_endpoint"), None, "nobody is sent where nobody may register");
        assert_eq!(metadata["client_id_metadata_document_supported"], true);
        assert_eq!(metadata["issuer"], "https://example.com/tools");
        assert_eq!(metadata["token_endpoint"], "https://example.com/tools/oauth/token");
        assert_eq!(metadata["revocation_endpoint"], "https://example.com/tools/oauth/revoke");
        assert_eq!(metadata["introspection_endpoint"], "https://example.com/tools/oauth/introspect");
        let offers = |list: &str| metadata[list].as_array().unwrap().contains(&serde_json::json!("none"));
        assert!(offers("token_endpoint_auth_methods_supported"));
        assert!(offers("revocation_endpoint_auth_methods_supported"));
        assert!(!offers("introspection_endpoint_auth_methods_supported"), "a name alone proves nothing");
        for (name, value) in metadata.as_object().unwrap() {
            assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name}");
        }
    }
}
