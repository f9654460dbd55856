//! A client ends itself for good (RFC 7592, 2.3). Nothing that people granted it counts from then on, as when somebody else ends it.

use domain::client::{Client, ClientCommand};
use domain::value::ClientId;

use super::itself::{must_be, must_not_be_suspended};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// End oneself for good.
#[derive(Debug, Clone)]
pub struct Leave {
    /// Which client.
    pub client: ClientId,
}

impl UseCase for Leave {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be(self.client, actor)?;
        must_not_be_suspended(unit, self.client).await?;
        unit.decide::<Client>(self.client, ClientCommand::Leave).await
    }
}
