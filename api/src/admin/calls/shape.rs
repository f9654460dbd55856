//! A call as the API shows it, and where records are lacking.

use projections::calls::{Basis, CallKind, CallRecord, Decision, Incomplete, Lack, Outcome, WishKind};
use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::hex::hex;

/// One page of calls.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallList)]
pub(super) struct CallPage {
    /// The calls.
    pub(super) items: Vec<RecordedCall>,
    /// Where records are lacking, within the time that was asked for.
    pub(super) incomplete: Vec<Lacking>,
    /// Give this back as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// What a call left behind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Call)]
pub(super) struct RecordedCall {
    /// Its id: a UUIDv7 of the moment at which it began.
    id: Uuid,
    /// When it began.
    #[serde(with = "rfc3339")]
    at: OffsetDateTime,
    /// Whose record it is: the caller's organization; the instance's where there is no credential.
    organization: Uuid,
    /// The user in whose name the credential calls; the client when it acts for itself; null without a credential.
    #[schema(required)]
    principal: Option<Uuid>,
    /// The API key; of an access token its grant, or its client when that acts for itself; null for a caller on loopback.
    #[schema(required)]
    credential: Option<Uuid>,
    /// The access token, when it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<CalledToken>,
    /// The instance, as it was asked for; null when the address held no id.
    #[schema(required)]
    instance: Option<Uuid>,
    /// `request`, `notification`, `response`, `stream`, `session_end`, or `unread` when it was refused before a message was read.
    #[schema(value_type = String)]
    kind: CallKind,
    /// The method of JSON-RPC.
    #[schema(required)]
    method: Option<String>,
    /// The tool of a `tools/call`, as it was asked for.
    #[schema(required)]
    tool: Option<String>,
    /// What the policy was asked for: `connect`, `read`, `call` or `extend`; null when it was not.
    #[schema(required, value_type = Option<String>)]
    wish: Option<WishKind>,
    /// Whether the tool counted as read-only in the decision.
    read_only: bool,
    /// Whether the caller's address passes the maintenance that was under way.
    maintenance_exempt: bool,
    /// `permit`, `denial`, or `none` when the call was refused before anything was decided.
    #[schema(value_type = String)]
    decision: Decision,
    /// Why it was denied or failed: the stable code that the caller was told; null when neither.
    #[schema(required)]
    reason: Option<String>,
    /// The moment that expiry was held against; null when nothing was decided.
    #[serde(with = "rfc3339::option")]
    #[schema(required)]
    decided_at: Option<OffsetDateTime>,
    /// The position whose view decided.
    position: i64,
    /// What was asked: `view`, `postgres`, or `stale_view`.
    #[schema(value_type = String)]
    basis: Basis,
    /// The run of a node that answered.
    node: Uuid,
    /// Its number among the records of that run.
    number: i64,
    /// The server behind the instance, when the call was sent there.
    #[schema(required)]
    server: Option<Uuid>,
    /// The connection behind the instance, when the call was sent there.
    #[schema(required)]
    connection: Option<Uuid>,
    /// The server's origin, when the call was sent there.
    #[schema(required)]
    upstream: Option<String>,
    /// The HTTP status; null when the client left before the head of the answer.
    #[schema(required)]
    status: Option<i16>,
    /// `answered`, `refused`, `upstream_error`, `client_gone` or `cut_off`.
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Microseconds from the beginning to the last byte of the answer.
    duration_us: i64,
    /// Bytes of the request's body.
    bytes_in: i64,
    /// Bytes of the answer's body that went out.
    bytes_out: i64,
    /// HMAC-SHA-256 of the arguments' bytes under a key of the deployment, in hexadecimal: equal arguments meet, and none can be guessed from it.
    #[schema(required)]
    arguments_digest: Option<String>,
    /// Sealed arguments are kept before this day; null when none are.
    #[schema(required)]
    arguments_until: Option<String>,
    /// The arguments, when they were asked for and are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<KeptArguments>,
}

/// An access token that somebody called with. It cannot be made again from this.
#[derive(Debug, Serialize, ToSchema)]
struct CalledToken {
    /// Its own id: its `jti`.
    id: Uuid,
    /// The client that it was given to.
    client: Uuid,
    /// What a user consented to; null when the client acts for itself.
    #[schema(required)]
    grant: Option<Uuid>,
    /// The one instance that it is for.
    instance: Uuid,
    /// Its own scopes: what grant and client do not allow, it does not do.
    scopes: Vec<String>,
    /// When it ends.
    #[serde(with = "rfc3339")]
    expires_at: OffsetDateTime,
    /// The key that signed it.
    kid: String,
}

/// Arguments that were kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeptArguments {
    /// Their JSON text, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// Their bytes, when they were cut within a character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) base64: Option<String>,
    /// Whether they may be only the beginning: 16 KiB are kept.
    pub(super) cut: bool,
}

/// Records that are lacking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LackingCalls)]
pub(super) struct Lacking {
    /// `dropped`: there was no room. `missing`: numbered and not arrived. `silent`: a node has said nothing since; it was killed, or does not reach
    /// Postgres.
    why: &'static str,
    /// The run of a node.
    node: Uuid,
    /// The instance whose calls they were, where that is known.
    #[schema(required)]
    instance: Option<Uuid>,
    /// Not before.
    #[serde(with = "rfc3339")]
    from: OffsetDateTime,
    /// Not after.
    #[serde(with = "rfc3339")]
    to: OffsetDateTime,
    /// How many; null when nobody can tell, or whose they were.
    #[schema(required)]
    count: Option<i64>,
}

impl Lacking {
    pub(super) fn of(found: &Incomplete) -> Self {
        let why = match found.lack {
            Lack::Dropped => "dropped",
            Lack::Missing => "missing",
            Lack::Silent => "silent",
        };
        Self {
            why,
            node: found.node_id,
            instance: found.instance_id,
            from: found.from_at,
            to: found.until_at,
            count: found.lacking,
        }
    }
}

impl RecordedCall {
    pub(super) fn of(record: CallRecord) -> Self {
        Self {
            id: record.id,
            at: record.at,
            organization: record.organization_id,
            principal: record.principal_id,
            credential: record.credential_id,
            token: record.client_id.zip(record.token).map(|(client, token)| CalledToken {
                id: token.id.uuid(),
                client,
                grant: record.grant_id,
                instance: token.instance.uuid(),
                scopes: token.scopes.iter().map(ToString::to_string).collect(),
                expires_at: token.expires_at.get(),
                kid: token.kid.as_str().to_owned(),
            }),
            instance: record.instance_id,
            kind: record.kind,
            method: record.method,
            tool: record.tool,
            wish: record.wish,
            read_only: record.read_only,
            maintenance_exempt: record.maintenance_exempt,
            decision: record.decision,
            reason: record.reason,
            decided_at: record.decided_at,
            position: record.position,
            basis: record.basis,
            node: record.node_id,
            number: record.number,
            server: record.server_id,
            connection: record.connection_id,
            upstream: record.upstream,
            status: record.status,
            outcome: record.outcome,
            duration_us: record.duration_us,
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            arguments_digest: record.arguments_digest.map(|digest| hex(&digest)),
            arguments_until: record.arguments_until.map(|until| until.to_string()),
            arguments: None,
        }
    }
}
