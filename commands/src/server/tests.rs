//! Refusals first.

use domain::event::Event;
use domain::server::{ServerEvent, Visibility};
use domain::value::{OrganizationId, ServerId};

use super::*;
use crate::testing::*;

fn register(organization: Option<OrganizationId>, visibility: Visibility) -> Register {
    Register {
        organization,
        name: name("Wiki"),
        transport: transport(),
        credential_fields: fields(),
        oauth: None,
        visibility,
    }
}

fn update(organization: Option<OrganizationId>, server: ServerId) -> Update {
    let (transport, credential_fields) = (transport(), fields());
    let visibility = Visibility::Private;
    Update {
        organization,
        server,
        name: name("Wiki 2"),
        transport,
        credential_fields,
        oauth: None,
        visibility,
    }
}

#[test]
fn a_server_of_another_catalogue_is_not_found() {
    let world = World::new();
    for server in [RIVAL_WIKI, PUBLIC_WIKI, RETIRED_WIKI, NO_SERVER] {
        world.not_found("server", acme(OWNER), update(Some(ACME), server));
        world.not_found("server", acme(OWNER), Retire { organization: Some(ACME), server });
    }
    for server in [WIKI, NO_SERVER] {
        world.not_found("server", root(), update(None, server));
        world.not_found("server", root(), Retire { organization: None, server });
    }
    world.not_found("organization", rival(), register(Some(ACME), Visibility::Organization));
    world.not_found("organization", rival(), update(Some(ACME), WIKI));
    world.not_found("organization", rival(), Retire { organization: Some(ACME), server: WIKI });
}

#[test]
fn only_administrators_keep_the_deployments_catalogue() {
    let world = World::new();
    for actor in [acme(OWNER), impostor(), founder()] {
        world.forbidden(actor.clone(), register(None, Visibility::Public));
        world.forbidden(actor.clone(), update(None, PUBLIC_WIKI));
        world.forbidden(actor, Retire { organization: None, server: PUBLIC_WIKI });
    }
}

#[test]
fn readers_register_nothing_and_members_change_nothing() {
    let world = World::new();
    for user in READERS {
        world.forbidden(acme(user), register(Some(ACME), Visibility::Organization));
    }
    for user in NOT_IN_COMMAND {
        world.forbidden(acme(user), update(Some(ACME), WIKI));
        world.forbidden(acme(user), Retire { organization: Some(ACME), server: WIKI });
    }
}

#[test]
fn members_register_a_server_for_their_organization() {
    let world = World::new();
    let (_, did) = world.done(acme(MEMBER), register(Some(ACME), Visibility::Organization));
    let expected = ServerEvent::Registered {
        organization: Some(ACME),
        name: name("Wiki"),
        transport: transport(),
        credential_fields: fields(),
        visibility: Visibility::Organization,
    };
    assert_eq!(did, [expected.into()]);
}

#[test]
fn those_who_keep_a_catalogue_update_and_retire() {
    for (actor, organization, server) in
        [(acme(ADMIN), Some(ACME), WIKI), (root(), Some(ACME), WIKI), (root(), None, PUBLIC_WIKI)]
    {
        let world = World::new();
        let (.., did) = world.done(actor.clone(), update(organization, server));
        assert!(matches!(&did[..], [Event::Server(ServerEvent::Updated { .. })]), "{did:?}");
        let (.., did) = world.done(actor, Retire { organization, server });
        assert_eq!(did, [ServerEvent::Retired {}.into()]);
    }
}

#[test]
fn administrators_offer_a_server_to_everybody() {
    let world = World::new();
    let (.., did) = world.done(root(), register(None, Visibility::Public));
    assert!(
        matches!(&did[..], [Event::Server(ServerEvent::Registered { organization: None, .. })]),
        "{did:?}"
    );
}
