//! What servers and authorization servers publish of themselves (RFC 9728, 2; RFC 8414, 2; RFC 9207, 3; RFC 7636).

use std::collections::BTreeSet;

use domain::server::UpstreamGrant;
use domain::value::{AuthorizationServer, ProviderScope, is_private};
use serde::Deserialize;
use url::Url;

use super::addresses::at;

/// Authorization servers of one resource that are looked at.
pub(super) const ISSUERS_MAX: usize = 4;
/// The longest address that servers take.
const ENDPOINT_BYTES_MAX: usize = 2_048;
const OFFLINE_ACCESS: &str = "offline_access";

/// What a protected resource says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct ResourceDocument {
    pub(super) resource: String,
    #[serde(default)]
    pub(super) authorization_servers: Vec<String>,
    #[serde(default)]
    pub(super) scopes_supported: Vec<String>,
}

/// What an authorization server says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct ServerDocument {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    registration_endpoint: Option<String>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    scopes_supported: Vec<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    client_id_metadata_document_supported: bool,
}

/// An authorization server, as far as it is used.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) issuer: AuthorizationServer,
    /// Where people are sent; nowhere, where none is asked.
    pub(super) authorization: Option<Url>,
    pub(super) token: Url,
    pub(super) registration: Option<Url>,
    /// How clients may prove themselves; what goes without saying is the secret in the header (RFC 8414, 2).
    pub(super) methods: Vec<String>,
    /// Whether it gives refresh tokens to whoever asks for this scope.
    pub(super) offline_access: bool,
    /// Whether it always names itself in an answer.
    pub(super) names_itself: bool,
    /// Whether it knows clients by their documents.
    pub(super) takes_documents: bool,
}

/// What an authorization server says that must not be gone along with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnfitServer {
    /// Its metadata are those of another issuer (RFC 8414, 3.3).
    #[error("its metadata name another issuer")]
    OtherIssuer,
    /// An endpoint is missing, or others could read what is sent there.
    #[error("it has no endpoint under https for what is needed")]
    Endpoint,
    /// Its answers say not whose they are, and its endpoints are elsewhere: one that sends people to another's may have the other's codes brought to
    /// itself (RFC 9700, 4.4; RFC 9207).
    #[error(
        "it does not promise to name itself in its answers (authorization_response_iss_parameter_supported), and its endpoints are not at its own host"
    )]
    Mistakable,
    /// It does not say that it checks PKCE (RFC 7636; MCP 2025-11-25, authorization).
    #[error("it does not support PKCE with S256")]
    NoPkce,
}

impl ServerDocument {
    /// The server behind the document, which must be this issuer's own.
    pub(super) fn of(self, issuer: &AuthorizationServer, grant: UpstreamGrant) -> Result<Known, UnfitServer> {
        if self.issuer != issuer.as_str() {
            return Err(UnfitServer::OtherIssuer);
        }
        let place = |text: Option<String>| match text {
            None => Ok(None),
            Some(text) if text.len() > ENDPOINT_BYTES_MAX => Err(UnfitServer::Endpoint),
            Some(text) => {
                let url = Url::parse(&text).ok().filter(is_private);
                url.map(Some).ok_or(UnfitServer::Endpoint)
            }
        };
        let authorization = place(self.authorization_endpoint)?;
        match grant {
            UpstreamGrant::AuthorizationCode => {
                if authorization.is_none() {
                    return Err(UnfitServer::Endpoint);
                }
                let methods = self.code_challenge_methods_supported.unwrap_or_default();
                if !methods.iter().any(|method| method == "S256") {
                    return Err(UnfitServer::NoPkce);
                }
            }
            UpstreamGrant::ClientCredentials => {}
        }
        let basic = || vec!["client_secret_basic".to_owned()];
        Ok(Known {
            issuer: issuer.clone(),
            authorization,
            token: place(self.token_endpoint)?.ok_or(UnfitServer::Endpoint)?,
            registration: place(self.registration_endpoint)?,
            methods: self.token_endpoint_auth_methods_supported.unwrap_or_else(basic),
            offline_access: self.scopes_supported.iter().any(|scope| scope == OFFLINE_ACCESS),
            names_itself: self.authorization_response_iss_parameter_supported,
            takes_documents: self.client_id_metadata_document_supported,
        })
    }
}

impl Known {
    /// Refuses one whose answers could be another's. One that a deployment administrator chose for a server of the catalogue is vouched for.
    pub(super) fn must_not_be_mistaken(&self, grant: UpstreamGrant) -> Result<(), UnfitServer> {
        let asks_people = match grant {
            UpstreamGrant::AuthorizationCode => true,
            UpstreamGrant::ClientCredentials => false,
        };
        let own = Url::parse(self.issuer.as_str()).ok().map(|issuer| issuer.origin());
        let is_own = |place: &Url| own.as_ref() == Some(&place.origin());
        let all_own = is_own(&self.token) && self.authorization.as_ref().is_none_or(is_own);
        if asks_people && !self.names_itself && !all_own { Err(UnfitServer::Mistakable) } else { Ok(()) }
    }

    /// A server of 2025-03-26 that publishes nothing: its endpoints are where that revision says.
    pub(super) fn unpublished(server: &Url) -> Option<Self> {
        let issuer = AuthorizationServer::parse(&server.origin().ascii_serialization()).ok()?;
        Some(Self {
            issuer,
            authorization: Some(at(server, "/authorize")),
            token: at(server, "/token"),
            registration: Some(at(server, "/register")),
            methods: vec![
                "none".to_owned(),
                "client_secret_post".to_owned(),
                "client_secret_basic".to_owned(),
            ],
            offline_access: false,
            names_itself: false,
            takes_documents: false,
        })
    }

    /// What a person is asked for beside what the resource needs, so that the authorization lasts.
    pub(super) fn lasting(&self) -> Option<ProviderScope> {
        ProviderScope::parse(OFFLINE_ACCESS).ok().filter(|_| self.offline_access)
    }
}

/// Scopes as one text names them. What is none is left out: whoever named it is asked without it.
pub(super) fn scopes_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<ProviderScope> {
    texts.into_iter().filter_map(|text| ProviderScope::parse(text).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(change: impl Fn(&mut Value)) -> Result<Known, UnfitServer> {
        let mut document = json!({
            "issuer": "https://id.example", "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": "https://id.example/token", "code_challenge_methods_supported": ["plain", "S256"],
        });
        change(&mut document);
        let document: ServerDocument = serde_json::from_value(document).unwrap();
        document
            .of(&AuthorizationServer::parse("https://id.example").unwrap(), UpstreamGrant::AuthorizationCode)
    }

    #[test]
    fn attack_23_what_speaks_for_another_issuer_or_leads_out_of_https_is_refused() {
        for issuer in ["https://id.example/", "https://evil.example", "HTTPS://id.example", ""] {
            let refused = read(|document| document["issuer"] = json!(issuer)).map(drop);
            assert_eq!(refused, Err(UnfitServer::OtherIssuer), "{issuer}");
        }
        for place in ["authorization_endpoint", "token_endpoint", "registration_endpoint"] {
            for address in ["http://id.example/x", "javascript:alert(1)", "file:///etc/passwd", "/x", "x"] {
                let refused = read(|document| document[place] = json!(address)).map(drop);
                assert_eq!(refused, Err(UnfitServer::Endpoint), "{place} {address}");
            }
        }
    }

    #[test]
    fn attack_03_a_server_whose_answers_could_be_anothers_is_not_used() {
        let elsewhere = |name: &'static str| {
            move |document: &mut Value| document[name] = json!("https://other.example/x")
        };
        for name in ["authorization_endpoint", "token_endpoint"] {
            let known = read(elsewhere(name)).unwrap();
            assert_eq!(
                known.must_not_be_mistaken(UpstreamGrant::AuthorizationCode),
                Err(UnfitServer::Mistakable),
                "{name}"
            );
            assert_eq!(known.must_not_be_mistaken(UpstreamGrant::ClientCredentials), Ok(()), "{name}");
            let promises = |document: &mut Value| {
                elsewhere(name)(document);
                document["authorization_response_iss_parameter_supported"] = json!(true);
            };
            let known = read(promises).unwrap();
            assert_eq!(known.must_not_be_mistaken(UpstreamGrant::AuthorizationCode), Ok(()), "{name}");
        }
        assert_eq!(read(|_| {}).unwrap().must_not_be_mistaken(UpstreamGrant::AuthorizationCode), Ok(()));
    }

    #[test]
    fn a_server_that_does_not_promise_pkce_is_not_used() {
        for methods in [json!(null), json!([]), json!(["plain"])] {
            let refused =
                read(|document| document["code_challenge_methods_supported"] = methods.clone()).map(drop);
            assert_eq!(refused, Err(UnfitServer::NoPkce), "{methods}");
        }
        assert!(read(|_| {}).is_ok());
    }
}
