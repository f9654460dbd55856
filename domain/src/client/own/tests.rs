//! Refusals first; then what happens to a client that registered itself, in any order.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::client::{
    ApplicationType, ClientAbout, ClientAuthentication, ClientCommand as Ask, ClientError as No,
    ClientEvent as Did, REDIRECT_URIS_MAX,
};
use crate::given::{Given, given};
use crate::value::{
    AssertionAlgorithm, ClientId, ClientKey, ClientKeys, DisplayName, KeyName, KeysUrl, OrganizationId,
    PublicJwk, PublishedKeys, RedirectUri, Scope, Scopes, SecretDigest, UserId,
};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const DESK: ClientId = ClientId::new(Uuid::from_u128(2));
const ANN: UserId = UserId::new(Uuid::from_u128(3));
const NOON: Timestamp = Timestamp::EPOCH;

fn keys(kid: &str) -> ClientKeys {
    let public_jwk = PublicJwk::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#).unwrap();
    let (kid, algorithm) = (KeyName::parse(kid).unwrap(), AssertionAlgorithm::EdDsa);
    ClientKeys::try_new(vec![ClientKey { kid, algorithm, public_jwk }]).unwrap()
}

fn sent(kid: &str) -> ClientKeySource {
    ClientKeySource::Sent(keys(kid))
}

fn published(path: &str) -> PublishedKeys {
    PublishedKeys {
        url: KeysUrl::parse(&format!("https://desk.example.com/{path}")).unwrap(),
        algorithm: None,
    }
}

fn described(name: &str) -> ItselfDescribed {
    ItselfDescribed {
        name: DisplayName::parse(name).unwrap(),
        redirect_uris: [RedirectUri::parse("http://127.0.0.1:3000/cb").unwrap()].into(),
        scopes: Scopes::from_iter([Scope::McpWrite]),
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        about: ClientAbout {
            application_type: ApplicationType::Native,
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            software_id: None,
            software_version: None,
        },
        keys: None,
    }
}

fn token() -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: "ab".repeat(32) }
}

fn said(kind: ClientKind, authentication: Option<ClientAuthentication>) -> ItselfRegistered {
    ItselfRegistered {
        organization: Some(ACME),
        client_id: DESK,
        kind,
        authentication,
        description: described("Desk"),
        registered_by: Some(ANN),
        registration_token: token(),
        at: NOON,
    }
}

fn registered(kind: ClientKind, authentication: Option<ClientAuthentication>) -> Did {
    let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, keys: _ } = described("Desk");
    Did::SelfRegistered {
        organization: Some(ACME),
        client_id: DESK,
        name,
        kind,
        redirect_uris,
        scopes,
        registered_by: Some(ANN),
        authentication,
        grant_types,
        registration_token: token(),
        about: Box::new(about),
        at: NOON,
    }
}

fn desk(then: Vec<Did>) -> Given<Client> {
    let mut past = vec![registered(ClientKind::Public, None)];
    past.extend(then);
    given(past)
}

fn keyed(then: Vec<Did>) -> Given<Client> {
    let way = Some(ClientAuthentication::PrivateKeyJwt);
    let mut past = vec![registered(ClientKind::Keyed { keys: keys("a") }, way)];
    past.extend(then);
    given(past)
}

fn describe(with: impl FnOnce(&mut ItselfDescribed)) -> Ask {
    let mut said = described("Desk");
    with(&mut said);
    Ask::DescribeItself(Box::new(said))
}

fn gone(reason: Option<ClientEnd>) -> Did {
    Did::Deleted { reason }
}

#[test]
fn a_client_that_does_not_exist_refuses_everything() {
    let nothing = given::<Client>(vec![]);
    nothing.when(describe(|_| {})).refused(&No::Unknown);
    nothing.when(Ask::ReplaceKeys { keys: sent("a") }).refused(&No::Unknown);
    nothing.when(Ask::Use).refused(&No::Unknown);
    nothing.when(Ask::Leave).refused(&No::Unknown);
    nothing.when(Ask::EndIfUnused { since: NOON }).then(&[]);
}

#[test]
fn one_that_registers_itself_gets_nothing_in_its_own_name() {
    let mut one = said(ClientKind::Confidential { secret: token() }, None);
    one.description.grant_types.insert(GrantType::ClientCredentials);
    given::<Client>(vec![]).when(Ask::RegisterItself(Box::new(one))).refused(&No::OwnCredentials);
    let wider = |said: &mut ItselfDescribed| {
        said.grant_types = [GrantType::AuthorizationCode, GrantType::ClientCredentials].into();
    };
    let secret = registered(ClientKind::Confidential { secret: token() }, None);
    given::<Client>(vec![secret]).when(describe(wider)).refused(&No::OwnCredentials);
}

#[test]
fn one_without_a_way_back_or_with_too_many_is_refused() {
    for (count, refusal) in [(0, No::NoRedirectUri), (REDIRECT_URIS_MAX + 1, No::TooManyRedirectUris)] {
        let uri = |n| RedirectUri::parse(&format!("https://desk.example.com/{n}")).unwrap();
        let uris: std::collections::BTreeSet<_> = (0..count).map(uri).collect();
        let mut one = said(ClientKind::Public, None);
        one.description.redirect_uris.clone_from(&uris);
        given::<Client>(vec![]).when(Ask::RegisterItself(Box::new(one))).refused(&refusal);
        desk(vec![]).when(describe(|said| said.redirect_uris = uris)).refused(&refusal);
    }
}

#[test]
fn what_it_has_and_how_it_proves_itself_belong_together() {
    use ClientAuthentication::{PrivateKeyJwt, SecretBasic, SecretPost};
    let secret = || ClientKind::Confidential { secret: token() };
    let with_keys = || ClientKind::Keyed { keys: keys("a") };
    for (kind, way, refusal) in [
        (ClientKind::Public, Some(SecretPost), Some(No::PublicAuthentication)),
        (ClientKind::Public, None, None),
        (secret(), Some(PrivateKeyJwt), Some(No::OtherAuthentication)),
        (secret(), Some(SecretPost), None),
        (secret(), None, None),
        (with_keys(), Some(SecretBasic), Some(No::OtherAuthentication)),
        (with_keys(), None, Some(No::OtherAuthentication)),
        (with_keys(), Some(PrivateKeyJwt), None),
    ] {
        let decided = given::<Client>(vec![]).when(Ask::RegisterItself(Box::new(said(kind.clone(), way))));
        match refusal {
            Some(refusal) => decided.refused(&refusal),
            None => decided.then(&[registered(kind, way)]),
        }
    }
}

#[test]
fn it_changes_and_leaves_only_what_registered_itself() {
    let by_ann = Did::Registered {
        organization: ACME,
        client_id: DESK,
        name: DisplayName::parse("Desk").unwrap(),
        kind: ClientKind::Public,
        redirect_uris: described("Desk").redirect_uris,
        scopes: Scopes::from_iter([Scope::McpRead]),
        registered_by: ANN,
        authentication: None,
        grant_types: None,
    };
    let hers = given::<Client>(vec![by_ann]);
    hers.when(describe(|_| {})).refused(&No::NotItsOwn);
    hers.when(Ask::Leave).refused(&No::NotItsOwn);
    hers.when(Ask::RevokeRegistrationToken).refused(&No::NotItsOwn);
    hers.when(Ask::Use).then(&[]);
    hers.when(Ask::EndIfUnused { since: NOON.plus_seconds(1_000) }).then(&[]);
}

#[test]
fn nothing_leaves_deleted_and_leaving_again_is_no_mistake() {
    let left = desk(vec![gone(Some(ClientEnd::ByItself))]);
    left.when(describe(|_| {})).refused(&No::Deleted);
    left.when(Ask::Use).refused(&No::Deleted);
    left.when(Ask::ReplaceKeys { keys: sent("a") }).refused(&No::Deleted);
    left.when(Ask::RegisterItself(Box::new(said(ClientKind::Public, None)))).refused(&No::Exists);
    left.when(Ask::Leave).then(&[]);
    left.when(Ask::EndIfUnused { since: NOON }).then(&[]);
}

#[test]
fn only_one_with_keys_has_them_replaced() {
    desk(vec![]).when(Ask::ReplaceKeys { keys: sent("b") }).refused(&No::NoKeys);
    desk(vec![]).when(describe(|said| said.keys = Some(sent("b")))).refused(&No::NoKeys);
    keyed(vec![]).when(Ask::RotateSecret { secret: token(), previous_until: None }).refused(&No::NoSecret);
    let replaced = Did::KeysReplaced { keys: keys("b") };
    keyed(vec![]).when(describe(|said| said.keys = Some(sent("b")))).then(std::slice::from_ref(&replaced));
    keyed(vec![]).when(Ask::ReplaceKeys { keys: sent("a") }).then(&[]);
    keyed(vec![replaced]).when(Ask::ReplaceKeys { keys: sent("b") }).then(&[]);
}

#[test]
fn keys_that_are_published_take_the_place_of_those_that_were_sent_and_the_other_way_round() {
    let ask = |path| Ask::ReplaceKeys { keys: ClientKeySource::Published(published(path)) };
    let told = |path| Did::KeysPublished { keys: published(path) };
    let over = Did::RegistrationTokenRevoked {};
    desk(vec![]).when(ask("jwks")).refused(&No::NoKeys);
    keyed(vec![]).when(ask("jwks")).then(&[told("jwks"), over.clone()]);
    keyed(vec![told("jwks")]).when(ask("jwks")).then(&[]);
    keyed(vec![told("jwks")]).when(ask("other")).then(&[told("other"), over.clone()]);
    keyed(vec![told("jwks")])
        .when(Ask::RotateSecret { secret: token(), previous_until: None })
        .refused(&No::NoSecret);
    let back = Did::KeysReplaced { keys: keys("a") };
    keyed(vec![told("jwks")]).when(Ask::ReplaceKeys { keys: sent("a") }).then(&[back, over]);
}

#[test]
fn it_describes_itself_anew_and_says_nothing_when_nothing_is_new() {
    keyed(vec![]).when(describe(|_| {})).then(&[]);
    let ItselfDescribed { name, redirect_uris, scopes, grant_types, about, .. } = described("New");
    let about = Box::new(about);
    let anew = Did::SelfDescribed { name, redirect_uris, scopes, grant_types, about };
    let ask = || {
        describe(|said| {
            said.name = DisplayName::parse("New").unwrap();
            said.keys = Some(sent("b"));
        })
    };
    let both = [anew, Did::KeysReplaced { keys: keys("b") }];
    keyed(vec![]).when(ask()).then(&both);
    keyed(both.into()).when(ask()).then(&[]);
}

#[test]
fn what_others_changed_of_it_it_does_not_undo() {
    let over = Did::RegistrationTokenRevoked {};
    let ItselfDescribed { name, redirect_uris, .. } = described("Desk");
    let scopes = Scopes::from_iter([Scope::McpRead]);
    let narrow =
        Ask::Update { name: name.clone(), redirect_uris: redirect_uris.clone(), scopes: scopes.clone() };
    let narrowed = Did::Updated { name, redirect_uris, scopes };
    desk(vec![]).when(narrow.clone()).then(&[narrowed.clone(), over.clone()]);
    let replaced = Did::KeysReplaced { keys: keys("b") };
    keyed(vec![]).when(Ask::ReplaceKeys { keys: sent("b") }).then(&[replaced.clone(), over.clone()]);
    for done in [vec![narrowed.clone(), over.clone()], vec![narrowed], vec![over.clone()]] {
        desk(done.clone()).when(describe(|_| {})).refused(&No::TakenOver);
        desk(done.clone()).when(Ask::Leave).refused(&No::TakenOver);
        desk(done.clone()).when(Ask::RevokeRegistrationToken).then(&[]);
        desk(done).when(Ask::Use).then(&[Did::FirstUsed {}]);
    }
    keyed(vec![replaced, over]).when(describe(|said| said.keys = Some(sent("a")))).refused(&No::TakenOver);
}

#[test]
fn its_registration_token_is_revoked_once_and_only_where_there_is_one() {
    given::<Client>(vec![]).when(Ask::RevokeRegistrationToken).refused(&No::Unknown);
    desk(vec![gone(None)]).when(Ask::RevokeRegistrationToken).refused(&No::Deleted);
    desk(vec![]).when(Ask::RevokeRegistrationToken).then(&[Did::RegistrationTokenRevoked {}]);
}

#[test]
fn whoever_answers_for_it_ends_it_too() {
    desk(vec![]).when(Ask::Delete).then(&[gone(None)]);
    desk(vec![]).when(Ask::Leave).then(&[gone(Some(ClientEnd::ByItself))]);
}

#[test]
fn that_it_is_used_is_told_once() {
    desk(vec![]).when(Ask::Use).then(&[Did::FirstUsed {}]);
    desk(vec![Did::FirstUsed {}]).when(Ask::Use).then(&[]);
}

#[test]
fn one_that_was_never_used_ends_when_its_time_is_over_and_not_before() {
    desk(vec![]).when(Ask::EndIfUnused { since: NOON.plus_seconds(-1) }).then(&[]);
    desk(vec![]).when(Ask::EndIfUnused { since: NOON }).then(&[gone(Some(ClientEnd::Unused))]);
    desk(vec![Did::Disabled { reason: DisplayName::parse("x").unwrap() }])
        .when(Ask::EndIfUnused { since: NOON })
        .then(&[gone(Some(ClientEnd::Unused))]);
    desk(vec![Did::FirstUsed {}]).when(Ask::EndIfUnused { since: NOON.plus_seconds(1_000_000) }).then(&[]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: one that was let act is never ended for being unused, and one that was ended stays so.
    #[test]
    fn a_client_that_was_used_is_never_forgotten(order in proptest::collection::vec(0_u8..6, 0..30)) {
        let mut client = Client::default();
        let (mut used, mut ended) = (false, false);
        crate::Aggregate::decide(&client, &Ask::RegisterItself(Box::new(said(ClientKind::Public, None))))
            .unwrap().into_iter().for_each(|event| client.evolve(event));
        for step in order {
            let ask = match step {
                0 => Ask::Use,
                1 => Ask::EndIfUnused { since: NOON.plus_seconds(10) },
                2 => Ask::EndIfUnused { since: NOON.plus_seconds(-10) },
                3 => describe(|said| said.name = DisplayName::parse("Other").unwrap()),
                4 => Ask::Disable { reason: DisplayName::parse("x").unwrap() },
                _ => Ask::Enable,
            };
            for event in crate::Aggregate::decide(&client, &ask).unwrap_or_default() {
                prop_assert!(!ended, "something happened after the end: {event:?}");
                match &event {
                    Did::FirstUsed {} => used = true,
                    Did::Deleted { reason } => {
                        prop_assert_eq!(*reason, Some(ClientEnd::Unused));
                        prop_assert!(!used);
                        ended = true;
                    }
                    _ => {}
                }
                client.evolve(event);
            }
        }
    }
}
