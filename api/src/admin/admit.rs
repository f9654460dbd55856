//! The check in front of every handler: credential, access, position to wait for. Leaves the `Actor` for the handler, and why they
//! were let through, for answers that outlast the moment.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use commands::{Actor, Authority, Credential, Ports};
use domain::policy;
use domain::value::{ApiKeyId, KeyText, OrganizationId, Scope};
use http::request::Parts;
use http::{StatusCode, header};
use projections::access::{AccessView, Grounds, Key, Parties};

use super::everywhere::{wait_for, wants_to_wait};
use super::table::Access;
use super::{Admin, answer};
use crate::extract::{POSITION_WAIT, api_key, at_least};
use crate::key_holder::{may, member_behind, recognised};
use crate::problem::{Problem, VIEW_STALE};

/// What stands in front of one route.
pub(super) struct Gate<P> {
    pub(super) admin: Admin<P>,
    pub(super) access: Access,
    pub(super) made: StatusCode,
    pub(super) writes: bool,
}

impl<P> Clone for Gate<P> {
    fn clone(&self) -> Self {
        Self { admin: self.admin.clone(), access: self.access.clone(), made: self.made, writes: self.writes }
    }
}

/// Lets a request through to its handler, or not.
pub(super) async fn admit<P: Ports + 'static>(
    State(gate): State<Gate<P>>,
    path: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    // Wait first: whoever reads at a position is judged by the view at that position. Waiting is for those who hold something like a key.
    if let Some(position) = at_least(request.uri())?
        && looks_like_a_key(request.headers())?
        && !gate.admin.shown(position, POSITION_WAIT).await
    {
        let detail = format!("this node has not reached position {position} yet; retry");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "position-not-reached", detail));
    }
    let waits = wants_to_wait(request.uri(), gate.writes)?;
    let grounds = grounds(&gate, request.headers()).await?;
    let actor = match &gate.access {
        Access::Bootstrap => founder(&gate.admin, request.headers())?,
        Access::AnyKey | Access::Key(_) | Access::Organization(_) | Access::Administrator(_) => {
            let key = authenticated(&gate.admin, &grounds, request.headers())?;
            let door = Door { access: gate.access.clone(), organization: organization_in(&path) };
            let actor = door.admit(&gate.admin, &grounds, key)?;
            request.extensions_mut().insert(Admission { key: Arc::clone(key), door });
            actor
        }
    };
    if !gate.admin.deciding.still_hold(grounds.mark()) {
        return Err(view_stale());
    }
    let (position, mark) = (grounds.position(), grounds.mark());
    drop(grounds);
    request.extensions_mut().insert(actor);
    let mut response = next.run(request).await;
    if waits && let Some(written) = answer::written_at(&response) {
        wait_for(&gate.admin.leases, written, &mut response).await;
    }
    Ok(answer::finish(response, gate.made, position, mark))
}

/// The view of this node, when it is fresh; else the few rows that decide about this caller. Whoever founds a deployment is in neither.
async fn grounds<P>(gate: &Gate<P>, headers: &http::HeaderMap) -> Result<Grounds, Problem> {
    let deciding = &gate.admin.deciding;
    if let Some(grounds) = deciding.fresh() {
        return Ok(grounds);
    }
    if !deciding.is_following() {
        return Err(view_not_current());
    }
    let key = api_key(headers)?.and_then(|text| KeyText::parse(text).ok()).map(|parsed| parsed.id());
    deciding.ask(Parties { key, ..Parties::default() }).await.map_err(|_| view_stale())
}

/// The organization in a path; `None` when there is none, or something that is no id.
fn organization_in(path: &RawPathParams) -> Option<OrganizationId> {
    let (_, text) = path.iter().find(|(name, _)| *name == "organization")?;
    OrganizationId::parse(text).ok()
}

/// What a caller must be to pass.
#[derive(Debug, Clone)]
struct Door {
    access: Access,
    /// The organization in the path.
    organization: Option<OrganizationId>,
}

impl Door {
    /// Decides by one view whether whoever holds this key passes, and as whom.
    fn admit<P>(&self, admin: &Admin<P>, view: &AccessView, key: &Key) -> Result<Actor, Problem> {
        match &self.access {
            Access::Bootstrap => Err(Problem::not_found("address")),
            Access::AnyKey => {
                policy::authenticates(&view.key_facts(key), admin.clock.now())?;
                actor(view, key)
            }
            Access::Key(scope) => member(admin, view, key, key.organization, scope),
            Access::Organization(scope) => {
                let organization = self.organization.ok_or_else(|| Problem::not_found("organization"))?;
                member(admin, view, key, organization, scope)
            }
            Access::Administrator(scope) => administrator(admin, view, key, scope),
        }
    }
}

/// Why somebody was let through: what an answer that goes on for long looks at again and again.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    key: Arc<Key>,
    door: Door,
}

impl Admission {
    /// The organization of the key.
    pub(super) fn organization(&self) -> OrganizationId {
        self.key.organization
    }

    /// The key that was presented.
    pub(super) fn credential(&self) -> ApiKeyId {
        self.key.id
    }

    /// The same caller, who is to be let through as an administrator of the deployment.
    pub(super) fn as_administrator(&self, scope: Scope) -> Self {
        let door = Door { access: Access::Administrator(scope), organization: None };
        Self { key: Arc::clone(&self.key), door }
    }

    /// Whether they would be let through as an administrator of the deployment. Not knowing is no answer.
    pub(super) fn is_administrator<P>(&self, admin: &Admin<P>, scope: Scope) -> Result<bool, Problem> {
        match self.as_administrator(scope).holds(admin) {
            Ok(()) => Ok(true),
            Err(problem) if problem.code() == VIEW_STALE => Err(problem),
            Err(_) => Ok(false),
        }
    }

    /// Whether they read the whole deployment, as its administrators do, and not their own organization alone. Not knowing is no answer.
    pub(super) fn sees_everything<P>(&self, admin: &Admin<P>) -> Result<bool, Problem> {
        self.is_administrator(admin, Scope::AuditRead)
    }

    /// Whether they would be let through now, too. The credential itself was checked when they came.
    pub(super) fn holds<P>(&self, admin: &Admin<P>) -> Result<(), Problem> {
        if !admin.deciding.is_following() {
            return Err(view_not_current());
        }
        let grounds = admin.deciding.fresh().ok_or_else(view_stale)?;
        let key = grounds.key_now(&self.key).ok_or_else(|| Problem::not_found("key"))?;
        self.door.admit(admin, &grounds, key)?;
        // Whatever took its time since, a pause of this process too, makes the view older.
        if admin.deciding.still_hold(grounds.mark()) { Ok(()) } else { Err(view_stale()) }
    }
}

impl<P: Send + Sync> FromRequestParts<Admin<P>> for Admission {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Admin<P>) -> Result<Self, Problem> {
        // The check in front of every handler leaves it there; only the founder, who has no key, comes without.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Problem::not_found("key"))
    }
}

fn view_not_current() -> Problem {
    let detail = "this node cannot decide right now; try again, or ask another node";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "view-not-current", detail)
}

fn view_stale() -> Problem {
    let detail = "this node has not heard of the log for too long to decide; try again, or ask another node";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, VIEW_STALE, detail).after(Duration::from_secs(1))
}

fn looks_like_a_key(headers: &http::HeaderMap) -> Result<bool, Problem> {
    Ok(api_key(headers)?.is_some_and(|text| KeyText::parse(text).is_ok()))
}

fn founder<P>(admin: &Admin<P>, headers: &http::HeaderMap) -> Result<Actor, Problem> {
    let presented = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    if !presented.is_some_and(|token| admin.bootstrap.matches(token)) {
        let detail = "send the bootstrap token as Authorization: Bearer <token>; `sekisho serve` says at start where it is";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "bootstrap-token-wrong", detail));
    }
    Ok(Actor {
        credential: Credential::BootstrapToken,
        authority: Authority::Founder,
        scopes: None,
        issued_by: None,
        until: None,
    })
}

fn authenticated<'a, P>(
    admin: &Admin<P>,
    view: &'a AccessView,
    headers: &http::HeaderMap,
) -> Result<&'a Arc<Key>, Problem> {
    let unauthorized = |code: &'static str| {
        Problem::new(StatusCode::UNAUTHORIZED, code, "send a good API key in the header x-api-key")
    };
    let text = api_key(headers)?.ok_or_else(|| unauthorized("no-credential"))?;
    recognised(view, &*admin.keys, text).map_err(unauthorized)
}

fn member<P>(
    admin: &Admin<P>,
    view: &AccessView,
    key: &Key,
    organization: OrganizationId,
    scope: &Scope,
) -> Result<Actor, Problem> {
    may(view, key, organization, scope, admin.clock.now())?;
    actor(view, key)
}

fn administrator<P>(admin: &Admin<P>, view: &AccessView, key: &Key, scope: &Scope) -> Result<Actor, Problem> {
    let actor = member(admin, view, key, key.organization, scope)?;
    if !view.deployment().administrators.contains(&key.principal) {
        let detail = "only an administrator of the deployment may do this";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-administrator", detail));
    }
    if !actor.speaks_for_themself() {
        let detail = "this key was issued in an administrator's name by somebody else; only a key that the administrator \
                      issued administers the deployment";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-administrator", detail));
    }
    Ok(Actor { authority: Authority::Administrator { user: key.principal }, ..actor })
}

/// Whoever stands behind a key that was let through, as the member that they are.
fn actor(view: &AccessView, key: &Key) -> Result<Actor, Problem> {
    member_behind(view, key).ok_or_else(|| Problem::not_found("organization"))
}
