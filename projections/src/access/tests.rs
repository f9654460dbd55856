//! What becomes of a connection's secrets when its server moves.

use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::event::Event;
use domain::server::{ServerEvent, Transport, Visibility};
use domain::value::{ConnectionId, DisplayName, OrganizationId, ServerId, UpstreamUrl};
use uuid::Uuid;

use super::AccessView;

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const WIKI: ServerId = ServerId::new(Uuid::from_u128(2));
const OURS: ConnectionId = ConnectionId::new(Uuid::from_u128(3));

fn name() -> DisplayName {
    DisplayName::parse("Wiki").unwrap()
}

fn at(url: &str) -> Transport {
    Transport::Http { url: UpstreamUrl::parse(url).unwrap() }
}

/// A server, a connection to it, and its first secrets.
fn view() -> AccessView {
    let mut view = AccessView::default();
    let (organization, owner, server) = (ACME, ConnectionOwner::Organization, WIKI);
    let registered = ServerEvent::Registered {
        organization: Some(organization),
        name: name(),
        transport: at("https://wiki.example.com/mcp"),
        credential_fields: vec![],
        visibility: Visibility::Organization,
    };
    tell(&mut view, &WIKI.to_string(), registered);
    tell(
        &mut view,
        &OURS.to_string(),
        ConnectionEvent::Created { organization, owner, server, name: name() },
    );
    set_secrets(&mut view, 1);
    view
}

fn tell(view: &mut AccessView, id: &str, fact: impl Into<Event>) {
    view.take(view.position().next(), id, fact.into()).unwrap();
}

fn set_secrets(view: &mut AccessView, version: u32) {
    tell(view, &OURS.to_string(), ConnectionEvent::SecretsSet { version, fields: [].into() });
}

fn move_to(view: &mut AccessView, url: &str) {
    let updated = ServerEvent::Updated {
        name: name(),
        transport: at(url),
        credential_fields: vec![],
        visibility: Visibility::Organization,
    };
    tell(view, &WIKI.to_string(), updated);
}

fn sent(view: &AccessView) -> Option<u32> {
    let (connection, server) = view.upstream(OURS).unwrap();
    connection.secrets_for(server)
}

#[test]
fn attack_49_secrets_do_not_follow_their_server_to_another_origin_nor_come_back_with_it() {
    for elsewhere in
        ["https://evil.example/mcp", "http://wiki.example.com/mcp", "https://wiki.example.com:444/mcp"]
    {
        let mut view = view();
        move_to(&mut view, elsewhere);
        assert_eq!(sent(&view), None, "{elsewhere}");
        move_to(&mut view, "https://wiki.example.com/mcp");
        assert_eq!(sent(&view), None, "back from {elsewhere}");
    }
}

#[test]
fn secrets_that_are_set_again_are_for_the_new_origin() {
    let mut view = view();
    move_to(&mut view, "https://wiki.example.net/mcp");
    set_secrets(&mut view, 2);
    assert_eq!(sent(&view), Some(2));
}

#[test]
fn secrets_stay_with_another_path_of_the_same_origin() {
    let mut view = view();
    assert_eq!(sent(&view), Some(1));
    move_to(&mut view, "https://WIKI.example.com:443/v2");
    assert_eq!(sent(&view), Some(1));
}
