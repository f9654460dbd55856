//! What is gathered from a few aggregates is what the whole log says, at every position of whatever story.

use std::collections::BTreeSet;

use domain::access_token::AccessTokenEvent;
use domain::api_key::{ApiKeyEvent, KeyEnvironment};
use domain::client::{ApplicationType, ClientAbout, ClientEnd, ClientEvent, ClientKind, GrantType};
use domain::connection::{ConnectionEvent, ConnectionOwner};
use domain::deployment::DeploymentEvent;
use domain::event::Event;
use domain::grant::{GrantEnd, GrantEvent};
use domain::instance::{CallerAuthentication, InstanceEvent};
use domain::organization::{OrganizationEvent, OrganizationKind};
use domain::policy::{self, Caller, Facts, Target, Wish};
use domain::server::{ServerEvent, Transport, Visibility};
use domain::user::UserEvent;
use domain::value::{
    ApiKeyId, ClientId, ConnectionId, DisplayName, GrantId, InstanceId, KeyId, MemberName, OrganizationId,
    Position, Role, Scope, Scopes, SecretDigest, ServerId, Slug, Timestamp, TokenId, ToolName, ToolSelection,
    UpstreamUrl, UserId,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::parties::names;
use super::super::{AccessView, Credential, Parties, TokenClaims, TokenHolder, Unmade};
use super::fact::About;
use super::search::{Marks, Search};
use super::{Evidence, Fact, FactName, SetBy, Subject};

/// There are two of everything, so that each can be mistaken for the other.
const TWO: u128 = 2;

/// What is called: of a member where there are several.
const TOOL: &str = "a__search";

/// When the tokens of these stories end: after the last event.
const LATER_SECONDS: i64 = 300;

fn id(kind: u128, number: u128) -> Uuid {
    Uuid::from_u128(kind * 100 + number % TWO)
}

fn digest() -> SecretDigest {
    SecretDigest::HmacSha256 { pepper: 1, hex: String::new() }
}

fn later() -> Timestamp {
    Timestamp::EPOCH.plus_seconds(LATER_SECONDS)
}

fn name() -> DisplayName {
    DisplayName::parse("Name").unwrap()
}

/// One event out of five numbers: what, to which of the two, naming which others, how.
fn told((what, whom, one, other, how): (u8, u128, u128, u128, u8)) -> (String, Event) {
    let organization = |number| OrganizationId::new(id(1, number));
    let user = |number| UserId::new(id(2, number));
    let key = ApiKeyId::new(id(3, whom)).to_string();
    let instance = InstanceId::new(id(4, whom)).to_string();
    let tools = if how.is_multiple_of(2) {
        ToolSelection::All
    } else {
        ToolSelection::Only([ToolName::parse(TOOL).unwrap()].into())
    };
    let roles = [Role::Owner, Role::Member, Role::Viewer, Role::Auditor];
    let role = roles[usize::from(how) % roles.len()];
    let authentication = CallerAuthentication::ALL[usize::from(how) % CallerAuthentication::ALL.len()];
    let connection = |number| ConnectionId::new(id(5, number));
    let several = how.is_multiple_of(3);
    let connections = if several { vec![connection(0), connection(1)] } else { vec![connection(one)] };
    let names = [(connection(one), "a"), (connection(one + 1), "b")];
    let names = names.map(|(id, name)| (id, MemberName::parse(name).unwrap())).into();
    let scopes: Scopes = [if how < 128 { Scope::McpWrite } else { Scope::McpRead }].into_iter().collect();
    let of_organization = |event: OrganizationEvent| (organization(whom).to_string(), Event::from(event));
    let of_user = |event: UserEvent| (user(whom).to_string(), Event::from(event));
    let of_key = |event: ApiKeyEvent| (key.clone(), Event::from(event));
    let of_instance = |event: InstanceEvent| (instance.clone(), Event::from(event));
    let of_connection =
        |event: ConnectionEvent| (ConnectionId::new(id(5, whom)).to_string(), Event::from(event));
    let of_server = |event: ServerEvent| (ServerId::new(id(6, whom)).to_string(), Event::from(event));
    let of_deployment = |event: DeploymentEvent| ("deployment".to_owned(), Event::from(event));
    match what % 29 {
        0 => of_organization(OrganizationEvent::Created {
            kind: OrganizationKind::Team,
            slug: Slug::parse("acme").unwrap(),
            name: name(),
        }),
        1 => of_organization(OrganizationEvent::Suspended { reason: name() }),
        2 => of_organization(OrganizationEvent::Resumed {}),
        3 | 4 => of_organization(OrganizationEvent::MemberAdded { user: user(one), role }),
        5 => of_organization(OrganizationEvent::MemberRemoved { user: user(one) }),
        6 => of_user(UserEvent::Registered { email: None, name: None, picture: None, registered_in: None }),
        7 => of_user(UserEvent::Suspended { reason: name() }),
        8 => of_user(UserEvent::Resumed {}),
        9 | 10 => of_key(ApiKeyEvent::Issued {
            organization: organization(one),
            key_id: KeyId::parse(&format!("{:022}", whom % TWO)).unwrap(),
            name: name(),
            principal: user(other),
            issued_by: user(other),
            instance: how.is_multiple_of(3).then(|| InstanceId::new(id(4, u128::from(how)))),
            scopes,
            digest: digest(),
            expires_at: how.is_multiple_of(5).then_some(Timestamp::EPOCH.plus_seconds(i64::from(how))),
            environment: KeyEnvironment::Live,
        }),
        11 => of_key(ApiKeyEvent::Revoked { reason: name() }),
        12 | 13 => of_instance(InstanceEvent::Created {
            organization: organization(other),
            name: name(),
            connections,
            tools,
            authentication,
        }),
        14 if how.is_multiple_of(2) => of_instance(InstanceEvent::Stopped {}),
        14 => of_instance(InstanceEvent::Started {}),
        15 if how.is_multiple_of(2) => of_instance(InstanceEvent::ConnectionsChanged { connections }),
        15 if how.is_multiple_of(5) => of_instance(InstanceEvent::MembersNamed { names }),
        15 => of_instance(InstanceEvent::ToolsChanged { tools }),
        16 if how.is_multiple_of(2) => of_connection(ConnectionEvent::Removed {}),
        16 => of_connection(ConnectionEvent::Created {
            organization: organization(other),
            owner: ConnectionOwner::Organization,
            server: ServerId::new(id(6, one)),
            name: name(),
        }),
        17 if how.is_multiple_of(2) => of_server(ServerEvent::Retired {}),
        17 => of_server(ServerEvent::Registered {
            organization: None,
            name: name(),
            transport: Transport::Http { url: UpstreamUrl::parse("https://wiki.example.com/mcp").unwrap() },
            credential_fields: vec![],
            visibility: Visibility::Public,
        }),
        18 => of_deployment(DeploymentEvent::MaintenanceStarted { until: None, allowed: [].into() }),
        19 => of_deployment(DeploymentEvent::MaintenanceEnded {}),
        _ => told_of_tokens(what % 29, (whom, one, other, how), scopes),
    }
}

/// What tokens rest on: clients and grants.
fn told_of_tokens(
    what: u8,
    (whom, one, other, how): (u128, u128, u128, u8),
    scopes: Scopes,
) -> (String, Event) {
    let organization = |number| OrganizationId::new(id(1, number));
    let user = |number| UserId::new(id(2, number));
    let client = |number| ClientId::new(id(7, number));
    let token = |number| TokenId::new(id(9, number));
    let of_client = |event: ClientEvent| (client(whom).to_string(), Event::from(event));
    let of_grant = |event: GrantEvent| (GrantId::new(id(8, whom)).to_string(), Event::from(event));
    match what {
        20 | 21 => of_client(ClientEvent::Registered {
            organization: organization(one),
            client_id: client(whom),
            name: name(),
            kind: if how.is_multiple_of(2) {
                ClientKind::Public
            } else {
                ClientKind::Confidential { secret: digest() }
            },
            redirect_uris: [].into(),
            scopes,
            registered_by: user(other),
            authentication: None,
            grant_types: None,
        }),
        22 if how.is_multiple_of(3) => of_client(ClientEvent::Disabled { reason: name() }),
        22 if how.is_multiple_of(2) => of_client(ClientEvent::Enabled {}),
        22 => of_client(ClientEvent::Updated { name: name(), redirect_uris: [].into(), scopes }),
        27 | 28 => of_client(told_of_itself(
            client(whom),
            how.is_multiple_of(2).then(|| organization(one)),
            how,
            scopes,
        )),
        23 | 24 => of_grant(GrantEvent::Granted {
            organization: organization(other),
            user: user(other),
            client: client(one),
            instance: InstanceId::new(id(4, u128::from(how))),
            scopes,
            expires_at: how.is_multiple_of(5).then_some(Timestamp::EPOCH.plus_seconds(i64::from(how))),
        }),
        25 if how.is_multiple_of(2) => of_grant(GrantEvent::ScopesChanged { scopes }),
        25 => {
            let revoked = AccessTokenEvent::Revoked {
                client: client(one),
                grant: how.is_multiple_of(3).then(|| GrantId::new(id(8, other))),
                organization: None, // whose instance it is, changes in this story
                instance: InstanceId::new(id(4, u128::from(how))),
                expires_at: later(),
            };
            (token(whom).to_string(), Event::from(revoked))
        }
        _ if how.is_multiple_of(3) => of_grant(GrantEvent::Revoked { reason: GrantEnd::ByUser }),
        _ if how.is_multiple_of(2) => {
            of_grant(GrantEvent::TokenRevoked { token: token(one), expires_at: later() })
        }
        _ => of_client(ClientEvent::TokenRevoked { token: token(one), expires_at: later() }),
    }
}

/// What a client does about itself.
fn told_of_itself(
    client_id: ClientId,
    organization: Option<OrganizationId>,
    how: u8,
    scopes: Scopes,
) -> ClientEvent {
    let about = Box::new(ClientAbout {
        application_type: ApplicationType::Native,
        client_uri: None,
        logo_uri: None,
        tos_uri: None,
        policy_uri: None,
        software_id: None,
        software_version: None,
    });
    let grant_types = [GrantType::AuthorizationCode].into();
    match how % 6 {
        0 | 1 => ClientEvent::SelfRegistered {
            organization,
            client_id,
            name: name(),
            kind: ClientKind::Public,
            redirect_uris: [].into(),
            scopes,
            registered_by: None,
            authentication: None,
            grant_types,
            registration_token: SecretDigest::HmacSha256 { pepper: 1, hex: String::new() },
            about,
            at: Timestamp::EPOCH.plus_seconds(i64::from(how)),
        },
        2 => {
            ClientEvent::SelfDescribed { name: name(), redirect_uris: [].into(), scopes, grant_types, about }
        }
        3 => ClientEvent::FirstUsed {},
        4 => ClientEvent::RegistrationTokenRevoked {},
        _ => ClientEvent::Deleted { reason: Some(ClientEnd::Unused) },
    }
}

fn story() -> impl Strategy<Value = Vec<(SetBy, Event)>> {
    let one = (any::<u8>(), 0..TWO, 0..TWO, 0..TWO, any::<u8>()).prop_map(told);
    proptest::collection::vec(one, 1..60).prop_map(positioned)
}

fn positioned(told: Vec<(String, Event)>) -> Vec<(SetBy, Event)> {
    let positions = (1..).map(Position::new);
    let set_by = |(position, (aggregate_id, fact)): (Position, (String, Event))| {
        let (aggregate_type, event_type, _) = fact.name();
        let (aggregate_type, event_type) = (aggregate_type.to_owned(), event_type.to_owned());
        let recorded_at = Timestamp::EPOCH.plus_seconds(i64::try_from(position.get()).unwrap());
        (SetBy { position, aggregate_type, aggregate_id, event_type, actor: None, recorded_at }, fact)
    };
    positions.zip(told).map(set_by).collect()
}

/// What the search finds in a log that it is given only as far as it asks.
fn gathered(log: &[(SetBy, Event)], subject: Subject<'_>) -> Evidence {
    let mut search = Search::new(subject);
    while let Some(names) = search.wants() {
        let names: BTreeSet<_> = names.into_iter().collect();
        let of_these = |(set_by, _): &&(SetBy, Event)| {
            let SetBy { aggregate_type, aggregate_id, .. } = set_by;
            names.iter().any(|(kind, id)| kind == aggregate_type && id == aggregate_id)
        };
        search.take(log.iter().filter(of_these).cloned().collect()).unwrap();
    }
    search.finish().unwrap()
}

fn decided(view: &AccessView, subject: Subject<'_>, now: Timestamp) -> Result<(), Unmade> {
    let wish = Wish::Call { tool: TOOL, read_only: false };
    view.judge_with(subject.credential, subject.instance, wish, now)
}

fn key(number: u128) -> Credential {
    Credential::Key(ApiKeyId::new(id(3, number)))
}

fn at(credential: Credential, instance: u128) -> Subject<'static> {
    Subject { credential, instance: InstanceId::new(id(4, instance)), tool: TOOL }
}

/// The facts by a fold of everything.
fn of_the_whole(log: &[(SetBy, Event)], subject: Subject<'_>) -> (AccessView, Vec<Fact>) {
    let mut view = AccessView::default();
    for (set_by, fact) in log {
        view.take(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
    }
    let (mut again, mut marks) = (AccessView::default(), Marks::of(About::of(&view, subject)));
    for (set_by, fact) in log {
        again.take(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
        marks.look(&again, set_by);
    }
    (view, marks.facts)
}

proptest! {
    #[test]
    fn a_few_aggregates_tell_what_the_whole_log_tells_at_every_position(log in story()) {
        let (grant, client) = (Credential::Grant(GrantId::new(id(8, 0))), Credential::Client(ClientId::new(id(7, 0))));
        for subject in [at(key(0), 0), at(key(0), 1), at(key(1), 0), at(grant, 0), at(client, 0)] {
            for (number, (set_by, _)) in log.iter().enumerate() {
                let told = &log[..=number];
                let (whole, facts) = of_the_whole(told, subject);
                let evidence = gathered(told, subject);
                prop_assert_eq!(&evidence.facts, &facts);
                let now = set_by.recorded_at;
                prop_assert_eq!(decided(&evidence.view, subject, now), decided(&whole, subject, now));
            }
        }
    }
}

#[test]
fn that_a_key_is_issued_to_a_member_makes_nobody_a_member() {
    let numbers = [(0, 0, 0, 0, 0), (6, 0, 0, 0, 0), (3, 0, 0, 0, 1), (9, 0, 0, 0, 0)];
    let log: Vec<_> = positioned(numbers.map(told).into());
    let subject = at(key(0), 0);
    let evidence = gathered(&log, subject);
    let since = |name| evidence.fact(name).unwrap().set_by.as_ref().unwrap().position.get();
    assert_eq!(since(FactName::Organization), 1);
    assert_eq!(since(FactName::Principal), 2);
    assert_eq!(since(FactName::Role), 3);
    assert_eq!(since(FactName::KeyScopes), 4);
}

proptest! {
    /// What an open stream rests on: as long as nothing is said to be closed, whoever was let in still is.
    #[test]
    fn nobody_is_shut_out_by_an_event_that_does_not_say_so(log in story()) {
        let subject = at(key(0), 0);
        let organizations = |view: &AccessView| {
            [view.key_by_id(ApiKeyId::new(id(3, 0))).unwrap().organization, view.instance(subject.instance).unwrap().organization]
        };
        let mut view = AccessView::default();
        for (set_by, fact) in &log {
            let before = view.clone();
            view.witness(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
            let now = set_by.recorded_at;
            // Nothing is born twice, except in this story.
            let is_birth = ["issued", "created", "registered", "member_added"].contains(&set_by.event_type.as_str());
            let was_let_in = decided(&before, subject, now) == Ok(());
            if was_let_in && !is_birth && decided(&view, subject, now) != Ok(()) {
                prop_assert_eq!(view.closed_to(&organizations(&before)), set_by.position, "{:?}", fact);
                prop_assert_eq!(view.closed_at(), set_by.position);
            }
        }
    }
}

/// Tokens of a user by each grant, and of each client in its own name.
fn tokens() -> Vec<TokenClaims> {
    let all = (0..TWO)
        .flat_map(|one| (0..TWO).flat_map(move |other| (0..TWO).map(move |third| (one, other, third))));
    let of = |holder, client, instance, token| TokenClaims {
        token: TokenId::new(id(9, token)),
        client: ClientId::new(id(7, client)),
        holder,
        instance: InstanceId::new(id(4, instance)),
        scopes: [Scope::McpWrite].into_iter().collect(),
        expires_at: later(),
    };
    let both = |(one, other, third)| {
        let (user, grant) = (UserId::new(id(2, third)), GrantId::new(id(8, one)));
        [of(TokenHolder::User { user, grant }, other, third, one), of(TokenHolder::Client, one, other, third)]
    };
    all.flat_map(both).collect()
}

fn decided_about(
    view: &AccessView,
    claims: &TokenClaims,
    now: Timestamp,
) -> Option<Result<(), &'static str>> {
    let instance = view.instance(claims.instance)?;
    let facts = Facts {
        caller: Caller::Token(view.token_facts(claims)?),
        target: Target::Instance(view.instance_facts(instance)),
        maintenance: view.deployment().maintenance.is_some(),
        now,
    };
    let decision = policy::decide(&facts, Wish::Call { tool: "search", read_only: true });
    Some(decision.map(|_| ()).map_err(|denial| denial.code()))
}

/// The view of what decides about a token, from a log that is asked for no more.
fn of_parties(log: &[(SetBy, Event)], parties: Parties) -> AccessView {
    let (mut view, mut asked) = (AccessView::default(), BTreeSet::new());
    loop {
        let needed = names(&view, parties);
        if needed.is_subset(&asked) {
            return view;
        }
        asked.extend(needed);
        view = AccessView::default();
        for (set_by, fact) in log {
            if asked.iter().any(|(kind, id)| *kind == set_by.aggregate_type && *id == set_by.aggregate_id) {
                view.take_some(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn the_parties_of_a_token_tell_what_the_whole_log_tells(log in story()) {
        let mut whole = AccessView::default();
        for (set_by, fact) in &log {
            whole.take(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
        }
        let now = log.last().map_or(Timestamp::EPOCH, |(set_by, _)| set_by.recorded_at);
        for claims in tokens() {
            let few = of_parties(&log, Parties::of_token(&claims));
            prop_assert_eq!(decided_about(&few, &claims, now), decided_about(&whole, &claims, now), "{:?}", claims);
        }
    }

    #[test]
    fn no_token_is_shut_out_by_an_event_that_does_not_say_so(log in story()) {
        let mut view = AccessView::default();
        for (set_by, fact) in &log {
            let before = view.clone();
            view.witness(set_by.position, &set_by.aggregate_id, fact.clone()).unwrap();
            let now = set_by.recorded_at;
            // Nothing is born twice, except in this story.
            let births = ["issued", "created", "registered", "self_registered", "member_added", "granted"];
            let is_birth = births.contains(&set_by.event_type.as_str());
            for claims in tokens().iter().filter(|_| !is_birth) {
                let was_let_in = decided_about(&before, claims, now) == Some(Ok(()));
                if was_let_in && decided_about(&view, claims, now) != Some(Ok(())) {
                    let organization = before.instance(claims.instance).unwrap().organization;
                    // A grant is of the organization of its instance, except in this story.
                    let is_of_another = match claims.holder {
                        TokenHolder::User { grant, .. } => {
                            before.grant(grant).is_some_and(|grant| grant.organization != organization)
                        }
                        TokenHolder::Client => false,
                    };
                    if is_of_another {
                        continue;
                    }
                    prop_assert_eq!(view.closed_to(&[organization]), set_by.position, "{:?}", fact);
                    prop_assert_eq!(view.closed_at(), set_by.position);
                }
            }
        }
    }
}
