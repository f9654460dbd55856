//! Refusals first.

use domain::api_key::ApiKeyEvent;
use domain::client::ClientEvent;
use domain::instance::{InstanceError, InstanceEvent};
use domain::organization::{OrganizationError, OrganizationEvent};

use super::*;
use crate::testing::*;

const IN_ACME: Extent = Extent { organization: Some(ACME), everybody: false };
const ANYWHERE: Extent = Extent { organization: None, everybody: true };

/// Somebody asks; whatever comes out, the log is as it was.
#[track_caller]
fn ask(extent: Extent, proposals: &[Proposal]) -> Result<Vec<Proposed>, Impossible> {
    let world = World::new();
    let before = world.log.rows();
    let proposed = world.block_on(propose(&world, &acme(AUDITOR), extent, proposals));
    assert_eq!(world.log.rows().len(), before.len());
    proposed
}

#[track_caller]
fn refused(extent: Extent, proposal: Proposal) -> Refused {
    ask(extent, &[proposal]).unwrap_err().refused
}

#[test]
fn things_of_another_tenant_are_not_found_and_neither_is_what_is_gone() {
    for proposal in [
        Proposal::RevokeApiKey(FOREIGN_KEY),
        Proposal::RevokeApiKey(REVOKED_KEY),
        Proposal::RevokeApiKey(NO_KEY),
        Proposal::DisableClient(NO_APP),
        Proposal::EnableClient(FOREIGN_APP),
        Proposal::RevokeGrant(GrantId::new(uuid::Uuid::from_u128(80))),
        Proposal::RemoveMember(STRANGER),
        Proposal::SuspendUser(STRANGER),
        Proposal::DeleteUser(NOBODY),
        Proposal::ChangeTools(FOREIGN_DESK, ToolSelection::All),
        Proposal::StopInstance(DELETED_DESK),
        Proposal::RemoveConnection(FOREIGN_CONNECTION),
        Proposal::RetireServer(RIVAL_WIKI),
        Proposal::RetireServer(PUBLIC_WIKI),
    ] {
        let no = refused(IN_ACME, proposal.clone());
        assert!(matches!(no, Refused::NotFound(_)), "{proposal:?}: {no:?}");
    }
}

#[test]
fn what_concerns_everybody_is_not_for_an_organization_to_propose() {
    for proposal in [Proposal::StartMaintenance, Proposal::EndMaintenance] {
        assert!(matches!(refused(IN_ACME, proposal), Refused::Forbidden(_)));
    }
}

#[test]
fn whoever_sees_everything_names_the_organization_that_a_member_is_of() {
    assert!(matches!(refused(ANYWHERE, Proposal::RemoveMember(MEMBER)), Refused::Invalid(_)));
    assert!(matches!(refused(ANYWHERE, Proposal::SuspendOrganization), Refused::Invalid(_)));
}

#[test]
fn what_is_impossible_is_refused_as_when_it_is_asked_for() {
    let last_owner = refused(IN_ACME, Proposal::ChangeRole(OWNER, Role::Viewer));
    assert!(matches!(last_owner, Refused::Organization(OrganizationError::LastOwner)), "{last_owner:?}");
    let stranger = refused(IN_ACME, Proposal::ChangeRole(STRANGER, Role::Viewer));
    assert!(matches!(stranger, Refused::Organization(OrganizationError::NotMember)), "{stranger:?}");
}

#[test]
fn a_command_sees_what_those_before_it_would_have_changed() {
    let twice = [Proposal::DeleteInstance(DESK), Proposal::StopInstance(DESK)];
    let impossible = ask(IN_ACME, &twice).unwrap_err();
    assert_eq!(impossible.number, 2);
    assert!(matches!(
        impossible.refused,
        Refused::NotFound("instance") | Refused::Instance(InstanceError::Deleted)
    ));
}

#[test]
fn what_would_be_written_is_handed_back_in_order() {
    let proposals =
        [Proposal::RevokeApiKey(MEMBERS_KEY), Proposal::StopInstance(DESK), Proposal::RemoveMember(MEMBER)];
    for extent in [IN_ACME, Extent { organization: Some(ACME), everybody: true }] {
        let proposed = ask(extent, &proposals).unwrap();
        let events: Vec<_> = proposed.iter().map(|proposed| &proposed.event).collect();
        let [Event::ApiKey(key), Event::Instance(instance), Event::Organization(member)] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert!(matches!(key, ApiKeyEvent::Revoked { .. }));
        assert_eq!(*instance, InstanceEvent::Stopped {});
        assert_eq!(*member, OrganizationEvent::MemberRemoved { user: MEMBER });
        assert_eq!(proposed[0].aggregate_id, MEMBERS_KEY.to_string());
    }
}

#[test]
fn a_client_that_would_be_disabled_is() {
    let proposed = ask(IN_ACME, &[Proposal::DisableClient(MEMBERS_APP), Proposal::EnableClient(MEMBERS_APP)]);
    let events: Vec<_> = proposed.unwrap().into_iter().map(|proposed| proposed.event).collect();
    let [Event::Client(ClientEvent::Disabled { .. }), Event::Client(ClientEvent::Enabled {})] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
}

#[test]
fn what_holds_already_changes_nothing() {
    assert_eq!(ask(IN_ACME, &[Proposal::ChangeRole(VIEWER, Role::Viewer)]).unwrap(), []);
}
