//! Refusals first.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Client, ClientAuthentication, ClientCommand as Ask, ClientError as No, ClientEvent as Did, ClientKind,
    GrantType, REDIRECT_URIS_MAX,
};
use crate::given::{Given, given};
use crate::value::{
    ClientId, DisplayName, OrganizationId, RedirectUri, Scope, Scopes, SecretDigest, Timestamp, TokenId,
    UserId,
};
use crate::{ClaimChange, ClaimScope, Facts};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const DESK: ClientId = ClientId::new(Uuid::from_u128(2));
const ANN: UserId = UserId::new(Uuid::from_u128(3));
const TOKEN: TokenId = TokenId::new(Uuid::from_u128(4));

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn uris(count: usize) -> BTreeSet<RedirectUri> {
    (0..count).map(|n| RedirectUri::parse(&format!("https://desk.example.com/{n}")).unwrap()).collect()
}

fn scopes() -> Scopes {
    Scopes::from_iter([Scope::McpRead])
}

fn secret(byte: u8) -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: format!("{byte:02x}").repeat(32) }
}

fn confidential() -> ClientKind {
    ClientKind::Confidential { secret: secret(1) }
}

fn register(kind: ClientKind, uri_count: usize) -> Ask {
    Ask::Register {
        organization: ACME,
        client_id: DESK,
        name: name("Desk"),
        kind,
        redirect_uris: uris(uri_count),
        scopes: scopes(),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    }
}

fn registered(kind: ClientKind, uri_count: usize) -> Did {
    Did::Registered {
        organization: ACME,
        client_id: DESK,
        name: name("Desk"),
        kind,
        redirect_uris: uris(uri_count),
        scopes: scopes(),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    }
}

fn desk(kind: ClientKind, then: Vec<Did>) -> Given<Client> {
    let mut past = vec![registered(kind, 1)];
    past.extend(then);
    given(past)
}

fn update(text: &str, uri_count: usize) -> Ask {
    Ask::Update { name: name(text), redirect_uris: uris(uri_count), scopes: scopes() }
}

fn updated(text: &str, uri_count: usize) -> Did {
    Did::Updated { name: name(text), redirect_uris: uris(uri_count), scopes: scopes() }
}

fn rotate(byte: u8) -> Ask {
    Ask::RotateSecret { secret: secret(byte), previous_until: Some(Timestamp::EPOCH) }
}

fn register_for(kind: ClientKind, uri_count: usize, types: &[GrantType]) -> Ask {
    let mut ask = register(kind, uri_count);
    if let Ask::Register { grant_types, .. } = &mut ask {
        *grant_types = Some(types.iter().copied().collect());
    }
    ask
}

fn register_with(kind: ClientKind, method: ClientAuthentication) -> Ask {
    let mut ask = register(kind, 1);
    if let Ask::Register { authentication, .. } = &mut ask {
        *authentication = Some(method);
    }
    ask
}

#[test]
fn a_client_that_does_not_exist_refuses_everything() {
    let nothing = given::<Client>(vec![]);
    nothing.when(update("Desk", 1)).refused(&No::Unknown);
    nothing.when(rotate(2)).refused(&No::Unknown);
    nothing.when(Ask::Disable { reason: name("x") }).refused(&No::Unknown);
    nothing.when(Ask::Enable).refused(&No::Unknown);
    nothing.when(Ask::Delete).refused(&No::Unknown);
}

#[test]
fn it_cannot_be_registered_twice_also_after_the_end() {
    desk(ClientKind::Public, vec![]).when(register(ClientKind::Public, 1)).refused(&No::Exists);
    desk(ClientKind::Public, vec![Did::Deleted { reason: None }])
        .when(register(ClientKind::Public, 1))
        .refused(&No::Exists);
}

#[test]
fn a_public_client_without_a_redirect_uri_is_refused() {
    given::<Client>(vec![]).when(register(ClientKind::Public, 0)).refused(&No::NoRedirectUri);
    desk(ClientKind::Public, vec![]).when(update("Desk", 0)).refused(&No::NoRedirectUri);
}

#[test]
fn redirect_uris_are_limited() {
    let over = REDIRECT_URIS_MAX + 1;
    given::<Client>(vec![]).when(register(confidential(), over)).refused(&No::TooManyRedirectUris);
    desk(confidential(), vec![]).when(update("Desk", over)).refused(&No::TooManyRedirectUris);
    desk(confidential(), vec![])
        .when(update("Desk", REDIRECT_URIS_MAX))
        .then(&[updated("Desk", REDIRECT_URIS_MAX)]);
}

#[test]
fn a_public_client_neither_proves_itself_nor_gets_a_token_of_its_own() {
    let nothing = given::<Client>(vec![]);
    for method in ClientAuthentication::ALL {
        nothing.when(register_with(ClientKind::Public, method)).refused(&No::PublicAuthentication);
    }
    let types = [GrantType::AuthorizationCode, GrantType::ClientCredentials];
    nothing.when(register_for(ClientKind::Public, 1, &types)).refused(&No::PublicCredentials);
}

#[test]
fn grant_types_that_a_client_cannot_use_are_refused() {
    let nothing = given::<Client>(vec![]);
    nothing.when(register_for(confidential(), 1, &[])).refused(&No::NoGrantType);
    let code = [GrantType::AuthorizationCode];
    nothing.when(register_for(confidential(), 0, &code)).refused(&No::NoRedirectUri);
    let refresh = [GrantType::RefreshToken, GrantType::ClientCredentials];
    nothing.when(register_for(confidential(), 1, &refresh)).refused(&No::RefreshWithoutCode);
}

#[test]
fn a_client_that_asks_for_codes_keeps_a_redirect_uri() {
    let mut event = registered(confidential(), 1);
    if let Did::Registered { grant_types, .. } = &mut event {
        *grant_types = Some([GrantType::AuthorizationCode].into());
    }
    given::<Client>(vec![event]).when(update("Desk", 0)).refused(&No::NoRedirectUri);
}

#[test]
fn a_client_that_names_no_grant_types_gets_those_that_it_can_use() {
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    for (is_confidential, has_redirects, types) in [
        (false, false, vec![]),
        (false, true, vec![AuthorizationCode, RefreshToken]),
        (true, false, vec![ClientCredentials]),
        (true, true, vec![AuthorizationCode, RefreshToken, ClientCredentials]),
    ] {
        let expected: BTreeSet<_> = types.into_iter().collect();
        assert_eq!(GrantType::by_default(is_confidential, has_redirects), expected);
    }
    for grant_type in GrantType::ALL {
        assert_eq!(GrantType::parse(grant_type.as_str()), Some(grant_type));
    }
    assert_eq!(GrantType::parse("password"), None);
}

#[test]
fn a_token_that_was_revoked_here_before_tokens_told_it_themselves_changes_nothing_about_the_client() {
    let gone = Did::TokenRevoked { token: TOKEN, expires_at: Timestamp::EPOCH };
    desk(confidential(), vec![gone]).when(Ask::Enable).then(&[]);
}

#[test]
fn a_public_client_has_no_secret_to_rotate() {
    desk(ClientKind::Public, vec![]).when(rotate(2)).refused(&No::NoSecret);
}

#[test]
fn nothing_leaves_deleted() {
    let deleted = desk(confidential(), vec![Did::Deleted { reason: None }]);
    deleted.when(update("New", 1)).refused(&No::Deleted);
    deleted.when(rotate(2)).refused(&No::Deleted);
    deleted.when(Ask::Disable { reason: name("x") }).refused(&No::Deleted);
    deleted.when(Ask::Enable).refused(&No::Deleted);
    deleted.when(Ask::Delete).then(&[]);
}

#[test]
fn registering_says_all_that_was_asked() {
    let nothing = given::<Client>(vec![]);
    nothing.when(register(ClientKind::Public, 1)).then(&[registered(ClientKind::Public, 1)]);
    nothing.when(register(confidential(), 0)).then(&[registered(confidential(), 0)]);
}

#[test]
fn after_a_leak_it_is_disabled_then_given_a_new_secret_then_enabled() {
    let disabled = desk(confidential(), vec![Did::Disabled { reason: name("leaked") }]);
    let rotated = Did::SecretRotated { secret: secret(2), previous_until: None };
    disabled
        .when(Ask::RotateSecret { secret: secret(2), previous_until: None })
        .then(std::slice::from_ref(&rotated));
    disabled.when(Ask::Enable).then(&[Did::Enabled {}]);
    disabled.when(Ask::Delete).then(&[Did::Deleted { reason: None }]);
}

#[test]
fn a_rotated_secret_may_live_beside_the_new_one_for_a_while() {
    desk(confidential(), vec![])
        .when(rotate(2))
        .then(&[Did::SecretRotated { secret: secret(2), previous_until: Some(Timestamp::EPOCH) }]);
}

#[test]
fn a_retry_is_not_a_mistake() {
    let client = desk(confidential(), vec![]);
    client.when(update("Desk", 1)).then(&[]);
    client.when(rotate(1)).then(&[]);
    client.when(Ask::Enable).then(&[]);
    desk(confidential(), vec![updated("New", 2)]).when(update("New", 2)).then(&[]);
    let rotated = Did::SecretRotated { secret: secret(2), previous_until: None };
    desk(confidential(), vec![rotated]).when(rotate(2)).then(&[]);
    let disabled = Did::Disabled { reason: name("x") };
    desk(confidential(), vec![disabled]).when(Ask::Disable { reason: name("y") }).then(&[]);
}

#[test]
fn its_identifier_is_taken_once_and_never_given_back() {
    let take = ClaimChange::Take { scope: ClaimScope::ClientId, value: DESK.to_string() };
    assert_eq!(registered(ClientKind::Public, 1).claims(), [take]);
    assert_eq!(Did::Deleted { reason: None }.claims(), []);
}

#[test]
fn it_belongs_to_the_organization_that_registered_it() {
    let mut client = Client::default();
    assert_eq!(crate::Aggregate::organization(&client, DESK), None);
    client.evolve(registered(ClientKind::Public, 1));
    assert_eq!(crate::Aggregate::organization(&client, DESK), Some(ACME));
}
