//! Refusals first.

use domain::event::Event;
use domain::user::UserEvent;
use domain::value::{EmailAddress, Personal, SubjectId, UserId};

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError};

fn mika() -> EmailAddress {
    EmailAddress::parse("mika@example.com").unwrap()
}

fn register() -> Register {
    Register { email: Some(mika()), name: Some(name("Mika")), picture: None }
}

fn change_email(user: UserId) -> ChangeEmail {
    ChangeEmail { user, email: Some(mika()) }
}

fn change_profile(user: UserId) -> ChangeProfile {
    ChangeProfile { user, name: Some(name("Mika")), picture: None }
}

fn suspend(user: UserId) -> Suspend {
    Suspend { user, reason: name("leak") }
}

fn of(event: UserEvent) -> Vec<Event> {
    vec![event.into()]
}

#[test]
fn nobody_changes_another_users_address_by_a_role_in_an_organization() {
    let world = World::new();
    for actor in [acme(OWNER), acme(ADMIN), acme(COLLEAGUE), rival(), impostor(), founder()] {
        for user in [MEMBER, NOBODY] {
            world.forbidden(actor.clone(), change_email(user));
            world.forbidden(actor.clone(), change_profile(user));
        }
    }
}

#[test]
fn only_administrators_of_the_deployment_suspend_and_delete() {
    let world = World::new();
    for actor in [acme(OWNER), acme(MEMBER), rival(), impostor(), founder()] {
        world.forbidden(actor.clone(), suspend(MEMBER));
        world.forbidden(actor.clone(), Resume { user: SUSPENDED });
        world.forbidden(actor, Delete { user: MEMBER });
    }
}

#[test]
fn a_key_that_somebody_else_issued_neither_administers_nor_changes_the_person() {
    let world = World::new();
    world.forbidden(in_the_name_of(root()), suspend(MEMBER));
    world.forbidden(in_the_name_of(root()), register());
    world.forbidden(in_the_name_of(root()), change_email(ROOT));
    world.forbidden(in_the_name_of(acme(MEMBER)), change_email(MEMBER));
    world.forbidden(in_the_name_of(acme(MEMBER)), change_profile(MEMBER));
}

#[test]
fn those_who_command_nothing_register_nobody() {
    let world = World::new();
    let not_in_command = NOT_IN_COMMAND.map(acme);
    for actor in not_in_command.into_iter().chain([impostor(), founder(), member(SUSPENDED, ACME)]) {
        world.forbidden(actor, register());
    }
    world.not_found("organization", member(NEWCOMER, ACME), register());
}

#[test]
fn whoever_was_never_registered_is_not_found() {
    let world = World::new();
    world.not_found("user", root(), change_email(NOBODY));
    world.not_found("user", root(), change_profile(NOBODY));
    world.not_found("user", root(), suspend(NOBODY));
    world.not_found("user", root(), Resume { user: NOBODY });
    world.not_found("user", root(), Delete { user: NOBODY });
}

#[test]
fn the_deployment_never_loses_its_last_administrator() {
    let world = World::new();
    world.forbidden(root(), suspend(ROOT));
    world.forbidden(root(), Delete { user: ROOT });
}

#[test]
fn an_address_has_one_owner() {
    let world = World::new();
    world.done(root(), register());
    let error = world.failed(acme(MEMBER), change_email(MEMBER));
    assert!(matches!(error, CarryOutError::Taken(domain::ClaimScope::Email)), "{error:?}");
}

#[test]
fn administrators_owners_and_admins_register_people() {
    for (actor, registered_in) in [(root(), None), (acme(OWNER), Some(ACME)), (acme(ADMIN), Some(ACME))] {
        let world = World::new();
        let (registered, did) = world.done(actor, register());
        let subject = SubjectId::from(registered.id);
        let expected = UserEvent::Registered {
            email: Some(Personal::new(subject, mika())),
            name: Some(Personal::new(subject, name("Mika"))),
            picture: None,
            registered_in,
        };
        assert_eq!(did, of(expected));
    }
}

#[test]
fn everybody_changes_their_own_address_and_administrators_everybodys() {
    let by = |actor: Actor| {
        let world = World::new();
        let (.., did) = world.done(actor.clone(), change_email(MEMBER));
        assert_eq!(did, of(UserEvent::EmailChanged { email: Some(Personal::new(MEMBER.into(), mika())) }));
        let (.., did) = world.done(actor, change_profile(MEMBER));
        let name = Some(Personal::new(MEMBER.into(), name("Mika")));
        assert_eq!(did, of(UserEvent::ProfileChanged { name, picture: None }));
    };
    by(acme(MEMBER));
    by(root());
}

#[test]
fn an_administrator_suspends_resumes_and_deletes() {
    let world = World::new();
    let (.., did) = world.done(root(), suspend(MEMBER));
    assert_eq!(did, of(UserEvent::Suspended { reason: name("leak") }));
    let (.., did) = world.done(root(), Resume { user: MEMBER });
    assert_eq!(did, of(UserEvent::Resumed {}));
    let (.., did) = world.done(root(), Delete { user: MEMBER });
    assert_eq!(did, of(UserEvent::Deleted {}));
    world.not_found("user", root(), Delete { user: MEMBER });
}
