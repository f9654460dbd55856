//! A code becomes tokens (RFC 6749, 4.1.3; RFC 7636, 4.5): for the client that it was drawn for, with everything that it is bound to, once.
//!
//! Whatever can stand against it and is known beforehand is looked at before the code is spent, so that a node that is behind uses up nothing. A code
//! that comes a second time was stolen, from its client or by it: the grant behind it ends, and with it every token (RFC 9700, 4.5).

use commands::grant::End;
use commands::{Actor, CarryOutError, CommandId, Order, Ports, carry_out};
use domain::grant::GrantEnd;
use domain::value::GrantId;
use projections::access::{Client, Grounds};

use super::codes::{self, Presented, Redeemed};
use super::error::{OauthError, OauthErrorCode};
use super::form::Parameters;
use super::token::TokenAnswer;
use super::{Oauth, standing, target};

/// How long this node may take to hear of the grant, which another one may have written a moment ago.
const HEARD_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// Exchanges a code.
pub(super) async fn redeem<P: Ports>(
    oauth: &Oauth<P>,
    client: &Client,
    parameters: &Parameters,
) -> Result<TokenAnswer, OauthError> {
    let code = parameters.required("code")?;
    // Without a verifier there is nothing that the code is bound to (RFC 7636, 4.6; RFC 9700, 2.1.1).
    let verifier = parameters.get("code_verifier").ok_or_else(invalid_grant)?;
    let presented = Presented {
        code,
        client: client.id,
        redirect_uri: parameters.get("redirect_uri"),
        verifier,
        instance: target::read(&oauth.url, parameters)?,
    };
    let known = codes::grant_of(&oauth.pool, code).await.map_err(|error| unavailable(&error))?;
    oauth.hears_of(known.ok_or_else(invalid_grant)?).await?;
    let facts = match codes::redeem(&oauth.pool, presented).await.map_err(|error| unavailable(&error))? {
        Redeemed::Now(facts) => facts,
        Redeemed::Again(grant) => return Err(reused(oauth, client, grant).await),
        Redeemed::Not => return Err(invalid_grant()),
        Redeemed::OtherInstance => {
            return Err(OauthError::new(OauthErrorCode::InvalidTarget, "this code is for another resource"));
        }
    };
    let grounds = oauth.grounds()?; // what holds now decides
    let grant = grounds
        .grant(facts.grant)
        .filter(|grant| standing::counts(&grounds, grant, oauth.clock.now()))
        .ok_or_else(invalid_grant)?;
    let now = grounds.client(client.id).ok_or_else(invalid_grant)?;
    target::of_organization(&grounds, grant.organization, Some(grant.instance))?;
    let scopes = standing::common([&facts.scopes, &grant.scopes, &now.scopes]);
    if !scopes.open_mcp() {
        return Err(invalid_grant());
    }
    oauth.issue_first(&grounds, client, grant, scopes).await
}

impl<P> Oauth<P> {
    /// Waits a moment until this node knows of a grant: the code may be faster than the event.
    async fn hears_of(&self, grant: GrantId) -> Result<(), OauthError> {
        let mut seen = self.deciding.listen();
        let known = |grounds: &Grounds| grounds.grant(grant).is_some();
        if known(&self.grounds()?) {
            return Ok(());
        }
        let heard =
            async { while seen.changed().await.is_ok() && !self.grounds().as_ref().is_ok_and(known) {} };
        let _ = tokio::time::timeout(HEARD_WAIT, heard).await;
        if known(&self.grounds()?) {
            return Ok(());
        }
        Err(OauthError::unavailable("this node has not heard of the grant yet; try again"))
    }
}

/// A code came back: its grant ends, under one command id however often it comes.
async fn reused<P: Ports>(oauth: &Oauth<P>, client: &Client, grant: GrantId) -> OauthError {
    tracing::warn!(grant.id = %grant, client.id = %client.id, "a spent code came back; its grant ends");
    let reason = GrantEnd::CodeReused;
    let order = Order {
        command: Some(CommandId::new(format!("code-reused:{grant}"))),
        request_digest: reason.as_str().to_owned(),
        correlation: format!("grant {grant}"),
        causation: None,
    };
    let actor = Actor::server_about(client.id);
    match carry_out(&*oauth.ports, &actor, order, &End { grant, reason }).await {
        Ok(done) => oauth.acts_by(done.position).await,
        Err(CarryOutError::Refused(refused)) => {
            tracing::warn!(grant.id = %grant, reason = %refused, "the grant of a spent code cannot be ended");
        }
        // Whoever presents it once more is told the same, and the grant ends then.
        Err(error) => return unavailable(&error),
    }
    invalid_grant()
}

fn invalid_grant() -> OauthError {
    let why = "this code is not known, not this client's, spent, over, or comes without what it is bound to";
    OauthError::new(OauthErrorCode::InvalidGrant, why)
}

fn unavailable(error: &dyn std::error::Error) -> OauthError {
    tracing::warn!(error = %error, "codes cannot be exchanged");
    OauthError::unavailable("codes cannot be exchanged right now; try again")
}
