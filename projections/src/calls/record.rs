//! What is kept of one MCP call: who asked for what, what was decided on which facts, and how it ended. Never arguments, never results.

use domain::value::{ClientId, GrantId, InstanceId, KeyThumbprint, Scopes, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

pub use crate::access::Basis;
use crate::access::{TokenClaims, TokenHolder};
use crate::rows::{column_as_text, document};
use crate::table;

/// Bytes of a method's name that are kept: longer ones are no methods of MCP.
pub const METHOD_BYTES_MAX: usize = 128;
/// Bytes of a tool's name that are kept, as it was asked for.
pub const TOOL_BYTES_MAX: usize = 256;

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum CallKind {
    /// A request of JSON-RPC.
    Request,
    /// A notification.
    Notification,
    /// An answer to a request of the server.
    Response,
    /// A GET: the server's stream. Its record is written when it ends.
    Stream,
    /// A DELETE: the end of a session.
    SessionEnd,
    /// Refused before a message was read, or nothing that is one.
    Unread,
}

/// What the policy was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum WishKind {
    /// To connect.
    Connect,
    /// To read resources and prompts.
    Read,
    /// To call a tool.
    Call,
    /// To use a method whose effect is unknown.
    Extend,
}

impl WishKind {
    /// The name in the table and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Read => "read",
            Self::Call => "call",
            Self::Extend => "extend",
        }
    }
}

/// What the policy said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Decision {
    /// Yes. The call may have failed later all the same.
    Permit,
    /// No.
    Denial,
    /// It was not asked: the call was refused before.
    None,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Permit, Self::Denial, Self::None];

    /// The name in the table and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Denial => "denial",
            Self::None => "none",
        }
    }
}

/// How the call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Outcome {
    /// The upstream's answer went out whole.
    Answered,
    /// Sekisho refused it.
    Refused,
    /// The upstream could not be reached or gave no answer that can be carried.
    UpstreamError,
    /// The client left before the end of the answer.
    ClientGone,
    /// The answer broke off, or the node ended it.
    CutOff,
}

time::serde::format_description!(pub(super) iso_date, Date, "[year]-[month]-[day]");
column_as_text!(CallKind, WishKind, Decision, Basis, Outcome);

/// What an access token says of itself, beside client, grant and user. It is stored nowhere else, and never as a whole: nobody can call with this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresentedToken {
    /// Its own id: `jti`.
    pub id: TokenId,
    /// The key that signed it.
    pub kid: KeyThumbprint,
    /// The instance that it is for, wherever it was shown.
    pub instance: InstanceId,
    /// Its own scopes.
    pub scopes: Scopes,
    /// When it ends.
    pub expires_at: Timestamp,
}

document!(PresentedToken);

/// The record of one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, FromRow)]
pub struct CallRecord {
    /// A UUIDv7 of the moment at which the call began.
    pub id: Uuid,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whose auditors see it: the caller's organization; the instance's where there is no credential.
    pub organization_id: Uuid,
    /// Whose the instance is, when there is one.
    pub instance_organization_id: Option<Uuid>,
    /// The user in whose name the credential calls; the client itself when it acts for itself.
    pub principal_id: Option<Uuid>,
    /// The API key; of an access token its grant, or its client when that acts for itself; none for a caller on loopback.
    pub credential_id: Option<Uuid>,
    /// The instance, as it was asked for.
    pub instance_id: Option<Uuid>,
    /// What came.
    pub kind: CallKind,
    /// The method of JSON-RPC, cut to [`METHOD_BYTES_MAX`].
    pub method: Option<String>,
    /// The tool of a `tools/call` as it was asked for, cut to [`TOOL_BYTES_MAX`].
    pub tool: Option<String>,
    /// What the policy was asked for.
    pub wish: Option<WishKind>,
    /// Whether the tool counted as read-only in the decision.
    pub read_only: bool,
    /// Whether the caller's address passes the maintenance that was under way: all of the address that a decision rests on.
    pub maintenance_exempt: bool,
    /// What the policy said.
    pub decision: Decision,
    /// Why it was denied, refused or failed: the stable code that the caller was told.
    pub reason: Option<String>,
    /// The moment that expiry was held against.
    #[serde(with = "time::serde::rfc3339::option")]
    pub decided_at: Option<OffsetDateTime>,
    /// Position of the view that decided, or that was there when nothing was.
    pub position: i64,
    /// What the decision rested on.
    pub basis: Basis,
    /// The run of a node that made this record.
    pub node_id: Uuid,
    /// Its number in that run.
    pub number: i64,
    /// The server behind the instance.
    pub server_id: Option<Uuid>,
    /// The connection behind the instance.
    pub connection_id: Option<Uuid>,
    /// The server's origin, when the call was sent there.
    pub upstream: Option<String>,
    /// The status of the answer; none when the client left before its head.
    pub status: Option<i16>,
    /// How the call ended.
    pub outcome: Outcome,
    /// From the beginning to the last byte of the answer.
    pub duration_us: i64,
    /// Bytes of the request's body.
    pub bytes_in: i64,
    /// Bytes of the answer's body that went out.
    pub bytes_out: i64,
    /// HMAC-SHA-256 of the arguments' bytes under a key of the deployment: equal arguments meet, and short ones cannot be guessed.
    #[serde(with = "hexadecimal")]
    pub arguments_digest: Option<Vec<u8>>,
    /// Sealed arguments are kept before this day.
    #[serde(with = "iso_date::option")]
    pub arguments_until: Option<Date>,
    /// The client whose access token it was; none without a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<Uuid>,
    /// The grant that the token rests on; none when its client acts for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<Uuid>,
    /// What the token says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[sqlx(json(nullable))]
    pub token: Option<PresentedToken>,
}

table!(CallRecord in "calls" by Uuid = id;
    id, at, organization_id, instance_organization_id, principal_id, credential_id, instance_id, kind, method, tool, wish, read_only,
    maintenance_exempt, decision, reason, decided_at, position, basis, node_id, number, server_id, connection_id, upstream, status,
    outcome, duration_us, bytes_in, bytes_out, arguments_digest, arguments_until, client_id, grant_id, token);

impl CallRecord {
    /// What the access token said, if the call was made with one.
    pub fn token_claims(&self) -> Option<TokenClaims> {
        let PresentedToken { id, kid: _, instance, scopes, expires_at } = self.token.as_ref()?;
        let holder = match self.grant_id {
            Some(grant) => {
                TokenHolder::User { user: UserId::new(self.principal_id?), grant: GrantId::new(grant) }
            }
            None => TokenHolder::Client,
        };
        Some(TokenClaims {
            token: *id,
            client: ClientId::new(self.client_id?),
            holder,
            instance: *instance,
            scopes: scopes.clone(),
            expires_at: *expires_at,
        })
    }

    /// When it ended.
    pub fn ended_at(&self) -> OffsetDateTime {
        self.at.saturating_add(time::Duration::microseconds(self.duration_us))
    }
}

/// The beginning of a text, at most so many bytes, whole characters only; without the one character that Postgres keeps in no text.
pub fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    if text.contains('\0') { text.replace('\0', " ") } else { text.to_owned() }
}

mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let text = bytes.as_ref().map(|bytes| {
            bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
                // Writing into a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
        });
        text.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0);
        let digits = digits.ok_or_else(|| D::Error::custom("not hexadecimal"))?;
        let byte = |pair: &[u32]| pair.iter().fold(0_u32, |byte, digit| byte * 16 + digit);
        Ok(Some(digits.chunks_exact(2).filter_map(|pair| u8::try_from(byte(pair)).ok()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(cut("abc", 8), "abc");
        assert_eq!(cut("abc", 2), "ab");
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("é", 1), "");
        assert_eq!(cut("a\0b", 8), "a b");
    }
}
