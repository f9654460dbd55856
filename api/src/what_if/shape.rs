//! The answer to a what-if as programs read it.

use std::collections::BTreeMap;

use commands::what_if::Proposed;
use domain::event::Event;
use domain::value::{ApiKeyId, OrganizationId, Position, Timestamp};
use projections::access::AccessView;
use projections::calls::{Asked, Questions, WishKind};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Asking, LackingRecords, Tally, Turned, Verdict, not_judged};

/// Which calls would come out differently, were the commands carried out. Nothing was carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhatIf {
    /// The position whose view is compared with the same view after the commands.
    #[schema(value_type = u64)]
    position: Position,
    /// The time that expiry is held against, in both.
    #[schema(value_type = OffsetDateTime)]
    time: Timestamp,
    /// Whose calls were judged; null: everybody's.
    #[schema(required)]
    organization: Option<Uuid>,
    /// Calls that began then or later were judged.
    #[schema(value_type = OffsetDateTime)]
    from: Timestamp,
    /// Calls that began before were judged.
    #[schema(value_type = OffsetDateTime)]
    to: Timestamp,
    /// What would be written; empty when what is proposed holds already.
    events: Vec<ProposedEvent>,
    /// Calls of the time. They are the sum of the next four numbers and of those that were not judged.
    calls: i64,
    /// Calls that would be allowed now, and with the commands too.
    allowed_as_before: i64,
    /// Calls that would be denied now, and with the commands too, be it for another reason.
    denied_as_before: i64,
    /// Calls that would be allowed now, and denied with the commands.
    newly_denied: i64,
    /// Calls that would be denied now, and allowed with the commands.
    newly_allowed: i64,
    /// Calls that nothing can be said about, by the reason. `not-read`: refused before anybody read what they asked for. `too-many-questions`: there
    /// are more different calls than are judged for one answer, and these are the rarest.
    not_judged: BTreeMap<&'static str, i64>,
    /// The calls that would come out differently, those with most calls first.
    changes: Vec<ChangedCalls>,
    /// Entries of `changes` that `limit` leaves out. The numbers above count their calls.
    changes_left_out: usize,
    /// Where records are lacking, at most a hundred of such places.
    incomplete: Vec<LackingRecords>,
}

/// An event that would be written.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposedEvent {
    /// Type of what it would happen to.
    aggregate: &'static str,
    /// Id of what it would happen to.
    id: String,
    /// What would happen.
    #[serde(rename = "type")]
    event_type: &'static str,
    /// The event.
    payload: Value,
}

/// Calls that asked for the same thing and would come out differently.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedCalls {
    /// Id of the API key; of access tokens their grant, or the client that acts for itself; null for callers on loopback.
    #[schema(required)]
    credential: Option<Uuid>,
    /// Public part of the key.
    #[schema(required)]
    key_id: Option<String>,
    /// The client, when access tokens were shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Uuid>,
    /// The grant that those rest on; absent when the client acts for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<Uuid>,
    /// The user in whose name it calls, or the client that acts for itself.
    #[schema(required)]
    principal: Option<Uuid>,
    /// The instance.
    #[schema(required)]
    instance: Option<Uuid>,
    /// `connect`, `read`, `call` a tool, or `extend`: use a method that is unknown here. Null for a call that is denied before it is read.
    #[schema(required)]
    wish: Option<&'static str>,
    /// The tool.
    #[schema(required)]
    tool: Option<String>,
    /// Whether the tool counted as read-only, and is taken for that now. Where nothing hung on it nobody may have asked the server, and then it counts
    /// as one that is not.
    read_only: bool,
    /// How many calls.
    calls: i64,
    /// How many of them were permitted when they came.
    permitted_when_made: i64,
    /// When the first of them began.
    #[serde(with = "time::serde::rfc3339")]
    first_at: OffsetDateTime,
    /// When the last of them began.
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    /// The record of the first of them.
    example: Uuid,
    /// The reason for which they would be denied now; null when they would be allowed.
    #[schema(required)]
    reason_now: Option<&'static str>,
    /// The reason for which they would be denied with the commands; null when they would be allowed.
    #[schema(required)]
    reason_with_commands: Option<&'static str>,
}

impl WhatIf {
    #[expect(clippy::too_many_arguments, reason = "one answer out of everything that was found")]
    pub(super) fn of(
        asking: &Asking,
        present: &AccessView,
        time: Timestamp,
        events: &[Proposed],
        questions: &Questions,
        tally: &Tally,
        turned: Vec<Turned>,
        incomplete: Vec<LackingRecords>,
    ) -> Self {
        let changes_left_out = turned.len().saturating_sub(asking.changes_max);
        let shown = turned.into_iter().take(asking.changes_max);
        Self {
            position: present.position(),
            time,
            organization: asking.extent.organization.map(OrganizationId::uuid),
            from: asking.from,
            to: asking.to,
            events: events.iter().map(ProposedEvent::of).collect(),
            calls: questions.calls,
            allowed_as_before: tally.allowed,
            denied_as_before: tally.denied,
            newly_denied: tally.newly_denied,
            newly_allowed: tally.newly_allowed,
            not_judged: not_judged(questions, tally),
            changes: shown.map(|turned| ChangedCalls::of(turned, present)).collect(),
            changes_left_out,
            incomplete,
        }
    }
}

impl ProposedEvent {
    fn of(proposed: &Proposed) -> Self {
        let Proposed { aggregate_id, event } = proposed;
        let (aggregate, event_type, _) = Event::name(event);
        let payload = serde_json::to_value(event).unwrap_or_default();
        Self { aggregate, id: aggregate_id.clone(), event_type, payload }
    }
}

impl ChangedCalls {
    fn of(turned: Turned, view: &AccessView) -> Self {
        let Turned { asked, before, after } = turned;
        let Asked { credential_id, principal_id, instance_id, wish, tool, read_only, .. } = asked;
        let (client, grant) = (asked.client_id, asked.grant_id);
        let key = credential_id.and_then(|id| view.key_by_id(ApiKeyId::new(id)));
        Self {
            credential: credential_id,
            key_id: key.and_then(|key| view.public_part(key)).map(ToString::to_string),
            client,
            grant,
            principal: principal_id,
            instance: instance_id,
            wish: wish.map(WishKind::as_str),
            tool,
            read_only,
            calls: asked.calls,
            permitted_when_made: asked.permitted,
            first_at: asked.first_at,
            last_at: asked.last_at,
            example: asked.example,
            reason_now: reason(before),
            reason_with_commands: reason(after),
        }
    }
}

const fn reason(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Allowed | Verdict::Unread => None,
        Verdict::Denied(reason) => Some(reason),
    }
}
