//! Refusals first.

use uuid::Uuid;

use super::{IDENTITIES_MAX, User, UserCommand as Ask, UserError as No, UserEvent as Did};
use crate::given::{Given, given};
use crate::value::{
    DisplayName, EmailAddress, HttpsUrl, Issuer, OrganizationId, Personal, ProviderSubject, SubjectId,
    Timestamp, UserId,
};
use crate::{ClaimChange, ClaimScope, Facts};

const ANN: UserId = UserId::new(Uuid::from_u128(1));
const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(2));

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

fn anns<T>(value: T) -> Personal<T> {
    Personal::new(SubjectId::from(ANN), value)
}

fn register() -> Ask {
    Ask::Register {
        user: ANN,
        email: Some(email("ann@example.com")),
        name: Some(name("Ann")),
        picture: None,
        registered_in: Some(ACME),
    }
}

fn registered() -> Did {
    Did::Registered {
        email: Some(anns(email("ann@example.com"))),
        name: Some(anns(name("Ann"))),
        picture: None,
        registered_in: Some(ACME),
    }
}

fn ann(then: Vec<Did>) -> Given<User> {
    let mut past = vec![registered()];
    past.extend(then);
    given(past)
}

fn change_email(to: Option<&str>) -> Ask {
    Ask::ChangeEmail { user: ANN, email: to.map(email) }
}

fn change_profile(to: &str) -> Ask {
    Ask::ChangeProfile { user: ANN, name: Some(name(to)), picture: None }
}

#[test]
fn a_user_who_does_not_exist_refuses_everything() {
    let nobody = given::<User>(vec![]);
    nobody.when(change_email(None)).refused(&No::Unknown);
    nobody.when(change_profile("Ann")).refused(&No::Unknown);
    nobody.when(Ask::Suspend { reason: name("x") }).refused(&No::Unknown);
    nobody.when(Ask::Resume).refused(&No::Unknown);
    nobody.when(Ask::Delete).refused(&No::Unknown);
}

#[test]
fn nobody_is_registered_twice_also_after_the_end() {
    ann(vec![]).when(register()).refused(&No::Exists);
    ann(vec![Did::Suspended { reason: name("x") }]).when(register()).refused(&No::Exists);
    ann(vec![Did::Deleted {}]).when(register()).refused(&No::Exists);
}

#[test]
fn a_suspended_user_changes_nothing_but_their_standing() {
    let suspended = ann(vec![Did::Suspended { reason: name("x") }]);
    suspended.when(change_email(None)).refused(&No::Suspended);
    suspended.when(change_profile("Anna")).refused(&No::Suspended);
    suspended.when(Ask::Suspend { reason: name("again") }).then(&[]);
    suspended.when(Ask::Resume).then(&[Did::Resumed {}]);
    suspended.when(Ask::Delete).then(&[Did::Deleted {}]);
}

#[test]
fn nothing_leaves_deleted() {
    let deleted = ann(vec![Did::Deleted {}]);
    deleted.when(change_email(None)).refused(&No::Deleted);
    deleted.when(change_profile("Anna")).refused(&No::Deleted);
    deleted.when(Ask::Suspend { reason: name("x") }).refused(&No::Deleted);
    deleted.when(Ask::Resume).refused(&No::Deleted);
    deleted.when(Ask::Delete).then(&[]);
}

#[test]
fn what_is_personal_is_marked_as_this_persons() {
    given::<User>(vec![]).when(register()).then(&[registered()]);
    ann(vec![])
        .when(change_email(Some("anna@example.com")))
        .then(&[Did::EmailChanged { email: Some(anns(email("anna@example.com"))) }]);
    let picture = HttpsUrl::parse("https://cdn.example.com/ann.png").unwrap();
    ann(vec![])
        .when(Ask::ChangeProfile { user: ANN, name: None, picture: Some(picture.clone()) })
        .then(&[Did::ProfileChanged { name: None, picture: Some(anns(picture)) }]);
}

#[test]
fn a_user_may_have_no_address() {
    ann(vec![]).when(change_email(None)).then(&[Did::EmailChanged { email: None }]);
    ann(vec![Did::EmailChanged { email: None }]).when(change_email(None)).then(&[]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    ann(vec![]).when(change_email(Some("Ann@Example.com"))).then(&[]);
    ann(vec![]).when(change_profile("Ann")).then(&[]);
    ann(vec![]).when(Ask::Resume).then(&[]);
}

#[test]
fn an_erased_address_is_claimed_by_nobody() {
    let erased = || Some(Personal::Erased { subject: SubjectId::from(ANN) });
    let scope = ClaimScope::Email;
    assert_eq!(
        Did::Registered { email: erased(), name: None, picture: None, registered_in: None }.claims(),
        []
    );
    assert_eq!(Did::EmailChanged { email: erased() }.claims(), [ClaimChange::Release { scope }]);
}

#[test]
fn an_address_is_taken_by_its_user_and_given_back() {
    let scope = ClaimScope::Email;
    let take = |value: &str| ClaimChange::Take { scope, value: value.to_owned() };
    assert_eq!(registered().claims(), [take("ann@example.com")]);
    let changed = Did::EmailChanged { email: Some(anns(email("anna@example.com"))) };
    assert_eq!(changed.claims(), [ClaimChange::Release { scope }, take("anna@example.com")]);
    assert_eq!(Did::EmailChanged { email: None }.claims(), [ClaimChange::Release { scope }]);
    let everything = [ClaimScope::Email, ClaimScope::Identity].map(|scope| ClaimChange::Release { scope });
    assert_eq!(Did::Deleted {}.claims(), everything);
    assert_eq!(Did::Suspended { reason: name("x") }.claims(), []);
}

#[test]
fn a_user_remembers_which_organization_made_them_known() {
    let mut user = User::default();
    assert!(!user.is_registered_in(ACME));
    user.evolve(registered());
    assert!(user.is_registered_in(ACME));
    assert!(!user.is_registered_in(OrganizationId::new(Uuid::from_u128(3))));
}

fn erase() -> Ask {
    Ask::Erase { reason: name("request 4711") }
}

fn erased() -> Did {
    Did::Erased { reason: name("request 4711") }
}

#[test]
fn nobody_is_erased_who_was_never_registered() {
    given::<User>(vec![]).when(erase()).refused(&No::Unknown);
}

#[test]
fn an_erased_user_asks_for_nothing_and_comes_not_back() {
    for ask in [change_email(None), change_profile("Ann"), Ask::Suspend { reason: name("x") }, Ask::Resume] {
        ann(vec![erased()]).when(ask).refused(&No::Erased);
    }
    ann(vec![erased()]).when(register()).refused(&No::Exists);
}

#[test]
fn everybody_who_was_registered_can_be_erased_once() {
    for past in [vec![], vec![Did::Suspended { reason: name("x") }], vec![Did::Deleted {}]] {
        ann(past).when(erase()).then(&[erased()]);
    }
    ann(vec![erased()]).when(erase()).then(&[]);
    ann(vec![erased()]).when(Ask::Delete).then(&[]);
}

#[test]
fn an_erased_users_address_is_free() {
    let everything = [ClaimScope::Email, ClaimScope::Identity].map(|scope| ClaimChange::Release { scope });
    assert_eq!(erased().claims(), everything);
}

fn issuer() -> Issuer {
    Issuer::parse("https://id.example.com").unwrap()
}

fn subject(number: usize) -> ProviderSubject {
    ProviderSubject::parse(&format!("ann-{number}")).unwrap()
}

fn link(number: usize) -> Ask {
    Ask::LinkIdentity { user: ANN, issuer: issuer(), subject: subject(number) }
}

fn unlink(number: usize) -> Ask {
    Ask::UnlinkIdentity { user: ANN, issuer: issuer(), subject: subject(number) }
}

fn linked(number: usize) -> Did {
    Did::IdentityLinked { issuer: issuer(), subject: anns(subject(number)) }
}

fn unlinked(number: usize) -> Did {
    Did::IdentityUnlinked { issuer: issuer(), subject: anns(subject(number)) }
}

#[test]
fn only_an_active_user_gets_another_way_to_sign_in() {
    for ask in [Ask::SetPassword, Ask::RemovePassword, link(1), unlink(1)] {
        given::<User>(vec![]).when(ask.clone()).refused(&No::Unknown);
        ann(vec![Did::Suspended { reason: name("x") }]).when(ask.clone()).refused(&No::Suspended);
        ann(vec![Did::Deleted {}]).when(ask.clone()).refused(&No::Deleted);
        ann(vec![erased()]).when(ask).refused(&No::Erased);
    }
}

#[test]
fn identities_are_limited() {
    let all: Vec<_> = (0..IDENTITIES_MAX).map(linked).collect();
    ann(all.clone()).when(link(IDENTITIES_MAX)).refused(&No::TooManyIdentities);
    ann(all.clone()).when(link(0)).then(&[]);
    ann(all.into_iter().chain([unlinked(0)]).collect()).when(link(0)).then(&[linked(0)]);
}

#[test]
fn every_password_that_is_set_is_a_fact_of_its_own() {
    ann(vec![]).when(Ask::SetPassword).then(&[Did::PasswordSet {}]);
    ann(vec![Did::PasswordSet {}]).when(Ask::SetPassword).then(&[Did::PasswordSet {}]);
    ann(vec![Did::PasswordSet {}]).when(Ask::RemovePassword).then(&[Did::PasswordRemoved {}]);
    ann(vec![]).when(Ask::RemovePassword).then(&[]);
}

#[test]
fn an_identity_is_linked_and_unlinked_once() {
    ann(vec![]).when(link(1)).then(&[linked(1)]);
    ann(vec![linked(1)]).when(link(1)).then(&[]);
    ann(vec![linked(1)]).when(unlink(2)).then(&[]);
    ann(vec![linked(1), linked(2)]).when(unlink(1)).then(&[unlinked(1)]);
}

#[test]
fn an_identity_is_claimed_by_its_user_and_given_back_alone() {
    let scope = ClaimScope::Identity;
    let value = || "https://id.example.com\nann-1".to_owned();
    assert_eq!(linked(1).claims(), [ClaimChange::Take { scope, value: value() }]);
    assert_eq!(unlinked(1).claims(), [ClaimChange::ReleaseOne { scope, value: value() }]);
    let forgotten = || Personal::Erased { subject: SubjectId::from(ANN) };
    assert_eq!(Did::IdentityLinked { issuer: issuer(), subject: forgotten() }.claims(), []);
    assert_eq!(Did::IdentityUnlinked { issuer: issuer(), subject: forgotten() }.claims(), []);
}

#[test]
fn the_last_way_in_stays() {
    ann(vec![linked(1)]).when(unlink(1)).refused(&No::LastWayIn);
    ann(vec![linked(1), linked(2), unlinked(2)]).when(unlink(1)).refused(&No::LastWayIn);
    ann(vec![Did::PasswordSet {}, linked(1)]).when(unlink(1)).then(&[unlinked(1)]);
}

#[test]
fn attack_36_that_a_provider_does_not_answer_is_told_once_until_it_does() {
    let moment = || Timestamp::parse("2026-11-22T10:50:00Z").unwrap();
    let falls_back = || Ask::BeginFallback { issuer: issuer(), vouched_at: moment() };
    let told = || Did::FallbackBegan { issuer: issuer(), vouched_at: moment() };
    let end = || Ask::EndFallback { issuer: issuer() };
    let ended = || Did::FallbackEnded { issuer: issuer() };
    ann(vec![]).when(falls_back()).refused(&No::UnknownIdentity);
    ann(vec![linked(1), Did::Suspended { reason: name("x") }]).when(falls_back()).refused(&No::Suspended);
    ann(vec![linked(1)]).when(end()).then(&[]);
    ann(vec![linked(1)]).when(falls_back()).then(&[told()]);
    ann(vec![linked(1), told()]).when(falls_back()).then(&[]);
    ann(vec![linked(1), told()]).when(end()).then(&[ended()]);
    ann(vec![linked(1), told(), ended()]).when(falls_back()).then(&[told()]);
}
