//! Which identity providers there are. Refusals first.

use domain::deployment::{AccountMatching, DeploymentEvent};
use domain::event::Event;
use domain::value::{Issuer, PresentedSecret, ProviderClientId, ProviderId, ProviderSecretId};

use super::*;
use crate::Refused;
use crate::testing::*;

fn acme_id() -> ProviderId {
    ProviderId::parse("acme").unwrap()
}

fn settings(label: &str) -> ProviderSettings {
    ProviderSettings {
        name: name(label),
        client_id: ProviderClientId::parse("sekisho").unwrap(),
        scopes: [].into(),
        matching: AccountMatching::Identity,
    }
}

fn add(secret: Option<&str>) -> AddProvider {
    AddProvider {
        provider: acme_id(),
        issuer: Issuer::parse("https://id.example.com").unwrap(),
        settings: settings("Acme"),
        secret: secret.map(|text| PresentedSecret::new(text.to_owned())),
    }
}

fn change(secret: ClientSecretChange) -> ChangeProvider {
    ChangeProvider { provider: acme_id(), settings: settings("Acme ID"), secret }
}

/// The secret that the last event names.
fn named(world: &World) -> Option<ProviderSecretId> {
    match world.log.events().into_iter().next_back() {
        Some(Event::Deployment(
            DeploymentEvent::ProviderAdded { secret, .. } | DeploymentEvent::ProviderChanged { secret, .. },
        )) => secret,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_administrators_of_the_deployment_say_where_people_sign_in() {
    let world = World::new();
    for actor in [acme(OWNER), rival(), impostor(), founder(), in_the_name_of(root())] {
        world.forbidden(actor.clone(), add(None));
        world.forbidden(actor.clone(), change(ClientSecretChange::Keep));
        world.forbidden(actor, RemoveProvider { provider: acme_id() });
    }
}

#[test]
fn a_secret_that_is_none_is_refused_and_not_repeated() {
    let world = World::new();
    for text in ["", "hunter2\n", &"hunter2".repeat(1_000)] {
        let refused = world.refused(root(), add(Some(text)));
        assert!(matches!(refused, Refused::Invalid(_)), "{refused:?}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }
}

#[test]
fn the_secret_lies_in_the_vault_and_the_event_says_where() {
    let world = World::new();
    world.done(root(), add(Some("hunter2")));
    let first = named(&world).unwrap();
    assert_eq!(world.vault.kept(first).as_deref(), Some("hunter2"));
    world.done(root(), change(ClientSecretChange::Keep));
    assert_eq!(named(&world), Some(first));
    let other = ClientSecretChange::Replace(PresentedSecret::new("correct horse".to_owned()));
    world.done(root(), change(other));
    assert_eq!(world.vault.kept(named(&world).unwrap()).as_deref(), Some("correct horse"));
    world.done(root(), change(ClientSecretChange::Remove));
    assert_eq!(named(&world), None);
}
