//! Refusals first.

use uuid::Uuid;

use super::{
    Organization, OrganizationCommand as Ask, OrganizationError as No, OrganizationEvent as Did,
    OrganizationKind,
};
use crate::given::{Given, given};
use crate::value::{DisplayName, Role, Slug, UserId};

const ANN: UserId = UserId::new(Uuid::from_u128(1));
const BEN: UserId = UserId::new(Uuid::from_u128(2));
const CAT: UserId = UserId::new(Uuid::from_u128(3));

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn team(then: Vec<Did>) -> Given<Organization> {
    let mut past = vec![
        Did::Created { kind: OrganizationKind::Team, slug: slug("acme"), name: name("Acme") },
        Did::MemberAdded { user: ANN, role: Role::Owner },
    ];
    past.extend(then);
    given(past)
}

fn create(kind: OrganizationKind, slug_text: &str) -> Ask {
    Ask::Create { kind, slug: slug(slug_text), name: name("Acme"), owner: ANN }
}

#[test]
fn an_organization_that_does_not_exist_refuses_everything() {
    let nothing = given::<Organization>(vec![]);
    nothing.when(Ask::Rename { name: name("X") }).refused(&No::Unknown);
    nothing.when(Ask::Delete).refused(&No::Unknown);
    nothing.when(Ask::Resume).refused(&No::Unknown);
}

#[test]
fn it_cannot_be_created_twice() {
    team(vec![]).when(create(OrganizationKind::Team, "acme")).refused(&No::Exists);
}

#[test]
fn the_slug_tells_personal_from_team() {
    let nothing = given::<Organization>(vec![]);
    nothing.when(create(OrganizationKind::Team, "@ann")).refused(&No::SlugOfOtherKind);
    nothing.when(create(OrganizationKind::Personal, "ann")).refused(&No::SlugOfOtherKind);
}

#[test]
fn the_last_owner_cannot_leave_or_be_demoted() {
    team(vec![]).when(Ask::RemoveMember { user: ANN, removed_by: Some(ANN) }).refused(&No::LastOwner);
    let demote = Ask::ChangeRole { user: ANN, role: Role::Admin, granted_by: Some(ANN) };
    team(vec![]).when(demote).refused(&No::LastOwner);
}

#[test]
fn an_admin_can_neither_make_nor_unmake_an_owner() {
    let org = team(vec![Did::MemberAdded { user: BEN, role: Role::Admin }]);
    org.when(Ask::AddMember { user: CAT, role: Role::Owner, granted_by: Some(BEN) })
        .refused(&No::AboveOwnRole);
    org.when(Ask::ChangeRole { user: ANN, role: Role::Member, granted_by: Some(BEN) })
        .refused(&No::AboveOwnRole);
    org.when(Ask::RemoveMember { user: ANN, removed_by: Some(BEN) }).refused(&No::AboveOwnRole);
}

#[test]
fn somebody_from_outside_grants_nothing() {
    team(vec![])
        .when(Ask::AddMember { user: CAT, role: Role::Viewer, granted_by: Some(BEN) })
        .refused(&No::AboveOwnRole);
}

#[test]
fn a_personal_organization_takes_in_nobody() {
    let personal = given::<Organization>(vec![
        Did::Created { kind: OrganizationKind::Personal, slug: slug("@ann"), name: name("Ann") },
        Did::MemberAdded { user: ANN, role: Role::Owner },
    ]);
    personal
        .when(Ask::AddMember { user: BEN, role: Role::Viewer, granted_by: Some(ANN) })
        .refused(&No::Personal);
}

#[test]
fn a_suspended_organization_changes_nothing_but_its_standing() {
    let suspended = team(vec![Did::Suspended { reason: name("unpaid") }]);
    suspended.when(Ask::Rename { name: name("New") }).refused(&No::Suspended);
    suspended.when(Ask::Resume).then(&[Did::Resumed {}]);
    suspended.when(Ask::Delete).then(&[Did::Deleted {}]);
}

#[test]
fn nothing_leaves_deleted() {
    let deleted = team(vec![Did::Deleted {}]);
    deleted.when(Ask::Resume).refused(&No::Deleted);
    deleted.when(Ask::Rename { name: name("New") }).refused(&No::Deleted);
    deleted.when(Ask::Delete).then(&[]);
}

#[test]
fn creating_makes_the_first_owner_in_the_same_step() {
    given::<Organization>(vec![]).when(create(OrganizationKind::Team, "acme")).then(&[
        Did::Created { kind: OrganizationKind::Team, slug: slug("acme"), name: name("Acme") },
        Did::MemberAdded { user: ANN, role: Role::Owner },
    ]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    let org = team(vec![Did::MemberAdded { user: BEN, role: Role::Member }]);
    org.when(Ask::AddMember { user: BEN, role: Role::Member, granted_by: Some(ANN) }).then(&[]);
    org.when(Ask::RemoveMember { user: CAT, removed_by: Some(ANN) }).then(&[]);
    org.when(Ask::Rename { name: name("Acme") }).then(&[]);
}

#[test]
fn a_second_owner_lets_the_first_one_go() {
    let org = team(vec![Did::MemberAdded { user: BEN, role: Role::Owner }]);
    org.when(Ask::RemoveMember { user: ANN, removed_by: Some(ANN) })
        .then(&[Did::MemberRemoved { user: ANN }]);
}
