//! `/v1/organizations/{organization}/api-keys`: issued, listed, revoked. The key itself is shown once.

use axum::extract::State;
use commands::Ports;
use commands::api_key::{Issue, Issued, Rename, Revoke};
use domain::api_key::KeyEnvironment;
use domain::value::{
    ApiKeyId, DisplayName, InstanceId, IssuedSecret, OrganizationId, Scope, Scopes, Timestamp, UserId,
};
use http::Method;
use projections::directory::api_keys::{self as rows, ApiKeyRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Changed, NewName, moment, one_of};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/api-keys";
const ONE: &str = "/v1/organizations/{organization}/api-keys/{api_key}";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::KeysWrite);
    Area::new("API keys", "Credentials of programs: bound to a user, optionally to one instance.")
        .make::<NewApiKey, NewlyIssued, _, _>(
            ALL,
            writes(),
            "issueApiKey",
            "Issue a key; the answer is the only one that shows it",
            issue::<P>,
        )
        .list::<Listed<ApiKey>, _, _>(
            ALL,
            reads(),
            "listApiKeys",
            "The keys of the organization, revoked ones too",
            list::<P>,
        )
        .read::<ApiKey, _, _>(ONE, reads(), "getApiKey", "One key, without its secret", get::<P>)
        .change::<NewName, Changed, _, _>(
            Method::PATCH,
            ONE,
            writes(),
            "renameApiKey",
            "Give a key another name",
            rename::<P>,
        )
        .change::<Revocation, Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "revokeApiKey",
            "Refuse a key from now on, for ever",
            revoke::<P>,
        )
}

/// A key to be issued.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewApiKey {
    /// Name shown to people: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "CI")]
    name: DisplayName,
    /// What it may do, never more than the role of whoever issues it: mcp:read, mcp:write, mcp:admin, tool:<name>, org:read, org:write,
    /// keys:write, clients:write, audit:read.
    #[schema(value_type = Vec<String>, example = json!(["mcp:write"]))]
    scopes: Scopes,
    /// The only instance that it opens; left out, it opens all of the organization and, by its scopes, this API.
    #[schema(value_type = Option<Uuid>)]
    instance: Option<InstanceId>,
    /// The member in whose name it calls; left out, the caller. A key in somebody else's name neither administers the deployment nor changes
    /// their profile.
    #[schema(value_type = Option<Uuid>)]
    principal: Option<UserId>,
    /// When it stops by itself; left out, never. No later than the key that issues it.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<OffsetDateTime>)]
    expires_at: Option<Timestamp>,
    /// What it is for; left out, live.
    #[serde(default = "live")]
    #[schema(schema_with = environment, required = false)]
    environment: KeyEnvironment,
}

const fn live() -> KeyEnvironment {
    KeyEnvironment::Live
}

fn environment() -> Object {
    one_of(
        KeyEnvironment::ALL.map(KeyEnvironment::as_str),
        "Real work or trials; it is part of the key's text",
    )
}

/// Why a key is revoked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Revocation {
    /// The reason, for the audit: 1 to 200 characters.
    #[schema(value_type = Option<String>, example = "Laptop lost")]
    reason: Option<DisplayName>,
}

/// A key was issued.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IssuedApiKey)]
struct NewlyIssued {
    /// Its id.
    id: Uuid,
    /// Its public part, by which it is recognised in lists.
    key_id: String,
    /// The member in whose name it calls.
    principal: Uuid,
    /// The key itself, shown this once.
    #[schema(value_type = String)]
    api_key: IssuedSecret,
}

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKey {
    /// Its id.
    id: Uuid,
    /// Its public part.
    key_id: String,
    /// Name shown to people.
    name: String,
    /// The member in whose name it calls.
    principal: Uuid,
    /// The only instance that it opens; null when it is not bound to one.
    #[schema(required)]
    instance: Option<Uuid>,
    /// What it may do.
    scopes: Vec<String>,
    /// What it is for.
    #[schema(schema_with = environment)]
    environment: String,
    /// When it stops by itself; null when it does not.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    /// `active` or `revoked`; a key whose time is over is still `active`.
    standing: String,
    /// When it was revoked; null when it was not.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    revoked_at: Option<OffsetDateTime>,
    /// Why it was revoked; null when it was not.
    #[schema(required)]
    reason: Option<String>,
    /// When it was issued.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl From<Issued> for NewlyIssued {
    fn from(Issued { id, key_id, principal, key }: Issued) -> Self {
        Self { id: id.uuid(), key_id: key_id.to_string(), principal: principal.uuid(), api_key: key }
    }
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            key_id: row.key_id,
            name: row.name,
            principal: row.principal_id,
            instance: row.instance_id,
            scopes: row.scopes,
            environment: row.environment,
            expires_at: row.expires_at,
            standing: row.standing,
            revoked_at: row.revoked_at,
            reason: row.standing_reason,
            created_at: row.created_at,
        }
    }
}

async fn issue<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body, order }: Command<NewApiKey>,
) -> Answered<NewlyIssued> {
    let NewApiKey { name, scopes, instance, principal, expires_at, environment } = body;
    let use_case = Issue { organization, name, principal, instance, scopes, expires_at, environment };
    asker.ask(order, &use_case, NewlyIssued::from).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<ApiKey>, Problem> {
    let rows = rows::list(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, ApiKey::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, api_key)): Within<ApiKeyId>,
) -> Found<ApiKey> {
    found(rows::by_id(&admin.pool, organization, api_key).await?, "API key", ApiKey::from)
}

async fn rename<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, api_key)): Within<ApiKeyId>,
    Command { body: NewName { name }, order }: Command<NewName>,
) -> Answered<Changed> {
    asker.change(order, &Rename { organization, api_key, name }).await
}

async fn revoke<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, api_key)): Within<ApiKeyId>,
    Command { body: Revocation { reason }, order }: Command<Revocation>,
) -> Answered<Changed> {
    let unsaid = || DisplayName::parse("no reason given");
    let reason = reason
        .map_or_else(unsaid, Ok)
        .map_err(|error| Problem::bad_request("bad-reason", error.to_string()))?;
    asker.change(order, &Revoke { organization, api_key, reason }).await
}
