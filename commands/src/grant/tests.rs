//! Refusals first.

use domain::access_token::AccessTokenEvent;
use domain::client::{Client, ClientEvent};
use domain::event::Event;
use domain::grant::{Grant, GrantEnd, GrantError, GrantEvent};
use domain::instance::{CallerAuthentication, Instance, InstanceEvent};
use domain::organization::{Organization, OrganizationError, OrganizationEvent};
use domain::value::{ClientId, GrantId, InstanceId, OrganizationId, TokenId, UserId};
use uuid::Uuid;

use super::*;
use crate::testing::*;
use crate::{Actor, Refused};

const GRANT: GrantId = GrantId::new(Uuid::from_u128(80));
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(81));
const OWN_TOKEN: TokenId = TokenId::new(Uuid::from_u128(82));

/// The cast, where Acme's desk and the rival's take tokens.
fn world() -> World {
    let world = World::new();
    for desk in [DESK, FOREIGN_DESK] {
        let authentication = CallerAuthentication::Oauth;
        world.log.given::<Instance>(desk, vec![InstanceEvent::AuthenticationChanged { authentication }]);
    }
    world
}

fn granted(user: UserId, client: ClientId) -> GrantEvent {
    let (organization, instance, scopes) = (ACME, DESK, scopes(&["mcp:read"]));
    GrantEvent::Granted { organization, user, client, instance, scopes, expires_at: None }
}

/// The member has granted something to an app.
fn with_grant(client: ClientId) -> World {
    let world = world();
    world.log.given::<Grant>(GRANT, vec![granted(MEMBER, client)]);
    world
}

fn issue() -> Issue {
    Issue { client: MEMBERS_APP, instance: DESK, scopes: scopes(&["mcp:read"]), expires_at: None, seen: None }
}

fn revoke(organization: OrganizationId) -> Revoke {
    Revoke { organization, grant: GRANT }
}

fn revoke_token(grant: Option<GrantId>) -> RevokeToken {
    RevokeToken { token: TOKEN, grant, instance: DESK, expires_at: noon().plus_seconds(60) }
}

fn end(reason: GrantEnd) -> End {
    End { grant: GRANT, reason }
}

fn revoked(reason: GrantEnd) -> [Event; 1] {
    [GrantEvent::Revoked { reason }.into()]
}

fn server() -> Actor {
    Actor::server_about(MEMBERS_APP)
}

#[test]
fn a_credential_cannot_consent_for_its_user() {
    let world = world();
    for actor in [acme(MEMBER), root(), founder(), Actor::client(MEMBERS_APP), Actor::schedule(), server()] {
        world.forbidden(actor, issue());
    }
    let half = Actor { credential: crate::Credential::ApiKey(MEMBERS_KEY), ..Actor::signed_in(MEMBER) };
    world.forbidden(half, issue());
}

#[test]
fn whoever_does_not_count_consents_to_nothing() {
    let world = world();
    world.forbidden(Actor::signed_in(SUSPENDED), issue());
    world.forbidden(Actor::signed_in(NOBODY), issue());
    world.forbidden(Actor::signed_in(AUDITOR), issue());
}

#[test]
fn an_instance_that_is_gone_or_of_others_is_not_found() {
    let world = world();
    let at = |instance: InstanceId| Issue { instance, ..issue() };
    for instance in [FOREIGN_DESK, DELETED_DESK, NO_INSTANCE] {
        world.not_found("instance", Actor::signed_in(MEMBER), at(instance));
    }
    for user in [STRANGER, NEWCOMER, ROOT] {
        world.not_found("instance", Actor::signed_in(user), issue());
    }
}

#[test]
fn a_client_that_is_gone_or_of_others_is_not_found_and_a_disabled_one_is_refused() {
    let world = world();
    for client in [FOREIGN_APP, DELETED_APP, NO_APP] {
        world.not_found("client", Actor::signed_in(MEMBER), Issue { client, ..issue() });
    }
    world.log.given::<Client>(MEMBERS_APP, vec![ClientEvent::Disabled { reason: name("leak") }]);
    world.forbidden(Actor::signed_in(MEMBER), issue());
}

#[test]
fn nobody_grants_more_than_the_client_may_ask_for_nor_nothing() {
    let world = world();
    for texts in [&["mcp:write"][..], &["mcp:read", "tool:echo"], &["org:read"]] {
        let refused = world.refused(Actor::signed_in(MEMBER), Issue { scopes: scopes(texts), ..issue() });
        assert!(matches!(refused, Refused::Invalid(_)), "{refused:?}");
    }
    let refused = world.refused(Actor::signed_in(MEMBER), Issue { scopes: scopes(&[]), ..issue() });
    assert!(matches!(refused, Refused::Grant(GrantError::NoScopes)), "{refused:?}");
}

#[test]
fn an_instance_that_takes_no_tokens_and_a_suspended_organization_refuse() {
    let world = World::new();
    let refused = world.refused(Actor::signed_in(MEMBER), issue());
    assert!(matches!(refused, Refused::Invalid(_)), "{refused:?}");
    world.log.given::<Organization>(ACME, vec![OrganizationEvent::Suspended { reason: name("unpaid") }]);
    let refused = world.refused(Actor::signed_in(MEMBER), issue());
    assert!(matches!(refused, Refused::Organization(OrganizationError::Suspended)), "{refused:?}");
}

#[test]
fn somebody_elses_grant_is_for_owners_and_admins_of_its_organization() {
    let world = with_grant(MEMBERS_APP);
    for user in [COLLEAGUE, VIEWER, AUDITOR] {
        world.forbidden(acme(user), revoke(ACME));
        world.forbidden(Actor::signed_in(user), revoke(ACME));
    }
    world.not_found("organization", rival(), revoke(ACME));
    world.not_found("organization", Actor::signed_in(STRANGER), revoke(ACME));
    world.not_found("grant", rival(), revoke(RIVAL));
    world.not_found("organization", Actor::signed_in(MEMBER), revoke(RIVAL));
}

#[test]
fn a_token_is_given_back_by_its_own_client_alone() {
    let world = with_grant(MEMBERS_APP);
    world.not_found("token", Actor::client(OWNERS_APP), revoke_token(Some(GRANT)));
    world.not_found("grant", Actor::client(OWNERS_APP), end(GrantEnd::ByClient));
    for actor in [acme(OWNER), Actor::signed_in(MEMBER), root(), Actor::schedule()] {
        world.forbidden(actor.clone(), revoke_token(Some(GRANT)));
        world.forbidden(actor, end(GrantEnd::ByClient));
    }
}

#[test]
fn only_the_server_itself_says_that_something_came_back() {
    let world = with_grant(MEMBERS_APP);
    for reason in [
        GrantEnd::CodeReused,
        GrantEnd::RefreshReused,
        GrantEnd::PasswordChanged,
        GrantEnd::Replaced,
        GrantEnd::Expired,
    ] {
        for actor in [acme(OWNER), Actor::signed_in(MEMBER), root(), Actor::client(MEMBERS_APP)] {
            world.forbidden(actor, end(reason));
        }
        let (.., did) = with_grant(MEMBERS_APP).done(server(), end(reason));
        assert_eq!(did, revoked(reason));
    }
    for reason in [GrantEnd::ByUser, GrantEnd::ByAdministrator] {
        world.forbidden(server(), end(reason));
    }
}

#[test]
fn a_consent_makes_a_grant_and_a_later_one_changes_it() {
    let world = world();
    let until = Some(noon().plus_seconds(3_600));
    let (first, did) = world.done(Actor::signed_in(MEMBER), Issue { expires_at: until, ..issue() });
    let expected = GrantEvent::Granted {
        organization: ACME,
        user: MEMBER,
        client: MEMBERS_APP,
        instance: DESK,
        scopes: scopes(&["mcp:read"]),
        expires_at: until,
    };
    assert_eq!(did, [expected.into()]);
    let widened =
        ClientEvent::Updated { name: name("App"), redirect_uris: [].into(), scopes: scopes(&["mcp:write"]) };
    world.log.given::<Client>(MEMBERS_APP, vec![widened]);
    let (again, did) =
        world.done(Actor::signed_in(MEMBER), Issue { scopes: scopes(&["tool:echo"]), ..issue() });
    assert_eq!(again.grant, first.grant);
    assert_eq!(did, [GrantEvent::ScopesChanged { scopes: scopes(&["tool:echo"]) }.into()]);
    let (other, _) = world.done(Actor::signed_in(COLLEAGUE), issue());
    assert_ne!(other.grant, first.grant);
    let rows = world.log.rows();
    let metadata = &rows.last().unwrap().metadata;
    assert_eq!(metadata["actor"], format!("user:{COLLEAGUE}"));
    assert_eq!(
        (&metadata["credential"], &metadata["organization"]),
        (&"session".into(), &ACME.to_string().into())
    );
}

#[test]
fn a_grant_that_is_over_makes_room_for_the_next() {
    let world = world();
    let mut over = granted(MEMBER, MEMBERS_APP);
    if let GrantEvent::Granted { expires_at, .. } = &mut over {
        *expires_at = Some(noon());
    }
    world.log.given::<Grant>(GRANT, vec![over]);
    let (issued, did) = world.done(Actor::signed_in(MEMBER), issue());
    assert_ne!(issued.grant, GRANT);
    assert_eq!(did[..1], revoked(GrantEnd::Expired));
    assert_eq!(did[1..], [granted(MEMBER, MEMBERS_APP).into()]);
    let (again, did) = world.done(Actor::signed_in(MEMBER), issue());
    assert_eq!((again.grant, did.len()), (issued.grant, 0));
}

#[test]
fn a_grant_is_taken_back_by_its_user_and_from_above_and_says_by_whom() {
    for (actor, reason) in [
        (Actor::signed_in(MEMBER), GrantEnd::ByUser),
        (acme(MEMBER), GrantEnd::ByUser),
        (Actor::signed_in(ADMIN), GrantEnd::ByAdministrator),
        (acme(OWNER), GrantEnd::ByAdministrator),
        (root(), GrantEnd::ByAdministrator),
    ] {
        let world = with_grant(OWNERS_APP);
        let (.., did) = world.done(actor.clone(), revoke(ACME));
        assert_eq!(did, revoked(reason));
        world.refused(actor, revoke(ACME)); // it is gone
    }
}

#[test]
fn with_a_key_one_takes_back_what_is_ones_own_and_an_admin_no_more_than_that() {
    let take_back = || TakeBack { organization: ACME, grant: GRANT };
    for actor in [acme(OWNER), acme(ADMIN), acme(AUDITOR), root(), Actor::client(MEMBERS_APP)] {
        with_grant(OWNERS_APP).refused(actor, take_back());
    }
    let (.., did) = with_grant(OWNERS_APP).done(acme(MEMBER), take_back());
    assert_eq!(did, revoked(GrantEnd::ByUser));
}

#[test]
fn whoever_left_an_organization_still_takes_back_what_they_granted_there() {
    let world = with_grant(MEMBERS_APP);
    world.log.given::<Organization>(ACME, vec![OrganizationEvent::MemberRemoved { user: MEMBER }]);
    let (.., did) = world.done(Actor::signed_in(MEMBER), revoke(ACME));
    assert_eq!(did, revoked(GrantEnd::ByUser));
}

#[test]
fn a_client_gives_back_a_token_or_the_whole_grant_and_a_retry_is_no_mistake() {
    let world = with_grant(MEMBERS_APP);
    let (client, expires_at) = (Actor::client(MEMBERS_APP), noon().plus_seconds(60));
    let given_back = |grant, organization| AccessTokenEvent::Revoked {
        client: MEMBERS_APP,
        grant,
        organization,
        instance: DESK,
        expires_at,
    };
    let (.., did) = world.done(client.clone(), revoke_token(Some(GRANT)));
    assert_eq!(did, [given_back(Some(GRANT), Some(ACME)).into()]);
    assert_eq!(world.done(client.clone(), revoke_token(Some(GRANT))).1, []);
    let own = RevokeToken { token: OWN_TOKEN, ..revoke_token(None) };
    assert_eq!(world.done(client.clone(), own).1, [given_back(None, Some(ACME)).into()]);
    let (.., did) = world.done(client.clone(), end(GrantEnd::ByClient));
    assert_eq!(did, revoked(GrantEnd::ByClient));
    assert_eq!(world.done(client.clone(), end(GrantEnd::ByClient)).1, []);
    let another = RevokeToken { token: TokenId::new(Uuid::from_u128(83)), ..revoke_token(Some(GRANT)) };
    assert_eq!(world.done(client, another).1, [], "with the grant its tokens are gone");
    assert_eq!(world.done(server(), end(GrantEnd::RefreshReused)).1, []);
}
