//! Give a person an organization of their own, once: at their first visit, when they belong to no other.
//!
//! Its id is the person's, so that however many browsers and nodes do this at once, there is one. Nothing personal is in its name or its slug: the
//! log keeps both in clear.

use domain::organization::{Organization, OrganizationCommand, OrganizationKind};
use domain::value::{DisplayName, OrganizationId, Slug, UserId};
use serde::{Deserialize, Serialize};

use crate::access::acting_user;
use crate::{Actor, Authority, Ports, Refused, Unit, UseCase};

/// Of the person's id, its random end.
const SLUG_DIGITS: usize = 12;
const NAME: &str = "Personal";

/// Give whoever asks an organization of their own, unless they belong to one.
#[derive(Debug, Clone, Copy)]
pub struct CreatePersonal;

/// A personal organization was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalCreated {
    /// Its id.
    pub id: OrganizationId,
    /// Its slug.
    pub slug: Slug,
}

impl CreatePersonal {
    /// The organization that is a person's own, whether or not it was made.
    pub const fn id_of(user: UserId) -> OrganizationId {
        OrganizationId::new(user.uuid())
    }
}

impl UseCase for CreatePersonal {
    /// None when they belong to an organization already.
    type Answer = Option<PersonalCreated>;

    async fn run<P: Ports>(
        &self,
        _: &P,
        actor: &Actor,
        unit: &mut Unit<'_, P::Log>,
    ) -> Result<Option<PersonalCreated>, Refused> {
        let Authority::User { user } = actor.authority else {
            return Err(Refused::Forbidden("a person gets an organization of their own by signing in"));
        };
        acting_user(unit, actor).await?;
        for id in unit.organizations_of(user).await? {
            let organization = unit.load::<Organization>(id).await?;
            if organization.exists() && organization.role_of(user).is_some() {
                return Ok(None);
            }
        }
        let id = Self::id_of(user);
        let slug = slug(user)?;
        let name = DisplayName::parse(NAME).map_err(|error| Refused::Invalid(error.to_string()))?;
        let kind = OrganizationKind::Personal;
        let create = OrganizationCommand::Create { kind, slug: slug.clone(), name, owner: user };
        unit.decide::<Organization>(id, create).await?;
        Ok(Some(PersonalCreated { id, slug }))
    }
}

fn slug(user: UserId) -> Result<Slug, Refused> {
    let digits = user.uuid().simple().to_string();
    let end = digits.get(digits.len() - SLUG_DIGITS..).unwrap_or(&digits);
    Slug::parse(&format!("@user-{end}")).map_err(|error| Refused::Invalid(error.to_string()))
}
