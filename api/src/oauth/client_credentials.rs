//! A token for a client that acts for itself (RFC 6749, 4.4; the MCP extension `io.modelcontextprotocol/oauth-client-credentials`).
//!
//! Nobody consents, so nothing stands: there is no grant, no refresh token (RFC 6749, 4.4.3), and the token opens instances of the client's own
//! organization alone.

use commands::Ports;
use domain::policy::Standing;
use domain::value::{Scope, Scopes};
use projections::access::{Client, TokenHolder};

use super::asked_scopes::read_scopes;
use super::error::{OauthError, OauthErrorCode};
use super::form::Parameters;
use super::token::TokenAnswer;
use super::{Oauth, issue, target};

/// Gives out a token in the client's own name.
pub(super) async fn redeem<P: Ports>(
    oauth: &Oauth<P>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenAnswer, OauthError> {
    let asked = read_scopes(parameters.get("scope"))?;
    let named = target::read(&oauth.url, parameters)?;
    let grounds = oauth.grounds()?; // checking the secret may have taken its time: what holds now decides
    let own = client.organization.filter(|own| grounds.organization(*own) == Standing::Active);
    let Some(organization) = own else {
        let why = "this client belongs to no organization that is active, so it cannot act for itself";
        return Err(OauthError::new(OauthErrorCode::UnauthorizedClient, why));
    };
    let instance = target::of_organization(&grounds, organization, named)?;
    let scopes = granted(asked, &client.scopes)?;
    issue::issue(oauth, &grounds, client, TokenHolder::Client, instance, scopes).await
}

/// What the client asked for, if it may have all of it; everything that it may have at an endpoint, if it asked for nothing.
fn granted(asked: Option<Scopes>, may: &Scopes) -> Result<Scopes, OauthError> {
    let opens =
        |scopes: &Scopes| scopes.iter().filter(|scope| scope.opens_mcp()).cloned().collect::<Scopes>();
    let refused = |why: &'static str| Err(OauthError::new(OauthErrorCode::InvalidScope, why));
    match asked {
        None if may.open_mcp() => Ok(opens(may)),
        None => refused("this client is registered for no scope that opens an MCP endpoint"),
        Some(asked) if !asked.iter().all(Scope::opens_mcp) => {
            refused("a token opens MCP endpoints; the management API takes API keys")
        }
        Some(asked) if may.grant_all(&asked) => Ok(asked),
        Some(_) => refused("this client may not have all of these scopes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.split(' ').map(|scope| Scope::parse(scope).unwrap()).collect()
    }

    #[test]
    fn item_16_item_45_no_token_does_more_than_its_client_may() {
        for (asked, may) in [
            (Some("mcp:write"), "mcp:read"),
            (Some("mcp:read"), "tool:echo"),
            (Some("tool:echo"), "mcp:read"),
            (Some("mcp:read mcp:admin"), "mcp:write"),
            (Some("org:read"), "mcp:read org:read"),
            (Some("mcp:read org:read"), "mcp:read org:read"),
            (None, "org:read clients:write"),
        ] {
            let refused = granted(asked.map(scopes), &scopes(may)).unwrap_err();
            assert_eq!(refused.code(), OauthErrorCode::InvalidScope, "{asked:?} of {may}");
        }
    }

    #[test]
    fn item_45_item_50_a_wider_scope_contains_the_narrower_ones() {
        assert_eq!(
            granted(Some(scopes("mcp:read tool:echo")), &scopes("mcp:admin")),
            Ok(scopes("mcp:read tool:echo"))
        );
        assert_eq!(granted(None, &scopes("mcp:read org:write tool:echo")), Ok(scopes("mcp:read tool:echo")));
    }
}
