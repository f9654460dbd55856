//! People who come from identity providers. Refusals first.

use domain::event::Event;
use domain::user::{UserError, UserEvent};
use domain::value::{EmailAddress, Issuer, ProviderSubject, UserId};
use uuid::Uuid;

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError, Refused};

const FIRST: UserId = UserId::new(Uuid::from_u128(0xabc));

fn issuer() -> Issuer {
    Issuer::parse("https://id.example.com").unwrap()
}

fn subject() -> ProviderSubject {
    ProviderSubject::parse("248289761001").unwrap()
}

fn visit(email: Option<&str>) -> Visit {
    let email = email.map(|text| EmailAddress::parse(text).unwrap());
    Visit { issuer: issuer(), subject: subject(), email, name: Some(name("Mika")) }
}

fn link() -> LinkIdentity {
    LinkIdentity { issuer: issuer(), subject: subject() }
}

#[test]
fn no_key_and_no_administrator_chooses_how_somebody_signs_in() {
    let world = World::new();
    for actor in [acme(OWNER), root(), founder(), impostor(), Actor::schedule()] {
        world.forbidden(actor.clone(), visit(None));
        world.forbidden(actor.clone(), link());
        world.forbidden(actor, UnlinkIdentities { issuer: issuer() });
    }
}

#[test]
fn only_the_server_itself_notes_that_a_provider_does_not_answer() {
    let world = World::new();
    for actor in [acme(OWNER), root(), founder(), Actor::signed_in(MEMBER)] {
        let begin = BeginFallback { user: MEMBER, issuer: issuer(), vouched_at: noon() };
        world.forbidden(actor.clone(), begin);
        world.forbidden(actor, EndFallback { user: MEMBER, issuer: issuer() });
    }
}

#[test]
fn attack_08_an_address_that_somebody_has_leads_a_newcomer_to_nobody() {
    let world = World::new();
    let taken = EmailAddress::parse("mika@example.com").unwrap();
    world.done(Actor::signed_in(MEMBER), ChangeEmail { user: MEMBER, email: Some(taken) });
    let (visited, events) = world.done(Actor::signed_in(FIRST), visit(Some("mika@example.com")));
    assert_eq!(visited, Visited { user: FIRST });
    let nameless = |event: &Event| matches!(event, Event::User(UserEvent::Registered { email: None, .. }));
    assert!(events.iter().any(nameless), "{events:?}");
}

#[test]
fn whoever_comes_a_second_time_is_who_they_were() {
    let world = World::new();
    world.done(Actor::signed_in(FIRST), visit(Some("mika@example.com")));
    let again = UserId::new(Uuid::from_u128(0xdef));
    let (visited, events) = world.done(Actor::signed_in(again), visit(None));
    assert_eq!((visited, events), (Visited { user: FIRST }, vec![]));
}

#[test]
fn attack_08_an_identity_of_somebody_else_is_not_linked() {
    let world = World::new();
    world.done(Actor::signed_in(FIRST), visit(None));
    let error = world.block_on(world.ask(Actor::signed_in(MEMBER), link())).unwrap_err();
    assert!(matches!(error, CarryOutError::Taken(domain::ClaimScope::Identity)), "{error:?}");
}

#[test]
fn all_identities_at_a_provider_are_unlinked_but_not_the_last_way_in() {
    let world = World::new();
    world.done(Actor::signed_in(MEMBER), link());
    let refused = world.refused(Actor::signed_in(MEMBER), UnlinkIdentities { issuer: issuer() });
    assert!(matches!(refused, Refused::User(UserError::LastWayIn)), "{refused:?}");
    world.done(Actor::signed_in(MEMBER), SetPassword { user: MEMBER });
    world.done(Actor::signed_in(MEMBER), UnlinkIdentities { issuer: issuer() });
    world.done(Actor::signed_in(FIRST), visit(None));
}
