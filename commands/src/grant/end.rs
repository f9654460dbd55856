//! End a grant without its user: the server, which saw a code or a spent refresh token come back, and the client that gives it back itself.

use domain::grant::{Grant, GrantCommand, GrantEnd};
use domain::value::GrantId;

use super::revoke_token::asking_client;
use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// End a grant without its user.
#[derive(Debug, Clone)]
pub struct End {
    /// Which.
    pub grant: GrantId,
    /// Why.
    pub reason: GrantEnd,
}

impl UseCase for End {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        match self.reason {
            GrantEnd::CodeReused
            | GrantEnd::RefreshReused
            | GrantEnd::PasswordChanged
            | GrantEnd::Replaced
            | GrantEnd::Expired => must_be_the_server(actor)?,
            GrantEnd::ByClient => {
                let client = asking_client(actor)?;
                if unit.load::<Grant>(self.grant).await?.client() != Some(client) {
                    return Err(Refused::NotFound("grant"));
                }
            }
            GrantEnd::ByUser | GrantEnd::ByAdministrator => {
                return Err(Refused::Forbidden("people take back a grant as themselves"));
            }
        }
        unit.decide::<Grant>(self.grant, GrantCommand::Revoke { reason: self.reason }).await
    }
}

fn must_be_the_server(actor: &Actor) -> Result<(), Refused> {
    match actor.authority {
        Authority::Server => Ok(()),
        Authority::User { .. }
        | Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::Client { .. } => {
            Err(Refused::Forbidden("only the server itself ends a grant for this reason"))
        }
    }
}
