//! Whether what a user granted still counts, and for what: the same facts and the same policy as for a call with a token of it.

use domain::grant::ACCESS_TOKEN_SECONDS;
use domain::policy::token_authenticates;
use domain::value::{Scopes, Timestamp, TokenId};
use projections::access::{AccessView, Grant, TokenClaims, TokenHolder};
use uuid::Uuid;

/// Whether a token that is given out now in the name of this grant would let its bearer in.
pub(super) fn counts(view: &AccessView, grant: &Grant, now: Timestamp) -> bool {
    let says = TokenClaims {
        token: TokenId::new(Uuid::nil()), // one that nobody can have revoked yet
        client: grant.client,
        holder: TokenHolder::User { user: grant.user, grant: grant.id },
        instance: grant.instance,
        scopes: grant.scopes.clone(),
        expires_at: now.plus_seconds(ACCESS_TOKEN_SECONDS),
    };
    view.token_facts(&says).is_some_and(|facts| token_authenticates(&facts, now).is_ok())
}

/// What is left of the first set when all of them have to grant it: all of it as it was said, or the widest that all of them grant.
pub(super) fn common(all: [&Scopes; 3]) -> Scopes {
    let [first, ..] = all;
    if all.iter().all(|scopes| scopes.grant_all(first)) {
        return first.clone();
    }
    let wanted = all.iter().flat_map(|scopes| scopes.iter());
    wanted.filter(|scope| all.iter().all(|scopes| scopes.grant(scope))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use domain::value::Scope;

    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.split_whitespace().map(|scope| Scope::parse(scope).unwrap()).collect()
    }

    #[test]
    fn what_one_of_three_does_not_grant_is_not_left() {
        for (token, grant, client, left) in [
            ("mcp:read", "tool:echo", "mcp:admin", ""),
            ("mcp:write", "mcp:read", "mcp:write", "mcp:read"),
            ("mcp:write tool:echo", "mcp:admin", "mcp:read tool:echo", "mcp:read tool:echo"),
            ("mcp:write", "mcp:admin", "mcp:read mcp:write", "mcp:write"),
        ] {
            let three = [scopes(token), scopes(grant), scopes(client)];
            assert_eq!(common([&three[0], &three[1], &three[2]]), scopes(left), "{token}, {grant}, {client}");
        }
    }
}
