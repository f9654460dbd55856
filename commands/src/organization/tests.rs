//! Refusals first.

use domain::api_key::ApiKeyEvent;
use domain::event::Event;
use domain::organization::{Organization, OrganizationError, OrganizationEvent};
use domain::value::{OrganizationId, Role, Slug};

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError, Refused};

fn rename(organization: OrganizationId) -> Rename {
    Rename { organization, name: name("Acme 2") }
}

fn change_slug() -> ChangeSlug {
    ChangeSlug { organization: ACME, slug: Slug::parse("acme-2").unwrap() }
}

fn add_newcomer() -> AddMember {
    AddMember { organization: ACME, user: NEWCOMER, role: Role::Member }
}

fn promote_member() -> ChangeRole {
    ChangeRole { organization: ACME, user: MEMBER, role: Role::Admin }
}

fn suspend() -> Suspend {
    Suspend { organization: ACME, reason: name("unpaid") }
}

fn of(event: OrganizationEvent) -> Vec<Event> {
    vec![event.into()]
}

#[test]
fn another_organization_is_not_found_whatever_is_asked_of_it() {
    let world = World::new();
    // The last one is a member here, but shows a credential for elsewhere.
    for actor in [rival, || member(NEWCOMER, ACME), || member(OWNER, RIVAL)] {
        world.not_found("organization", actor(), rename(ACME));
        world.not_found("organization", actor(), change_slug());
        world.not_found("organization", actor(), add_newcomer());
        world.not_found("organization", actor(), promote_member());
        world.not_found("organization", actor(), RemoveMember { organization: ACME, user: MEMBER });
        world.not_found("organization", actor(), Delete { organization: ACME });
    }
    world.not_found("organization", root(), rename(NO_ORGANIZATION));
    world.not_found("organization", root(), Suspend { organization: NO_ORGANIZATION, reason: name("x") });
}

#[test]
fn only_owners_rename_and_delete_it() {
    let world = World::new();
    for user in NOT_OWNERS {
        world.forbidden(acme(user), rename(ACME));
        world.forbidden(acme(user), change_slug());
        world.forbidden(acme(user), Delete { organization: ACME });
    }
}

#[test]
fn only_owners_and_admins_change_who_belongs_to_it() {
    let world = World::new();
    for user in NOT_IN_COMMAND {
        world.forbidden(acme(user), add_newcomer());
        world.forbidden(acme(user), promote_member());
        world.forbidden(acme(user), RemoveMember { organization: ACME, user: ADMIN });
    }
}

#[test]
fn an_admin_reaches_nobody_above() {
    let world = World::new();
    let make_owner = AddMember { organization: ACME, user: NEWCOMER, role: Role::Owner };
    for refused in [
        world.refused(acme(ADMIN), make_owner),
        world.refused(acme(ADMIN), ChangeRole { organization: ACME, user: MEMBER, role: Role::Owner }),
        world.refused(acme(ADMIN), RemoveMember { organization: ACME, user: OWNER }),
    ] {
        assert!(matches!(refused, Refused::Organization(OrganizationError::AboveOwnRole)), "{refused:?}");
    }
}

#[test]
fn only_administrators_of_the_deployment_suspend_it() {
    let world = World::new();
    for actor in [acme(OWNER), impostor(), founder()] {
        world.forbidden(actor.clone(), suspend());
        world.forbidden(actor, Resume { organization: ACME });
    }
}

#[test]
fn whoever_does_not_exist_or_is_suspended_cannot_be_added() {
    let world = World::new();
    for user in [NOBODY, SUSPENDED] {
        world.not_found("user", acme(OWNER), AddMember { organization: ACME, user, role: Role::Member });
    }
}

#[test]
fn only_an_administrator_takes_in_whom_the_organization_did_not_register() {
    let world = World::new();
    let add = |user| AddMember { organization: ACME, user, role: Role::Member };
    let set = |user| SetRole { organization: ACME, user, role: Role::Member };
    for user in [ROOT, STRANGER] {
        world.not_found("user", acme(OWNER), add(user));
        world.not_found("user", acme(OWNER), set(user));
        world.forbidden(in_the_name_of(root()), set(user));
    }
    world.done(root(), set(ROOT));
    world.forbidden(in_the_name_of(member(ROOT, ACME)), set(STRANGER));
    world.done(root(), ChangeRole { organization: ACME, user: ROOT, role: Role::Owner });
    world.not_found("user", in_the_name_of(member(ROOT, ACME)), set(STRANGER));
    world.done(member(ROOT, ACME), set(STRANGER));
}

#[test]
fn the_first_key_of_a_team_is_no_more_than_the_key_it_was_asked_for_with() {
    let world = World::new();
    let end = Some(noon().plus_seconds(60));
    let asking = Actor { until: end, ..in_the_name_of(acme(MEMBER)) };
    let (_, did) = world.done(asking, CreateTeam { slug: Slug::parse("mine").unwrap(), name: name("Mine") });
    let Event::ApiKey(ApiKeyEvent::Issued { issued_by, expires_at, .. }) = &did[2] else {
        panic!("no first key: {did:?}")
    };
    assert_eq!((*issued_by, *expires_at), (COLLEAGUE, end));
}

#[test]
fn somebody_who_is_suspended_asks_for_nothing() {
    let world = World::new();
    let team = || CreateTeam { slug: Slug::parse("mine").unwrap(), name: name("Mine") };
    world.forbidden(member(SUSPENDED, ACME), rename(ACME));
    world.forbidden(member(SUSPENDED, ACME), team());
    world.forbidden(founder(), team());
}

#[test]
fn the_log_knows_better_than_the_edge_that_a_member_was_removed() {
    let world = World::new();
    world.done(acme(OWNER), RemoveMember { organization: ACME, user: ADMIN });
    world.not_found("organization", acme(ADMIN), add_newcomer());
}

#[test]
fn a_suspended_organization_refuses_its_members_and_can_be_ended_from_above() {
    let world = World::new();
    world.done(root(), suspend());
    for refused in [
        world.refused(acme(OWNER), rename(ACME)),
        world.refused(acme(OWNER), Delete { organization: ACME }),
        world.refused(root(), rename(ACME)),
        world.refused(root(), crate::instance::Start { organization: ACME, instance: DESK }),
    ] {
        assert!(matches!(refused, Refused::Organization(OrganizationError::Suspended)), "{refused:?}");
    }
    let (.., did) = world.done(root(), Resume { organization: ACME });
    assert_eq!(did, of(OrganizationEvent::Resumed {}));
    world.done(root(), suspend());
    world.done(root(), Delete { organization: ACME });
    world.not_found("organization", root(), Resume { organization: ACME });
}

#[test]
fn a_slug_has_one_owner() {
    let world = World::new();
    let team = || CreateTeam { slug: Slug::parse("unique").unwrap(), name: name("Mine") };
    world.done(acme(MEMBER), team());
    let error = world.failed(acme(MEMBER), team());
    assert!(matches!(error, CarryOutError::Taken(domain::ClaimScope::Slug)), "{error:?}");
}

#[test]
fn whoever_makes_a_team_owns_it() {
    let world = World::new();
    let team = CreateTeam { slug: Slug::parse("mine").unwrap(), name: name("Mine") };
    let asking = Actor { scopes: Some(scopes(&["org:write"])), ..acme(VIEWER) };
    let (made, did) = world.done(asking, team);
    assert_eq!(did.len(), 3);
    let Event::ApiKey(ApiKeyEvent::Issued { organization, scopes: held, principal, .. }) = &did[2] else {
        panic!("no first key: {did:?}")
    };
    assert_eq!((*organization, *principal), (made.id, VIEWER));
    assert_eq!(*held, scopes(&["org:read", "org:write"]), "no more than the key it was asked for with");
    assert_eq!(did[1], OrganizationEvent::MemberAdded { user: VIEWER, role: Role::Owner }.into());
    world.done(member(VIEWER, made.id), rename(made.id));
}

#[test]
fn owners_and_the_administrator_rename_it() {
    let world = World::new();
    let (.., did) = world.done(acme(OWNER), rename(ACME));
    assert_eq!(did, of(OrganizationEvent::Renamed { name: name("Acme 2") }));
    let (.., did) = world.done(root(), change_slug());
    assert_eq!(did, of(OrganizationEvent::SlugChanged { slug: Slug::parse("acme-2").unwrap() }));
    let (.., did) = world.done(acme(OWNER), Delete { organization: ACME });
    assert_eq!(did, of(OrganizationEvent::Deleted {}));
}

#[test]
fn whoever_is_no_member_cannot_be_let_go() {
    let world = World::new();
    for user in [NEWCOMER, STRANGER, NOBODY] {
        world.not_found("member", acme(OWNER), RemoveMember { organization: ACME, user });
    }
}

#[test]
fn members_come_change_and_go() {
    let world = World::new();
    let (.., did) = world.done(acme(ADMIN), add_newcomer());
    assert_eq!(did, of(OrganizationEvent::MemberAdded { user: NEWCOMER, role: Role::Member }));
    let (.., did) = world.done(acme(ADMIN), promote_member());
    assert_eq!(did, of(OrganizationEvent::RoleChanged { user: MEMBER, role: Role::Admin }));
    let (.., did) = world.done(acme(ADMIN), RemoveMember { organization: ACME, user: NEWCOMER });
    assert_eq!(did, of(OrganizationEvent::MemberRemoved { user: NEWCOMER }));
    let (.., did) = world.done(acme(VIEWER), RemoveMember { organization: ACME, user: VIEWER });
    assert_eq!(did, of(OrganizationEvent::MemberRemoved { user: VIEWER }));
}

#[test]
fn an_update_that_changes_nothing_at_all_is_refused() {
    let nothing = Update { organization: ACME, name: None, slug: None };
    assert!(matches!(World::new().refused(acme(OWNER), nothing), Refused::Invalid(_)));
}

#[test]
fn an_update_changes_name_and_slug_together_or_neither() {
    let world = World::new();
    let update = |slug: &str| Update {
        organization: ACME,
        name: Some(name("Acme 2")),
        slug: Some(Slug::parse(slug).unwrap()),
    };
    world.forbidden(acme(ADMIN), update("acme-2"));
    assert!(matches!(
        world.refused(acme(OWNER), update("@acme")),
        Refused::Organization(OrganizationError::SlugOfOtherKind)
    ));
    let ((), events) = world.done(acme(OWNER), update("acme-2"));
    assert_eq!(
        events,
        vec![
            OrganizationEvent::Renamed { name: name("Acme 2") }.into(),
            OrganizationEvent::SlugChanged { slug: Slug::parse("acme-2").unwrap() }.into(),
        ]
    );
}

#[test]
fn a_role_is_set_for_newcomers_and_for_members() {
    let world = World::new();
    let set = |user, role| SetRole { organization: ACME, user, role };
    world.forbidden(acme(MEMBER), set(NEWCOMER, Role::Member));
    let ((), events) = world.done(acme(ADMIN), set(NEWCOMER, Role::Member));
    assert_eq!(events, of(OrganizationEvent::MemberAdded { user: NEWCOMER, role: Role::Member }));
    let ((), events) = world.done(acme(ADMIN), set(MEMBER, Role::Viewer));
    assert_eq!(events, of(OrganizationEvent::RoleChanged { user: MEMBER, role: Role::Viewer }));
}

#[test]
fn nobody_gets_an_organization_of_their_own_by_a_key() {
    let world = World::new();
    for actor in [acme(MEMBER), root(), founder(), Actor::client(MEMBERS_APP), Actor::schedule()] {
        world.forbidden(actor, CreatePersonal);
    }
    world.forbidden(Actor::signed_in(SUSPENDED), CreatePersonal);
}

#[test]
fn whoever_belongs_to_none_gets_one_of_their_own_once_and_nothing_personal_is_in_its_name() {
    let world = World::new();
    let (made, did) = world.done(Actor::signed_in(NEWCOMER), CreatePersonal);
    let made = made.expect("it was made");
    assert_eq!(made.id.uuid(), NEWCOMER.uuid());
    assert_eq!(made.slug.as_str(), "@user-000000000011");
    assert_eq!(did.len(), 2);
    assert_eq!(did[1], OrganizationEvent::MemberAdded { user: NEWCOMER, role: Role::Owner }.into());
    let (again, did) = world.done(Actor::signed_in(NEWCOMER), CreatePersonal);
    assert_eq!((again, did.len()), (None, 0));
    let (none, did) = world.done(Actor::signed_in(MEMBER), CreatePersonal);
    assert_eq!((none, did.len()), (None, 0), "a member of a team has one");
}

#[test]
fn an_organization_of_ones_own_that_was_deleted_is_not_made_again() {
    let world = World::new();
    let (made, ..) = world.done(Actor::signed_in(NEWCOMER), CreatePersonal);
    world.log.given::<Organization>(made.unwrap().id, vec![OrganizationEvent::Deleted {}]);
    let refused = world.refused(Actor::signed_in(NEWCOMER), CreatePersonal);
    assert!(matches!(refused, Refused::Organization(OrganizationError::Exists)), "{refused:?}");
}
