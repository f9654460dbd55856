//! `/oauth/authorize`: a client asks, in a person's browser, to act for them at one instance (RFC 6749, 4.1; MCP 2026-07-28, authorization).
//!
//! ```text
//!   GET  client, redirect known? --no--> a page of ours, and nowhere else
//!          `-> the rest readable? --no--> back to the client with what is wrong; to one of strangers only by a click, unless the person let it act before
//!                `-> signed in? --no--> /sign-in and back here
//!                      `-> may this person grant it? --no--> the same
//!                            `-> granted before, or a demonstration that asks nobody? --yes--> back with a code
//!                                  `-> the page that asks
//!   POST the page's answer, sealed for this session, once -> grant, code, back; or back with access_denied
//! ```
//! A stranger's client is one that registered itself or is known by its document: anybody made it, so an error that led on by itself would make a
//! link to us a link to anywhere, whoever is signed in (RFC 9700, 4.11.2; RFC 6749, 10.15). For one that an organization registered, somebody here stands.
//! Deliberately absent: any leave for other origins to read this (RFC 9700, 2.6: no CORS here), and every response type but `code`.

mod described;
mod end;
mod error;
mod reach;
mod redirect;
mod request;
mod sealed;
mod used;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use commands::grant::Issue;
use commands::{Entropy as _, Ports};
use domain::value::{ClientId, ClientUrl, GrantId, OrganizationId, Scope, Scopes, UserId};
use http::{StatusCode, Uri};
use projections::access::{AccessView, Grounds};
use projections::directory::{instances, organizations};
use uuid::Uuid;

use self::described::{ConsentForm, QUERY};
use self::end::{End, Wrong, ended, leads_on};
use self::error::AuthorizeError;
use self::reach::{Reach, only_one, reach, without_contained};
use self::redirect::destination;
use self::request::{Asked, Wanted, asked, asked_at_once};
use self::sealed::Shown;
pub(crate) use self::used::FORGET as FORGET_FORMS;
use self::used::{FormUse, use_form};
use super::codes::{self, CodeFacts};
use super::documents::ClientDocuments;
use super::pkce::Challenge;
use crate::limits::{Subject, Surface};
use crate::pages::consent::Consent;
use crate::pages::{Fault, FormTarget};
use crate::people::{
    Expectation, Next, PageAccess, PageRoute, People, Sent, SignedIn, Visitor, encoded, into_router,
    leads_to, person, unavailable,
};
use crate::providers::Ground;

/// Where people are asked.
pub(super) const PATH: &str = "/oauth/authorize";
/// What comes of it, when they allow: a code.
pub(super) const RESPONSE_TYPE: &str = "code";
/// Where it comes to: the query of the redirect.
pub(super) const RESPONSE_MODE: &str = "query";

/// How long a second click waits for what the first one brings.
const AGREED_WAIT: Duration = Duration::from_secs(2);
const AGREED_LOOK_EVERY: Duration = Duration::from_millis(50);

/// The routes.
pub(crate) fn routes<P: Ports + 'static>() -> Vec<PageRoute<P>> {
    let summary = "Ask a person to let a client act for them (RFC 6749, 4.1)";
    let answered = "What the person decided; the page says what was asked";
    vec![
        PageRoute::page(PATH, PageAccess::Person, "authorize", summary, show::<P>)
            .reading(&QUERY)
            .limited(Surface::Authorize),
        PageRoute::form::<ConsentForm, _, _>(
            PATH,
            PageAccess::Person,
            "decideAuthorization",
            answered,
            decide::<P>,
        )
        .limited(Surface::Authorize),
    ]
}

/// The router of them.
pub(crate) fn router<P: Ports + 'static>(people: People<P>) -> Router {
    into_router(routes(), people)
}

/// What a person signs in for, when they go on to an authorization request.
pub(crate) fn expectation(view: &Grounds, documents: &ClientDocuments, next: &Next) -> Option<Expectation> {
    let asked = asked_at_once(view, documents, next.authorization()?).ok()?;
    let leads_to = FormTarget::of(&asked.back.redirect_uri);
    Some(Expectation { client: asked.client.name.to_string(), leads_to })
}

async fn show<P: Ports + 'static>(State(people): State<People<P>>, visitor: Visitor, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    match answer(&people, &visitor, query).await {
        Ok(response) => response,
        Err(end) => ended(&people, &visitor, end),
    }
}

async fn answer<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    query: &str,
) -> Result<Response, End> {
    let view = people.deciding.fresh().ok_or(End::Here(Fault::Unavailable))?;
    let asked: Asked =
        asked(&view, &people.documents, query, visitor.subscriber()).await.map_err(End::Here)?;
    match wished(people, visitor, query, (&view, &asked)).await {
        Ok(response) => Ok(response),
        Err(Wrong::Here(end)) => Err(end),
        Err(Wrong::Told(error)) => {
            let leads_on = leads_on(people, visitor, &asked.client).await;
            let Asked { client, back, .. } = asked;
            Err(if leads_on { End::Back(back, error) } else { End::Held(client, back, error) })
        }
    }
}

/// What a person is asked, or what they agreed to before.
async fn wished<P: Ports + 'static>(
    people: &People<P>,
    visitor: &Visitor,
    query: &str,
    (view, asked): (&Grounds, &Asked),
) -> Result<Response, Wrong> {
    let wanted = asked.read(query, &people.url)?;
    let somebody = match visitor.clone().signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => match people.sign_in_unasked(visitor).await.map_err(End::Here)? {
            Ok(somebody) => somebody,
            Err(visitor) => return Ok(visitor.to_sign_in(&Next::authorize(query))),
        },
    };
    count_person(people, somebody.user())?;
    let wanted = with_instance(view, wanted, asked, somebody.user())?;
    let reach = reach(view, &wanted, somebody.user(), people.clock.now())?;
    // Only now: whoever is not signed in uses up nothing of a client's.
    count_client(people, wanted.client, reach.instance.organization)?;
    match reach.standing {
        Some(grant) => {
            let scopes = without_contained(&reach.scopes);
            let ground = Ground::Remembered(somebody.session.provider());
            Ok(coded(people, &somebody, (&wanted, &reach), (grant, ground), scopes).await?)
        }
        None if somebody.agrees_unasked() => {
            let offered = reach.scopes.clone();
            Ok(granted(people, &somebody, (&wanted, &reach), &offered).await?)
        }
        None => Ok(asking(people, &somebody, wanted, &reach, Some(query)).await.map_err(End::Here)?),
    }
}

fn count_person<P>(people: &People<P>, user: UserId) -> Result<(), End> {
    people.limits.take(Surface::Authorize, Subject::Person(user.uuid())).map(drop).map_err(End::Later)
}

fn count_client<P>(people: &People<P>, client: ClientId, organization: OrganizationId) -> Result<(), End> {
    for subject in [Subject::Client(client.uuid()), Subject::Organization(organization.uuid())] {
        people.limits.take(Surface::Authorize, subject).map_err(End::Later)?;
    }
    Ok(())
}

/// A request that names no instance is for the only one of the client's organization that this person may open to it, if there is only one.
fn with_instance(
    view: &AccessView,
    mut wanted: Wanted,
    asked: &Asked,
    user: UserId,
) -> Result<Wanted, AuthorizeError> {
    if wanted.instance.is_none() {
        wanted.instance = Some(only_one(view, &asked.client, user).ok_or(AuthorizeError::Target)?);
    }
    Ok(wanted)
}

/// The page that asks. `query` is the request, where the page can be asked for again in another language.
async fn asking<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    wanted: Wanted,
    reach: &Reach,
    query: Option<&str>,
) -> Result<Response, Fault> {
    let visitor = &somebody.visitor;
    let (pool, organization) = (&people.pool, reach.instance.organization);
    let instance = instances::by_id(pool, organization, reach.instance.id).await;
    let organization = organizations::by_id(pool, organization).await;
    let (instance, organization) =
        (instance.map_err(|error| unavailable(&error))?, organization.map_err(|error| unavailable(&error))?);
    let (Some(instance), Some(organization)) = (instance, organization) else {
        return Err(Fault::Unavailable);
    };
    let redirect_uri = wanted.back.redirect_uri.clone();
    let again = query.map(|query| Next::authorize(query).as_str().to_owned());
    let (form, offers) = (people.ports.entropy().id(), (wanted, reach.scopes.clone()));
    let shown = Shown::now(form, offers, visitor.ui_locales(), people.clock.now());
    let sealed = shown.seal(&*people.requests, somebody.session.id, somebody.user());
    let page = Consent {
        csrf: &people.csrf_of(visitor),
        request: &sealed.ok_or(Fault::Unavailable)?,
        client: reach.client.name.as_str(),
        described_at: reach.client.document.as_deref().map(ClientUrl::place),
        self_registered: reach.client.own.is_some(),
        destination: &destination(&redirect_uri),
        instance: &instance.name,
        organization: &organization.name,
        person: &person(people, somebody.user()).await?,
        scopes: &reach.scopes,
        other_person: other_person(again.as_deref()),
        leads_to: FormTarget::of(&redirect_uri),
        here: again.map(|again| without_language(&again)),
        nothing_chosen: query.is_none(),
    };
    Ok(visitor.page(people, StatusCode::OK, page.page(visitor.language())))
}

/// Where somebody else signs in, and goes on with the request where it is still at hand.
fn other_person(again: Option<&str>) -> String {
    again.map_or_else(|| "/sign-out".to_owned(), |again| format!("/sign-out?next={}", encoded(again)))
}

/// The address without the language that was asked for, so that another one can be.
fn without_language(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("ui_locales=")).collect();
    format!("{path}?{}", kept.join("&"))
}

/// Back to the client with a code.
async fn coded<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    (wanted, reach): (&Wanted, &Reach),
    (grant, ground): (GrantId, Ground),
    scopes: Scopes,
) -> Result<Response, AuthorizeError> {
    let facts = CodeFacts {
        grant,
        client: wanted.client,
        user: somebody.user(),
        organization: reach.instance.organization,
        instance: reach.instance.id,
        redirect_uri: wanted.back.redirect_uri.clone(),
        challenge: Challenge::parse(&wanted.challenge).ok_or(AuthorizeError::Challenge)?,
        scopes,
    };
    let drawn_in = (somebody.session.id, &ground);
    let issued = codes::issue(&people.pool, people.ports.entropy(), &facts, drawn_in).await;
    let code = issued.map_err(|error| {
        unavailable(&error);
        AuthorizeError::Unavailable
    })?;
    let code = code.ok_or(AuthorizeError::AccessDenied)?; // they signed out meanwhile, maybe since it was not them who asked
    let way_back = leads_to(&wanted.back.with_code(&code, people.url.issuer()));
    Ok(somebody.visitor.answered(people, way_back))
}

/// The page's answer.
async fn decide<P: Ports + 'static>(
    State(people): State<People<P>>,
    Sent { visitor, form }: Sent,
) -> Response {
    let somebody = match visitor.signed_in() {
        Ok(somebody) => somebody,
        Err(visitor) => return visitor.fault(Fault::StaleForm),
    };
    if let Err(end) = count_person(&people, somebody.user()) {
        return ended(&people, &somebody.visitor, end);
    }
    let now = people.clock.now();
    let whose = (somebody.session.id, somebody.user());
    let shown = form.get("request").and_then(|text| Shown::open(text, &*people.requests, whose, now));
    let Some(shown) = shown else { return somebody.visitor.fault(Fault::StaleForm) };
    let chosen = |scope: &&Scope| form.get(&crate::pages::consent::box_name(scope)).is_some();
    let chosen: Vec<Scope> = shown.offered.iter().filter(chosen).cloned().collect();
    let somebody = somebody.reading(shown.ui_locales.as_deref());
    let decided = match form.get("decision") {
        Some("allow") => allowed(&people, &somebody, (shown.form, shown.wanted), &chosen).await,
        Some("deny") => Err(End::Back(shown.wanted.back, AuthorizeError::AccessDenied)),
        Some(_) | None => Err(End::Here(Fault::Malformed)),
    };
    match decided {
        Ok(response) => response,
        Err(end) => ended(&people, &somebody.visitor, end),
    }
}

/// The person said yes. Everything is looked at again: the client may be turned off by now, the person may have left.
async fn allowed<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    (form, wanted): (Uuid, Wanted),
    chosen: &[Scope],
) -> Result<Response, End> {
    let view = people.deciding.fresh().ok_or(End::Here(Fault::Unavailable))?;
    if wanted.client_in(&view).is_none() {
        return Err(End::Here(Fault::UnknownClient));
    }
    let back = |error| End::Back(wanted.back.clone(), error);
    let reach = reach(&view, &wanted, somebody.user(), people.clock.now()).map_err(back)?;
    count_client(people, wanted.client, reach.instance.organization)?;
    let chosen: Vec<Scope> = chosen.iter().filter(|scope| reach.scopes.contains(scope)).cloned().collect();
    if chosen.is_empty() {
        return asking(people, somebody, wanted, &reach, None).await.map_err(End::Here);
    }
    match use_form(&people.pool, form).await.map_err(|error| End::Here(unavailable(&error)))? {
        FormUse::First => granted(people, somebody, (&wanted, &reach), &chosen).await.map_err(back),
        FormUse::JustNow => {
            let scopes = without_contained(&chosen);
            let grant = agreed(people, somebody.user(), (&wanted, &reach), &scopes).await;
            let grant = grant.ok_or(End::Here(Fault::StaleForm))?;
            let ground = Ground::Consented(somebody.session.provider());
            coded(people, somebody, (&wanted, &reach), (grant, ground), scopes).await.map_err(back)
        }
        FormUse::LongAgo => Err(End::Here(Fault::StaleForm)),
    }
}

/// The grant that the same form brought a moment ago, or is about to bring: of exactly this.
async fn agreed<P>(
    people: &People<P>,
    user: UserId,
    (wanted, reach): (&Wanted, &Reach),
    scopes: &Scopes,
) -> Option<GrantId> {
    let stands = || {
        let view = people.deciding.fresh()?;
        let grant = view.grant_of(user, wanted.client, reach.instance.id)?;
        (grant.scopes == *scopes).then_some(grant.id)
    };
    let looking = async {
        loop {
            if let Some(grant) = stands() {
                return grant;
            }
            tokio::time::sleep(AGREED_LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(AGREED_WAIT, looking).await.ok()
}

/// It is granted, and the way back is with a code.
async fn granted<P: Ports + 'static>(
    people: &People<P>,
    somebody: &SignedIn,
    (wanted, reach): (&Wanted, &Reach),
    scopes: &[Scope],
) -> Result<Response, AuthorizeError> {
    let scopes = without_contained(scopes);
    let (client, instance) = (wanted.client, reach.instance.id);
    let seen = wanted.document.clone().map(Box::new);
    let consent = Issue { client, instance, scopes: scopes.clone(), expires_at: None, seen };
    let correlation = somebody.visitor.correlation();
    let issued = people.carry_out(&somebody.actor(), &consent, &correlation).await.map_err(|error| {
        unavailable(&error);
        AuthorizeError::Unavailable
    })?;
    let ground = Ground::Consented(somebody.session.provider());
    coded(people, somebody, (wanted, reach), (issued.grant, ground), scopes).await
}
