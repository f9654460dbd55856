//! Clients in every state, and everything that happens to one.

use std::collections::BTreeSet;

use domain::client::{ApplicationType, ClientAbout, ClientEnd, ClientEvent, ClientKind, GrantType};
use domain::value::{
    AssertionAlgorithm, ClientKey, ClientKeys, ClientUrl, KeyName, KeysUrl, OrganizationId, PublicJwk,
    PublishedKeys, RedirectUri, SecretDigest,
};

use super::super::history::{History, display, moment, scopes};
use super::{
    ACME, ANN, CLIENT, DESK, DOCUMENT_CLIENT, OLD_CLIENT, OWN_CLIENT, SIGNING_CLIENT, TOKEN, UNUSED_CLIENT,
};

pub(super) fn tell(history: &mut History) {
    let bcrypt = || SecretDigest::Bcrypt {
        hash: "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234".to_owned(),
    };
    let redirects = || BTreeSet::from([RedirectUri::parse("http://127.0.0.1:3000/callback").unwrap()]);
    let offered = |client_id, kind| ClientEvent::Registered {
        organization: ACME,
        client_id,
        name: display("Desk"),
        kind,
        redirect_uris: redirects(),
        scopes: scopes(&["mcp:read"]),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    };
    history
        .tell(CLIENT, offered(CLIENT, ClientKind::Confidential { secret: bcrypt() }))
        .tell(DESK, offered(DESK, ClientKind::Public))
        .tell(OLD_CLIENT, offered(OLD_CLIENT, ClientKind::Public))
        .tell(
            CLIENT,
            ClientEvent::Updated {
                name: display("Desk 2"),
                redirect_uris: redirects(),
                scopes: scopes(&["mcp:write", "org:read"]),
            },
        )
        .tell(
            CLIENT,
            ClientEvent::SecretRotated {
                secret: bcrypt(),
                previous_until: Some(moment("2026-06-01T00:00:00Z")),
            },
        )
        .tell(CLIENT, ClientEvent::Disabled { reason: display("leaked") })
        .tell(CLIENT, ClientEvent::Enabled {})
        .tell(DESK, ClientEvent::Disabled { reason: display("unused") })
        .tell(OLD_CLIENT, ClientEvent::Deleted { reason: None })
        .tell(CLIENT, ClientEvent::TokenRevoked { token: TOKEN, expires_at: moment("2026-06-01T00:00:00Z") });
    tell_clients_of_themselves(history);
    tell_a_document(history);
}

/// A client that is known by its document: what one person saw, and, after it was turned off and on, another.
fn tell_a_document(history: &mut History) {
    let seen = |name, kind| ClientEvent::DocumentSeen {
        url: ClientUrl::parse("https://desk.example.com/client.json").unwrap(),
        name: display(name),
        kind,
        redirect_uris: [RedirectUri::parse("https://desk.example.com/callback").unwrap()].into(),
        scopes: scopes(&["mcp:read"]),
        grant_types: [GrantType::AuthorizationCode].into(),
    };
    history
        .tell(DOCUMENT_CLIENT, seen("Known", ClientKind::Public))
        .tell(DOCUMENT_CLIENT, ClientEvent::Disabled { reason: display("abuse") })
        .tell(DOCUMENT_CLIENT, seen("Known 2", ClientKind::Public))
        .tell(DOCUMENT_CLIENT, ClientEvent::Enabled {});
}

/// Clients that register themselves, one of an organization and one of nobody, and one that signs.
fn tell_clients_of_themselves(history: &mut History) {
    let public_jwk = PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap();
    let keys = |kid: &str| {
        let (kid, algorithm) = (KeyName::parse(kid).unwrap(), AssertionAlgorithm::EdDsa);
        let key = ClientKey { kid, algorithm, public_jwk: public_jwk.clone() };
        ClientKeys::try_new(vec![key]).unwrap()
    };
    let about = || {
        Box::new(ClientAbout {
            application_type: ApplicationType::Native,
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            software_id: None,
            software_version: None,
        })
    };
    let redirects = || BTreeSet::from([RedirectUri::parse("http://127.0.0.1:3000/callback").unwrap()]);
    let registered =
        |client_id, organization: Option<OrganizationId>, kind: ClientKind| ClientEvent::SelfRegistered {
            organization,
            client_id,
            name: display("Own"),
            authentication: kind.authentication(None),
            kind,
            redirect_uris: redirects(),
            scopes: scopes(&["mcp:read"]),
            registered_by: organization.map(|_| ANN),
            grant_types: [GrantType::AuthorizationCode].into(),
            registration_token: SecretDigest::HmacSha256 { pepper: 1, hex: "00ff".repeat(16) },
            about: about(),
            at: moment("2026-05-01T00:00:00Z"),
        };
    history
        .tell(OWN_CLIENT, registered(OWN_CLIENT, None, ClientKind::Public))
        .tell(SIGNING_CLIENT, registered(SIGNING_CLIENT, Some(ACME), ClientKind::Keyed { keys: keys("a") }))
        .tell(UNUSED_CLIENT, registered(UNUSED_CLIENT, None, ClientKind::Public))
        .tell(OWN_CLIENT, ClientEvent::FirstUsed {})
        .tell(
            OWN_CLIENT,
            ClientEvent::SelfDescribed {
                name: display("Own 2"),
                redirect_uris: redirects(),
                scopes: scopes(&["mcp:write"]),
                grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
                about: about(),
            },
        )
        .tell(
            SIGNING_CLIENT,
            ClientEvent::KeysPublished {
                keys: PublishedKeys {
                    url: KeysUrl::parse("https://desk.example.com/jwks").unwrap(),
                    algorithm: None,
                },
            },
        )
        .tell(SIGNING_CLIENT, ClientEvent::KeysReplaced { keys: keys("b") })
        .tell(SIGNING_CLIENT, ClientEvent::RegistrationTokenRevoked {})
        .tell(UNUSED_CLIENT, ClientEvent::Deleted { reason: Some(ClientEnd::Unused) });
}
