//! What a key could do, and from when to when: its intervals, found by asking for the decision after each event that matters.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};

use domain::policy::Wish;
use domain::value::{InstanceId, Position, Scope, Timestamp, ToolName, ToolSelection};
use projections::access::evidence::{SetBy, Unfolding};
use projections::access::{AccessView, Shown, Wanted};
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

/// Something that a key may be let to do.
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

/// Everything that a key could reach in a span.
pub(super) struct Reach {
    pub(super) intervals: Vec<(Deed, Interval)>,
    pub(super) left_out: usize,
    /// Whether there are instances that were not looked at.
    pub(super) more_instances: bool,
    /// The view of the end of the span.
    pub(super) view: AccessView,
}

impl Reach {
    pub(super) async fn of(history: &History, key: &Found, span: Span) -> Result<Self, BlastRadiusError> {
        let mut instances = history.instances_made(key.organization, span.to, INSTANCES_MAX + 1).await?;
        let mut more_instances = instances.len() > usize::try_from(INSTANCES_MAX).unwrap_or(usize::MAX);
        instances.truncate(usize::try_from(INSTANCES_MAX).unwrap_or(usize::MAX));
        let mut names = vec![
            ("deployment", "deployment".to_owned()),
            ("api_key", key.id.to_string()),
            ("user", key.principal.to_string()),
            ("organization", key.organization.to_string()),
        ];
        names.extend(instances.iter().map(|id| ("instance", id.to_string())));
        let unfolding = Unfolding::of(history, &names, span.to).await?;
        let (tools, all) = named_tools(unfolding.clone(), key)?;
        more_instances |= !all;
        let mut watch = Watch { key, tools, ledger: Ledger::default(), seen: None, expired: false };
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

/// Every name that an allow-list or a scope of the key ever held, by the instance; and whether these are all.
fn named_tools(mut unfolding: Unfolding, key: &Found) -> Result<(Tools, bool), BlastRadiusError> {
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
        if let Some(held) = view.key_by_id(key.id) {
            scoped.extend(held.scopes.iter().filter_map(tool_of));
        }
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

fn decided(view: &AccessView, wanted: &Wanted<'_>, now: Timestamp) -> Result<(), &'static str> {
    explain::decide(view, wanted, now).map_err(code)
}

/// Looks at what a key may do, event by event.
struct Watch<'a> {
    key: &'a Found,
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

    /// Ends everything when the key ends by itself, at that time or before it.
    fn expire(&mut self, view: &AccessView, by: Timestamp) {
        let Some(end) = view.key_by_id(self.key.id).and_then(|key| key.expires_at) else { return };
        if self.expired || end > by {
            return;
        }
        self.expired = true;
        let reason =
            explain::authenticate(view, self.key.id, end).err().map_or("key-expired", |no| no.code());
        self.ledger.close_all(&Mark::of_time(end, reason));
    }

    fn look(&mut self, view: &AccessView, set_by: &SetBy) {
        if view.key_by_id(self.key.id).is_none() {
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

    /// Whether anything changed that decisions about this key look at wherever it goes.
    fn differ(&self, before: &AccessView, after: &AccessView) -> bool {
        let (Some(one), Some(other)) = (before.key_by_id(self.key.id), after.key_by_id(self.key.id)) else {
            return true;
        };
        let (before_deployment, deployment) = (before.deployment(), after.deployment());
        before.key_facts(one) != after.key_facts(other)
            || before_deployment.maintenance.is_some() != deployment.maintenance.is_some()
            || before.administers(one) != after.administers(other)
    }

    fn look_at_all(&mut self, view: &AccessView, mark: &Mark) {
        let (key, now) = (self.key.id, mark.at);
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
        let instances: Vec<InstanceId> = self.tools.keys().copied().collect();
        for instance in instances {
            self.look_at_instance(view, instance, mark);
        }
    }

    fn look_at_instance(&mut self, view: &AccessView, instance: InstanceId, mark: &Mark) {
        let Some(names) = self.tools.get(&instance) else { return };
        let (shown, now) = (Shown::Key(self.key.id), mark.at);
        let wanted = |wish| Wanted { shown, instance: Some(instance), wish, passes_maintenance: false };
        let full = |wish| decided(view, &wanted(wish), now).map(|()| Access::Full);
        let call = |tool: &str| {
            let call = |read_only| {
                let wish = Wish::Call { tool, read_only };
                let wanted = Wanted { shown, instance: Some(instance), wish, passes_maintenance: false };
                decided(view, &wanted, now)
            };
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
