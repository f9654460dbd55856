//! Give an organization another slug. Only owners; the old slug is free at once.

use domain::organization::{Organization, OrganizationCommand};
use domain::value::{OrganizationId, Slug};

use crate::access::enter;
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give an organization another slug.
#[derive(Debug, Clone)]
pub struct ChangeSlug {
    /// Where.
    pub organization: OrganizationId,
    /// The new slug.
    pub slug: Slug,
}

impl UseCase for ChangeSlug {
    type Answer = ();

    async fn run<P: Ports>(&self, _: &P, actor: &Actor, unit: &mut Unit<'_, P::Log>) -> Result<(), Refused> {
        let entered = enter(unit, actor, self.organization).await?;
        entered.must_own()?;
        unit.decide::<Organization>(
            self.organization,
            OrganizationCommand::ChangeSlug { slug: self.slug.clone() },
        )
        .await
    }
}
