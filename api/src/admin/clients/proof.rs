//! What a client is to prove itself with, read out of what whoever registers it says.

use std::collections::BTreeSet;

use commands::client::Proof;
use domain::client::{ClientAuthentication, ClientError};
use domain::value::{ClientKeySource, ClientKeys, KeysUrl, PublishedKeys, RedirectUri};
use http::StatusCode;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::problem::Problem;
use crate::token::read_client_keys;

/// Whether a client can keep something to itself (RFC 6749, 2.1).
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ClientKind)]
pub(super) enum Kind {
    /// It runs where its user can read everything, and has nothing to prove itself with.
    Public,
    /// It runs on a server, and has a secret or keys.
    Confidential,
}

/// How a confidential client proves itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = ClientAuthenticationMethod)]
pub(super) enum Way {
    /// By its secret, in the header.
    #[serde(rename = "client_secret_basic")]
    SecretBasic,
    /// By its secret, in the form.
    #[serde(rename = "client_secret_post")]
    SecretPost,
    /// By what it signs.
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}

impl From<Way> for ClientAuthentication {
    fn from(way: Way) -> Self {
        match way {
            Way::SecretBasic => Self::SecretBasic,
            Way::SecretPost => Self::SecretPost,
            Way::PrivateKeyJwt => Self::PrivateKeyJwt,
        }
    }
}

/// What belongs together.
pub(super) fn proof(kind: Kind, way: Option<Way>, keys: Option<ClientKeySource>) -> Result<Proof, Problem> {
    let refused = |code: &'static str, error: ClientError| {
        Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string()))
    };
    match (kind, way.map(ClientAuthentication::from), keys) {
        (Kind::Public, None, None) => Ok(Proof::Nothing),
        (Kind::Public, _, _) => refused("public-client-authentication", ClientError::PublicAuthentication),
        (Kind::Confidential, None | Some(ClientAuthentication::SecretBasic), None) => Ok(Proof::SecretBasic),
        (Kind::Confidential, Some(ClientAuthentication::SecretPost), None) => Ok(Proof::SecretPost),
        (Kind::Confidential, Some(ClientAuthentication::PrivateKeyJwt), Some(keys)) => Ok(Proof::Keys(keys)),
        (Kind::Confidential, Some(ClientAuthentication::PrivateKeyJwt), None)
        | (
            Kind::Confidential,
            None | Some(ClientAuthentication::SecretBasic | ClientAuthentication::SecretPost),
            Some(_),
        ) => refused("other-authentication", ClientError::OtherAuthentication),
    }
}

/// Keys, or where they are: never both (RFC 7591, 2).
pub(super) fn key_source(
    jwks: Option<ClientKeys>,
    jwks_uri: Option<KeysUrl>,
) -> Result<Option<ClientKeySource>, Problem> {
    match (jwks, jwks_uri) {
        (None, None) => Ok(None),
        (Some(keys), None) => Ok(Some(ClientKeySource::Sent(keys))),
        (None, Some(url)) => Ok(Some(ClientKeySource::Published(PublishedKeys { url, algorithm: None }))),
        (Some(_), Some(_)) => Err(one_of_them("send jwks or jwks_uri, not both")),
    }
}

/// Where there must be some.
pub(super) fn no_keys() -> Problem {
    one_of_them("send jwks, or jwks_uri")
}

fn one_of_them(why: &'static str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "one-place-of-keys", why)
}

/// Other keys for a client. Those before prove nothing any more, unless they are among them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientKeySet, example = json!({ "jwks_uri": "https://app.example.com/jwks.json" }))]
pub(super) struct NewKeys {
    /// All of its public keys.
    #[serde(default, deserialize_with = "some_keys")]
    #[schema(schema_with = key_set)]
    pub(super) jwks: Option<ClientKeys>,
    /// Where it publishes them, in place of `jwks`: https.
    #[serde(default, deserialize_with = "keys_url")]
    #[schema(value_type = Option<String>, format = Uri)]
    pub(super) jwks_uri: Option<KeysUrl>,
}

fn key_set() -> Object {
    let about = "All of its public keys (RFC 7517, 5): RSA, EC on P-256 or Ed25519. What is not among them proves nothing any more";
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037, appendix A.2
    let example = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": "2026-11" }] });
    ObjectBuilder::new().schema_type(Type::Object).description(Some(about)).examples([example]).build()
}

/// Reads keys, and refuses those that are none in its own words.
pub(super) fn some_keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ClientKeys>, D::Error> {
    let jwks = Option::<Value>::deserialize(deserializer)?;
    jwks.map(|jwks| read_client_keys(&jwks, None).map_err(D::Error::custom)).transpose()
}

/// Reads where keys are.
pub(super) fn keys_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<KeysUrl>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| KeysUrl::parse(&text).map_err(D::Error::custom)).transpose()
}

/// Reads redirect URIs by the rules for new ones: what the log holds is read by those that held when it was written.
pub(super) fn redirect_uris<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeSet<RedirectUri>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| RedirectUri::parse(text).map_err(D::Error::custom)).collect()
}
