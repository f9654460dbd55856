//! What the view says of tokens, clients, grants and keys that sign.

use domain::access_token::AccessTokenEvent;
use domain::client::{
    ApplicationType, ClientAbout, ClientAuthentication, ClientEvent, ClientKind, GrantType,
};
use domain::deployment::DeploymentEvent;
use domain::event::Event;
use domain::grant::{ACCESS_TOKEN_SECONDS, GrantEnd, GrantEvent};
use domain::instance::{CallerAuthentication, InstanceEvent};
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::policy::{self, Caller, Facts, Standing, Target, TokenSubject, Wish};
use domain::user::UserEvent;
use domain::value::{
    ClientId, DisplayName, GrantId, InstanceId, KeyThumbprint, OrganizationId, PublicJwk, RedirectUri, Role,
    Scope, Scopes, SecretDigest, SigningAlgorithm, Slug, Timestamp, TokenId, ToolSelection, UserId,
};
use uuid::Uuid;

use super::{AccessView, Parties, SigningKeyState, TokenClaims, TokenHolder};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const RIVAL: OrganizationId = OrganizationId::new(Uuid::from_u128(2));
const ANN: UserId = UserId::new(Uuid::from_u128(3));
const BEN: UserId = UserId::new(Uuid::from_u128(4));
const DESK: ClientId = ClientId::new(Uuid::from_u128(5));
const OTHER: ClientId = ClientId::new(Uuid::from_u128(6));
const WIKI: InstanceId = InstanceId::new(Uuid::from_u128(7));
const THEIRS: InstanceId = InstanceId::new(Uuid::from_u128(8));
const GRANT: GrantId = GrantId::new(Uuid::from_u128(9));
const NEXT_GRANT: GrantId = GrantId::new(Uuid::from_u128(10));
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(11));
const NOW: Timestamp = Timestamp::EPOCH;

fn name() -> DisplayName {
    DisplayName::parse("Name").unwrap()
}

fn scopes(texts: &[&str]) -> Scopes {
    texts.iter().map(|text| Scope::parse(text).unwrap()).collect()
}

fn digest(number: u8) -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: number.to_string() }
}

fn tell(view: &mut AccessView, id: impl std::fmt::Display, fact: impl Into<Event>) {
    view.witness(view.position().next(), &id.to_string(), fact.into()).unwrap();
}

fn registered(organization: OrganizationId, client_id: ClientId) -> ClientEvent {
    ClientEvent::Registered {
        organization,
        client_id,
        name: name(),
        kind: ClientKind::Confidential { secret: digest(0) },
        redirect_uris: [].into(),
        scopes: scopes(&["mcp:write"]),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    }
}

fn granted() -> GrantEvent {
    let (organization, user, client, instance) = (ACME, ANN, DESK, WIKI);
    GrantEvent::Granted {
        organization,
        user,
        client,
        instance,
        scopes: scopes(&["mcp:read"]),
        expires_at: None,
    }
}

/// Acme with Ann, her grant to Desk at the wiki, and the rival with another client and instance.
fn view() -> AccessView {
    let mut view = AccessView::default();
    for (organization, user, instance) in [(ACME, ANN, WIKI), (RIVAL, BEN, THEIRS)] {
        let (kind, slug) = (OrganizationKind::Team, Slug::parse("acme").unwrap());
        tell(&mut view, organization, OrganizationEvent::Created { kind, slug, name: name() });
        let known = UserEvent::Registered { email: None, name: None, picture: None, registered_in: None };
        tell(&mut view, user, known);
        tell(&mut view, organization, OrganizationEvent::MemberAdded { user, role: Role::Member });
        let created = InstanceEvent::Created {
            organization,
            name: name(),
            connections: vec![],
            tools: ToolSelection::All,
            authentication: CallerAuthentication::Oauth,
        };
        tell(&mut view, instance, created);
    }
    tell(&mut view, DESK, registered(ACME, DESK));
    tell(&mut view, OTHER, registered(RIVAL, OTHER));
    tell(&mut view, GRANT, granted());
    view
}

/// A token that hangs on a grant, or on its client alone.
fn given_back(grant: Option<GrantId>) -> AccessTokenEvent {
    let (organization, expires_at) = (Some(ACME), NOW.plus_seconds(1));
    AccessTokenEvent::Revoked { client: DESK, grant, organization, instance: WIKI, expires_at }
}

fn anns() -> TokenClaims {
    TokenClaims {
        token: TOKEN,
        client: DESK,
        holder: TokenHolder::User { user: ANN, grant: GRANT },
        instance: WIKI,
        scopes: scopes(&["mcp:read"]),
        expires_at: NOW.plus_seconds(1),
    }
}

fn own(client: ClientId) -> TokenClaims {
    TokenClaims { client, holder: TokenHolder::Client, ..anns() }
}

fn decided(view: &AccessView, claims: &TokenClaims, wish: Wish<'_>) -> Result<(), &'static str> {
    let facts = Facts {
        caller: Caller::Token(view.token_facts(claims).ok_or("unknown")?),
        target: Target::Instance(view.instance_facts(view.instance(claims.instance).unwrap())),
        maintenance: false,
        now: NOW,
    };
    policy::decide(&facts, wish).map(|_| ()).map_err(|denial| denial.code())
}

fn connects(view: &AccessView, claims: &TokenClaims) -> Result<(), &'static str> {
    decided(view, claims, Wish::Connect)
}

#[test]
fn a_token_that_contradicts_its_grant_is_none_of_ours() {
    let view = view();
    let user = |user, grant| TokenHolder::User { user, grant };
    for claims in [
        TokenClaims { holder: user(BEN, GRANT), ..anns() },
        TokenClaims { holder: user(ANN, NEXT_GRANT), ..anns() },
        TokenClaims { client: OTHER, ..anns() },
        TokenClaims { instance: THEIRS, ..anns() },
        TokenClaims { client: ClientId::new(Uuid::nil()), ..own(DESK) },
    ] {
        assert_eq!(view.token_facts(&claims), None, "{claims:?}");
    }
    assert_eq!(connects(&view, &anns()), Ok(()));
}

#[test]
fn whatever_ends_a_token_is_told_and_closes_at_the_same_moment() {
    let revoked = || Event::from(GrantEvent::Revoked { reason: GrantEnd::ByUser });
    let one = || GrantEvent::TokenRevoked { token: TOKEN, expires_at: NOW.plus_seconds(1) };
    let reason = name();
    let ends: [(String, Event, &str); 8] = [
        (TOKEN.to_string(), given_back(Some(GRANT)).into(), "token-revoked"),
        (GRANT.to_string(), revoked(), "grant-revoked"),
        (GRANT.to_string(), one().into(), "token-revoked"),
        (DESK.to_string(), ClientEvent::Disabled { reason: name() }.into(), "client-inactive"),
        (DESK.to_string(), ClientEvent::Deleted { reason: None }.into(), "client-inactive"),
        (ANN.to_string(), UserEvent::Suspended { reason: name() }.into(), "principal-inactive"),
        (ACME.to_string(), OrganizationEvent::MemberRemoved { user: ANN }.into(), "not-member"),
        (ACME.to_string(), OrganizationEvent::Suspended { reason }.into(), "organization-suspended"),
    ];
    for (id, end, code) in ends {
        let mut view = view();
        assert_eq!(view.closed_to(&[ACME]), domain::value::Position::START);
        tell(&mut view, id, end);
        assert_eq!(connects(&view, &anns()), Err(code));
        assert_eq!(view.closed_to(&[ACME]), view.position(), "{code}");
    }
}

#[test]
fn a_consent_or_a_client_that_is_narrowed_narrows_the_tokens_that_are_out() {
    let tool = Wish::Call { tool: "search", read_only: true };
    let mut view = view();
    assert_eq!(decided(&view, &anns(), tool), Ok(()));
    tell(&mut view, GRANT, GrantEvent::ScopesChanged { scopes: scopes(&["tool:add"]) });
    assert_eq!(decided(&view, &anns(), tool), Err("insufficient-scope"));
    assert_eq!(view.closed_to(&[ACME]), view.position());
    tell(&mut view, GRANT, GrantEvent::ScopesChanged { scopes: scopes(&["mcp:write"]) });
    let updated = |texts: &[&str]| ClientEvent::Updated {
        name: name(),
        redirect_uris: [].into(),
        scopes: scopes(texts),
    };
    tell(&mut view, DESK, updated(&["mcp:admin"]));
    assert_ne!(view.closed_to(&[ACME]), view.position());
    tell(&mut view, DESK, updated(&["tool:add"]));
    assert_eq!(decided(&view, &anns(), tool), Err("insufficient-scope"));
    assert_eq!(view.closed_to(&[ACME]), view.position());
}

#[test]
fn a_client_in_its_own_name_is_let_in_at_home_only() {
    let view = view();
    assert_eq!(connects(&view, &own(DESK)), Ok(()));
    assert_eq!(connects(&view, &own(OTHER)), Err("not-member"));
    let facts = view.token_facts(&own(OTHER)).map(|facts| facts.subject);
    assert_eq!(facts, Some(TokenSubject::Client { organization: Some(RIVAL) }));
    let before = ClientEvent::TokenRevoked { token: TOKEN, expires_at: NOW.plus_seconds(1) };
    let now = Event::from(given_back(None));
    for (id, revoked) in [(DESK.to_string(), before.into()), (TOKEN.to_string(), now)] {
        let mut view = view.clone();
        tell(&mut view, id, revoked);
        assert_eq!(connects(&view, &own(DESK)), Err("token-revoked"));
        assert_eq!(view.closed_to(&[ACME]), view.position());
        assert_ne!(view.closed_to(&[RIVAL]), view.position());
    }
}

#[test]
fn a_place_has_the_grant_that_is_live() {
    let mut view = view();
    let of = |view: &AccessView| view.grant_of(ANN, DESK, WIKI).map(|grant| grant.id);
    assert_eq!(of(&view), Some(GRANT));
    tell(&mut view, GRANT, GrantEvent::Revoked { reason: GrantEnd::Replaced });
    assert_eq!(of(&view), None);
    tell(&mut view, NEXT_GRANT, granted());
    tell(&mut view, GRANT, GrantEvent::Revoked { reason: GrantEnd::ByUser });
    assert_eq!(of(&view), Some(NEXT_GRANT));
    assert!(view.grant(GRANT).is_some_and(|grant| grant.revoked));
}

#[test]
fn a_revoked_token_is_remembered_as_long_as_it_could_live_and_not_for_ever() {
    let mut view = view();
    let token = |number: i64| TokenId::new(Uuid::from_u128(1_000 + u128::from(number.unsigned_abs())));
    for number in 0..10 * ACCESS_TOKEN_SECONDS {
        let expires_at = NOW.plus_seconds(number);
        if number % 2 == 0 {
            tell(&mut view, GRANT, GrantEvent::TokenRevoked { token: token(number), expires_at });
        } else {
            let (client, grant, organization, instance) = (DESK, Some(GRANT), Some(ACME), WIKI);
            let revoked = AccessTokenEvent::Revoked { client, grant, organization, instance, expires_at };
            tell(&mut view, token(number), revoked);
        }
    }
    let last = 10 * ACCESS_TOKEN_SECONDS - 1;
    let is_revoked = |number: i64| view.is_revoked(&TokenClaims { token: token(number), ..anns() });
    assert!(is_revoked(last) && is_revoked(last - ACCESS_TOKEN_SECONDS) && !is_revoked(0));
    assert!(i64::try_from(view.revoked_tokens.len()).unwrap() <= 2 * ACCESS_TOKEN_SECONDS + 1);
}

#[test]
fn nobody_revokes_a_token_that_hangs_on_something_else() {
    let mut view = view();
    let expires_at = NOW.plus_seconds(1);
    tell(&mut view, OTHER, ClientEvent::TokenRevoked { token: TOKEN, expires_at });
    tell(&mut view, DESK, ClientEvent::TokenRevoked { token: TOKEN, expires_at });
    tell(&mut view, NEXT_GRANT, GrantEvent::TokenRevoked { token: TOKEN, expires_at });
    tell(&mut view, TOKEN, given_back(Some(NEXT_GRANT)));
    tell(&mut view, TOKEN, given_back(None));
    assert_eq!(connects(&view, &anns()), Ok(()));
    assert_eq!(connects(&view, &own(DESK)), Err("token-revoked"));
}

#[test]
fn two_secrets_of_a_client_work_side_by_side_for_a_while() {
    let mut view = view();
    let numbers = |view: &AccessView, now| -> Vec<u32> {
        view.client(DESK).unwrap().secrets_at(now).map(|secret| secret.number).collect()
    };
    let rotated =
        |number, previous_until| ClientEvent::SecretRotated { secret: digest(number), previous_until };
    assert_eq!(numbers(&view, NOW), [0]);
    tell(&mut view, DESK, rotated(1, Some(NOW.plus_seconds(60))));
    assert_eq!(numbers(&view, NOW), [1, 0]);
    assert_eq!(numbers(&view, NOW.plus_seconds(60)), [1]);
    tell(&mut view, DESK, rotated(2, Some(NOW.plus_seconds(60))));
    assert_eq!(numbers(&view, NOW), [2, 1]);
    tell(&mut view, DESK, rotated(3, None));
    assert_eq!(numbers(&view, NOW), [3]);
    tell(&mut view, DESK, ClientEvent::Deleted { reason: None });
    assert_eq!((numbers(&view, NOW), view.client(DESK).unwrap().standing), (vec![], Standing::Ended));
}

/// A client that registered itself, of an organization or of nobody.
fn itself(id: ClientId, organization: Option<OrganizationId>) -> ClientEvent {
    let about = ClientAbout {
        application_type: ApplicationType::Native,
        client_uri: None,
        logo_uri: None,
        tos_uri: None,
        policy_uri: None,
        software_id: None,
        software_version: None,
    };
    ClientEvent::SelfRegistered {
        organization,
        client_id: id,
        name: name(),
        kind: ClientKind::Public,
        redirect_uris: [RedirectUri::parse("http://127.0.0.1/cb").unwrap()].into(),
        scopes: scopes(&["mcp:read"]),
        registered_by: None,
        authentication: None,
        grant_types: [GrantType::AuthorizationCode].into(),
        registration_token: digest(0),
        about: Box::new(about),
        at: NOW,
    }
}

#[test]
fn attack_03_of_a_client_that_nobody_used_nothing_is_held_once_it_is_gone() {
    let mut view = AccessView::default();
    let [one, two, three] = [1, 2, 3].map(|number| ClientId::new(Uuid::from_u128(number)));
    for (id, organization) in [(one, None), (two, None), (three, Some(ACME))] {
        tell(&mut view, id, itself(id, organization));
    }
    assert_eq!(view.unused_clients_of_nobody(), 2);
    assert_eq!(view.unused_clients_of_nobody_since(NOW).collect::<Vec<_>>(), [one, two]);
    assert_eq!(view.unused_clients_of_nobody_since(NOW.plus_seconds(-1)).count(), 0);
    let before = view.clone();
    tell(&mut view, one, ClientEvent::FirstUsed {});
    tell(&mut view, one, ClientEvent::FirstUsed {});
    assert_eq!(view.unused_clients_of_nobody(), 1);
    for id in [one, two, three] {
        tell(&mut view, id, ClientEvent::Deleted { reason: None });
    }
    assert_eq!(view.unused_clients_of_nobody(), 0);
    let held = |view: &AccessView, id| {
        let client = view.client(id)?;
        Some((client.standing, client.name.as_str().to_owned(), client.scopes.iter().count()))
    };
    assert_eq!(held(&view, one), Some((Standing::Ended, name().as_str().to_owned(), 1)));
    assert_eq!((held(&view, two), held(&view, three)), (None, None));
    let was = Some((Standing::Active, name().as_str().to_owned(), 1));
    assert_eq!(held(&before, two), was, "the past is as it was");
}

#[test]
fn a_client_asks_as_it_was_registered() {
    let mut view = view();
    let desk = view.client(DESK).unwrap();
    assert_eq!(desk.authentication, Some(ClientAuthentication::SecretBasic));
    assert_eq!(desk.grant_types(), [GrantType::ClientCredentials].into());
    let public = ClientEvent::Registered {
        organization: ACME,
        client_id: OTHER,
        name: name(),
        kind: ClientKind::Public,
        redirect_uris: [RedirectUri::parse("http://127.0.0.1/cb").unwrap()].into(),
        scopes: scopes(&["mcp:read"]),
        registered_by: ANN,
        authentication: None,
        grant_types: Some([GrantType::AuthorizationCode].into()),
    };
    tell(&mut view, OTHER, public);
    let other = view.client(OTHER).unwrap();
    assert_eq!((other.authentication, other.secrets.len()), (None, 0));
    assert_eq!(other.grant_types(), [GrantType::AuthorizationCode].into());
}

fn kid(number: u32) -> KeyThumbprint {
    KeyThumbprint::parse(&format!("{number:043}")).unwrap()
}

#[test]
fn keys_come_sign_retire_and_go() {
    let mut view = AccessView::default();
    let at = |seconds| NOW.plus_seconds(seconds);
    let tell = |view: &mut AccessView, fact: DeploymentEvent| tell(view, "deployment", fact);
    let added = |number, algorithm| DeploymentEvent::SigningKeyAdded {
        kid: kid(number),
        algorithm,
        public_jwk: PublicJwk::parse(r#"{"kty":"OKP"}"#).unwrap(),
        at: NOW,
    };
    let active = |view: &AccessView, algorithm| view.active_signing_key(algorithm).map(|key| key.kid.clone());
    for (number, algorithm) in
        [(1, SigningAlgorithm::Rs256), (2, SigningAlgorithm::Rs256), (3, SigningAlgorithm::EdDsa)]
    {
        tell(&mut view, added(number, algorithm));
    }
    assert_eq!(active(&view, SigningAlgorithm::Rs256), None);
    tell(&mut view, DeploymentEvent::SigningKeyActivated { kid: kid(3), at: at(1) });
    tell(&mut view, DeploymentEvent::SigningKeyActivated { kid: kid(1), at: at(2) });
    tell(&mut view, DeploymentEvent::SigningKeyActivated { kid: kid(2), at: at(3) });
    assert_eq!(active(&view, SigningAlgorithm::Rs256), Some(kid(2)));
    assert_eq!(active(&view, SigningAlgorithm::EdDsa), None, "another algorithm took its place");
    assert_eq!(active(&view, SigningAlgorithm::Es256), None);
    let states: Vec<_> = view.signing_keys().into_iter().map(|key| key.state).collect();
    let (one, two, three) = (
        SigningKeyState::Retiring { since: at(3) },
        SigningKeyState::Active { since: at(3) },
        SigningKeyState::Retiring { since: at(2) },
    );
    assert_eq!(states, [one, two, three]);
    tell(&mut view, DeploymentEvent::SigningKeyRetired { kid: kid(1), emergency: false });
    assert_ne!(view.closed_at(), view.position());
    assert!(view.signing_key(kid(1).as_str()).is_none() && view.signing_keys().len() == 2);
    tell(&mut view, DeploymentEvent::SigningKeyRetired { kid: kid(2), emergency: true });
    assert_eq!((view.closed_at(), active(&view, SigningAlgorithm::Rs256)), (view.position(), None));
}

#[test]
fn the_parties_of_a_token_are_its_client_its_grant_and_its_instance() {
    let (client, grant, instance) = (Some(DESK), Some(GRANT), Some(WIKI));
    let users = Parties { key: None, client, token: Some(TOKEN), grant, instance };
    assert_eq!(Parties::of_token(&anns()), users);
    assert_eq!(Parties::of_token(&own(DESK)), Parties { grant: None, ..users });
}
