//! Refusals first.

use domain::instance::{
    CallerAuthentication, InstanceError, InstanceEvent, MemberNames, Overflow, Recording, WhenStale,
};
use domain::value::{ConnectionId, InstanceId, ToolSelection};

use super::*;
use crate::Refused;
use crate::testing::*;

fn create(connections: &[ConnectionId]) -> Create {
    Create {
        organization: ACME,
        name: name("Desk"),
        connections: connections.to_vec(),
        tools: ToolSelection::All,
        authentication: CallerAuthentication::ApiKey,
    }
}

fn rename(instance: InstanceId) -> Rename {
    Rename { organization: ACME, instance, name: name("Desk 2") }
}

fn connect(instance: InstanceId, connection: ConnectionId) -> ChangeConnections {
    ChangeConnections { organization: ACME, instance, connections: vec![connection] }
}

fn name_members(instance: InstanceId) -> NameMembers {
    NameMembers { organization: ACME, instance, names: MemberNames::new() }
}

fn change_tools(instance: InstanceId) -> ChangeTools {
    ChangeTools { organization: ACME, instance, tools: ToolSelection::Only([].into()) }
}

fn change_authentication(instance: InstanceId) -> ChangeAuthentication {
    ChangeAuthentication { organization: ACME, instance, authentication: CallerAuthentication::Both }
}

fn audit(instance: InstanceId) -> ChangeRecording {
    let recording = Recording { overflow: Overflow::Block, ..Recording::default() };
    ChangeRecording { organization: ACME, instance, recording }
}

/// Everything that can be asked of an existing instance.
macro_rules! everything {
    ($world:ident, $check:ident $($noun:literal)?, $actor:expr, $instance:expr) => {{
        let (organization, instance) = (ACME, $instance);
        $world.$check($($noun,)? $actor, rename(instance));
        $world.$check($($noun,)? $actor, connect(instance, SHARED));
        $world.$check($($noun,)? $actor, name_members(instance));
        $world.$check($($noun,)? $actor, change_tools(instance));
        $world.$check($($noun,)? $actor, change_authentication(instance));
        $world.$check($($noun,)? $actor, audit(instance));
        $world.$check($($noun,)? $actor, Start { organization, instance });
        $world.$check($($noun,)? $actor, Stop { organization, instance });
        $world.$check($($noun,)? $actor, Delete { organization, instance });
    }};
}

#[test]
fn a_foreign_instance_is_not_found() {
    let world = World::new();
    for instance in [FOREIGN_DESK, DELETED_DESK, NO_INSTANCE] {
        everything!(world, not_found "instance", acme(OWNER), instance);
        everything!(world, not_found "instance", acme(VIEWER), instance);
        everything!(world, not_found "instance", root(), instance);
    }
    everything!(world, not_found "organization", rival(), DESK);
    world.not_found("organization", rival(), create(&[SHARED]));
}

#[test]
fn only_owners_and_admins_change_it() {
    let world = World::new();
    for user in NOT_IN_COMMAND {
        everything!(world, forbidden, acme(user), DESK);
    }
    for user in READERS {
        world.forbidden(acme(user), create(&[SHARED]));
    }
}

#[test]
fn a_foreign_connection_is_not_found_either() {
    let world = World::new();
    for connection in [FOREIGN_CONNECTION, REMOVED, NO_CONNECTION] {
        for actor in [acme(OWNER), root()] {
            world.not_found("connection", actor.clone(), create(&[connection]));
            world.not_found("connection", actor, connect(DESK, connection));
        }
    }
}

#[test]
fn nobody_uses_the_credentials_of_a_colleague() {
    let world = World::new();
    world.forbidden(acme(COLLEAGUE), create(&[MEMBERS_OWN]));
}

#[test]
fn a_member_exposes_nothing_that_the_organization_shares() {
    let world = World::new();
    world.forbidden(acme(MEMBER), create(&[SHARED]));
    world.done(acme(ADMIN), create(&[SHARED]));
}

#[test]
fn a_member_opens_nothing_to_everybody() {
    let world = World::new();
    let open = |connection| Create { authentication: CallerAuthentication::None, ..create(&[connection]) };
    world.forbidden(acme(MEMBER), open(MEMBERS_OWN));
    world.done(acme(ADMIN), open(SHARED));
}

#[test]
fn an_instance_without_a_connection_and_one_with_the_same_twice_are_refused() {
    let world = World::new();
    for connections in [&[][..], &[SHARED, SHARED]] {
        let refused = world.refused(acme(OWNER), create(connections));
        assert!(matches!(refused, Refused::Instance(InstanceError::Connections)), "{refused:?}");
    }
}

#[test]
fn one_connection_of_several_that_is_a_colleagues_is_too_much() {
    let world = World::new();
    world.forbidden(acme(COLLEAGUE), create(&[SHARED, MEMBERS_OWN]));
    world.not_found("connection", acme(ADMIN), create(&[SHARED, FOREIGN_CONNECTION]));
}

#[test]
fn several_members_are_called_like_their_servers_and_otherwise_by_an_admin() {
    let world = World::new();
    let (.., did) = world.done(acme(ADMIN), create(&[SHARED, MEMBERS_OWN]));
    let Some(domain::event::Event::Instance(InstanceEvent::MembersNamed { names })) = did.last() else {
        panic!("{did:?}")
    };
    assert_eq!(names.len(), 2);
    assert_ne!(names[&SHARED], names[&MEMBERS_OWN]);
    let refused = world.refused(acme(ADMIN), name_members(DESK));
    assert!(matches!(refused, Refused::Instance(InstanceError::OneMember)), "{refused:?}");
}

#[test]
fn members_make_an_endpoint_over_what_they_may_use() {
    for (user, connection) in [(MEMBER, MEMBERS_OWN), (ADMIN, MEMBERS_OWN), (ADMIN, SHARED), (OWNER, SHARED)]
    {
        let world = World::new();
        let (.., did) = world.done(acme(user), create(&[connection]));
        let expected = InstanceEvent::Created {
            organization: ACME,
            name: name("Desk"),
            connections: vec![connection],
            tools: ToolSelection::All,
            authentication: CallerAuthentication::ApiKey,
        };
        assert_eq!(did, [expected.into()]);
    }
}

#[test]
fn an_admin_changes_everything_of_it() {
    let world = World::new();
    let (organization, instance) = (ACME, DESK);
    let did = |(.., events): ((), Vec<domain::event::Event>)| events;
    assert_eq!(
        did(world.done(acme(ADMIN), rename(DESK))),
        [InstanceEvent::Renamed { name: name("Desk 2") }.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), connect(DESK, MEMBERS_OWN))),
        [InstanceEvent::ConnectionsChanged { connections: vec![MEMBERS_OWN] }.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), change_tools(DESK))),
        [InstanceEvent::ToolsChanged { tools: ToolSelection::Only([].into()) }.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), change_authentication(DESK))),
        [InstanceEvent::AuthenticationChanged { authentication: CallerAuthentication::Both }.into()]
    );
    let recording = audit(DESK).recording;
    assert_eq!(
        did(world.done(acme(ADMIN), audit(DESK))),
        [InstanceEvent::RecordingChanged { recording }.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), ChangeWhenStale { organization, instance, when_stale: WhenStale::Serve })),
        [InstanceEvent::WhenStaleChanged { when_stale: WhenStale::Serve }.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), Stop { organization, instance })),
        [InstanceEvent::Stopped {}.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), Start { organization, instance })),
        [InstanceEvent::Started {}.into()]
    );
    assert_eq!(
        did(world.done(acme(ADMIN), Delete { organization, instance })),
        [InstanceEvent::Deleted {}.into()]
    );
}
