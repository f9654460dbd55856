//! What a client is told that it is registered as (RFC 7591, 3.2.1; RFC 7592, 3): all of it, also what it did not say.

use commands::client::{ItselfRegistered, Proof};
use domain::client::{ClientAuthentication, GrantType, ItselfDescribed};
use domain::value::{AssertionAlgorithm, ClientId, ClientKeySource, IssuedSecret, PublishedKeys, Timestamp};
use projections::access::Client;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::PATH;
use super::read::RESPONSE_TYPE;
use crate::oauth::metadata::PUBLIC;
use crate::token::{PublicUrl, jwks_of, scope_text};

/// A secret ends when it is replaced, never by itself.
const NEVER: i64 = 0;

/// What a client is registered as.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientInformation)]
pub(in crate::oauth) struct RegisteredMetadata {
    /// Its id.
    client_id: String,
    /// Since when it is there, in seconds of Unix time.
    client_id_issued_at: i64,
    /// Its secret, shown when it registers and never again: only a digest is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    client_secret: Option<IssuedSecret>,
    /// When the secret ends by itself: 0, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    /// What it manages its registration with.
    #[schema(value_type = String)]
    registration_access_token: IssuedSecret,
    /// Where it does that.
    registration_client_uri: String,
    /// Where browsers may be sent back to.
    redirect_uris: Vec<String>,
    /// How it proves itself.
    token_endpoint_auth_method: &'static str,
    /// How it signs, where all of its keys do so alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<&'static str>,
    /// By what it gets tokens.
    grant_types: Vec<&'static str>,
    /// What authorization is answered with.
    response_types: Vec<&'static str>,
    /// The name that people are shown.
    client_name: String,
    /// The most it may ask people for.
    scope: String,
    /// `web` or `native`.
    application_type: &'static str,
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    /// Its terms.
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<String>,
    /// What it does with what it learns.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<String>,
    /// Its public keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Where it publishes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    /// Of which program it is a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    software_id: Option<String>,
    /// Of which version of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    software_version: Option<String>,
}

/// A client as it is shown to itself.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    id: ClientId,
    since: Timestamp,
    secret: Option<IssuedSecret>,
    token: IssuedSecret,
    way: Option<ClientAuthentication>,
    keys: Option<&'a ClientKeySource>,
    description: &'a ItselfDescribed,
}

impl<'a> Shown<'a> {
    /// One that has just registered.
    pub(super) fn registered(
        description: &'a ItselfDescribed,
        proof: &'a Proof,
        id: ClientId,
        answer: &ItselfRegistered,
    ) -> Self {
        let (way, keys) = match proof {
            Proof::Nothing => (None, None),
            Proof::SecretBasic => (Some(ClientAuthentication::SecretBasic), None),
            Proof::SecretPost => (Some(ClientAuthentication::SecretPost), None),
            Proof::Keys(keys) => (Some(ClientAuthentication::PrivateKeyJwt), Some(keys)),
        };
        let (secret, token) = (answer.secret.clone(), answer.token.clone());
        Self { id, since: answer.at, secret, token, way, keys, description }
    }

    /// One that asks what it is, with this token: of that only a digest is kept, so it is told again what it showed (RFC 7592, 3: it stays good).
    pub(super) const fn known(
        client: &'a Client,
        since: Timestamp,
        description: &'a ItselfDescribed,
        keys: Option<&'a ClientKeySource>,
        token: IssuedSecret,
    ) -> Self {
        Self { id: client.id, since, secret: None, token, way: client.authentication, keys, description }
    }

    /// On the wire.
    pub(super) fn metadata(self, url: &PublicUrl) -> RegisteredMetadata {
        let Self { id, since, secret, token, way, keys, description } = self;
        let (jwks, jwks_uri, algorithm) = match keys {
            None => (None, None, None),
            Some(ClientKeySource::Sent(keys)) => (Some(jwks_of(keys)), None, common_algorithm(keys)),
            Some(ClientKeySource::Published(PublishedKeys { url, algorithm })) => {
                (None, Some(url.to_string()), *algorithm)
            }
        };
        let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, keys: _ } = description;
        RegisteredMetadata {
            client_id: id.to_string(),
            client_id_issued_at: since.get().unix_timestamp(),
            client_secret_expires_at: secret.as_ref().map(|_| NEVER),
            client_secret: secret,
            registration_access_token: token,
            registration_client_uri: url.at(&format!("{PATH}/{id}")),
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            token_endpoint_auth_method: way.map_or(PUBLIC, ClientAuthentication::as_str),
            token_endpoint_auth_signing_alg: algorithm.map(AssertionAlgorithm::as_str),
            grant_types: grant_types.iter().copied().map(GrantType::as_str).collect(),
            response_types: vec![RESPONSE_TYPE],
            client_name: name.to_string(),
            scope: scope_text(scopes),
            application_type: about.application_type.as_str(),
            client_uri: about.client_uri.as_ref().map(ToString::to_string),
            logo_uri: about.logo_uri.as_ref().map(ToString::to_string),
            tos_uri: about.tos_uri.as_ref().map(ToString::to_string),
            policy_uri: about.policy_uri.as_ref().map(ToString::to_string),
            jwks,
            jwks_uri,
            software_id: about.software_id.as_ref().map(ToString::to_string),
            software_version: about.software_version.as_ref().map(ToString::to_string),
        }
    }
}

fn common_algorithm(keys: &domain::value::ClientKeys) -> Option<AssertionAlgorithm> {
    let mut algorithms = keys.iter().map(|key| key.algorithm);
    let first = algorithms.next()?;
    algorithms.all(|other| other == first).then_some(first)
}
