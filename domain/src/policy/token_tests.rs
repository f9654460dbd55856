//! Access tokens: refusals first; then the three sets of scopes and whose name a token calls in.

use uuid::Uuid;

use super::*;

const ORG: OrganizationId = OrganizationId::new(Uuid::from_u128(1));
const OTHER_ORG: OrganizationId = OrganizationId::new(Uuid::from_u128(2));
const INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(3));
const OTHER_INSTANCE: InstanceId = InstanceId::new(Uuid::from_u128(4));
const NOW: Timestamp = Timestamp::EPOCH;

fn scopes(text: &str) -> Scopes {
    text.split_whitespace().map(|scope| Scope::parse(scope).unwrap()).collect()
}

/// A user who counts, as this.
fn user(role: Option<Role>) -> TokenSubject {
    let (grant_revoked, grant_expires_at, standing) = (false, None, Standing::Active);
    TokenSubject::User { grant_revoked, grant_expires_at, standing, role }
}

fn token(scopes: &Scopes) -> TokenFacts<'_> {
    TokenFacts {
        organization: ORG,
        organization_standing: Standing::Active,
        revoked: false,
        expires_at: NOW.plus_seconds(1),
        client_standing: Standing::Active,
        subject: user(Some(Role::Member)),
        scopes: [scopes; 3],
        instance: INSTANCE,
    }
}

fn instance(tools: &ToolSelection) -> InstanceFacts<'_> {
    InstanceFacts {
        id: INSTANCE,
        organization: ORG,
        organization_standing: Standing::Active,
        standing: Standing::Active,
        authentication: CallerAuthentication::Oauth,
        tools,
    }
}

fn at(token: TokenFacts<'_>, target: InstanceFacts<'_>, wish: Wish<'_>) -> Result<(), &'static str> {
    let (caller, target) = (Caller::Token(token), Target::Instance(target));
    let facts = Facts { caller, target, maintenance: false, now: NOW };
    decide(&facts, wish).map(|_| ()).map_err(|denial| denial.code())
}

fn manages(token: TokenFacts<'_>, organization: OrganizationId) -> &'static str {
    let (caller, target) = (Caller::Token(token), Target::Organization(organization));
    let facts = Facts { caller, target, maintenance: false, now: NOW };
    decide(&facts, Wish::Manage(&Scope::OrgRead)).unwrap_err().code()
}

fn call(tool: &str) -> Wish<'_> {
    Wish::Call { tool, read_only: false }
}

#[test]
fn a_token_that_does_not_count_any_more_opens_nothing() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let (end, role) = (NOW, Some(Role::Owner));
    let of = |grant_revoked, grant_expires_at, standing| TokenSubject::User {
        grant_revoked,
        grant_expires_at,
        standing,
        role,
    };
    let cases = [
        (TokenFacts { revoked: true, ..token(&all) }, "token-revoked"),
        (TokenFacts { expires_at: end, ..token(&all) }, "token-expired"),
        (TokenFacts { client_standing: Standing::Suspended, ..token(&all) }, "client-inactive"),
        (TokenFacts { client_standing: Standing::Ended, ..token(&all) }, "client-inactive"),
        (TokenFacts { subject: of(true, None, Standing::Active), ..token(&all) }, "grant-revoked"),
        (TokenFacts { subject: of(false, Some(end), Standing::Active), ..token(&all) }, "grant-revoked"),
        (TokenFacts { subject: of(false, None, Standing::Suspended), ..token(&all) }, "principal-inactive"),
        (TokenFacts { subject: of(false, None, Standing::Ended), ..token(&all) }, "principal-inactive"),
        (TokenFacts { organization_standing: Standing::Suspended, ..token(&all) }, "organization-suspended"),
        (TokenFacts { organization_standing: Standing::Ended, ..token(&all) }, "organization-deleted"),
        (TokenFacts { subject: user(None), ..token(&all) }, "not-member"),
        (TokenFacts { subject: TokenSubject::Client { organization: None }, ..token(&all) }, "not-member"),
    ];
    for (facts, code) in cases {
        for wish in [Wish::Connect, Wish::Read, call("echo"), Wish::Extend] {
            assert_eq!(at(facts, instance(&tools), wish), Err(code), "{wish:?}");
        }
        assert_eq!(manages(facts, ORG), code);
    }
}

#[test]
fn a_token_opens_no_management_api_whatever_its_scopes_are() {
    let all = scopes("org:write keys:write clients:write audit:read mcp:admin");
    let owner = TokenFacts { subject: user(Some(Role::Owner)), ..token(&all) };
    assert_eq!(manages(owner, ORG), "bound-to-instance");
    assert_eq!(manages(owner, OTHER_ORG), "organization-unknown");
}

#[test]
fn a_token_for_another_audience_is_refused() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let elsewhere = TokenFacts { instance: OTHER_INSTANCE, ..token(&all) };
    assert_eq!(at(elsewhere, instance(&tools), Wish::Connect), Err("bound-to-other-instance"));
    let foreign = InstanceFacts { organization: OTHER_ORG, id: OTHER_INSTANCE, ..instance(&tools) };
    assert_eq!(at(token(&all), foreign, Wish::Connect), Err("instance-unknown"));
    let gone = InstanceFacts { standing: Standing::Ended, ..instance(&tools) };
    assert_eq!(at(token(&all), gone, Wish::Connect), Err("instance-unknown"));
    let stopped = InstanceFacts { standing: Standing::Suspended, ..instance(&tools) };
    assert_eq!(at(token(&all), stopped, Wish::Connect), Err("instance-stopped"));
}

#[test]
fn an_instance_takes_tokens_only_where_it_says_so() {
    let (all, tools) = (scopes("mcp:admin"), ToolSelection::All);
    let table = [
        (CallerAuthentication::ApiKey, Err("authentication-not-accepted")),
        (CallerAuthentication::Oauth, Ok(())),
        (CallerAuthentication::Both, Ok(())),
        (CallerAuthentication::None, Ok(())),
    ];
    for (authentication, outcome) in table {
        let target = InstanceFacts { authentication, ..instance(&tools) };
        assert_eq!(at(token(&all), target, call("echo")), outcome, "{authentication:?}");
    }
}

#[test]
fn a_hidden_tool_and_a_maintenance_stop_a_token_too() {
    let all = scopes("mcp:admin tool:hidden");
    let tools = ToolSelection::Only([crate::value::ToolName::parse("echo").unwrap()].into());
    assert_eq!(at(token(&all), instance(&tools), call("hidden")), Err("tool-not-exposed"));
    let (caller, target) = (Caller::Token(token(&all)), Target::Instance(instance(&tools)));
    let facts = Facts { caller, target, maintenance: true, now: NOW };
    assert_eq!(decide(&facts, Wish::Connect), Err(Denial::Maintenance));
}

#[test]
fn a_client_acts_in_its_own_name_at_home_and_nowhere_else() {
    let (all, tools) = (scopes("mcp:write"), ToolSelection::All);
    let own = |organization| TokenFacts { subject: TokenSubject::Client { organization }, ..token(&all) };
    assert_eq!(at(own(Some(OTHER_ORG)), instance(&tools), Wish::Connect), Err("not-member"));
    assert_eq!(at(own(None), instance(&tools), Wish::Connect), Err("not-member"));
    assert_eq!(at(own(Some(ORG)), instance(&tools), call("echo")), Ok(()));
    assert_eq!(at(own(Some(ORG)), instance(&tools), Wish::Extend), Ok(()));
}

#[test]
fn the_three_sets_of_scopes_intersect() {
    let tools = ToolSelection::All;
    let read_only = Wish::Call { tool: "add", read_only: true };
    let table = [
        // token, grant, client, wish, outcome
        ("", "mcp:admin", "mcp:admin", Wish::Connect, Err("insufficient-scope")),
        ("mcp:admin", "", "mcp:admin", Wish::Connect, Err("insufficient-scope")),
        ("mcp:admin", "mcp:admin", "", Wish::Connect, Err("insufficient-scope")),
        ("mcp:admin", "mcp:admin", "org:write", Wish::Connect, Err("insufficient-scope")),
        ("tool:add", "tool:echo", "mcp:write", Wish::Connect, Err("insufficient-scope")),
        ("mcp:read", "tool:echo", "mcp:write", Wish::Connect, Err("insufficient-scope")),
        ("mcp:admin", "tool:echo", "mcp:write", Wish::Connect, Ok(())),
        ("mcp:read", "mcp:admin", "mcp:write", Wish::Connect, Ok(())),
        ("mcp:read", "mcp:write", "mcp:admin", Wish::Read, Ok(())),
        ("tool:add", "mcp:write", "mcp:admin", Wish::Read, Err("insufficient-scope")),
        ("mcp:read", "mcp:write", "mcp:admin", call("add"), Err("insufficient-scope")),
        ("mcp:write", "mcp:read", "mcp:admin", call("add"), Err("insufficient-scope")),
        ("mcp:write", "mcp:write", "mcp:read", call("add"), Err("insufficient-scope")),
        ("mcp:write", "mcp:write", "mcp:read", read_only, Ok(())),
        ("tool:add", "mcp:write", "mcp:admin", call("add"), Ok(())),
        ("tool:add", "tool:add tool:echo", "mcp:write", call("add"), Ok(())),
        ("tool:add", "tool:add tool:echo", "mcp:write", call("echo"), Err("insufficient-scope")),
        ("mcp:write", "tool:add", "mcp:read", read_only, Err("insufficient-scope")),
        ("mcp:write", "mcp:write", "mcp:write", call("no scope can name me"), Ok(())),
        ("mcp:write", "mcp:read", "mcp:write", Wish::Extend, Err("insufficient-scope")),
        ("mcp:write", "mcp:admin", "mcp:write", Wish::Extend, Ok(())),
    ];
    for (of_token, of_grant, of_client, wish, outcome) in table {
        let sets = [scopes(of_token), scopes(of_grant), scopes(of_client)];
        let [one, two, three] = &sets;
        let facts = TokenFacts { scopes: [one, two, three], ..token(one) };
        let said = at(facts, instance(&tools), wish);
        assert_eq!(said, outcome, "{of_token:?} {of_grant:?} {of_client:?} {wish:?}");
    }
}

#[test]
fn the_role_of_the_user_limits_a_token_as_it_limits_a_key() {
    let tools = ToolSelection::All;
    let all = scopes("mcp:admin");
    let table = [
        (Role::Auditor, Wish::Connect, Err("role-too-low")),
        (Role::Viewer, call("add"), Err("role-too-low")),
        (Role::Viewer, Wish::Extend, Err("role-too-low")),
        (Role::Viewer, Wish::Call { tool: "add", read_only: true }, Ok(())),
        (Role::Member, call("add"), Ok(())),
        (Role::Admin, call("add"), Ok(())),
        (Role::Owner, call("add"), Ok(())),
    ];
    for (role, wish, outcome) in table {
        let facts = TokenFacts { subject: user(Some(role)), ..token(&all) };
        assert_eq!(at(facts, instance(&tools), wish), outcome, "{role:?} {wish:?}");
    }
}
