//! Who may change a client: whoever registered it, owners and admins.

use domain::client::Client;
use domain::value::{ClientId, OrganizationId};

use crate::access::{Entered, enter, find};
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
