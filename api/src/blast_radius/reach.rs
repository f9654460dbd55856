//! What a credential could do, and from when to when: its intervals, found by asking for the decision after each event that matters.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::policy::{Denial, Wish};
use domain::value::{ApiKeyId, InstanceId, Position, Scope, Scopes, Timestamp, ToolName, ToolSelection};
use projections::access::evidence::{SetBy, Unfolding};
use projections::access::{AccessView, Credential};
use projections::history::History;

use ledger::Ledger;
pub(super) use ledger::{Interval, Mark};

use super::BlastRadiusError;
use super::found::Found;
use crate::explain::{self, Refusal};

/// Instances that are looked at: the newest.
const INSTANCES_MAX: u32 = 200;
/// Names of tools that are looked at, of all instances together.
const TOOLS_MAX: usize = 5_000;
/// Intervals in one answer: the first ones.
const INTERVALS_MAX: usize = 2_000;

/// Stands for every tool that neither an allow-list nor a scope names. No tool has this name: names have no blanks.
const ANY_OTHER_TOOL: &str = "any other";

/// From when to when, by position and by time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Right before the first event of the span.
    pub(super) before: Position,
    /// The position that the span begins at, as it stood then.
    pub(super) from: Position,
    pub(super) from_time: Timestamp,
    pub(super) to: Position,
    pub(super) to_time: Timestamp,
}

/// Something that a credential may be let to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// Use the management API with a scope.
    Manage(Scope),
    /// Administer the deployment.
    Administer,
    /// Use an instance.
    Use(InstanceId, Use),
}

/// What an instance may be used for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    Connect,
    Read,
    Extend,
    Tool(ToolName),
    OtherTools,
}

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Only if the server calls the tool read-only.
    ReadOnly,
    /// Whatever it does.
    Full,
}

/// Everything that a credential could reach in a span.
pub(super) struct Reach {
    pub(super) intervals: Vec<(Deed, Interval)>,
    pub(super) left_out: usize,
    /// Whether there are instances that were not looked at.
    pub(super) more_instances: bool,
    /// The view of the end of the span.
    pub(super) view: AccessView,
}

impl Reach {
    pub(super) async fn of(history: &History, found: &Found, span: Span) -> Result<Self, BlastRadiusError> {
        let mut instances = match found.instance {
            Some(instance) => vec![instance],
            None => history.instances_made(found.organization, span.to, INSTANCES_MAX + 1).await?,
        };
        let mut more_instances = instances.len() > usize::try_from(INSTANCES_MAX).unwrap_or(usize::MAX);
        instances.truncate(usize::try_from(INSTANCES_MAX).unwrap_or(usize::MAX));
        let mut names = vec![
            ("deployment", "deployment".to_owned()),
            (found.credential.kind(), found.credential.uuid().to_string()),
            ("organization", found.organization.to_string()),
        ];
        names.extend(found.user.map(|user| ("user", user.to_string())));
        names.extend(found.client.map(|client| ("client", client.to_string())));
        names.extend(instances.iter().map(|id| ("instance", id.to_string())));
        let unfolding = Unfolding::of(history, &names, span.to).await?;
        let (tools, all) = named_tools(unfolding.clone(), found)?;
        more_instances |= !all;
        let mut watch = Watch { found, tools, ledger: Ledger::default(), seen: None, expired: false };
        let view = watch.unfold(unfolding, span)?;
        watch.resolve_expiry(history).await?;
        let mut intervals = watch.ledger.within(span);
        let left_out = intervals.len().saturating_sub(INTERVALS_MAX);
        intervals.truncate(INTERVALS_MAX);
        intervals.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { intervals, left_out, more_instances, view })
    }
}

type Tools = BTreeMap<InstanceId, BTreeSet<ToolName>>;

/// Every name that an allow-list or a scope of the credential ever held, by the instance; and whether these are all.
fn named_tools(mut unfolding: Unfolding, found: &Found) -> Result<(Tools, bool), BlastRadiusError> {
    let (mut tools, mut scoped) = (Tools::new(), BTreeSet::new());
    while let Some((set_by, view)) = unfolding.step()? {
        if set_by.aggregate_type == "instance"
            && let Ok(id) = InstanceId::parse(&set_by.aggregate_id)
            && let Some(instance) = view.instance(id)
        {
            let names = tools.entry(id).or_default();
            match &instance.tools {
                ToolSelection::All => {}
                ToolSelection::Only(only) => names.extend(only.iter().cloned()),
            }
        }
        let held = match found.credential {
            Credential::Key(id) => view.key_by_id(id).map(|key| &key.scopes),
            Credential::Grant(id) => view.grant(id).map(|grant| &grant.scopes),
            Credential::Client(id) => view.client(id).map(|client| &client.scopes),
        };
        scoped.extend(held.into_iter().flat_map(Scopes::iter).filter_map(tool_of));
    }
    let (mut left, mut all) = (TOOLS_MAX, true);
    tools.retain(|_, names| {
        names.extend(scoped.iter().cloned());
        let fits = names.len() <= left;
        if fits {
            left -= names.len();
        }
        all &= fits;
        fits
    });
    Ok((tools, all))
}

fn tool_of(scope: &Scope) -> Option<ToolName> {
    match scope {
        Scope::Tool(name) => Some(name.clone()),
        Scope::McpRead
        | Scope::McpWrite
        | Scope::McpAdmin
        | Scope::OrgRead
        | Scope::OrgWrite
        | Scope::KeysWrite
        | Scope::ClientsWrite
        | Scope::AuditRead => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err(code)` hands over the value")]
fn code(refusal: Refusal) -> &'static str {
    refusal.code()
}

/// Looks at what a credential may do, event by event.
struct Watch<'a> {
    found: &'a Found,
    tools: Tools,
    ledger: Ledger,
    /// The view of the last look.
    seen: Option<AccessView>,
    expired: bool,
}

impl Watch<'_> {
    fn unfold(&mut self, mut unfolding: Unfolding, span: Span) -> Result<AccessView, BlastRadiusError> {
        let mut last = AccessView::default();
        while let Some((set_by, view)) = unfolding.step()? {
            self.expire(&last, set_by.recorded_at);
            self.look(view, &set_by);
            last = view.clone();
        }
        self.expire(&last, span.to_time);
        Ok(last)
    }

    /// Ends everything when the credential ends by itself, at that time or before it.
    fn expire(&mut self, view: &AccessView, by: Timestamp) {
        let (end, reason) = match self.found.credential {
            Credential::Key(id) => (view.key_by_id(id).and_then(|key| key.expires_at), Denial::KeyExpired),
            Credential::Grant(id) => {
                (view.grant(id).and_then(|grant| grant.expires_at), Denial::GrantRevoked)
            }
            Credential::Client(_) => (None, Denial::ClientInactive),
        };
        let Some(end) = end else { return };
        if self.expired || end > by {
            return;
        }
        self.expired = true;
        self.ledger.close_all(&Mark::of_time(end, reason.code()));
    }

    fn look(&mut self, view: &AccessView, set_by: &SetBy) {
        let is_known = match self.found.credential {
            Credential::Key(id) => view.key_by_id(id).is_some(),
            Credential::Grant(id) => view.grant(id).is_some(),
            Credential::Client(id) => view.client(id).is_some(),
        };
        if !is_known {
            return;
        }
        let mark = Mark::of_event(set_by);
        if set_by.aggregate_type == "instance" {
            if let Ok(id) = InstanceId::parse(&set_by.aggregate_id) {
                self.look_at_instance(view, id, &mark);
            }
        } else if self.seen.as_ref().is_none_or(|seen| self.differ(seen, view)) {
            self.look_at_all(view, &mark);
        }
        self.seen = Some(view.clone());
    }

    /// Whether anything changed that decisions about this credential look at wherever it goes.
    fn differ(&self, before: &AccessView, after: &AccessView) -> bool {
        let maintenance = |view: &AccessView| view.deployment().maintenance.is_some();
        let organization = |view: &AccessView| view.organization(self.found.organization);
        let user = |view: &AccessView| {
            let user = self.found.user?;
            Some((view.user(user), view.role(self.found.organization, user)))
        };
        let client = |view: &AccessView| self.found.client.and_then(|id| view.client(id).cloned());
        let itself = match self.found.credential {
            Credential::Key(id) => {
                let key = |view: &AccessView| {
                    view.key_by_id(id).map(|key| (Arc::clone(key), view.administers(key)))
                };
                key(before) != key(after)
            }
            Credential::Grant(id) => before.grant(id) != after.grant(id),
            Credential::Client(_) => false, // compared in any case
        };
        itself
            || maintenance(before) != maintenance(after)
            || organization(before) != organization(after)
            || user(before) != user(after)
            || client(before) != client(after)
    }

    fn look_at_all(&mut self, view: &AccessView, mark: &Mark) {
        match self.found.credential {
            Credential::Key(key) => self.look_at_management(view, key, mark),
            Credential::Grant(_) | Credential::Client(_) => {} // a token opens no management API
        }
        let instances: Vec<InstanceId> = self.tools.keys().copied().collect();
        for instance in instances {
            self.look_at_instance(view, instance, mark);
        }
    }

    fn look_at_management(&mut self, view: &AccessView, key: ApiKeyId, mark: &Mark) {
        let now = mark.at;
        let management =
            [Scope::OrgRead, Scope::OrgWrite, Scope::KeysWrite, Scope::ClientsWrite, Scope::AuditRead];
        for scope in management {
            let may = explain::manages(view, key, &scope, now).map(|()| Access::Full).map_err(code);
            self.ledger.note(Deed::Manage(scope), may, mark);
        }
        let administers = view.key_by_id(key).is_some_and(|held| view.administers(held));
        let may = match explain::authenticate(view, key, now) {
            Ok(()) if administers => Ok(Access::Full),
            Ok(()) => Err("not-administrator"),
            Err(refusal) => Err(refusal.code()),
        };
        self.ledger.note(Deed::Administer, may, mark);
    }

    fn look_at_instance(&mut self, view: &AccessView, instance: InstanceId, mark: &Mark) {
        let Some(names) = self.tools.get(&instance) else { return };
        let decided = |wish: Wish<'_>| {
            view.judge_with(self.found.credential, instance, wish, mark.at).map_err(|no| code(no.into()))
        };
        let full = |wish| decided(wish).map(|()| Access::Full);
        let call = |tool: &str| {
            let call = |read_only| decided(Wish::Call { tool, read_only });
            call(true).map(|()| if call(false).is_ok() { Access::Full } else { Access::ReadOnly })
        };
        let fixed = [
            (Use::Connect, full(Wish::Connect)),
            (Use::Read, full(Wish::Read)),
            (Use::Extend, full(Wish::Extend)),
            (Use::OtherTools, call(ANY_OTHER_TOOL)),
        ];
        let each = names.iter().map(|name| (Use::Tool(name.clone()), call(name.as_str())));
        for (used, may) in fixed.into_iter().chain(each) {
            self.ledger.note(Deed::Use(instance, used), may, mark);
        }
    }

    /// An end by time stands before the first event that was written then or later.
    async fn resolve_expiry(&mut self, history: &History) -> Result<(), BlastRadiusError> {
        if let Some(end) = self.ledger.ended_by_itself() {
            let before = history.before(projections::history::Moment::Time(end)).await?;
            self.ledger.resolve(before.next());
        }
        Ok(())
    }
}
