//! There is nothing to refuse: whoever may not revoke a token does not come this far.

use uuid::Uuid;

use super::AccessTokenCommand as Ask;
use super::AccessTokenEvent as Did;
use super::*;
use crate::Aggregate as _;
use crate::given::given;
use crate::value::{ClientId, GrantId, InstanceId, Timestamp};

const NOW: Timestamp = Timestamp::EPOCH;
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(1));
const DESK: ClientId = ClientId::new(Uuid::from_u128(2));
const GRANT: GrantId = GrantId::new(Uuid::from_u128(3));
const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(4));
const WIKI: InstanceId = InstanceId::new(Uuid::from_u128(5));

fn revoke(grant: Option<GrantId>, expires_at: Timestamp) -> Ask {
    Ask::Revoke { client: DESK, grant, organization: Some(ACME), instance: WIKI, expires_at, at: NOW }
}

fn revoked(grant: Option<GrantId>, expires_at: Timestamp) -> Did {
    Did::Revoked { client: DESK, grant, organization: Some(ACME), instance: WIKI, expires_at }
}

#[test]
fn a_token_whose_time_is_over_needs_no_revocation() {
    given::<AccessToken>(vec![]).when(revoke(Some(GRANT), NOW)).then(&[]);
}

#[test]
fn a_token_is_revoked_once_and_that_names_what_it_hangs_on() {
    let later = NOW.plus_seconds(60);
    for grant in [Some(GRANT), None] {
        let gone = revoked(grant, later);
        given::<AccessToken>(vec![]).when(revoke(grant, later)).then(std::slice::from_ref(&gone));
        given::<AccessToken>(vec![gone]).when(revoke(grant, later)).then(&[]);
    }
}

#[test]
fn it_belongs_to_the_organization_of_its_instance() {
    let mut state = AccessToken::default();
    assert_eq!(state.organization(TOKEN), None);
    state.evolve(revoked(None, NOW));
    assert_eq!(state.organization(TOKEN), Some(ACME));
}
