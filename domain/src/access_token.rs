//! An access token that was given back before its time (RFC 7009). A token that ends by itself leaves no trace here.
//!
//! ```text
//!   (not given back) --revoke--> revoked     nothing leaves `revoked`
//! ```
//!
//! Each token has its own history of one event: a client may give tokens back as often as it gets them, and what it, or a grant, is folded from must
//! not grow with that. Who may revoke which token is decided where the grant and the client are known.

mod command;
mod event;

use std::convert::Infallible;

use serde::{Deserialize, Serialize};

pub use command::AccessTokenCommand;
pub use event::AccessTokenEvent;

use crate::value::{OrganizationId, TokenId};

/// State of one access token: only what its rule needs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AccessToken {
    standing: Standing,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Standing {
    #[default]
    Good,
    Revoked {
        organization: Option<OrganizationId>,
    },
}

aggregate!(AccessToken, id: TokenId, command: AccessTokenCommand, event: AccessTokenEvent, error: Infallible);

impl crate::Aggregate for AccessToken {
    type Id = TokenId;

    fn organization(&self, _: TokenId) -> Option<OrganizationId> {
        match self.standing {
            Standing::Good => None,
            Standing::Revoked { organization } => organization,
        }
    }

    fn decide(&self, command: &AccessTokenCommand) -> Result<Vec<AccessTokenEvent>, Infallible> {
        let AccessTokenCommand::Revoke { client, grant, organization, instance, expires_at, at } = *command;
        match self.standing {
            Standing::Revoked { .. } => Ok(vec![]), // a retry is no mistake
            Standing::Good if expires_at <= at => Ok(vec![]), // its time is over
            Standing::Good => {
                Ok(vec![AccessTokenEvent::Revoked { client, grant, organization, instance, expires_at }])
            }
        }
    }
}

impl AccessToken {
    #[expect(clippy::needless_pass_by_value, reason = "as every aggregate takes its events")]
    fn evolve(&mut self, event: AccessTokenEvent) {
        let AccessTokenEvent::Revoked { client: _, grant: _, organization, instance: _, expires_at: _ } =
            event;
        self.standing = Standing::Revoked { organization };
    }
}

#[cfg(test)]
mod tests;
