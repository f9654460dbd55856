//! One event of every type, and one more for every shape that a type can take. What is here is in the snapshots.
//!
//! A sample may be added. One that exists is never edited: it stands for rows that are in somebody's log.

mod client;
mod connection;

pub(super) use client::client;
pub(super) use connection::connection;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::access_token::AccessTokenEvent;
use crate::api_key::{ApiKeyEvent, KeyEnvironment};
use crate::deployment::{AccountMatching, DeploymentEvent};
use crate::grant::{GrantEnd, GrantEvent};
use crate::instance::{
    ArgumentDays, ArgumentRecording, CallerAuthentication, InstanceEvent, Overflow, Recording, WhenStale,
};
use crate::organization::{OrganizationEvent, OrganizationKind};
use crate::server::{ServerEvent, ServerOauth, Transport, UpstreamGrant, Visibility};
use crate::user::UserEvent;
use crate::value::{
    AddressRange, AnnouncementId, AuthorizationServer, ClientId, ConnectionId, CredentialField, DisplayName,
    EmailAddress, FieldName, GrantId, HeaderName, HeaderPrefix, HttpsUrl, InstanceId, Issuer, KeyId,
    KeyThumbprint, MemberName, Notice, OrganizationId, Personal, Position, ProviderClientId, ProviderId,
    ProviderScope, ProviderSecretId, ProviderSubject, PublicJwk, Role, Scope, Scopes, SecretDigest, ServerId,
    SigningAlgorithm, Slug, SubjectId, Timestamp, TokenId, ToolName, ToolSelection, UserId,
};

/// A shape's name ("" for the plain one) and the event.
pub(super) type Sample<E> = (&'static str, E);

const ANN: UserId = UserId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0001));
const BEN: UserId = UserId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0002));
const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0003));
const CLIENT: ClientId = ClientId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0004));
const SERVER: ServerId = ServerId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0005));
const CONNECTION: ConnectionId =
    ConnectionId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0006));
const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0007));
const NOTICE: AnnouncementId =
    AnnouncementId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0008));

const TOKEN: TokenId = TokenId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_0009));

const PROVIDER_SECRET: ProviderSecretId =
    ProviderSecretId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_000a));

fn authorization_server() -> AuthorizationServer {
    AuthorizationServer::parse("https://auth.example.com").unwrap()
}

fn provider() -> ProviderId {
    ProviderId::parse("acme").unwrap()
}

fn provider_client() -> ProviderClientId {
    ProviderClientId::parse("sekisho").unwrap()
}

fn provider_scopes() -> BTreeSet<ProviderScope> {
    ["email", "profile"].map(|text| ProviderScope::parse(text).unwrap()).into()
}

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn moment() -> Timestamp {
    Timestamp::parse("2026-11-22T10:50:00.123456Z").unwrap()
}

fn scopes(names: &[&str]) -> Scopes {
    names.iter().map(|text| Scope::parse(text).unwrap()).collect()
}

fn hmac() -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: "00ff".repeat(16) }
}

fn bcrypt() -> SecretDigest {
    SecretDigest::Bcrypt { hash: "$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234".to_owned() }
}

pub(super) fn organization() -> Vec<Sample<OrganizationEvent>> {
    let slug = |text: &str| Slug::parse(text).unwrap();
    vec![
        (
            "",
            OrganizationEvent::Created {
                kind: OrganizationKind::Team,
                slug: slug("acme"),
                name: name("Acme 株式会社"),
            },
        ),
        (
            "personal",
            OrganizationEvent::Created {
                kind: OrganizationKind::Personal,
                slug: slug("@ann"),
                name: name("Ann"),
            },
        ),
        ("", OrganizationEvent::Renamed { name: name("Acme Tools") }),
        ("", OrganizationEvent::SlugChanged { slug: slug("acme-tools") }),
        ("", OrganizationEvent::MemberAdded { user: ANN, role: Role::Owner }),
        ("", OrganizationEvent::RoleChanged { user: ANN, role: Role::Auditor }),
        ("", OrganizationEvent::MemberRemoved { user: ANN }),
        ("", OrganizationEvent::Suspended { reason: name("unpaid") }),
        ("", OrganizationEvent::Resumed {}),
        ("", OrganizationEvent::Deleted {}),
    ]
}

pub(super) fn user() -> Vec<Sample<UserEvent>> {
    fn anns<T>(value: T) -> Personal<T> {
        Personal::new(SubjectId::from(ANN), value)
    }
    fn erased<T>() -> Personal<T> {
        Personal::Erased { subject: SubjectId::from(ANN) }
    }
    let email = || EmailAddress::parse("ann@example.com").unwrap();
    let picture = || HttpsUrl::parse("https://cdn.example.com/ann.png").unwrap();
    let issuer = || Issuer::parse("https://id.example.com").unwrap();
    let subject = || ProviderSubject::parse("248289761001").unwrap();
    vec![
        (
            "",
            UserEvent::Registered {
                email: Some(anns(email())),
                name: Some(anns(name("安"))),
                picture: Some(anns(picture())),
                registered_in: Some(ACME),
            },
        ),
        ("nameless", UserEvent::Registered { email: None, name: None, picture: None, registered_in: None }),
        (
            "erased",
            UserEvent::Registered {
                email: Some(erased()),
                name: Some(erased()),
                picture: Some(erased()),
                registered_in: None,
            },
        ),
        ("", UserEvent::EmailChanged { email: Some(anns(email())) }),
        ("none", UserEvent::EmailChanged { email: None }),
        ("", UserEvent::ProfileChanged { name: Some(anns(name("Ann"))), picture: Some(anns(picture())) }),
        ("", UserEvent::Suspended { reason: name("left the company") }),
        ("", UserEvent::Resumed {}),
        ("", UserEvent::Deleted {}),
        ("", UserEvent::Erased { reason: name("request 4711") }),
        ("", UserEvent::PasswordSet {}),
        ("", UserEvent::PasswordRemoved {}),
        ("", UserEvent::IdentityLinked { issuer: issuer(), subject: anns(subject()) }),
        ("erased", UserEvent::IdentityLinked { issuer: issuer(), subject: erased() }),
        ("", UserEvent::IdentityUnlinked { issuer: issuer(), subject: anns(subject()) }),
        ("", UserEvent::FallbackBegan { issuer: issuer(), vouched_at: moment() }),
        ("", UserEvent::FallbackEnded { issuer: issuer() }),
    ]
}

pub(super) fn grant() -> Vec<Sample<GrantEvent>> {
    let granted = |expires_at| GrantEvent::Granted {
        organization: ACME,
        user: ANN,
        client: CLIENT,
        instance: INSTANCE,
        scopes: scopes(&["mcp:read", "tool:echo"]),
        expires_at,
    };
    let revoked = |reason: GrantEnd| (reason.as_str(), GrantEvent::Revoked { reason });
    let mut samples = vec![
        ("", granted(Some(moment()))),
        ("lasting", granted(None)),
        ("", GrantEvent::ScopesChanged { scopes: scopes(&["mcp:write"]) }),
        ("", GrantEvent::TokenRevoked { token: TOKEN, expires_at: moment() }),
    ];
    samples.extend(GrantEnd::ALL.map(revoked));
    samples
}

pub(super) fn access_token() -> Vec<Sample<AccessTokenEvent>> {
    let grant = GrantId::new(Uuid::from_u128(0x0192_f0c1_2b3c_7d4e_8f50_0000_0000_000b));
    let revoked = |grant, organization| AccessTokenEvent::Revoked {
        client: CLIENT,
        grant,
        organization,
        instance: INSTANCE,
        expires_at: moment(),
    };
    vec![
        ("", revoked(Some(grant), Some(ACME))),
        ("own", revoked(None, Some(ACME))),
        ("of_nobody", revoked(None, None)),
    ]
}

pub(super) fn api_key() -> Vec<Sample<ApiKeyEvent>> {
    let key_id = || KeyId::parse("2vqXWJ5hFY0aPzK9mR3tB7").unwrap();
    vec![
        (
            "",
            ApiKeyEvent::Issued {
                organization: ACME,
                key_id: key_id(),
                name: name("CI"),
                principal: ANN,
                issued_by: ANN,
                instance: Some(INSTANCE),
                scopes: scopes(&["mcp:read", "tool:echo"]),
                digest: hmac(),
                expires_at: Some(moment()),
                environment: KeyEnvironment::Live,
            },
        ),
        (
            "unbound",
            ApiKeyEvent::Issued {
                organization: ACME,
                key_id: key_id(),
                name: name("CI"),
                principal: ANN,
                issued_by: ANN,
                instance: None,
                scopes: Scope::NAMED.into_iter().collect(),
                digest: bcrypt(),
                expires_at: None,
                environment: KeyEnvironment::Test,
            },
        ),
        ("", ApiKeyEvent::Renamed { name: name("Nightly") }),
        ("", ApiKeyEvent::Revoked { reason: name("rotated") }),
    ]
}

pub(super) fn server() -> Vec<Sample<ServerEvent>> {
    let transport =
        || Transport::Http { url: crate::value::UpstreamUrl::parse("https://mcp.example.com/mcp").unwrap() };
    let field = |field: &str, header: &str, prefix: Option<&str>, required| CredentialField {
        name: FieldName::parse(field).unwrap(),
        header: HeaderName::parse(header).unwrap(),
        prefix: prefix.map(|text| HeaderPrefix::parse(text).unwrap()),
        required,
    };
    vec![
        (
            "",
            ServerEvent::Registered {
                organization: Some(ACME),
                name: name("Wiki"),
                transport: transport(),
                credential_fields: vec![
                    field("token", "authorization", Some("Bearer "), true),
                    field("tenant", "x-tenant", None, false),
                ],
                visibility: Visibility::Organization,
            },
        ),
        (
            "public",
            ServerEvent::Registered {
                organization: None,
                name: name("Clock"),
                transport: transport(),
                credential_fields: vec![],
                visibility: Visibility::Public,
            },
        ),
        (
            "",
            ServerEvent::Updated {
                name: name("Wiki 2"),
                transport: transport(),
                credential_fields: vec![],
                visibility: Visibility::Private,
            },
        ),
        (
            "",
            ServerEvent::OauthChanged {
                oauth: Some(ServerOauth {
                    grant: UpstreamGrant::AuthorizationCode,
                    issuer: Some(authorization_server()),
                }),
            },
        ),
        (
            "client-credentials",
            ServerEvent::OauthChanged {
                oauth: Some(ServerOauth { grant: UpstreamGrant::ClientCredentials, issuer: None }),
            },
        ),
        ("none", ServerEvent::OauthChanged { oauth: None }),
        ("", ServerEvent::Retired {}),
    ]
}

fn audited() -> Recording {
    let retention_days = ArgumentDays::try_new(30).unwrap();
    Recording { overflow: Overflow::Block, arguments: ArgumentRecording::Sealed { retention_days } }
}

pub(super) fn instance() -> Vec<Sample<InstanceEvent>> {
    let only = ["add", "echo"].into_iter().map(|text| ToolName::parse(text).unwrap());
    vec![
        (
            "",
            InstanceEvent::Created {
                organization: ACME,
                name: name("Wiki for agents"),
                connections: vec![CONNECTION],
                tools: ToolSelection::All,
                authentication: CallerAuthentication::ApiKey,
            },
        ),
        ("", InstanceEvent::Renamed { name: name("Wiki") }),
        ("", InstanceEvent::ConnectionsChanged { connections: vec![CONNECTION] }),
        (
            "",
            InstanceEvent::MembersNamed { names: [(CONNECTION, MemberName::parse("wiki").unwrap())].into() },
        ),
        ("", InstanceEvent::ToolsChanged { tools: ToolSelection::Only(only.collect()) }),
        ("all", InstanceEvent::ToolsChanged { tools: ToolSelection::All }),
        ("", InstanceEvent::AuthenticationChanged { authentication: CallerAuthentication::Both }),
        ("none", InstanceEvent::AuthenticationChanged { authentication: CallerAuthentication::None }),
        ("oauth", InstanceEvent::AuthenticationChanged { authentication: CallerAuthentication::Oauth }),
        ("", InstanceEvent::RecordingChanged { recording: audited() }),
        ("default", InstanceEvent::RecordingChanged { recording: Recording::default() }),
        ("", InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Serve }),
        ("refuse", InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Refuse }),
        ("", InstanceEvent::Started {}),
        ("", InstanceEvent::Stopped {}),
        ("", InstanceEvent::Deleted {}),
    ]
}

pub(super) fn deployment() -> Vec<Sample<DeploymentEvent>> {
    let notice = |text: &str| Notice::parse(text).unwrap();
    let ranges = ["192.0.2.7", "192.0.2.0/24", "2001:db8::/32"];
    let link = |label: &str, url: &str| (name(label), HttpsUrl::parse(url).unwrap());
    let kid = || KeyThumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap();
    vec![
        ("", DeploymentEvent::Bootstrapped { administrator: ANN }),
        ("", DeploymentEvent::AdministratorAdded { user: BEN }),
        ("", DeploymentEvent::AdministratorRemoved { user: BEN }),
        (
            "",
            DeploymentEvent::MaintenanceStarted {
                until: Some(moment()),
                allowed: ranges.into_iter().map(|text| AddressRange::parse(text).unwrap()).collect(),
            },
        ),
        ("open-ended", DeploymentEvent::MaintenanceStarted { until: None, allowed: BTreeSet::new() }),
        ("", DeploymentEvent::MaintenanceEnded {}),
        (
            "",
            DeploymentEvent::AnnouncementPublished {
                id: NOTICE,
                ja: notice("本日22時から保守を行います。\nご了承ください。"),
                en: notice("Maintenance starts tonight at 22:00."),
                until: Some(moment()),
            },
        ),
        ("", DeploymentEvent::AnnouncementWithdrawn { id: NOTICE }),
        (
            "",
            DeploymentEvent::LinksChanged {
                links: BTreeMap::from([
                    link("Forum", "https://forum.example.com/"),
                    link("掲示板", "https://forum.example.com/ja"),
                ]),
            },
        ),
        (
            "",
            DeploymentEvent::ParkedEventRetried {
                projection: name("directory"),
                position: Position::new(412),
                reason: name("fixed in this release"),
            },
        ),
        (
            "",
            DeploymentEvent::ParkedEventSkipped {
                projection: name("directory"),
                position: Position::new(412),
                reason: name("written by a tool that is gone"),
            },
        ),
        (
            "",
            DeploymentEvent::SigningKeyAdded {
                kid: kid(),
                algorithm: SigningAlgorithm::Rs256,
                public_jwk: PublicJwk::parse(
                    r#"{"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx"}"#,
                )
                .unwrap(),
                at: moment(),
            },
        ),
        ("", DeploymentEvent::SigningKeyActivated { kid: kid(), at: moment() }),
        ("", DeploymentEvent::SigningKeyRetired { kid: kid(), emergency: false }),
        ("emergency", DeploymentEvent::SigningKeyRetired { kid: kid(), emergency: true }),
    ]
    .into_iter()
    .chain(providers())
    .collect()
}

fn providers() -> Vec<Sample<DeploymentEvent>> {
    vec![
        (
            "",
            DeploymentEvent::ProviderAdded {
                provider: provider(),
                name: name("Acme ID"),
                issuer: Issuer::parse("https://id.example.com").unwrap(),
                client_id: provider_client(),
                scopes: provider_scopes(),
                matching: AccountMatching::VerifiedEmail,
                secret: Some(PROVIDER_SECRET),
            },
        ),
        (
            "public",
            DeploymentEvent::ProviderAdded {
                provider: provider(),
                name: name("Acme ID"),
                issuer: Issuer::parse("https://id.example.com").unwrap(),
                client_id: provider_client(),
                scopes: BTreeSet::new(),
                matching: AccountMatching::Identity,
                secret: None,
            },
        ),
        (
            "",
            DeploymentEvent::ProviderChanged {
                provider: provider(),
                name: name("Acme 認証"),
                client_id: provider_client(),
                scopes: provider_scopes(),
                matching: AccountMatching::Identity,
                secret: Some(PROVIDER_SECRET),
            },
        ),
        ("", DeploymentEvent::ProviderRemoved { provider: provider() }),
    ]
}
