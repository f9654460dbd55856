//! Whose a connection is inside its organization: everybody's, or one member's own.

use domain::connection::{Connection, ConnectionOwner};
use domain::value::{ConnectionId, OrganizationId, UserId};

use crate::access::{enter, find};
use crate::{Actor, Authority, Log, Refused, Unit};

/// Lets through whoever may change this connection: its own user, owners and admins.
pub(super) async fn must_hold<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    organization: OrganizationId,
    id: ConnectionId,
) -> Result<Connection, Refused> {
    let entered = enter(unit, actor, organization).await?;
    let connection = find::<Connection, _>(unit, organization, id).await?;
    entered.must_make()?;
    entered.must_command(connection.owner().and_then(user))?;
    Ok(connection)
}

/// Lets the server itself through, which notes what it learned of an upstream.
pub(super) fn must_be_the_server(actor: &Actor) -> Result<(), Refused> {
    match actor.authority {
        Authority::Server => Ok(()),
        Authority::User { .. }
        | Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::Client { .. } => {
            Err(Refused::Forbidden("only the server itself notes what became of an authorization"))
        }
    }
}

/// The one user whose credentials they are.
pub(crate) const fn user(owner: ConnectionOwner) -> Option<UserId> {
    match owner {
        ConnectionOwner::Organization => None,
        ConnectionOwner::User(user) => Some(user),
    }
}
