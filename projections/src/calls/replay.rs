//! The decision about a recorded call, taken again.
//!
//! A record holds all that entered the decision and is not in the log: what was wished, whether the tool counted as read-only, the moment, whether the
//! caller's address passed a maintenance, and what an access token said of itself. With a view of the stamped position, `domain::policy::decide` gives the
//! verdict that was recorded; with another view it gives what the verdict would be.

use domain::policy::{Denial, Wish};
use domain::value::{ApiKeyId, ClientId, GrantId, InstanceId, Position, Timestamp};

use super::record::{CallRecord, Decision, WishKind};
use crate::access::evidence::EvidenceError;
use crate::access::{AccessView, Parties, Shown, Unfit, Wanted};
use crate::history::History;

/// The decision cannot be taken again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read, or holds what this program does not know.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// The verdict about a recorded call by a view. `None` when no decision was taken about it, or when the view never heard of the key.
pub fn verdict(view: &AccessView, record: &CallRecord) -> Option<Result<(), Denial>> {
    match record.decision {
        Decision::Permit | Decision::Denial => {}
        Decision::None => return None,
    }
    let now = Timestamp::new(record.decided_at?);
    let claims = record.token_claims();
    let shown = match (&claims, &record.token, record.credential_id) {
        (Some(says), Some(token), _) => Shown::Token { says, kid: Some(token.kid.as_str()) },
        (_, _, Some(key)) => Shown::Key(ApiKeyId::new(key)),
        (_, _, None) => Shown::Nothing,
    };
    // A call that was denied before its message was read wished for nothing more than to come in.
    let tool = record.tool.as_deref().unwrap_or_default();
    let wish = match record.wish {
        Some(WishKind::Connect) | None => Wish::Connect,
        Some(WishKind::Read) => Wish::Read,
        Some(WishKind::Call) => Wish::Call { tool, read_only: record.read_only },
        Some(WishKind::Extend) => Wish::Extend,
    };
    let instance = record.instance_id.map(InstanceId::new);
    let wanted = Wanted { shown, instance, wish, passes_maintenance: record.maintenance_exempt };
    match view.judge(&wanted, now) {
        Ok(()) => Some(Ok(())),
        Err(Unfit::Denied(denial)) => Some(Err(denial)),
        Err(Unfit::KeyUnknown) => None,
    }
}

/// The verdict about a recorded call by the log as it stood at the stamped position.
pub async fn replay(
    history: &History,
    record: &CallRecord,
) -> Result<Option<Result<(), Denial>>, ReplayError> {
    let at = Position::new(record.position.unsigned_abs());
    let view = AccessView::of_parties(history, parties(record), at).await?;
    Ok(verdict(&view, record))
}

/// Whom the decision was about. A token is judged by the instance that it is for: at any other one it is refused, whatever that is.
fn parties(record: &CallRecord) -> Parties {
    let asked = record.instance_id.map(InstanceId::new);
    match &record.token {
        Some(token) => Parties {
            key: None,
            client: record.client_id.map(ClientId::new),
            token: Some(token.id),
            grant: record.grant_id.map(GrantId::new),
            instance: Some(token.instance),
        },
        None => {
            Parties { key: record.credential_id.map(ApiKeyId::new), instance: asked, ..Parties::default() }
        }
    }
}
