//! What a client asks about itself. That it holds its registration access token is what the edge saw; that token ends with the client.

use domain::Aggregate as _;
use domain::client::Client;
use domain::organization::{Organization, OrganizationError};
use domain::value::ClientId;

use crate::{Actor, Authority, Log, Refused, Unit};

/// Refused for everybody but the client itself.
pub(super) fn must_be(client: ClientId, actor: &Actor) -> Result<(), Refused> {
    match actor.authority {
        Authority::Client { client: asking } if asking == client => Ok(()),
        Authority::Client { .. }
        | Authority::User { .. }
        | Authority::Member { .. }
        | Authority::Administrator { .. }
        | Authority::Founder
        | Authority::Server => Err(Refused::Forbidden("a client does this itself")),
    }
}

/// Refused while the organization that the client belongs to is suspended: nothing of it changes then.
pub(super) async fn must_not_be_suspended<L: Log>(
    unit: &Unit<'_, L>,
    client: ClientId,
) -> Result<(), Refused> {
    let Some(organization) = unit.load::<Client>(client).await?.organization(client) else { return Ok(()) };
    if unit.load::<Organization>(organization).await?.is_suspended() {
        return Err(OrganizationError::Suspended.into());
    }
    Ok(())
}
