//! `/account/grants`: what somebody allowed, and where they are signed in; each with a way to end it.

use axum::extract::State;
use axum::response::Response;
use commands::grant::Revoke;
use commands::{CarryOutError, Ports, Refused};
use domain::value::{ClientId, GrantId, InstanceId, OrganizationId, Scope, UserId};
use http::{StatusCode, Uri};
use projections::directory::{Cursor, grants, instances, organizations, users};
use uuid::Uuid;

use super::sessions::{self, Which};
use super::visitor::{leads_to, unavailable};
use super::{Next, People, Sent, SignedIn, Visitor, provider};
use crate::oauth::Parameters;
use crate::pages::Fault;
use crate::pages::account::{Account, Done, GrantShown, SessionShown};

/// Grants on one page.
const GRANTS_MAX: u32 = 200;

/// The page.
pub(super) async fn show<P: Ports + 'static>(
    State(people): State<People<P>>,
    visitor: Visitor,
    uri: Uri,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()),
    };
    let query = Parameters::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let done = query.get("done").and_then(Done::parse);
    match shown(&people, &somebody, done).await {
        Ok(response) => response,
        Err(fault) => somebody.visitor.fault(fault),
    }
}

async fn shown<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    done: Option<Done>,
) -> Result<Response, Fault> {
    let visitor = &somebody.visitor;
    let grants = granted(people, somebody.user()).await.map_err(|error| unavailable(&error))?;
    let sessions =
        sessions::list(&people.pool, somebody.user()).await.map_err(|error| unavailable(&error))?;
    let sessions: Vec<SessionShown> = sessions
        .into_iter()
        .map(|session| SessionShown {
            is_this: session.id == somebody.session.id,
            id: session.id,
            agent: session.agent,
            created_at: session.created_at,
            seen_at: session.seen_at,
        })
        .collect();
    let account = Account {
        csrf: &people.csrf_of(visitor),
        person: &person(people, somebody.user()).await?,
        grants: &grants,
        sessions: &sessions,
        identities: &provider::identities(people, somebody.user()),
        degraded: somebody.session.degraded,
        done,
    };
    Ok(visitor.page(people, StatusCode::OK, account.page(visitor.language())))
}

/// What somebody allowed, with the names of what it is about.
async fn granted<P>(people: &People<P>, user: UserId) -> Result<Vec<GrantShown>, sqlx::Error> {
    let rows = grants::live_of(&people.pool, user, Cursor::default(), GRANTS_MAX).await?.rows;
    let (view, now) = (people.view.load(), people.clock.now().get());
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows.into_iter().filter(|row| row.expires_at.is_none_or(|end| end > now)) {
        let organization = OrganizationId::new(row.organization_id);
        let instance = instances::by_id(&people.pool, organization, InstanceId::new(row.instance_id)).await?;
        let organization = organizations::by_id(&people.pool, organization).await?;
        let client = view.client(ClientId::new(row.client_id)).map(|client| client.name.to_string());
        shown.push(GrantShown {
            id: row.id,
            client: client.unwrap_or_else(|| row.client_id.to_string()),
            instance: instance.map_or_else(|| row.instance_id.to_string(), |instance| instance.name),
            organization: organization.map_or_else(|| row.organization_id.to_string(), |row| row.name),
            scopes: row.scopes.iter().filter_map(|text| Scope::parse(text).ok()).collect(),
            since: row.created_at,
        });
    }
    Ok(shown)
}

/// Somebody, as a page calls them.
pub(crate) async fn person<P>(people: &People<P>, user: UserId) -> Result<String, Fault> {
    let row = users::any_by_id(&people.pool, user).await.map_err(|error| unavailable(&error))?;
    Ok(row.and_then(|row| row.email.or(row.name)).unwrap_or_else(|| user.to_string()))
}

/// Takes back what was allowed.
pub(super) async fn revoke<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()),
    };
    let Some(grant) = form.get("grant").and_then(|text| GrantId::parse(text).ok()) else {
        return somebody.visitor.fault(Fault::Malformed);
    };
    let theirs = people.view.load().grant(grant).filter(|grant| grant.user == somebody.user()).cloned();
    let Some(theirs) = theirs else { return done(Done::Revoked) }; // somebody else's looks like none
    let revoke = Revoke { organization: theirs.organization, grant };
    match people.carry_out(&somebody.actor(), &revoke, &somebody.visitor.correlation()).await {
        // What is over need not be ended.
        Ok(()) | Err(CarryOutError::Refused(Refused::NotFound(_))) => done(Done::Revoked),
        Err(error) => somebody.visitor.fault(unavailable(&error)),
    }
}

/// Ends sessions.
pub(super) async fn end<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.to_sign_in(&Next::default()),
    };
    let which = match form.get("session") {
        Some("others") => Which::AllBut(somebody.session.id),
        Some("all") => Which::All,
        text => match text.and_then(|text| Uuid::try_parse(text).ok()) {
            Some(id) => Which::One(id),
            None => return somebody.visitor.fault(Fault::Malformed),
        },
    };
    match sessions::end(&people.pool, somebody.user(), which).await {
        Ok(()) => done(Done::Ended),
        Err(error) => somebody.visitor.fault(unavailable(&error)),
    }
}

/// Back to the page, which says so.
pub(super) fn done(done: Done) -> Response {
    leads_to(&format!("/account/grants?done={}", done.as_str()))
}
