//! The two catalogues: an organization's own, and the deployment's, from which all organizations choose.

use domain::Aggregate as _;
use domain::server::{Server, Visibility};
use domain::value::{OrganizationId, ServerId};

use crate::access::{Entered, Rank, administrator, enter, find};
use crate::{Actor, Log, Refused, Unit};

const UNKNOWN: Refused = Refused::NotFound("server");

/// Lets through whoever keeps this catalogue, if the server is in it.
pub(super) async fn must_keep<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    catalogue: Option<OrganizationId>,
    id: ServerId,
) -> Result<(), Refused> {
    let Some(organization) = catalogue else {
        administrator(unit, actor).await?;
        let server = unit.load::<Server>(id).await?;
        return if server.is_offered() && server.organization(id).is_none() { Ok(()) } else { Err(UNKNOWN) };
    };
    let entered = enter(unit, actor, organization).await?;
    find::<Server, _>(unit, organization, id).await?;
    entered.must_command_all()
}

/// Finds a server that somebody in an organization may connect to.
pub(crate) async fn find_connectable<L: Log>(
    unit: &Unit<'_, L>,
    entered: &Entered,
    organization: OrganizationId,
    id: ServerId,
) -> Result<Server, Refused> {
    let server = unit.load::<Server>(id).await?;
    let is_connectable = match (server.visibility(), server.organization(id)) {
        (None, _) => false,
        (Some(Visibility::Public), _) => true,
        (Some(Visibility::Organization), Some(own)) => own == organization,
        (Some(Visibility::Private), Some(own)) => own == organization && entered.commands_all(),
        (Some(Visibility::Private | Visibility::Organization), None) => entered.rank == Rank::Administrator,
    };
    if is_connectable && server.is_offered() { Ok(server) } else { Err(UNKNOWN) }
}
