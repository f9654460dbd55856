//! May they? Facts from the view, the wish from the body, the answer from `domain::policy`.

use std::sync::Arc;

use domain::policy::{self, Denial, Facts, Permit, Target, Wish};
use domain::value::{Scope, Timestamp};
use mcp::relay::ToolsFilter;
use mcp::tools::{CacheScope, ToolSummary};
use projections::access::AccessView;

use super::Gateway;
use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::refusal::Refusal;
use super::route::{Destination, Route};

/// A call that may be forwarded. Only `authorize` makes one, from a permit of the policy.
pub(super) struct Permitted {
    _permit: Permit,
    pub(super) caller: AuthenticatedCaller,
    pub(super) route: Route,
    pub(super) destination: Destination,
    pub(super) filter: Option<ToolsFilter>,
}

/// Decides about a call. Waits only where the upstream must first say whether a tool is read-only.
pub(super) async fn authorize(
    gateway: &Gateway,
    view: &Arc<AccessView>,
    caller: &AuthenticatedCaller,
    route: Route,
    call: &McpCall,
) -> Result<Permitted, Refusal> {
    let now = gateway.0.clock.now();
    let hints = &gateway.0.hints;
    let wish = call.wish(|tool| hints.is_read_only(&route, tool).unwrap_or(false));
    let decided = decide(view, caller, &route, now, wish);
    let permit = match decided {
        Ok(permit) => permit,
        Err(denial) => match gateway.ask_whether_read_only(view, caller, &route, call, &denial).await {
            Some(wish) => decide(view, caller, &route, now, wish).map_err(Refusal::denied)?,
            None => return Err(Refusal::denied(denial)),
        },
    };
    let destination = route.upstream.clone().ok_or_else(Refusal::no_upstream)?;
    let filter = may_see_a_list(call).then(|| filter(gateway, view, caller, &route, now));
    Ok(Permitted { _permit: permit, caller: caller.clone(), route, destination, filter })
}

fn decide(
    view: &AccessView,
    caller: &AuthenticatedCaller,
    route: &Route,
    now: Timestamp,
    wish: Wish<'_>,
) -> Result<Permit, Denial> {
    let facts = Facts {
        caller: caller.facts(view),
        target: Target::Instance(view.instance_facts(&route.instance)),
        maintenance: view.in_maintenance(caller.address),
        now,
    };
    policy::decide(&facts, wish)
}

/// Whether the answer can hold a list of tools: asked for, or replayed on a legacy stream.
fn may_see_a_list(call: &McpCall) -> bool {
    call.lists_tools() || call.method == http::Method::GET
}

/// Shows exactly the tools that the same caller may call, by the same decision, and remembers what the upstream says of each.
fn filter(
    gateway: &Gateway,
    view: &Arc<AccessView>,
    caller: &AuthenticatedCaller,
    route: &Route,
    now: Timestamp,
) -> ToolsFilter {
    let (gateway, view, caller, route) = (gateway.clone(), Arc::clone(view), caller.clone(), route.clone());
    ToolsFilter::new(CacheScope::Private, move |tool: &ToolSummary<'_>| {
        gateway.0.hints.learn(&route, tool);
        let read_only = tool.read_only_hint.unwrap_or(false);
        decide(&view, &caller, &route, now, Wish::Call { tool: &tool.name, read_only }).is_ok()
    })
}

impl Gateway {
    /// A call that is denied only because nobody has asked yet whether its tool is read-only: asks the upstream, in the caller's own session.
    async fn ask_whether_read_only<'a>(
        &self,
        view: &Arc<AccessView>,
        caller: &AuthenticatedCaller,
        route: &Route,
        call: &'a McpCall,
        denial: &Denial,
    ) -> Option<Wish<'a>> {
        let tool = call.message.as_ref()?.tool_name()?;
        let hangs_on_it = match denial {
            Denial::ScopeMissing(Scope::Tool(_) | Scope::McpWrite) | Denial::RoleTooLow => {
                decide(view, caller, route, self.0.clock.now(), Wish::Call { tool, read_only: true }).is_ok()
            }
            _ => false,
        };
        if !hangs_on_it || self.0.hints.is_read_only(route, tool).is_some() {
            return None;
        }
        self.learn_tools(caller, route, call, tool).await;
        let read_only = self.0.hints.is_read_only(route, tool)?;
        Some(Wish::Call { tool, read_only })
    }
}
