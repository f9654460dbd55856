//! `/v1/me`: who asks, by the key that they show.

use commands::user::{ChangeEmail, ChangeProfile};
use commands::{Authority, Credential, Ports};
use domain::value::Scope;
use http::Method;
use projections::directory::{api_keys, organizations, users};
use serde::Serialize;
use utoipa::ToSchema;

use super::api_keys::ApiKey;
use super::ask::{Answered, Asker, Found, found};
use super::organizations::Organization;
use super::shapes::Changed;
use super::users::{Email, Profile, User};
use super::{Access, Area, Command};
use crate::problem::Problem;

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let writes = || Access::Key(Scope::OrgWrite);
    Area::new("Me", "Who asks, and their own data.")
        .read::<Me, _, _>(
            "/v1/me",
            Access::AnyKey,
            "getMe",
            "Whose key this is, what it may do, and what it is bound to",
            get::<P>,
        )
        .change::<Profile, Changed, _, _>(
            Method::PUT,
            "/v1/me/profile",
            writes(),
            "changeMyProfile",
            "Replace your name and picture",
            change_profile::<P>,
        )
        .change::<Email, Changed, _, _>(
            Method::PUT,
            "/v1/me/email",
            writes(),
            "changeMyEmail",
            "Change or remove your e-mail address",
            change_email::<P>,
        )
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The user behind the key.
    user: User,
    /// The organization that the key belongs to.
    organization: Organization,
    /// What the user is there.
    role: &'static str,
    /// Whether the user administers the deployment.
    administrator: bool,
    /// The key: its scopes, its end, the instance that it is bound to.
    key: ApiKey,
}

async fn get<P: Ports + 'static>(asker: Asker<P>) -> Found<Me> {
    let pool = &asker.admin.pool;
    let (Authority::Member { user, organization, role }, Credential::ApiKey(key)) =
        (asker.actor.authority, asker.actor.credential)
    else {
        return Err(Problem::not_found("user behind this credential"));
    };
    let administrator = asker.admin.view.load().deployment().administrators.contains(&user);
    let key = api_keys::by_id(pool, organization, key).await?;
    let known =
        users::by_id(pool, organization, user).await?.zip(organizations::by_id(pool, organization).await?);
    found(known.zip(key), "user behind this credential", |((user, organization), key)| Me {
        user: user.into(),
        organization: organization.into(),
        role: role.as_str(),
        administrator,
        key: key.into(),
    })
}

async fn change_profile<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: Profile { name, picture }, order }: Command<Profile>,
) -> Answered<Changed> {
    asker.change(order, &ChangeProfile { user: asker.user()?, name, picture }).await
}

async fn change_email<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: Email { email }, order }: Command<Email>,
) -> Answered<Changed> {
    asker.change(order, &ChangeEmail { user: asker.user()?, email }).await
}
