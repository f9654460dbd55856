//! `/v1/organizations/{organization}/clients`: OAuth clients. A secret is shown once.

mod proof;

use std::collections::BTreeSet;

use axum::extract::State;
use commands::Ports;
use commands::client::{
    Delete, Disable, Enable, Register, Registered, ReplaceKeys, RevokeRegistrationToken, RotateSecret,
    SecretRotated, Update,
};
use domain::value::{
    ClientId, ClientKeys, DisplayName, IssuedSecret, KeysUrl, OrganizationId, RedirectUri, Scope, Scopes,
    Timestamp,
};
use http::Method;
use projections::directory::clients::{self as rows, ClientRow};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use self::proof::{Kind, NewKeys, Way, key_source, keys_url, no_keys, proof, redirect_uris, some_keys};
use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Because, Changed, Nothing, moment};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/clients";
const ONE: &str = "/v1/organizations/{organization}/clients/{client}";
const ROTATE: &str = "/v1/organizations/{organization}/clients/{client}/rotate-secret";
const KEYS: &str = "/v1/organizations/{organization}/clients/{client}/keys";
const REGISTRATION_TOKEN: &str = "/v1/organizations/{organization}/clients/{client}/registration-token";
const DISABLE: &str = "/v1/organizations/{organization}/clients/{client}/disable";
const ENABLE: &str = "/v1/organizations/{organization}/clients/{client}/enable";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::ClientsWrite);
    Area::new(
        "Clients",
        "OAuth clients: where they may send people back to, and the most they can be granted. One that registered itself manages \
         itself until it is changed here: from then on its registration access token is refused.",
    )
    .make::<NewClient, RegisteredClient, _, _>(
        ALL,
        writes(),
        "registerClient",
        "Register a client; of a confidential one, the answer is the only one that shows the secret",
        register::<P>,
    )
    .list::<Listed<Client>, _, _>(ALL, reads(), "listClients", "The clients of the organization", list::<P>)
    .read::<Client, _, _>(ONE, reads(), "getClient", "One client, without its secret", get::<P>)
    .change::<ClientBody, Changed, _, _>(
        Method::PUT,
        ONE,
        writes(),
        "updateClient",
        "Replace the description of a client",
        update::<P>,
    )
    .change::<Rotation, ClientSecret, _, _>(
        Method::POST,
        ROTATE,
        writes(),
        "rotateClientSecret",
        "Give a client a new secret; the answer is the only one that shows it",
        rotate::<P>,
    )
    .change::<NewKeys, Changed, _, _>(
        Method::PUT,
        KEYS,
        writes(),
        "replaceClientKeys",
        "Replace the keys that a client proves itself with (RFC 7523)",
        replace_keys::<P>,
    )
    .act::<Changed, _, _>(
        Method::DELETE,
        REGISTRATION_TOKEN,
        writes(),
        "revokeRegistrationToken",
        "Revoke the token that a client manages its registration with (RFC 7592)",
        revoke_registration_token::<P>,
    )
    .change::<Because, Changed, _, _>(
        Method::POST,
        DISABLE,
        writes(),
        "disableClient",
        "Refuse everything that a client asks for",
        disable::<P>,
    )
    .act::<Changed, _, _>(
        Method::POST,
        ENABLE,
        writes(),
        "enableClient",
        "Let a client ask again",
        enable::<P>,
    )
    .act::<Changed, _, _>(
        Method::DELETE,
        ONE,
        writes(),
        "deleteClient",
        "End a client for good",
        delete::<P>,
    )
}

/// A client to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewClient {
    /// Name shown at consent: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Ticket assistant")]
    name: DisplayName,
    /// Whether it can keep something to itself.
    kind: Kind,
    /// How a confidential one proves itself: by a secret in the header, when left out.
    token_endpoint_auth_method: Option<Way>,
    /// Its public keys (RFC 7517, 5), for `private_key_jwt`: RSA, EC on P-256 or Ed25519.
    #[serde(default, deserialize_with = "some_keys")]
    #[schema(value_type = Option<Object>)]
    jwks: Option<ClientKeys>,
    /// Where it publishes them, in place of `jwks`: https. They are fetched when the client proves itself.
    #[serde(default, deserialize_with = "keys_url")]
    #[schema(value_type = Option<String>, format = Uri)]
    jwks_uri: Option<KeysUrl>,
    /// Where browsers may be sent back to, compared exactly; a public client has at least one.
    #[serde(deserialize_with = "redirect_uris")]
    #[schema(value_type = Vec<String>, example = json!(["https://app.example.com/callback"]))]
    redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted, never more than the role of whoever registers it.
    #[schema(value_type = Vec<String>, example = json!(["mcp:read"]))]
    scopes: Scopes,
}

/// The description of a client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientDescription)]
struct ClientBody {
    /// Name shown at consent: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Ticket assistant")]
    name: DisplayName,
    /// Where browsers may be sent back to, compared exactly; a public client has at least one.
    #[serde(deserialize_with = "redirect_uris")]
    #[schema(value_type = Vec<String>, example = json!(["https://app.example.com/callback"]))]
    redirect_uris: BTreeSet<RedirectUri>,
    /// The most it can be granted, never more than the role of whoever asks.
    #[schema(value_type = Vec<String>, example = json!(["mcp:read"]))]
    scopes: Scopes,
}

/// How a secret is replaced.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClientSecretRotation)]
struct Rotation {
    /// How long the current secret still works, at most 30 days; left out, it stops at once.
    #[serde(default, deserialize_with = "moment")]
    #[schema(value_type = Option<OffsetDateTime>)]
    previous_until: Option<Timestamp>,
}

/// A new secret.
#[derive(Debug, Serialize, ToSchema)]
struct ClientSecret {
    /// The secret, shown this once.
    #[schema(value_type = String)]
    client_secret: IssuedSecret,
}

/// A client was registered.
#[derive(Debug, Serialize, ToSchema)]
struct RegisteredClient {
    /// Its id.
    id: Uuid,
    /// The same as the `client_id` of OAuth.
    client_id: String,
    /// Its secret, shown this once; absent for a client that has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    client_secret: Option<IssuedSecret>,
}

/// An OAuth client.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Client {
    /// Its id.
    id: Uuid,
    /// The `client_id` of OAuth: the same, or the address of its document, where it is known by that.
    #[serde(rename = "client_id")]
    oauth_id: String,
    /// Name shown at consent.
    name: String,
    /// `public` or `confidential`.
    kind: String,
    /// Where browsers may be sent back to.
    redirect_uris: Vec<String>,
    /// The most it can be granted.
    scopes: Vec<String>,
    /// How it proves itself: `client_secret_basic`, `client_secret_post`, `private_key_jwt` or `none`.
    token_endpoint_auth_method: String,
    /// By what it gets tokens.
    grant_types: Vec<String>,
    /// The names of the keys that were sent for it.
    key_ids: Vec<String>,
    /// Where it publishes its keys; null when it does not.
    #[schema(required)]
    jwks_uri: Option<String>,
    /// Whether it registered itself (RFC 7591); its name is then its own word.
    self_registered: bool,
    /// The user who registered it, or whose API key let it register itself.
    #[schema(required)]
    registered_by: Option<Uuid>,
    /// Since when it has its current secret; null for a client that has none.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    secret_set_at: Option<OffsetDateTime>,
    /// How long the secret before that still works; null when it does not.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    previous_secret_until: Option<OffsetDateTime>,
    /// `enabled` or `disabled`.
    standing: String,
    /// Why it is disabled; null while it is not.
    #[schema(required)]
    reason: Option<String>,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

impl From<Registered> for RegisteredClient {
    fn from(Registered { id, secret }: Registered) -> Self {
        Self { id: id.uuid(), client_id: id.to_string(), client_secret: secret }
    }
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self {
            id: row.id,
            oauth_id: row.document.unwrap_or_else(|| row.id.to_string()),
            name: row.name,
            kind: row.kind,
            redirect_uris: row.redirect_uris,
            scopes: row.scopes,
            token_endpoint_auth_method: row.authentication,
            grant_types: row.grant_types,
            key_ids: row.key_ids,
            jwks_uri: row.keys_url,
            self_registered: row.self_registered,
            registered_by: row.registered_by,
            secret_set_at: row.secret_set_at,
            previous_secret_until: row.previous_secret_until,
            standing: row.standing,
            reason: row.standing_reason,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

async fn register<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body, order }: Command<NewClient>,
) -> Answered<RegisteredClient> {
    let NewClient { name, kind, token_endpoint_auth_method, jwks, jwks_uri, redirect_uris, scopes } = body;
    let proof = proof(kind, token_endpoint_auth_method, key_source(jwks, jwks_uri)?)?;
    let use_case = Register { organization, name, proof, redirect_uris, scopes };
    asker.ask(order, &use_case, RegisteredClient::from).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<Client>, Problem> {
    let rows = rows::list(&admin.pool, organization, page.after, page.rows).await?;
    Ok(Listed::of(rows, Client::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Path((organization, client)): Within<ClientId>,
) -> Found<Client> {
    found(rows::by_id(&admin.pool, organization, client).await?, "client", Client::from)
}

async fn update<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: ClientBody { name, redirect_uris, scopes }, order }: Command<ClientBody>,
) -> Answered<Changed> {
    asker.change(order, &Update { organization, client, name, redirect_uris, scopes }).await
}

async fn rotate<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: Rotation { previous_until }, order }: Command<Rotation>,
) -> Answered<ClientSecret> {
    let use_case = RotateSecret { organization, client, previous_until };
    asker.ask(order, &use_case, |SecretRotated { secret }| ClientSecret { client_secret: secret }).await
}

async fn replace_keys<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: NewKeys { jwks, jwks_uri }, order }: Command<NewKeys>,
) -> Answered<Changed> {
    let keys = key_source(jwks, jwks_uri)?.ok_or_else(no_keys)?;
    asker.change(order, &ReplaceKeys { organization, client, keys }).await
}

async fn revoke_registration_token<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &RevokeRegistrationToken { organization: Some(organization), client }).await
}

async fn disable<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: Because { reason }, order }: Command<Because>,
) -> Answered<Changed> {
    asker.change(order, &Disable { organization: Some(organization), client, reason }).await
}

async fn enable<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Enable { organization: Some(organization), client }).await
}

async fn delete<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, client)): Within<ClientId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Delete { organization: Some(organization), client }).await
}
