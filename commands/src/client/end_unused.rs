//! End a client that registered itself and that nobody ever let act: anybody can register thousands. The server alone, by its schedule.

use domain::client::{Client, ClientCommand};
use domain::value::{ClientId, Timestamp};

use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// End a client that was never used. Whatever else it is, it stays.
#[derive(Debug, Clone)]
pub struct EndUnused {
    /// Which client.
    pub client: ClientId,
    /// It must have been there for as long.
    pub since: Timestamp,
}

impl UseCase for EndUnused {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        match actor.authority {
            Authority::Server => {
                unit.decide::<Client>(self.client, ClientCommand::EndIfUnused { since: self.since }).await
            }
            Authority::Client { .. }
            | Authority::User { .. }
            | Authority::Member { .. }
            | Authority::Administrator { .. }
            | Authority::Founder => {
                Err(Refused::Forbidden("only the server itself ends clients because they are unused"))
            }
        }
    }
}
