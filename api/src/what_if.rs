//! What if? Which of the calls of a time would come out differently today, were some changes made: nothing is appended.
//!
//! Two views are compared: the one of this moment, and the same one with the events after it that the proposed commands would cause. Both judge
//! every call of the time as it was asked: credential, instance, tool, whether the tool counted as read-only and whether the caller's address passed
//! a maintenance. So a call is never blamed on the proposal that would be denied today anyhow, whatever was decided when it came; how many of the calls
//! were permitted then is told beside. It is `explain::decide` that judges, which is `domain::policy::decide`, and after it the upstream, which may
//! be gone.
//!
//! The view is the one that this node holds in memory: a copy of it shares nearly everything, so that neither the log nor the directory is read.
//! Calls that put the same question are one row of one GROUP BY, and are judged once.

mod shape;

use std::collections::BTreeMap;
use std::time::Duration;

use commands::what_if::{Extent, Impossible, Proposal, propose};
use commands::{Actor, Ports};
use domain::policy::Wish;
use domain::value::{ApiKeyId, InstanceId, OrganizationId, Timestamp};
use projections::LogError;
use projections::access::{AccessView, LiveView, Shown, Wanted};
use projections::calls::{self, Asked, Patience, Questions, WishKind};
use projections::history::History;
use sqlx::PgPool;

pub(crate) use shape::WhatIf;

use crate::explain::{self, Refusal};
use crate::lacking::LackingRecords;

/// Different questions that are judged for one answer: those that most calls put.
const QUESTIONS_MAX: u32 = 50_000;
/// How long Postgres may count calls.
const PATIENCE: Patience = Patience(Duration::from_secs(20));
/// How long this node may take to hold what is in the log.
const VIEW_WAIT: Duration = Duration::from_secs(2);
/// Records that are lacking, in one answer.
const LACKING_MAX: usize = 100;

/// A server or connection behind the instance is gone, as the gateway says it.
const UPSTREAM_REMOVED: &str = "upstream-removed";

/// What is asked.
pub(crate) struct Asking {
    /// Whose things may be proposed about and whose calls are judged.
    pub(crate) extent: Extent,
    /// The changes.
    pub(crate) proposals: Vec<Proposal>,
    /// Calls that began then or later.
    pub(crate) from: Timestamp,
    /// Calls that began before.
    pub(crate) to: Timestamp,
    /// Changes that are shown.
    pub(crate) changes_max: usize,
}

/// What answers.
pub(crate) struct Answering<'a, P> {
    /// The ports of the use cases.
    pub(crate) ports: &'a P,
    /// The view of this node.
    pub(crate) view: &'a LiveView,
    /// The log.
    pub(crate) history: &'a History,
    /// The call records.
    pub(crate) pool: &'a PgPool,
    /// The moment of the decisions.
    pub(crate) now: Timestamp,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WhatIfError {
    /// One of the commands would be refused.
    #[error(transparent)]
    Impossible(#[from] Impossible),
    /// This node has not taken in yet what is in the log.
    #[error("this node does not hold yet what is in the log; try again, or ask another node")]
    NotCurrent,
    /// The calls cannot be counted.
    #[error(transparent)]
    Calls(#[from] sqlx::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What comes of a call, as far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Denied(&'static str),
    /// The call was refused before it was read, and here it would be read: nobody knows what it asked for.
    Unread,
}

/// How many calls come out how.
#[derive(Debug, Default)]
struct Tally {
    allowed: i64,
    denied: i64,
    newly_allowed: i64,
    newly_denied: i64,
    unread: i64,
}

/// Calls that would come out differently.
struct Turned {
    asked: Asked,
    before: Verdict,
    after: Verdict,
}

/// Answers.
pub(crate) async fn what_if<P: Ports>(
    answering: &Answering<'_, P>,
    actor: &Actor,
    asking: &Asking,
) -> Result<WhatIf, WhatIfError> {
    let events = propose(answering.ports, actor, asking.extent, &asking.proposals).await?;
    let head = answering.history.head().await?;
    let shown = tokio::time::timeout(VIEW_WAIT, answering.view.reached(head)).await;
    shown.map_err(|_| WhatIfError::NotCurrent)?;
    let present = AccessView::clone(&answering.view.load());
    let mut changed = present.clone();
    for proposed in &events {
        let next = changed.position().next();
        // Only an id that is none is refused, and the aggregate has been found by it.
        changed
            .take(next, &proposed.aggregate_id, proposed.event.clone())
            .map_err(|_| WhatIfError::NotCurrent)?;
    }
    let organization = asking.extent.organization.map(OrganizationId::uuid);
    let (from, to) = (asking.from.get(), asking.to.get());
    let questions = calls::questions(answering.pool, organization, from, to, QUESTIONS_MAX, PATIENCE).await?;
    let lacking = calls::incomplete(answering.pool, organization, Some(from), Some(to)).await?;
    let lacking = lacking.into_iter().take(LACKING_MAX).map(LackingRecords::from).collect();
    let (tally, turned) = compare(&present, &changed, &questions, answering.now);
    Ok(WhatIf::of(asking, &present, answering.now, &events, &questions, &tally, turned, lacking))
}

fn compare(
    present: &AccessView,
    changed: &AccessView,
    questions: &Questions,
    now: Timestamp,
) -> (Tally, Vec<Turned>) {
    let (mut tally, mut turned) = (Tally::default(), Vec::new());
    for asked in &questions.asked {
        let (before, after) = (judge(present, asked, now), judge(changed, asked, now));
        let counter = match (before, after) {
            (Verdict::Allowed, Verdict::Allowed) => &mut tally.allowed,
            (Verdict::Denied(_), Verdict::Denied(_)) => &mut tally.denied,
            (Verdict::Allowed, Verdict::Denied(_)) => &mut tally.newly_denied,
            (Verdict::Denied(_), Verdict::Allowed) => &mut tally.newly_allowed,
            (Verdict::Unread, _) | (_, Verdict::Unread) => &mut tally.unread,
        };
        *counter += asked.calls;
        if matches!(
            (before, after),
            (Verdict::Allowed, Verdict::Denied(_)) | (Verdict::Denied(_), Verdict::Allowed)
        ) {
            turned.push(Turned { asked: asked.clone(), before, after });
        }
    }
    (tally, turned)
}

/// The verdict about calls that put this question, by a view.
fn judge(view: &AccessView, asked: &Asked, now: Timestamp) -> Verdict {
    let claims = asked.token_claims(now);
    let shown = match (&claims, asked.credential_id) {
        (Some(says), _) => Shown::Token { says, kid: None },
        (None, Some(key)) => Shown::Key(ApiKeyId::new(key)),
        (None, None) => Shown::Nothing,
    };
    let instance = asked.instance_id.map(InstanceId::new);
    let Some(wish) = wish(asked) else {
        return match view.admit(shown, instance, now) {
            Ok(_) => Verdict::Unread,
            Err(unfit) => Verdict::Denied(Refusal::from(unfit).code()),
        };
    };
    let wanted = Wanted { shown, instance, wish, passes_maintenance: asked.maintenance_exempt };
    match explain::decide(view, &wanted, now) {
        Err(refusal) => Verdict::Denied(refusal.code()),
        Ok(()) if has_upstream(view, instance, asked) => Verdict::Allowed,
        Ok(()) => Verdict::Denied(UPSTREAM_REMOVED),
    }
}

fn wish(asked: &Asked) -> Option<Wish<'_>> {
    match (asked.wish?, &asked.tool) {
        (WishKind::Connect, _) => Some(Wish::Connect),
        (WishKind::Read, _) => Some(Wish::Read),
        (WishKind::Extend, _) => Some(Wish::Extend),
        (WishKind::Call, Some(tool)) => Some(Wish::Call { tool, read_only: asked.read_only }),
        (WishKind::Call, None) => None,
    }
}

/// Whether there is somewhere for such calls of an instance to go.
fn has_upstream(view: &AccessView, instance: Option<InstanceId>, asked: &Asked) -> bool {
    let tool = asked.tool.as_deref().filter(|_| asked.wish == Some(WishKind::Call));
    instance.and_then(|id| view.instance(id)).is_some_and(|instance| view.leads_somewhere(instance, tool))
}

/// Calls that nothing is said about, by the reason.
fn not_judged(questions: &Questions, tally: &Tally) -> BTreeMap<&'static str, i64> {
    let judged: i64 = questions.asked.iter().map(|asked| asked.calls).sum();
    let reasons = [("not-read", tally.unread), ("too-many-questions", questions.calls - judged)];
    reasons.into_iter().filter(|(_, calls)| *calls > 0).collect()
}
