//! Refusals first.

use domain::deployment::DeploymentError;
use domain::event::Event;
use domain::organization::{Organization, OrganizationEvent};
use domain::user::UserEvent;
use domain::value::{EmailAddress, Personal, Role, SubjectId, UserId};

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError, Credential, Refused};

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

fn erase(user: UserId) -> Erase {
    Erase { user, reason: name("request 4711") }
}

fn operator() -> Actor {
    Actor { credential: Credential::CommandLine, ..founder() }
}

fn erased() -> Event {
    UserEvent::Erased { reason: name("request 4711") }.into()
}

#[test]
fn only_administrators_and_the_command_line_erase_and_nobody_themself() {
    let world = World::new();
    for actor in [acme(OWNER), acme(MEMBER), rival(), impostor(), founder(), in_the_name_of(root())] {
        world.forbidden(actor, erase(MEMBER));
    }
    world.forbidden(root(), erase(ROOT));
    world.not_found("user", root(), erase(NOBODY));
    world.not_found("user", operator(), erase(NOBODY));
}

#[test]
fn the_last_owner_of_a_team_is_erased_after_somebody_else_owns_it() {
    let world = World::new();
    let refused = world.refused(root(), erase(OWNER));
    assert!(matches!(&refused, Refused::LastOwnerOf(teams) if *teams == ["acme"]), "{refused:?}");
    world
        .log
        .given::<Organization>(ACME, vec![OrganizationEvent::RoleChanged { user: ADMIN, role: Role::Owner }]);
    let (.., did) = world.done(root(), erase(OWNER));
    assert_eq!(did, [erased(), OrganizationEvent::MemberRemoved { user: OWNER }.into()]);
}

#[test]
fn the_deployment_keeps_an_administrator() {
    let world = World::new();
    let refused = world.refused(operator(), erase(ROOT));
    assert!(matches!(refused, Refused::Deployment(DeploymentError::LastAdministrator)), "{refused:?}");
}

#[test]
fn the_log_says_so_first_and_then_the_key_is_destroyed_at_every_try() {
    let world = World::new();
    for events in [2, 0] {
        let (.., did) = world.done(operator(), erase(MEMBER));
        assert_eq!(did.len(), events);
    }
    assert_eq!(*world.log.forgotten.lock().unwrap(), [MEMBER.to_string(), MEMBER.to_string()]);
    world.not_found("user", root(), suspend(MEMBER));
}

#[test]
fn nobody_is_forgotten_when_the_log_says_nothing() {
    let world = World::new();
    world.refused(root(), erase(OWNER));
    assert!(world.log.forgotten.lock().unwrap().is_empty());
}

fn password(user: UserId) -> SetPassword {
    SetPassword { user }
}

/// Somebody whom Acme registered, and who belongs to it alone.
fn recruit(world: &World, role: Role) -> UserId {
    let (made, ..) = world.done(acme(OWNER), Register { email: None, ..register() });
    world.log.given::<Organization>(ACME, vec![OrganizationEvent::MemberAdded { user: made.id, role }]);
    made.id
}

#[test]
fn attack_17_nobody_sets_the_password_of_another_in_person_nor_their_own_by_a_key() {
    let world = World::new();
    world.forbidden(Actor::signed_in(OWNER), password(MEMBER));
    world.forbidden(root(), password(ROOT));
    world.forbidden(acme(OWNER), password(OWNER));
    for actor in
        [founder(), Actor::client(MEMBERS_APP), Actor::schedule(), impostor(), in_the_name_of(root())]
    {
        world.forbidden(actor, password(MEMBER));
    }
    world.forbidden(Actor::signed_in(SUSPENDED), password(SUSPENDED));
    world.not_found("user", root(), password(NOBODY));
    world.not_found("user", operator(), password(NOBODY));
}

#[test]
fn attack_17_a_key_that_sets_a_password_holds_every_scope() {
    let world = World::new();
    let person = recruit(&world, Role::Member);
    let some = || Some(scopes(&["org:write", "keys:write", "clients:write", "audit:read"]));
    world.forbidden(Actor { scopes: some(), ..acme(OWNER) }, password(person));
    world.forbidden(Actor { scopes: some(), ..root() }, password(person));
    let all = Some(scopes(&["org:write", "keys:write", "clients:write", "audit:read", "mcp:admin"]));
    world.done(Actor { scopes: all, ..acme(OWNER) }, password(person));
}

#[test]
fn attack_35_an_organization_sets_the_password_of_its_own_people_alone() {
    let world = World::new();
    let person = recruit(&world, Role::Member);
    world.not_found("user", rival(), password(person));
    world.not_found("user", acme(OWNER), password(STRANGER));
    world.not_found("user", acme(OWNER), password(NOBODY));
    for user in NOT_IN_COMMAND {
        world.forbidden(acme(user), password(person));
    }
    let elsewhere = vec![OrganizationEvent::MemberAdded { user: person, role: Role::Member }];
    world.done(acme(ADMIN), password(person));
    world.log.given::<Organization>(RIVAL, elsewhere);
    world.forbidden(acme(OWNER), password(person));
    world.done(root(), password(person));
}

#[test]
fn nobody_sets_the_password_of_somebody_above_them_nor_does_whoever_issued_their_key() {
    let world = World::new();
    let owner = recruit(&world, Role::Owner);
    world.forbidden(acme(ADMIN), password(owner));
    world.forbidden(Actor { issued_by: Some(ADMIN), ..acme(OWNER) }, password(owner));
    world.forbidden(Actor { issued_by: Some(STRANGER), ..acme(OWNER) }, password(owner));
    let (.., did) = world.done(acme(OWNER), password(owner));
    assert_eq!(did, of(UserEvent::PasswordSet {}));
}

#[test]
fn people_the_administrator_and_the_command_line_set_passwords() {
    let world = World::new();
    for actor in [Actor::signed_in(MEMBER), root(), operator()] {
        let (.., did) = world.done(actor, password(MEMBER));
        assert_eq!(did, of(UserEvent::PasswordSet {}));
    }
}
