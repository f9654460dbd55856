//! May they? Facts from the view, the wish from the body, the answer from `domain::policy`.

use std::sync::Arc;
use std::time::Duration;

use domain::policy::{self, Denial, Facts, Permit, Target, Wish};
use domain::value::{OrganizationId, Scope, Timestamp};
use mcp::envelope::Message;
use mcp::relay::ToolsFilter;
use mcp::tools::{CacheScope, ToolSummary};
use mcp::upstream::{TimeLimit, UpstreamError};
use projections::access::{AccessView, Grounds, Mark};

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::recorded::CallRecording;
use super::refusal::Refusal;
use super::route::{Behind, Destination, Route};

/// How long an upstream may take to say what its tools are, when a decision hangs on it.
const ASK_WAIT: Duration = Duration::from_secs(10);

/// A call that may be forwarded. Only `authorize` makes one, from a permit of the policy.
pub(super) struct Permitted {
    _permit: Permit,
    pub(super) caller: AuthenticatedCaller,
    /// Whose events can take it back.
    pub(super) organizations: Vec<OrganizationId>,
    pub(super) route: Route,
    /// What this caller is shown of tools, where the answer can hold a list of them: asked for, or replayed on a legacy stream.
    pub(super) shown: Option<ShownTools>,
    pub(super) mark: Mark,
    /// Whether it was let through as a call that only reads.
    pub(super) read_only: bool,
}

/// Decides about a call. Waits only where the upstream must first say whether a tool is read-only.
pub(super) async fn authorize(
    gateway: &Gateway,
    grounds: &Grounds,
    caller: AuthenticatedCaller,
    route: Route,
    call: &McpCall,
    recording: &CallRecording,
) -> Result<Permitted, Refusal> {
    let wish = call.wish(|tool| gateway.word_on(&route, tool).unwrap_or(false));
    let now = gateway.0.clock.now();
    let denial = match decide(grounds, &caller, &route, now, wish) {
        Ok(permit) => {
            recording.say(|draft| draft.decided(grounds, &caller, wish, (now, Ok(()))));
            return permitted(gateway, grounds, (permit, wish), caller, route, call);
        }
        Err(denial) => denial,
    };
    let Some(wish) = gateway.ask_whether_read_only(grounds, &caller, &route, call, &denial).await? else {
        recording.say(|draft| draft.decided(grounds, &caller, wish, (now, Err(&denial))));
        return Err(Refusal::denied_to(&caller, denial));
    };
    // The upstream took its time: what holds now decides.
    let grounds = gateway.grounds(caller.parties(Some(route.instance.id))).await?;
    recording.rests_on(&grounds);
    let caller = caller.in_view(&grounds);
    let route = gateway.route(&grounds, Some(route.instance.id), recording)?;
    let now = gateway.0.clock.now();
    let decided = decide(&grounds, &caller, &route, now, wish);
    recording.say(|draft| draft.decided(&grounds, &caller, wish, (now, decided.as_ref().map(|_| ()))));
    let permit = decided.map_err(|denial| Refusal::denied_to(&caller, denial))?;
    permitted(gateway, &grounds, (permit, wish), caller, route, call)
}

fn permitted(
    gateway: &Gateway,
    grounds: &Grounds,
    (permit, wish): (Permit, Wish<'_>),
    caller: AuthenticatedCaller,
    route: Route,
    call: &McpCall,
) -> Result<Permitted, Refusal> {
    if matches!(route.behind, Behind::One(None)) {
        return Err(Refusal::no_upstream());
    }
    let may_see_a_list = call.lists_tools() || call.method == http::Method::GET;
    let shown = may_see_a_list.then(|| ShownTools {
        gateway: gateway.clone(),
        view: Arc::clone(grounds.view()),
        caller: caller.clone(),
        route: route.clone(),
        now: gateway.0.clock.now(),
        is_modern: call.is_modern(),
    });
    let read_only = matches!(wish, Wish::Call { read_only: true, .. });
    let mut organizations = vec![route.instance.organization];
    organizations.extend(caller.organizations(grounds));
    organizations.dedup();
    let mark = grounds.mark();
    Ok(Permitted { _permit: permit, caller, organizations, route, shown, mark, read_only })
}

fn decide(
    view: &AccessView,
    caller: &AuthenticatedCaller,
    route: &Route,
    now: Timestamp,
    wish: Wish<'_>,
) -> Result<Permit, Denial> {
    let facts = Facts {
        caller: caller.facts(view)?,
        target: Target::Instance(view.instance_facts(&route.instance)),
        maintenance: view.in_maintenance(caller.address),
        now,
    };
    policy::decide(&facts, wish)
}

/// Exactly the tools that the same caller may call, by the same decision.
#[derive(Clone)]
pub(super) struct ShownTools {
    gateway: Gateway,
    view: Arc<AccessView>,
    caller: AuthenticatedCaller,
    route: Route,
    now: Timestamp,
    is_modern: bool,
}

impl ShownTools {
    /// Whether a tool of this upstream is shown under this name. What the upstream says of it is remembered. One that nobody who keeps the rules
    /// could call is left out for everybody (2026-07-28, tools, `x-mcp-header`).
    pub(super) fn shows(&self, upstream: &Destination, name: &str, tool: &ToolSummary<'_>) -> bool {
        let instance = self.route.instance.id;
        self.gateway.0.hints.learn(instance, upstream, tool);
        if self.is_modern
            && let Err(error) = tool.must_be_callable()
        {
            tracing::warn!(instance.id = %instance, tool.name = name, %error, "a tool was left out of a list");
            return false;
        }
        let read_only = tool.read_only_hint.unwrap_or(false);
        decide(&self.view, &self.caller, &self.route, self.now, Wish::Call { tool: name, read_only }).is_ok()
    }

    /// The filter of lists of this one upstream.
    pub(super) fn filter(self, upstream: Destination) -> ToolsFilter {
        ToolsFilter::new(CacheScope::Private, move |tool: &ToolSummary<'_>| {
            self.shows(&upstream, &tool.name, tool)
        })
    }
}

impl Gateway {
    /// What the server behind a tool said of it: whether it only reads.
    pub(super) fn word_on(&self, route: &Route, tool: &str) -> Option<bool> {
        let (upstream, tool) = route.of_tool(tool)?;
        self.0.hints.is_read_only(route.instance.id, upstream, tool)
    }

    /// A call that is denied only because nobody has asked yet whether its tool is read-only: asks the upstream, in the caller's own session.
    async fn ask_whether_read_only<'a>(
        &self,
        view: &AccessView,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &'a McpCall,
        denial: &Denial,
    ) -> Result<Option<Wish<'a>>, Refusal> {
        let Some(tool) = call.message.as_ref().and_then(Message::tool_name) else { return Ok(None) };
        let hangs_on_it = match denial {
            Denial::ScopeMissing(Scope::Tool(_) | Scope::McpWrite) | Denial::RoleTooLow => {
                decide(view, caller, route, self.0.clock.now(), Wish::Call { tool, read_only: true }).is_ok()
            }
            Denial::KeyRevoked
            | Denial::KeyExpired
            | Denial::TokenRevoked
            | Denial::TokenExpired
            | Denial::ClientInactive
            | Denial::GrantRevoked
            | Denial::PrincipalInactive
            | Denial::NotMember
            | Denial::OrganizationSuspended
            | Denial::OrganizationDeleted
            | Denial::OrganizationUnknown
            | Denial::InstanceUnknown
            | Denial::InstanceStopped
            | Denial::BoundToOtherInstance
            | Denial::BoundToInstance
            | Denial::AuthenticationNotAccepted
            | Denial::ToolNotExposed
            | Denial::ScopeMissing(_)
            | Denial::Maintenance
            | Denial::WrongDoor => false,
        };
        let leads_nowhere = matches!(route.behind, Behind::Several(_)) && route.of_tool(tool).is_none();
        if !hangs_on_it || leads_nowhere || self.word_on(route, tool).is_some() {
            return Ok(None);
        }
        let asked = tokio::time::timeout(ASK_WAIT, self.learn_tools(caller, route, call, tool)).await;
        if let Some(read_only) = self.word_on(route, tool) {
            return Ok(Some(Wish::Call { tool, read_only }));
        }
        // Nobody knows whether the caller may: what stands in the way of knowing is the answer, and a denial would be a guess.
        asked.unwrap_or_else(|_| Err(Refusal::upstream(UpstreamError::Timeout(TimeLimit::FirstByte))))?;
        Ok(None)
    }
}
