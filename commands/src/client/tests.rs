//! Refusals first.

use std::sync::atomic::Ordering;

use domain::client::{Client, ClientError, ClientEvent, ClientKind};
use domain::event::Event;
use domain::value::{ClientId, RedirectUri, SecretDigest, Timestamp};

use super::*;
use crate::Refused;
use crate::testing::*;

const DAY_SECONDS: i64 = 24 * 60 * 60;

fn register(proof: Proof, texts: &[&str]) -> Register {
    let redirect_uris = [RedirectUri::parse("https://app.example.com/cb").unwrap()].into();
    Register { organization: ACME, name: name("App"), proof, redirect_uris, scopes: scopes(texts) }
}

fn update(client: ClientId, texts: &[&str]) -> Update {
    let redirect_uris = [].into();
    Update { organization: ACME, client, name: name("App 2"), redirect_uris, scopes: scopes(texts) }
}

fn rotate(client: ClientId, previous_until: Option<Timestamp>) -> RotateSecret {
    RotateSecret { organization: ACME, client, previous_until }
}

/// Everything that can be asked of an existing client.
macro_rules! everything {
    ($world:ident, $check:ident $($noun:literal)?, $actor:expr, $client:expr) => {{
        let (organization, client) = (ACME, $client);
        $world.$check($($noun,)? $actor, update(client, &["mcp:read"]));
        $world.$check($($noun,)? $actor, rotate(client, None));
        $world.$check($($noun,)? $actor, Disable { organization: Some(organization), client, reason: name("leak") });
        $world.$check($($noun,)? $actor, Enable { organization: Some(organization), client });
        $world.$check($($noun,)? $actor, Delete { organization: Some(organization), client });
    }};
}

#[test]
fn a_foreign_client_is_not_found() {
    let world = World::new();
    for client in [FOREIGN_APP, DELETED_APP, NO_APP] {
        everything!(world, not_found "client", acme(OWNER), client);
        everything!(world, not_found "client", acme(VIEWER), client);
        everything!(world, not_found "client", root(), client);
    }
    everything!(world, not_found "organization", rival(), MEMBERS_APP);
    world.not_found("organization", rival(), register(Proof::Nothing, &["mcp:read"]));
}

#[test]
fn whoever_did_not_register_it_does_not_change_it() {
    let world = World::new();
    for user in [COLLEAGUE, VIEWER, AUDITOR] {
        everything!(world, forbidden, acme(user), MEMBERS_APP);
    }
    everything!(world, forbidden, acme(MEMBER), OWNERS_APP);
    world.forbidden(acme(AUDITOR), register(Proof::Nothing, &["org:read"]));
}

#[test]
fn a_client_does_not_exceed_the_role_of_whoever_registers_it() {
    let world = World::new();
    world.forbidden(acme(VIEWER), register(Proof::Nothing, &["mcp:write"]));
    world.forbidden(acme(MEMBER), register(Proof::Nothing, &["audit:read"]));
    world.forbidden(acme(MEMBER), update(MEMBERS_APP, &["audit:read"]));
}

#[test]
fn a_public_client_has_no_secret_to_rotate() {
    let world = World::new();
    let refused = world.refused(acme(OWNER), rotate(PUBLIC_APP, None));
    assert!(matches!(refused, Refused::Client(ClientError::NoSecret)), "{refused:?}");
}

#[test]
fn the_previous_secret_ends_soon() {
    let world = World::new();
    for until in [noon(), noon().plus_seconds(30 * DAY_SECONDS + 1)] {
        let refused = world.refused(acme(MEMBER), rotate(MEMBERS_APP, Some(until)));
        assert!(matches!(refused, Refused::Invalid(_)), "{refused:?}");
    }
}

#[test]
fn a_confidential_client_is_shown_its_secret_once() {
    let world = World::new();
    let (answer, did) = world.done(acme(MEMBER), register(Proof::SecretBasic, &["mcp:write"]));
    let secret = answer.secret.unwrap();
    assert!(secret.reveal().starts_with("cs_") && secret.reveal().len() == 46);
    let Event::Client(ClientEvent::Registered { client_id, kind, registered_by, .. }) = &did[0] else {
        panic!("{did:?}")
    };
    assert_eq!((*client_id, *registered_by), (answer.id, MEMBER));
    let slow = SecretDigest::Bcrypt { hash: secret.reveal().to_owned() };
    assert_eq!(*kind, ClientKind::Confidential { secret: slow });
}

#[test]
fn a_public_client_is_given_no_secret() {
    let world = World::new();
    let (answer, did) = world.done(acme(VIEWER), register(Proof::Nothing, &["mcp:read"]));
    assert!(answer.secret.is_none());
    assert!(
        matches!(&did[..], [Event::Client(ClientEvent::Registered { kind: ClientKind::Public, .. })]),
        "{did:?}"
    );
}

#[test]
fn a_secret_is_replaced_with_time_to_put_it_in_place() {
    for previous_until in [None, Some(noon().plus_seconds(30 * DAY_SECONDS))] {
        let world = World::new();
        let (answer, did) = world.done(acme(MEMBER), rotate(MEMBERS_APP, previous_until));
        let secret = SecretDigest::Bcrypt { hash: answer.secret.reveal().to_owned() };
        assert_eq!(did, [ClientEvent::SecretRotated { secret, previous_until }.into()]);
    }
}

#[test]
fn whoever_registered_it_and_those_above_change_it() {
    for actor in [acme(MEMBER), acme(ADMIN), root()] {
        let world = World::new();
        let (organization, client) = (ACME, MEMBERS_APP);
        let (.., did) = world.done(actor.clone(), update(client, &["mcp:write"]));
        assert!(matches!(&did[..], [Event::Client(ClientEvent::Updated { .. })]), "{did:?}");
        let (.., did) = world
            .done(actor.clone(), Disable { organization: Some(organization), client, reason: name("leak") });
        assert_eq!(did, [ClientEvent::Disabled { reason: name("leak") }.into()]);
        let (.., did) = world.done(actor.clone(), Enable { organization: Some(organization), client });
        assert_eq!(did, [ClientEvent::Enabled {}.into()]);
        let (.., did) = world.done(actor, Delete { organization: Some(organization), client });
        assert_eq!(did, [ClientEvent::Deleted { reason: None }.into()]);
    }
}

#[test]
fn a_secret_is_digested_once_however_often_others_come_first() {
    let world = World::new();
    for _ in 0..3 {
        world.log.ambush(|log| {
            log.given::<Client>(MEMBERS_APP, vec![ClientEvent::Enabled {}]);
        });
    }
    let done = world.block_on(world.ask(acme(MEMBER), rotate(MEMBERS_APP, None))).unwrap();
    assert_eq!(world.hasher.slow.load(Ordering::Relaxed), 1);
    let Some(Event::Client(ClientEvent::SecretRotated { secret, .. })) = world.log.events().pop() else {
        panic!("it was rotated last");
    };
    assert_eq!(secret, SecretDigest::Bcrypt { hash: done.answer.secret.reveal().to_owned() });
}
