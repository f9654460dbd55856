//! What a provider publishes about itself (OpenID Connect Discovery, 3 and 4; RFC 8414; RFC 7517, 5).

use domain::value::Issuer;
use http::{HeaderValue, Method, StatusCode, header};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, HttpRequest, HttpResponse, ProviderMetadata, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Down;

/// What the library's own type does not read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Further {
    /// RFC 9207, 3.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Further {}

type Document = ProviderMetadata<
    Further,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What is used of it.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: AuthUrl,
    pub(super) token: TokenUrl,
    keys: Url,
    /// Whether it always names itself in an answer (RFC 9207).
    pub(super) names_itself: bool,
    /// Whether it takes a client secret in the form alone.
    pub(super) secret_in_form: bool,
}

/// Asks for it.
pub(super) fn request(issuer: &Issuer) -> Result<HttpRequest, Down> {
    get(&format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/')))
}

/// Asks for the keys.
pub(super) fn keys_request(metadata: &Metadata) -> Result<HttpRequest, Down> {
    get(metadata.keys.as_str())
}

fn get(address: &str) -> Result<HttpRequest, Down> {
    let request = http::Request::builder()
        .method(Method::GET)
        .uri(address)
        .header(header::ACCEPT, HeaderValue::from_static("application/json"));
    request.body(Vec::new()).map_err(|_| Down)
}

/// Reads it. It must be the issuer's own: one that names another would let that one speak for this (Discovery, 4.3).
pub(super) fn read(issuer: &Issuer, answer: &HttpResponse) -> Result<Metadata, &'static str> {
    let document: Document = json(answer, "its metadata cannot be read")?;
    if document.issuer().as_str() != issuer.as_str() {
        return Err("its metadata are those of another issuer");
    }
    let token = document.token_endpoint().ok_or("it has no token endpoint")?.clone();
    let (authorization, keys) =
        (document.authorization_endpoint().clone(), document.jwks_uri().url().clone());
    if ![authorization.url(), token.url(), &keys].into_iter().all(|url| is_as_private(issuer, url)) {
        return Err("an endpoint of it is not under https");
    }
    let ways = document.token_endpoint_auth_methods_supported();
    let takes = |way| ways.is_some_and(|ways| ways.contains(&way));
    let secret_in_form =
        takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
    let names_itself = document.additional_metadata().authorization_response_iss_parameter_supported;
    Ok(Metadata { authorization, token, keys, names_itself, secret_in_form })
}

/// Reads the keys. Those of a kind that nobody here knows are left out.
pub(super) fn read_keys(answer: &HttpResponse) -> Result<CoreJsonWebKeySet, &'static str> {
    json(answer, "its keys cannot be read")
}

fn json<T: serde::de::DeserializeOwned>(
    answer: &HttpResponse,
    otherwise: &'static str,
) -> Result<T, &'static str> {
    if answer.status() != StatusCode::OK {
        return Err(otherwise);
    }
    serde_json::from_slice(answer.body()).map_err(|_| otherwise)
}

/// https, or http on loopback where the issuer is there as well.
fn is_as_private(issuer: &Issuer, url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback && issuer.as_str().starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read_as(issuer: &str, change: impl Fn(&mut Value)) -> Result<Metadata, &'static str> {
        let mut document = json!({
            "issuer": "https://id.example.com", "authorization_endpoint": "https://id.example.com/auth",
            "token_endpoint": "https://id.example.com/token", "jwks_uri": "https://keys.example.com/jwks",
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"]
        });
        change(&mut document);
        let answer = http::Response::new(serde_json::to_vec(&document).unwrap());
        read(&Issuer::parse(issuer).unwrap(), &answer)
    }

    #[test]
    fn attack_23_what_speaks_for_another_issuer_or_leads_out_of_https_is_refused() {
        let good = "https://id.example.com";
        assert!(read_as("https://id.example.com/", |_| {}).is_err(), "compared letter by letter");
        assert!(read_as(good, |document| document["issuer"] = json!("https://evil.example")).is_err());
        for place in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            for address in
                ["http://id.example.com/x", "http://127.0.0.1/x", "javascript:alert(1)", "file:///etc/passwd"]
            {
                assert!(
                    read_as(good, |document| document[place] = json!(address)).is_err(),
                    "{place} {address}"
                );
            }
        }
        assert!(read_as(good, |_| {}).is_ok());
    }

    #[test]
    fn attack_24_whether_it_names_itself_is_read() {
        let field = "authorization_response_iss_parameter_supported";
        assert!(!read_as("https://id.example.com", |_| {}).unwrap().names_itself);
        let says = |document: &mut Value| document[field] = json!(true);
        assert!(read_as("https://id.example.com", says).unwrap().names_itself);
    }
}
