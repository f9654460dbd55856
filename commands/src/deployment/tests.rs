//! Refusals first.

use domain::deployment::{DeploymentError, DeploymentEvent};
use domain::event::Event;
use domain::value::{KeyText, KeyThumbprint, Position, PublicJwk, Role, SigningAlgorithm, Slug};

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError, Credential, Refused};

fn bootstrap() -> Bootstrap {
    Bootstrap {
        organization_slug: Slug::parse("hakone").unwrap(),
        organization_name: name("Hakone"),
        owner_name: Some(name("Mika")),
        owner_email: None,
    }
}

fn maintenance() -> StartMaintenance {
    StartMaintenance { until: Some(noon().plus_seconds(60)), allowed: [].into() }
}

#[test]
fn only_a_founder_sets_the_deployment_up() {
    let world = World::new();
    for actor in [root(), acme(OWNER)] {
        world.forbidden(actor, bootstrap());
    }
}

#[test]
fn it_is_set_up_once() {
    let world = World::empty();
    world.done(founder(), bootstrap());
    let second = Bootstrap { organization_slug: Slug::parse("other").unwrap(), ..bootstrap() };
    let refused = world.refused(founder(), second);
    assert!(matches!(refused, Refused::Deployment(DeploymentError::Exists)), "{refused:?}");
}

#[test]
fn of_two_founders_at_once_one_is_refused() {
    let world = World::empty();
    world.log.ambush(|log| {
        log.given::<domain::deployment::Deployment>(
            domain::value::DeploymentId,
            vec![DeploymentEvent::Bootstrapped { administrator: ROOT }],
        );
    });
    let error = world.block_on(world.ask(founder(), bootstrap())).unwrap_err();
    assert!(
        matches!(error, CarryOutError::Refused(Refused::Deployment(DeploymentError::Exists))),
        "{error:?}"
    );
    assert_eq!(world.log.events().len(), 1);
}

#[test]
fn only_its_administrators_start_and_end_maintenance() {
    let world = World::new();
    for actor in [acme(OWNER), rival(), impostor(), founder()] {
        world.forbidden(actor.clone(), maintenance());
        world.forbidden(actor.clone(), EndMaintenance);
        let (projection, reason) = (name("directory"), name("fixed"));
        let position = Position::new(7);
        world.forbidden(
            actor.clone(),
            RetryParked { projection: projection.clone(), position, reason: reason.clone() },
        );
        world.forbidden(actor, SkipParked { projection, position, reason });
    }
}

#[test]
fn maintenance_that_is_over_does_not_start() {
    let world = World::new();
    let refused = world.refused(root(), StartMaintenance { until: Some(noon()), allowed: [].into() });
    assert!(matches!(refused, Refused::Deployment(DeploymentError::EndNotInFuture)), "{refused:?}");
}

#[test]
fn the_founder_gets_a_deployment_an_organization_and_a_key_in_one_unit() {
    let world = World::empty();
    let (answer, did) = world.done(founder(), bootstrap());
    let names: Vec<_> = did.iter().map(|event| (event.name().0, event.name().1)).collect();
    assert_eq!(
        names,
        [
            ("deployment", "bootstrapped"),
            ("user", "registered"),
            ("organization", "created"),
            ("organization", "member_added"),
            ("api_key", "issued"),
        ]
    );
    assert_eq!(KeyText::parse(answer.key.reveal()).unwrap().id(), answer.api_key);
    let Event::ApiKey(domain::api_key::ApiKeyEvent::Issued { scopes, principal, organization, .. }) = &did[4]
    else {
        panic!("{did:?}")
    };
    assert_eq!((*principal, *organization), (answer.user, answer.organization));
    assert_eq!(
        *scopes,
        crate::testing::scopes(&[
            "org:read",
            "org:write",
            "keys:write",
            "clients:write",
            "audit:read",
            "mcp:admin"
        ])
    );
    let credential = Credential::ApiKey(answer.api_key);
    let as_owner = Actor { credential, ..member(answer.user, answer.organization) };
    let add = crate::organization::ChangeRole {
        organization: answer.organization,
        user: answer.user,
        role: Role::Owner,
    };
    world.done(as_owner, add);
}

#[test]
fn the_administrator_starts_and_ends_maintenance() {
    let world = World::new();
    let (.., did) = world.done(root(), maintenance());
    let until = Some(noon().plus_seconds(60));
    assert_eq!(did, [DeploymentEvent::MaintenanceStarted { until, allowed: [].into() }.into()]);
    let (.., did) = world.done(root(), EndMaintenance);
    assert_eq!(did, [DeploymentEvent::MaintenanceEnded {}.into()]);
}

#[test]
fn an_administrator_orders_parked_events_and_says_why() {
    let world = World::new();
    let (projection, position, reason) = (name("directory"), Position::new(7), name("fixed"));
    let (.., did) =
        world.done(root(), RetryParked { projection: projection.clone(), position, reason: reason.clone() });
    let retried = DeploymentEvent::ParkedEventRetried {
        projection: projection.clone(),
        position,
        reason: reason.clone(),
    };
    assert_eq!(did, [retried.into()]);
    let at_the_command_line = Actor { credential: Credential::CommandLine, ..founder() };
    let skip = SkipParked { projection: projection.clone(), position, reason: reason.clone() };
    let (.., did) = world.done(at_the_command_line, skip);
    assert_eq!(did, [DeploymentEvent::ParkedEventSkipped { projection, position, reason }.into()]);
}

fn kid(number: u32) -> KeyThumbprint {
    KeyThumbprint::parse(&format!("{number:043}")).unwrap()
}

fn add(number: u32) -> SigningKeyStep {
    let public_jwk = PublicJwk::parse(r#"{"kty":"RSA"}"#).unwrap();
    SigningKeyStep::Add { kid: kid(number), algorithm: SigningAlgorithm::Rs256, public_jwk }
}

fn activate(number: u32) -> SigningKeyStep {
    SigningKeyStep::Activate { kid: kid(number) }
}

fn retire(number: u32) -> SigningKeyStep {
    SigningKeyStep::Retire { kid: kid(number), emergency: true }
}

fn keys(steps: Vec<SigningKeyStep>) -> SigningKeys {
    SigningKeys { steps }
}

#[test]
fn keys_are_moved_by_the_schedule_and_by_operators_alone() {
    let world = World::new();
    for actor in [acme(OWNER), impostor(), Actor::signed_in(ROOT), Actor::client(MEMBERS_APP)] {
        world.forbidden(actor, keys(vec![add(1)]));
    }
    world.forbidden(Actor::server_about(MEMBERS_APP), keys(vec![add(1)]));
    world.forbidden(founder(), keys(vec![add(1)]));
    for actor in [Actor::schedule(), root()] {
        assert_eq!(World::new().done(actor, keys(vec![add(1)])).1.len(), 1);
    }
}

#[test]
fn steps_of_keys_are_made_all_or_none() {
    let world = World::empty();
    let refused = world.refused(Actor::schedule(), keys(vec![add(1), activate(2)]));
    assert!(matches!(refused, Refused::Deployment(DeploymentError::UnknownSigningKey)), "{refused:?}");
}

#[test]
fn in_an_emergency_the_successor_signs_in_the_same_unit() {
    let world = World::empty();
    world.done(Actor::schedule(), keys(vec![add(1), activate(1)]));
    let (.., did) = world.done(Actor::schedule(), keys(vec![add(2), activate(2), retire(1), add(3)]));
    let names: Vec<_> = did.iter().map(|event| event.name().1).collect();
    assert_eq!(
        names,
        ["signing_key_added", "signing_key_activated", "signing_key_retired", "signing_key_added"]
    );
    let rows = world.log.rows();
    let metadata = &rows.last().unwrap().metadata;
    assert_eq!((&metadata["actor"], &metadata["credential"]), (&"server".into(), &"schedule".into()));
}
