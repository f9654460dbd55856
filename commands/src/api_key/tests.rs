//! Refusals first.

use domain::api_key::{ApiKeyError, ApiKeyEvent, KeyEnvironment};
use domain::value::{ApiKeyId, KeyText, SecretDigest, UserId};

use super::*;
use crate::testing::*;
use crate::{Actor, Credential, Refused};

fn issue(texts: &[&str]) -> Issue {
    Issue {
        organization: ACME,
        name: name("Laptop"),
        principal: None,
        instance: None,
        scopes: scopes(texts),
        expires_at: None,
        environment: KeyEnvironment::Test,
    }
}

fn issue_for(principal: UserId) -> Issue {
    Issue { principal: Some(principal), ..issue(&["mcp:read"]) }
}

fn rename(api_key: ApiKeyId) -> Rename {
    Rename { organization: ACME, api_key, name: name("Desktop") }
}

fn revoke(api_key: ApiKeyId) -> Revoke {
    Revoke { organization: ACME, api_key, reason: name("lost") }
}

#[test]
fn a_foreign_key_is_not_found() {
    let world = World::new();
    for api_key in [FOREIGN_KEY, REVOKED_KEY, NO_KEY] {
        for actor in [acme(OWNER), acme(VIEWER), root()] {
            world.not_found("API key", actor.clone(), rename(api_key));
            world.not_found("API key", actor, revoke(api_key));
        }
    }
    world.not_found("organization", rival(), issue(&["mcp:read"]));
    world.not_found("organization", rival(), rename(MEMBERS_KEY));
    world.not_found("organization", rival(), revoke(MEMBERS_KEY));
}

#[test]
fn a_key_that_was_revoked_after_the_edge_let_it_in_changes_nothing() {
    let world = World::new();
    let with = |key, actor| Actor { credential: Credential::ApiKey(key), ..actor };
    for user in [OWNER, MEMBER] {
        world.forbidden(with(REVOKED_KEY, acme(user)), issue(&["mcp:read"]));
        world.done(with(MEMBERS_KEY, acme(user)), issue(&["mcp:read"]));
    }
    world.forbidden(with(REVOKED_KEY, root()), rename(MEMBERS_KEY));
}

#[test]
fn somebody_elses_key_is_for_owners_and_admins() {
    let world = World::new();
    for user in [COLLEAGUE, VIEWER, AUDITOR] {
        world.forbidden(acme(user), rename(MEMBERS_KEY));
        world.forbidden(acme(user), revoke(MEMBERS_KEY));
        world.forbidden(acme(user), issue_for(MEMBER));
    }
}

#[test]
fn nobody_issues_a_key_in_the_name_of_somebody_above() {
    let world = World::new();
    world.forbidden(acme(ADMIN), issue_for(OWNER));
}

#[test]
fn only_active_members_get_a_key() {
    let world = World::new();
    for user in [NEWCOMER, NOBODY, STRANGER] {
        world.not_found("member", acme(OWNER), issue_for(user));
        world.not_found("member", root(), issue_for(user));
    }
    world.not_found("member", root(), issue(&["mcp:read"])); // the administrator is no member
    world.done(root(), crate::user::Suspend { user: MEMBER, reason: name("leak") });
    world.not_found("member", acme(OWNER), issue_for(MEMBER));
}

#[test]
fn a_key_does_not_exceed_its_issuers_role() {
    let world = World::new();
    for (user, too_much) in [
        (MEMBER, &["audit:read"][..]),
        (VIEWER, &["mcp:read", "tool:echo"]),
        (VIEWER, &["org:read"]),
        (VIEWER, &["mcp:write"]),
        (AUDITOR, &["mcp:read"]),
        (AUDITOR, &["org:write"]),
        (AUDITOR, &["audit:read", "keys:write"]),
    ] {
        world.forbidden(acme(user), issue(too_much));
    }
}

#[test]
fn the_instance_that_a_key_is_bound_to_exists_here() {
    let world = World::new();
    for instance in [FOREIGN_DESK, DELETED_DESK, NO_INSTANCE] {
        world.not_found("instance", acme(MEMBER), Issue { instance: Some(instance), ..issue(&["mcp:read"]) });
    }
}

#[test]
fn a_key_that_opens_nothing_or_is_over_is_not_issued() {
    let world = World::new();
    let refused = world.refused(acme(MEMBER), issue(&[]));
    assert!(matches!(refused, Refused::ApiKey(ApiKeyError::NoScopes)), "{refused:?}");
    let over = Issue { expires_at: Some(noon()), ..issue(&["mcp:read"]) };
    let refused = world.refused(acme(MEMBER), over);
    assert!(matches!(refused, Refused::ApiKey(ApiKeyError::ExpiryNotInFuture)), "{refused:?}");
}

#[test]
fn a_key_that_may_only_issue_keys_issues_none_that_may_do_more() {
    let world = World::new();
    let with = |held: &[&str]| Actor { scopes: Some(scopes(held)), ..acme(OWNER) };
    let refused = world.refused(with(&["keys:write"]), issue(&["mcp:read"]));
    assert!(matches!(refused, Refused::Forbidden(_)), "{refused:?}");
    world.refused(with(&["keys:write", "mcp:read"]), issue(&["tool:echo"]));
    world.done(with(&["keys:write", "mcp:write"]), issue(&["tool:echo", "keys:write"]));
}

#[test]
fn a_key_that_ends_issues_none_that_ends_later_or_never() {
    let world = World::new();
    let after = |seconds| Some(noon().plus_seconds(seconds));
    let ending = || Actor { until: after(60), ..acme(MEMBER) };
    let lasting = |expires_at| Issue { expires_at, ..issue(&["mcp:read"]) };
    world.forbidden(ending(), lasting(None));
    world.forbidden(ending(), lasting(after(61)));
    world.done(ending(), lasting(after(60)));
}

#[test]
fn a_key_issued_for_somebody_names_its_issuer_also_over_several_keys() {
    let issuer = |actor, ask| {
        let (.., did) = World::new().done(actor, ask);
        let [domain::event::Event::ApiKey(ApiKeyEvent::Issued { issued_by, .. })] = did[..] else {
            panic!("{did:?}")
        };
        issued_by
    };
    assert_eq!(issuer(acme(OWNER), issue_for(MEMBER)), OWNER);
    assert_eq!(issuer(root(), issue_for(MEMBER)), ROOT);
    assert_eq!(issuer(in_the_name_of(acme(MEMBER)), issue(&["mcp:read"])), COLLEAGUE);
    // There and back: a key that the colleague issued to the owner makes one for the colleague.
    assert_eq!(issuer(in_the_name_of(acme(OWNER)), issue_for(COLLEAGUE)), OWNER);
}

#[test]
fn a_key_is_shown_once_and_kept_as_a_digest_of_the_whole_text() {
    let world = World::new();
    let ask = Issue {
        instance: Some(DESK),
        expires_at: Some(noon().plus_seconds(60)),
        ..issue(&["mcp:read", "tool:echo"])
    };
    let (answer, did) = world.done(acme(MEMBER), ask);
    let text = answer.key.reveal();
    let parsed = KeyText::parse(text).unwrap();
    assert_eq!((parsed.id(), parsed.key_id()), (answer.id, answer.key_id.as_str()));
    let expected = ApiKeyEvent::Issued {
        organization: ACME,
        key_id: answer.key_id,
        name: name("Laptop"),
        principal: MEMBER,
        issued_by: MEMBER,
        instance: Some(DESK),
        scopes: scopes(&["mcp:read", "tool:echo"]),
        digest: SecretDigest::HmacSha256 { pepper: 1, hex: text.to_owned() },
        expires_at: Some(noon().plus_seconds(60)),
        environment: KeyEnvironment::Test,
    };
    assert_eq!(did, [expected.into()]);
    assert!(text.starts_with("sk_test_"));
}

#[test]
fn every_role_issues_itself_what_it_reaches() {
    let world = World::new();
    let everything = ["mcp:admin", "org:write", "keys:write", "clients:write", "audit:read"];
    world.done(acme(OWNER), issue(&everything));
    world.done(acme(ADMIN), issue(&everything));
    world.done(acme(MEMBER), issue(&["mcp:admin", "org:write", "keys:write", "clients:write", "tool:echo"]));
    world.done(acme(VIEWER), issue(&["mcp:read"]));
    world.done(acme(AUDITOR), issue(&["audit:read", "org:read"]));
}

#[test]
fn owners_and_admins_issue_for_others() {
    let world = World::new();
    for (actor, principal) in [(acme(ADMIN), MEMBER), (acme(OWNER), ADMIN), (root(), OWNER)] {
        let (answer, _) = world.done(actor, issue_for(principal));
        assert_eq!(answer.principal, principal);
    }
}

#[test]
fn a_key_is_renamed_and_revoked_by_its_own_user_and_from_above() {
    for actor in [acme(MEMBER), acme(ADMIN), root()] {
        let world = World::new();
        let (.., did) = world.done(actor.clone(), rename(MEMBERS_KEY));
        assert_eq!(did, [ApiKeyEvent::Renamed { name: name("Desktop") }.into()]);
        let (.., did) = world.done(actor, revoke(MEMBERS_KEY));
        assert_eq!(did, [ApiKeyEvent::Revoked { reason: name("lost") }.into()]);
    }
}
