//! One event of every type of a client, and one more for every shape.

use std::collections::BTreeSet;

use super::{ACME, ANN, CLIENT, Sample, TOKEN, bcrypt, hmac, moment, name, scopes};
use crate::client::{
    ApplicationType, ClientAbout, ClientAuthentication, ClientEnd, ClientEvent, ClientKind, GrantType,
};
use crate::value::{
    AssertionAlgorithm, ClientKey, ClientKeys, ClientUrl, KeyName, KeysUrl, PublicJwk, PublishedKeys,
    RedirectUri, WebUrl,
};

pub(in crate::event) fn client() -> Vec<Sample<ClientEvent>> {
    let redirect_uris = || BTreeSet::from([RedirectUri::parse("http://127.0.0.1:3000/callback").unwrap()]);
    let registered = |kind| ClientEvent::Registered {
        organization: ACME,
        client_id: CLIENT,
        name: name("Desk"),
        kind,
        redirect_uris: redirect_uris(),
        scopes: scopes(&["mcp:read", "tool:echo"]),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    };
    vec![
        ("", registered(ClientKind::Public)),
        (
            "explicit",
            ClientEvent::Registered {
                organization: ACME,
                client_id: CLIENT,
                name: name("Desk"),
                kind: ClientKind::Confidential { secret: bcrypt() },
                redirect_uris: redirect_uris(),
                scopes: scopes(&["mcp:read", "tool:echo"]),
                registered_by: ANN,
                authentication: Some(ClientAuthentication::SecretPost),
                grant_types: Some(GrantType::ALL.into()),
            },
        ),
        ("confidential", registered(ClientKind::Confidential { secret: bcrypt() })),
        (
            "",
            ClientEvent::Updated {
                name: name("Desk 2"),
                redirect_uris: redirect_uris(),
                scopes: scopes(&["mcp:write"]),
            },
        ),
        ("", ClientEvent::SecretRotated { secret: hmac(), previous_until: Some(moment()) }),
        ("at-once", ClientEvent::SecretRotated { secret: hmac(), previous_until: None }),
        ("", ClientEvent::Disabled { reason: name("leaked") }),
        ("", ClientEvent::Enabled {}),
        ("", ClientEvent::Deleted { reason: None }),
        ("", ClientEvent::TokenRevoked { token: TOKEN, expires_at: moment() }),
    ]
    .into_iter()
    .chain(client_itself(redirect_uris()))
    .chain([
        ("keyed", robot(ClientKind::Keyed { keys: client_keys() })),
        ("publishing", robot(ClientKind::Publishing { keys: published_keys(None) })),
    ])
    .collect()
}

/// One that signs, and acts for itself.
fn robot(kind: ClientKind) -> ClientEvent {
    ClientEvent::Registered {
        organization: ACME,
        client_id: CLIENT,
        name: name("Desk"),
        kind,
        redirect_uris: BTreeSet::new(),
        scopes: scopes(&["mcp:read"]),
        registered_by: ANN,
        authentication: Some(ClientAuthentication::PrivateKeyJwt),
        grant_types: None,
    }
}

fn published_keys(algorithm: Option<AssertionAlgorithm>) -> PublishedKeys {
    PublishedKeys { url: KeysUrl::parse("https://desk.example.com/jwks.json").unwrap(), algorithm }
}

fn client_keys() -> ClientKeys {
    let key = |kid: &str, algorithm, jwk: &str| ClientKey {
        kid: KeyName::parse(kid).unwrap(),
        algorithm,
        public_jwk: PublicJwk::parse(jwk).unwrap(),
    };
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037, appendix A.2
    ClientKeys::try_new(vec![
        key("2026-11", AssertionAlgorithm::EdDsa, &format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)),
        key("2026-12", AssertionAlgorithm::Ps256, r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#),
    ])
    .unwrap()
}

/// What a client does about itself.
fn client_itself(redirect_uris: BTreeSet<RedirectUri>) -> Vec<Sample<ClientEvent>> {
    let page = |path: &str| Some(WebUrl::parse(&format!("https://desk.example.com/{path}")).unwrap());
    let about = Box::new(ClientAbout {
        application_type: ApplicationType::Web,
        client_uri: page(""),
        logo_uri: page("logo.png"),
        tos_uri: page("terms"),
        policy_uri: page("privacy"),
        software_id: Some(name("desk")),
        software_version: Some(name("2.1")),
    });
    let little = Box::new(ClientAbout {
        application_type: ApplicationType::Native,
        client_uri: None,
        logo_uri: None,
        tos_uri: None,
        policy_uri: None,
        software_id: None,
        software_version: None,
    });
    let grant_types = BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]);
    vec![
        (
            "",
            ClientEvent::SelfRegistered {
                organization: Some(ACME),
                client_id: CLIENT,
                name: name("Desk"),
                kind: ClientKind::Confidential { secret: bcrypt() },
                redirect_uris: redirect_uris.clone(),
                scopes: scopes(&["mcp:read"]),
                registered_by: Some(ANN),
                authentication: Some(ClientAuthentication::SecretPost),
                grant_types: grant_types.clone(),
                registration_token: hmac(),
                about: about.clone(),
                at: moment(),
            },
        ),
        (
            "of-nobody",
            ClientEvent::SelfRegistered {
                organization: None,
                client_id: CLIENT,
                name: name("Desk"),
                kind: ClientKind::Public,
                redirect_uris: redirect_uris.clone(),
                scopes: scopes(&["mcp:read"]),
                registered_by: None,
                authentication: None,
                grant_types: grant_types.clone(),
                registration_token: hmac(),
                about: little,
                at: moment(),
            },
        ),
        (
            "",
            ClientEvent::SelfDescribed {
                name: name("Desk 2"),
                redirect_uris,
                scopes: scopes(&["mcp:write"]),
                grant_types,
                about,
            },
        ),
        ("", ClientEvent::KeysReplaced { keys: client_keys() }),
        ("", ClientEvent::KeysPublished { keys: published_keys(None) }),
        ("signing", ClientEvent::KeysPublished { keys: published_keys(Some(AssertionAlgorithm::Ps256)) }),
        (
            "",
            ClientEvent::DocumentSeen {
                url: ClientUrl::parse("https://desk.example.com/client.json").unwrap(),
                name: name("Desk"),
                kind: ClientKind::Keyed { keys: client_keys() },
                redirect_uris: BTreeSet::from(
                    [RedirectUri::parse("http://127.0.0.1:3000/callback").unwrap()],
                ),
                scopes: scopes(&["mcp:read"]),
                grant_types: BTreeSet::from([GrantType::AuthorizationCode]),
            },
        ),
        ("", ClientEvent::FirstUsed {}),
        ("", ClientEvent::RegistrationTokenRevoked {}),
        ("by-itself", ClientEvent::Deleted { reason: Some(ClientEnd::ByItself) }),
        ("unused", ClientEvent::Deleted { reason: Some(ClientEnd::Unused) }),
    ]
}
