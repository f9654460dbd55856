//! Who may change a client: whoever registered it, owners and admins; one that is nobody's, the administrators of the deployment.

use domain::Aggregate as _;
use domain::client::Client;
use domain::value::{ClientId, OrganizationId};

use crate::access::{Entered, administrator, enter, find};
use crate::{Actor, Log, Refused, Unit};

/// Lets them through, if the client is of their organization.
pub(super) async fn must_answer_for<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    organization: OrganizationId,
    id: ClientId,
) -> Result<Entered, Refused> {
    let entered = enter(unit, actor, organization).await?;
    let client = find::<Client, _>(unit, organization, id).await?;
    entered.must_command(client.registered_by())?;
    Ok(entered)
}

/// Lets them through, if the client is of their organization or, where no organization is named, nobody's and they administer the deployment.
pub(super) async fn must_be_able_to_end<L: Log>(
    unit: &Unit<'_, L>,
    actor: &Actor,
    organization: Option<OrganizationId>,
    id: ClientId,
) -> Result<(), Refused> {
    if let Some(organization) = organization {
        must_answer_for(unit, actor, organization, id).await?;
        return Ok(());
    }
    administrator(unit, actor).await?;
    let client = unit.load::<Client>(id).await?;
    if client.exists() && client.organization(id).is_none() {
        Ok(())
    } else {
        Err(Refused::NotFound("client"))
    }
}
