//! Somebody goes on by a provider's word of before, since it does not answer; or it answers again. The server itself notes both, for the audit: once for
//! each time that this happens, however many requests and nodes see it.

use domain::user::{User, UserCommand};
use domain::value::{Issuer, Timestamp, UserId};

use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// Note that a provider's word of before is taken.
#[derive(Debug, Clone)]
pub struct BeginFallback {
    /// For whom.
    pub user: UserId,
    /// The provider.
    pub issuer: Issuer,
    /// When it vouched for them last.
    pub vouched_at: Timestamp,
}

/// Note that it vouched for them again.
#[derive(Debug, Clone)]
pub struct EndFallback {
    /// For whom.
    pub user: UserId,
    /// The provider.
    pub issuer: Issuer,
}

impl UseCase for BeginFallback {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_the_server(actor)?;
        let (issuer, vouched_at) = (self.issuer.clone(), self.vouched_at);
        unit.decide::<User>(self.user, UserCommand::BeginFallback { issuer, vouched_at }).await
    }
}

impl UseCase for EndFallback {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be_the_server(actor)?;
        let end = UserCommand::EndFallback { issuer: self.issuer.clone() };
        unit.decide::<User>(self.user, end).await
    }
}

fn must_be_the_server(actor: &Actor) -> Result<(), Refused> {
    match actor.authority {
        Authority::Server => Ok(()),
        Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::User { .. }
        | Authority::Client { .. } => Err(Refused::Forbidden("only the server itself notes this")),
    }
}
