//! What is known of a call so far, step by step, and the record that comes of it.

use std::time::Duration;

use domain::instance::ArgumentDays;
use domain::policy::{Denial, Wish};
use domain::value::{InstanceId, OrganizationId, Timestamp};
use http::StatusCode;
use mcp::envelope::MessageKind;
use projections::access::{AccessView, Instance, Key, TokenHolder};
use projections::calls::{
    ArgumentRoom, Basis, Call, CallKind, CallRecord, Decision, METHOD_BYTES_MAX, Outcome, PresentedToken,
    Room, SealedArguments, TOOL_BYTES_MAX, WishKind, cut,
};
use uuid::Uuid;

use super::authenticate::AuthenticatedCaller;
use super::call::McpCall;
use super::route::Destination;
use super::tokens::CheckedToken;

/// Everything that the steps of a call have said.
pub(super) struct Draft {
    record: CallRecord,
    arguments: Option<SealedArguments>,
    room: Option<Room>,
    argument_room: Option<ArgumentRoom>,
}

/// A record that is ready to be put into the queue.
pub(super) struct Written {
    pub(super) call: Call,
    pub(super) room: Option<Room>,
    pub(super) argument_room: Option<ArgumentRoom>,
}

impl Default for Draft {
    fn default() -> Self {
        Self::new(Uuid::nil(), Timestamp::EPOCH, CallKind::Unread, Uuid::nil())
    }
}

impl Draft {
    pub(super) fn new(id: Uuid, at: Timestamp, kind: CallKind, node: Uuid) -> Self {
        let record = CallRecord {
            id,
            at: at.get(),
            organization_id: Uuid::nil(),
            instance_organization_id: None,
            principal_id: None,
            credential_id: None,
            instance_id: None,
            kind,
            method: None,
            tool: None,
            wish: None,
            read_only: false,
            maintenance_exempt: false,
            decision: Decision::None,
            reason: None,
            decided_at: None,
            position: 0,
            basis: Basis::View,
            node_id: node,
            number: 0,
            server_id: None,
            connection_id: None,
            upstream: None,
            status: None,
            outcome: Outcome::ClientGone,
            duration_us: 0,
            bytes_in: 0,
            bytes_out: 0,
            arguments_digest: None,
            arguments_until: None,
            client_id: None,
            grant_id: None,
            token: None,
        };
        Self { record, arguments: None, room: None, argument_room: None }
    }

    /// The credential is known: from now on the call leaves a record.
    pub(super) fn caller(&mut self, view: &AccessView, key: &Key, instance: Option<InstanceId>) {
        self.record.organization_id = key.organization.uuid();
        self.record.principal_id = Some(key.principal.uuid());
        self.record.credential_id = Some(key.id.uuid());
        self.asked(view, instance);
    }

    /// The same for an access token, whose organization is that of the instance that it is for.
    pub(super) fn token(
        &mut self,
        view: &AccessView,
        token: &CheckedToken,
        organization: OrganizationId,
        instance: Option<InstanceId>,
    ) {
        let says = &token.token.says;
        self.record.organization_id = organization.uuid();
        self.record.principal_id = Some(match says.holder {
            TokenHolder::User { user, .. } => user.uuid(),
            TokenHolder::Client => says.client.uuid(),
        });
        self.record.credential_id = Some(token.credential_id());
        self.record.client_id = Some(says.client.uuid());
        self.record.grant_id = match says.holder {
            TokenHolder::User { user: _, grant } => Some(grant.uuid()),
            TokenHolder::Client => None,
        };
        self.record.token = Some(PresentedToken {
            id: says.token,
            kid: token.kid.clone(),
            instance: says.instance,
            scopes: says.scopes.clone(),
            expires_at: says.expires_at,
        });
        self.asked(view, instance);
    }

    /// A caller on this machine, at an instance that is open to that.
    pub(super) fn loopback(&mut self, view: &AccessView, instance: &Instance) {
        self.record.organization_id = instance.organization.uuid();
        self.asked(view, Some(instance.id));
    }

    fn asked(&mut self, view: &AccessView, instance: Option<InstanceId>) {
        self.record.position = i64::try_from(view.position().get()).unwrap_or(i64::MAX);
        self.record.instance_id = instance.map(InstanceId::uuid);
        if let Some(instance) = instance.and_then(|id| view.instance(id)) {
            self.record.instance_organization_id = Some(instance.organization.uuid());
        }
    }

    /// The message was read.
    pub(super) fn message(&mut self, call: &McpCall, digest: Option<Vec<u8>>) {
        let Some(message) = &call.message else { return };
        self.record.kind = match message.kind() {
            MessageKind::Request { .. } => CallKind::Request,
            MessageKind::Notification => CallKind::Notification,
            MessageKind::Response { .. } => CallKind::Response,
        };
        self.record.method = message.method().map(|method| cut(method, METHOD_BYTES_MAX));
        self.record.tool = message.tool_name().map(|tool| cut(tool, TOOL_BYTES_MAX));
        self.record.bytes_in = i64::try_from(message.bytes().len()).unwrap_or(i64::MAX);
        self.record.arguments_digest = digest;
    }

    /// The credential does not count any more, or there is no such instance: the policy was not asked for more than that.
    pub(super) fn denied(&mut self, view: &AccessView, now: Timestamp, denial: &Denial) {
        self.verdict(view, now, Err(denial));
    }

    /// What is said of the caller and of the policy from now on rests on this.
    pub(super) const fn rests_on(&mut self, basis: Basis) {
        self.record.basis = basis;
    }

    /// The policy has decided.
    pub(super) fn decided(
        &mut self,
        view: &AccessView,
        caller: &AuthenticatedCaller,
        wish: Wish<'_>,
        (now, verdict): (Timestamp, Result<(), &Denial>),
    ) {
        // Of what is another's not even that it is there is told: the record is that of an address that leads to nothing.
        let own = self.record.instance_organization_id == Some(self.record.organization_id);
        if !own && matches!(verdict, Err(Denial::InstanceUnknown)) {
            return self.denied(view, now, &Denial::InstanceUnknown);
        }
        (self.record.wish, self.record.read_only) = match wish {
            Wish::Connect => (Some(WishKind::Connect), false),
            Wish::Read => (Some(WishKind::Read), false),
            Wish::Call { tool: _, read_only } => (Some(WishKind::Call), read_only),
            Wish::Extend => (Some(WishKind::Extend), false),
            Wish::Manage(_) => (None, false), // never asked of an instance
        };
        self.record.maintenance_exempt =
            view.deployment().maintenance.is_some() && !view.in_maintenance(caller.address);
        self.verdict(view, now, verdict);
    }

    fn verdict(&mut self, view: &AccessView, now: Timestamp, verdict: Result<(), &Denial>) {
        self.record.position = i64::try_from(view.position().get()).unwrap_or(i64::MAX);
        self.record.decided_at = Some(now.get());
        self.record.decision = if verdict.is_ok() { Decision::Permit } else { Decision::Denial };
        self.record.reason = verdict.err().map(|denial| denial.code().to_owned());
    }

    /// The id that the record will have.
    pub(super) const fn id(&self) -> Uuid {
        self.record.id
    }

    /// There is room for this record, whatever happens.
    pub(super) fn has_room(&mut self, room: Room) {
        self.room = Some(room);
    }

    /// The arguments are kept, for whole days beside the one that is under way.
    pub(super) fn keep(&mut self, sealed: Vec<u8>, retention: ArgumentDays, room: ArgumentRoom) {
        let days = time::Duration::days(i64::from(retention.get()) + 1);
        let until = self.record.at.date().checked_add(days).unwrap_or(time::Date::MAX);
        self.record.arguments_until = Some(until);
        self.arguments = Some(SealedArguments { until, sealed });
        self.argument_room = Some(room);
    }

    /// The call goes to the upstream.
    pub(super) fn sent(&mut self, destination: &Destination) {
        self.record.connection_id = Some(destination.connection_id.uuid());
        self.record.server_id = Some(destination.connection.server.uuid());
        self.record.upstream = Some(destination.url.origin());
    }

    /// The head of the answer goes out.
    pub(super) fn answered(&mut self, status: StatusCode, refused: Option<&'static str>) {
        self.record.status = i16::try_from(status.as_u16()).ok();
        if let Some(reason) = refused {
            self.record.outcome =
                if reason.starts_with("upstream-") { Outcome::UpstreamError } else { Outcome::Refused };
            // What the policy said stands, also where the caller is told less: of what is at an address that a token is not for, nothing.
            match self.record.decision {
                Decision::Denial => {}
                Decision::Permit | Decision::None => self.record.reason = Some(reason.to_owned()),
            }
        }
    }

    /// The answer is out, or nobody takes the rest of it.
    pub(super) fn ended(&mut self, outcome: Outcome, bytes_out: u64) {
        self.record.bytes_out = i64::try_from(bytes_out).unwrap_or(i64::MAX);
        match self.record.outcome {
            Outcome::Refused | Outcome::UpstreamError => {} // whether the client waited for that or not
            Outcome::Answered | Outcome::ClientGone | Outcome::CutOff => self.record.outcome = outcome,
        }
    }

    /// The answer ended before its end, with this as its last word.
    pub(super) fn broke_off(&mut self, reason: &'static str) {
        self.record.outcome = Outcome::CutOff;
        self.record.reason = Some(reason.to_owned());
    }

    /// The record, if the call is one that leaves one.
    pub(super) fn finish(mut self, took: Duration) -> Option<Written> {
        if self.record.organization_id.is_nil() {
            return None;
        }
        self.record.duration_us = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
        let call = Call { record: self.record, arguments: self.arguments };
        Some(Written { call, room: self.room, argument_room: self.argument_room })
    }
}
