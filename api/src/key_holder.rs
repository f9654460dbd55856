//! Whoever presents an API key, recognised by it and let through as the member that it speaks for.
//!
//! Two doors open to them: the management API, and the registration of clients (RFC 7591, 3), where such a key is the initial access token.

use std::sync::Arc;

use commands::{Actor, Authority, Credential};
use domain::policy::{self, Caller, Denial, Facts, Standing, Target, Wish};
use domain::value::{KeyText, KeyTextError, OrganizationId, PresentedSecret, Scope, SecretDigest, Timestamp};
use projections::access::{AccessView, Key};

/// Checks a presented key against what is kept of it, in constant time and without waiting.
pub trait CheckKey: Send + Sync {
    /// Whether this is the secret behind the digest.
    fn matches(&self, presented: &PresentedSecret, digest: &SecretDigest) -> bool;
}

/// The key that this is the text of, or why it is none.
pub(crate) fn recognised<'v>(
    view: &'v AccessView,
    keys: &dyn CheckKey,
    text: &str,
) -> Result<&'v Arc<Key>, &'static str> {
    let parsed = KeyText::parse(text).map_err(KeyTextError::code)?;
    let key = view.key(parsed.key_id()).ok_or("key-unknown")?;
    if keys.matches(&PresentedSecret::new(text.to_owned()), &key.digest) {
        Ok(key)
    } else {
        Err("key-unknown")
    }
}

/// Whether a key may do this in an organization.
pub(crate) fn may(
    view: &AccessView,
    key: &Key,
    organization: OrganizationId,
    scope: &Scope,
    now: Timestamp,
) -> Result<(), Denial> {
    let facts = Facts {
        caller: Caller::Key(view.key_facts(key)),
        target: Target::Organization(organization),
        maintenance: false,
        now,
    };
    policy::decide(&facts, Wish::Manage(scope)).map(|_| ())
}

/// Whoever stands behind a key that was let through, as the member that they are; nobody where they are none.
pub(crate) fn member_behind(view: &AccessView, key: &Key) -> Option<Actor> {
    match (view.organization(key.organization), view.role(key.organization, key.principal)) {
        (Standing::Active, Some(role)) => Some(Actor {
            credential: Credential::ApiKey(key.id),
            authority: Authority::Member { user: key.principal, organization: key.organization, role },
            scopes: Some(key.scopes.clone()),
            issued_by: Some(key.issued_by),
            until: key.expires_at,
        }),
        (Standing::Active | Standing::Suspended | Standing::Ended, _) => None,
    }
}
