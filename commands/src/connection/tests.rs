//! Refusals first.

use domain::connection::{
    AuthorizationEnd, Authorized, Connection, ConnectionError, ConnectionEvent, ConnectionOwner,
};
use domain::server::{Server, ServerError, ServerEvent, ServerOauth, Transport, UpstreamGrant, Visibility};
use domain::value::{
    AuthorizationId, AuthorizationServer, ConnectionId, PresentedSecret, ServerId, UpstreamUrl, UserId,
};
use uuid::Uuid;

use super::*;
use crate::testing::*;
use crate::{Actor, CarryOutError, Refused};

fn create(owner: ConnectionOwner, server: ServerId) -> Create {
    Create { organization: ACME, owner, server, name: name("Wiki") }
}

fn shared(server: ServerId) -> Create {
    create(ConnectionOwner::Organization, server)
}

fn own(user: UserId, server: ServerId) -> Create {
    create(ConnectionOwner::User(user), server)
}

fn rename(connection: ConnectionId) -> Rename {
    Rename { organization: ACME, connection, name: name("Wiki 2") }
}

fn remove(connection: ConnectionId) -> Remove {
    Remove { organization: ACME, connection }
}

fn set(connection: ConnectionId, fields: &[(&str, &str)]) -> SetSecrets {
    let read = |(name, value): &(&str, &str)| (field_name(name), PresentedSecret::new((*value).to_owned()));
    SetSecrets { organization: ACME, connection, fields: fields.iter().map(read).collect(), meant_for: None }
}

const TOKEN: &[(&str, &str)] = &[("token", "s3cret")];

#[test]
fn a_foreign_connection_is_not_found() {
    let world = World::new();
    for connection in [FOREIGN_CONNECTION, REMOVED, NO_CONNECTION] {
        for actor in [acme(OWNER), acme(VIEWER), root()] {
            world.not_found("connection", actor.clone(), rename(connection));
            world.not_found("connection", actor.clone(), remove(connection));
            world.not_found("connection", actor, set(connection, TOKEN));
        }
    }
    world.not_found("organization", rival(), shared(WIKI));
    world.not_found("organization", rival(), rename(SHARED));
    world.not_found("organization", rival(), remove(SHARED));
    world.not_found("organization", rival(), set(SHARED, TOKEN));
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn a_server_that_is_foreign_retired_or_private_cannot_be_connected_to() {
    let world = World::new();
    for server in [RIVAL_WIKI, RETIRED_WIKI, NO_SERVER] {
        world.not_found("server", acme(OWNER), shared(server));
    }
    world.not_found("server", acme(MEMBER), own(MEMBER, PRIVATE_WIKI));
}

#[test]
fn members_change_only_what_is_their_own() {
    let world = World::new();
    for user in [COLLEAGUE, VIEWER, AUDITOR] {
        world.forbidden(acme(user), rename(MEMBERS_OWN));
        world.forbidden(acme(user), remove(MEMBERS_OWN));
        world.forbidden(acme(user), set(MEMBERS_OWN, TOKEN));
    }
    for user in NOT_IN_COMMAND {
        world.forbidden(acme(user), rename(SHARED));
        world.forbidden(acme(user), remove(SHARED));
        world.forbidden(acme(user), set(SHARED, TOKEN));
        world.forbidden(acme(user), shared(WIKI));
    }
    world.forbidden(acme(MEMBER), own(COLLEAGUE, WIKI));
    for user in READERS {
        world.forbidden(acme(user), own(user, WIKI));
    }
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn a_connection_belongs_to_a_member_or_to_everybody() {
    let world = World::new();
    world.not_found("member", acme(OWNER), own(NEWCOMER, WIKI));
}

#[test]
fn fields_that_the_server_does_not_have_or_requires_are_named() {
    let world = World::new();
    let refusal = |fields: &[(&str, &str)]| world.refused(acme(OWNER), set(SHARED, fields)).to_string();
    assert_eq!(refusal(&[("token", "a"), ("colour", "red")]), "the server has no credential field colour");
    assert_eq!(refusal(&[("region", "eu")]), "the server requires the credential field token");
    assert_eq!(refusal(&[]), "the server requires the credential field token");
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn a_value_that_could_start_another_header_is_refused_and_not_repeated() {
    let world = World::new();
    let long = "x".repeat(SECRET_VALUE_BYTES_MAX + 1);
    for value in [
        "",
        "s3cret\n",
        "s3cret\r\nhost: evil",
        "s3\0cret",
        "s3\tcret",
        "s3\u{7f}cret",
        "s3\u{85}cret",
        &long,
    ] {
        let refused = world.refused(acme(OWNER), set(SHARED, &[("token", value)]));
        assert!(matches!(refused, Refused::Invalid(_)), "{refused:?}");
        let text = format!("{refused} {refused:?}");
        assert!(
            text.contains("the value of token ") && !text.contains("s3") && !text.contains("xx"),
            "{text}"
        );
    }
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn secrets_for_a_retired_server_are_refused() {
    let world = World::new();
    let refused = world.refused(acme(OWNER), set(TO_RETIRED, TOKEN));
    assert!(matches!(refused, Refused::Server(ServerError::Retired)), "{refused:?}");
}

/// The server of a connection moves: to another origin, or along its own.
fn moved(log: &MemoryLog, url: &str) {
    let transport = Transport::Http { url: UpstreamUrl::parse(url).unwrap() };
    let (credential_fields, visibility) = (fields(), Visibility::Organization);
    let moved = ServerEvent::Updated { name: name("Wiki"), transport, credential_fields, visibility };
    log.given::<Server>(WIKI, vec![moved]);
}

#[test]
fn secrets_for_a_server_that_moves_meanwhile_are_refused_and_not_meant_for_the_new_place() {
    let world = World::new();
    world.log.ambush(|log| moved(log, "https://evil.example.com/mcp"));
    let error = world.block_on(world.ask(acme(OWNER), set(SHARED, TOKEN))).unwrap_err();
    let refused = matches!(error, CarryOutError::Refused(Refused::Connection(ConnectionError::ServerMoved)));
    assert!(refused, "{error:?}");
    assert!(!world.log.rows().iter().any(|row| row.event_type == "secrets_set"));
}

#[test]
fn secrets_for_another_place_than_the_server_is_at_are_refused() {
    let world = World::new();
    let meant_for = Some(transport());
    moved(&world.log, "https://elsewhere.example.com/mcp");
    let refused = world.refused(acme(OWNER), SetSecrets { meant_for, ..set(SHARED, TOKEN) });
    assert!(matches!(refused, Refused::Connection(ConnectionError::ServerMoved)), "{refused:?}");
    assert_eq!(world.vault.len(), 0);
}

#[test]
fn a_server_that_stays_at_its_origin_gets_the_secrets_and_they_are_sealed_once() {
    let world = World::new();
    world.log.ambush(|log| moved(log, "https://wiki.example.com/v2"));
    let rename = |log: &MemoryLog| {
        log.given::<Connection>(SHARED, vec![ConnectionEvent::Renamed { name: name("Wiki 2") }]);
    };
    world.log.ambush(rename);
    let (meant_for, ask) = (Some(transport()), set(SHARED, TOKEN));
    let done = world.block_on(world.ask(acme(OWNER), SetSecrets { meant_for, ..ask })).unwrap();
    assert_eq!((done.answer.version, world.vault.len()), (1, 1));
}

#[test]
fn a_version_is_higher_than_the_one_in_force_also_when_the_vault_forgot_that_one() {
    let world = World::new();
    let fields = [field_name("token")].into();
    world.log.given::<Connection>(SHARED, vec![ConnectionEvent::SecretsSet { version: 7, fields }]);
    let (answer, _) = world.done(acme(OWNER), set(SHARED, TOKEN));
    assert_eq!(answer.version, 8);
}

#[test]
fn members_connect_themselves_and_admins_connect_everybody() {
    let world = World::new();
    for (actor, ask) in [
        (acme(MEMBER), own(MEMBER, WIKI)),
        (acme(MEMBER), own(MEMBER, PUBLIC_WIKI)),
        (acme(ADMIN), shared(WIKI)),
        (acme(ADMIN), shared(PRIVATE_WIKI)),
        (acme(OWNER), own(VIEWER, PUBLIC_WIKI)),
        (root(), shared(PUBLIC_WIKI)),
    ] {
        let (owner, server) = (ask.owner, ask.server);
        let (.., did) = world.done(actor, ask);
        let expected = ConnectionEvent::Created { organization: ACME, owner, server, name: name("Wiki") };
        assert_eq!(did, [expected.into()]);
    }
}

#[test]
fn secrets_lie_in_the_vault_and_only_their_names_in_the_log() {
    let world = World::new();
    let (answer, did) = world.done(acme(MEMBER), set(MEMBERS_OWN, TOKEN));
    assert_eq!(answer.version, 1);
    let fields = [field_name("token")].into();
    assert_eq!(did, [ConnectionEvent::SecretsSet { version: 1, fields }.into()]);
    assert_eq!(world.vault.stored(MEMBERS_OWN, 1).unwrap()["token"], "s3cret");
    assert!(!format!("{:?}", world.log.rows()).contains("s3cret"));
    let longest = "x".repeat(SECRET_VALUE_BYTES_MAX);
    let (answer, _) = world.done(acme(OWNER), set(MEMBERS_OWN, &[("token", &longest), ("region", "欧州")]));
    assert_eq!(answer.version, 2);
}

#[test]
fn a_set_that_lost_a_race_leaves_a_gap_between_the_versions() {
    let world = World::new();
    world.log.ambush(|log| {
        let fields = [field_name("token")].into();
        log.given::<Connection>(SHARED, vec![ConnectionEvent::SecretsSet { version: 1, fields }]);
    });
    let done = world.block_on(world.ask(acme(OWNER), set(SHARED, TOKEN))).unwrap();
    assert_eq!(done.answer.version, 2);
    let (answer, _) = world.done(acme(OWNER), set(SHARED, TOKEN));
    assert_eq!(answer.version, 3);
}

#[test]
fn its_own_user_renames_and_removes_it() {
    for actor in [acme(MEMBER), acme(ADMIN), root()] {
        let world = World::new();
        let (.., did) = world.done(actor.clone(), rename(MEMBERS_OWN));
        assert_eq!(did, [ConnectionEvent::Renamed { name: name("Wiki 2") }.into()]);
        let (.., did) = world.done(actor, remove(MEMBERS_OWN));
        assert_eq!(did, [ConnectionEvent::Removed {}.into()]);
    }
}

const AUTHORIZATION: AuthorizationId = AuthorizationId::new(Uuid::from_u128(77));

fn issuer() -> AuthorizationServer {
    AuthorizationServer::parse("https://auth.example.com").unwrap()
}

/// The wiki is authorized by OAuth, by this authorization server or by whichever it names.
fn by_oauth(world: &World, issuer: Option<AuthorizationServer>) {
    let oauth = Some(ServerOauth { grant: UpstreamGrant::AuthorizationCode, issuer });
    world.log.given::<Server>(WIKI, vec![ServerEvent::OauthChanged { oauth }]);
}

fn authorize(connection: ConnectionId) -> Authorize {
    let authorized = Authorized {
        authorization: AUTHORIZATION,
        grant: UpstreamGrant::AuthorizationCode,
        by: Some(OWNER),
        issuer: issuer(),
        scopes: [].into(),
        renewable: true,
        expires_at: None,
    };
    Authorize { organization: ACME, connection, authorized, meant_for: transport() }
}

fn prepare(connection: ConnectionId) -> PrepareAuthorization {
    PrepareAuthorization { organization: ACME, connection }
}

fn withdraw(connection: ConnectionId) -> WithdrawAuthorization {
    WithdrawAuthorization { organization: ACME, connection }
}

fn lose(connection: ConnectionId) -> LoseAuthorization {
    LoseAuthorization { connection, authorization: AUTHORIZATION, reason: AuthorizationEnd::Expired }
}

#[test]
fn only_whoever_holds_a_connection_authorizes_it_or_takes_that_back() {
    let world = World::new();
    by_oauth(&world, None);
    for connection in [FOREIGN_CONNECTION, REMOVED, NO_CONNECTION] {
        world.not_found("connection", acme(OWNER), prepare(connection));
        world.not_found("connection", acme(OWNER), authorize(connection));
        world.not_found("connection", acme(OWNER), withdraw(connection));
    }
    world.not_found("organization", rival(), prepare(SHARED));
    world.not_found("organization", rival(), authorize(SHARED));
    for user in NOT_IN_COMMAND {
        world.forbidden(acme(user), prepare(SHARED));
        world.forbidden(acme(user), authorize(SHARED));
        world.forbidden(acme(user), withdraw(SHARED));
    }
    world.forbidden(acme(COLLEAGUE), authorize(MEMBERS_OWN));
}

#[test]
fn what_became_of_an_authorization_is_for_the_server_itself_to_note() {
    let world = World::new();
    for actor in [acme(OWNER), root(), founder()] {
        world.forbidden(actor.clone(), lose(SHARED));
        let scopes = [].into();
        world.forbidden(actor, WantScopes { connection: SHARED, authorization: AUTHORIZATION, scopes });
    }
}

#[test]
fn a_connection_to_a_server_that_takes_secrets_is_not_authorized() {
    let world = World::new();
    assert!(matches!(world.refused(acme(OWNER), prepare(SHARED)), Refused::Invalid(_)));
    let refused = world.refused(acme(OWNER), authorize(SHARED));
    assert!(matches!(refused, Refused::Connection(ConnectionError::AuthorizationUnfit)), "{refused:?}");
}

#[test]
fn tokens_of_another_authorization_server_than_the_chosen_one_are_refused() {
    let world = World::new();
    by_oauth(&world, Some(AuthorizationServer::parse("https://other.example.com").unwrap()));
    let refused = world.refused(acme(OWNER), authorize(SHARED));
    assert!(matches!(refused, Refused::Connection(ConnectionError::AuthorizationUnfit)), "{refused:?}");
}

#[test]
fn tokens_for_a_server_that_moves_meanwhile_are_refused() {
    let world = World::new();
    by_oauth(&world, None);
    world.log.ambush(|log| moved(log, "https://evil.example.com/mcp"));
    let error = world.block_on(world.ask(acme(OWNER), authorize(SHARED))).unwrap_err();
    let refused = matches!(error, CarryOutError::Refused(Refused::Connection(ConnectionError::ServerMoved)));
    assert!(refused, "{error:?}");
}

#[test]
fn a_client_of_the_connections_own_names_the_authorization_server_that_knows_it() {
    let world = World::new();
    let client = [("token", "t"), ("oauth_client_id", "ours"), ("oauth_issuer", "https://auth.example.com")];
    assert!(matches!(world.refused(acme(OWNER), set(SHARED, &client)), Refused::Invalid(_)), "it takes none");
    by_oauth(&world, None);
    for fields in [
        &client[..2],
        &[client[0], client[2]],
        &[client[0], ("oauth_client_secret", "s")],
        &[client[0], client[1], ("oauth_issuer", "http://auth.example.com")],
    ] {
        assert!(matches!(world.refused(acme(OWNER), set(SHARED, fields)), Refused::Invalid(_)), "{fields:?}");
    }
    assert_eq!(world.vault.len(), 0);
    world.done(acme(OWNER), set(SHARED, &client));
}

#[test]
fn it_is_authorized_lost_and_taken_back() {
    let world = World::new();
    by_oauth(&world, Some(issuer()));
    let (prepared, _) = world.done(acme(OWNER), prepare(SHARED));
    assert_eq!((prepared.server, prepared.before), (WIKI, None));
    let (.., did) = world.done(acme(OWNER), authorize(SHARED));
    assert_eq!(did.len(), 1);
    let (.., did) = world.done(Actor::schedule(), lose(SHARED));
    let lost = ConnectionEvent::AuthorizationLost {
        authorization: AUTHORIZATION,
        reason: AuthorizationEnd::Expired,
    };
    assert_eq!(did, [lost.into()]);
    let (prepared, _) = world.done(acme(ADMIN), prepare(SHARED));
    assert_eq!(prepared.before, Some((issuer(), [].into())));
    let (.., did) = world.done(acme(ADMIN), withdraw(SHARED));
    assert_eq!(did, [ConnectionEvent::AuthorizationWithdrawn { authorization: AUTHORIZATION }.into()]);
}
