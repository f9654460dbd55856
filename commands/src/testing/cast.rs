//! Who and what there is: Acme with one member of each role, its rival, and the administrator above both.

use domain::api_key::{ApiKey, ApiKeyEvent, KeyEnvironment};
use domain::client::{Client, ClientEvent, ClientKind};
use domain::connection::{Connection, ConnectionEvent, ConnectionOwner};
use domain::deployment::{Deployment, DeploymentEvent};
use domain::instance::{CallerAuthentication, Instance, InstanceEvent};
use domain::organization::{Organization, OrganizationEvent, OrganizationKind};
use domain::server::{Server, ServerEvent, Transport, Visibility};
use domain::user::{User, UserEvent};
use domain::value::{
    ApiKeyId, ClientId, ConnectionId, CredentialField, DeploymentId, DisplayName, FieldName, HeaderName,
    InstanceId, OrganizationId, Role, Scope, Scopes, SecretDigest, ServerId, Slug, Timestamp, ToolSelection,
    UpstreamUrl, UserId,
};
use uuid::Uuid;

use super::MemoryLog;
use crate::{Actor, Authority, Credential};

macro_rules! cast {
    ($($type:ident: $($name:ident = $number:literal),+;)+) => {
        $($(pub(crate) const $name: $type = $type::new(Uuid::from_u128($number));)+)+
    };
}

cast! {
    OrganizationId: ACME = 1, RIVAL = 2, NO_ORGANIZATION = 9;
    UserId: ROOT = 10, OWNER = 11, ADMIN = 12, MEMBER = 13, COLLEAGUE = 14, VIEWER = 15, AUDITOR = 16, NEWCOMER = 17, SUSPENDED = 18,
        NOBODY = 19, STRANGER = 20;
    ServerId: WIKI = 30, PRIVATE_WIKI = 31, PUBLIC_WIKI = 32, RETIRED_WIKI = 33, RIVAL_WIKI = 34, NO_SERVER = 39;
    ConnectionId: SHARED = 40, MEMBERS_OWN = 41, REMOVED = 42, FOREIGN_CONNECTION = 43, TO_RETIRED = 44, NO_CONNECTION = 49;
    InstanceId: DESK = 50, DELETED_DESK = 51, FOREIGN_DESK = 52, NO_INSTANCE = 59;
    ApiKeyId: MEMBERS_KEY = 60, OWNERS_KEY = 61, REVOKED_KEY = 62, FOREIGN_KEY = 63, NO_KEY = 69;
    ClientId: MEMBERS_APP = 70, OWNERS_APP = 71, DELETED_APP = 72, FOREIGN_APP = 73, PUBLIC_APP = 74, NO_APP = 79;
}

/// Everybody who makes nothing in Acme.
pub(crate) const READERS: [UserId; 2] = [VIEWER, AUDITOR];
/// Everybody in Acme who has only their own.
pub(crate) const NOT_IN_COMMAND: [UserId; 4] = [MEMBER, COLLEAGUE, VIEWER, AUDITOR];
/// Everybody in Acme but its owner.
pub(crate) const NOT_OWNERS: [UserId; 5] = [ADMIN, MEMBER, COLLEAGUE, VIEWER, AUDITOR];

const ROLES: [(UserId, Role); 6] = [
    (OWNER, Role::Owner),
    (ADMIN, Role::Admin),
    (MEMBER, Role::Member),
    (COLLEAGUE, Role::Member),
    (VIEWER, Role::Viewer),
    (AUDITOR, Role::Auditor),
];

/// A user of Acme asks. The edge claims that they are an owner: the log knows better.
pub(crate) fn acme(user: UserId) -> Actor {
    member(user, ACME)
}

/// The owner of the rival asks.
pub(crate) fn rival() -> Actor {
    member(STRANGER, RIVAL)
}

/// The administrator of the deployment asks.
pub(crate) fn root() -> Actor {
    Actor {
        credential: Credential::CommandLine,
        authority: Authority::Administrator { user: ROOT },
        scopes: None,
        issued_by: None,
        until: None,
    }
}

/// Somebody asks who says to be an administrator, and is none.
pub(crate) fn impostor() -> Actor {
    Actor {
        credential: Credential::ApiKey(OWNERS_KEY),
        authority: Authority::Administrator { user: OWNER },
        scopes: None,
        issued_by: Some(OWNER),
        until: None,
    }
}

/// Somebody else holds a key that they issued in this user's name.
pub(crate) fn in_the_name_of(actor: Actor) -> Actor {
    Actor { credential: Credential::ApiKey(OWNERS_KEY), issued_by: Some(COLLEAGUE), ..actor }
}

/// Whoever sets the deployment up.
pub(crate) fn founder() -> Actor {
    Actor {
        credential: Credential::BootstrapToken,
        authority: Authority::Founder,
        scopes: None,
        issued_by: None,
        until: None,
    }
}

/// A user asks in an organization.
pub(crate) fn member(user: UserId, organization: OrganizationId) -> Actor {
    let authority = Authority::Member { user, organization, role: Role::Owner };
    Actor {
        credential: Credential::ApiKey(MEMBERS_KEY),
        authority,
        scopes: None,
        issued_by: Some(user),
        until: None,
    }
}

pub(crate) fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

pub(crate) fn scopes(texts: &[&str]) -> Scopes {
    texts.iter().map(|text| Scope::parse(text).unwrap()).collect()
}

pub(crate) fn noon() -> Timestamp {
    Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
}

pub(crate) fn transport() -> Transport {
    Transport::Http { url: UpstreamUrl::parse("https://wiki.example.com/mcp").unwrap() }
}

pub(crate) fn field_name(text: &str) -> FieldName {
    FieldName::parse(text).unwrap()
}

/// What every wiki wants: a token, and a region if one likes.
pub(crate) fn fields() -> Vec<CredentialField> {
    [("token", true), ("region", false)]
        .map(|(name, required)| CredentialField {
            name: field_name(name),
            header: HeaderName::parse(&format!("x-{name}")).unwrap(),
            prefix: None,
            required,
        })
        .into()
}

/// Everybody and everything enters.
pub(super) fn enter(log: &MemoryLog) {
    people(log);
    organizations(log);
    servers(log);
    connections(log);
    instances(log);
    keys(log);
    clients(log);
}

fn people(log: &MemoryLog) {
    let registered =
        |registered_in| UserEvent::Registered { email: None, name: None, picture: None, registered_in };
    let members = ROLES.map(|(user, _)| user);
    for user in members.into_iter().chain([NEWCOMER, SUSPENDED]) {
        log.given::<User>(user, vec![registered(Some(ACME))]);
    }
    log.given::<User>(STRANGER, vec![registered(Some(RIVAL))]);
    log.given::<User>(ROOT, vec![registered(None)]);
    log.given::<User>(SUSPENDED, vec![UserEvent::Suspended { reason: name("leak") }]);
    log.given::<Deployment>(DeploymentId, vec![DeploymentEvent::Bootstrapped { administrator: ROOT }]);
}

fn organizations(log: &MemoryLog) {
    let created = |slug: &str| OrganizationEvent::Created {
        kind: OrganizationKind::Team,
        slug: Slug::parse(slug).unwrap(),
        name: name(slug),
    };
    log.given::<Organization>(ACME, vec![created("acme")]);
    let added = |(user, role)| OrganizationEvent::MemberAdded { user, role };
    log.given::<Organization>(ACME, ROLES.into_iter().map(added).collect());
    log.given::<Organization>(RIVAL, vec![created("rival"), added((STRANGER, Role::Owner))]);
}

fn servers(log: &MemoryLog) {
    for (id, organization, visibility) in [
        (WIKI, Some(ACME), Visibility::Organization),
        (PRIVATE_WIKI, Some(ACME), Visibility::Private),
        (RETIRED_WIKI, Some(ACME), Visibility::Organization),
        (RIVAL_WIKI, Some(RIVAL), Visibility::Organization),
        (PUBLIC_WIKI, None, Visibility::Public),
    ] {
        let (name, transport, credential_fields) = (name("Wiki"), transport(), fields());
        log.given::<Server>(
            id,
            vec![ServerEvent::Registered { organization, name, transport, credential_fields, visibility }],
        );
    }
    log.given::<Server>(RETIRED_WIKI, vec![ServerEvent::Retired {}]);
}

fn connections(log: &MemoryLog) {
    let everybody = ConnectionOwner::Organization;
    for (id, organization, owner, server) in [
        (SHARED, ACME, everybody, WIKI),
        (MEMBERS_OWN, ACME, ConnectionOwner::User(MEMBER), PUBLIC_WIKI),
        (REMOVED, ACME, everybody, WIKI),
        (TO_RETIRED, ACME, everybody, RETIRED_WIKI),
        (FOREIGN_CONNECTION, RIVAL, everybody, RIVAL_WIKI),
    ] {
        let name = name("Wiki");
        log.given::<Connection>(id, vec![ConnectionEvent::Created { organization, owner, server, name }]);
    }
    log.given::<Connection>(REMOVED, vec![ConnectionEvent::Removed {}]);
}

fn instances(log: &MemoryLog) {
    for (id, organization, connection) in
        [(DESK, ACME, SHARED), (DELETED_DESK, ACME, SHARED), (FOREIGN_DESK, RIVAL, FOREIGN_CONNECTION)]
    {
        log.given::<Instance>(
            id,
            vec![InstanceEvent::Created {
                organization,
                name: name("Desk"),
                connections: vec![connection],
                tools: ToolSelection::All,
                authentication: CallerAuthentication::ApiKey,
            }],
        );
    }
    log.given::<Instance>(DELETED_DESK, vec![InstanceEvent::Deleted {}]);
}

fn keys(log: &MemoryLog) {
    for (id, organization, principal) in [
        (MEMBERS_KEY, ACME, MEMBER),
        (OWNERS_KEY, ACME, OWNER),
        (REVOKED_KEY, ACME, MEMBER),
        (FOREIGN_KEY, RIVAL, STRANGER),
    ] {
        log.given::<ApiKey>(
            id,
            vec![ApiKeyEvent::Issued {
                organization,
                key_id: id.into(),
                name: name("Key"),
                principal,
                issued_by: principal,
                instance: None,
                scopes: scopes(&["mcp:read"]),
                digest: digest(),
                expires_at: None,
                environment: KeyEnvironment::Live,
            }],
        );
    }
    log.given::<ApiKey>(REVOKED_KEY, vec![ApiKeyEvent::Revoked { reason: name("leak") }]);
}

fn clients(log: &MemoryLog) {
    let confidential = ClientKind::Confidential { secret: digest() };
    for (id, organization, registered_by, kind) in [
        (MEMBERS_APP, ACME, MEMBER, &confidential),
        (OWNERS_APP, ACME, OWNER, &confidential),
        (DELETED_APP, ACME, MEMBER, &confidential),
        (PUBLIC_APP, ACME, OWNER, &ClientKind::Public),
        (FOREIGN_APP, RIVAL, STRANGER, &confidential),
    ] {
        log.given::<Client>(
            id,
            vec![ClientEvent::Registered {
                organization,
                client_id: id,
                name: name("App"),
                kind: kind.clone(),
                redirect_uris: [].into(),
                scopes: scopes(&["mcp:read"]),
                registered_by,
                authentication: None,
                grant_types: None,
            }],
        );
    }
    log.given::<Client>(DELETED_APP, vec![ClientEvent::Deleted { reason: None }]);
}

fn digest() -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: "old".to_owned() }
}
