//! Who may change an instance, and what it may be connected to.

use domain::connection::Connection;
use domain::instance::{Instance, MemberNames, must_be_members};
use domain::server::Server;
use domain::value::{ConnectionId, InstanceId, MemberName, OrganizationId};

use crate::access::{Entered, enter, find};
use crate::connection::user;
use crate::{Actor, Log, Refused, Unit};

/// Lets through owners and admins, if the instance is of their organization.
pub(super) async fn must_keep<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    organization: OrganizationId,
    id: InstanceId,
) -> Result<Entered, Refused> {
    let entered = enter(unit, actor, organization).await?;
    find::<Instance, _>(unit, organization, id).await?;
    entered.must_command_all()?;
    Ok(entered)
}

/// Whether connections may be those of an instance, and what its members are to be called like. Refused unless every connection is of this organization and their own; owners and admins use them all. What is shared is shared through
/// the instances that owners and admins make: over a shared connection, a member could otherwise expose the tools that those leave out.
pub(super) async fn must_reach<L: Log>(
    unit: &Unit<'_, L>,
    entered: &Entered,
    organization: OrganizationId,
    connections: &[ConnectionId],
) -> Result<MemberNames, Refused> {
    must_be_members(connections)?; // a long list is refused before each of it is looked up
    let mut like = MemberNames::new();
    for id in connections {
        let connection = find::<Connection, _>(unit, organization, *id).await?;
        match connection.owner().and_then(user) {
            Some(owner) => entered.must_command(Some(owner))?,
            None => entered.must_command_all()?,
        }
        if let Some(server) = connection.server().filter(|_| connections.len() > 1) {
            let server = unit.load::<Server>(server).await?;
            like.extend(server.name().map(|name| (*id, MemberName::like(name.as_str()))));
        }
    }
    Ok(like)
}
