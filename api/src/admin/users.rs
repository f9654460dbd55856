//! `/v1/organizations/{organization}/users` and `/v1/deployment/users`: people.

use axum::extract::State;
use commands::Ports;
use commands::user::{ChangeEmail, ChangeProfile, Delete, Erase, Register, Registered, Resume, Suspend};
use domain::value::{DisplayName, EmailAddress, HttpsUrl, OrganizationId, Scope, UserId};
use http::Method;
use projections::directory::users::{self as rows, UserRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Because, Changed, Made, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/users";
const ONE: &str = "/v1/organizations/{organization}/users/{user}";
const EVERY: &str = "/v1/deployment/users";
const ANY: &str = "/v1/deployment/users/{user}";
const PROFILE: &str = "/v1/deployment/users/{user}/profile";
const EMAIL: &str = "/v1/deployment/users/{user}/email";
const SUSPEND: &str = "/v1/deployment/users/{user}/suspend";
const ERASE: &str = "/v1/deployment/users/{user}/erase";
const RESUME: &str = "/v1/deployment/users/{user}/resume";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let read_any = || Access::Administrator(Scope::OrgRead);
    let any = || Access::Administrator(Scope::OrgWrite);
    Area::new("Users", "People. They belong to the deployment; organizations take them in as members.")
        .make::<NewUser, Made, _, _>(
            ALL,
            Access::Organization(Scope::OrgWrite),
            "registerUser",
            "Make a person known, to be taken in as a member next",
            register::<P>,
        )
        .list::<Listed<User>, _, _>(
            ALL,
            Access::Organization(Scope::OrgRead),
            "listUsers",
            "The members of the organization as people",
            list::<P>,
        )
        .read::<User, _, _>(
            ONE,
            Access::Organization(Scope::OrgRead),
            "getUser",
            "One member of the organization as a person",
            get::<P>,
        )
        .list::<Listed<User>, _, _>(
            EVERY,
            read_any(),
            "listAllUsers",
            "Every user of the deployment",
            list_all::<P>,
        )
        .read::<User, _, _>(ANY, read_any(), "getAnyUser", "Any user of the deployment", get_any::<P>)
        .change::<Profile, Changed, _, _>(
            Method::PUT,
            PROFILE,
            any(),
            "changeUserProfile",
            "Replace the name and picture of a user",
            change_profile::<P>,
        )
        .change::<Email, Changed, _, _>(
            Method::PUT,
            EMAIL,
            any(),
            "changeUserEmail",
            "Change or remove the e-mail address of a user",
            change_email::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            SUSPEND,
            any(),
            "suspendUser",
            "Refuse everything that a user asks for",
            suspend::<P>,
        )
        .act::<Changed, _, _>(
            Method::POST,
            RESUME,
            any(),
            "resumeUser",
            "End the suspension of a user",
            resume::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ANY,
            any(),
            "deleteUser",
            "End a user for good; the e-mail address is free",
            delete::<P>,
        )
        .change::<Because, Changed, _, _>(
            Method::POST,
            ERASE,
            any(),
            "eraseUser",
            "Forget a person for good, in every copy of the log; the reason stays in clear, so nothing about them belongs there",
            erase::<P>,
        )
}

/// A person to be made known.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// Name shown to people.
    #[schema(value_type = Option<String>, example = "Ada Lovelace")]
    name: Option<DisplayName>,
    /// E-mail address, unique in the deployment.
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    email: Option<EmailAddress>,
    /// Where a picture is.
    #[schema(value_type = Option<String>, example = "https://www.example.com/ada.png")]
    picture: Option<HttpsUrl>,
}

/// What is shown of a person. Both members are replaced: what is left out is removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    /// Name shown to people.
    #[schema(value_type = Option<String>, example = "Ada Lovelace")]
    pub(super) name: Option<DisplayName>,
    /// Where a picture is.
    #[schema(value_type = Option<String>, example = "https://www.example.com/ada.png")]
    pub(super) picture: Option<HttpsUrl>,
}

/// An e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Email {
    /// The address, unique in the deployment; left out or null, it is removed.
    #[schema(value_type = Option<String>, example = "ada@example.com")]
    pub(super) email: Option<EmailAddress>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct User {
    /// Their id.
    id: Uuid,
    /// Name shown to people; null when it is not known.
    #[schema(required)]
    name: Option<String>,
    /// E-mail address; null when it is not known.
    #[schema(required)]
    email: Option<String>,
    /// Where a picture is; null when none is known.
    #[schema(required)]
    picture: Option<String>,
    /// `active`, `suspended` or `erased`: then nothing else is known any more, and nothing can bring it back.
    standing: String,
    /// Why they are suspended; null while they are not.
    #[schema(required)]
    reason: Option<String>,
    /// When they became known.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When they changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow { id, name, email, picture, standing, standing_reason: reason, .. } = row;
        let (created_at, updated_at) = (row.created_at, row.updated_at);
        Self { id, name, email, picture, standing, reason, created_at, updated_at }
    }
}

async fn register<P: Ports + 'static>(
    asker: Asker<P>,
    Command { body: NewUser { name, email, picture }, order }: Command<NewUser>,
) -> Answered<Made> {
    let use_case = Register { name, email, picture };
    asker.ask(order, &use_case, |Registered { id }| Made { id: id.uuid() }).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<User>, Problem> {
    let rows = rows::list(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, User::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, user)): Within<UserId>,
) -> Found<User> {
    found(rows::by_id(&admin.pool, organization, user).await?, "user", User::from)
}

async fn list_all<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    page: Paging,
) -> Result<Listed<User>, Problem> {
    let rows = rows::list_all(&admin.pool, page.after, page.rows).await?;
    Ok(Listed::of(rows, User::from))
}

async fn get_any<P: Ports + 'static>(State(admin): State<Admin<P>>, Path(user): Path<UserId>) -> Found<User> {
    found(rows::any_by_id(&admin.pool, user).await?, "user", User::from)
}

async fn change_profile<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Profile { name, picture }, order }: Command<Profile>,
) -> Answered<Changed> {
    asker.change(order, &ChangeProfile { user, name, picture }).await
}

async fn change_email<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Email { email }, order }: Command<Email>,
) -> Answered<Changed> {
    asker.change(order, &ChangeEmail { user, email }).await
}

async fn suspend<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    asker.change(order, &Suspend { user, reason }).await
}

async fn resume<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Resume { user }).await
}

async fn delete<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Delete { user }).await
}

async fn erase<P: Ports + 'static>(
    asker: Asker<P>,
    Path(user): Path<UserId>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    asker.change(order, &Erase { user, reason }).await
}
