//! The reach of a credential as programs read it.

use domain::value::{ClientId, InstanceId, Position, Timestamp, UserId};
use projections::access::{AccessView, Credential};
use projections::calls::{Deeds, Made};
use projections::history::{Done, GrantMade};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::found::{Found, Issued, Traces};
use super::reach::{Access, Deed, Interval, Mark, Reach, Span, Use};
use crate::explain::SetByEvent;
use crate::lacking::LackingRecords;

/// What a credential could do in a span of time, and what it did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlastRadius {
    /// What it is: `api_key`; `grant`, the tokens of a client in the name of a user; `client`, its tokens in its own name.
    kind: &'static str,
    /// Its id.
    credential: Uuid,
    /// The public part of a key; null for what is no key.
    #[schema(required)]
    key_id: Option<String>,
    /// Its organization.
    organization: Uuid,
    /// The user in whose name it calls; null for a client in its own.
    #[schema(required)]
    principal: Option<Uuid>,
    /// The client that calls; null for a key.
    #[schema(required)]
    client: Option<Uuid>,
    /// What users had consented to when a client is asked about, the newest hundred: what it could do in their names is told of each of these.
    grants: Vec<ClientGrant>,
    /// Its scopes.
    scopes: Vec<String>,
    /// The instance that it is bound to; null when it is not.
    #[schema(required)]
    instance: Option<Uuid>,
    /// When it ends by itself; null when it does not.
    #[schema(required, value_type = Option<OffsetDateTime>)]
    expires_at: Option<Timestamp>,
    /// Where the span begins: right after this event.
    #[schema(value_type = u64)]
    from_position: Position,
    /// When it begins.
    #[schema(value_type = OffsetDateTime)]
    from_time: Timestamp,
    /// Where it ends: right after this event.
    #[schema(value_type = u64)]
    to_position: Position,
    /// When it ends.
    #[schema(value_type = OffsetDateTime)]
    to_time: Timestamp,
    /// What it could do, each with an interval that has a moment of the span in it, by the decision of the gateway. Whether an upstream was there, and
    /// whether the address of a caller passes a maintenance (it is taken as one that does not), is no part of it.
    could: Vec<CouldDo>,
    /// Intervals that are not in `could`, which holds the first 2000.
    could_left_out: usize,
    /// Whether there are instances that were not looked at: the newest 200 are, as long as their allow-lists have no more than 5000 names together.
    more_instances: bool,
    /// The events that it caused, by their type; for an auditor of the organization, those that belong to it.
    wrote: Vec<WroteEvents>,
    /// The keys that it issued, the first hundred.
    issued: Vec<IssuedWith>,
    /// Whether it issued more than those.
    more_issued: bool,
    /// How many of its calls in the span are recorded.
    calls: i64,
    /// Its calls, told together, those with most calls first: at most a thousand entries.
    called: Vec<CalledWith>,
    /// Entries that are not in `called`. The number above counts their calls.
    called_left_out: i64,
    /// Where records are lacking, at most a hundred of such places.
    incomplete: Vec<LackingRecords>,
}

/// What a user consented to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ClientGrant {
    /// Its id: a credential to be asked about.
    id: Uuid,
    /// Who.
    user: Uuid,
    /// Where.
    instance: Uuid,
}

/// Something that a credential could do, from when to when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CouldDo {
    /// `call` a tool, `connect`, `read` resources and prompts, `extend`: use a method that is unknown here; `manage`: use the management API;
    /// `administer` the deployment.
    what: &'static str,
    /// The instance; null for the management API.
    #[schema(required)]
    instance: Option<Uuid>,
    /// The tool; `*` is every tool of the server that has no interval of its own. Null for all but `call`.
    #[schema(required)]
    tool: Option<String>,
    /// The scope of the management API; null for all but `manage`.
    #[schema(required)]
    scope: Option<String>,
    /// Whether it could call the tool only if the server calls it read-only.
    read_only: bool,
    /// From this event on.
    from: ReachMark,
    /// Until this one; null: still at the end of the span.
    #[schema(required)]
    to: Option<ReachMark>,
}

/// Where an interval begins or ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReachMark {
    /// The first position at which it is so.
    #[schema(value_type = u64)]
    position: Position,
    /// Since when.
    #[schema(value_type = OffsetDateTime)]
    time: Timestamp,
    /// Why it is denied from here on; null where it is allowed, also where it is allowed in another way than before.
    #[schema(required)]
    reason: Option<&'static str>,
    /// The event that did it; null when the credential ended by itself.
    #[schema(required)]
    set_by: Option<SetByEvent>,
}

/// Events of one type that a credential caused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WroteEvents {
    /// Type of what they happened to.
    aggregate: String,
    /// What happened.
    #[serde(rename = "type")]
    event_type: String,
    /// How many.
    events: i64,
    /// Position of the first.
    first: i64,
    /// Position of the last.
    last: i64,
    /// When the first was written.
    #[serde(with = "time::serde::rfc3339")]
    first_at: OffsetDateTime,
    /// When the last was.
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    /// Where they are listed, together with those that the same user caused with another credential.
    listed_at: String,
}

/// A key that was issued with this one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedWith {
    /// Its id.
    credential: String,
    /// Its public part.
    key_id: String,
    /// The user in whose name it calls.
    principal: Uuid,
    /// Its scopes.
    scopes: Vec<String>,
    /// Where it was issued.
    #[schema(value_type = u64)]
    position: Position,
}

/// Calls to one tool that ended alike.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CalledWith {
    /// The instance.
    #[schema(required)]
    instance: Option<Uuid>,
    /// The method of JSON-RPC.
    #[schema(required)]
    method: Option<String>,
    /// The tool.
    #[schema(required)]
    tool: Option<String>,
    /// `permit`, `denial`, or `none`: refused before anything was decided.
    decision: &'static str,
    /// Why they were denied or failed.
    #[schema(required)]
    reason: Option<String>,
    /// How many calls.
    calls: i64,
    /// Bytes of their requests.
    bytes_in: i64,
    /// Bytes of their answers.
    bytes_out: i64,
    /// When the first of them began.
    #[serde(with = "time::serde::rfc3339")]
    first_at: OffsetDateTime,
    /// When the last of them began.
    #[serde(with = "time::serde::rfc3339")]
    last_at: OffsetDateTime,
    /// The servers that they were sent to.
    upstreams: Vec<String>,
}

impl BlastRadius {
    pub(super) fn of(
        found: &Found,
        span: Span,
        reach: Reach,
        traces: Traces,
        deeds: Deeds,
        incomplete: Vec<LackingRecords>,
        grants: Vec<GrantMade>,
    ) -> Self {
        let is_of = Held::of(&reach.view, found.credential);
        let shown = i64::try_from(deeds.made.len()).unwrap_or(i64::MAX);
        Self {
            kind: found.credential.kind(),
            credential: found.credential.uuid(),
            key_id: is_of.key_id,
            organization: found.organization.uuid(),
            principal: found.user.map(UserId::uuid),
            client: found.client.map(ClientId::uuid),
            grants: grants.into_iter().map(ClientGrant::of).collect(),
            scopes: is_of.scopes,
            instance: is_of.instance.map(InstanceId::uuid),
            expires_at: is_of.expires_at,
            from_position: span.from,
            from_time: span.from_time,
            to_position: span.to,
            to_time: span.to_time,
            could: reach.intervals.into_iter().map(CouldDo::of).collect(),
            could_left_out: reach.left_out,
            more_instances: reach.more_instances,
            wrote: traces.done.into_iter().map(|done| WroteEvents::of(done, found)).collect(),
            issued: traces.issued.into_iter().map(IssuedWith::of).collect(),
            more_issued: traces.more_issued,
            calls: deeds.calls,
            called_left_out: deeds.groups - shown,
            called: deeds.made.into_iter().map(CalledWith::of).collect(),
            incomplete,
        }
    }
}

/// What a credential was at the end of the span.
#[derive(Default)]
struct Held {
    key_id: Option<String>,
    scopes: Vec<String>,
    instance: Option<InstanceId>,
    expires_at: Option<Timestamp>,
}

impl Held {
    fn of(view: &AccessView, credential: Credential) -> Self {
        let held = match credential {
            Credential::Key(id) => view.key_by_id(id).map(|key| {
                let key_id = view.public_part(key).map(ToString::to_string);
                (key_id, &key.scopes, key.instance, key.expires_at)
            }),
            Credential::Grant(id) => {
                view.grant(id).map(|grant| (None, &grant.scopes, Some(grant.instance), grant.expires_at))
            }
            Credential::Client(id) => view.client(id).map(|client| (None, &client.scopes, None, None)),
        };
        held.map_or_else(Self::default, |(key_id, scopes, instance, expires_at)| Self {
            key_id,
            scopes: scopes.iter().map(ToString::to_string).collect(),
            instance,
            expires_at,
        })
    }
}

impl ClientGrant {
    fn of(grant: GrantMade) -> Self {
        let GrantMade { id, user, instance } = grant;
        Self { id: id.uuid(), user: user.uuid(), instance: instance.uuid() }
    }
}

impl CouldDo {
    fn of((deed, interval): (Deed, Interval)) -> Self {
        let (what, instance, tool, scope) = match deed {
            Deed::Manage(scope) => ("manage", None, None, Some(scope.to_string())),
            Deed::Administer => ("administer", None, None, None),
            Deed::Use(instance, used) => {
                let (what, tool) = match used {
                    Use::Connect => ("connect", None),
                    Use::Read => ("read", None),
                    Use::Extend => ("extend", None),
                    Use::Tool(name) => ("call", Some(name.to_string())),
                    Use::OtherTools => ("call", Some("*".to_owned())),
                };
                (what, Some(instance.uuid()), tool, None)
            }
        };
        let Interval { access, from, to } = interval;
        let read_only = match access {
            Access::ReadOnly => true,
            Access::Full => false,
        };
        Self { what, instance, tool, scope, read_only, from: from.into(), to: to.map(ReachMark::from) }
    }
}

impl From<Mark> for ReachMark {
    fn from(mark: Mark) -> Self {
        let set_by = mark.set_by.as_ref().map(SetByEvent::from);
        Self { position: mark.position, time: mark.at, reason: mark.reason, set_by }
    }
}

impl WroteEvents {
    fn of(done: Done, found: &Found) -> Self {
        let listed_at = found.listed_at(&done);
        let Done { aggregate_type: aggregate, event_type, events, first, last, first_at, last_at } = done;
        Self { aggregate, event_type, events, first, last, first_at, last_at, listed_at }
    }
}

impl IssuedWith {
    fn of(issued: Issued) -> Self {
        let Issued { position, id: credential, key_id, principal, scopes } = issued;
        Self { credential, key_id, principal: principal.uuid(), scopes, position }
    }
}

impl CalledWith {
    fn of(made: Made) -> Self {
        let Made {
            instance_id: instance, method, tool, decision, reason, calls, bytes_in, bytes_out, ..
        } = made;
        let (first_at, last_at, upstreams) = (made.first_at, made.last_at, made.upstreams);
        let decision = decision.as_str();
        Self {
            instance,
            method,
            tool,
            decision,
            reason,
            calls,
            bytes_in,
            bytes_out,
            first_at,
            last_at,
            upstreams,
        }
    }
}
