//! Refusals first.

use uuid::Uuid;

use super::{ApiKey, ApiKeyCommand as Ask, ApiKeyError as No, ApiKeyEvent as Did, KeyEnvironment};
use crate::given::{Given, given};
use crate::value::{DisplayName, KeyId, OrganizationId, Scope, Scopes, SecretDigest, Timestamp, UserId};
use crate::{ClaimChange, ClaimScope, Facts};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const ANN: UserId = UserId::new(Uuid::from_u128(2));
const BEN: UserId = UserId::new(Uuid::from_u128(3));
const NOW: Timestamp = Timestamp::EPOCH;

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn key_id() -> KeyId {
    KeyId::parse("2vqXWJ5hFY0aPzK9mR3tB7").unwrap()
}

fn digest() -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: "00".repeat(32) }
}

fn issue(scopes: &[Scope], expires_at: Option<Timestamp>) -> Ask {
    Ask::Issue {
        organization: ACME,
        key_id: key_id(),
        name: name("CI"),
        principal: ANN,
        issued_by: BEN,
        instance: None,
        scopes: scopes.iter().cloned().collect(),
        digest: digest(),
        expires_at,
        environment: KeyEnvironment::Live,
        at: NOW,
    }
}

fn issued(expires_at: Option<Timestamp>) -> Did {
    Did::Issued {
        organization: ACME,
        key_id: key_id(),
        name: name("CI"),
        principal: ANN,
        issued_by: BEN,
        instance: None,
        scopes: Scopes::from_iter([Scope::McpRead]),
        digest: digest(),
        expires_at,
        environment: KeyEnvironment::Live,
    }
}

fn key(then: Vec<Did>) -> Given<ApiKey> {
    let mut past = vec![issued(None)];
    past.extend(then);
    given(past)
}

fn revoked() -> Did {
    Did::Revoked { reason: name("leaked") }
}

#[test]
fn a_key_that_does_not_exist_refuses_everything() {
    let nothing = given::<ApiKey>(vec![]);
    nothing.when(Ask::Rename { name: name("X") }).refused(&No::Unknown);
    nothing.when(Ask::Revoke { reason: name("X") }).refused(&No::Unknown);
}

#[test]
fn it_cannot_be_issued_twice_also_after_it_was_revoked() {
    key(vec![]).when(issue(&[Scope::McpRead], None)).refused(&No::Exists);
    key(vec![revoked()]).when(issue(&[Scope::McpRead], None)).refused(&No::Exists);
}

#[test]
fn a_key_that_could_do_nothing_is_refused() {
    given::<ApiKey>(vec![]).when(issue(&[], None)).refused(&No::NoScopes);
}

#[test]
fn a_key_that_is_dead_on_arrival_is_refused() {
    let nothing = given::<ApiKey>(vec![]);
    nothing.when(issue(&[Scope::McpRead], Some(NOW))).refused(&No::ExpiryNotInFuture);
    nothing.when(issue(&[Scope::McpRead], Some(NOW.plus_seconds(-1)))).refused(&No::ExpiryNotInFuture);
}

#[test]
fn nothing_leaves_revoked() {
    key(vec![revoked()]).when(Ask::Rename { name: name("New") }).refused(&No::Revoked);
    key(vec![revoked()]).when(Ask::Revoke { reason: name("again") }).then(&[]);
}

#[test]
fn a_key_is_issued_for_ever_or_for_a_while() {
    let nothing = given::<ApiKey>(vec![]);
    nothing.when(issue(&[Scope::McpRead], None)).then(&[issued(None)]);
    let soon = Some(NOW.plus_seconds(1));
    nothing.when(issue(&[Scope::McpRead], soon)).then(&[issued(soon)]);
}

#[test]
fn a_key_is_renamed_and_revoked() {
    key(vec![]).when(Ask::Rename { name: name("Nightly") }).then(&[Did::Renamed { name: name("Nightly") }]);
    key(vec![]).when(Ask::Revoke { reason: name("leaked") }).then(&[revoked()]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    key(vec![]).when(Ask::Rename { name: name("CI") }).then(&[]);
    let renamed = Did::Renamed { name: name("Nightly") };
    key(vec![renamed]).when(Ask::Rename { name: name("Nightly") }).then(&[]);
}

#[test]
fn its_public_part_is_taken_once_and_never_given_back() {
    let take = ClaimChange::Take { scope: ClaimScope::KeyId, value: key_id().to_string() };
    assert_eq!(issued(None).claims(), [take]);
    assert_eq!(revoked().claims(), []);
}

#[test]
fn it_belongs_to_the_organization_it_was_issued_in() {
    let mut key = ApiKey::default();
    let id = crate::value::ApiKeyId::new(Uuid::from_u128(9));
    assert_eq!(crate::Aggregate::organization(&key, id), None);
    key.evolve(issued(None));
    assert_eq!(crate::Aggregate::organization(&key, id), Some(ACME));
}
