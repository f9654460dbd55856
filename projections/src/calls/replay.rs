//! The decision about a recorded call, taken again.
//!
//! A record holds all that entered the decision and is not in the log: what was wished, whether the tool counted as read-only, the moment, and whether the
//! caller's address passed a maintenance. With a view of the stamped position, `domain::policy::decide` gives the verdict that was recorded; with another view it
//! gives what the verdict would be.

use domain::policy::{self, Caller, Denial, Facts, Target, Wish};
use domain::value::{ApiKeyId, InstanceId, Position, Timestamp};

use super::record::{CallRecord, Decision, WishKind};
use crate::access::AccessView;
use crate::access::evidence::{Evidence, EvidenceError, Subject};
use crate::history::History;

/// The decision cannot be taken again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read, or holds what this program does not know.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// The verdict about a recorded call by a view. `None` when no decision was taken about it.
pub fn verdict(view: &AccessView, record: &CallRecord) -> Option<Result<(), Denial>> {
    match record.decision {
        Decision::Permit | Decision::Denial => {}
        Decision::None => return None,
    }
    let now = Timestamp::new(record.decided_at?);
    let key = match record.credential_id {
        Some(id) => Some(view.key_by_id(ApiKeyId::new(id))?),
        None => None,
    };
    let caller = match key {
        Some(key) => Caller::Key(view.key_facts(key)),
        None => Caller::Loopback,
    };
    if let Caller::Key(facts) = caller
        && let Err(denial) = policy::authenticates(&facts, now)
    {
        return Some(Err(denial));
    }
    let Some(instance) = record.instance_id.and_then(|id| view.instance(InstanceId::new(id))) else {
        return Some(Err(Denial::InstanceUnknown));
    };
    let facts = Facts {
        caller,
        target: Target::Instance(view.instance_facts(instance)),
        maintenance: view.deployment().maintenance.is_some() && !record.maintenance_exempt,
        now,
    };
    // A call that was denied before its message was read wished for nothing more than to come in.
    let tool = record.tool.as_deref().unwrap_or_default();
    let wish = match record.wish {
        Some(WishKind::Connect) | None => Wish::Connect,
        Some(WishKind::Read) => Wish::Read,
        Some(WishKind::Call) => Wish::Call { tool, read_only: record.read_only },
        Some(WishKind::Extend) => Wish::Extend,
    };
    Some(policy::decide(&facts, wish).map(|_| ()))
}

/// The verdict about a recorded call by the log as it stood at the stamped position.
pub async fn replay(
    history: &History,
    record: &CallRecord,
) -> Result<Option<Result<(), Denial>>, ReplayError> {
    let at = Position::new(record.position.unsigned_abs());
    let subject = Subject {
        key: ApiKeyId::new(record.credential_id.unwrap_or_default()),
        instance: InstanceId::new(record.instance_id.unwrap_or_default()),
    };
    let evidence = Evidence::gather(history, subject, at).await?;
    Ok(verdict(&evidence.view, record))
}
