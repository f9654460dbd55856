//! Refusals first.

use uuid::Uuid;

use super::{Grant, GrantCommand as Ask, GrantEnd, GrantError as No, GrantEvent as Did, place};
use crate::given::{Given, given};
use crate::value::{
    ClientId, GrantId, InstanceId, OrganizationId, Scope, Scopes, Timestamp, TokenId, UserId,
};
use crate::{ClaimChange, ClaimScope, Facts};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const ANN: UserId = UserId::new(Uuid::from_u128(2));
const DESK: ClientId = ClientId::new(Uuid::from_u128(3));
const WIKI: InstanceId = InstanceId::new(Uuid::from_u128(4));
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(5));
const GRANT: GrantId = GrantId::new(Uuid::from_u128(6));
const NOW: Timestamp = Timestamp::EPOCH;

fn scopes(texts: &[&str]) -> Scopes {
    texts.iter().map(|text| Scope::parse(text).unwrap()).collect()
}

fn grant(texts: &[&str], expires_at: Option<Timestamp>) -> Ask {
    let (organization, user, client, instance) = (ACME, ANN, DESK, WIKI);
    Ask::Grant { organization, user, client, instance, scopes: scopes(texts), expires_at, at: NOW }
}

fn granted(texts: &[&str], expires_at: Option<Timestamp>) -> Did {
    let (organization, user, client, instance) = (ACME, ANN, DESK, WIKI);
    Did::Granted { organization, user, client, instance, scopes: scopes(texts), expires_at }
}

fn live(then: Vec<Did>) -> Given<Grant> {
    let mut past = vec![granted(&["mcp:read"], None)];
    past.extend(then);
    given(past)
}

fn change(texts: &[&str]) -> Ask {
    Ask::ChangeScopes { scopes: scopes(texts) }
}

fn revoked() -> Did {
    Did::Revoked { reason: GrantEnd::ByUser }
}

#[test]
fn a_grant_that_does_not_exist_refuses_everything() {
    let nothing = given::<Grant>(vec![]);
    nothing.when(change(&["mcp:read"])).refused(&No::Unknown);
    nothing.when(Ask::Revoke { reason: GrantEnd::ByUser }).refused(&No::Unknown);
}

#[test]
fn nothing_is_granted_twice_also_after_the_end() {
    live(vec![]).when(grant(&["mcp:read"], None)).refused(&No::Exists);
    live(vec![revoked()]).when(grant(&["mcp:read"], None)).refused(&No::Exists);
}

#[test]
fn a_grant_of_nothing_or_of_the_management_api_is_refused() {
    let nothing = given::<Grant>(vec![]);
    nothing.when(grant(&[], None)).refused(&No::NoScopes);
    live(vec![]).when(change(&[])).refused(&No::NoScopes);
    for scope in ["org:read", "org:write", "keys:write", "clients:write", "audit:read"] {
        nothing.when(grant(&["mcp:read", scope], None)).refused(&No::ManagementScope);
        live(vec![]).when(change(&["mcp:read", scope])).refused(&No::ManagementScope);
    }
}

#[test]
fn a_grant_that_is_over_before_it_begins_is_refused() {
    for late in [NOW, NOW.plus_seconds(-1)] {
        given::<Grant>(vec![]).when(grant(&["mcp:read"], Some(late))).refused(&No::ExpiryNotInFuture);
    }
}

#[test]
fn nothing_leaves_revoked() {
    let over = live(vec![revoked()]);
    over.when(change(&["mcp:write"])).refused(&No::Revoked);
    over.when(change(&["mcp:read"])).refused(&No::Revoked);
    over.when(Ask::Revoke { reason: GrantEnd::CodeReused }).then(&[]);
}

#[test]
fn a_user_consents_again_to_more_or_to_less() {
    let until = Some(NOW.plus_seconds(60));
    given::<Grant>(vec![]).when(grant(&["mcp:read"], until)).then(&[granted(&["mcp:read"], until)]);
    for texts in [&["mcp:write", "tool:add"][..], &["tool:echo"]] {
        live(vec![]).when(change(texts)).then(&[Did::ScopesChanged { scopes: scopes(texts) }]);
    }
}

#[test]
fn a_token_that_was_revoked_here_before_tokens_told_it_themselves_leaves_the_grant() {
    let gone = Did::TokenRevoked { token: TOKEN, expires_at: NOW.plus_seconds(60) };
    live(vec![gone])
        .when(change(&["mcp:write"]))
        .then(&[Did::ScopesChanged { scopes: scopes(&["mcp:write"]) }]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    live(vec![]).when(change(&["mcp:read"])).then(&[]);
    for reason in GrantEnd::ALL {
        live(vec![]).when(Ask::Revoke { reason }).then(&[Did::Revoked { reason }]);
        live(vec![Did::Revoked { reason }]).when(Ask::Revoke { reason }).then(&[]);
    }
}

#[test]
fn a_live_grant_holds_its_place_and_gives_it_back() {
    let scope = ClaimScope::Grant;
    let take = ClaimChange::Take { scope, value: place(ANN, DESK, WIKI) };
    assert_eq!(granted(&["mcp:read"], None).claims(), [take]);
    assert_eq!(revoked().claims(), [ClaimChange::Release { scope }]);
    assert_eq!(Did::ScopesChanged { scopes: scopes(&["mcp:write"]) }.claims(), []);
    assert_eq!(Did::TokenRevoked { token: TOKEN, expires_at: NOW }.claims(), []);
}

#[test]
fn it_belongs_to_the_organization_of_the_instance_and_knows_its_parties() {
    let mut state = Grant::default();
    assert_eq!(
        (crate::Aggregate::organization(&state, GRANT), state.user(), state.client()),
        (None, None, None)
    );
    state.evolve(granted(&["mcp:read"], Some(NOW)));
    assert_eq!(crate::Aggregate::organization(&state, GRANT), Some(ACME));
    assert_eq!((state.user(), state.client()), (Some(ANN), Some(DESK)));
    assert!(state.is_live() && state.is_over(NOW) && !state.is_over(NOW.plus_seconds(-1)));
}
