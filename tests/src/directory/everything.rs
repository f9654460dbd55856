//! One history with every event there is, after which there is something of every kind in every state.

mod clients;

use std::collections::BTreeMap;

use domain::access_token::AccessTokenEvent;
use domain::api_key::{ApiKeyEvent, KeyEnvironment};
use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::deployment::{AccountMatching, DeploymentEvent};
use domain::grant::{GrantEnd, GrantEvent};
use domain::instance::{CallerAuthentication, InstanceEvent, Recording, WhenStale};
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::server::{ServerEvent, Transport, Visibility};
use domain::user::UserEvent;
use domain::value::{
    AddressRange, AnnouncementId, ApiKeyId, ClientId, ConnectionId, CredentialField, DeploymentId, FieldName,
    GrantId, HeaderName, HeaderPrefix, HttpsUrl, InstanceId, Issuer, KeyId, KeyThumbprint, MemberName,
    Notice, OrganizationId, Position, ProviderClientId, ProviderId, ProviderSubject, PublicJwk, Role,
    SecretDigest, ServerId, SigningAlgorithm, Slug, TokenId, ToolName, ToolSelection, UpstreamUrl, UserId,
};
use uuid::Uuid;

use super::authorizations::{all_of_an_authorization, authorized, by_oauth};
use super::history::{History, display, email, erased, founded, known, moment, registered, scopes};

pub(crate) const ANN: UserId = UserId::new(Uuid::from_u128(0xa1));
pub(crate) const BEN: UserId = UserId::new(Uuid::from_u128(0xa2));
/// Deleted.
pub(crate) const CAT: UserId = UserId::new(Uuid::from_u128(0xa3));
/// Erased, but not deleted.
pub(crate) const DAN: UserId = UserId::new(Uuid::from_u128(0xa4));
/// Erased after the rows had held what was known of her.
pub(crate) const EVE: UserId = UserId::new(Uuid::from_u128(0xa5));
pub(crate) const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(0xb1));
pub(crate) const GLOBEX: OrganizationId = OrganizationId::new(Uuid::from_u128(0xb2));
/// Suspended.
pub(crate) const HELD: OrganizationId = OrganizationId::new(Uuid::from_u128(0xb3));
/// Deleted.
pub(crate) const GONE: OrganizationId = OrganizationId::new(Uuid::from_u128(0xb4));
pub(crate) const CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xc1));
/// Public.
pub(crate) const DESK: ClientId = ClientId::new(Uuid::from_u128(0xc2));
pub(crate) const OLD_CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xc3));
/// Registered itself, and is nobody's.
pub(crate) const OWN_CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xc7));
/// Registered itself with leave of Acme, and has keys.
pub(crate) const SIGNING_CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xc8));
/// Registered itself, and was never used.
pub(crate) const UNUSED_CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xc9));
/// Known by its document; somebody saw two.
pub(crate) const DOCUMENT_CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xd0_c5));
pub(crate) const GRANT: GrantId = GrantId::new(Uuid::from_u128(0xc4));
/// Revoked.
pub(crate) const OLD_GRANT: GrantId = GrantId::new(Uuid::from_u128(0xc5));
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(0xc6));
pub(crate) const KEY: ApiKeyId = ApiKeyId::new(Uuid::from_u128(0xd1));
/// Revoked.
pub(crate) const OLD_KEY: ApiKeyId = ApiKeyId::new(Uuid::from_u128(0xd2));
/// Of Acme.
pub(crate) const WIKI: ServerId = ServerId::new(Uuid::from_u128(0xe1));
/// In the public catalogue.
pub(crate) const CLOCK: ServerId = ServerId::new(Uuid::from_u128(0xe2));
/// In the catalogue, not public.
pub(crate) const HIDDEN: ServerId = ServerId::new(Uuid::from_u128(0xe3));
pub(crate) const OLD_WIKI: ServerId = ServerId::new(Uuid::from_u128(0xe4));
pub(crate) const SHARED: ConnectionId = ConnectionId::new(Uuid::from_u128(0xf1));
/// Ben's own.
pub(crate) const BENS: ConnectionId = ConnectionId::new(Uuid::from_u128(0xf2));
pub(crate) const OLD_CONNECTION: ConnectionId = ConnectionId::new(Uuid::from_u128(0xf3));
pub(crate) const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(0x11));
pub(crate) const STOPPED: InstanceId = InstanceId::new(Uuid::from_u128(0x12));
pub(crate) const OLD_INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(0x13));
pub(crate) const LASTING: AnnouncementId = AnnouncementId::new(Uuid::from_u128(0x21));
const PASSING: AnnouncementId = AnnouncementId::new(Uuid::from_u128(0x22));
const WITHDRAWN: AnnouncementId = AnnouncementId::new(Uuid::from_u128(0x23));

/// What must be found nowhere in a read model.
pub(crate) const DIGESTS: [&str; 2] = ["00ff00ff", "$2b$12$abcdefgh"];

/// Every event there is; afterwards there is something of every kind in every state.
pub(crate) fn everything() -> History {
    let mut history = History::default();
    tell_deployment_start(&mut history);
    tell_users(&mut history);
    tell_organizations(&mut history);
    tell_servers(&mut history);
    tell_connections(&mut history);
    tell_instances(&mut history);
    tell_keys(&mut history);
    clients::tell(&mut history);
    tell_grants(&mut history);
    tell_deployment(&mut history);
    history
}

fn issuer() -> Issuer {
    Issuer::parse("https://id.example.com").unwrap()
}

fn subject() -> ProviderSubject {
    ProviderSubject::parse("248289761001").unwrap()
}

fn tell_users(history: &mut History) {
    let picture = || Some(known(ANN, HttpsUrl::parse("https://cdn.example.com/ann.png").unwrap()));
    history
        .tell(
            ANN,
            UserEvent::Registered {
                email: Some(email(ANN, "ann@example.com")),
                name: None,
                picture: picture(),
                registered_in: Some(ACME),
            },
        )
        .tell(ANN, UserEvent::EmailChanged { email: Some(email(ANN, "ann@example.org")) })
        .tell(ANN, UserEvent::ProfileChanged { name: Some(known(ANN, display("安"))), picture: None })
        .tell(BEN, UserEvent::Registered { email: None, name: None, picture: None, registered_in: None })
        .tell(BEN, UserEvent::EmailChanged { email: Some(email(BEN, "ben@example.com")) })
        .tell(BEN, UserEvent::Suspended { reason: display("away") })
        .tell(BEN, UserEvent::Resumed {})
        .tell(BEN, UserEvent::PasswordSet {})
        .tell(BEN, UserEvent::PasswordRemoved {})
        .tell(BEN, UserEvent::IdentityLinked { issuer: issuer(), subject: known(BEN, subject()) })
        .tell(BEN, UserEvent::FallbackBegan { issuer: issuer(), vouched_at: moment("2026-05-01T00:00:00Z") })
        .tell(BEN, UserEvent::FallbackEnded { issuer: issuer() })
        .tell(BEN, UserEvent::IdentityUnlinked { issuer: issuer(), subject: known(BEN, subject()) })
        .tell(CAT, registered(CAT, "cat@example.com", "Cat"))
        .tell(
            DAN,
            UserEvent::Registered {
                email: Some(erased(DAN)),
                name: Some(erased(DAN)),
                picture: None,
                registered_in: None,
            },
        )
        .tell(DAN, UserEvent::Suspended { reason: display("left the company") })
        .tell(EVE, registered(EVE, "eve@example.com", "Eve"))
        .tell(EVE, UserEvent::Erased { reason: display("request 4711") });
}

fn tell_organizations(history: &mut History) {
    history
        .tell(ACME, founded("acme", "Acme"))
        .tell(ACME, OrganizationEvent::MemberAdded { user: ANN, role: Role::Owner })
        .tell(ACME, OrganizationEvent::MemberAdded { user: BEN, role: Role::Viewer })
        .tell(ACME, OrganizationEvent::MemberAdded { user: CAT, role: Role::Member })
        .tell(GLOBEX, founded("globex", "Globex"))
        .tell(GLOBEX, OrganizationEvent::MemberAdded { user: BEN, role: Role::Owner })
        .tell(ACME, OrganizationEvent::RoleChanged { user: BEN, role: Role::Admin })
        .tell(ACME, OrganizationEvent::MemberRemoved { user: CAT })
        .tell(CAT, UserEvent::Deleted {})
        .tell(ACME, OrganizationEvent::Renamed { name: display("Acme 株式会社") })
        .tell(ACME, OrganizationEvent::SlugChanged { slug: Slug::parse("acme-tools").unwrap() })
        .tell(ACME, OrganizationEvent::Suspended { reason: display("unpaid") })
        .tell(ACME, OrganizationEvent::Resumed {})
        .tell(HELD, founded("held", "Held"))
        .tell(HELD, OrganizationEvent::Suspended { reason: display("unpaid") })
        .tell(
            GONE,
            OrganizationEvent::Created {
                kind: OrganizationKind::Personal,
                slug: Slug::parse("@cat").unwrap(),
                name: display("Cat"),
            },
        )
        .tell(GONE, OrganizationEvent::Deleted {});
}

fn tell_servers(history: &mut History) {
    let transport = |url: &str| Transport::Http { url: UpstreamUrl::parse(url).unwrap() };
    let field = CredentialField {
        name: FieldName::parse("token").unwrap(),
        header: HeaderName::parse("authorization").unwrap(),
        prefix: Some(HeaderPrefix::parse("Bearer ").unwrap()),
        required: true,
    };
    let offered = |organization, name: &str, visibility| ServerEvent::Registered {
        organization,
        name: display(name),
        transport: transport("https://mcp.example.com/mcp"),
        credential_fields: vec![field.clone()],
        visibility,
    };
    history
        .tell(WIKI, offered(Some(ACME), "Wiki", Visibility::Organization))
        .tell(CLOCK, offered(None, "Clock", Visibility::Public))
        .tell(HIDDEN, offered(None, "Trial", Visibility::Private))
        .tell(OLD_WIKI, offered(Some(ACME), "Old wiki", Visibility::Organization))
        .tell(
            WIKI,
            ServerEvent::Updated {
                name: display("Wiki 2"),
                transport: transport("http://127.0.0.1:3001/mcp"),
                credential_fields: vec![],
                visibility: Visibility::Private,
            },
        )
        .tell(OLD_WIKI, by_oauth())
        .tell(OLD_WIKI, ServerEvent::Retired {});
}

fn tell_connections(history: &mut History) {
    let opened = |owner, name: &str| ConnectionEvent::Created {
        organization: ACME,
        owner,
        server: WIKI,
        name: display(name),
    };
    let secrets = |version, fields: &[&str]| ConnectionEvent::SecretsSet {
        version,
        fields: fields.iter().map(|field| FieldName::parse(field).unwrap()).collect(),
    };
    history
        .tell(SHARED, opened(ConnectionOwner::Organization, "Wiki of all"))
        .tell(BENS, opened(ConnectionOwner::User(BEN), "Ben's wiki"))
        .tell(OLD_CONNECTION, opened(ConnectionOwner::Organization, "Old"))
        .tell(SHARED, ConnectionEvent::Renamed { name: display("Wiki") })
        .tell(SHARED, secrets(1, &["token"]))
        .tell(SHARED, secrets(2, &["tenant", "token"]))
        .tell(OLD_CONNECTION, secrets(1, &["token"]));
    for event in all_of_an_authorization() {
        history.tell(BENS, event.clone()).tell(OLD_CONNECTION, event);
    }
    history.tell(BENS, authorized()).tell(OLD_CONNECTION, ConnectionEvent::Removed {});
}

fn tell_instances(history: &mut History) {
    let created = |name: &str| InstanceEvent::Created {
        organization: ACME,
        name: display(name),
        connections: vec![SHARED],
        tools: ToolSelection::All,
        authentication: CallerAuthentication::ApiKey,
    };
    let called = |name: &str| MemberName::parse(name).unwrap();
    let only = ["echo", "add"].into_iter().map(|tool| ToolName::parse(tool).unwrap()).collect();
    history
        .tell(INSTANCE, created("Wiki for agents"))
        .tell(STOPPED, created("Stopped"))
        .tell(OLD_INSTANCE, created("Old"))
        .tell(INSTANCE, InstanceEvent::Renamed { name: display("Wiki") })
        .tell(INSTANCE, InstanceEvent::ConnectionsChanged { connections: vec![BENS, SHARED] })
        .tell(
            INSTANCE,
            InstanceEvent::MembersNamed { names: [(BENS, called("bens")), (SHARED, called("wiki"))].into() },
        )
        .tell(INSTANCE, InstanceEvent::ToolsChanged { tools: ToolSelection::Only(only) })
        .tell(INSTANCE, InstanceEvent::AuthenticationChanged { authentication: CallerAuthentication::Both })
        .tell(INSTANCE, InstanceEvent::RecordingChanged { recording: Recording::default() })
        .tell(INSTANCE, InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Serve })
        .tell(INSTANCE, InstanceEvent::Stopped {})
        .tell(INSTANCE, InstanceEvent::Started {})
        .tell(STOPPED, InstanceEvent::Stopped {})
        .tell(OLD_INSTANCE, InstanceEvent::Deleted {});
}

fn tell_keys(history: &mut History) {
    let issued = |key_id: &str, instance, expires_at| ApiKeyEvent::Issued {
        organization: ACME,
        key_id: KeyId::parse(key_id).unwrap(),
        name: display("CI"),
        principal: ANN,
        issued_by: ANN,
        instance,
        scopes: scopes(&["mcp:read", "tool:echo"]),
        digest: SecretDigest::HmacSha256 { pepper: 1, hex: "00ff".repeat(16) },
        expires_at,
        environment: KeyEnvironment::Live,
    };
    history
        .tell(KEY, issued("2vqXWJ5hFY0aPzK9mR3tB7", Some(INSTANCE), Some(moment("2027-01-01T00:00:00Z"))))
        .tell(OLD_KEY, issued("3vqXWJ5hFY0aPzK9mR3tB7", None, None))
        .tell(KEY, ApiKeyEvent::Renamed { name: display("Nightly") })
        .tell(OLD_KEY, ApiKeyEvent::Revoked { reason: display("rotated") });
}

fn tell_grants(history: &mut History) {
    let granted = |expires_at: Option<&str>| GrantEvent::Granted {
        organization: ACME,
        user: BEN,
        client: CLIENT,
        instance: INSTANCE,
        scopes: scopes(&["mcp:read", "tool:echo"]),
        expires_at: expires_at.map(moment),
    };
    let given_back = AccessTokenEvent::Revoked {
        client: CLIENT,
        grant: Some(GRANT),
        organization: Some(ACME),
        instance: INSTANCE,
        expires_at: moment("2026-06-01T00:00:00Z"),
    };
    history
        .tell(OLD_GRANT, granted(Some("2026-06-01T00:00:00Z")))
        .tell(OLD_GRANT, GrantEvent::Revoked { reason: GrantEnd::RefreshReused })
        .tell(GRANT, granted(None))
        .tell(GRANT, GrantEvent::ScopesChanged { scopes: scopes(&["mcp:write"]) })
        .tell(GRANT, GrantEvent::TokenRevoked { token: TOKEN, expires_at: moment("2026-06-01T00:00:00Z") })
        .tell(TOKEN, given_back);
}

fn tell_deployment_start(history: &mut History) {
    let deployment = DeploymentId;
    history
        .tell(deployment, DeploymentEvent::Bootstrapped { administrator: ANN })
        .tell(deployment, DeploymentEvent::AdministratorAdded { user: BEN })
        .tell(deployment, DeploymentEvent::AdministratorRemoved { user: BEN })
        .tell(deployment, DeploymentEvent::AdministratorAdded { user: DAN })
        .tell(deployment, maintenance(Some("2026-05-01T00:00:00Z"), &[]))
        .tell(deployment, DeploymentEvent::MaintenanceEnded {});
}

fn tell_deployment(history: &mut History) {
    let deployment = DeploymentId;
    let published = |id, until: Option<&str>| DeploymentEvent::AnnouncementPublished {
        id,
        ja: Notice::parse("本日保守を行います。\nご了承ください。").unwrap(),
        en: Notice::parse("Maintenance tonight.").unwrap(),
        until: until.map(moment),
    };
    let link = |label: &str| (display(label), HttpsUrl::parse("https://forum.example.com/").unwrap());
    let links = |labels: &[&str]| DeploymentEvent::LinksChanged {
        links: labels.iter().map(|label| link(label)).collect::<BTreeMap<_, _>>(),
    };
    history
        .tell(deployment, maintenance(Some("2026-05-01T00:00:00Z"), &["192.0.2.7"]))
        .tell(deployment, maintenance(None, &["192.0.2.0/24", "2001:db8::/32"]))
        .tell(deployment, published(LASTING, None))
        .tell(deployment, published(PASSING, Some("2026-06-01T00:00:00Z")))
        .tell(deployment, published(WITHDRAWN, None))
        .tell(deployment, DeploymentEvent::AnnouncementWithdrawn { id: WITHDRAWN })
        .tell(deployment, links(&["Forum", "Chat"]))
        .tell(deployment, links(&["掲示板", "Forum"]))
        .tell(
            deployment,
            DeploymentEvent::SigningKeyAdded {
                kid: kid(),
                algorithm: SigningAlgorithm::EdDsa,
                public_jwk: PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap(),
                at: moment("2026-05-01T00:00:00Z"),
            },
        )
        .tell(
            deployment,
            DeploymentEvent::SigningKeyActivated { kid: kid(), at: moment("2026-05-01T00:00:00Z") },
        )
        .tell(
            deployment,
            DeploymentEvent::ProviderAdded {
                provider: provider(),
                name: display("Acme ID"),
                issuer: issuer(),
                client_id: ProviderClientId::parse("sekisho").unwrap(),
                scopes: [].into(),
                matching: AccountMatching::VerifiedEmail,
                secret: None,
            },
        )
        .tell(
            deployment,
            DeploymentEvent::ProviderChanged {
                provider: provider(),
                name: display("Acme 認証"),
                client_id: ProviderClientId::parse("sekisho").unwrap(),
                scopes: [].into(),
                matching: AccountMatching::Identity,
                secret: None,
            },
        )
        .tell(deployment, DeploymentEvent::ProviderRemoved { provider: provider() })
        .tell(deployment, DeploymentEvent::SigningKeyRetired { kid: kid(), emergency: true })
        .tell(deployment, retried(Position::new(1)))
        .tell(deployment, skipped(Position::new(1)));
}

fn provider() -> ProviderId {
    ProviderId::parse("acme").unwrap()
}

fn kid() -> KeyThumbprint {
    KeyThumbprint::parse("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs").unwrap()
}

/// An order to fold a parked event again.
pub(crate) fn retried(position: Position) -> DeploymentEvent {
    DeploymentEvent::ParkedEventRetried {
        projection: display("directory"),
        position,
        reason: display("fixed"),
    }
}

/// An order to leave a parked event out.
pub(crate) fn skipped(position: Position) -> DeploymentEvent {
    DeploymentEvent::ParkedEventSkipped {
        projection: display("directory"),
        position,
        reason: display("gone"),
    }
}

fn maintenance(until: Option<&str>, allowed: &[&str]) -> DeploymentEvent {
    DeploymentEvent::MaintenanceStarted {
        until: until.map(moment),
        allowed: allowed.iter().map(|range| AddressRange::parse(range).unwrap()).collect(),
    }
}
