//! What becomes of the authorization of a connection, every event of it once.

use domain::connection::{AuthorizationEnd, ConnectionEvent};
use domain::server::{ServerEvent, ServerOauth, UpstreamGrant};
use domain::value::{AuthorizationId, AuthorizationServer, ProviderScope};
use uuid::Uuid;

use super::everything::BEN;
use super::history::moment;

const AUTHORIZATION: AuthorizationId = AuthorizationId::new(Uuid::from_u128(0xe1));

fn issuer() -> AuthorizationServer {
    AuthorizationServer::parse("https://auth.example.com").unwrap()
}

/// A server is authorized by OAuth.
pub(super) fn by_oauth() -> ServerEvent {
    let oauth = ServerOauth { grant: UpstreamGrant::AuthorizationCode, issuer: Some(issuer()) };
    ServerEvent::OauthChanged { oauth: Some(oauth) }
}

/// Ben allowed it.
pub(super) fn authorized() -> ConnectionEvent {
    ConnectionEvent::Authorized {
        authorization: AUTHORIZATION,
        grant: UpstreamGrant::AuthorizationCode,
        by: Some(BEN),
        issuer: issuer(),
        scopes: [ProviderScope::parse("wiki:read").unwrap()].into(),
        renewable: true,
        expires_at: Some(moment("2026-11-22T12:00:00Z")),
    }
}

/// Allowed, too little, of no use any more, and taken back.
pub(super) fn all_of_an_authorization() -> [ConnectionEvent; 4] {
    let authorization = AUTHORIZATION;
    let scopes = ["wiki:read", "wiki:write"].map(|scope| ProviderScope::parse(scope).unwrap()).into();
    [
        authorized(),
        ConnectionEvent::ScopesWanted { authorization, scopes },
        ConnectionEvent::AuthorizationLost { authorization, reason: AuthorizationEnd::RenewalRefused },
        ConnectionEvent::AuthorizationWithdrawn { authorization },
    ]
}
