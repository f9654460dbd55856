//! `POST /oauth/register`: a client registers itself (RFC 7591), as far as the deployment lets it; and what it does about that later (RFC 7592).
//!
//! ```text
//!   closed   nobody registers
//!   token    whoever shows an API key with `clients:write`; the client is then one of that key's organization
//!   open     anybody; without a key the client is nobody's, and is forgotten unless somebody lets it act
//! ```
//! Such a client gets codes and refresh tokens, for which people consent, and no token in its own name (MCP 2026-07-28, A6.8). Whatever it says of
//! itself is a claim: it is shown as one, and none of its pages is ever fetched.

mod answer;
mod manage;
mod read;

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use commands::client::RegisterItself;
use commands::{Actor, CarryOutError, Entropy as _, Order, Ports, Refused, carry_out};
use domain::client::ClientError;
use domain::policy::Denial;
use domain::value::{ClientId, OrganizationId, PresentedSecret, Scope};
use http::{HeaderMap, Method, StatusCode};

use self::answer::{RegisteredMetadata, Shown};
pub(in crate::oauth) use self::read::ClientMetadata;
use self::read::{Wish, bytes_max, read_json};
use super::Oauth;
use super::bearer::bearer;
use super::error::{OauthError, OauthErrorCode, no_store};
use super::table::{OauthAccess, OauthRoute};
use crate::key_holder::{may, member_behind, recognised};
use crate::limits::{Subject, Subscriber, Surface};
use crate::trace_context::TraceContext;

pub(super) const PATH: &str = "/oauth/register";
/// Clients that are nobody's and that nobody ever let act: every node holds them in memory until they are forgotten, at up to `STRANGER_BYTES_MAX` each. More
/// are refused until some are used or forgotten (`oauth.md`, case 3).
pub const UNUSED_CLIENTS_MAX: usize = 5_000;

/// Once three quarters of them are there, the oldest are forgotten sooner: down to those three quarters, and none that registered within so long.
pub const UNUSED_CLIENT_KEPT_AT_LEAST: Duration = Duration::from_mins(10);

/// When there may be room again.
const RETRY_AFTER: Duration = Duration::from_mins(1);

/// Who may register a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Nobody.
    Closed,
    /// Whoever shows an API key with `clients:write`.
    Token,
    /// Anybody.
    Open,
}

impl RegistrationPolicy {
    const ALL: [Self; 3] = [Self::Closed, Self::Token, Self::Open];

    /// The name of the option's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Token => "token",
            Self::Open => "open",
        }
    }

    /// The policy with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }

    /// Whether there is any way to register.
    pub const fn lets_some(self) -> bool {
        match self {
            Self::Closed => false,
            Self::Token | Self::Open => true,
        }
    }
}

/// The routes.
pub(super) fn routes<P: Ports + 'static>() -> Vec<OauthRoute<P>> {
    let summary = "Register a client, as far as the deployment lets it (RFC 7591)";
    let register = OauthRoute::at(
        Method::POST,
        PATH,
        OauthAccess::Registration,
        "registerItself",
        summary,
        register::<P>,
    )
    .taking::<ClientMetadata>()
    .answering::<RegisteredMetadata>(StatusCode::CREATED)
    .limited(Surface::Register);
    [register].into_iter().chain(manage::routes()).collect()
}

async fn register<P: Ports + 'static>(
    State(oauth): State<Oauth<P>>,
    asker: Subscriber,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, OauthError> {
    let id = ClientId::new(oauth.ports.entropy().id());
    let Admitted { actor, organization } = oauth.registrar(bearer(&headers)?, id)?;
    let said: ClientMetadata = read_json(&headers, body, bytes_max(organization)).await?;
    let Wish { proof, description } = said.wish(id)?;
    if organization.is_none() {
        // What registers nothing takes nothing of the day.
        let count = oauth.limits.take(Surface::RegisterStranger, Subject::Address(asker));
        count.map_err(OauthError::too_many)?;
    }
    let use_case =
        RegisterItself { id, organization, proof: proof.clone(), description: description.clone() };
    let done = carry_out(&*oauth.ports, &actor, order(&headers), &use_case).await.map_err(refused)?;
    oauth.acts_by(done.position).await;
    let shown = Shown::registered(&description, &proof, id, &done.answer);
    Ok(answered(StatusCode::CREATED, shown.metadata(&oauth.url)))
}

/// Who registers a client, and whose it will be.
struct Admitted {
    actor: Actor,
    organization: Option<OrganizationId>,
}

impl<P> Oauth<P> {
    /// Whoever shows a key is taken at it, also where anybody may register: one that is wrong is not the same as none.
    fn registrar(&self, shown: Option<PresentedSecret>, id: ClientId) -> Result<Admitted, OauthError> {
        if !self.registration.lets_some() {
            let why =
                "clients do not register themselves here; an organization registers one for its own use";
            return Err(OauthError::new(OauthErrorCode::AccessDenied, why));
        }
        let Some(shown) = shown else {
            return match self.registration {
                RegistrationPolicy::Open => {
                    self.must_have_room()?;
                    Ok(Admitted { actor: Actor::client(id), organization: None })
                }
                RegistrationPolicy::Token | RegistrationPolicy::Closed => {
                    let why =
                        "registering takes an API key with clients:write: Authorization: Bearer and the key";
                    Err(OauthError::no_token_because(why))
                }
            };
        };
        let grounds = self.grounds()?;
        let key =
            recognised(&grounds, &*self.keys, shown.reveal()).map_err(|_| OauthError::invalid_token())?;
        may(&grounds, key, key.organization, &Scope::ClientsWrite, self.clock.now())
            .map_err(|denial| denied(&denial))?;
        let actor = member_behind(&grounds, key).ok_or_else(OauthError::invalid_token)?;
        if !self.deciding.still_hold(grounds.mark()) {
            return Err(OauthError::unavailable("this node cannot decide right now; try again"));
        }
        Ok(Admitted { actor, organization: Some(key.organization) })
    }

    /// For one more client that is nobody's.
    fn must_have_room(&self) -> Result<(), OauthError> {
        let unused = self.grounds()?.view().unused_clients_of_nobody();
        if unused < self.unused_clients_max {
            return Ok(());
        }
        tracing::warn!(
            clients.unused = unused,
            "too many clients that nobody uses registered themselves; further ones are refused"
        );
        let why = "too many clients that nobody uses are registered here; try again later, or with an initial access token";
        Err(OauthError::unavailable(why).after(RETRY_AFTER))
    }
}

/// A key that is good for something else is told what it lacks; whatever else it is, it opens nothing here.
fn denied(denial: &Denial) -> OauthError {
    match denial {
        Denial::ScopeMissing(_) => OauthError::no_clients_scope(),
        Denial::KeyRevoked
        | Denial::KeyExpired
        | Denial::TokenRevoked
        | Denial::TokenExpired
        | Denial::ClientInactive
        | Denial::GrantRevoked
        | Denial::PrincipalInactive
        | Denial::NotMember
        | Denial::OrganizationSuspended
        | Denial::OrganizationDeleted
        | Denial::OrganizationUnknown
        | Denial::InstanceUnknown
        | Denial::InstanceStopped
        | Denial::BoundToOtherInstance
        | Denial::BoundToInstance
        | Denial::AuthenticationNotAccepted
        | Denial::ToolNotExposed
        | Denial::RoleTooLow
        | Denial::Maintenance
        | Denial::WrongDoor => OauthError::invalid_token(),
    }
}

/// Nobody retries under a key of their own: each time it is another client.
fn order(headers: &HeaderMap) -> Order {
    let correlation = TraceContext::current(headers).trace_id().to_owned();
    Order { command: None, request_digest: String::new(), correlation, causation: None }
}

fn answered(status: StatusCode, metadata: RegisteredMetadata) -> Response {
    let mut response = (status, Json(metadata)).into_response();
    no_store(response.headers_mut());
    response
}

/// What the rules of clients refuse is wrong with what was said; the rest is not the caller's doing.
fn refused(error: CarryOutError) -> OauthError {
    match error {
        CarryOutError::Refused(Refused::Client(error)) => match error {
            ClientError::NoRedirectUri | ClientError::TooManyRedirectUris => {
                OauthError::new(OauthErrorCode::InvalidRedirectUri, error.to_string())
            }
            ClientError::Unknown | ClientError::Deleted | ClientError::NotItsOwn | ClientError::TakenOver => {
                OauthError::invalid_token()
            }
            ClientError::Exists
            | ClientError::NoSecret
            | ClientError::NoKeys
            | ClientError::OtherAuthentication
            | ClientError::OwnCredentials
            | ClientError::PublishedSecret
            | ClientError::PublicAuthentication
            | ClientError::PublicCredentials
            | ClientError::NoGrantType
            | ClientError::RefreshWithoutCode => {
                OauthError::new(OauthErrorCode::InvalidClientMetadata, error.to_string())
            }
        },
        CarryOutError::Refused(Refused::Forbidden(why)) => OauthError::new(OauthErrorCode::AccessDenied, why),
        CarryOutError::Refused(Refused::NotFound(_) | Refused::Organization(_)) => {
            OauthError::invalid_token()
        }
        error @ (CarryOutError::Refused(
            Refused::User(_)
            | Refused::Grant(_)
            | Refused::ApiKey(_)
            | Refused::Server(_)
            | Refused::Connection(_)
            | Refused::Instance(_)
            | Refused::Deployment(_)
            | Refused::LastOwnerOf(_)
            | Refused::Invalid(_)
            | Refused::Log(_)
            | Refused::Vault(_)
            | Refused::Hash(_),
        )
        | CarryOutError::Taken(_)
        | CarryOutError::Conflict
        | CarryOutError::KeyReused
        | CarryOutError::Overloaded
        | CarryOutError::Log(_)) => {
            tracing::warn!(error = %error, "a client cannot be registered or changed right now");
            OauthError::unavailable("this cannot be done right now; try again")
        }
    }
}
