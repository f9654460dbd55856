//! `/v1/bootstrap`: sets a new deployment up, once.

use commands::Ports;
use commands::deployment::{Bootstrap, Bootstrapped};
use domain::value::{DisplayName, EmailAddress, IssuedSecret, Slug};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker};
use super::{Access, Area, Command};

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    Area::new("Bootstrap", "The first call to a new deployment: its administrator, organization and key.")
        .make::<Founding, Founded, _, _>(
        "/v1/bootstrap",
        Access::Bootstrap,
        "bootstrap",
        "Set the deployment up; the answer shows its first API key",
        bootstrap::<P>,
    )
}

/// What a deployment begins with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Founding {
    /// Its first organization, a team.
    organization: FirstOrganization,
    /// The owner of that organization, who administers the deployment.
    #[serde(default)]
    owner: FirstOwner,
}

/// The first organization.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstOrganization {
    /// Unique name in addresses: 2 to 39 of a-z, 0-9 and single dashes.
    #[schema(value_type = String, example = "acme")]
    slug: Slug,
    /// Name shown to people.
    #[schema(value_type = String, example = "Acme Tools")]
    name: DisplayName,
}

/// The first user.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FirstOwner {
    /// Name shown to people.
    #[schema(value_type = Option<String>, example = "Ada Lovelace")]
    name: Option<DisplayName>,
    /// E-mail address, unique in the deployment.
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    email: Option<EmailAddress>,
}

/// The deployment is set up.
#[derive(Debug, Serialize, ToSchema)]
struct Founded {
    /// The first organization.
    organization_id: Uuid,
    /// The first user.
    user_id: Uuid,
    /// The first API key's id.
    api_key_id: Uuid,
    /// The first API key, shown this once. It may do everything.
    #[schema(value_type = String)]
    api_key: IssuedSecret,
    /// What is left to be done before the founder can sign in at a page: there is no password yet.
    sign_in: String,
}

impl From<Bootstrapped> for Founded {
    fn from(Bootstrapped { user, organization, api_key, key }: Bootstrapped) -> Self {
        let (organization_id, user_id) = (organization.uuid(), user.uuid());
        let sign_in = format!(
            "the founder has no password yet: `sekisho users set-password --user {user_id}` reads one from standard input and sets it"
        );
        Self { organization_id, user_id, api_key_id: api_key.uuid(), api_key: key, sign_in }
    }
}

async fn bootstrap<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body, order }: Command<Founding>,
) -> Answered<Founded> {
    let Founding { organization: FirstOrganization { slug, name }, owner } = body;
    let FirstOwner { name: owner_name, email: owner_email } = owner;
    let use_case = Bootstrap { organization_slug: slug, organization_name: name, owner_name, owner_email };
    asker.ask(order, &use_case, Founded::from).await
}
