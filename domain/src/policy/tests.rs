//! Refusals first; then the whole table of roles and scopes.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::value::ToolName;

const ORG: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const OTHER_ORG: OrganizationId = OrganizationId::new(Uuid::from_u128(2));
const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(3));
const OTHER_INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(4));

fn scopes(text: &str) -> Scopes {
    text.split_whitespace().map(|scope| Scope::parse(scope).unwrap()).collect()
}

fn key(scopes: &Scopes) -> KeyFacts<'_> {
    KeyFacts {
        organization: ORG,
        organization_standing: Standing::Active,
        principal_standing: Standing::Active,
        role: Some(Role::Member),
        revoked: false,
        expires_at: None,
        scopes,
        instance: None,
    }
}

fn instance(tools: &ToolSelection) -> InstanceFacts<'_> {
    InstanceFacts {
        id: INSTANCE,
        organization: ORG,
        organization_standing: Standing::Active,
        standing: Standing::Active,
        authentication: CallerAuthentication::ApiKey,
        tools,
    }
}

fn at(caller: Caller<'_>, target: InstanceFacts<'_>, wish: Wish<'_>) -> Result<(), &'static str> {
    let facts = Facts { caller, target: Target::Instance(target), maintenance: false, now: Timestamp::EPOCH };
    decide(&facts, wish).map(|_| ()).map_err(|denial| denial.code())
}

fn call(tool: &str) -> Wish<'_> {
    Wish::Call { tool, read_only: false }
}

fn read_only(tool: &str) -> Wish<'_> {
    Wish::Call { tool, read_only: true }
}

#[test]
fn a_key_that_does_not_count_any_more_opens_nothing() {
    let all = scopes("mcp:admin org:write");
    let tools = ToolSelection::All;
    let cases: [(KeyFacts<'_>, &str); 6] = [
        (KeyFacts { revoked: true, ..key(&all) }, "key-revoked"),
        (KeyFacts { expires_at: Some(Timestamp::EPOCH), ..key(&all) }, "key-expired"),
        (KeyFacts { principal_standing: Standing::Suspended, ..key(&all) }, "principal-inactive"),
        (KeyFacts { role: None, ..key(&all) }, "not-member"),
        (KeyFacts { organization_standing: Standing::Suspended, ..key(&all) }, "organization-suspended"),
        (KeyFacts { organization_standing: Standing::Ended, ..key(&all) }, "organization-deleted"),
    ];
    for (facts, code) in cases {
        assert_eq!(at(Caller::Key(facts), instance(&tools), Wish::Connect), Err(code));
        let manage = Facts {
            caller: Caller::Key(facts),
            target: Target::Organization(ORG),
            maintenance: false,
            now: Timestamp::EPOCH,
        };
        assert_eq!(decide(&manage, Wish::Manage(&Scope::OrgRead)).unwrap_err().code(), code);
    }
}

#[test]
fn another_tenants_instance_looks_like_none() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let foreign = InstanceFacts { organization: OTHER_ORG, ..instance(&tools) };
    assert_eq!(at(Caller::Key(key(&all)), foreign, Wish::Connect), Err("instance-unknown"));
    let gone = InstanceFacts { standing: Standing::Ended, ..instance(&tools) };
    assert_eq!(at(Caller::Key(key(&all)), gone, Wish::Connect), Err("instance-unknown"));
}

#[test]
fn a_stopped_instance_and_a_key_bound_elsewhere_are_told_apart() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let stopped = InstanceFacts { standing: Standing::Suspended, ..instance(&tools) };
    assert_eq!(at(Caller::Key(key(&all)), stopped, Wish::Connect), Err("instance-stopped"));
    let bound = KeyFacts { instance: Some(OTHER_INSTANCE), ..key(&all) };
    assert_eq!(at(Caller::Key(bound), instance(&tools), Wish::Connect), Err("bound-to-other-instance"));
}

#[test]
fn an_instance_takes_only_the_credentials_it_names() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let oauth_only = InstanceFacts { authentication: CallerAuthentication::Oauth, ..instance(&tools) };
    assert_eq!(at(Caller::Key(key(&all)), oauth_only, Wish::Connect), Err("authentication-not-accepted"));
    assert_eq!(at(Caller::Loopback, instance(&tools), Wish::Connect), Err("authentication-not-accepted"));
    let open = InstanceFacts { authentication: CallerAuthentication::None, ..instance(&tools) };
    assert_eq!(at(Caller::Loopback, open, call("echo")), Ok(()));
}

#[test]
fn a_hidden_tool_is_denied_whatever_the_scopes_are() {
    let all = scopes("mcp:admin tool:hidden");
    let tools = ToolSelection::Only(BTreeSet::from([ToolName::parse("echo").unwrap()]));
    assert_eq!(at(Caller::Key(key(&all)), instance(&tools), call("hidden")), Err("tool-not-exposed"));
    assert_eq!(at(Caller::Key(key(&all)), instance(&tools), call("does-not-exist")), Err("tool-not-exposed"));
    assert_eq!(at(Caller::Key(key(&all)), instance(&tools), call("echo")), Ok(()));
}

#[test]
fn scopes_and_roles_intersect() {
    let tools = ToolSelection::All;
    let table = [
        // scopes, role, wish, outcome
        ("org:write", Role::Owner, Wish::Connect, Err("insufficient-scope")),
        ("mcp:read", Role::Member, Wish::Connect, Ok(())),
        ("mcp:read", Role::Member, Wish::Read, Ok(())),
        ("mcp:read", Role::Member, call("add"), Err("insufficient-scope")),
        ("mcp:read", Role::Member, read_only("add"), Ok(())),
        ("tool:add", Role::Member, Wish::Connect, Ok(())),
        ("tool:add", Role::Member, Wish::Read, Err("insufficient-scope")),
        ("tool:add", Role::Member, call("add"), Ok(())),
        ("tool:add", Role::Member, call("echo"), Err("insufficient-scope")),
        ("mcp:write", Role::Member, call("echo"), Ok(())),
        ("mcp:read", Role::Member, Wish::Extend, Err("insufficient-scope")),
        ("mcp:write", Role::Viewer, Wish::Extend, Err("role-too-low")),
        ("mcp:write", Role::Member, Wish::Extend, Ok(())),
        ("mcp:admin", Role::Viewer, call("echo"), Err("role-too-low")),
        ("mcp:admin", Role::Viewer, read_only("echo"), Ok(())),
        ("mcp:admin", Role::Auditor, Wish::Connect, Err("role-too-low")),
    ];
    for (text, role, wish, outcome) in table {
        let held = scopes(text);
        let caller = Caller::Key(KeyFacts { role: Some(role), ..key(&held) });
        assert_eq!(at(caller, instance(&tools), wish), outcome, "{text} {role:?} {wish:?}");
    }
}

#[test]
fn maintenance_closes_every_endpoint() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let facts = Facts {
        caller: Caller::Key(key(&all)),
        target: Target::Instance(instance(&tools)),
        maintenance: true,
        now: Timestamp::EPOCH,
    };
    assert_eq!(decide(&facts, Wish::Connect), Err(Denial::Maintenance));
}

#[test]
fn the_management_api_asks_for_tenant_scope_and_role() {
    let manage = |key: KeyFacts<'_>, organization: OrganizationId, scope: &Scope| {
        let target = Target::Organization(organization);
        let facts = Facts { caller: Caller::Key(key), target, maintenance: false, now: Timestamp::EPOCH };
        decide(&facts, Wish::Manage(scope)).map(|_| ()).map_err(|denial| denial.code())
    };
    let held = scopes("org:write keys:write");
    assert_eq!(manage(key(&held), OTHER_ORG, &Scope::OrgRead), Err("organization-unknown"));
    assert_eq!(manage(key(&held), ORG, &Scope::AuditRead), Err("insufficient-scope"));
    let bound = KeyFacts { instance: Some(INSTANCE), ..key(&held) };
    assert_eq!(manage(bound, ORG, &Scope::OrgRead), Err("bound-to-instance"));
    let viewer = KeyFacts { role: Some(Role::Viewer), ..key(&held) };
    assert_eq!(manage(viewer, ORG, &Scope::OrgWrite), Err("role-too-low"));
    assert_eq!(manage(viewer, ORG, &Scope::KeysWrite), Ok(()));
    assert_eq!(manage(key(&held), ORG, &Scope::OrgRead), Ok(()));
}
