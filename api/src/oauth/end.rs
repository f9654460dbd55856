//! The end of a family of refresh tokens is told to the log: its grant is over, and with it every access token.
//!
//! The table comes first, since that is where two programs meet; then the event. Whoever dies in between is followed by the next one that presents a
//! token of the family, or by a look at what is untold that every node takes now and then (`wiring`): under one command id, so it is told once.
//!
//! A family that ends since its user changed their password ends alone. A user, a client and an instance have one grant, and they may have consented to
//! it anew since: what was allowed after the change is not the old family's to end. That the password was changed, the log says already.

use commands::grant::End;
use commands::{Actor, CarryOutError, CommandId, Done, Order, Ports, carry_out};
use domain::grant::GrantEnd;
use domain::value::Position;

use super::Oauth;
use super::error::OauthError;
use crate::token::{EndedFamily, FamilyEnd, KeepRefreshTokens, RefreshUnreachable};

/// The log or the table does not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untold {
    #[error(transparent)]
    Log(#[from] CarryOutError),
    #[error(transparent)]
    Table(#[from] RefreshUnreachable),
}

/// Ends the grant of an ended family, where it ends with that, and remembers that it did; answers where the log says so.
pub(crate) async fn tell<P: Ports>(
    ports: &P,
    refresh: &dyn KeepRefreshTokens,
    ended: EndedFamily,
) -> Result<Option<Position>, Untold> {
    let (actor, reason) = match ended.why {
        FamilyEnd::Reused => (Actor::server_about(ended.client), GrantEnd::RefreshReused),
        FamilyEnd::ByClient => (Actor::client(ended.client), GrantEnd::ByClient),
        FamilyEnd::PasswordChanged => {
            refresh.told(ended.id).await?;
            return Ok(None);
        }
    };
    let order = Order {
        command: Some(CommandId::new(format!("refresh-family:{}", ended.id.0))),
        request_digest: reason.as_str().to_owned(),
        correlation: format!("refresh family {}", ended.id.0),
        causation: None,
    };
    let position = match carry_out(ports, &actor, order, &End { grant: ended.grant, reason }).await {
        Ok(Done { answer: (), position, repeated: _ }) => Some(position),
        Err(CarryOutError::Refused(refused)) => {
            tracing::warn!(grant.id = %ended.grant, reason = %refused, "a grant with refresh tokens cannot be ended");
            None // there is no such grant: it has no token that counts either
        }
        Err(error) => return Err(error.into()),
    };
    refresh.told(ended.id).await?;
    Ok(position)
}

impl<P: Ports> Oauth<P> {
    /// The same for whoever asks, who is answered when this node acts by it.
    pub(super) async fn tell(&self, ended: EndedFamily) -> Result<(), OauthError> {
        let told = tell(&*self.ports, &*self.refresh, ended).await;
        let position = told.map_err(|error| {
            tracing::warn!(error = %error, grant.id = %ended.grant, "the end of a grant waits to be told");
            OauthError::unavailable("this cannot be done right now; try again")
        })?;
        if let Some(position) = position {
            self.acts_by(position).await;
        }
        Ok(())
    }

    /// Waits a moment until this node decides by what was just written: who is told that something is revoked may try it at once.
    pub(super) async fn acts_by(&self, position: Position) {
        let mut seen = self.deciding.listen();
        let _ = tokio::time::timeout(SEEN_WAIT, seen.wait_for(|seen| *seen >= position)).await;
    }
}

/// How long an answer waits for the view of this node.
const SEEN_WAIT: std::time::Duration = std::time::Duration::from_secs(2);
