//! Problem details (RFC 9457): one exhaustive map from every refusal to a status and a stable type.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use commands::{CarryOutError, HashError, Refused};
use domain::api_key::ApiKeyError;
use domain::client::ClientError;
use domain::connection::ConnectionError;
use domain::deployment::DeploymentError;
use domain::grant::GrantError;
use domain::instance::InstanceError;
use domain::organization::OrganizationError;
use domain::policy::Denial;
use domain::server::ServerError;
use domain::user::UserError;
use http::{HeaderValue, StatusCode, header};
use projections::LogError;
use serde_json::{Value, json};

/// A problem: what the caller reads, never what the log says.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    retry_after: Option<Duration>,
    extra: Option<(&'static str, Value)>,
}

/// The code of a problem that was answered, for logs and metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AnsweredProblem(pub(crate) &'static str);

/// What a node refuses by that has nothing fresh enough to decide by, in every part of the product.
pub(crate) const VIEW_STALE: &str = "view-stale";

/// The prefix of every problem type.
pub(crate) const TYPE_PREFIX: &str = "urn:sekisho:problem:";

impl Problem {
    /// A problem with a stable code.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, extra: None }
    }

    /// The request is wrong.
    pub(crate) fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// There is no such thing here (for this caller).
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", format!("there is no such {what}"))
    }

    /// Something behind us does not answer; what exactly is in the log.
    pub(crate) fn unavailable(code: &'static str, cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, code, "answering 503");
        let detail =
            "something behind this API does not answer right now; retry with the same Idempotency-Key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).after(Duration::from_secs(1))
    }

    /// What is asked for rests on more records than are read for one answer.
    pub(crate) fn too_many_records() -> Self {
        let detail = "it takes too long to read all records of this time; ask about a shorter one";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too-many-records", detail)
    }

    /// With a hint when to come back.
    #[must_use]
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// With one more member.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.extra = Some((name, value));
        self
    }
}

impl Problem {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }

    /// The problem as JSON, for answers whose status is out already.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("{TYPE_PREFIX}{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let (Some((name, value)), Some(object)) = (&self.extra, body.as_object_mut()) {
            object.insert((*name).to_owned(), value.clone());
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        response.extensions_mut().insert(AnsweredProblem(self.code));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sekisho\""));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::unavailable("database-unavailable", &error)
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Database(error) => Self::unavailable("log-unavailable", &error),
            LogError::Hole { .. } | LogError::BrokenOff { .. } | LogError::Malformed(..) => {
                tracing::error!(error = %error, "the log is broken");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "log-broken", error.to_string())
            }
        }
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        let status = match &denial {
            Denial::KeyRevoked
            | Denial::KeyExpired
            | Denial::TokenRevoked
            | Denial::TokenExpired
            | Denial::ClientInactive
            | Denial::GrantRevoked
            | Denial::PrincipalInactive
            | Denial::NotMember
            | Denial::AuthenticationNotAccepted => StatusCode::UNAUTHORIZED,
            Denial::OrganizationUnknown | Denial::InstanceUnknown => StatusCode::NOT_FOUND,
            Denial::OrganizationSuspended
            | Denial::OrganizationDeleted
            | Denial::BoundToOtherInstance
            | Denial::BoundToInstance
            | Denial::ToolNotExposed
            | Denial::RoleTooLow
            | Denial::ScopeMissing(_)
            | Denial::WrongDoor => StatusCode::FORBIDDEN,
            Denial::InstanceStopped | Denial::Maintenance => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, denial.code(), denial.to_string())
    }
}

impl From<CarryOutError> for Problem {
    fn from(error: CarryOutError) -> Self {
        let detail = error.to_string();
        match error {
            CarryOutError::Refused(refused) => refused.into(),
            CarryOutError::Taken(scope) => {
                Self::new(StatusCode::CONFLICT, "taken", detail).with("scope", Value::from(scope.as_str()))
            }
            CarryOutError::Conflict => Self::new(StatusCode::CONFLICT, "conflict", detail),
            CarryOutError::KeyReused => Self::new(StatusCode::CONFLICT, "idempotency-key-reused", detail),
            CarryOutError::Overloaded => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).after(Duration::from_secs(1))
            }
            CarryOutError::Log(error) => Self::unavailable("log-unavailable", &error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let detail = refused.to_string();
        let (status, code) = match refused {
            Refused::Organization(error) => organization(error),
            Refused::User(error) => user(error),
            Refused::Client(error) => client(error),
            Refused::Grant(error) => grant(error),
            Refused::ApiKey(error) => api_key(error),
            Refused::Server(error) => server(&error),
            Refused::Connection(error) => connection(error),
            Refused::Instance(error) => instance(error),
            Refused::Deployment(error) => deployment(error),
            Refused::LastOwnerOf(organizations) => {
                return Self::new(StatusCode::CONFLICT, "last-owner", detail)
                    .with("organizations", Value::from(organizations));
            }
            Refused::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Refused::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Refused::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            Refused::Log(error) => return Self::unavailable("log-unavailable", &error),
            Refused::Hash(HashError::Busy) => {
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
                    .after(Duration::from_secs(1));
            }
            Refused::Hash(error @ HashError::Failed(_)) => {
                return Self::unavailable("hash-unavailable", &error);
            }
            Refused::Vault(error) => return Self::unavailable("vault-unavailable", &error),
        };
        Self::new(status, code, detail)
    }
}

type Answer = (StatusCode, &'static str);

const fn organization(error: OrganizationError) -> Answer {
    match error {
        OrganizationError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        OrganizationError::Exists => (StatusCode::CONFLICT, "exists"),
        OrganizationError::Suspended => (StatusCode::FORBIDDEN, "organization-suspended"),
        OrganizationError::Deleted => (StatusCode::GONE, "organization-deleted"),
        OrganizationError::SlugOfOtherKind => (StatusCode::UNPROCESSABLE_ENTITY, "slug-of-other-kind"),
        OrganizationError::Personal => (StatusCode::CONFLICT, "personal-organization"),
        OrganizationError::AlreadyMember => (StatusCode::CONFLICT, "already-member"),
        OrganizationError::NotMember => (StatusCode::NOT_FOUND, "no-such-member"),
        OrganizationError::LastOwner => (StatusCode::CONFLICT, "last-owner"),
        OrganizationError::AboveOwnRole => (StatusCode::FORBIDDEN, "above-own-role"),
    }
}

const fn user(error: UserError) -> Answer {
    match error {
        UserError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        UserError::Exists => (StatusCode::CONFLICT, "exists"),
        UserError::Suspended => (StatusCode::CONFLICT, "user-suspended"),
        UserError::Deleted => (StatusCode::GONE, "user-deleted"),
        UserError::Erased => (StatusCode::GONE, "user-erased"),
        UserError::TooManyIdentities => (StatusCode::CONFLICT, "too-many-identities"),
        UserError::LastWayIn => (StatusCode::CONFLICT, "last-way-in"),
        UserError::UnknownIdentity => (StatusCode::NOT_FOUND, "no-such-identity"),
    }
}

const fn client(error: ClientError) -> Answer {
    match error {
        ClientError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        ClientError::Exists => (StatusCode::CONFLICT, "exists"),
        ClientError::Deleted => (StatusCode::GONE, "client-deleted"),
        ClientError::NoSecret => (StatusCode::CONFLICT, "client-has-no-secret"),
        ClientError::NoKeys => (StatusCode::CONFLICT, "client-has-no-keys"),
        ClientError::OtherAuthentication => (StatusCode::UNPROCESSABLE_ENTITY, "other-authentication"),
        ClientError::NotItsOwn => (StatusCode::FORBIDDEN, "not-self-registered"),
        ClientError::TakenOver => (StatusCode::FORBIDDEN, "registration-taken-over"),
        ClientError::OwnCredentials => (StatusCode::UNPROCESSABLE_ENTITY, "own-credentials"),
        ClientError::PublishedSecret => (StatusCode::UNPROCESSABLE_ENTITY, "published-secret"),
        ClientError::NoRedirectUri => (StatusCode::UNPROCESSABLE_ENTITY, "redirect-uri-missing"),
        ClientError::PublicAuthentication => {
            (StatusCode::UNPROCESSABLE_ENTITY, "public-client-authentication")
        }
        ClientError::PublicCredentials => (StatusCode::UNPROCESSABLE_ENTITY, "public-client-credentials"),
        ClientError::NoGrantType => (StatusCode::UNPROCESSABLE_ENTITY, "grant-type-missing"),
        ClientError::RefreshWithoutCode => (StatusCode::UNPROCESSABLE_ENTITY, "refresh-without-code"),
        ClientError::TooManyRedirectUris => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-redirect-uris"),
    }
}

const fn grant(error: GrantError) -> Answer {
    match error {
        GrantError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        GrantError::Exists => (StatusCode::CONFLICT, "exists"),
        GrantError::Revoked => (StatusCode::GONE, "grant-revoked"),
        GrantError::NoScopes => (StatusCode::UNPROCESSABLE_ENTITY, "no-scopes"),
        GrantError::ManagementScope => (StatusCode::UNPROCESSABLE_ENTITY, "management-scope"),
        GrantError::ExpiryNotInFuture => (StatusCode::UNPROCESSABLE_ENTITY, "expiry-not-in-future"),
    }
}

const fn api_key(error: ApiKeyError) -> Answer {
    match error {
        ApiKeyError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        ApiKeyError::Exists => (StatusCode::CONFLICT, "exists"),
        ApiKeyError::Revoked => (StatusCode::GONE, "key-revoked"),
        ApiKeyError::NoScopes => (StatusCode::UNPROCESSABLE_ENTITY, "no-scopes"),
        ApiKeyError::ExpiryNotInFuture => (StatusCode::UNPROCESSABLE_ENTITY, "expiry-not-in-future"),
    }
}

const fn server(error: &ServerError) -> Answer {
    match error {
        ServerError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        ServerError::Exists => (StatusCode::CONFLICT, "exists"),
        ServerError::Retired => (StatusCode::GONE, "server-retired"),
        ServerError::PublicOfOrganization => {
            (StatusCode::UNPROCESSABLE_ENTITY, "public-server-of-organization")
        }
        ServerError::TooManyFields => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-credential-fields"),
        ServerError::DuplicateField(_) => (StatusCode::UNPROCESSABLE_ENTITY, "duplicate-credential-field"),
        ServerError::DuplicateHeader(_) => (StatusCode::UNPROCESSABLE_ENTITY, "duplicate-credential-header"),
    }
}

const fn connection(error: ConnectionError) -> Answer {
    match error {
        ConnectionError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        ConnectionError::Exists => (StatusCode::CONFLICT, "exists"),
        ConnectionError::Removed => (StatusCode::GONE, "connection-removed"),
        ConnectionError::StaleVersion => (StatusCode::CONFLICT, "secrets-changed-meanwhile"),
        ConnectionError::ServerMoved => (StatusCode::CONFLICT, "server-moved"),
        ConnectionError::AuthorizationUsed => (StatusCode::CONFLICT, "authorization-used"),
        ConnectionError::AuthorizationUnfit => (StatusCode::CONFLICT, "authorization-unfit"),
        ConnectionError::TooManyScopes => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-scopes"),
        ConnectionError::TooManyFields => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-secret-fields"),
    }
}

const fn instance(error: InstanceError) -> Answer {
    match error {
        InstanceError::Unknown => (StatusCode::NOT_FOUND, "not-found"),
        InstanceError::Exists => (StatusCode::CONFLICT, "exists"),
        InstanceError::Deleted => (StatusCode::GONE, "instance-deleted"),
        InstanceError::Connections => (StatusCode::UNPROCESSABLE_ENTITY, "instance-connections"),
        InstanceError::OneMember => (StatusCode::CONFLICT, "one-member"),
        InstanceError::NotTheMembers => (StatusCode::UNPROCESSABLE_ENTITY, "not-the-members"),
        InstanceError::NamesCollide => (StatusCode::UNPROCESSABLE_ENTITY, "member-names-collide"),
        InstanceError::TooManyTools => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-tools"),
    }
}

const fn deployment(error: DeploymentError) -> Answer {
    match error {
        DeploymentError::Unknown => (StatusCode::CONFLICT, "not-bootstrapped"),
        DeploymentError::Exists => (StatusCode::CONFLICT, "already-bootstrapped"),
        DeploymentError::LastAdministrator => (StatusCode::CONFLICT, "last-administrator"),
        DeploymentError::EndNotInFuture => (StatusCode::UNPROCESSABLE_ENTITY, "end-not-in-future"),
        DeploymentError::TooManyRanges => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-ranges"),
        DeploymentError::UnknownAnnouncement => (StatusCode::NOT_FOUND, "no-such-announcement"),
        DeploymentError::AnnouncementExists => (StatusCode::CONFLICT, "announcement-exists"),
        DeploymentError::AnnouncementWithdrawn => (StatusCode::GONE, "announcement-withdrawn"),
        DeploymentError::TooManyAnnouncements => (StatusCode::CONFLICT, "too-many-announcements"),
        DeploymentError::TooManyLinks => (StatusCode::UNPROCESSABLE_ENTITY, "too-many-links"),
        DeploymentError::UnknownSigningKey => (StatusCode::NOT_FOUND, "no-such-signing-key"),
        DeploymentError::SigningKeySpent => (StatusCode::CONFLICT, "signing-key-spent"),
        DeploymentError::SigningKeyActive => (StatusCode::CONFLICT, "signing-key-active"),
        DeploymentError::SigningKeyInUse => (StatusCode::CONFLICT, "signing-key-in-use"),
        DeploymentError::TooManySigningKeys => (StatusCode::CONFLICT, "too-many-signing-keys"),
        DeploymentError::UnknownProvider => (StatusCode::NOT_FOUND, "no-such-identity-provider"),
        DeploymentError::ProviderExists => (StatusCode::CONFLICT, "identity-provider-exists"),
        DeploymentError::ProviderOfAnotherIssuer => {
            (StatusCode::CONFLICT, "identity-provider-of-another-issuer")
        }
        DeploymentError::IssuerExists => (StatusCode::CONFLICT, "issuer-exists"),
        DeploymentError::TooManyProviders => (StatusCode::CONFLICT, "too-many-identity-providers"),
        DeploymentError::TooManyProviderScopes => {
            (StatusCode::UNPROCESSABLE_ENTITY, "too-many-provider-scopes")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_refused_because_others_wait_already_is_told_when_to_come_back() {
        for busy in [CarryOutError::Refused(Refused::Hash(HashError::Busy)), CarryOutError::Overloaded] {
            let response = Problem::from(busy).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(header::RETRY_AFTER));
        }
    }
}
