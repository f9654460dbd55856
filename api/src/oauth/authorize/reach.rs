//! What a request can be granted by this person: the instance, and the scopes that client, role and instance leave of those that were asked for.
//! What a call may do is decided call by call, by `domain::policy`; here nothing is offered that could never be used.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::instance::CallerAuthentication;
use domain::policy::Standing;
use domain::value::{
    GrantId, InstanceId, OrganizationId, RedirectUri, Role, Scope, Scopes, Timestamp, UserId,
};
use projections::access::{AccessView, Client, Grant, Instance};

use super::error::AuthorizeError;
use super::redirect::destination;
use super::request::Wanted;
use crate::pages::consent::Destination;

/// What can be granted.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    /// The client.
    pub(super) client: Arc<Client>,
    /// Where.
    pub(super) instance: Arc<Instance>,
    /// What, one by one: those that were asked for, and the smaller ones that they hold.
    pub(super) scopes: Vec<Scope>,
    /// The grant that lets all this happen already, where the person need not be asked again.
    pub(super) standing: Option<GrantId>,
}

/// Decides what a person can grant.
pub(super) fn reach(
    view: &AccessView,
    wanted: &Wanted,
    user: UserId,
    now: Timestamp,
) -> Result<Reach, AuthorizeError> {
    let client = wanted.client_in(view).filter(|client| is_redirect_of(client, wanted));
    let client = client.ok_or(AuthorizeError::Client)?;
    let named = wanted.instance.and_then(|id| view.instance(id)).ok_or(AuthorizeError::Target)?;
    let role = open_to(view, named, &client, user).ok_or(AuthorizeError::Target)?;
    let scopes = offered(wanted.scopes.as_ref(), &client.scopes, role);
    if scopes.is_empty() {
        return Err(AuthorizeError::Scope);
    }
    let grant = view.grant_of(user, client.id, named.id);
    let grant = grant.filter(|grant| may_be_remembered(&client, wanted) && covers(grant, &scopes, now));
    // Where a document says something else by now, it is shown again.
    let standing = grant.filter(|_| view.client(client.id) == Some(&client)).map(|grant| grant.id);
    Ok(Reach { client, instance: Arc::clone(named), scopes, standing })
}

/// The role in which a person may open an instance to a client, if they may.
pub(super) fn open_to(view: &AccessView, instance: &Instance, client: &Client, user: UserId) -> Option<Role> {
    let takes_tokens = match instance.authentication {
        CallerAuthentication::Oauth | CallerAuthentication::Both => true,
        CallerAuthentication::ApiKey | CallerAuthentication::None => false,
    };
    let stands =
        instance.standing == Standing::Active && view.organization(instance.organization) == Standing::Active;
    // A client that an organization registered is for that organization's instances.
    let is_theirs =
        client.organization.is_none_or(|organization: OrganizationId| organization == instance.organization);
    let role = view.role(instance.organization, user).filter(|_| takes_tokens && stands && is_theirs)?;
    match role {
        Role::Owner | Role::Admin | Role::Member | Role::Viewer => Some(role),
        Role::Auditor => None, // reads history, calls nothing
    }
}

fn is_redirect_of(client: &Client, wanted: &Wanted) -> bool {
    let is = |uri: &RedirectUri| super::redirect::is_registered(uri, &wanted.back.redirect_uri);
    client.redirect_uris.iter().any(is)
}

/// Everything that was asked for, each with the smaller scopes in it, as far as client and role reach. Nothing asked for is everything that the
/// client was registered for.
fn offered(wanted: Option<&BTreeSet<Scope>>, client: &Scopes, role: Role) -> Vec<Scope> {
    let all: BTreeSet<Scope> = match wanted {
        Some(wanted) => wanted.clone(),
        None => client.iter().filter(|scope| scope.opens_mcp()).cloned().collect(),
    };
    let smaller = Scope::NAMED.into_iter().filter(|scope| all.iter().any(|one| one.contains(scope)));
    let offered: BTreeSet<Scope> = smaller.chain(all.iter().cloned()).collect();
    offered.into_iter().filter(|scope| client.grant(scope) && role_reaches(role, scope)).collect()
}

const fn role_reaches(role: Role, scope: &Scope) -> bool {
    match role {
        Role::Owner | Role::Admin | Role::Member => true,
        Role::Viewer => matches!(scope, Scope::McpRead),
        Role::Auditor => false,
    }
}

/// Without the scopes that another one holds: `mcp:write` says all that `mcp:read` does.
pub(super) fn without_contained(scopes: &[Scope]) -> Scopes {
    let contained = |scope: &&Scope| scopes.iter().any(|other| other != *scope && other.contains(scope));
    scopes.iter().filter(|scope| !contained(scope)).cloned().collect()
}

fn covers(grant: &Grant, scopes: &[Scope], now: Timestamp) -> bool {
    grant.expires_at.is_none_or(|end| end > now) && scopes.iter().all(|scope| grant.scopes.grant(scope))
}

/// Whether the person need not be asked again. Any program on a computer may say that it is a public client with an address there: whoever
/// answers at it now may be another than the one that was let in (RFC 8252, 8.6). And a client that says itself where browsers are sent may have said
/// otherwise since the person was asked.
fn may_be_remembered(client: &Client, wanted: &Wanted) -> bool {
    let elsewhere = match destination(&wanted.back.redirect_uri) {
        Destination::Site(_) => true,
        Destination::Loopback(_) | Destination::App(_) => false,
    };
    client.own.is_none() && (elsewhere || client.authentication.is_some())
}

/// The instance of a request that names none: the only one that it can be for.
pub(super) fn only_one(view: &AccessView, client: &Client, user: UserId) -> Option<InstanceId> {
    let mut open = view
        .instances_of(client.organization?)
        .filter(|instance| open_to(view, instance, client, user).is_some());
    open.next().filter(|_| open.next().is_none()).map(|instance| instance.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        texts.iter().map(|text| Scope::parse(text).unwrap()).collect()
    }

    fn offered(wanted: Option<&[&str]>, client: &[&str], role: Role) -> Vec<String> {
        let wanted = wanted.map(|texts| scopes(texts).into_iter().collect());
        let client: Scopes = scopes(client).into_iter().collect();
        super::offered(wanted.as_ref(), &client, role).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_offered_that_client_or_role_do_not_reach() {
        assert_eq!(offered(Some(&["mcp:write"]), &["mcp:read"], Role::Owner), ["mcp:read"]);
        assert_eq!(offered(Some(&["mcp:write", "tool:add"]), &["mcp:admin"], Role::Viewer), ["mcp:read"]);
        assert!(offered(Some(&["mcp:read"]), &["tool:add"], Role::Owner).is_empty());
        assert!(offered(Some(&["mcp:read"]), &["mcp:read"], Role::Auditor).is_empty());
    }

    #[test]
    fn a_scope_is_offered_with_the_smaller_ones_in_it() {
        assert_eq!(offered(Some(&["mcp:write"]), &["mcp:admin"], Role::Member), ["mcp:read", "mcp:write"]);
        assert_eq!(offered(Some(&["tool:add"]), &["mcp:write"], Role::Member), ["tool:add"]);
    }

    #[test]
    fn who_asks_for_nothing_is_offered_what_the_client_is_for() {
        assert_eq!(
            offered(None, &["mcp:read", "org:read", "tool:add"], Role::Owner),
            ["mcp:read", "tool:add"]
        );
    }

    #[test]
    fn what_a_larger_scope_holds_is_not_granted_twice() {
        let granted = without_contained(&scopes(&["mcp:read", "mcp:write", "tool:add"]));
        assert_eq!(granted, scopes(&["mcp:write"]).into_iter().collect());
        let granted = without_contained(&scopes(&["mcp:read", "tool:add"]));
        assert_eq!(granted.iter().count(), 2);
    }
}
