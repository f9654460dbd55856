//! Refusals first.

use uuid::Uuid;

use super::{
    ArgumentRecording, CallerAuthentication, Instance, InstanceCommand as Ask, InstanceError as No,
    InstanceEvent as Did, MemberNames, Overflow, Recording, SELECTED_TOOLS_MAX, WhenStale,
};
use crate::given::{Given, given};
use crate::value::{
    ConnectionId, DisplayName, InstanceId, MemberName, OrganizationId, ToolName, ToolSelection,
};

const ACME: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const ONE: ConnectionId = ConnectionId::new(Uuid::from_u128(2));
const OTHER: ConnectionId = ConnectionId::new(Uuid::from_u128(3));
const THIRD: ConnectionId = ConnectionId::new(Uuid::from_u128(4));

fn name(text: &str) -> DisplayName {
    DisplayName::parse(text).unwrap()
}

fn only(count: usize) -> ToolSelection {
    ToolSelection::Only((0..count).map(|n| ToolName::parse(&format!("tool_{n}")).unwrap()).collect())
}

fn create(connections: Vec<ConnectionId>, tools: ToolSelection) -> Ask {
    let authentication = CallerAuthentication::ApiKey;
    let like = MemberNames::new();
    Ask::Create { organization: ACME, name: name("Wiki"), connections, like, tools, authentication }
}

fn names(names: &[(ConnectionId, &str)]) -> MemberNames {
    names.iter().map(|(id, name)| (*id, MemberName::parse(name).unwrap())).collect()
}

fn connect(connections: &[ConnectionId], like: &[(ConnectionId, &str)]) -> Ask {
    Ask::ChangeConnections { connections: connections.to_vec(), like: names(like) }
}

fn called(called: &[(ConnectionId, &str)]) -> Did {
    Did::MembersNamed { names: names(called) }
}

fn created() -> Did {
    Did::Created {
        organization: ACME,
        name: name("Wiki"),
        connections: vec![ONE],
        tools: ToolSelection::All,
        authentication: CallerAuthentication::ApiKey,
    }
}

fn wiki(then: Vec<Did>) -> Given<Instance> {
    let mut past = vec![created()];
    past.extend(then);
    given(past)
}

const fn audited() -> Recording {
    Recording { overflow: Overflow::Block, arguments: ArgumentRecording::None }
}

/// Every change that is no change of standing.
fn changes() -> [Ask; 6] {
    [
        Ask::Rename { name: name("New") },
        connect(&[OTHER], &[]),
        Ask::ChangeTools { tools: only(1) },
        Ask::ChangeAuthentication { authentication: CallerAuthentication::Both },
        Ask::ChangeRecording { recording: audited() },
        Ask::ChangeWhenStale { when_stale: WhenStale::Serve },
    ]
}

fn changed() -> [Did; 6] {
    [
        Did::Renamed { name: name("New") },
        Did::ConnectionsChanged { connections: vec![OTHER] },
        Did::ToolsChanged { tools: only(1) },
        Did::AuthenticationChanged { authentication: CallerAuthentication::Both },
        Did::RecordingChanged { recording: audited() },
        Did::WhenStaleChanged { when_stale: WhenStale::Serve },
    ]
}

#[test]
fn an_instance_that_does_not_exist_refuses_everything() {
    let nothing = given::<Instance>(vec![]);
    for ask in changes().into_iter().chain([Ask::Start, Ask::Stop, Ask::Delete]) {
        nothing.when(ask).refused(&No::Unknown);
    }
}

#[test]
fn it_cannot_be_created_twice_also_after_the_end() {
    for then in [vec![], vec![Did::Stopped {}], vec![Did::Deleted {}]] {
        wiki(then).when(create(vec![ONE], ToolSelection::All)).refused(&No::Exists);
    }
}

#[test]
fn none_too_many_and_the_same_connection_twice_are_refused() {
    let many = (0..=32).map(|number| ConnectionId::new(Uuid::from_u128(number))).collect();
    for connections in [vec![], vec![ONE, ONE], vec![ONE, OTHER, ONE], many] {
        let nothing = given::<Instance>(vec![]);
        nothing.when(create(connections.clone(), ToolSelection::All)).refused(&No::Connections);
        wiki(vec![]).when(connect(&connections, &[])).refused(&No::Connections);
    }
}

#[test]
fn names_that_are_not_of_each_member_and_of_it_alone_are_refused() {
    let ask = |called: &[(ConnectionId, &str)]| Ask::NameMembers { names: names(called) };
    wiki(vec![]).when(ask(&[(ONE, "a")])).refused(&No::OneMember);
    let both = wiki(vec![
        Did::ConnectionsChanged { connections: vec![ONE, OTHER] },
        called(&[(ONE, "a"), (OTHER, "b")]),
    ]);
    for wrong in
        [&[][..], &[(ONE, "x")], &[(ONE, "x"), (THIRD, "y")], &[(ONE, "x"), (OTHER, "y"), (THIRD, "z")]]
    {
        both.when(ask(wrong)).refused(&No::NotTheMembers);
    }
    both.when(ask(&[(ONE, "x"), (OTHER, "x")])).refused(&No::NamesCollide);
    both.when(ask(&[(ONE, "a"), (OTHER, "b")])).then(&[]);
    both.when(ask(&[(ONE, "b"), (OTHER, "a")])).then(&[called(&[(ONE, "b"), (OTHER, "a")])]);
}

#[test]
fn several_members_are_called_like_their_servers_and_numbered_where_that_is_taken() {
    let like = [(ONE, "wiki"), (OTHER, "wiki"), (THIRD, "wiki-2")];
    let named = called(&[(ONE, "wiki"), (OTHER, "wiki-2"), (THIRD, "wiki-2-2")]);
    let changed = Did::ConnectionsChanged { connections: vec![ONE, OTHER, THIRD] };
    wiki(vec![]).when(connect(&[ONE, OTHER, THIRD], &like)).then(&[changed, named]);
    let unlike = called(&[(ONE, "server"), (OTHER, "server-2")]);
    let changed = Did::ConnectionsChanged { connections: vec![ONE, OTHER] };
    wiki(vec![]).when(connect(&[ONE, OTHER], &[])).then(&[changed, unlike]);
}

#[test]
fn a_member_keeps_its_name_for_as_long_as_it_is_one() {
    let both = vec![
        Did::ConnectionsChanged { connections: vec![ONE, OTHER] },
        called(&[(ONE, "mine"), (OTHER, "wiki")]),
    ];
    let to = |connections: &[ConnectionId]| Did::ConnectionsChanged { connections: connections.to_vec() };
    let like = [(ONE, "one"), (OTHER, "wiki"), (THIRD, "mine")];
    wiki(both.clone()).when(connect(&[OTHER, ONE], &like)).then(&[to(&[OTHER, ONE])]);
    let named = called(&[(ONE, "mine"), (THIRD, "mine-2")]);
    wiki(both.clone()).when(connect(&[ONE, THIRD], &like)).then(&[to(&[ONE, THIRD]), named]);
    wiki(both.clone()).when(connect(&[ONE], &like)).then(&[to(&[ONE])]);
    let alone = both.into_iter().chain([to(&[ONE])]).collect();
    let named = called(&[(ONE, "mine"), (OTHER, "wiki")]);
    wiki(alone).when(connect(&[ONE, OTHER], &like)).then(&[to(&[ONE, OTHER]), named]);
}

#[test]
fn a_tool_selection_is_limited() {
    let over = only(SELECTED_TOOLS_MAX + 1);
    given::<Instance>(vec![]).when(create(vec![ONE], over.clone())).refused(&No::TooManyTools);
    wiki(vec![]).when(Ask::ChangeTools { tools: over }).refused(&No::TooManyTools);
    let most = only(SELECTED_TOOLS_MAX);
    wiki(vec![]).when(Ask::ChangeTools { tools: most.clone() }).then(&[Did::ToolsChanged { tools: most }]);
}

#[test]
fn nothing_leaves_deleted() {
    let deleted = wiki(vec![Did::Deleted {}]);
    for ask in changes().into_iter().chain([Ask::Start, Ask::Stop]) {
        deleted.when(ask).refused(&No::Deleted);
    }
    deleted.when(Ask::Delete).then(&[]);
}

#[test]
fn a_created_instance_runs() {
    given::<Instance>(vec![]).when(create(vec![ONE], ToolSelection::All)).then(&[created()]);
    wiki(vec![]).when(Ask::Start).then(&[]);
    wiki(vec![]).when(Ask::Stop).then(&[Did::Stopped {}]);
}

#[test]
fn a_stopped_instance_is_started_again_or_deleted() {
    let stopped = wiki(vec![Did::Stopped {}]);
    stopped.when(Ask::Stop).then(&[]);
    stopped.when(Ask::Start).then(&[Did::Started {}]);
    stopped.when(Ask::Delete).then(&[Did::Deleted {}]);
}

#[test]
fn it_can_be_changed_running_or_stopped() {
    for standing in [Did::Started {}, Did::Stopped {}] {
        for (ask, did) in changes().into_iter().zip(changed()) {
            wiki(vec![standing.clone()]).when(ask).then(&[did]);
        }
    }
}

#[test]
fn a_retry_is_not_a_mistake() {
    for (ask, did) in changes().into_iter().zip(changed()) {
        wiki(vec![did]).when(ask).then(&[]);
    }
}

#[test]
fn it_belongs_to_the_organization_that_created_it() {
    let id = InstanceId::new(Uuid::from_u128(9));
    let mut instance = Instance::default();
    assert_eq!(crate::Aggregate::organization(&instance, id), None);
    instance.evolve(created());
    assert_eq!(crate::Aggregate::organization(&instance, id), Some(ACME));
}
