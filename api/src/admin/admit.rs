//! The check in front of every handler: credential, access, position to wait for. Leaves the `Actor` for the handler.

use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use commands::{Actor, Authority, Credential, Ports};
use domain::policy::{self, Caller, Facts, Standing, Target, Wish};
use domain::value::{KeyText, OrganizationId, PresentedSecret, Scope};
use http::{StatusCode, header};
use projections::access::{AccessView, Key};

use super::table::Access;
use super::{Admin, answer};
use crate::extract::{POSITION_WAIT, api_key, at_least};
use crate::problem::Problem;

/// What stands in front of one route.
pub(super) struct Gate<P> {
    pub(super) admin: Admin<P>,
    pub(super) access: Access,
    pub(super) made: StatusCode,
}

impl<P> Clone for Gate<P> {
    fn clone(&self) -> Self {
        Self { admin: self.admin.clone(), access: self.access.clone(), made: self.made }
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
    if !gate.admin.view.is_following() {
        let detail = "this node cannot decide right now; try again, or ask another node";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "view-not-current", detail));
    }
    let view = gate.admin.view.load();
    let actor = match &gate.access {
        Access::Bootstrap => founder(&gate.admin, request.headers())?,
        Access::AnyKey => {
            let key = authenticated(&gate.admin, &view, request.headers())?;
            policy::authenticates(&view.key_facts(key), gate.admin.clock.now())?;
            actor(&view, key)?
        }
        Access::Key(scope) => {
            let key = authenticated(&gate.admin, &view, request.headers())?;
            member(&gate.admin, &view, key, key.organization, scope)?
        }
        Access::Organization(scope) => {
            let key = authenticated(&gate.admin, &view, request.headers())?;
            let (_, text) = path.iter().find(|(name, _)| *name == "organization").unwrap_or_default();
            let organization = OrganizationId::parse(text).map_err(|_| Problem::not_found("organization"))?;
            member(&gate.admin, &view, key, organization, scope)?
        }
        Access::Administrator(scope) => {
            let key = authenticated(&gate.admin, &view, request.headers())?;
            let actor = member(&gate.admin, &view, key, key.organization, scope)?;
            if !view.deployment().administrators.contains(&key.principal) {
                let detail = "only an administrator of the deployment may do this";
                return Err(Problem::new(StatusCode::FORBIDDEN, "not-administrator", detail));
            }
            if !actor.speaks_for_themself() {
                let detail = "this key was issued in an administrator's name by somebody else; only a key that the administrator \
                              issued administers the deployment";
                return Err(Problem::new(StatusCode::FORBIDDEN, "not-administrator", detail));
            }
            Actor { authority: Authority::Administrator { user: key.principal }, ..actor }
        }
    };
    let position = view.position();
    drop(view);
    request.extensions_mut().insert(actor);
    Ok(answer::finish(next.run(request).await, gate.made, position))
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
) -> Result<&'a Key, Problem> {
    let unauthorized = |code: &'static str| {
        Problem::new(StatusCode::UNAUTHORIZED, code, "send a good API key in the header x-api-key")
    };
    let text = api_key(headers)?.ok_or_else(|| unauthorized("no-credential"))?;
    let parsed = KeyText::parse(text).map_err(|error| unauthorized(error.code()))?;
    let key = view.key(parsed.key_id()).ok_or_else(|| unauthorized("key-unknown"))?;
    if admin.keys.matches(&PresentedSecret::new(text.to_owned()), &key.digest) {
        Ok(key)
    } else {
        Err(unauthorized("key-unknown"))
    }
}

fn member<P>(
    admin: &Admin<P>,
    view: &AccessView,
    key: &Key,
    organization: OrganizationId,
    scope: &Scope,
) -> Result<Actor, Problem> {
    let facts = Facts {
        caller: Caller::Key(view.key_facts(key)),
        target: Target::Organization(organization),
        maintenance: false,
        now: admin.clock.now(),
    };
    policy::decide(&facts, Wish::Manage(scope))?;
    actor(view, key)
}

/// Whoever stands behind a key that was let through, as the member that they are.
fn actor(view: &AccessView, key: &Key) -> Result<Actor, Problem> {
    match (view.organization(key.organization), view.role(key.organization, key.principal)) {
        (Standing::Active, Some(role)) => Ok(Actor {
            credential: Credential::ApiKey(key.id),
            authority: Authority::Member { user: key.principal, organization: key.organization, role },
            scopes: Some(key.scopes.clone()),
            issued_by: Some(key.issued_by),
            until: key.expires_at,
        }),
        (Standing::Active | Standing::Suspended | Standing::Ended, _) => {
            Err(Problem::not_found("organization"))
        }
    }
}
