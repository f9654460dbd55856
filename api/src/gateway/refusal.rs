//! Every way in which a call is refused, and the one map to HTTP and JSON-RPC.
//!
//! Each answer has a status, a `WWW-Authenticate` where credentials are the matter (RFC 9110, 11.6.1; RFC 6750, 3), a JSON-RPC error with the
//! request's id as soon as it is known, and a stable `data.reason`. What a caller may not know is not in it: a foreign instance is an unknown one.

mod members;

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use domain::policy::Denial;
use domain::value::{InstanceId, Scope, Scopes};
use http::{HeaderValue, StatusCode, header};
use mcp::envelope::{EnvelopeError, Message, RequestId};
use mcp::error::{RpcError, code};
use mcp::headers::{HeaderError, MediaError};
use mcp::memory::{ByteBudget, NoRoom};
use mcp::origin::OriginRefused;
use mcp::upstream::UpstreamError;

use super::authenticate::AuthenticatedCaller;
use super::body::{BODY_WAIT, read_body};
use crate::limits::TooMany;
use crate::problem::VIEW_STALE;
use crate::token::{PublicUrl, TokenFault, scope_text};

/// What opens a network to servers of organizations, for whoever runs this.
const OPEN_NETWORKS: &str = "--upstream-networks (SEKISHO_UPSTREAM_NETWORKS) opens networks to them, 127.0.0.0/8 for this machine, and an administrator of the deployment registers a server anywhere";
/// An upstream has answered no.
const UPSTREAM_REFUSED: &str = "upstream-refused";
/// How much of a refused request is read to find its id, and how long that may take. Reading it also keeps the connection usable.
const ID_BYTES_MAX: usize = 64 * 1024;
const ID_WAIT: Duration = Duration::from_secs(1);

/// A refusal before it has a request id.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    error: RpcError,
    challenge: Option<String>,
    retry: Option<Retry>,
}

/// When trying again makes sense.
#[derive(Debug, Clone)]
enum Retry {
    /// After so long.
    After(Duration),
    /// When there is something left of a limit.
    Limited(Box<TooMany>),
}

/// A refusal ready to be sent.
#[derive(Debug)]
pub(crate) struct Refused {
    refusal: Refusal,
    id: Option<RequestId>,
    /// Where a client learns how to get a token for this place.
    resource_metadata: Option<String>,
}

impl Refusal {
    fn new(
        status: StatusCode,
        code: i64,
        reason: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, error: RpcError::new(code, reason, message), challenge: None, retry: None }
    }

    fn challenged(mut self, parameters: &str) -> Self {
        self.challenge = Some(format!("Bearer realm=\"sekisho\"{parameters}"));
        self
    }

    pub(super) fn origin(error: OriginRefused) -> Self {
        Self { status: error.status(), error: error.rpc_error(), challenge: None, retry: None }
    }

    pub(super) fn no_credential() -> Self {
        let message = "this endpoint takes an access token as Authorization: Bearer, or an API key in the header x-api-key";
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, "no-credential", message)
            .challenged(&scope_to_begin_with())
    }

    pub(super) fn bad_credential(reason: &'static str) -> Self {
        let message = match reason {
            "authorization-not-accepted" => {
                "send an API key in the header x-api-key; Authorization takes access tokens, as Bearer"
            }
            _ => "the API key in x-api-key is not accepted",
        };
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, reason, message)
            .challenged(", error=\"invalid_token\"")
    }

    /// An access token that is none, or none for now.
    pub(super) fn bad_token(fault: TokenFault) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, fault.code(), fault.to_string())
            .challenged(&format!(", error=\"invalid_token\"{}", scope_to_begin_with()))
    }

    /// An access token for another place.
    pub(super) fn wrong_audience() -> Self {
        let message = "this access token is for another resource";
        Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, "token-wrong-audience", message)
            .challenged(&format!(", error=\"invalid_token\"{}", scope_to_begin_with()))
    }

    /// A scheme without anything behind it (RFC 6750, 3.1).
    pub(super) fn malformed_authorization() -> Self {
        let message = "write Authorization: Bearer and the access token behind it";
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, "authorization-malformed", message)
            .challenged(", error=\"invalid_request\"")
    }

    pub(super) fn two_credentials() -> Self {
        let message =
            "send exactly one credential: one x-api-key, or one Authorization, and none in the address";
        Self::new(StatusCode::BAD_REQUEST, code::INVALID_REQUEST, "two-credentials", message)
            .challenged(", error=\"invalid_request\"")
    }

    /// The credential is genuine, but it does not count any more.
    pub(super) fn unauthenticated(denial: Denial) -> Self {
        match denial {
            Denial::KeyRevoked
            | Denial::KeyExpired
            | Denial::TokenRevoked
            | Denial::TokenExpired
            | Denial::ClientInactive
            | Denial::GrantRevoked
            | Denial::PrincipalInactive
            | Denial::NotMember => {
                Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, denial.code(), denial.to_string())
                    .challenged(", error=\"invalid_token\"")
            }
            other => Self::denied(other),
        }
    }

    /// The policy says no to this caller. Who lacks a scope is told everything that a new token needs: what the one they have holds, and what it lacks.
    pub(super) fn denied_to(caller: &AuthenticatedCaller, denial: Denial) -> Self {
        let (Denial::ScopeMissing(missing), Some(held)) = (&denial, caller.token_scopes()) else {
            return Self::denied(denial);
        };
        let wanted: Scopes = held.iter().chain([missing]).cloned().collect();
        Self::new(StatusCode::FORBIDDEN, code::DENIED, denial.code(), denial.to_string()).challenged(
            &format!(", error=\"insufficient_scope\", scope=\"{}\"", quotable(&scope_text(&wanted))),
        )
    }

    /// The policy says no.
    pub(super) fn denied(denial: Denial) -> Self {
        let reason = denial.code();
        let message = denial.to_string();
        let forbidden = |parameters: &str| {
            Self::new(StatusCode::FORBIDDEN, code::DENIED, reason, message.clone()).challenged(parameters)
        };
        match denial {
            Denial::ScopeMissing(scope) => forbidden(&format!(
                ", error=\"insufficient_scope\", scope=\"{}\"",
                quotable(&scope.to_string())
            )),
            Denial::ToolNotExposed | Denial::RoleTooLow => forbidden(", error=\"insufficient_scope\""),
            Denial::OrganizationSuspended
            | Denial::OrganizationDeleted
            | Denial::BoundToOtherInstance
            | Denial::BoundToInstance
            | Denial::WrongDoor => Self::new(StatusCode::FORBIDDEN, code::DENIED, reason, message),
            Denial::KeyRevoked
            | Denial::KeyExpired
            | Denial::TokenRevoked
            | Denial::TokenExpired
            | Denial::ClientInactive
            | Denial::GrantRevoked
            | Denial::PrincipalInactive
            | Denial::NotMember
            | Denial::AuthenticationNotAccepted => {
                Self::new(StatusCode::UNAUTHORIZED, code::UNAUTHENTICATED, reason, message).challenged("")
            }
            Denial::InstanceUnknown | Denial::OrganizationUnknown => {
                Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, reason, message)
            }
            Denial::InstanceStopped | Denial::Maintenance => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, reason, message)
                    .after(Duration::from_secs(30))
            }
        }
    }

    pub(super) fn unknown_instance() -> Self {
        Self::denied(Denial::InstanceUnknown)
    }

    /// A legacy session that is not this caller's: 404 makes the client initialize again (MCP 2025-11-25, session management).
    pub(super) fn unknown_session() -> Self {
        let message = "there is no such session; initialize again";
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, "session-unknown", message)
    }

    /// Somebody calls too often: the credential, all of its organization, or whoever shares an address.
    pub(super) fn rate_limited(too_many: TooMany) -> Self {
        let (reason, message) = match too_many.who() {
            "address" => {
                ("rate-limited-address", "too many calls from one address; wait as Retry-After says")
            }
            "organization" => {
                ("rate-limited-organization", "too many calls of one organization; wait as Retry-After says")
            }
            _ => ("rate-limited", "this credential calls too often; wait as Retry-After says"),
        };
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMITED, reason, message);
        Self { retry: Some(Retry::Limited(Box::new(too_many))), ..refused }
    }

    pub(super) fn media(error: MediaError) -> Self {
        Self { status: error.status(), error: error.rpc_error(), challenge: None, retry: None }
    }

    pub(super) fn header(error: &HeaderError) -> Self {
        Self { status: error.status(), error: error.rpc_error(), challenge: None, retry: None }
    }

    pub(super) fn envelope(error: EnvelopeError) -> Self {
        Self { status: error.status(), error: error.rpc_error(), challenge: None, retry: None }
    }

    pub(super) fn too_large(bytes_max: usize) -> Self {
        let message = format!("a request has at most {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code::TOO_LARGE, "request-too-large", message)
    }

    pub(super) fn broken_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            code::INVALID_REQUEST,
            "body-broken",
            "the body ended before it was complete",
        )
    }

    pub(super) fn body_too_slow() -> Self {
        let message = format!("a request arrives within {} seconds", BODY_WAIT.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, code::INVALID_REQUEST, "body-too-slow", message)
    }

    /// This node does not know enough to decide: it is starting, or it has met an event that it cannot read.
    pub(super) fn view_not_current() -> Self {
        let message = "this node cannot decide right now; try again, or ask another node";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, "view-not-current", message)
            .after(Duration::from_secs(1))
    }

    /// What this node knows is older than decisions may rest on, and Postgres does not answer either.
    pub(super) fn view_stale() -> Self {
        let message =
            "this node has not heard of the log for too long to decide; try again, or ask another node";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, VIEW_STALE, message)
            .after(Duration::from_secs(1))
    }

    /// Calls of this instance must not go on without a record, and there is no room for one.
    pub(super) fn recording_unavailable() -> Self {
        let message = "this call cannot be recorded right now, and its instance takes none without a record";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, "recording-unavailable", message)
            .after(Duration::from_secs(1))
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "this endpoint answers POST, GET and DELETE";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code::INVALID_REQUEST, "method-not-allowed", message)
    }

    pub(super) fn no_upstream() -> Self {
        let message = "the connection or server behind this instance was removed";
        Self::new(StatusCode::BAD_GATEWAY, code::INTERNAL_ERROR, "upstream-removed", message)
    }

    pub(super) fn credential_missing() -> Self {
        let message = "the server behind this instance needs a credential that was not set on its connection";
        Self::new(StatusCode::BAD_GATEWAY, code::INTERNAL_ERROR, "upstream-credential-missing", message)
    }

    /// Whoever holds the connection must authorize it, or allow more: where. It opens for nobody else.
    pub(super) fn authorization_needed(page: String) -> Self {
        let message = format!(
            "the connection to the server behind this instance must be authorized, by whoever holds it: open {page}"
        );
        let error = RpcError::new(code::INTERNAL_ERROR, "upstream-authorization-needed", message);
        let error = error.with("authorize_at", page);
        Self { status: StatusCode::BAD_GATEWAY, error, challenge: None, retry: None }
    }

    /// The token cannot be renewed right now.
    pub(super) fn authorization_unavailable() -> Self {
        let message = "the authorization for the server behind this instance cannot be renewed right now";
        let reason = "upstream-authorization-unavailable";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, reason, message)
            .after(Duration::from_secs(5))
    }

    pub(super) fn vault() -> Self {
        let message = "the credentials for the server behind this instance cannot be read right now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, "vault-unavailable", message)
            .after(Duration::from_secs(1))
    }

    /// All calls together hold as much as they may.
    pub(super) fn no_room(no_room: NoRoom) -> Self {
        Self::upstream(UpstreamError::NoRoom(no_room))
    }

    #[expect(clippy::needless_pass_by_value, reason = "used as a map function")]
    pub(super) fn upstream(error: UpstreamError) -> Self {
        let busy = error.status() == StatusCode::SERVICE_UNAVAILABLE;
        let retry = busy.then_some(Retry::After(Duration::from_secs(1)));
        let told = if matches!(error, UpstreamError::AddressRefused(_)) {
            RpcError::new(code::INTERNAL_ERROR, error.reason(), format!("{error}; {OPEN_NETWORKS}"))
        } else {
            error.rpc_error()
        };
        Self { status: error.status(), error: told, challenge: None, retry }
    }

    /// The upstream does not answer, and is left alone for so long.
    pub(super) fn upstream_down(wait: Duration) -> Self {
        let message = "the upstream does not answer; it is asked again in a moment";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code::INTERNAL_ERROR, "upstream-down", message).after(wait)
    }

    /// The upstream refused what we asked of it on the caller's behalf: its status, as for a call that is carried.
    pub(super) fn upstream_refused(status: StatusCode) -> Self {
        let message = "the upstream refused the request";
        Self::new(status, code::INTERNAL_ERROR, UPSTREAM_REFUSED, message)
    }

    /// The same, said of one of several servers: that one does not know its address or session says nothing of the client's own, which 404 would end.
    #[must_use]
    pub(super) fn of_a_member(mut self) -> Self {
        if self.status == StatusCode::NOT_FOUND && self.reason() == UPSTREAM_REFUSED {
            self.status = StatusCode::BAD_GATEWAY;
        }
        self
    }

    /// The stable word.
    pub(super) const fn reason(&self) -> &'static str {
        self.error.reason()
    }

    /// Whether this is about an answer that came and was none.
    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.reason(), UPSTREAM_REFUSED | "upstream-bad-answer")
    }

    fn after(mut self, wait: Duration) -> Self {
        self.retry = Some(Retry::After(wait));
        self
    }

    /// The same as the last word of a stream, whose status is out already.
    pub(super) fn into_error(self) -> RpcError {
        self.error
    }

    /// The refusal of this request.
    pub(super) fn to(self, id: Option<RequestId>) -> Refused {
        Refused { refusal: self, id, resource_metadata: None }
    }

    /// The refusal of a request whose body was not read yet: reads a little of it, to answer under its id.
    pub(super) async fn with_id_from(self, body: Body, memory: &ByteBudget) -> Refused {
        let read = tokio::time::timeout(ID_WAIT, read_body(body, ID_BYTES_MAX, memory)).await;
        let id = match read {
            Ok(Ok(bytes)) => Message::readable_id(&bytes),
            Ok(Err(_)) | Err(_) => None,
        };
        self.to(id)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        refusal.to(None)
    }
}

impl Refused {
    /// The same, telling whoever lacks a credential where to learn how to get one (RFC 9728, 5.1). It is named after the address alone, so it is told of
    /// what is not there, too.
    pub(super) fn telling(self, url: &PublicUrl, instance: Option<InstanceId>) -> Self {
        let resource_metadata = instance.map(|instance| url.resource_metadata(instance));
        Self { resource_metadata, ..self }
    }
}

/// What a client asks for first: enough to come in and look.
fn scope_to_begin_with() -> String {
    format!(", scope=\"{}\"", Scope::McpRead)
}

/// Without what would end a quoted string.
fn quotable(text: &str) -> String {
    text.replace(['"', '\\'], "")
}

/// The reason of a refused call, for logs and metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusedFor(pub(crate) &'static str);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Refusal { status, error, challenge, retry } = self.refusal;
        let mut response = Response::new(Body::from(error.body(self.id.as_ref())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let challenge = challenge.map(|text| match &self.resource_metadata {
            Some(address) => format!("{text}, resource_metadata=\"{address}\""),
            None => text,
        });
        if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        match retry {
            Some(Retry::After(wait)) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            Some(Retry::Limited(too_many)) => too_many.tell(headers),
            None => {}
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let verbs =
                if error.reason() == members::NO_STREAM { "POST, DELETE" } else { "POST, GET, DELETE" };
            headers.insert(header::ALLOW, HeaderValue::from_static(verbs));
        }
        response.extensions_mut().insert(RefusedFor(error.reason()));
        response
    }
}
