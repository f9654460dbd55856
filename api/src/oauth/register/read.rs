//! What a client says of itself (RFC 7591, 2), read: what it leaves out is as the RFC has it, what nobody knows is ignored, and every part has a limit.

use std::collections::BTreeSet;

use axum::body::Body;
use commands::client::Proof;
use domain::client::{
    ApplicationType, ClientAbout, ClientAuthentication, GrantType, ItselfDescribed, REDIRECT_URIS_MAX,
};
use domain::value::{
    AssertionAlgorithm, ClientId, ClientKeySource, DisplayName, KeysUrl, OrganizationId, PublishedKeys,
    RedirectUri, Scope, Scopes, WebUrl, turns_text,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::extract::whole;
use crate::oauth::error::{OauthError, OauthErrorCode};
use crate::oauth::metadata::PUBLIC;
use crate::oauth::resource_metadata::SCOPES_OFFERED;
use crate::token::read_client_keys;

/// Largest body: all redirect URIs and keys that a client may have, each as long as it may be, and as much again.
const REGISTRATION_BYTES_MAX: usize = 128 * 1024;
/// Largest body about a client that is nobody's, which anybody may send: what clients say of themselves takes a tenth of it.
const STRANGER_BYTES_MAX: usize = 16 * 1024;
/// How long it may take to arrive.
const REGISTRATION_WAIT: std::time::Duration = std::time::Duration::from_secs(10);
/// Entries of a list of names: there are three grant types, and clients list what they have heard of.
const NAMES_MAX: usize = 32;
/// Scopes in one list.
const SCOPES_MAX: usize = 100;
/// The one response type that there is.
pub(super) const RESPONSE_TYPE: &str = "code";

/// What a client says of itself. Members that are not here are ignored (RFC 7591, 2), among them `contacts`: addresses of people are not kept.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ClientMetadata)]
pub(in crate::oauth) struct ClientMetadata {
    /// Where browsers may be sent back to, compared exactly but for the port of a loopback address: https, http on loopback, or a private-use scheme
    /// with a dot.
    redirect_uris: Option<Vec<String>>,
    /// How it proves itself: `none`, `client_secret_basic` (when nothing is said), `client_secret_post` or `private_key_jwt`.
    token_endpoint_auth_method: Option<String>,
    /// How it signs with those of its keys that do not say it.
    token_endpoint_auth_signing_alg: Option<String>,
    /// By what it gets tokens: `authorization_code`, and `refresh_token`.
    grant_types: Option<Vec<String>>,
    /// `code`.
    response_types: Option<Vec<String>>,
    /// The name that people are shown.
    client_name: Option<String>,
    /// Its page.
    client_uri: Option<String>,
    /// Its picture, which is not shown.
    logo_uri: Option<String>,
    /// Its terms.
    tos_uri: Option<String>,
    /// What it does with what it learns.
    policy_uri: Option<String>,
    /// The most it asks people for, separated by spaces; everything that is offered, when left out.
    scope: Option<String>,
    /// Its public keys (RFC 7517, 5), for `private_key_jwt`.
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Where it publishes its public keys, for `private_key_jwt`, in place of `jwks`: https. They are fetched when it proves itself.
    jwks_uri: Option<String>,
    /// Of which program it is a copy.
    software_id: Option<String>,
    /// Of which version of that.
    software_version: Option<String>,
    /// Refused: nobody is known here whose word it could be.
    software_statement: Option<String>,
    /// `web` or `native`.
    application_type: Option<String>,
}

/// What a client wants to be.
#[derive(Debug)]
pub(super) struct Wish {
    /// What it is to prove itself with.
    pub(super) proof: Proof,
    /// What it says of itself.
    pub(super) description: ItselfDescribed,
}

fn metadata(why: impl Into<std::borrow::Cow<'static, str>>) -> OauthError {
    OauthError::new(OauthErrorCode::InvalidClientMetadata, why)
}

/// How much may be said of a client of this organization.
pub(super) const fn bytes_max(organization: Option<OrganizationId>) -> usize {
    match organization {
        Some(_) => REGISTRATION_BYTES_MAX,
        None => STRANGER_BYTES_MAX,
    }
}

/// Reads a JSON object out of a body.
pub(super) async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
) -> Result<T, OauthError> {
    if !mcp::headers::is_json(headers) {
        return Err(OauthError::invalid_request("send the metadata as Content-Type: application/json"));
    }
    let bytes = tokio::time::timeout(REGISTRATION_WAIT, whole(body, bytes_max)).await;
    let bytes = bytes.map_err(|_| {
        OauthError::invalid_request("the metadata did not arrive in time").under(StatusCode::REQUEST_TIMEOUT)
    })?;
    let bytes = bytes.ok_or_else(|| {
        metadata("the metadata is too long, or did not arrive whole").under(StatusCode::PAYLOAD_TOO_LARGE)
    })?;
    // A list would be read as an object whose members have no names.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(metadata("the metadata is one JSON object"));
    }
    serde_json::from_slice(&bytes)
        .map_err(|_| metadata("the metadata is no JSON object of the members that RFC 7591 names"))
}

impl ClientMetadata {
    /// What the client with this id wants to be.
    pub(super) fn wish(&self, id: ClientId) -> Result<Wish, OauthError> {
        let method = self.token_endpoint_auth_method.as_deref();
        let way = match method.unwrap_or(ClientAuthentication::default().as_str()) {
            PUBLIC => None,
            named => Some(ClientAuthentication::parse(named).ok_or_else(|| {
                metadata("token_endpoint_auth_method is none of those that the metadata of this server names")
            })?),
        };
        let keys = self.keys()?;
        let proof = match (way, keys) {
            (None, None) => Proof::Nothing,
            (Some(ClientAuthentication::SecretBasic), None) => Proof::SecretBasic,
            (Some(ClientAuthentication::SecretPost), None) => Proof::SecretPost,
            (Some(ClientAuthentication::PrivateKeyJwt), Some(keys)) => Proof::Keys(keys),
            (Some(ClientAuthentication::PrivateKeyJwt), None) => {
                return Err(metadata("private_key_jwt goes with public keys: jwks, or jwks_uri"));
            }
            (None | Some(ClientAuthentication::SecretBasic | ClientAuthentication::SecretPost), Some(_)) => {
                return Err(metadata("keys are for token_endpoint_auth_method private_key_jwt"));
            }
        };
        Ok(Wish { proof, description: self.description(id)? })
    }

    /// What it says of itself beside what it proves itself with.
    pub(in crate::oauth) fn description(&self, id: ClientId) -> Result<ItselfDescribed, OauthError> {
        if self.software_statement.is_some() {
            let why = "software statements are not taken: nobody is known here whose word they could be";
            return Err(OauthError::new(OauthErrorCode::InvalidSoftwareStatement, why));
        }
        let grant_types = self.grant_types()?;
        self.must_answer_with_a_code()?;
        let redirect_uris = self.redirect_uris()?;
        let name = match &self.client_name {
            Some(name) => read_name(name)?,
            None => read_name(&id.to_string())?, // RFC 7591, 2: what people are shown then
        };
        let about = ClientAbout {
            application_type: self.application_type(&redirect_uris)?,
            client_uri: page(self.client_uri.as_deref())?,
            logo_uri: page(self.logo_uri.as_deref())?,
            tos_uri: page(self.tos_uri.as_deref())?,
            policy_uri: page(self.policy_uri.as_deref())?,
            software_id: self.software_id.as_deref().map(read_name).transpose()?,
            software_version: self.software_version.as_deref().map(read_name).transpose()?,
        };
        Ok(ItselfDescribed { name, redirect_uris, scopes: self.scopes()?, grant_types, about, keys: None })
    }

    /// Its keys, or where they are, if it has any.
    pub(in crate::oauth) fn keys(&self) -> Result<Option<ClientKeySource>, OauthError> {
        let algorithm = match self.token_endpoint_auth_signing_alg.as_deref() {
            None => None,
            Some(named) => Some(AssertionAlgorithm::parse(named).ok_or_else(|| {
                metadata(
                    "token_endpoint_auth_signing_alg is none of those that the metadata of this server names",
                )
            })?),
        };
        match (&self.jwks, &self.jwks_uri) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(metadata("jwks and jwks_uri are not both sent")), // RFC 7591, 2
            (Some(jwks), None) => {
                let keys = read_client_keys(jwks, algorithm).map_err(|fault| metadata(fault.to_string()))?;
                Ok(Some(ClientKeySource::Sent(keys)))
            }
            (None, Some(url)) => {
                let url = KeysUrl::parse(url).map_err(|error| metadata(error.to_string()))?;
                Ok(Some(ClientKeySource::Published(PublishedKeys { url, algorithm })))
            }
        }
    }

    /// How it wants to prove itself, if it says so.
    pub(in crate::oauth) fn method(&self) -> Option<&str> {
        self.token_endpoint_auth_method.as_deref()
    }

    fn redirect_uris(&self) -> Result<BTreeSet<RedirectUri>, OauthError> {
        let refused = |why: String| OauthError::new(OauthErrorCode::InvalidRedirectUri, why);
        let said = self.redirect_uris.as_deref().unwrap_or_default();
        if said.is_empty() || said.len() > REDIRECT_URIS_MAX {
            return Err(refused(format!("redirect_uris has 1 to {REDIRECT_URIS_MAX} entries")));
        }
        let read = said.iter().map(|text| RedirectUri::parse(text));
        read.collect::<Result<_, _>>().map_err(|error| refused(error.to_string()))
    }

    /// Those that are not offered are left out (RFC 7591, 2): clients list what they have heard of. But whoever asks for a token in its own name
    /// must hear that it will get none.
    fn grant_types(&self) -> Result<BTreeSet<GrantType>, OauthError> {
        let Some(named) = &self.grant_types else { return Ok([GrantType::AuthorizationCode].into()) };
        if named.len() > NAMES_MAX {
            return Err(metadata("grant_types is too long"));
        }
        let known: BTreeSet<GrantType> = named.iter().filter_map(|name| GrantType::parse(name)).collect();
        if known.contains(&GrantType::ClientCredentials) {
            return Err(metadata(
                "a client that registers itself gets no token in its own name: an organization registers one that does",
            ));
        }
        if known.contains(&GrantType::AuthorizationCode) {
            return Ok(known);
        }
        Err(metadata("grant_types holds authorization_code"))
    }

    /// As it goes with the grant type (RFC 7591, 2.1).
    fn must_answer_with_a_code(&self) -> Result<(), OauthError> {
        let holds =
            |named: &Vec<String>| named.len() <= NAMES_MAX && named.iter().any(|name| name == RESPONSE_TYPE);
        if self.response_types.as_ref().is_none_or(holds) {
            return Ok(());
        }
        Err(metadata("response_types holds code, and nothing else is answered with"))
    }

    /// Of what it asks for, what anybody may ask for here. Nothing wider: the rest is left out, and the answer says what is left.
    fn scopes(&self) -> Result<Scopes, OauthError> {
        let offered: Scopes = SCOPES_OFFERED.iter().filter_map(|text| Scope::parse(text).ok()).collect();
        let Some(text) = &self.scope else { return Ok(offered) };
        if text.split(' ').count() > SCOPES_MAX {
            return Err(metadata("scope is too long"));
        }
        let known = text.split(' ').filter_map(|name| Scope::parse(name).ok());
        let left: Scopes = known.filter(|scope| offered.grant(scope)).collect();
        if left.is_empty() { Err(metadata("none of these scopes is offered here")) } else { Ok(left) }
    }

    fn application_type(&self, redirect_uris: &BTreeSet<RedirectUri>) -> Result<ApplicationType, OauthError> {
        match self.application_type.as_deref() {
            Some("web") => Ok(ApplicationType::Web),
            Some("native") => Ok(ApplicationType::Native),
            Some(_) => Err(metadata("application_type is web or native")),
            // What its redirects say; most clients do not.
            None if redirect_uris.iter().any(|uri| uri.as_str().starts_with("https:")) => {
                Ok(ApplicationType::Web)
            }
            None => Ok(ApplicationType::Native),
        }
    }
}

fn read_name(text: &str) -> Result<DisplayName, OauthError> {
    if text.contains(turns_text) {
        return Err(metadata("a name holds no characters that turn the direction of a text"));
    }
    DisplayName::parse(text).map_err(|error| metadata(error.to_string()))
}

fn page(text: Option<&str>) -> Result<Option<WebUrl>, OauthError> {
    text.map(WebUrl::parse).transpose().map_err(|error| metadata(error.to_string()))
}

#[cfg(test)]
mod tests;
