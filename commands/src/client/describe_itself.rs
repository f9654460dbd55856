//! A client describes itself anew (RFC 7592, 2.2): what it said before counts no more.

use domain::client::{Client, ClientCommand, ItselfDescribed};
use domain::value::ClientId;

use super::itself::{must_be, must_not_be_suspended};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Describe oneself anew.
#[derive(Debug, Clone)]
pub struct DescribeItself {
    /// Which client.
    pub client: ClientId,
    /// What it says now.
    pub description: ItselfDescribed,
}

impl UseCase for DescribeItself {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        must_be(self.client, actor)?;
        must_not_be_suspended(unit, self.client).await?;
        let said = Box::new(self.description.clone());
        unit.decide::<Client>(self.client, ClientCommand::DescribeItself(said)).await
    }
}
