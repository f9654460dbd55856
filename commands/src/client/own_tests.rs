//! What a client does about itself. Refusals first.

use domain::client::{
    ApplicationType, Client, ClientAbout, ClientEnd, ClientError, ClientEvent, ClientKind, GrantType,
    ItselfDescribed,
};
use domain::event::Event;
use domain::instance::{CallerAuthentication, Instance, InstanceEvent};
use domain::organization::{Organization, OrganizationError, OrganizationEvent};
use domain::value::{
    AssertionAlgorithm, ClientId, ClientKey, ClientKeySource, ClientKeys, KeyName, OrganizationId, PublicJwk,
    RedirectUri, SecretDigest,
};
use uuid::Uuid;

use super::*;
use crate::grant::Issue;
use crate::testing::*;
use crate::{Actor, Refused};

const OWN: ClientId = ClientId::new(Uuid::from_u128(90));

fn keys(kid: &str) -> ClientKeys {
    let public_jwk = PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap();
    let (kid, algorithm) = (KeyName::parse(kid).unwrap(), AssertionAlgorithm::EdDsa);
    ClientKeys::try_new(vec![ClientKey { kid, algorithm, public_jwk }]).unwrap()
}

fn description() -> ItselfDescribed {
    ItselfDescribed {
        name: name("Own"),
        redirect_uris: [RedirectUri::parse("http://127.0.0.1:3000/cb").unwrap()].into(),
        scopes: scopes(&["mcp:write"]),
        grant_types: [GrantType::AuthorizationCode].into(),
        about: ClientAbout {
            application_type: ApplicationType::Native,
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            software_id: None,
            software_version: None,
        },
        keys: None,
    }
}

fn register(organization: Option<OrganizationId>, proof: Proof) -> RegisterItself {
    RegisterItself { id: OWN, organization, proof, description: description() }
}

/// A client that registered itself at noon, of nobody.
fn with_own(kind: ClientKind) -> World {
    let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, keys: _ } = description();
    let world = World::new();
    let registered = ClientEvent::SelfRegistered {
        organization: None,
        client_id: OWN,
        name,
        authentication: kind.authentication(None),
        kind,
        redirect_uris,
        scopes,
        registered_by: None,
        grant_types,
        registration_token: SecretDigest::HmacSha256 { pepper: 1, hex: String::new() },
        about: Box::new(about),
        at: noon(),
    };
    world.log.given::<Client>(OWN, vec![registered]);
    world
}

fn describe() -> DescribeItself {
    DescribeItself { client: OWN, description: ItselfDescribed { name: name("New"), ..description() } }
}

fn end_unused(after_seconds: i64) -> EndUnused {
    EndUnused { client: OWN, since: noon().plus_seconds(after_seconds) }
}

#[test]
fn nobody_registers_describes_or_ends_a_client_in_its_name() {
    let world = with_own(ClientKind::Public);
    for actor in [acme(OWNER), root(), founder(), Actor::client(MEMBERS_APP), Actor::schedule()] {
        world.forbidden(actor.clone(), register(None, Proof::Nothing));
        world.forbidden(actor.clone(), describe());
        world.forbidden(actor, Leave { client: OWN });
    }
    for actor in [acme(OWNER), root(), founder(), Actor::client(OWN)] {
        world.forbidden(actor, end_unused(0));
    }
}

#[test]
fn leave_to_register_is_given_by_who_could_register_one() {
    let world = World::new();
    world.forbidden(Actor::client(OWN), register(Some(ACME), Proof::Nothing));
    world.forbidden(acme(AUDITOR), register(Some(ACME), Proof::Nothing));
    world.not_found("organization", rival(), register(Some(ACME), Proof::Nothing));
}

#[test]
fn a_client_that_somebody_registered_does_not_change_itself() {
    let world = World::new();
    let itself = Actor::client(MEMBERS_APP);
    let refused = world.refused(itself.clone(), DescribeItself { client: MEMBERS_APP, ..describe() });
    assert!(matches!(refused, Refused::Client(ClientError::NotItsOwn)), "{refused:?}");
    let refused = world.refused(itself, Leave { client: MEMBERS_APP });
    assert!(matches!(refused, Refused::Client(ClientError::NotItsOwn)), "{refused:?}");
}

#[test]
fn a_client_of_a_suspended_organization_neither_describes_itself_nor_leaves() {
    let world = World::new();
    let mut actor = acme(MEMBER);
    actor.scopes = Some(scopes(&["clients:write"]));
    world.done(actor, register(Some(ACME), Proof::Nothing));
    world.log.given::<Organization>(ACME, vec![OrganizationEvent::Suspended { reason: name("unpaid") }]);
    let refused = world.refused(Actor::client(OWN), describe());
    assert!(matches!(refused, Refused::Organization(OrganizationError::Suspended)), "{refused:?}");
    let refused = world.refused(Actor::client(OWN), Leave { client: OWN });
    assert!(matches!(refused, Refused::Organization(OrganizationError::Suspended)), "{refused:?}");
}

#[test]
fn keys_are_replaced_by_who_answers_for_the_client_and_only_where_there_are_some() {
    let world = World::new();
    let replace = |client| ReplaceKeys { organization: ACME, client, keys: ClientKeySource::Sent(keys("b")) };
    world.not_found("client", acme(OWNER), replace(FOREIGN_APP));
    world.forbidden(acme(COLLEAGUE), replace(MEMBERS_APP));
    let refused = world.refused(acme(MEMBER), replace(MEMBERS_APP));
    assert!(matches!(refused, Refused::Client(ClientError::NoKeys)), "{refused:?}");
}

#[test]
fn it_is_shown_its_token_and_its_secret_once_and_of_both_a_digest_is_kept() {
    let world = World::new();
    let (answer, did) = world.done(Actor::client(OWN), register(None, Proof::SecretPost));
    assert!(answer.token.reveal().starts_with("rat_"));
    assert!(answer.secret.unwrap().reveal().starts_with("cs_"));
    let Event::Client(ClientEvent::SelfRegistered {
        organization, registered_by, registration_token, ..
    }) = &did[0]
    else {
        panic!("{did:?}")
    };
    assert_eq!((*organization, *registered_by), (None, None));
    assert!(matches!(registration_token, SecretDigest::HmacSha256 { .. }));
}

#[test]
fn with_leave_of_an_organization_it_is_that_organizations_whatever_the_scopes_of_the_leave() {
    let world = World::new();
    let mut actor = acme(MEMBER);
    actor.scopes = Some(scopes(&["clients:write"]));
    let (answer, did) =
        world.done(actor, register(Some(ACME), Proof::Keys(ClientKeySource::Sent(keys("a")))));
    assert!(answer.secret.is_none());
    let Event::Client(ClientEvent::SelfRegistered { organization, registered_by, kind, .. }) = &did[0] else {
        panic!("{did:?}")
    };
    assert_eq!((*organization, *registered_by), (Some(ACME), Some(MEMBER)));
    assert_eq!(*kind, ClientKind::Keyed { keys: keys("a") });
}

#[test]
fn one_that_somebody_let_act_is_not_ended_however_long_ago_that_was() {
    let world = with_own(ClientKind::Public);
    let authentication = CallerAuthentication::Oauth;
    world.log.given::<Instance>(DESK, vec![InstanceEvent::AuthenticationChanged { authentication }]);
    let issue =
        || Issue { client: OWN, instance: DESK, scopes: scopes(&["mcp:read"]), expires_at: None, seen: None };
    let (_, did) = world.done(Actor::signed_in(MEMBER), issue());
    assert_eq!(did[0], ClientEvent::FirstUsed {}.into());
    let (_, did) = world.done(Actor::signed_in(COLLEAGUE), issue());
    assert!(!did.contains(&ClientEvent::FirstUsed {}.into()), "told once: {did:?}");
    let ((), did) = world.done(Actor::schedule(), end_unused(1_000_000));
    assert_eq!(did, []);
}

#[test]
fn one_that_nobody_let_act_is_ended_once_its_time_is_over() {
    let world = with_own(ClientKind::Public);
    let ((), did) = world.done(Actor::schedule(), end_unused(-1));
    assert_eq!(did, []);
    let gone = ClientEvent::Deleted { reason: Some(ClientEnd::Unused) };
    let ((), did) = world.done(Actor::schedule(), end_unused(0));
    assert_eq!(did, [gone.into()]);
    let ((), did) = world.done(Actor::schedule(), end_unused(0));
    assert_eq!(did, [], "another node was faster");
}

#[test]
fn it_leaves_and_leaving_twice_is_no_mistake() {
    let world = with_own(ClientKind::Public);
    let gone = ClientEvent::Deleted { reason: Some(ClientEnd::ByItself) };
    let ((), did) = world.done(Actor::client(OWN), Leave { client: OWN });
    assert_eq!(did, [gone.into()]);
    let ((), did) = world.done(Actor::client(OWN), Leave { client: OWN });
    assert_eq!(did, []);
}

#[test]
fn one_that_is_nobodys_is_ended_by_administrators_of_the_deployment_and_one_of_somebody_is_not_reached_so() {
    let world = with_own(ClientKind::Public);
    let (organization, client, reason) = (None, OWN, name("abuse"));
    for actor in [acme(OWNER), founder(), Actor::client(OWN), Actor::schedule()] {
        world.forbidden(actor.clone(), Disable { organization, client, reason: reason.clone() });
        world.forbidden(actor.clone(), Enable { organization, client });
        world.forbidden(actor.clone(), Delete { organization, client });
        world.forbidden(actor, RevokeRegistrationToken { organization, client });
    }
    world.not_found("client", acme(OWNER), Delete { organization: Some(ACME), client });
    for client in [MEMBERS_APP, NO_APP] {
        world.not_found("client", root(), Delete { organization, client });
    }
    let ((), did) = world.done(root(), Disable { organization, client, reason: reason.clone() });
    assert_eq!(did, [ClientEvent::Disabled { reason }.into()]);
    let ((), did) = world.done(root(), Enable { organization, client });
    assert_eq!(did, [ClientEvent::Enabled {}.into()]);
    let ((), did) = world.done(root(), RevokeRegistrationToken { organization, client });
    assert_eq!(did, [ClientEvent::RegistrationTokenRevoked {}.into()]);
    let refused = world.refused(Actor::client(OWN), describe());
    assert!(matches!(refused, Refused::Client(ClientError::TakenOver)), "{refused:?}");
    let ((), did) = world.done(root(), Delete { organization, client });
    assert_eq!(did, [ClientEvent::Deleted { reason: None }.into()]);
}
