//! Give an organization another name, another slug, or both at once. Only owners.

use domain::value::{DisplayName, OrganizationId, Slug};

use super::{ChangeSlug, Rename};
use crate::{Actor, Ports, Refused, Unit, UseCase};

/// Give an organization another name, another slug, or both at once.
#[derive(Debug, Clone)]
pub struct Update {
    /// Where.
    pub organization: OrganizationId,
    /// The new name; none keeps the old one.
    pub name: Option<DisplayName>,
    /// The new slug; none keeps the old one.
    pub slug: Option<Slug>,
}

impl UseCase for Update {
    type Answer = ();

    async fn run<P: Ports>(
        &self,
        ports: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<(), Refused> {
        let organization = self.organization;
        if self.name.is_none() && self.slug.is_none() {
            return Err(Refused::Invalid(
                "nothing is to be changed: give a name, a slug, or both".to_owned(),
            ));
        }
        if let Some(name) = self.name.clone() {
            Rename { organization, name }.run(ports, actor, unit).await?;
        }
        if let Some(slug) = self.slug.clone() {
            ChangeSlug { organization, slug }.run(ports, actor, unit).await?;
        }
        Ok(())
    }
}
