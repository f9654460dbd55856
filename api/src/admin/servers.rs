//! `/v1/organizations/{organization}/servers`: the upstream MCP servers of an organization.

use axum::Extension;
use axum::extract::State;
use commands::server::{Register, Registered, Retire, Update};
use commands::{Actor, Authority, Ports};
use domain::server::{ServerOauth, Transport, UpstreamGrant, Visibility};
use domain::value::{
    AuthorizationServer, CredentialField, DisplayName, FieldName, HeaderName, HeaderPrefix, OrganizationId,
    Role, Scope, ServerId, UpstreamUrl,
};
use http::{Method, StatusCode};
use mcp::upstream::OpenNetworks;
use projections::directory::servers::{self as rows, Seen, ServerRow};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use super::ask::{Answered, Asker, Found, Within, found};
use super::shapes::{Changed, Made, Nothing, one_of};
use super::{Access, Admin, Area, Command, Listed, Paging, Path};
use crate::problem::Problem;

const ALL: &str = "/v1/organizations/{organization}/servers";
const ONE: &str = "/v1/organizations/{organization}/servers/{server}";

/// The routes.
pub(super) fn area<P: Ports + 'static>() -> Area<P> {
    let reads = || Access::Organization(Scope::OrgRead);
    let writes = || Access::Organization(Scope::OrgWrite);
    Area::new("Servers", "Upstream MCP servers: where they are, and which credentials they want.")
        .make::<ServerBody, Made, _, _>(
            ALL,
            writes(),
            "registerServer",
            "Bring a server into the catalogue",
            register::<P>,
        )
        .list::<Listed<Server>, _, _>(
            ALL,
            reads(),
            "listServers",
            "The organization's servers, and the public ones",
            list::<P>,
        )
        .read::<Server, _, _>(ONE, reads(), "getServer", "One server", get::<P>)
        .change::<ServerBody, Changed, _, _>(
            Method::PUT,
            ONE,
            writes(),
            "updateServer",
            "Replace the description of a server; at another origin (scheme, host, port) its connections need their secrets set again",
            update::<P>,
        )
        .act::<Changed, _, _>(
            Method::DELETE,
            ONE,
            writes(),
            "retireServer",
            "Offer a server no longer; calls to it are refused",
            retire::<P>,
        )
}

/// The description of a server.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServerDescription)]
pub(super) struct ServerBody {
    /// Name shown to people: 1 to 200 characters in any script.
    #[schema(value_type = String, example = "Tickets")]
    name: DisplayName,
    /// How it is reached.
    transport: TransportBody,
    /// The credentials that it wants on every call; at most 16.
    #[serde(default)]
    credential_fields: Vec<FieldBody>,
    /// How its connections are authorized by OAuth; left out when they are not.
    #[serde(default)]
    oauth: Option<OauthBody>,
    /// Who may connect to it.
    #[schema(schema_with = visibility)]
    visibility: Visibility,
}

/// How a server is reached. This version carries streamable HTTP.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(try_from = "AnyTransport", deny_unknown_fields)]
#[schema(as = Transport)]
struct TransportBody {
    /// Streamable HTTP.
    http: HttpEndpoint,
}

/// A streamable HTTP endpoint.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HttpEndpoint {
    /// Its address, https or http.
    #[schema(value_type = String, example = "https://mcp.example.com/mcp")]
    url: UpstreamUrl,
}

/// Every transport that there is, so that those which are not carried are refused by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{\"http\": {\"url\": \"https://...\"}}")]
struct AnyTransport {
    http: Option<HttpEndpoint>,
    sse: Option<IgnoredAny>,
    stdio: Option<IgnoredAny>,
}

impl TryFrom<AnyTransport> for TransportBody {
    type Error = String;

    fn try_from(transport: AnyTransport) -> Result<Self, String> {
        let AnyTransport { http, sse, stdio } = transport;
        let carried = r#"this version carries streamable HTTP, written {"http": {"url": "https://..."}}"#;
        match (http, sse, stdio) {
            (Some(http), None, None) => Ok(Self { http }),
            (None, None, None) => Err(format!("the transport is missing: {carried}")),
            (_, Some(IgnoredAny), _) => Err(format!("a server over sse is not carried: {carried}")),
            (_, None, Some(IgnoredAny)) => Err(format!("a server over stdio is not carried: {carried}")),
        }
    }
}

/// That connections of a server are authorized by OAuth. Where, the server says itself when it is asked (RFC 9728).
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ServerOauth)]
struct OauthBody {
    /// How a connection comes to a token.
    #[serde(default)]
    grant: GrantBody,
    /// The one authorization server that may give out tokens, whatever the server names; null leaves the choice to the server.
    #[schema(value_type = Option<String>, example = "https://auth.example.com")]
    issuer: Option<AuthorizationServer>,
}

/// How a connection comes to a token: a person allows it, or the connection's own client gets it in its own name.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UpstreamGrant)]
enum GrantBody {
    /// A person allows it at the authorization server.
    #[default]
    AuthorizationCode,
    /// The client that the connection names gets tokens in its own name.
    ClientCredentials,
}

impl From<OauthBody> for ServerOauth {
    fn from(OauthBody { grant, issuer }: OauthBody) -> Self {
        let grant = match grant {
            GrantBody::AuthorizationCode => UpstreamGrant::AuthorizationCode,
            GrantBody::ClientCredentials => UpstreamGrant::ClientCredentials,
        };
        Self { grant, issuer }
    }
}

impl From<ServerOauth> for OauthBody {
    fn from(ServerOauth { grant, issuer }: ServerOauth) -> Self {
        let grant = match grant {
            UpstreamGrant::AuthorizationCode => GrantBody::AuthorizationCode,
            UpstreamGrant::ClientCredentials => GrantBody::ClientCredentials,
        };
        Self { grant, issuer }
    }
}

/// One credential that a server wants.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CredentialField)]
struct FieldBody {
    /// Name under which a connection keeps the value: 1 to 64 of a-z, 0-9 and _.
    #[schema(value_type = String, example = "api_token")]
    name: FieldName,
    /// The header that carries it.
    #[schema(value_type = String, example = "authorization")]
    header: HeaderName,
    /// What stands before the value in the header.
    #[schema(value_type = Option<String>, example = "Bearer ")]
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<HeaderPrefix>,
    /// Whether a connection must have it.
    required: bool,
}

/// A server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Server {
    /// Its id.
    id: Uuid,
    /// Whose it is; null for the deployment's own catalogue.
    #[schema(required)]
    organization: Option<Uuid>,
    /// Name shown to people.
    name: String,
    /// How it is reached.
    transport: TransportBody,
    /// The credentials that it wants on every call.
    credential_fields: Vec<FieldBody>,
    /// How its connections are authorized by OAuth; null when they are not.
    #[schema(required)]
    oauth: Option<OauthBody>,
    /// Who may connect to it.
    #[schema(schema_with = visibility)]
    visibility: String,
    /// When it was registered.
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it changed last.
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

fn visibility() -> Object {
    let about = "Who may connect to it: those who administer it, the members of its organization, everybody";
    one_of(Visibility::ALL.map(Visibility::as_str), about)
}

impl From<FieldBody> for CredentialField {
    fn from(FieldBody { name, header, prefix, required }: FieldBody) -> Self {
        Self { name, header, prefix, required }
    }
}

impl From<CredentialField> for FieldBody {
    fn from(CredentialField { name, header, prefix, required }: CredentialField) -> Self {
        Self { name, header, prefix, required }
    }
}

impl From<ServerRow> for Server {
    fn from(row: ServerRow) -> Self {
        let Transport::Http { url } = row.transport;
        Self {
            id: row.id,
            organization: row.organization_id,
            name: row.name,
            transport: TransportBody { http: HttpEndpoint { url } },
            credential_fields: row.credential_fields.into_iter().map(FieldBody::from).collect(),
            oauth: row.oauth.map(OauthBody::from),
            visibility: row.visibility,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ServerBody {
    /// For whose catalogue; none is the deployment's own.
    pub(super) fn registration(self, organization: Option<OrganizationId>) -> Register {
        let Self { name, transport: TransportBody { http }, credential_fields, oauth, visibility } = self;
        let credential_fields = credential_fields.into_iter().map(CredentialField::from).collect();
        Register {
            organization,
            name,
            transport: Transport::Http { url: http.url },
            credential_fields,
            oauth: oauth.map(ServerOauth::from),
            visibility,
        }
    }

    /// Refuses an address that no call would be let through to. Where a name leads is judged at the call: it may lead elsewhere by then.
    fn must_be_reachable(&self, networks: &OpenNetworks) -> Result<(), Problem> {
        let Some(address) = self.transport.http.url.address() else { return Ok(()) };
        networks.must_be_open(address).map_err(|refused| {
            let detail = format!(
                "{refused}: start Sekisho with --upstream-networks and the server's network, such as 10.20.0.0/16, or have an \
                 administrator of the deployment register the server at /v1/deployment/servers"
            );
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "upstream-address-refused", detail)
        })
    }

    fn is_where(&self, transport: &Transport) -> bool {
        let Transport::Http { url } = transport;
        self.transport.http.url == *url
    }

    /// In whose catalogue; none is the deployment's own.
    pub(super) fn replacement(self, organization: Option<OrganizationId>, server: ServerId) -> Update {
        let Register { organization, name, transport, credential_fields, oauth, visibility } =
            self.registration(organization);
        Update { organization, server, name, transport, credential_fields, oauth, visibility }
    }
}

async fn register<P: Ports + 'static>(
    asker: Asker<P>,
    Path(organization): Path<OrganizationId>,
    Command { body, order }: Command<ServerBody>,
) -> Answered<Made> {
    body.must_be_reachable(&asker.admin.networks)?;
    let use_case = body.registration(Some(organization));
    asker.ask(order, &use_case, |Registered { id }| Made { id: id.uuid() }).await
}

async fn list<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Extension(actor): Extension<Actor>,
    Path(organization): Path<OrganizationId>,
    page: Paging,
) -> Result<Listed<Server>, Problem> {
    let rows = rows::list(&admin.pool, organization, seen_by(&actor), page.after, page.rows).await?;
    Ok(Listed::of(rows, Server::from))
}

async fn get<P: Ports + 'static>(
    State(admin): State<Admin<P>>,
    Extension(actor): Extension<Actor>,
    Path((organization, server)): Within<ServerId>,
) -> Found<Server> {
    found(rows::by_id(&admin.pool, organization, seen_by(&actor), server).await?, "server", Server::from)
}

/// A private server is shown to those who may change it.
const fn seen_by(actor: &Actor) -> Seen {
    match actor.authority {
        // The last three do not ask here; what everybody may see is all that they would be shown.
        Authority::Member { role: Role::Member | Role::Viewer | Role::Auditor, .. }
        | Authority::User { .. }
        | Authority::Client { .. }
        | Authority::Server => Seen::Shared,
        Authority::Member { role: Role::Owner | Role::Admin, .. }
        | Authority::Administrator { .. }
        | Authority::Founder => Seen::All,
    }
}

async fn update<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, server)): Within<ServerId>,
    Command { body, order }: Command<ServerBody>,
) -> Answered<Changed> {
    let before = rows::by_id(&asker.admin.pool, organization, Seen::All, server).await?;
    // What was registered before this was looked at keeps its address.
    if !before.is_some_and(|row| body.is_where(&row.transport)) {
        body.must_be_reachable(&asker.admin.networks)?;
    }
    asker.change(order, &body.replacement(Some(organization), server)).await
}

async fn retire<P: Ports + 'static>(
    asker: Asker<P>,
    Path((organization, server)): Within<ServerId>,
    Command { body: Nothing {}, order }: Command<Nothing>,
) -> Answered<Changed> {
    asker.change(order, &Retire { organization: Some(organization), server }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_that_is_not_carried_is_refused_with_the_one_that_is() {
        let http = r#"{"url": "https://h/mcp"}"#;
        for body in [
            r#"{"stdio": {"command": "x"}}"#.to_owned(),
            r#"{"sse": {"url": "https://h"}}"#.to_owned(),
            format!(r#"{{"http": {http}, "sse": {http}}}"#),
            r#""http""#.to_owned(),
            "{}".to_owned(),
        ] {
            let refused = serde_json::from_str::<TransportBody>(&body).unwrap_err().to_string();
            assert!(refused.contains(r#"{"http": {"url": "https://..."}}"#), "{body}: {refused}");
        }
        let body = format!(r#"{{"http": {http}}}"#);
        assert_eq!(serde_json::from_str::<TransportBody>(&body).unwrap().http.url.as_str(), "https://h/mcp");
    }
}
