//! `/v1/organizations/{organization}/connections`: credentials for a server. The values go in and never come out.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use commands::Ports;
use commands::connection::{Create, Created, Remove, Rename, SecretsSet, SetSecrets};
use domain::connection::{AuthorizationEnd, ConnectionOwner};
use domain::server::Transport;
use domain::value::{
    ConnectionId, DisplayName, FieldName, OrganizationId, PresentedSecret, ProviderScope, Scope, ServerId,
    Timestamp, UpstreamUrl, UserId,
};
use http::Method;
use projections::directory::connections::{self as rows, ConnectionOauth, ConnectionRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Changed, Made, NewName, Nothing};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/connections";
const ONE: &str = "/v1/organizations/{organization}/connections/{connection}";
const SECRETS: &str = "/v1/organizations/{organization}/connections/{connection}/secrets";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::OrgWrite);
    Area::new("Connections", "Credentials for one server, shared by the organization or one member's own.")
        .make::<NewConnection, Made, _, _>(
            ALL,
            writes(),
            "createConnection",
            "Connect the organization, or yourself, to a server",
            create::<P>,
        )
        .list::<Listed<Connection>, _, _>(
            ALL,
            reads(),
            "listConnections",
            "The connections of the organization and its members",
            list::<P>,
        )
        .read::<Connection, _, _>(
            ONE,
            reads(),
            "getConnection",
            "One connection; of its secrets only the names",
            get::<P>,
        )
        .change::<NewName, Changed, _, _>(
            Method::PATCH,
            ONE,
            writes(),
            "renameConnection",
            "Give a connection another name",
            rename::<P>,
        )
        .change::<NewSecrets, Secrets, _, _>(
            Method::PUT,
            SECRETS,
            writes(),
            "setConnectionSecrets",
            "Replace all secrets of a connection",
            set_secrets::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "removeConnection",
            "Remove a connection and its secrets",
            remove::<P>,
        )
}

/// A connection to be made. Its secrets follow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConnection {
    /// The server that it connects to.
    #[schema(value_type = Uuid)]
    server: ServerId,
    /// Name shown to people: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Tickets, read-only account")]
    name: DisplayName,
    /// Whose credentials it holds.
    #[serde(default)]
    owner: Owner,
}

/// Whose credentials a connection holds: shared by the organization, or the user's own.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConnectionOwner)]
enum Owner {
    /// Shared by the organization.
    #[default]
    Organization,
    /// The caller's own.
    User,
}

/// The whole set of secrets: a field that is not in it has no value any more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Value", deny_unknown_fields)]
struct NewSecrets {
    /// The value of each credential field that the server names: at most 8192 bytes each. Where the server is authorized by OAuth, also
    /// `oauth_client_id`, `oauth_client_secret` and `oauth_issuer`: the client that its authorization server knows already, and which one that is.
    #[schema(value_type = BTreeMap<String, String>, example = json!({ "api_token": "the-token" }))]
    fields: BTreeMap<FieldName, PresentedSecret>,
    /// The server's address as you know it. When the server is at another origin by now, nothing is set, and the answer is 409
    /// (`server-moved`).
    #[schema(value_type = Option<String>, example = "https://mcp.example.com/mcp")]
    server_url: Option<UpstreamUrl>,
}

/// Read by hand, so that no refusal repeats a value that was put in the wrong place.
impl TryFrom<Value> for NewSecrets {
    type Error = String;

    fn try_from(body: Value) -> Result<Self, String> {
        let expected = || r#"expected {"fields": {name: text}, "server_url": text or null}"#.to_owned();
        let Value::Object(mut body) = body else { return Err(expected()) };
        let Some(Value::Object(fields)) = body.remove("fields") else { return Err(expected()) };
        let server_url = match body.remove("server_url") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => {
                Some(UpstreamUrl::parse(&text).map_err(|error| format!("server_url: {error}"))?)
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                return Err(expected());
            }
        };
        if let Some(name) = body.keys().next() {
            return Err(format!("unknown field `{name}`, expected `fields` or `server_url`"));
        }
        let field = |(name, value): (String, Value)| {
            let name = FieldName::parse(&name).map_err(|error| error.to_string())?;
            match value {
                Value::String(text) => Ok((name, PresentedSecret::new(text))),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    Err(format!("the value of {name} is not a text"))
                }
            }
        };
        Ok(Self { fields: fields.into_iter().map(field).collect::<Result<_, _>>()?, server_url })
    }
}

/// The secrets in force. Their values are never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionSecrets)]
struct Secrets {
    /// Which set it is, higher than any before.
    version: u32,
    /// The fields that have a value in it.
    fields: Vec<String>,
}

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
struct Connection {
    /// Its id.
    id: Uuid,
    /// The server that it connects to.
    server: Uuid,
    /// Name shown to people.
    name: String,
    /// Whose credentials it holds.
    owner: Owner,
    /// The member whose own it is; null when the organization shares it.
    #[schema(required)]
    user: Option<Uuid>,
    /// Which set of secrets is in force; null before there is one, and after the server moved to another origin.
    #[schema(required)]
    secrets_version: Option<i64>,
    /// The fields that have a value.
    secret_fields: Vec<String>,
    /// What an authorization server gave out for it; null before that, after it was taken back, and after the server moved to another origin.
    #[schema(required)]
    authorization: Option<Authorization>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// What an authorization server gave out for a connection. Tokens are never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionAuthorization)]
struct Authorization {
    /// Whether calls use it: `false` when it must be given anew.
    usable: bool,
    /// Why it must be given anew: `renewal_refused`, `expired` or `token_refused`.
    #[schema(required)]
    lost: Option<&'static str>,
    /// `authorization_code` or `client_credentials`.
    grant: &'static str,
    /// Who gave it out.
    issuer: String,
    /// Who allowed it; null where the connection's client acts in its own name.
    #[schema(required)]
    by: Option<Uuid>,
    /// What it may be used for, as far as was told.
    scopes: Vec<String>,
    /// What the server wants beside that: the next authorization asks for it, too.
    wanted_scopes: Vec<String>,
    /// Whether it is renewed without anybody.
    renewable: bool,
    /// When its first token ends, if that was told.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    expires_at: Option<OffsetDateTime>,
    /// When it was given out.
    #[serde(with = "time::serde::rfc3339")]
    authorized_at: OffsetDateTime,
}

impl From<ConnectionOauth> for Authorization {
    fn from(oauth: ConnectionOauth) -> Self {
        let texts = |scopes: &BTreeSet<ProviderScope>| scopes.iter().map(ProviderScope::to_string).collect();
        Self {
            usable: oauth.lost.is_none(),
            lost: oauth.lost.map(AuthorizationEnd::as_str),
            grant: oauth.grant.as_str(),
            issuer: oauth.issuer.to_string(),
            by: oauth.by.map(UserId::uuid),
            scopes: texts(&oauth.scopes),
            wanted_scopes: texts(&oauth.wanted),
            renewable: oauth.renewable,
            expires_at: oauth.expires_at.map(Timestamp::get),
            authorized_at: oauth.authorized_at.get(),
        }
    }
}

impl From<ConnectionRow> for Connection {
    fn from(row: ConnectionRow) -> Self {
        let ConnectionRow { id, server_id, name, owner_user_id, secrets_version, secret_fields, .. } = row;
        let authorization = row.oauth.map(Authorization::from);
        let owner = if owner_user_id.is_none() { Owner::Organization } else { Owner::User };
        let (created_at, updated_at) = (row.created_at, row.updated_at);
        let (server, user) = (server_id, owner_user_id);
        Self {
            id,
            server,
            name,
            owner,
            user,
            secrets_version,
            secret_fields,
            authorization,
            created_at,
            updated_at,
        }
    }
}

async fn create<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body: NewConnection { server, name, owner }, order }: Command<NewConnection>,
) -> Answered<Made> {
    let owner = match (owner, asker.actor.user()) {
        (Owner::User, Some(user)) => ConnectionOwner::User(user),
        (Owner::Organization, _) | (Owner::User, None) => ConnectionOwner::Organization,
    };
    let use_case = Create { organization, owner, server, name };
    asker.ask(order, &use_case, |Created { id }| Made { id: id.uuid() }).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<Connection>, Problem> {
    let rows = rows::list(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, Connection::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, connection)): Within<ConnectionId>,
) -> Found<Connection> {
    found(rows::by_id(&admin.pool, organization, connection).await?, "connection", Connection::from)
}

async fn rename<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, connection)): Within<ConnectionId>,
    Command { body: NewName { name }, order }: Command<NewName>,
) -> Answered<Changed> {
    asker.change(order, &Rename { organization, connection, name }).await
}

async fn set_secrets<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, connection)): Within<ConnectionId>,
    Command { body: NewSecrets { fields, server_url }, order }: Command<NewSecrets>,
) -> Answered<Secrets> {
    let names = fields.keys().map(FieldName::to_string).collect();
    let meant_for = server_url.map(|url| Transport::Http { url });
    let use_case = SetSecrets { organization, connection, fields, meant_for };
    asker.ask(order, &use_case, |SecretsSet { version }| Secrets { version, fields: names }).await
}

async fn remove<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, connection)): Within<ConnectionId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Remove { organization, connection }).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_refusal_repeats_a_secret_that_was_put_in_the_wrong_place() {
        for body in [
            json!("hunter2"),
            json!(["hunter2"]),
            json!({ "fields": "hunter2" }),
            json!({ "fields": { "api_token": { "value": "hunter2" } } }),
            json!({ "fields": { "API TOKEN": "hunter2" } }),
            json!({ "fields": {}, "more": "hunter2" }),
            json!({ "fields": {}, "server_url": "hunter2" }),
            json!({ "fields": {}, "server_url": { "api_token": "hunter2" } }),
        ] {
            let refused = serde_json::from_str::<NewSecrets>(&body.to_string()).unwrap_err().to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn every_field_keeps_its_value_and_shows_it_to_nobody() {
        let secrets: NewSecrets = serde_json::from_str(r#"{"fields": {"api_token": "hunter2"}}"#).unwrap();
        let held: Vec<_> = secrets.fields.values().map(PresentedSecret::reveal).collect();
        assert_eq!(held, ["hunter2"]);
        assert!(!format!("{secrets:?}").contains("hunter2"));
    }
}
